//! Waiting for what really happens in a folder, with a deadline.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::Wrong;

/// Something that happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It comes into being.
    Created,
    /// Its writer closes it.
    Closed,
    /// It arrives by a rename.
    MovedIn,
    /// It is deleted.
    Deleted,
}

impl Happening {
    const fn flag(self) -> AddWatchFlags {
        match self {
            Self::Created => AddWatchFlags::IN_CREATE,
            Self::Closed => AddWatchFlags::IN_CLOSE_WRITE,
            Self::MovedIn => AddWatchFlags::IN_MOVED_TO,
            Self::Deleted => AddWatchFlags::IN_DELETE,
        }
    }
}

/// An eye on one folder; what happens after [`Eye::on`] is not lost.
#[derive(Debug)]
pub struct Eye {
    folder: PathBuf,
    inotify: Inotify,
}

impl Eye {
    /// Looks at a folder for one kind of happening.
    ///
    /// # Errors
    /// It is not there.
    pub fn on(folder: &Path, happening: Happening) -> Result<Self, Wrong> {
        let failed = |errno: Errno| Wrong(format!("failed to watch {}: {errno}", folder.display()));
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(failed)?;
        inotify.add_watch(folder, happening.flag()).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), inotify })
    }

    /// Waits for the next happening to a file whose name `is` likes; gives its name and when it was seen.
    ///
    /// # Errors
    /// It does not come within `patience`.
    pub fn see(&self, patience: Duration, is: impl Fn(&str) -> bool) -> Result<(String, Instant), Wrong> {
        let end = Instant::now() + patience;
        loop {
            let events = self.inotify.read_events().unwrap_or_default();
            let seen = Instant::now();
            let mut names = events.into_iter().filter_map(|event| event.name?.into_string().ok());
            if let Some(name) = names.find(|name| is(name)) {
                return Ok((name, seen));
            }
            self.wait(end, patience)?;
        }
    }

    /// Waits for so many happenings, whoever's; gives their names in the order in which they came, and how long it took
    /// from the first to the last.
    ///
    /// # Errors
    /// For `patience` none comes.
    pub fn count(&self, patience: Duration, count: usize) -> Result<(Vec<String>, Duration), Wrong> {
        let (mut names, mut first, mut last) = (Vec::new(), None, Instant::now());
        while names.len() < count {
            let events = self.inotify.read_events().unwrap_or_default();
            if events.is_empty() {
                self.wait(last + patience, patience)?;
                continue;
            }
            last = Instant::now();
            first.get_or_insert(last);
            names.extend(events.into_iter().filter_map(|event| event.name?.into_string().ok()));
        }
        Ok((names, last.saturating_duration_since(first.unwrap_or(last))))
    }

    fn wait(&self, end: Instant, patience: Duration) -> Result<(), Wrong> {
        let left = end.saturating_duration_since(Instant::now()).as_millis();
        let left = PollTimeout::from(u16::try_from(left).unwrap_or(u16::MAX));
        let ready = poll(&mut [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)], left);
        if ready == Ok(0) {
            return Err(Wrong(format!("nothing came in {} within {patience:?}", self.folder.display())));
        }
        Ok(())
    }
}

/// Asks again and again until there is an answer.
///
/// # Errors
/// There is none within `patience`; an error of the question itself at once.
pub fn until<T>(
    what: &str,
    patience: Duration,
    ask: impl FnMut() -> Result<Option<T>, Wrong>,
) -> Result<T, Wrong> {
    until_every(BREATH, what, patience, ask)
}

/// Between two askings, where an answer costs next to nothing.
const BREATH: Duration = Duration::from_millis(20);

/// [`until`], with so much time between two askings.
///
/// # Errors
/// There is no answer within `patience`; an error of the question itself at once.
pub fn until_every<T>(
    breath: Duration,
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, Wrong>,
) -> Result<T, Wrong> {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > end {
            return Err(Wrong(format!("{what}: not within {patience:?}")));
        }
        std::thread::sleep(breath);
    }
}
