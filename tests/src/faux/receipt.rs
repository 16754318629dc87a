//! The double of the receipt computer (レセコン): a real SMB client of the box's share. It writes requests, collects
//! answers as the field's programs do (get, then delete), and measures the pairs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Error, at};

/// A share, and who opens it.
#[derive(Clone, Debug, clap::Args)]
pub struct Share {
    /// The share: //HOST/SHARE or \\HOST\SHARE.
    #[arg(long)]
    pub unc: String,
    /// The account.
    #[arg(long)]
    pub user: String,
    /// A file whose last line is the password.
    #[arg(long, value_name = "FILE")]
    pub password_file: PathBuf,
}

/// One SMB session, kept open: smbclient, fed line by line.
#[derive(Debug)]
pub struct Session {
    unc: String,
    child: Child,
    orders: fs::File,
    lines: Receiver<String>,
    mark: u64,
}

/// A file in a folder of the share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its size, bytes.
    pub bytes: u64,
}

/// How long one SMB command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a receipt computer looks for answers.
const LOOK: Duration = Duration::from_millis(20);

impl Share {
    /// Opens a session. `before` is put before the client's own command line (to enter a host of the lab).
    ///
    /// # Errors
    /// The password file cannot be read, the client cannot be started, or the share refuses.
    pub fn open(&self, before: &[OsString]) -> Result<Session, Error> {
        let text = fs::read_to_string(&self.password_file).map_err(at(&self.password_file))?;
        let password = text.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
        let unc = self.unc.replace('\\', "/");
        let (child, orders, lines) = start(before, &unc, &self.user, password)
            .map_err(|source| Error::Share { unc: unc.clone(), reason: source.to_string() })?;
        let mut session = Session { unc, child, orders, lines, mark: 0 };
        session.order("")?;
        Ok(session)
    }
}

/// The client's two outputs arrive as one stream of lines; the password travels in its environment only.
fn start(
    before: &[OsString],
    unc: &str,
    user: &str,
    password: &str,
) -> std::io::Result<(Child, fs::File, Receiver<String>)> {
    let (orders, ear) = line_by_line()?;
    // smbclient buffers its output when nobody types at it; line by line it can be conversed with.
    let own = ["stdbuf", "-oL", "smbclient", unc, "-U", user, "-s", "/dev/null"].map(OsString::from);
    let mut argv = before.iter().chain(&own);
    let mut command = Command::new(argv.next().map_or(OsStr::new("stdbuf"), OsString::as_os_str));
    command.args(argv).env("PASSWD", password);
    let mut child = command.stdin(ear).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (said, lines) = channel();
    if let Some(out) = child.stdout.take() {
        hear(out, said.clone());
    }
    if let Some(out) = child.stderr.take() {
        hear(out, said);
    }
    Ok((child, orders, lines))
}

/// Both ends of the client's input. It reads what is there and then polls, so of two lines that came together the
/// second would lie in its buffer unseen; over a packet socket each read gives one line.
fn line_by_line() -> std::io::Result<(fs::File, OwnedFd)> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    let (ours, its) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    Ok((ours.into(), its))
}

fn hear(out: impl Read + Send + 'static, said: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            if line.map_or(true, |line| said.send(line).is_err()) {
                return;
            }
        }
    });
}

impl Session {
    /// Writes a local file into the share, under its final name at once, as the field's programs do.
    ///
    /// # Errors
    /// The share refuses.
    pub fn put(&mut self, local: &Path, remote: &str) -> Result<(), Error> {
        self.order(&format!("put \"{}\" \"{}\"", local.display(), windows(remote))).map(drop)
    }

    /// Reads a file of the share into a local one.
    ///
    /// # Errors
    /// The share refuses, or there is none.
    pub fn get(&mut self, remote: &str, local: &Path) -> Result<(), Error> {
        self.order(&format!("get \"{}\" \"{}\"", windows(remote), local.display())).map(drop)
    }

    /// Deletes a file of the share.
    ///
    /// # Errors
    /// The share refuses, or there is none.
    pub fn delete(&mut self, remote: &str) -> Result<(), Error> {
        self.order(&format!("del \"{}\"", windows(remote))).map(drop)
    }

    /// Makes a folder in the share.
    ///
    /// # Errors
    /// The share refuses.
    pub fn make_folder(&mut self, remote: &str) -> Result<(), Error> {
        self.order(&format!("mkdir \"{}\"", windows(remote))).map(drop)
    }

