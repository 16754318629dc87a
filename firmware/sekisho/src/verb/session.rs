//! `sekisho session-begins` and `session-ended`: what the unit of a PPPoE session runs before pppd begins and whenever it has
//! ended. pppd's own words, its number and its log, become one small file that the probes read, with the port as it was when
//! the run began: what was said while the cable was out tells nothing of a line whose cable is in.

use std::path::Path;
use std::process::ExitCode;

use reach::session::{self, Said, Wire};

use crate::failure::Failure;
use crate::{files, generate, output};

/// The end of pppd's log that is read, bytes: one run says a few lines.
const MOST: u64 = 64 * 1024;

/// What pppd calls by, as the unit shows it to pppd.
const PEER: &str = "/etc/ppp/peers/line";
/// Where the kernel tells of ports.
const PORTS: &str = "/sys/class/net";
/// Where the port is noted as it was at the beginning, below the folder of the roles' sockets.
const BEGAN: &str = "session/began";

/// Notes the port as it is before a run. Nothing is noted of one that is not there, and such a run accuses nobody.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn begins(sockets: &Path) -> Result<ExitCode, Failure> {
    let peer = std::fs::read_to_string(PEER).unwrap_or_default();
    let wire = generate::pppoe::port(&peer).and_then(|port| wire(&Path::new(PORTS).join(port)));
    note(&sockets.join(BEGAN), &wire)?;
    Ok(ExitCode::SUCCESS)
}

/// A port's index and how often its carrier came or went.
fn wire(port: &Path) -> Option<Wire> {
    let number = |name: &str| std::fs::read_to_string(port.join(name)).ok()?.trim().parse().ok();
    Some(Wire { index: number("ifindex")?, changes: number("carrier_changes")? })
}

/// Notes the end of the run before. systemd says its number in `EXIT_STATUS`; a signal's name is no number.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn ended(sockets: &Path) -> Result<ExitCode, Failure> {
    let number = std::env::var("EXIT_STATUS").ok().and_then(|status| status.parse().ok());
    let log = log(&sockets.join(generate::pppoe::LOG));
    let began = std::fs::read(sockets.join(BEGAN)).ok();
    let said = Said::of(number, &log, began.and_then(|bytes| serde_json::from_slice(&bytes).ok()?));
    output::print(&format!("the session has ended: {}", said.ended.key()));
    say(&sockets.join(session::SAID), said)?;
    Ok(ExitCode::SUCCESS)
}

/// A run that was ended before it said anything has no log.
fn log(path: &Path) -> String {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What was read until an error is what pppd said first.
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes it where the probes read it.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn say(path: &Path, said: Said) -> Result<(), Failure> {
    note(path, &said)
}

fn note(path: &Path, what: &impl serde::Serialize) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(what).expect("invariant: words, numbers and a time are JSON");
    files::replace(path, bytes, 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reach::session::Ended;

    #[test]
    fn what_pppd_said_is_read_by_its_end_and_a_run_without_a_log_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(generate::pppoe::LOG);
        assert_eq!(log(&path), "");
        files::replace(&path, b"Timeout waiting for PADO packets\n\xff\n", 0o600).unwrap();
        let said = Said::of(Some(8), &log(&path), Some(Wire { index: 2, changes: 1 }));
        say(&folder.path().join(session::SAID), said.clone()).unwrap();
        assert_eq!(session::read(&folder.path().join(session::SAID)), Some(said.clone()));
        assert_eq!(said.ended, Ended::NoOffer);
    }

    #[test]
    fn a_port_is_noted_by_its_index_and_its_carrier_s_comings_and_goings_and_one_that_is_not_there_is_not() {
        let ports = tempfile::tempdir().unwrap();
        assert_eq!(wire(&ports.path().join("wan0")), None);
        let port = ports.path().join("wan0");
        std::fs::create_dir(&port).unwrap();
        std::fs::write(port.join("ifindex"), "3\n").unwrap();
        assert_eq!(wire(&port), None, "its carrier is not known");
        std::fs::write(port.join("carrier_changes"), "7\n").unwrap();
        assert_eq!(wire(&port), Some(Wire { index: 3, changes: 7 }));
        // The kernel's own, which no test has to make.
        assert!(wire(Path::new("/sys/class/net/lo")).is_some());
    }
}
