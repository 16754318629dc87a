//! The lists beside this crate: one entry a line, a `#` and its reason. An entry without a reason is an error.

use std::path::Path;

use crate::error::{Error, at};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A package, a pattern or a path.
    pub what: String,
    /// Why it is there.
    pub why: String,
}

/// Reads a list.
pub fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let text = std::fs::read_to_string(path).map_err(at("read", path))?;
    parse(&text).map_err(|reason| Error::Data { path: path.to_owned(), reason })
}

/// The entries alone.
pub fn names(path: &Path) -> Result<Vec<String>, Error> {
    Ok(read(path)?.into_iter().map(|entry| entry.what).collect())
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((what, why)) = split(line) else { continue };
        let number = number + 1;
        if what.split_whitespace().count() != 1 {
            return Err(format!("line {number}: `{what}` is more than one entry"));
        }
        if why.is_empty() {
            return Err(format!("line {number}: `{what}` has no reason (`{what}  # why`)"));
        }
        if entries.iter().any(|entry| entry.what == what) {
            return Err(format!("line {number}: `{what}` stands there twice"));
        }
        entries.push(Entry { what: what.to_owned(), why: why.to_owned() });
    }
    Ok(entries)
}

/// The entry and its reason; none on an empty line or one that is only a remark.
fn split(line: &str) -> Option<(&str, &str)> {
    let (what, why) = line.split_once('#').unwrap_or((line, ""));
    let what = what.trim();
    (!what.is_empty()).then_some((what, why.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_its_reason_and_a_remark_is_none() {
        let entries = parse("# remark\n\nnftables  # the firewall\n").unwrap();
        assert_eq!(entries, [Entry { what: "nftables".into(), why: "the firewall".into() }]);
    }

    #[test]
    fn no_reason_two_words_or_twice_are_refused() {
        assert!(parse("nftables\n").unwrap_err().contains("no reason"));
        assert!(parse("a b # x\n").unwrap_err().contains("more than one"));
        assert!(parse("a # x\na # y\n").unwrap_err().contains("twice"));
    }
}
