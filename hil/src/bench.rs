//! A bench, described as data: how a board's console, ports, power and sticks are reached.
//!
//! Another way of reaching one of them is another word after `by`; today each has the one that a virtual board needs.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What is wrong with a bench's description.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no bench.
    #[error("understand {path}: {what}")]
    Wrong {
        /// The file, with the line where there is one.
        path: String,
        /// What is wrong, and what would be right.
        what: String,
    },
}

/// A bench.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bench {
    version: u32,
    /// Its name.
    pub name: String,
    /// The board on it.
    pub board: Board,
    /// Where its console is read.
    pub console: Line,
    /// Where a test's own unit answers; a bench for boards as they are shipped has none.
    pub results: Option<Line>,
    /// How its power is cut.
    pub power: Power,
    /// How a stick comes and goes.
    pub stick: Stick,
    /// Its watchdog.
    pub watchdog: Watchdog,
    /// Its ports.
    #[serde(rename = "port")]
    pub ports: Vec<Port>,
}

/// The board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Board {
    /// What it is.
    pub by: Machine,
    /// Its maker, as its firmware says it.
    pub maker: String,
    /// Its name, as its firmware says it.
    pub product: String,
    /// Its cores.
    pub cores: u8,
    /// Its memory.
    pub memory_mib: u32,
    /// The size of its disk.
    pub disk_mib: u32,
}

/// What a board can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// A machine of QEMU's.
    Qemu,
}

/// A serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// How it is reached.
    pub by: By,
    /// Which of the board's.
    pub line: u8,
}

/// How a line can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// As a serial port of the machine.
    Serial,
}

/// How power can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// How.
    pub by: PowerBy,
}

/// What can cut the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerBy {
    /// QEMU's machine protocol.
    Qmp,
}

/// How a stick comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stick {
    /// As what.
    pub by: StickBy,
}

/// What a stick can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StickBy {
    /// A USB stick of the machine's.
    Usb,
}

/// The watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// Which.
    pub by: WatchdogBy,
}

/// Which watchdogs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatchdogBy {
    /// Intel's 6300ESB, as QEMU has it.
    I6300esb,
}

/// A port of the board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// What the box calls it.
    pub name: String,
    /// The zone its cable leads to.
    pub zone: Zone,
    /// Its TAP in the clinic's place for the box.
    pub tap: String,
    /// Its slot on the PCI bus.
    pub slot: u8,
}

/// A zone of the clinic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// The line.
    Wan,
    /// The terminals.
    Terminal,
    /// The clinic's own network.
    Clinic,
}

impl Zone {
    const ALL: [Self; 3] = [Self::Wan, Self::Terminal, Self::Clinic];
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wan => "wan",
            Self::Terminal => "terminal",
            Self::Clinic => "clinic",
        })
    }
}

impl Bench {
    /// Reads a bench's description.
    ///
    /// # Errors
    /// It cannot be read, or is none: one sentence with the line and what would be right.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a bench's description out of a text; `path` is what its errors call it.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str, path: &str) -> Result<Self, Error> {
        let bench: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            Error::Wrong { path: format!("{path}:{line}"), what: error.message().replace('\n', " ") }
        })?;
        bench.check().map_err(|what| Error::Wrong { path: path.to_owned(), what })?;
        Ok(bench)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("it has version {}; this program knows version 1", self.version));
        }
        if self.results.is_some_and(|results| results.line == self.console.line) {
            return Err("console and results are one line; they need one each".into());
        }
        for zone in Zone::ALL {
            let count = self.ports.iter().filter(|port| port.zone == zone).count();
            if count != 1 {
                return Err(format!("{count} ports lead to the zone {zone}; want exactly one"));
            }
        }
        for (at, port) in self.ports.iter().enumerate() {
            if !(1..=0x1e).contains(&port.slot) {
                return Err(format!("the port {} has slot {:#x}; want 0x1 to 0x1e", port.name, port.slot));
            }
            let before = &self.ports[..at];
            if before
                .iter()
                .any(|other| other.slot == port.slot || other.name == port.name || other.tap == port.tap)
            {
                return Err(format!("the port {} has a name, TAP or slot that another has", port.name));
            }
        }
        Ok(())
    }

    /// The port that leads to a zone.
    pub fn port(&self, zone: Zone) -> &Port {
        self.ports.iter().find(|port| port.zone == zone).expect("invariant: every zone has its port")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIRTUAL: &str = include_str!("../benches/virtual.toml");

    fn wrong(from: &str, to: &str) -> String {
        assert!(VIRTUAL.contains(from), "{from}");
        Bench::parse(&VIRTUAL.replacen(from, to, 1), "b.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_virtual_bench_has_a_port_for_each_zone() {
        let bench = Bench::parse(VIRTUAL, "virtual.toml").unwrap();
        let names = Zone::ALL.map(|zone| bench.port(zone).name.clone());
        assert_eq!(names, ["wan0", "term0", "lan0"]);
        assert_eq!(bench.port(Zone::Terminal).slot, 0x11);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_would_be_right() {
        for (from, to, said) in [
            ("name = \"virtual\"", "nmae = \"virtual\"", "b.toml:3: unknown field `nmae`, expected one of"),
            ("by = \"qemu\" ", "by = \"serial\" ", "unknown variant `serial`, expected `qemu`"),
            ("zone = \"clinic\"", "zone = \"wan\"", "2 ports lead to the zone wan; want exactly one"),
            ("slot = 0x12", "slot = 0x11", "the port lan0 has a name, TAP or slot that another has"),
            ("slot = 0x12", "slot = 0x1f", "the port lan0 has slot 0x1f; want 0x1 to 0x1e"),
            ("version = 1", "version = 2", "it has version 2; this program knows version 1"),
            ("line = 1 ", "line = 0 ", "console and results are one line"),
            ("[watchdog]\nby = \"i6300esb\"", "", "missing field `watchdog`"),
        ] {
            let error = wrong(from, to);
            assert!(error.contains(said), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_bench_that_is_not_there_is_named() {
        let error = Bench::read(Path::new("/nonexistent/b.toml")).unwrap_err().to_string();
        assert!(error.starts_with("read /nonexistent/b.toml: "), "{error}");
    }
}
