//! The table of kinds the tests of this crate use.

use model::kind::Kind;
use model::parcel::Direction;

/// A request kind, its answer and the face result.
pub fn kinds() -> Vec<Kind> {
    let kind = |key: &str, direction, folder: &str, prefix: &str, extensions: &[&str]| Kind {
        key: key.into(),
        direction,
        folder: folder.into(),
        prefix: prefix.into(),
        extensions: extensions.iter().map(|&text| text.into()).collect(),
        max_bytes: 4 * 1024 * 1024,
        time_to_live_s: 1800,
        per_minute: None,
        answered_by: if direction == Direction::Request { vec!["OQSsiquc01res".into()] } else { Vec::new() },
        answered_within_s: 60,
        folder_may_lack: false,
        enabled: true,
    };
    vec![
        kind("OQSsiquc01req", Direction::Request, "req", "OQSsiquc01req_", &["xml", "zip"]),
        kind("OQSsiquc01res", Direction::Answer, "res", "OQSsiquc01res_", &["xml", "pdf", "zip"]),
        kind("OQSsiquc01face", Direction::Answer, "face", "OQSsiquc01res_face_", &["xml", "zip"]),
    ]
}

/// A terminal of a site.
pub fn terminal(name: &str, below: Option<&str>) -> crate::TerminalConfig {
    crate::TerminalConfig { name: name.into(), requests_below: below.map(Into::into) }
}

/// A consumer of a site.
pub fn consumer(name: &str, share: Option<&str>, takes: &[&str]) -> crate::ConsumerConfig {
    let takes = takes.iter().map(|&folder| folder.into()).collect();
    crate::ConsumerConfig { name: name.into(), share: share.map(Into::into), takes }
}

/// Two ends in one temporary folder: the box's state, and a terminal that is a folder.
pub struct Ends {
    /// Keeps the folder.
    pub folder: tempfile::TempDir,
    /// What the relay says.
    pub part: tokio::sync::watch::Receiver<model::part::RelayPart>,
    /// Commands to it.
    pub commands: tokio::sync::mpsc::Sender<crate::Command>,
    relay: Option<tokio::task::JoinHandle<()>>,
}

impl Ends {
    /// Makes the folders; nothing runs yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for end in ["state/share/OQS", "terminal"] {
            for name in ["req", "res", "face"] {
                std::fs::create_dir_all(folder.path().join(end).join(name)).unwrap();
            }
        }
        let (_, part) = tokio::sync::watch::channel(model::part::RelayPart::default());
        Self { folder, part, commands: tokio::sync::mpsc::channel(1).0, relay: None }
    }

    /// Starts the relay with the terminal's folder as its share.
    pub fn start(mut self) -> Self {
        self.start_again();
        self
    }

    /// Starts it anew in the same folders.
    pub fn start_again(&mut self) {
        self.start_with(crate::share::local::LocalTerminal { root: self.folder.path().join("terminal") });
    }

    /// Starts it with this terminal.
    pub fn start_with(&mut self, terminal: impl crate::share::Terminal) {
        self.start_site(self.config(), vec![terminal]);
    }

    /// One terminal and one consumer on the box's own share.
    pub fn config(&self) -> crate::Config {
        crate::Config {
            state: self.folder.path().join("state"),
            kinds: kinds().into(),
            opening: model::Opening::default(),
            count_outcomes: false,
            history: crate::HistoryBy::Itself,
            terminals: vec![terminal("t1", None)],
            consumers: vec![consumer("receipt", Some("OQS"), &[])],
        }
    }

    /// Starts it with these ends.
    pub fn start_site<T: crate::share::Terminal>(&mut self, config: crate::Config, ends: Vec<T>) {
        let (sender, part) = tokio::sync::watch::channel(model::part::RelayPart::default());
        let (commands, receiver) = tokio::sync::mpsc::channel(1);
        (self.part, self.commands) = (part, commands);
        self.relay = Some(tokio::spawn(async move {
            crate::run(&config, ends, sender, receiver).await.unwrap();
        }));
    }

    /// Ends it at once, wherever it is.
    pub async fn stop(&mut self) {
        if let Some(relay) = self.relay.take() {
            relay.abort();
            let _ = relay.await;
        }
    }

    /// Any path in the folder.
    pub fn at(&self) -> impl Fn(&str) -> std::path::PathBuf + 'static + use<> {
        let folder = self.folder.path().to_owned();
        move |path| folder.join(path)
    }

    /// A path in the clinic's share.
    pub fn clinic(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("state/share/OQS").join(path)
    }

    /// A path on the terminal.
    pub fn terminal(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("terminal").join(path)
    }

    /// A path in the relay's own folder.
    pub fn own(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("state/relay").join(path)
    }

    /// Waits until what the relay says fulfils `wanted`, at most ten seconds.
    pub async fn says(&mut self, wanted: impl Fn(&model::part::RelayPart) -> bool) -> model::part::RelayPart {
        let deadline = std::time::Duration::from_secs(10);
        let heard = tokio::time::timeout(deadline, self.part.wait_for(|part| wanted(part)))
            .await
            .map(|part| part.unwrap().clone());
        if let Ok(part) = heard {
            return part;
        }
        panic!("within {deadline:?} it only said {:?}", *self.part.borrow())
    }
}

/// The names in a folder, sorted.
pub fn names(path: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until a path is there, at most ten seconds; the wait is a look at every change of its folder.
pub async fn appears(path: &std::path::Path) -> Vec<u8> {
    watched(path, |path| std::fs::read(path).ok()).await
}

/// Waits until a path is gone, at most ten seconds.
pub async fn vanishes(path: &std::path::Path) {
    watched(path, |path| (!path.exists()).then_some(())).await;
}

async fn watched<V>(path: &std::path::Path, look: impl Fn(&std::path::Path) -> Option<V>) -> V {
    let events = nix::sys::inotify::Inotify::init(nix::sys::inotify::InitFlags::empty()).unwrap();
    events.add_watch(path.parent().unwrap(), nix::sys::inotify::AddWatchFlags::IN_ALL_EVENTS).unwrap();
    let events = std::sync::Arc::new(events);
    let waiting = async {
        loop {
            if let Some(found) = look(path) {
                return found;
            }
            let events = events.clone();
            tokio::task::spawn_blocking(move || wait(&events)).await.unwrap();
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await;
    waited.unwrap_or_else(|_| panic!("ten seconds passed for a file in {:?}", path.parent()))
}

/// Waits for a change. Comes back now and then without one, so that a case that failed can end.
fn wait(events: &nix::sys::inotify::Inotify) {
    use nix::poll::{PollFd, PollFlags, poll};
    use std::os::fd::AsFd;
    if poll(&mut [PollFd::new(events.as_fd(), PollFlags::POLLIN)], 500_u16).unwrap() > 0 {
        events.read_events().unwrap();
    }
}
