//! What was damaged and set aside: each room keeps what it could not read under another name, and goes on.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use model::Timestamp;

/// So long it is spoken of, seconds: a week. After that it lies there for whoever wants to know why.
const TOLD_S: i64 = 7 * 86_400;

/// How much was set aside of late in these folders. One that cannot be read has nothing to say.
pub fn set_aside<'p>(folders: impl IntoIterator<Item = &'p Path>, now: Timestamp) -> u64 {
    let mut count = 0;
    for entry in folders.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.contains(".damaged")) else { continue };
        // Its name was changed then; when its bytes were is another matter.
        let changed = entry.metadata().map(|facts| facts.ctime());
        if changed.is_ok_and(|at| (0..TOLD_S).contains(&(now.as_second() - at))) {
            tracing::debug!(name, "it was set aside");
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_aside_is_spoken_of_for_a_week() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("number"), b"7").unwrap();
        let nowhere = folder.path().join("nowhere");
        let aside = |later: i64| {
            let now = Timestamp::from_second(Timestamp::now().as_second() + later).unwrap();
            set_aside([folder.path(), &nowhere], now)
        };
        assert_eq!(aside(1), 0);
        std::fs::write(folder.path().join("number.damaged-0"), b"x").unwrap();
        std::fs::create_dir(folder.path().join("history.damaged")).unwrap();
        assert_eq!((aside(1), aside(TOLD_S - 60), aside(TOLD_S + 1)), (2, 2, 0));
        assert_eq!(aside(-3600), 0, "a clock that was set back");
    }
}
