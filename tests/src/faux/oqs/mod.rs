//! The double of the link application (連携アプリケーション) on the terminal: it takes requests out of `req`, leaves
//! answers in `res` and face results in `face`, and is steered by one-line orders on a control socket.

mod outward;
pub mod settings;
pub mod tally;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{interval, sleep, timeout};

use self::settings::{Answer, Order, Settings};
use self::tally::Tally;
use super::{Error, at, forms};

/// How often the application looks into `req`.
const LOOK: Duration = Duration::from_millis(20);
/// A slow writer's pieces and the time between two of them.
const PIECES: usize = 10;
const BETWEEN: Duration = Duration::from_millis(50);
/// A caller on the control socket says its line within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest line on the control socket, bytes.
const LONGEST: u64 = 4096;
/// The deletion marker the application leaves behind when nobody fetched an answer.
const STALE: &str = "del20260401091500.txt";

/// The link application on one folder.
#[derive(Debug)]
pub struct Oqs {
    root: PathBuf,
    watch: Inotify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    settings: Settings,
    /// The centre's name is not known: who is asked for it does not answer.
    nameless: bool,
    tally: Tally,
    pushed: u32,
}

impl Oqs {
    /// The application on `root`, whose folders `req`, `res` and `face` are made when absent.
    ///
    /// # Errors
    /// They cannot be made, or `req` cannot be watched.
    pub fn open(root: &Path) -> Result<Arc<Self>, Error> {
        for folder in ["req", "res", "face"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(at(&path))?;
        }
        let req = root.join("req");
        let watch = watch(&req).map_err(|errno| at(&req)(errno.into()))?;
        Ok(Arc::new(Self { root: root.to_owned(), watch, state: Mutex::default() }))
    }

    /// Takes and answers requests for ever.
    pub async fn work(self: Arc<Self>) {
        let req = self.root.join("req");
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            self.count_created();
            if !self.state().settings.stopped {
                self.take_all(&req);
            }
        }
    }

    /// Obeys one order; the answer is one line without its end.
    pub fn obey(&self, line: &str) -> String {
        let now = self.state().settings;
        match settings::read(line, now) {
            Err(reason) => format!("err {reason}"),
            Ok(Order::Counts) => format!("ok {}", self.state().tally),
            Ok(Order::Seen(name)) => format!("ok seen={}", self.state().tally.seen(name)),
            Ok(Order::Set(settings)) => {
                let mut state = self.state();
                if settings.asks != state.settings.asks {
                    // Until somebody has answered: what is taken meanwhile must not be answered either.
                    state.nameless = settings.asks.is_some();
                }
                state.settings = settings;
                drop(state);
                format!("ok {}", line.trim())
            }
            Ok(Order::Stale(on)) => told(self.stale(on), || line.trim().to_owned()),
            Ok(Order::PushFace(count)) => told(self.push_faces(count), || format!("pushed={count}")),
        }
    }

    /// The control socket; one left over by an earlier run is replaced.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn control(socket: &Path) -> Result<UnixListener, Error> {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(socket)(error)),
            _ => UnixListener::bind(socket).map_err(at(socket)),
        }
    }

    /// Answers callers on the control socket for ever.
    pub async fn listen(self: Arc<Self>, control: UnixListener) {
        loop {
            match control.accept().await {
                Ok((stream, _)) => {
                    let oqs = Arc::clone(&self);
                    tokio::spawn(async move { timeout(PATIENCE, oqs.converse(stream)).await });
                }
                Err(_) => sleep(BETWEEN).await,
            }
        }
    }

    /// Lines and answers until the caller closes.
    async fn converse(&self, stream: UnixStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read.take(LONGEST)).lines();
        while let Some(line) = lines.next_line().await? {
            write.write_all(format!("{}\n", self.obey(&line)).as_bytes()).await?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is shown by a rename; one that is created under its final name can be seen half-written.
    fn count_created(&self) {
        while let Ok(events) = self.watch.read_events() {
            for event in events {
                let name = event.name.as_deref().and_then(std::ffi::OsStr::to_str);
                if name.is_some_and(|name| answer_stem(name).is_some()) {
                    self.state().tally.create();
                }
            }
        }
    }

    fn take_all(self: &Arc<Self>, req: &Path) {
        let Ok(entries) = fs::read_dir(req) else { return };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if let Some(stem) = answer_stem(&name) {
                self.take(&entry.path(), &name, stem);
            }
        }
    }

    fn take(self: &Arc<Self>, path: &Path, name: &str, stem: String) {
        let Ok(bytes) = fs::read(path) else { return };
        if !forms::is_whole(name, &bytes) {
            self.state().tally.tear(name);
            return;
        }
        if fs::remove_file(path).is_err() {
            return;
        }
        let settings = {
            let mut state = self.state();
            state.tally.take(name);
            Settings { mute: state.settings.mute || state.nameless, ..state.settings }
        };
        if !settings.mute {
            let (name, bytes) = answer(settings, name, &stem, bytes);
            let oqs = Arc::clone(self);
            tokio::spawn(async move { oqs.leave(&oqs.root.join("res").join(name), &bytes, settings).await });
        }
    }

    async fn leave(&self, path: &Path, bytes: &[u8], settings: Settings) {
        sleep(settings.delay).await;
        let written = if settings.slow { write_slowly(path, bytes).await } else { write(path, bytes) };
        if written.is_ok() {
            self.state().tally.answer();
        }
    }

    fn stale(&self, on: bool) -> std::io::Result<()> {
        let path = self.root.join("res").join(STALE);
        if on { write(&path, b"synthetic\r\n") } else { fs::remove_file(path) }
    }

    fn push_faces(&self, count: u32) -> std::io::Result<()> {
        for _ in 0..count {
            let mut state = self.state();
            state.pushed += 1;
            let id = format!("{}{:08x}", forms::INSTITUTION, state.pushed);
            let now = Timestamp::now().strftime("%Y%m%d%H%M%S");
            let name = format!("OQSsiquc01res_face_{id}_{now}.xml");
            write(&self.root.join("face").join(name), &forms::face(&id))?;
            state.tally.face();
        }
        Ok(())
    }
}

