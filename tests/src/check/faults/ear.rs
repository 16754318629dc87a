//! An ear on `reachd`'s socket: every part it publishes, in order, so that no verdict between two sweeps goes unseen.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::part::{LinePart, Stamped};

use super::super::Wrong;

/// How soon it notices that nobody listens any more, and how long it leaves a role alone that does not answer.
const BREATH: Duration = Duration::from_millis(200);
/// The longest time without an answer; the role gives one at least every 25 s.
const PATIENCE: Duration = Duration::from_secs(40);

/// The ear; it listens until it is dropped.
#[derive(Debug)]
pub struct Ear {
    parts: Receiver<LinePart>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Listens to the `reachd` whose sockets are in this folder.
    pub fn on(sockets: &Path) -> Self {
        let (path, over) = (sockets.join("reachd/reachd.sock"), Arc::new(AtomicBool::new(false)));
        let (tell, parts) = channel();
        let ended = Arc::clone(&over);
        let thread = std::thread::spawn(move || listen(&path, &tell, &ended));
        Self { parts, over, thread: Some(thread) }
    }

    /// What was published since the last call.
    pub fn heard(&self) -> Vec<LinePart> {
        self.parts.try_iter().collect()
    }

    /// The next part, if one comes in this time.
    pub fn next(&self, patience: Duration) -> Option<LinePart> {
        self.parts.recv_timeout(patience).ok()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It panics at nothing; if it did, nothing was heard and the case says so.
            let _ = thread.join();
        }
    }
}

fn listen(path: &PathBuf, tell: &Sender<LinePart>, over: &AtomicBool) {
    let mut after = 0;
    while !over.load(Ordering::Relaxed) {
        match ask(path, after, over) {
            Ok(stamped) => {
                after = stamped.generation;
                if tell.send(stamped.part).is_err() {
                    return;
                }
            }
            Err(_) => {
                // The role is gone, or not there yet; a new one counts from 1 again.
                after = 0;
                std::thread::sleep(BREATH);
            }
        }
    }
}

/// Asks for the part after this one, and waits until there is one.
fn ask(path: &PathBuf, after: u64, over: &AtomicBool) -> Result<Stamped<LinePart>, Wrong> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(BREATH))?;
    write!(stream, "GET /part?after={after} HTTP/1.1\r\nHost: sekisho\r\nConnection: close\r\n\r\n")?;
    let text = read(&mut stream, over)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| Wrong::new("no head"))?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(Wrong::new(head));
    }
    serde_json::from_str(body).map_err(|error| Wrong(error.to_string()))
}

fn read(stream: &mut UnixStream, over: &AtomicBool) -> Result<String, Wrong> {
    let (mut bytes, mut piece, end) = (Vec::new(), [0_u8; 16 * 1024], Instant::now() + PATIENCE);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(length) => bytes.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if over.load(Ordering::Relaxed) || Instant::now() > end {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