    /// The files in a folder, by name.
    ///
    /// # Errors
    /// The share refuses, or there is no such folder.
    pub fn list(&mut self, folder: &str) -> Result<Vec<Entry>, Error> {
        let lines = self.order(&format!("ls \"{}\\*\"", windows(folder)))?;
        let mut entries: Vec<Entry> = lines.iter().filter_map(|line| entry(line)).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Gets and deletes every file of a folder whose name `wanted` likes, into a local folder.
    ///
    /// # Errors
    /// The share refuses.
    pub fn collect(
        &mut self,
        folder: &str,
        into: &Path,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = self.list(folder)?;
        entries.retain(|entry| wanted(&entry.name));
        for entry in &entries {
            let remote = format!("{folder}/{}", entry.name);
            self.get(&remote, &into.join(&entry.name))?;
            self.delete(&remote)?;
        }
        Ok(entries)
    }

    /// [`Self::collect`] again and again until `count` files came.
    ///
    /// # Errors
    /// The share refuses; fewer files within `patience`.
    pub fn collect_count(
        &mut self,
        folder: &str,
        into: &Path,
        count: usize,
        patience: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Entry>, Error> {
        let end = Instant::now() + patience;
        let mut all = Vec::new();
        loop {
            all.extend(self.collect(folder, into, &wanted)?);
            if all.len() >= count {
                return Ok(all);
            }
            if Instant::now() > end {
                let what = format!("{count} files in {folder}, got {}", all.len());
                return Err(Error::Late { what, seconds: patience.as_secs() });
            }
            thread::sleep(LOOK);
        }
    }

    /// One command of the client; what it said, without marks.
    fn order(&mut self, command: &str) -> Result<Vec<String>, Error> {
        self.mark += 1;
        let mark = format!("@@{}", self.mark);
        let lines = [format!("{command}\n"), format!("!echo {mark}\n")];
        let sent = lines.iter().try_for_each(|line| self.orders.write_all(line.as_bytes()));
        let end = Instant::now() + PATIENCE;
        let mut lines: Vec<String> = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line == mark => break,
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.refused("no answer"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let last = lines.last().map(String::as_str);
                    return Err(self.refused(last.unwrap_or(if sent.is_ok() { "ended" } else { "gone" })));
                }
            }
        }
        match lines.iter().find(|line| line.contains("NT_STATUS_")) {
            Some(line) if !line.contains("NT_STATUS_NO_SUCH_FILE listing") => Err(self.refused(line)),
            _ => Ok(lines),
        }
    }

    fn refused(&self, reason: &str) -> Error {
        Error::Share { unc: self.unc.clone(), reason: reason.to_owned() }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The client may have left already; either way no child is left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request and its answer, as the receipt computer felt them.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Pair {
    /// The request's name.
    pub request: String,
    /// The answer's name.
    pub answer: String,
    /// How long the writing took, milliseconds.
    pub put_ms: f64,
    /// From the end of the writing until the answer was seen, milliseconds.
    pub answer_ms: f64,
}

/// Writes `requests` (name and local file) one after the other and waits for each one's answer, which goes into
/// `into`.
///
/// # Errors
/// The share refuses, or an answer does not come within `patience`.
pub fn measure(
    session: &mut Session,
    requests: &BTreeMap<String, PathBuf>,
    into: &Path,
    patience: Duration,
) -> Result<Vec<Pair>, Error> {
    let mut pairs = Vec::new();
    for (name, local) in requests {
        let begun = Instant::now();
        session.put(local, &format!("req/{name}"))?;
        let put = Instant::now();
        let stem = stem_of_answer(name);
        let is_it = |name: &str| name.rsplit_once('.').is_some_and(|(own, _)| own == stem);
        let got = session.collect_count("res", into, 1, patience, is_it)?;
        let answer = got.into_iter().next().map(|entry| entry.name).unwrap_or_default();
        let answer_ms = put.elapsed().as_secs_f64() * 1e3;
        pairs.push(Pair {
            request: name.clone(),
            answer,
            put_ms: (put - begun).as_secs_f64() * 1e3,
            answer_ms,
        });
    }
    Ok(pairs)
}

/// The stem of the answer to a request's name.
pub fn stem_of_answer(request: &str) -> String {
    let stem = request.rsplit_once('.').map_or(request, |(stem, _)| stem);
    stem.replacen("req_", "res_", 1)
}

fn windows(path: &str) -> String {
    path.replace('/', "\\")
}

/// A line of the client's listing: name, attributes, size, and a date in five words.
fn entry(line: &str) -> Option<Entry> {
    let mut rest = line.strip_prefix("  ")?;
    let mut words = Vec::new();
    for _ in 0..7 {
        let (before, word) = rest.trim_end().rsplit_once(char::is_whitespace)?;
        words.push(word);
        rest = before;
    }
    let (size, attributes) = (words.get(5)?.parse().ok()?, words.get(6)?);
    let is_folder = attributes.contains('D');
    (!is_folder).then(|| Entry { name: rest.trim_end().to_owned(), bytes: size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_name_by_name() {
        let line = "  OQSsiquc01res_1.xml                 A      812  Sun Nov 22 01:04:59 2026";
        assert_eq!(entry(line), Some(Entry { name: "OQSsiquc01res_1.xml".into(), bytes: 812 }));
        let spaces = "  a  b.xml                            N        0  Sun Nov 22 01:04:59 2026";
        assert_eq!(entry(spaces), Some(Entry { name: "a  b.xml".into(), bytes: 0 }));
        for other in [
            "  ..                                  D        0  Sun Nov 22 01:04:37 2026",
            "\t\t264212084 blocks of size 1024. 80252416 blocks available",
            "NT_STATUS_NO_SUCH_FILE listing \\req\\*",
            "",
        ] {
            assert_eq!(entry(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_has_its_requests_stem() {
        assert_eq!(stem_of_answer("OQSsiquc01req_req_1.xml"), "OQSsiquc01res_req_1");
    }
}
