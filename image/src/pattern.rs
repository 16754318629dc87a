//! Patterns of paths: `*` stands for any letters but `/`. A pattern covers what it names and all below; one that begins
//! with `!` takes back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A list of patterns, which remembers those that were of use.
#[derive(Debug)]
pub struct Patterns {
    cover: Vec<String>,
    except: Vec<String>,
    used: RefCell<BTreeSet<usize>>,
}

impl Patterns {
    /// From the lines of a list.
    pub fn new(lines: &[String]) -> Self {
        let (except, cover): (Vec<String>, Vec<String>) = lines
            .iter()
            .map(|line| line.trim_start_matches('/').to_owned())
            .partition(|line| line.starts_with('!'));
        let except = except.iter().map(|line| line.trim_start_matches(['!', '/']).to_owned()).collect();
        Self { cover, except, used: RefCell::default() }
    }

    /// Is a path named, or a folder it is in?
    pub fn cover(&self, path: &Path) -> bool {
        let names = |pattern: &String| path.ancestors().any(|above| matches(pattern, above));
        let found = self.cover.iter().position(names);
        if let Some(index) = found {
            self.used.borrow_mut().insert(index);
        }
        // A folder stays if something below it does.
        let spared = |pattern: &String| names(pattern) || above(path, pattern);
        found.is_some() && !self.except.iter().any(spared)
    }

    /// Patterns that were of no use.
    pub fn idle(&self) -> Vec<&str> {
        let used = self.used.borrow();
        (0..self.cover.len())
            .filter(|index| !used.contains(index))
            .map(|index| self.cover[index].as_str())
            .collect()
    }
}

fn matches(pattern: &str, path: &Path) -> bool {
    let parts: Vec<&str> = pattern.split('/').collect();
    let names: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.len() == names.len() && parts.iter().zip(&names).all(|(part, name)| one(part, name))
}

/// Is this folder on the way to what the pattern names?
fn above(path: &Path, pattern: &str) -> bool {
    let depth = path.components().count();
    let head: PathBuf = pattern.split('/').take(depth).collect();
    depth < pattern.split('/').count() && matches(&head.to_string_lossy(), path)
}

/// One name against one part of a pattern.
fn one(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(after) = name.strip_prefix(head) else { return false };
    (0..=after.len()).filter(|cut| after.is_char_boundary(*cut)).any(|cut| one(rest, &after[cut..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(lines: &[&str]) -> Patterns {
        Patterns::new(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_pattern_covers_what_it_names_and_all_below() {
        let some = patterns(&["/usr/share/doc", "/usr/bin/perl*"]);
        assert!(some.cover(Path::new("usr/share/doc")));
        assert!(some.cover(Path::new("usr/share/doc/a/b")));
        assert!(some.cover(Path::new("usr/bin/perl5.40")));
        assert!(!some.cover(Path::new("usr/share/docs")));
        assert!(!some.cover(Path::new("usr/bin")));
    }

    #[test]
    fn a_star_stays_in_its_name() {
        let some = patterns(&["/a/*.so*"]);
        assert!(some.cover(Path::new("a/x.so.1")));
        assert!(!some.cover(Path::new("a/b/x.so")));
    }

    #[test]
    fn what_is_taken_back_stays_with_the_folders_above_it() {
        let some = patterns(&["/usr/lib/udev/hwdb.d", "!/usr/lib/udev/hwdb.d/net.hwdb"]);
        assert!(!some.cover(Path::new("usr/lib/udev/hwdb.d")));
        assert!(!some.cover(Path::new("usr/lib/udev/hwdb.d/net.hwdb")));
        assert!(some.cover(Path::new("usr/lib/udev/hwdb.d/pci.hwdb")));
    }

    #[test]
    fn an_idle_pattern_is_told() {
        let some = patterns(&["/a", "/b"]);
        some.cover(Path::new("a"));
        assert_eq!(some.idle(), ["b"]);
    }
}
