//! The crates of our binary, from what cargo says of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

/// The package whose binary is in the image.
const OURS: &str = "sekisho";

/// A crate that is linked into our binary, or made a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an SPDX expression.
    pub licence: String,
    /// SHA-256 of the released crate; none for our own.
    pub checksum: Option<String>,
    /// Where it lies on this machine.
    pub folder: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The crates that are reached from our binary by normal dependencies, sorted.
pub fn parse(metadata: &str, lock: &str) -> Result<Vec<Crate>, String> {
    let said: Metadata = serde_json::from_str(metadata).map_err(|error| error.to_string())?;
    let nodes: BTreeMap<&str, &Node> =
        said.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let start =
        said.packages.iter().find(|package| package.name == OURS).ok_or("it does not have our binary")?;
    let (mut reached, mut open) = (BTreeSet::new(), vec![start.id.as_str()]);
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            let normal =
                |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
            open.extend(
                nodes
                    .get(id)
                    .into_iter()
                    .flat_map(|node| node.deps.iter().filter(normal))
                    .map(|one| one.pkg.as_str()),
            );
        }
    }
    let reached: BTreeSet<String> = reached.into_iter().map(str::to_owned).collect();
    let sums = checksums(lock);
    let mut crates: Vec<Crate> = said
        .packages
        .into_iter()
        .filter(|package| reached.contains(&package.id))
        .map(|package| Crate {
            checksum: package
                .source
                .as_ref()
                .and_then(|_| sums.get(&(package.name.clone(), package.version.clone())).cloned()),
            folder: package.manifest_path.parent().map(PathBuf::from).unwrap_or_default(),
            licence: package.license.unwrap_or_default(),
            name: package.name,
            version: package.version,
        })
        .collect();
    crates.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    Ok(crates)
}

/// Name and version to checksum, as Cargo.lock has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|entry| {
            Some(((value(entry, "name")?, value(entry, "version")?), value(entry, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_not_in_the_binary() {
        let package = |name: &str, source: &str| {
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","license":"MIT","source":{source},"manifest_path":"/x/{name}/Cargo.toml"}}"#
            )
        };
        let dep = |name: &str, kind: &str| format!(r#"{{"pkg":"{name}","dep_kinds":[{{"kind":{kind}}}]}}"#);
        let packages =
            [package("sekisho", "null"), package("a", "\"r\""), package("b", "\"r\""), package("c", "\"r\"")]
                .join(",");
        let deps = [dep("a", "null"), dep("b", "\"dev\""), dep("c", "\"build\"")].join(",");
        let metadata = format!(
            r#"{{"packages":[{packages}],"resolve":{{"nodes":[{{"id":"sekisho","deps":[{deps}]}},{{"id":"a","deps":[]}}]}}}}"#
        );
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"12ab\"\n";
        let crates = parse(&metadata, lock).unwrap();
        let names: Vec<_> = crates.iter().map(|one| (one.name.as_str(), one.checksum.as_deref())).collect();
        assert_eq!(names, [("a", Some("12ab")), ("sekisho", None)]);
    }
}
