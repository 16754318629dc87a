//! A board's console: read all the time, kept in a file, and waited on.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clinic::check::Wrong;

/// How many lines an error shows of what came instead.
const SHOWN: usize = 3;

/// A line of the console.
#[derive(Clone, Debug)]
pub struct Line {
    /// When its end came.
    pub at: Instant,
    /// Its text, without colours.
    pub text: String,
}

/// A console.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Heard>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    lines: Vec<Line>,
    /// What came after the last end of a line: a prompt has none.
    open: Vec<u8>,
    closed: bool,
}

impl Console {
    /// Listens to a stream and writes what comes to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn listen(stream: UnixStream, log: &Path) -> Result<Self, Wrong> {
        let file = File::options().create(true).append(true).open(log)?;
        let shared = Arc::new(Shared::default());
        let ear = Arc::clone(&shared);
        std::thread::spawn(move || hear(&ear, stream, file));
        Ok(Self(shared))
    }

    /// Where the console stands now: what comes later is found from here.
    pub fn mark(&self) -> usize {
        lock(&self.0.heard).lines.len()
    }

    /// All lines since a mark.
    pub fn since(&self, mark: usize) -> Vec<Line> {
        lock(&self.0.heard).lines.iter().skip(mark).cloned().collect()
    }

    /// Whether a line since the mark is like this.
    pub fn said(&self, mark: usize, like: impl Fn(&str) -> bool) -> bool {
        self.since(mark).iter().any(|line| like(&line.text))
    }

    /// Waits for a line, from the mark on, that has this in it.
    ///
    /// # Errors
    /// None comes in time, or the board is gone.
    pub fn wait(&self, mark: usize, text: &str, patience: Duration) -> Result<Line, Wrong> {
        self.wait_for(mark, &format!("{text:?}"), patience, |line| line.contains(text))
    }

    /// Waits for a line, from the mark on, that `like` likes; `what` says what is waited for.
    ///
    /// # Errors
    /// None comes in time, or the board is gone.
    pub fn wait_for(
        &self,
        mark: usize,
        what: &str,
        patience: Duration,
        like: impl Fn(&str) -> bool,
    ) -> Result<Line, Wrong> {
        self.await_line(mark, what, patience, true, like)
    }

    /// The same, of a line that has come to its end.
    ///
    /// # Errors
    /// None comes in time, or the board is gone.
    pub fn wait_whole(&self, mark: usize, text: &str, patience: Duration) -> Result<Line, Wrong> {
        self.await_line(mark, &format!("{text:?}"), patience, false, |line| line.contains(text))
    }

    fn await_line(
        &self,
        mark: usize,
        what: &str,
        patience: Duration,
        open_too: bool,
        like: impl Fn(&str) -> bool,
    ) -> Result<Line, Wrong> {
        let end = Instant::now() + patience;
        let mut heard = lock(&self.0.heard);
        let mut looked = mark;
        loop {
            let mut new = heard.lines.iter().skip(looked);
            if let Some(line) = new.find(|line| like(&line.text)) {
                return Ok(line.clone());
            }
            looked = heard.lines.len().max(mark);
            let open = clean(&heard.open);
            if open_too && like(&open) {
                return Ok(Line { at: Instant::now(), text: open });
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || heard.closed {
                let why = if heard.closed {
                    "the board is gone".into()
                } else {
                    format!("not within {patience:?}")
                };
                return Err(Wrong(format!("{what} on the console: {why}; {}", heard.last())));
            }
            heard = self.0.news.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Heard {
    fn last(&self) -> String {
        let lines = self.lines.iter().rev().filter(|line| !line.text.trim().is_empty()).take(SHOWN);
        let mut lines: Vec<&str> = lines.map(|line| line.text.trim()).collect();
        lines.reverse();
        if lines.is_empty() { "it said nothing".into() } else { format!("its last: {}", lines.join(" / ")) }
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hear(shared: &Shared, mut stream: impl Read, mut file: impl Write) {
    let mut piece = [0_u8; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        // A log that cannot be written is no reason to stop listening.
        let _ = file.write_all(&piece[..length]);
        take(&mut lock(&shared.heard), &piece[..length]);
        shared.news.notify_all();
    }
    lock(&shared.heard).closed = true;
    shared.news.notify_all();
}

fn take(heard: &mut Heard, bytes: &[u8]) {
    for byte in bytes {
        if *byte == b'\n' {
            let text = clean(&heard.open);
            heard.open.clear();
            heard.lines.push(Line { at: Instant::now(), text });
        } else {
            heard.open.push(*byte);
        }
    }
}

/// A line without what steers a terminal (ECMA-48): colours, cursor movements, carriage returns.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.chars().peekable();
    let mut line = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' if letters.next_if_eq(&'[').is_some() => {
                letters.by_ref().find(|letter| ('@'..='~').contains(letter));
            }
            '\u{1b}' if letters.next_if_eq(&']').is_some() => {
                // An operating system command ends with BEL or ESC \.
                while let Some(letter) = letters.next() {
                    if letter == '\u{7}' || (letter == '\u{1b}' && letters.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            '\u{1b}' => {
                letters.next();
            }
            letter if letter.is_control() => {}
            letter => line.push(letter),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    fn console() -> (Console, UnixStream, tempfile::TempDir) {
        let (board, ear) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        (Console::listen(ear, &folder.path().join("log")).unwrap(), board, folder)
    }

    #[test]
    fn a_line_is_found_without_its_colours_and_kept_with_them() {
        let (console, mut board, folder) = console();
        board.write_all(b"\x1b[0;32mOK\x1b[0m\r\n\x1b]0;title\x07verdict: usable\r\n").unwrap();
        let line = console.wait(0, "verdict", SOON).unwrap();
        assert_eq!(line.text, "verdict: usable");
        assert_eq!(console.since(0)[0].text, "OK");
        let kept = std::fs::read(folder.path().join("log")).unwrap();
        assert!(kept.starts_with(b"\x1b[0;32mOK"));
    }

    #[test]
    fn a_prompt_without_an_end_is_heard_and_what_was_said_before_the_mark_is_not() {
        let (console, mut board, _folder) = console();
        board.write_all(b"login: old\nlogin:").unwrap();
        console.wait(0, "old", SOON).unwrap();
        let mark = console.mark();
        assert_eq!(mark, 1);
        assert_eq!(console.wait(mark, "login:", SOON).unwrap().text, "login:");
    }

    #[test]
    fn what_does_not_come_is_said_with_the_last_words() {
        let (console, mut board, _folder) = console();
        board.write_all(b"one\ntwo\n").unwrap();
        console.wait(0, "two", SOON).unwrap();
        let late = console.wait(0, "three", Duration::from_millis(1)).unwrap_err().to_string();
        assert!(late.contains("one / two"), "{late}");
        drop(board);
        let gone = console.wait(0, "three", SOON).unwrap_err().to_string();
        assert!(gone.contains("the board is gone"), "{gone}");
    }
}
