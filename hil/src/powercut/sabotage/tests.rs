//! Every flush of the product has a name of its own, and every name is left out somewhere. Read from its sources.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Flushes that are not played here, and the test of `relay` that sees each.
const ELSEWHERE: [(&str, &str); 1] =
    [("flush-remote", "a_request_lies_on_the_servers_disk_before_it_has_its_name")];
/// How a flush is written.
const FLUSHES: [&str; 7] =
    ["sync_all()", "sync_data()", "fsync(", ".sync()", "sync_folder(", ".flush()", "keep_removals()"];
/// What is no flush that a promise needs: two functions that are one, the history, which carries no promise, and the
/// trial of a share.
const OTHERS: [(&str, &str); 7] = [
    ("journal/src/lib.rs", "opened.sync_all().map_err(Error::io(\"fsync\", folder))"),
    ("journal/src/lib.rs", "fn sync_folder(folder: &Path)"),
    ("src/folder.rs", "Ok(unistd::fsync(&self.fd)?)"),
    ("history/sled_store.rs", "self.db.flush().map(drop)"),
    ("history/sled_store.rs", "self.flush()"),
    ("history/apart.rs", "to.flush()"),
    ("share/selftest.rs", ".flush()"),
];

/// The sources of what runs in the product, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let (mut found, firmware) = (Vec::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware"));
    let mut open = ["journal/src", "relay/src"].map(|folder| firmware.join(folder)).to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" {
                open.push(path);
            } else if name.ends_with(".rs") && !["tests.rs", "testing.rs", "sabotage.rs"].contains(&name) {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 40, "{}", found.len());
    found
}

/// Whether a place lies in the parentheses of an `unless`.
fn can_be_left_out(text: &str, at: usize) -> bool {
    let (mut depth, before) = (0, &text[..at]);
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' if before[..at].ends_with("unless") || before[..at].ends_with("unless_awaited") => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// The lines of a source at which something is flushed under no name.
fn unnamed<'a>(path: &Path, text: &'a str) -> Vec<&'a str> {
    let places = FLUSHES.iter().flat_map(|flush| text.match_indices(flush));
    let lines = places.map(|(at, _)| {
        let line = text[..at].lines().count() - 1;
        (text.lines().nth(line).unwrap().trim(), at)
    });
    let flushes = lines.filter(|(line, _)| !line.starts_with("//") && !line.contains("pub fn "));
    let is_other =
        |line: &str| OTHERS.iter().any(|(file, other)| path.ends_with(file) && line.contains(other));
    let own = flushes.filter(|(line, _)| !is_other(line));
    own.filter(|(_, at)| !can_be_left_out(text, *at)).map(|(line, _)| line).collect()
}

#[test]
fn every_flush_of_the_product_can_be_left_out_by_name() {
    for (path, text) in sources() {
        assert_eq!(unnamed(&path, &text), Vec::<&str>::new(), "{}", path.display());
    }
}

#[test]
fn a_flush_without_a_name_is_found() {
    let unnamed = |text| unnamed(Path::new("log.rs"), text);
    let named = "fn f() {\n    unless(NAME, || all.iter().try_for_each(|one| one.sync()))?;\n}\n";
    assert!(unnamed(named).is_empty());
    let sure = named.replace("unless(", "sure(");
    assert_eq!(unnamed(&sure).len(), 1);
    let after = "fn f() {\n    unless(NAME, || one.sync())?;\n    file.sync_all()?;\n}\n";
    assert_eq!(unnamed(after), ["file.sync_all()?;"]);
}

#[test]
fn a_name_is_of_one_flush_and_no_more() {
    let text: String = sources().into_iter().map(|(_, text)| text).collect();
    for name in [&journal::sabotage::FLUSHES[..], &relay::sabotage::FLUSHES[..]].concat() {
        let word = name.to_uppercase().replace('-', "_");
        let is_use = |at: usize| {
            let rest = &text[at + word.len()..];
            let called = text[..at].ends_with('(') || text[..at].ends_with(", ");
            let line = &text[text[..at].rfind('\n').unwrap_or_default()..at];
            called && (rest.starts_with(',') || rest.starts_with(')')) && !line.contains("use ")
        };
        let used = text.match_indices(&word).filter(|(at, _)| is_use(*at)).count();
        assert_eq!(used, 1, "{word}");
    }
}

#[test]
fn every_flush_of_the_product_is_left_out_somewhere_and_no_other() {
    let mut played: Vec<&str> = DEFECTS.iter().map(|defect| defect.name).collect();
    played.extend(ELSEWHERE.map(|(name, _)| name));
    let mut all = [&journal::sabotage::FLUSHES[..], &relay::sabotage::FLUSHES[..]].concat();
    played.sort_unstable();
    all.sort_unstable();
    assert_eq!(played, all);
    let tests = include_str!("../../../../firmware/relay/tests/smbd.rs");
    for (name, test) in ELSEWHERE {
        assert!(tests.contains(&format!("fn {test}(")), "{name}");
    }
}
