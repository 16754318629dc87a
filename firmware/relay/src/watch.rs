//! Change events of this machine's folders: a hint, never the truth. The lanes look on their own as well, so a lost
//! event costs time and nothing else; an overflowed queue is said once.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::{Duration, interval};

/// How often the watches are laid again: a client may have removed and made a folder.
const RENEW: Duration = Duration::from_secs(5);

/// So many names are kept for a lane; beyond them it looks at everything.
const NAMES: usize = 65536;

/// What a lane is told: which files may have come, or that it should look everywhere.
#[derive(Debug, Default)]
pub struct Hints {
    names: Mutex<Vec<(u16, OsString)>>,
    everywhere: AtomicBool,
    notify: Notify,
}

impl Hints {
    /// Returns when there may be something new.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }

    /// What was hinted at since the last call: places with names.
    pub fn take(&self) -> Vec<(u16, OsString)> {
        std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether everything is to be looked at, since the last call.
    pub fn take_everywhere(&self) -> bool {
        self.everywhere.swap(false, Ordering::Relaxed)
    }

    /// Wakes the lane.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    fn put(&self, place: u16, name: OsString) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < NAMES {
            names.push((place, name));
        } else {
            self.everywhere.store(true, Ordering::Relaxed);
        }
    }

    fn everywhere(&self) {
        self.everywhere.store(true, Ordering::Relaxed);
        self.notify.notify_one();
    }
}

/// What is watched for in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something was put into it.
    Put,
    /// Something was taken out of it.
    Taken,
}

/// A folder that is watched, and who wants to know.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The folder.
    pub path: PathBuf,
    /// What for.
    pub change: Change,
    /// Who is told, and as which of its places.
    pub hints: Arc<Hints>,
    /// The place's number.
    pub place: u16,
}

/// Watches folders and passes events on for ever.
pub async fn forward(watched: Vec<Watched>) {
    match begin() {
        Ok((events, ready)) => read(&watched, &events, &ready).await,
        Err(error) => {
            tracing::warn!(%error, "no change events from the clinic's folders: looking every five seconds")
        }
    }
}

fn begin() -> io::Result<(Inotify, AsyncFd<OwnedFd>)> {
    let events = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(io::Error::from)?;
    let own = events.as_fd().try_clone_to_owned()?;
    #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
    // SAFETY: an `OwnedFd` is the same open descriptor for as long as the `AsyncFd` owns it.
    let ready = unsafe { AsyncFd::register(own) }?;
    Ok((events, ready))
}

async fn read(watched: &[Watched], events: &Inotify, ready: &AsyncFd<OwnedFd>) {
    let (mut renew, mut overflow_said) = (interval(RENEW), false);
    let mut known: HashMap<WatchDescriptor, usize> = HashMap::new();
    loop {
        tokio::select! {
            _ = renew.tick() => lay(watched, events, &mut known),
            arrived = ready.readable() => {
                let Ok(mut arrived) = arrived else { return };
                let read = drain(events);
                arrived.clear_ready();
                let overflow = |event: &InotifyEvent| event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                if read.iter().any(overflow) {
                    watched.iter().for_each(|one| one.hints.everywhere());
                    if !std::mem::replace(&mut overflow_said, true) {
                        tracing::info!("change events of the clinic's folders overflowed; they are read instead");
                    }
                }
                for event in read {
                    if let (Some(one), Some(name)) = (known.get(&event.wd).and_then(|at| watched.get(*at)), event.name) {
                        one.hints.put(one.place, name);
                        one.hints.wake();
                    }
                }
            }
        }
    }
}

/// Everything that is there to be read.
fn drain(events: &Inotify) -> Vec<InotifyEvent> {
    let mut all = Vec::new();
    while let Ok(read) = events.read_events() {
        all.extend(read);
    }
    all
}

/// Lays the watches. One that is new may have missed something.
fn lay(watched: &[Watched], events: &Inotify, known: &mut HashMap<WatchDescriptor, usize>) {
    for (at, one) in watched.iter().enumerate() {
        match events.add_watch(&one.path, mask(one.change)) {
            Ok(descriptor) => {
                if known.insert(descriptor, at).is_none() {
                    one.hints.everywhere();
                }
            }
            Err(error) => tracing::debug!(%error, "a folder cannot be watched now"),
        }
    }
}

fn mask(change: Change) -> AddWatchFlags {
    let only_files = AddWatchFlags::IN_ONLYDIR;
    only_files
        | match change {
            Change::Put => AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO,
            Change::Taken => AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM,
        }
}

/// Events of the folders of an end that lies on this machine, without their names.
#[derive(Debug)]
pub struct Events {
    events: Inotify,
    ready: AsyncFd<OwnedFd>,
}

impl Events {
    /// Of these folders, for what is put into them; one that lacks is left out.
    ///
    /// # Errors
    /// If the system gives no events at all.
    pub fn of(folders: &[impl AsRef<Path>]) -> io::Result<Self> {
        let (events, ready) = begin()?;
        for folder in folders {
            match events.add_watch(folder.as_ref(), mask(Change::Put)) {
                Ok(_) | Err(Errno::ENOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { events, ready })
    }

    /// Returns when something was put into one of them since the last call.
    pub async fn changed(&self) {
        let Ok(mut arrived) = self.ready.readable().await else { return std::future::pending().await };
        drop(drain(&self.events));
        arrived.clear_ready();
    }
}
