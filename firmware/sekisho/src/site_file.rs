//! Reads the site file and the profile it names. The same code runs for `site check` and for starting.

use std::path::{Path, PathBuf};

use model::ruleset::Candidate;
use model::site::SiteError;
use model::{Profile, Site};
use tunnel::charon::Purpose;

use crate::contract::{Contract, File, Form};
use crate::failure::Failure;

/// The profiles in the binary: data with the field's real names.
const SHIPPED: &[(&str, &str)] = &[("ntt-east", include_str!("../profiles/ntt-east.toml"))];

/// The providers' profiles in the binary: empty, to be copied and filled in from the contract sheet.
pub const PROVIDERS: &[(&str, &str)] = &[
    ("fujitsu-fenics", include_str!("../providers/fujitsu-fenics.toml")),
    ("generic", include_str!("../providers/generic.toml")),
    ("mind-secureminder", include_str!("../providers/mind-secureminder.toml")),
    ("ntt-data-chugoku-ondemand", include_str!("../providers/ntt-data-chugoku-ondemand.toml")),
    ("nttpc-ip-members", include_str!("../providers/nttpc-ip-members.toml")),
    ("orca-cloud", include_str!("../providers/orca-cloud.toml")),
];

/// The box's own store of public authorities, as Debian's ca-certificates keeps it.
pub const PUBLIC_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A site, and the authorities its profile expects the centre's certificate from.
pub struct Loaded {
    /// The checked site.
    pub site: Site,
    /// PEM text of the authorities; none: the box's own store of public authorities.
    pub authorities: Option<Vec<u8>>,
    /// The texts of both files, as they were read.
    pub texts: Candidate,
    /// The provider of a line by IPsec, where the site file names one.
    pub provider: Option<Contract>,
    /// Who runs the gateways of the receipt computer's cloud, likewise.
    pub cloud: Option<Contract>,
    /// PEM text of the authorities of the cloud's services; none: nobody judges their certificates.
    pub cloud_authorities: Option<Vec<u8>>,
}

impl Loaded {
    /// The contracts of the tunnels that are kept up: the line's, and the cloud's.
    pub fn contracts(&self) -> [Option<(Purpose, &Contract)>; 2] {
        [(Purpose::Line, &self.provider), (Purpose::Cloud, &self.cloud)]
            .map(|(purpose, contract)| Some((purpose, contract.as_ref()?)))
    }

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
    let (place, profile_text, profile) = match profile {
        Ok(found) => (found.place, found.text, Ok(found.profile)),
        Err(mistakes) => (None, String::new(), Err(mistakes)),
    };
    let site = Site::parse(&shown, &text, profile);
    let line = site.as_ref().ok().and_then(Form::of_the_line);
    let cloud = site.as_ref().ok().and_then(Form::of_the_cloud);
    let files = File { path, text: &text };
    let line = line.map(|form| files.contract(&form)).transpose();
    let cloud = cloud.map(|form| files.contract(&form)).transpose();
    let (site, provider, cloud) = match (site, line, cloud) {
        (Ok(site), Ok(line), Ok(cloud)) => (site, line, cloud),
        (site, line, cloud) => {
            let mistakes = [site.err(), line.err(), cloud.err()];
            return Err(Failure::Site(mistakes.into_iter().flatten().flatten().collect()));
        }
    };
    let mut contradicts = files.of_the_cloud(&site, cloud.as_ref());
    contradicts.extend(files.of_the_secrets(&site, provider.as_ref(), cloud.as_ref()));
    if !contradicts.is_empty() {
        return Err(Failure::Site(contradicts));
    }
    let cloud_authorities = files.cloud_authorities(&site)?;
    let authorities = authorities(&site.profile, place.as_deref())?;
    let profile_name = place.map_or_else(|| "the profile".to_owned(), |place| place.display().to_string());
    let texts = Candidate { file: shown, site: text, profile_name, profile: profile_text };
    Ok(Loaded { site, authorities, texts, provider, cloud, cloud_authorities })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}

/// A profile, and where it was found.
#[derive(Debug)]
struct Found {
    profile: Profile,
    text: String,
    /// A file; none: in the binary.
    place: Option<PathBuf>,
}

/// The profile a site file names: a shipped one, or a file beside it.
fn profile(site: &Path, text: &str) -> Result<Found, Vec<SiteError>> {
    let Some(name) = Site::profile_name(text) else {
        // The site file's own check says that the key is missing.
        return Err(Vec::new());
    };
    if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        let profile = Profile::parse(&name, text)?;
        return Ok(Found { profile, text: (*text).to_owned(), place: None });
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
    Ok(Found { profile: Profile::parse(&place.display().to_string(), &text)?, text, place: Some(place) })
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
    fn every_shipped_provider_is_an_empty_form_that_one_sentence_refuses() {
        for (name, text) in PROVIDERS {
            let said = tunnel::Provider::parse(name, text, false).unwrap_err();
            assert!(said.len() == 1 && said[0].message.contains("is not filled in"), "{name}: {said:?}");
        }
    }

    #[test]
    fn an_unknown_profile_is_said_with_the_shipped_ones_and_the_line() {
        let said = profile(Path::new("site.toml"), "version = 1\nprofile = \"nobody\"\n").unwrap_err();
        assert_eq!(said[0].line, 2);
        assert!(said[0].to_string().contains("ntt-east"), "{said:?}");
    }
}
