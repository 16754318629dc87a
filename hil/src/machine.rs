//! The board as the walk's cases reach it: its page, from the clinic's zone, and its cables.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use clinic::check::Wrong;
use clinic::check::machine::Machine;
use clinic::check::network::{Way, get, presented};
use clinic::{Clinic, ShareStatus};
use model::part::{LinePart, Snapshot};

use crate::bench::Zone;
use crate::board::Board;

/// The box's address in the clinic's zone; the setup page has the same.
pub const BOX: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// How long the page may be away while a role behind it comes back.
const AWAY: Duration = Duration::from_secs(30);
/// A full sweep comes once a minute by itself.
const SWEEP: Duration = Duration::from_secs(130);
/// Between two askings of the page.
const BREATH: Duration = Duration::from_millis(300);
/// How long an order inside may take.
const INSIDE: Duration = Duration::from_secs(60);

/// The board that is on the bench now, if one is.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<Mutex<Option<Board>>>);

impl Place {
    /// Puts a board there, or takes it away; the one that was there is switched off first.
    pub fn put(&self, board: Option<Board>) {
        let mut place = self.lock();
        drop(place.take());
        *place = board;
    }

    /// Does something with the board.
    ///
    /// # Errors
    /// None is there; what the work says.
    pub fn with<T>(&self, work: impl FnOnce(&mut Board) -> Result<T, Wrong>) -> Result<T, Wrong> {
        work(self.lock().as_mut().ok_or_else(|| Wrong::new("no board is switched on"))?)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Board>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The board, for the cases.
#[derive(Debug)]
pub struct OnBoard {
    /// Where it is.
    pub place: Place,
    /// Where the files go that a case needs of it.
    pub work: PathBuf,
}

/// The status as the page gives it, once; over TLS before there is a site.
///
/// # Errors
/// The page does not answer.
pub fn ask(clinic: &Clinic) -> Result<Snapshot, Wrong> {
    let plain = get(clinic, "clinic", SocketAddr::from((BOX, 80)), Way::Plain, "/api/status", "en");
    let page = match plain {
        Ok(page) => page,
        Err(_silent) => ask_setup(clinic)?,
    };
    read(&page.body)
}

/// The same, of the setup page.
///
/// # Errors
/// The page does not answer.
pub fn ask_setup(clinic: &Clinic) -> Result<clinic::check::network::Page, Wrong> {
    get(clinic, "clinic", SocketAddr::from((BOX, 443)), Way::Trusting, "/api/status", "en")
}

/// A status as the page writes it.
///
/// # Errors
/// It is none.
pub fn read(text: &str) -> Result<Snapshot, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        Wrong(format!("{error} in the page's status: {}", text.lines().next().unwrap_or("nothing")))
    })
}

/// The SHA-256 of a certificate, as people compare it.
pub fn fingerprint(certificate: &[u8]) -> String {
    let bytes: Vec<String> =
        digest(&SHA256, certificate).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

impl Machine for OnBoard {
    fn snapshot(&self, clinic: &Clinic) -> Result<Snapshot, Wrong> {
        let end = Instant::now() + AWAY;
        loop {
            match ask(clinic) {
                Err(wrong) if Instant::now() > end => return Err(wrong),
                // A page can only be asked again.
                Err(_away) => std::thread::park_timeout(BREATH),
                answered => return answered,
            }
        }
    }

    fn check(&self, clinic: &Clinic) -> Result<LinePart, Wrong> {
        let swept = |snapshot: &Snapshot| snapshot.line.as_ref().and_then(|line| line.part.swept_at);
        let before = swept(&self.snapshot(clinic)?);
        // Where the bench may look inside it may also ask for the sweep; the judgement comes from outside either way.
        self.place.with(|board| {
            if board.has_inside() {
                board.inside(INSIDE)?.order("sekisho check --json", INSIDE)?;
            }
            Ok(())
        })?;
        let end = Instant::now() + SWEEP;
        loop {
            let snapshot = self.snapshot(clinic)?;
            if swept(&snapshot) > before
                && let Some(line) = snapshot.line
            {
                return Ok(line.part);
            }
            if Instant::now() > end {
                return Err(Wrong(format!("no full sweep within {SWEEP:?}")));
            }
            std::thread::park_timeout(BREATH);
        }
    }

    fn share(&self, _clinic: &Clinic) -> Result<ShareStatus, Wrong> {
        let password_file = self.work.join("share-receipt");
        if !password_file.exists() {
            let order = "cat /var/lib/sekisho/secrets/share-receipt";
            let login = self.place.with(|board| board.inside(INSIDE)?.must(order, INSIDE))?;
            fs::write(&password_file, login)?;
        }
        Ok(ShareStatus { unc: r"\\198.51.100.1\OQS".into(), user: "receipt".into(), password_file })
    }

    fn authority(&self, clinic: &Clinic) -> Result<PathBuf, Wrong> {
        let shown = presented(clinic, "clinic", SocketAddr::from((BOX, 443)))?;
        let (Some(page), Some(authority)) = (shown.first(), shown.last()) else {
            return Err(Wrong::new("the page shows no certificate"));
        };
        // Only who stands at the box reads its console: what it says there is what is believed.
        self.place.with(|board| board.console().wait(board.since(), &fingerprint(page), INSIDE).map(drop))?;
        let file = self.work.join("authority.pem");
        fs::write(&file, pem(authority))?;
        Ok(file)
    }

    fn feel(&self, code: &str, on: bool) -> Result<(), Wrong> {
        let zone = match code {
            "WAN-01" => Zone::Wan,
            "TERM-01:cable" => Zone::Terminal,
            _ => return Ok(()),
        };
        self.place.with(|board| board.cable(zone, !on))
    }

    fn breath(&self) -> Duration {
        BREATH
    }

    fn slowness(&self) -> u32 {
        6
    }
}

/// A certificate as text (RFC 7468).
fn pem(certificate: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in certificate.chunks(48) {
        for three in line.chunks(3) {
            let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            let bits = bits << (8 * (3 - three.len()));
            for at in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * at)) & 63];
                text.push(if at > three.len() { '=' } else { char::from(letter) });
            }
        }
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_written_as_its_readers_read_it() {
        for (bytes, text) in [(&b"abc"[..], "YWJj"), (b"ab", "YWI="), (b"a", "YQ==")] {
            assert_eq!(pem(bytes).lines().nth(1), Some(text));
        }
    }

    #[test]
    fn a_fingerprint_is_written_as_browsers_write_it() {
        assert!(fingerprint(b"").starts_with("E3:B0:C4:42:98:FC"));
    }
}
