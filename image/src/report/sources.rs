//! Where the source of everything is: what we owe to whoever asks for it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Parts;

/// One source a line.
pub fn text(parts: &Parts, version: &str) -> String {
    let mut text = format!(
        "Sources of Sekisho {version}\n\n\
         Debian source packages (`apt-get source NAME=VERSION`; old versions are kept by Debian's snapshot archive):\n\n"
    );
    let of =
        |package: &super::Package| std::iter::once(package.source.clone()).chain(package.built_using.clone());
    let sources: BTreeSet<(String, String)> = parts.packages.iter().flat_map(of).collect();
    for (name, version) in sources {
        let _ = writeln!(text, "{name} {version}");
    }
    text.push_str("\nRust crates (name, version, SHA-256 of the released crate):\n\n");
    for one in parts.crates.iter().filter(|one| one.checksum.is_some()) {
        let _ =
            writeln!(text, "{} {} {}", one.name, one.version, one.checksum.as_deref().unwrap_or_default());
    }
    let _ = writeln!(text, "\nRust's own library: {}", parts.compiler);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::debian::Package;

    #[test]
    fn a_source_of_two_packages_is_named_once() {
        let package = |name: &str| Package {
            name: name.into(),
            version: "1-1".into(),
            architecture: "amd64".into(),
            source: ("systemd".into(), "1-1".into()),
            built_using: Vec::new(),
            copyright: None,
        };
        let parts = Parts {
            packages: vec![package("udev"), package("systemd")],
            crates: Vec::new(),
            compiler: "rustc 1".into(),
        };
        assert_eq!(text(&parts, "1").matches("systemd 1-1").count(), 1);
    }
}