fn told(done: std::io::Result<()>, what: impl FnOnce() -> String) -> String {
    match done {
        Ok(()) => format!("ok {}", what()),
        Err(error) => format!("err {error}"),
    }
}

fn watch(req: &Path) -> Result<Inotify, Errno> {
    let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    watch.add_watch(req, AddWatchFlags::IN_CREATE)?;
    Ok(watch)
}

/// The stem of the answer, if this is a request's name: `OQSsiquc01req_1.xml` gives `OQSsiquc01res_1`.
/// Temporary names, dot-names among them, are nobody's request.
fn answer_stem(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let (kind, own) = stem.split_once("req_")?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_form = ["xml", "zip"].iter().any(|form| extension.eq_ignore_ascii_case(form));
    (is_kind && is_form && !own.is_empty() && !own.contains('.')).then(|| format!("{kind}res_{own}"))
}

fn answer(settings: Settings, request: &str, stem: &str, bytes: Vec<u8>) -> (String, Vec<u8>) {
    match settings.answer {
        Answer::Echo => {
            let extension = request.rsplit_once('.').map_or("xml", |(_, extension)| extension);
            (format!("{stem}.{extension}"), bytes)
        }
        Answer::Made(form) => (format!("{stem}.{}", form.extension()), form.answer(stem, settings.size)),
    }
}

/// Every account of the terminal may read and take what the application leaves.
fn create(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o666).open(path)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    create(path)?.write_all(bytes)
}

async fn write_slowly(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = create(path)?;
    for piece in bytes.chunks(bytes.len().div_ceil(PIECES).max(1)) {
        sleep(BETWEEN).await;
        out.write_all(piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_name_and_a_temporary_one_is_not() {
        assert_eq!(answer_stem("OQSsiquc01req_1.xml").as_deref(), Some("OQSsiquc01res_1"));
        assert_eq!(answer_stem("YZKsiquc01req_02.ZIP").as_deref(), Some("YZKsiquc01res_02"));
        for other in [
            ".OQSsiquc01req_1.xml",
            "OQSsiquc01req_1.xml.tmp",
            "tmp-OQSsiquc01req_1.xml",
            "OQSsiquc01res_1.xml",
            "req_1.xml",
            "OQSsiquc01req_.xml",
            "note.txt",
            "",
        ] {
            assert_eq!(answer_stem(other), None, "{other}");
        }
    }

    #[test]
    fn an_echo_has_the_requests_bytes_and_extension() {
        let settings = Settings { answer: Answer::Echo, ..Settings::default() };
        let (name, bytes) = answer(settings, "OQSsiquc01req_1.zip", "OQSsiquc01res_1", b"abc".to_vec());
        assert_eq!((name.as_str(), bytes.as_slice()), ("OQSsiquc01res_1.zip", b"abc".as_slice()));
    }
}
