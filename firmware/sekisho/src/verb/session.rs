//! `sekisho session-ended`: what the unit of a PPPoE session runs whenever pppd has ended. pppd's own words, its number and
//! its log, become one small file that the probes read.

use std::path::Path;
use std::process::ExitCode;

use reach::session::{self, Said};

use crate::failure::Failure;
use crate::{files, generate, output};

/// The end of pppd's log that is read, bytes: one run says a few lines.
const MOST: u64 = 64 * 1024;

/// Notes the end of the run before. systemd says its number in `EXIT_STATUS`; a signal's name is no number.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn ended(sockets: &Path) -> Result<ExitCode, Failure> {
    let number = std::env::var("EXIT_STATUS").ok().and_then(|status| status.parse().ok());
    let log = log(&sockets.join(generate::pppoe::LOG));
    let said = Said::of(number, &log);
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
    let bytes = serde_json::to_vec(&said).expect("invariant: words and a time are JSON");
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
        let said = Said::of(Some(8), &log(&path));
        say(&folder.path().join(session::SAID), said.clone()).unwrap();
        assert_eq!(session::read(&folder.path().join(session::SAID)), Some(said.clone()));
        assert_eq!(said.ended, Ended::NoOffer);
    }
}
