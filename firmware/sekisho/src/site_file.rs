//! Reads the site file and the profile it names. The same code runs for `site check` and for starting.

use std::path::{Path, PathBuf};

use model::site::SiteError;
use model::{Profile, Site};

use crate::failure::Failure;

/// The profiles in the binary: data with the field's real names.
const SHIPPED: &[(&str, &str)] = &[("ntt-east", include_str!("../profiles/ntt-east.toml"))];

/// The box's own store of public authorities, as Debian's ca-certificates keeps it.
const PUBLIC_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A site, and the authorities its profile expects the centre's certificate from.
pub struct Loaded {
    /// The checked site.
    pub site: Site,
    /// PEM text of the authorities; none: the box's own store of public authorities.
    pub authorities: Option<Vec<u8>>,
}

impl Loaded {
    /// The same, if this build brings up everything the site asks for.
    ///
    /// # Errors
    /// [`Failure::NotYet`] with one sentence for each table that it does not.
    pub fn startable(self) -> Result<Self, Failure> {
        let not_yet = self.site.not_brought_up();
        if not_yet.is_empty() { Ok(self) } else { Err(Failure::NotYet(not_yet)) }
    }
}

/// Reads and checks everything a site file leads to.
///
/// # Errors
/// [`Failure::Read`] if the site file cannot be read; otherwise every mistake at once as [`Failure::Site`].
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let text = read(path)?;
    let shown = path.display().to_string();
    let profile = profile(path, &text);
    let place = profile.as_ref().ok().and_then(|(_, place)| place.clone());
    let site = Site::parse(&shown, &text, profile.map(|(profile, _)| profile)).map_err(Failure::Site)?;
    let authorities = authorities(&site.profile, place.as_deref())?;
    Ok(Loaded { site, authorities })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}

type Found = (Profile, Option<PathBuf>);

/// The profile a site file names: a shipped one, or a file beside it.
fn profile(site: &Path, text: &str) -> Result<Found, Vec<SiteError>> {
    let Some(name) = Site::profile_name(text) else {
        // The site file's own check says that the key is missing.
        return Err(Vec::new());
    };
    if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        return Ok((Profile::parse(&name, text)?, None));
    }
    let one = |message: String, allowed: Option<String>| {
        let line =
            text.lines().position(|line| line.trim_start().starts_with("profile")).map_or(1, |at| at + 1);
        vec![SiteError { file: site.display().to_string(), line, path: "profile".into(), message, allowed }]
    };
    if !name.ends_with(".toml") {
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let allowed = format!("{}, or a file beside the site file that ends in .toml", names.join(", "));
        return Err(one(format!("no profile is called {name:?}"), Some(allowed)));
    }
    let place = site.parent().unwrap_or_else(|| Path::new(".")).join(&name);
    let text = std::fs::read_to_string(&place)
        .map_err(|source| one(format!("failed to read {}: {source}", place.display()), None))?;
    Ok((Profile::parse(&place.display().to_string(), &text)?, Some(place)))
}

fn authorities(profile: &Profile, place: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(name) = &profile.centre_authorities else {
        // Without the store nothing can be said about the centre's certificate, and the ladder says so.
        return Ok(std::fs::read(PUBLIC_AUTHORITIES).ok());
    };
    let path = place.and_then(Path::parent).unwrap_or_else(|| Path::new(".")).join(name);
    std::fs::read(&path).map(Some).map_err(|source| Failure::Read { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_right() {
        for (name, text) in SHIPPED {
            let profile = Profile::parse(name, text);
            assert!(profile.is_ok(), "{name}: {profile:?}");
        }
    }

    #[test]
    fn an_unknown_profile_is_said_with_the_shipped_ones_and_the_line() {
        let said = profile(Path::new("site.toml"), "version = 1\nprofile = \"nobody\"\n").unwrap_err();
        assert_eq!(said[0].line, 2);
        assert!(said[0].to_string().contains("ntt-east"), "{said:?}");
    }
}
