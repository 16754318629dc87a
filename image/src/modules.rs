//! Which kernel modules go together, from what depmod wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, at};
use crate::pattern::Patterns;

/// The modules of a kernel and what each needs.
#[derive(Debug)]
pub struct Modules {
    needs: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Modules {
    /// From a kernel's folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let text =
            |name: &str| std::fs::read_to_string(folder.join(name)).map_err(at("read", &folder.join(name)));
        Ok(Self::parse(&text("modules.dep")?, &text("modules.softdep")?, &text("modules.alias")?))
    }

    /// From `modules.dep`, `modules.softdep` and `modules.alias`. (A soft need may be named by what several modules can
    /// do: `crc32c`. All of them count.)
    fn parse(dep: &str, softdep: &str, alias: &str) -> Self {
        let mut needs: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for (module, on) in dep.lines().filter_map(|line| line.split_once(':')) {
            needs.insert(module.into(), on.split_whitespace().map(PathBuf::from).collect());
        }
        let mut by_name: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for path in needs.keys() {
            by_name.entry(name(path)).or_default().push(path.clone());
        }
        for line in alias.lines() {
            if let ["alias", word, module] = line.split_whitespace().collect::<Vec<_>>()[..]
                && let Some(paths) = by_name.get(&module.replace('-', "_")).cloned()
            {
                by_name.entry(word.replace('-', "_")).or_default().extend(paths);
            }
        }
        for line in softdep.lines() {
            let mut words = line.split_whitespace().skip(1).map(|word| word.replace('-', "_"));
            let of = words.next().and_then(|word| by_name.get(&word)).cloned().unwrap_or_default();
            let on: Vec<PathBuf> = words.filter_map(|word| by_name.get(&word)).flatten().cloned().collect();
            for module in of {
                needs.entry(module).or_default().extend(on.iter().cloned());
            }
        }
        Self { needs }
    }

    /// The modules that patterns cover, and all they need.
    pub fn needed(&self, wanted: &Patterns) -> BTreeSet<PathBuf> {
        self.with_needs(self.needs.keys().filter(|path| wanted.cover(path)).collect())
    }

    /// The modules of these names and all they need; or the names that no module has.
    pub fn named(&self, names: &[String]) -> Result<BTreeSet<PathBuf>, Vec<String>> {
        let find = |wanted: &String| self.needs.keys().find(|path| name(path) == wanted.replace('-', "_"));
        let lost: Vec<String> = names.iter().filter(|name| find(name).is_none()).cloned().collect();
        if lost.is_empty() { Ok(self.with_needs(names.iter().filter_map(find).collect())) } else { Err(lost) }
    }

    /// What a module needs, hard and soft.
    pub fn needed_by(&self, module: &Path) -> &[PathBuf] {
        self.needs.get(module).map_or(&[], Vec::as_slice)
    }

    fn with_needs<'a>(&'a self, mut open: Vec<&'a PathBuf>) -> BTreeSet<PathBuf> {
        let mut needed = BTreeSet::new();
        while let Some(path) = open.pop() {
            if needed.insert(path.clone()) {
                open.extend(self.needs.get(path).into_iter().flatten());
            }
        }
        needed
    }
}

/// A module's name as the kernel says it.
fn name(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    file.split(".ko").next().unwrap_or_default().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_brings_what_it_needs_hard_and_soft() {
        let dep = "kernel/net/a.ko.xz: kernel/lib/b.ko.xz\nkernel/lib/b.ko.xz:\nkernel/lib/c-c.ko.xz:\nkernel/sound/d.ko.xz:\n";
        let alias = "# aliases\nalias crc32c c_c\n";
        let modules = Modules::parse(dep, "# soft\nsoftdep b pre: crc32c\n", alias);
        let wanted = Patterns::new(&["kernel/net/*".to_owned()]);
        let needed: Vec<_> = modules.needed(&wanted).into_iter().map(|path| name(&path)).collect();
        assert_eq!(needed, ["b", "c_c", "a"]);
    }

    #[test]
    fn a_name_that_no_module_has_is_told() {
        let modules = Modules::parse("kernel/a-b.ko.xz:\n", "", "");
        assert_eq!(modules.named(&["a_b".to_owned()]).unwrap().len(), 1);
        assert_eq!(modules.named(&["a_b".to_owned(), "c".to_owned()]).unwrap_err(), ["c"]);
    }
}
