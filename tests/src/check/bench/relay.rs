//! `bench relay`: what the relay adds between the close of a file in the clinic's share and its final name in the folder
//! that the terminal's Samba serves; beside lsyncd, which only copies locally, and beside F.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::event::{Eye, Happening};
use super::super::lab::Lab;
use super::super::{Wrong, must};
use super::{Line, Times, flush, print};
use crate::faux::forms::Form;

/// Files relayed; at least 200.
const FILES: usize = 240;
/// Every so many of them one goes to lsyncd.
const PEER_EVERY: usize = 8;
/// Size of a file, bytes: a request of the field.
const SIZE: usize = 2048;
/// What the reception waits on.
const LIMIT_MS: f64 = 30.0;
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The folder lsyncd looks at, beside `req` in the box's share.
const PEER: &str = "bench";

/// Measures and prints; says whether every limit was kept.
///
/// # Errors
/// A file does not arrive; lsyncd is not installed.
pub fn measure(lab: &mut Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.settle()?;
    for order in ["answer=echo", "delay-ms=0"] {
        lab.oqs(order)?;
    }
    let (source, copy) = (lab.on_box(PEER), lab.scratch().join(PEER));
    let request = lab.on_box("req");
    fs::create_dir_all(&copy)?;
    lab.session()?.make_folder(PEER)?;
    let _peer = Peer::start(lab.scratch(), &source, &copy)?;
    let (mut relayed, mut copied, mut flushed) = (Times::default(), Times::default(), Times::default());
    for number in 0..FILES {
        let name = lab.fresh("OQSsiquc01", "xml");
        let seen = lab.on_terminal("req");
        relayed.add(walk(lab, &format!("req/{name}"), &request, (&seen, Happening::MovedIn))?);
        lab.answer(&name)?;
        flush(&lab.clinic().state(), &mut flushed)?;
        if number % PEER_EVERY == 0 {
            copied.add(walk(lab, &format!("{PEER}/{name}"), &source, (&copy, Happening::MovedIn))?);
        }
    }
    let lines = [
        Line {
            what: "relay: close in the clinic's share -> terminal".into(),
            times: relayed,
            limit: Some(LIMIT_MS),
        },
        Line { what: "lsyncd, delay 1: close -> a local folder".into(), times: copied, limit: None },
        Line { what: "F: one fdatasync of 2 KB beside the share".into(), times: flushed, limit: None },
    ];
    print(&lines, &[(1, 0), (0, 2)], out)?;
    let faster = lines[0].times.median() < lines[1].times.median();
    Ok(faster && lines.iter().all(Line::is_within))
}

/// Puts one file and times it from its close in `from` until it stands under its name in `to`.
fn walk(lab: &mut Lab, path: &str, from: &Path, to: (&Path, Happening)) -> Result<Duration, Wrong> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name).to_owned();
    let (closed, stands) = (Eye::on(from, Happening::Closed)?, Eye::on(to.0, to.1)?);
    let watch = |eye: Eye, name: String| {
        std::thread::spawn(move || eye.see(PATIENCE, |seen| seen == name).map(|(_, at)| at))
    };
    let (closed, stands) = (watch(closed, name.clone()), watch(stands, name.clone()));
    lab.put(path, &Form::Xml.request(&name, SIZE))?;
    let joined = |thread: std::thread::JoinHandle<Result<Instant, Wrong>>| {
        thread.join().map_err(|_| Wrong::new("a watcher panicked"))?
    };
    let (closed, stands) = (joined(closed)?, joined(stands)?);
    Ok(stands.saturating_duration_since(closed))
}

/// lsyncd, until dropped.
struct Peer(Child);

impl Peer {
    fn start(scratch: &Path, source: &Path, copy: &Path) -> Result<Self, Wrong> {
        let config = scratch.join("lsyncd.conf");
        let text = format!(
            "settings {{ nodaemon = true }}\nsync {{ default.rsync, source = {source:?}, target = {copy:?}, delay = 1 }}\n"
        );
        fs::write(&config, text)?;
        let mut command = Command::new("lsyncd");
        command.arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let spawned = command.spawn();
        let child = spawned.map_err(|error| Wrong(format!("failed to start lsyncd, the peer: {error}")))?;
        let mut peer = Self(child);
        peer.copies(source, copy)?;
        Ok(peer)
    }

    /// It is at work once it has copied a first file.
    fn copies(&mut self, source: &Path, copy: &Path) -> Result<(), Wrong> {
        let eye = Eye::on(copy, Happening::MovedIn)?;
        fs::write(source.join("first"), b"first")?;
        let first = eye.see(PATIENCE, |name| name == "first");
        let ended = self.0.try_wait()?;
        must(ended.is_none(), || "lsyncd ended by itself".into())?;
        first.map(drop)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Ended already: nothing is left to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
