//! The configuration of the box's own share: SMB 3 on the clinic's address and nowhere else; SMB 2.1 too if the site file
//! says why.

use std::path::Path;

use model::Site;
use model::site::Consumer;

/// The `smb.conf` of the box's shares: one for each consumer that has none of its own, for its account alone.
///
/// `shares` is the folder the exported folders lie in, `owner` the user all their files belong to (the one the relay
/// runs as, so that the relay can take a lease on every file), and `own` the folder Samba keeps its own state in.
pub fn config(site: &Site, shares: &Path, owner: &str, own: &Path) -> String {
    // SMB 2.1 does not encrypt; those who speak SMB 3 still do.
    let (oldest, encrypt) =
        if site.smb_2_1.is_some() { ("SMB2_10", "desired") } else { ("SMB3_00", "required") };
    let values = [
        ("{address}", site.clinic.to_string()),
        ("{network}", site.clinic.as_network().to_string()),
        ("{own}", literal(own)),
        ("{oldest}", oldest.to_owned()),
        ("{encrypt}", encrypt.to_owned()),
    ];
    let global = values.iter().fold(TEMPLATE.to_owned(), |text, (key, value)| text.replace(key, value));
    let section =
        |(consumer, share): (&Consumer, &str)| section(share, &consumer.name, &shares.join(share), owner);
    site.shares().map(section).fold(global, |text, section| text + &section)
}

fn section(share: &str, account: &str, path: &Path, owner: &str) -> String {
    let path = literal(path);
    format!(
        "\n[{share}]\npath = {path}\nvalid users = {account}\nforce user = {owner}\nread only = no\n\
         guest ok = no\ncreate mask = 0660\ndirectory mask = 0770\n"
    )
}

/// A path as Samba reads it: a percent sign begins a variable there.
fn literal(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

const TEMPLATE: &str = include_str!("samba.conf");

#[cfg(test)]
mod tests {
    use model::Profile;
    use model::site::Place;

    use super::*;

    fn site() -> Site {
        let profile = include_str!("../../model/tests/data/profile.toml");
        let site = include_str!("../../model/tests/data/site.toml");
        Site::parse("site.toml", site, Profile::parse("profile.toml", profile)).unwrap()
    }

    #[test]
    fn the_whole_configuration() {
        let shares = Path::new("/var/lib/sekisho/share");
        insta::assert_snapshot!(config(&site(), shares, "sekisho", Path::new("/run/sekisho/samba")));
    }

    #[test]
    fn each_consumer_has_its_own_share_and_no_account_but_its_own_may_open_it() {
        let mut site = site();
        let own = |share: &str| Place::Own { share: share.into() };
        let consumer =
            |name: &str, folders| Consumer { name: name.into(), folders, takes: Vec::new(), address: None };
        site.consumers.push(consumer("karte", own("KARTE")));
        site.consumers.push(consumer("far", Place::Local { path: "/srv/far".into() }));
        let text = config(&site, Path::new("/a"), "sekisho", Path::new("/c"));
        let part = |share: &str| {
            text.split(&format!("\n[{share}]\n")).nth(1).unwrap().split("\n[").next().unwrap().to_owned()
        };
        assert!(part("OQS").contains("path = /a/OQS\nvalid users = receipt\n"), "{text}");
        assert!(part("KARTE").contains("path = /a/KARTE\nvalid users = karte\n"), "{text}");
        assert!(!text.contains("far"), "{text}");
    }

    #[test]
    fn smb_2_1_is_let_in_only_if_the_site_file_says_why_and_is_signed_then_too() {
        let text = |site: &Site| config(site, Path::new("/a"), "sekisho", Path::new("/c"));
        let mut site = site();
        let strict =
            "server min protocol = SMB3_00\nserver signing = mandatory\nserver smb encrypt = required\n";
        assert!(text(&site).contains(strict));
        site.smb_2_1 = Some("the X-ray machine knows no other".into());
        let loose =
            "server min protocol = SMB2_10\nserver signing = mandatory\nserver smb encrypt = desired\n";
        assert!(text(&site).contains(loose));
        assert!(!text(&site).contains("X-ray"));
    }

    #[test]
    fn a_path_cannot_become_a_variable() {
        let text = config(&site(), Path::new("/a%Ub"), "sekisho", Path::new("/c"));
        assert!(text.contains("path = /a%%Ub/OQS\n"), "{text}");
    }
}
