//! A folder of this machine as an end: a share that is mounted here, and tests.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::Symptom;

use super::{
    Entry, Occasion, Opened, Outgoing, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble, Wanted,
};
use crate::copy::{self, Copy};
use crate::folder::{Folder, facts_of, read_range, read_tail};
use crate::lease;
use crate::sabotage::{self, FLUSH_PUBLISH, FLUSH_STAGED, unless};
use crate::watch::Events;
use crate::whole::{TAIL, Writer};

/// How often the folders are looked at beside the events. Events of this machine do not lie; a queue may overflow.
const POLL: Duration = Duration::from_secs(5);

/// An end that is a folder.
#[derive(Clone, Debug)]
pub struct LocalTerminal {
    /// The folder that holds the others.
    pub root: PathBuf,
}

/// The opened folder.
#[derive(Debug)]
pub struct LocalShare {
    root: Arc<Folder>,
    optional: Vec<String>,
    events: Option<Events>,
}

/// An opened file.
#[derive(Debug)]
pub struct LocalHandle {
    file: Arc<File>,
    folder: String,
    name: String,
    stamp: u64,
}

impl Terminal for LocalTerminal {
    type Share = LocalShare;

    async fn connect(&self, wanted: &Wanted, _: Occasion) -> Result<LocalShare, Trouble> {
        let (path, wanted) = (self.root.clone(), wanted.clone());
        let opened = blocking("open the share", move || {
            let root = Folder::open(&path)?;
            for (folder, may_lack) in &wanted.folders {
                let opened = if wanted.make { root.below_path(folder) } else { root.open_below(folder) };
                match opened {
                    Err(error) if *may_lack && error.kind() == io::ErrorKind::NotFound => {}
                    opened => drop(opened?),
                }
            }
            let watched: Vec<PathBuf> = wanted.watched.iter().map(|folder| path.join(folder)).collect();
            let optional = wanted.folders.iter().filter(|(_, may_lack)| *may_lack);
            let optional = optional.map(|(folder, _)| folder.clone()).collect();
            Ok((root, optional, watched))
        });
        let (root, optional, watched) = opened.await?;
        let events = Events::of(&watched).ok();
        Ok(LocalShare { root: Arc::new(root), optional, events })
    }
}

impl Share for LocalShare {
    type Handle = LocalHandle;

    fn poll(&self) -> Duration {
        POLL
    }

    async fn lacks(&self, folder: &str) -> Result<bool, Trouble> {
        if !self.optional.iter().any(|optional| optional == folder) {
            return Ok(false);
        }
        let (root, folder) = (self.root.clone(), folder.to_owned());
        blocking("find a folder", move || match root.open_below(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            opened => opened.map(|_| false),
        })
        .await
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        let may_lack = self.optional.iter().any(|optional| optional == folder);
        let (root, folder) = (self.root.clone(), folder.to_owned());
        blocking("list a folder", move || match root.open_below(&folder) {
            Err(error) if may_lack && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            opened => entries(&opened?),
        })
        .await
    }

    async fn stage(&self, files: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        let (root, count) = (self.root.clone(), files.len());
        let staged = blocking("stage", move || {
            let staging = root.below(STAGING)?;
            let copy = |one: &Outgoing| {
                let name = OsStr::new(&one.parcel.staged);
                Copy::make(&staging, name, |copy| copy.write_from(&one.file, one.size))
            };
            let copies = files.iter().map(copy).collect();
            Ok(copy::finish(&staging, copies))
        });
        each("stage", staged.await, count)
    }

