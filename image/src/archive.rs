//! The Debian archive, as this machine's own apt configuration names it, and trees made from it by mmdebstrap.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::place::{clear, fresh};
use crate::tool::Tool;

/// The release everything is made of.
pub const SUITE: &str = "trixie";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What of this machine's apt settings the archive may need to be reached: proxies, retries, a mirror's old dates.
const SETTINGS: [&str; 5] =
    ["Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::Force"];

/// Where packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    sources: String,
    settings: Vec<String>,
}

/// A tree to be made.
#[derive(Debug)]
pub struct Tree<'a> {
    /// What it is, in an error.
    pub list: &'static str,
    /// Its packages.
    pub packages: &'a [String],
    /// Folders that dpkg leaves empty, but for the copyright files.
    pub without: &'a [&'a str],
    /// The time that files made by the packages' own scripts bear.
    pub epoch: u64,
}

impl Archive {
    /// Asks this machine's apt.
    pub fn of_this_machine(log: &Path) -> Result<Self, Error> {
        let targets = Tool::host("apt-get", log)
            .args(["indextargets", "--format", "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)", "Created-By: Packages"])
            .read("ask apt for its archives")?;
        if !Path::new(KEYRING).exists() {
            let remedy = "the package debian-archive-keyring brings it".to_owned();
            return Err(Error::Missing { program: KEYRING.to_owned(), remedy });
        }
        let settings = Tool::host("apt-config", log).arg("dump").read("ask apt for its settings")?;
        Ok(Self { sources: sources(&targets)?, settings: chosen(&settings) })
    }

    /// Makes a tree.
    pub fn unpack(&self, tree: &Tree<'_>, to: &Path, log: &Path) -> Result<(), Error> {
        let half = half_of(to);
        fresh(&half)?;
        let list = half.with_extension("list");
        std::fs::write(&list, &self.sources).map_err(crate::error::at("write", &list))?;
        let mut call = Tool::host("mmdebstrap", log)
            .args(["--variant=minbase", "--mode=root", "--format=directory"])
            .arg(r#"--aptopt=APT::Install-Recommends "false""#)
            .option("include", tree.packages.join(","))
            // The initrd is ours; the kernel's own would take most of the time.
            .env("INITRD", "No")
            .env("SOURCE_DATE_EPOCH", tree.epoch.to_string());
        for setting in &self.settings {
            call = call.option("aptopt", setting);
        }
        for path in tree.without {
            call = call.option("dpkgopt", format!("path-exclude={path}/*"));
        }
        // The licences' page is made from them.
        call = call.option("dpkgopt", "path-include=/usr/share/doc/*/copyright");
        let before = std::fs::metadata(log).map_or(0, |meta| meta.len());
        let made = call.args([SUITE.as_ref(), half.as_os_str(), list.as_os_str()]).run("unpack packages");
        if let Err(error) = made {
            let said = std::fs::read(log).unwrap_or_default();
            let said = String::from_utf8_lossy(said.get(before as usize..).unwrap_or_default()).into_owned();
            let packages = vanished(&said);
            return Err(if packages.is_empty() {
                error
            } else {
                Error::Vanished { packages, list: tree.list }
            });
        }
        clear(&list)?;
        clear(to)?;
        std::fs::rename(&half, to).map_err(crate::error::at("make", to))
    }
}

fn half_of(to: &Path) -> PathBuf {
    to.with_extension("half")
}

/// Sources for the release we want, from whatever release of Debian this machine has.
fn sources(targets: &str) -> Result<String, Error> {
    let named = |label: &str| {
        targets.lines().find_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            ["Debian", said, uri] if said == label && !uri.is_empty() => Some(uri.to_owned()),
            _ => None,
        })
    };
    let Some(main) = named("Debian") else {
        return Err(Error::NoArchive(
            "none of its sources is Debian's main archive, or apt-get update never ran".into(),
        ));
    };
    let Some(security) = named("Debian-Security") else {
        return Err(Error::NoArchive("none of its sources is Debian's security archive".into()));
    };
    let line = |uri: &str, suite: &str| format!("deb [signed-by={KEYRING}] {uri} {suite} main\n");
    Ok([
        line(&main, SUITE),
        line(&main, &format!("{SUITE}-updates")),
        line(&security, &format!("{SUITE}-security")),
    ]
    .concat())
}

fn chosen(dump: &str) -> Vec<String> {
    let wanted =
        |line: &&str| SETTINGS.iter().any(|prefix| line.starts_with(prefix)) && !line.contains("\"\"");
    dump.lines().filter(wanted).map(|line| line.trim_end_matches(';').to_owned()).collect()
}

/// The packages that apt did not find.
fn vanished(said: &str) -> Vec<String> {
    let mut names: Vec<String> = said.lines().filter_map(unknown).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn unknown(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(name) = line.strip_prefix("E: Unable to locate package ") {
        return Some(name.trim());
    }
    line.strip_prefix("E: Package '")?.strip_suffix("' has no installation candidate")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "Somebody\tOther\thttp://c/\n\
        Debian\tDebian\thttp://a/debian/\n\
        Debian\tDebian-Security\thttp://a/security/\n";

    #[test]
    fn the_release_comes_from_wherever_this_machine_reads() {
        let lines = sources(TARGETS).unwrap();
        let uris: Vec<&str> = lines.lines().map(|line| line.split("] ").nth(1).unwrap()).collect();
        assert_eq!(
            uris,
            [
                "http://a/debian/ trixie main",
                "http://a/debian/ trixie-updates main",
                "http://a/security/ trixie-security main"
            ]
        );
    }

    #[test]
    fn a_machine_without_security_updates_makes_no_image() {
        let main_only = TARGETS.lines().nth(1).unwrap();
        assert!(sources(main_only).unwrap_err().to_string().contains("security"));
        assert!(sources("").unwrap_err().to_string().contains("main archive"));
    }

    #[test]
    fn of_the_settings_only_what_reaches_the_archive() {
        let dump = "APT \"\";\nAcquire::http::Proxy \"http://p:1\";\nAcquire::http \"\";\nAcquire::GzipIndexes \"true\";\n";
        assert_eq!(chosen(dump), ["Acquire::http::Proxy \"http://p:1\""]);
    }

    #[test]
    fn packages_the_archive_lost_are_named_once() {
        let said = "E: Unable to locate package b\nE: Package 'a' has no installation candidate\nE: Unable to locate package b\n";
        assert_eq!(vanished(said), ["a", "b"]);
        assert!(vanished("E: Could not resolve host").is_empty());
    }
}
