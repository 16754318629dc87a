//! The Debian packages, from dpkg's own list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, at};
use crate::place::Place;

/// Packages of the tools whose files get into the initrd.
const FROM_TOOLS: [&str; 1] = ["dracut-core"];

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `amd64` or `all`.
    pub architecture: String,
    /// Its source and that one's version.
    pub source: (String, String),
    /// Other sources parts of which are in it.
    pub built_using: Vec<(String, String)>,
    /// Its copyright file, if there is one.
    pub copyright: Option<PathBuf>,
}

/// The packages of the image.
pub fn read(place: &Place) -> Result<Vec<Package>, Error> {
    let mut packages = of(&place.made("base"))?;
    packages.extend(
        of(&place.tools())?.into_iter().filter(|package| FROM_TOOLS.contains(&package.name.as_str())),
    );
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

/// The packages of a tree.
pub fn of(tree: &Path) -> Result<Vec<Package>, Error> {
    let status = tree.join("var/lib/dpkg/status");
    let text = std::fs::read_to_string(&status).map_err(at("read", &status))?;
    let mut packages = parse(&text);
    for package in &mut packages {
        let file = tree.join("usr/share/doc").join(&package.name).join("copyright");
        package.copyright = file.exists().then_some(file);
    }
    Ok(packages)
}

fn parse(status: &str) -> Vec<Package> {
    status.split("\n\n").filter_map(package).collect()
}

fn package(stanza: &str) -> Option<Package> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    let mut last = "";
    for line in stanza.lines() {
        if line.starts_with(' ') {
            fields.entry(last).or_default().push_str(line);
        } else if let Some((name, value)) = line.split_once(':') {
            last = name;
            fields.insert(name, value.trim().to_owned());
        }
    }
    let field = |name: &str| fields.get(name).cloned();
    if field("Status")? != "install ok installed" {
        return None;
    }
    let (name, version) = (field("Package")?, field("Version")?);
    let source = field("Source").map_or_else(|| (name.clone(), String::new()), |text| with_version(&text));
    // Without a version of its own, the source has the package's, less the number of a rebuild.
    let of_package =
        version.rsplit_once("+b").filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let of_package = of_package.map_or(version.as_str(), |(before, _)| before).to_owned();
    let source = if source.1.is_empty() { (source.0, of_package) } else { source };
    let using = [field("Built-Using"), field("Static-Built-Using")].into_iter().flatten();
    let built_using = using
        .flat_map(|text| text.split(',').map(|one| with_version(one.trim())).collect::<Vec<_>>())
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let architecture = field("Architecture")?;
    Some(Package { name, version, architecture, source, built_using, copyright: None })
}

/// `name (version)` or `name (= version)`.
fn with_version(text: &str) -> (String, String) {
    let (name, version) = text.split_once(" (").unwrap_or((text, ""));
    (name.trim().to_owned(), version.trim_start_matches('=').trim_end_matches(')').trim().to_owned())
}

/// The short names of licences in a machine-readable copyright file; none in an older one.
pub fn licence_names(copyright: &str) -> Vec<String> {
    if !copyright.starts_with("Format:") {
        return Vec::new();
    }
    let mut names: Vec<String> = copyright
        .lines()
        .filter_map(|line| line.strip_prefix("License:"))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.37-2+b10\n\
        Description: a\n shell\n\n\
        Package: linux-image-6\nStatus: install ok installed\nArchitecture: amd64\nSource: linux-signed-amd64 (6.12.1+1)\n\
        Version: 6.12.1-1\nBuilt-Using: linux (= 6.12.1-1)\n\n\
        Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n";

    #[test]
    fn a_package_has_its_source_and_what_was_built_into_it() {
        let packages = parse(STATUS);
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(packages.len(), 2, "one that is gone is none");
        assert_eq!(packages[0].source, pair("bash", "5.2.37-2"), "a rebuild has the same source");
        assert_eq!(packages[1].source, pair("linux-signed-amd64", "6.12.1+1"));
        assert_eq!(packages[1].built_using, [pair("linux", "6.12.1-1")]);
    }

    #[test]
    fn licences_are_named_once() {
        let text = "Format: https://x\nFiles: *\nLicense: GPL-2\n\nLicense: MIT\n text\n\nFiles: y\nLicense: GPL-2\n";
        assert_eq!(licence_names(text), ["GPL-2", "MIT"]);
        assert!(licence_names("This is free.\nLicense: x\n").is_empty());
    }
}
