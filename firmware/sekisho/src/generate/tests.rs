//! Every generated file word by word, and the real programs' own opinion of them where they are installed.

use std::process::Command;

use model::Profile;

use super::*;

fn site() -> Site {
    let profile = include_str!("../../../model/tests/data/profile.toml");
    let text = include_str!("../../../model/tests/data/site.toml");
    Site::parse("site.toml", text, Profile::parse("profile.toml", profile)).unwrap()
}

fn all(to: &Path) -> Vec<Generated> {
    let places = Places { to, state: Path::new("/var/lib/sekisho"), owner: "relayd" };
    let system = Accounts { passwd: "root:x:0:0:root:/root:/bin/bash\n", group: "root:x:0:" };
    daemons(&site(), &places, &system)
}

fn together(list: &[Generated]) -> String {
    list.iter().map(|one| format!("=== {}\n{}", one.name, one.text)).collect()
}

#[test]
fn the_daemons_of_a_site() {
    // Samba's configuration is the relay's golden.
    let mut list = all(Path::new("/run/sekisho"));
    list.retain(|one| one.name != "samba/smb.conf");
    insta::assert_snapshot!("daemons", together(&list));
}

#[test]
fn the_ports_of_a_board_and_of_each_situation() {
    let boards = board::file::shipped().unwrap();
    let first = &boards[0];
    let carton = network::setup(&first.setup(), true);
    let closed = network::setup(&first.setup(), false);
    let parts = [
        ("board", together(&network::board(first))),
        ("site", together(&network::site(&site()))),
        ("carton", together(&[carton])),
        ("closed", together(&[closed])),
    ];
    let text: String = parts.iter().map(|(name, text)| format!("##### {name}\n{text}\n")).collect();
    insta::assert_snapshot!("network", text);
}

/// Runs a program on a generated file if this machine has it.
fn ask(program: &str, args: &[&str]) {
    match Command::new(program).args(args).output() {
        Ok(said) => assert!(said.status.success(), "{program}: {said:?}"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{program}: {error}"),
    }
}

#[test]
fn the_real_programs_take_what_is_written_for_them() {
    let folder = tempfile::tempdir().unwrap();
    for one in all(folder.path()) {
        crate::files::replace(&folder.path().join(&one.name), &one.text, 0o644).unwrap();
    }
    for own in ["private", "lock", "state", "cache", "ncalrpc"] {
        std::fs::create_dir_all(folder.path().join("samba").join(own)).unwrap();
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    ask("/usr/sbin/unbound-checkconf", &[&at("unbound.conf")]);
    ask("/usr/bin/testparm", &["--suppress-prompt", &at("samba/smb.conf")]);
    ask("/usr/sbin/chronyd", &["-p", "-f", &at("chrony.conf")]);
}
