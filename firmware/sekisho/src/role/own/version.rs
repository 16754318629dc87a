//! Whether an older version runs than has run here before: a version on trial that did not come up is left again.

use std::cmp::Ordering;
use std::path::Path;

/// The version that runs.
pub const OWN: &str = env!("CARGO_PKG_VERSION");

/// Notes that this version runs, and gives the newer one that ran before, if there was one.
pub fn note(folder: &Path, own: &str) -> Option<String> {
    let file = folder.join("newest-version");
    let kept = journal::read(&file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
    let kept = kept.map(|text| text.trim().to_owned()).filter(|text| numbers(text).is_some());
    match kept.as_ref().map(|kept| numbers(kept).cmp(&numbers(own))) {
        Some(Ordering::Greater) => kept,
        Some(Ordering::Equal) => None,
        Some(Ordering::Less) | None => {
            if let Err(error) = journal::replace(&file, own.as_bytes()) {
                tracing::warn!(%error, "that this version runs was not noted");
            }
            None
        }
    }
}

/// The numbers of a version, without what may stand behind them.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.split(['-', '+']).next()?;
    plain.split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_ran_is_remembered_and_an_older_one_is_told_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let note = |own| note(folder.path(), own);
        assert_eq!(note("0.9.0"), None);
        assert_eq!(note("0.10.0"), None, "by its numbers, not its letters");
        assert_eq!(note("0.10.0"), None);
        assert_eq!(note("0.9.0").as_deref(), Some("0.10.0"));
        assert_eq!(note("0.9.0").as_deref(), Some("0.10.0"), "until a newer one comes");
        assert_eq!(note("0.10.1"), None);
        std::fs::write(folder.path().join("newest-version"), b"\xff half").unwrap();
        assert_eq!(note("0.1.0"), None, "what is not understood was none");
        assert!(numbers(OWN).is_some());
    }
}
