//! `sekisho stick` from outside: what it writes down of a stick, and what its check says.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn read(stick: &Path, to: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["stick", "read", "--to"])
        .arg(to)
        .stdin(Stdio::from(File::open(stick).expect("the stick is there")))
        .output()
        .expect("the binary runs")
}

fn check(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["stick", "check"]).arg(folder).output().expect("the binary runs")
}

#[test]
fn an_unreadable_stick_is_written_down_as_refused_and_the_next_waits_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (stick, to) = (folder.path().join("stick"), folder.path().join("found"));
    fs::write(&stick, vec![0; 8192]).unwrap();
    assert_eq!(read(&stick, &to).status.code(), Some(0));
    let refused = fs::read_to_string(to.join("refused.json")).unwrap();
    assert!(refused.contains("\"unreadable\""), "{refused}");
    assert_eq!(read(&stick, &to).status.code(), Some(75), "one stick at a time");
}

#[test]
fn two_readers_at_once_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let (stick, to) = (folder.path().join("stick"), folder.path().join("found"));
    fs::write(&stick, vec![0; 8192]).unwrap();
    let other = File::create(folder.path().join("found.lock")).unwrap();
    other.lock().unwrap();
    assert_eq!(read(&stick, &to).status.code(), Some(75), "another one reads");
    drop(other);
    assert_eq!(read(&stick, &to).status.code(), Some(0));
}

/// A site file comes from a stick, and each mistake costs a look at the lines before it.
#[test]
fn after_a_hundred_mistakes_the_check_says_so_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../model/tests/data/site.toml").replace("./profile.toml", "ntt-east");
    let text = format!("{text}{}", "\n[[contact]]\nparty = 1".repeat(1000));
    fs::write(folder.path().join("site.toml"), text).unwrap();
    let lines = String::from_utf8(check(folder.path()).stdout).unwrap();
    assert_eq!(lines.lines().count(), 101, "{lines}");
    assert!(lines.lines().last().unwrap().contains("more than 100 mistakes"), "{lines}");
}

#[test]
fn the_check_names_every_mistake_and_the_login_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/data");
    for name in ["site.toml", "profile.toml"] {
        fs::copy(data.join(name), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("ca.pem"), "").unwrap();
    let said = check(folder.path());
    assert_eq!(said.status.code(), Some(65));
    let lines = String::from_utf8(said.stdout).unwrap();
    assert!(lines.starts_with("logins/t1: this file is missing"), "{lines}");
    fs::create_dir(folder.path().join("logins")).unwrap();
    fs::write(folder.path().join("logins/t1"), "").unwrap();
    assert_eq!(check(folder.path()).status.code(), Some(0));
    fs::copy(data.join("ten-mistakes.toml"), folder.path().join("site.toml")).unwrap();
    let said = check(folder.path());
    let lines = String::from_utf8(said.stdout).unwrap();
    assert_eq!((said.status.code(), lines.lines().count()), (Some(65), 10), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("site.toml:")), "{lines}");
}
