//! The configuration of the box's own share: SMB 3 on the clinic's address and nowhere else.

use std::path::Path;

use model::Site;

/// The `smb.conf` of the box's share.
///
/// `share` is the exported folder, `owner` the user all its files belong to (the one the relay runs as, so that
/// the relay can take a lease on every file), and `own` the folder Samba keeps its own state in. The accounts are
/// the site's consumers.
pub fn config(site: &Site, share: &Path, owner: &str, own: &Path) -> String {
    let accounts: Vec<&str> = site.consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    let values = [
        ("{address}", site.clinic.to_string()),
        ("{own}", literal(own)),
        ("{share}", literal(share)),
        ("{owner}", owner.to_owned()),
        ("{accounts}", accounts.join(" ")),
    ];
    values.iter().fold(TEMPLATE.to_owned(), |text, (key, value)| text.replace(key, value))
}

/// A path as Samba reads it: a percent sign begins a variable there.
fn literal(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

const TEMPLATE: &str = include_str!("samba.conf");

#[cfg(test)]
mod tests {
    use model::Profile;

    use super::*;

    fn site() -> Site {
        let profile = include_str!("../../model/tests/data/profile.toml");
        let site = include_str!("../../model/tests/data/site.toml");
        Site::parse("site.toml", site, Profile::parse("profile.toml", profile)).unwrap()
    }

    #[test]
    fn the_whole_configuration() {
        let share = Path::new("/var/lib/sekisho/share/OQS");
        insta::assert_snapshot!(config(&site(), share, "sekisho", Path::new("/run/sekisho/samba")));
    }

    #[test]
    fn a_path_cannot_become_a_variable() {
        let text = config(&site(), Path::new("/a%Ub"), "sekisho", Path::new("/c"));
        assert!(text.contains("path = /a%%Ub\n"), "{text}");
    }
}
