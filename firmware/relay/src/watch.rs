//! Change events on the clinic's share: a hint, never the truth. The lanes look on their own as well, so a lost
//! event costs time and nothing else; an overflowed queue is said once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::{Duration, interval};

use crate::clinic::Clinic;

/// How often the watches are laid again: a client may have removed and made a folder.
const RENEW: Duration = Duration::from_secs(5);

/// A hint that something changed in the clinic's share.
#[derive(Clone, Debug)]
pub struct Hint {
    clinic: Arc<Clinic>,
    notify: Arc<Notify>,
}

/// Begins to watch; [`Hint::forward`] does the work.
pub fn start(clinic: &Arc<Clinic>) -> Hint {
    Hint { clinic: clinic.clone(), notify: Arc::new(Notify::new()) }
}

impl Hint {
    /// Returns when something may have changed since the last call returned. For one lane: the one that carries
    /// requests.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }

    /// Passes events on for ever.
    pub async fn forward(&self) {
        let begun = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(io::Error::from);
        let ready = begun.and_then(|events| {
            let own = events.as_fd().try_clone_to_owned()?;
            #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
            // SAFETY: an `OwnedFd` is the same open descriptor for as long as the `AsyncFd` owns it.
            let ready = unsafe { AsyncFd::register(own) }?;
            Ok((events, ready))
        });
        match ready {
            Ok((events, ready)) => self.read(&events, &ready).await,
            Err(error) => {
                tracing::warn!(%error, "no change events from the clinic's share: looking every second")
            }
        }
    }

    async fn read(&self, events: &Inotify, ready: &AsyncFd<OwnedFd>) {
        let (mut renew, mut overflow_said) = (interval(RENEW), false);
        loop {
            tokio::select! {
                _ = renew.tick() => self.watch(events),
                arrived = ready.readable() => {
                    let Ok(mut arrived) = arrived else { return };
                    let read = events.read_events();
                    arrived.clear_ready();
                    let overflow = |event: &nix::sys::inotify::InotifyEvent| event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                    if !overflow_said && read.is_ok_and(|read| read.iter().any(overflow)) {
                        overflow_said = true;
                        tracing::info!("change events of the clinic's share overflowed; the folders were read instead");
                    }
                    self.notify.notify_one();
                }
            }
        }
    }

    fn watch(&self, events: &Inotify) {
        let put = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
        let taken = AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM;
        for (folder, mask) in [("req", put), ("res", taken), ("face", taken)] {
            if let Err(error) = events.add_watch(&self.clinic.path(folder), mask) {
                tracing::debug!(%error, folder, "cannot be watched now");
            }
        }
    }
}