    async fn publish(&self, parcels: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
        let (root, count) = (self.root.clone(), parcels.len());
        each("publish", blocking("publish", move || publish(&root, &parcels)).await, count)
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        let root = self.root.clone();
        blocking("list what is staged", move || {
            let staging = root.below(STAGING)?;
            // What is not staged any more counts as published, so that must not be taken back by a cut.
            unless(FLUSH_STAGED, || staging.sync())?;
            let names = staging.names()?.into_iter().filter_map(|name| name.into_string().ok()).collect();
            Ok(Staged { identity: staging.identity()? ^ boot()?, names })
        })
        .await
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        let (root, name) = (self.root.clone(), name.to_owned());
        blocking("discard", move || root.below(STAGING)?.remove_if_there(OsStr::new(&name))).await
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<LocalHandle>, Trouble> {
        let (root, folder, name) = (self.root.clone(), folder.to_owned(), entry.name.clone());
        blocking("open a file", move || {
            let file = match root.open_below(&folder)?.file(OsStr::new(&name)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
                Err(error) => return Err(error),
            };
            open(file, folder, name, largest)
        })
        .await
    }

    async fn read(&self, handle: &LocalHandle, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
        let file = handle.file.clone();
        blocking("read", move || read_range(&file, offset, length)).await
    }

    async fn remove(&self, handle: LocalHandle) -> Result<bool, Trouble> {
        let root = self.root.clone();
        blocking("remove a file", move || {
            let folder = root.open_below(&handle.folder)?;
            let name = OsStr::new(&handle.name);
            match folder.facts(name) {
                Ok(facts) if facts.stamp == handle.stamp => folder.remove(name).map(|()| true),
                Ok(_) => Ok(false),
                // Somebody took it: it is gone, which is what was wanted.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn release(&self, _handle: LocalHandle) {}

    async fn changed(&self) {
        match &self.events {
            Some(events) => events.changed().await,
            None => std::future::pending().await,
        }
    }

    async fn close(&self) {}
}

fn publish(root: &Folder, parcels: &[Parcel]) -> io::Result<Vec<io::Result<Published>>> {
    let staging = root.open_below(STAGING)?;
    let mut folders: Vec<(&str, Folder)> = Vec::new();
    let mut outcomes = Vec::new();
    for parcel in parcels {
        if !folders.iter().any(|(name, _)| *name == parcel.folder) {
            match root.open_below(&parcel.folder) {
                Ok(folder) => folders.push((&parcel.folder, folder)),
                Err(error) => {
                    outcomes.push(Err(error));
                    continue;
                }
            }
        }
        let to = folders.iter().find(|(name, _)| *name == parcel.folder).map(|(_, folder)| folder);
        let moved = to.map(|to| staging.move_to(OsStr::new(&parcel.staged), to, OsStr::new(&parcel.name)));
        outcomes.push(match moved {
            None | Some(Ok(())) => Ok(Published::Done),
            Some(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Published::NameTaken),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Published::Gone),
            Some(Err(error)) => Err(error),
        });
    }
    sabotage::step("publishing");
    unless(FLUSH_PUBLISH, || staging.sync())?;
    Ok(outcomes)
}

fn open(file: File, folder: String, name: String, largest: u64) -> io::Result<Opened<LocalHandle>> {
    let facts = facts_of(&file)?;
    if lease::writer(&file) == Writer::Open || facts.size > largest {
        return Ok(Opened::InUse);
    }
    let tail = read_tail(&file, facts.size, TAIL)?;
    if facts_of(&file)? != facts {
        return Ok(Opened::InUse);
    }
    let handle = LocalHandle { file: Arc::new(file), folder, name, stamp: facts.stamp };
    Ok(Opened::File { handle, size: facts.size, tail })
}

fn entries(folder: &Folder) -> io::Result<Vec<Entry>> {
    let known = |name: std::ffi::OsString| {
        let facts = folder.facts(&name).ok().filter(|facts| facts.is_file)?;
        let changed = u64::try_from(facts.changed_ns).unwrap_or_default();
        Some(Entry { name: name.into_string().ok()?, size: facts.size, stamp: facts.stamp, changed })
    };
    Ok(folder.names()?.into_iter().filter_map(known).collect())
}

/// This start of the machine: after another one it cannot be known which renames of ours a cut took back.
fn boot() -> io::Result<u64> {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id")?;
    let hash = blake3::hash(&id);
    Ok(hash.as_bytes().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}

/// One outcome each, also when nothing could be begun.
fn each<V>(
    action: &'static str,
    done: Result<Vec<io::Result<V>>, Trouble>,
    count: usize,
) -> Vec<Result<V, Trouble>> {
    match done {
        Ok(each) => each.into_iter().map(|one| one.map_err(|error| said(action, &error))).collect(),
        Err(trouble) => (0..count).map(|_| Err(trouble.clone())).collect(),
    }
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|error| said(action, &error))
}

fn said(action: &'static str, error: &io::Error) -> Trouble {
    let symptom = match error.kind() {
        io::ErrorKind::NotFound => Symptom::ShareMissing,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Symptom::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Symptom::Denied,
        _ => Symptom::Malformed,
    };
    Trouble { symptom, action, detail: error.kind().to_string() }
}
