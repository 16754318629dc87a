//! A folder of this machine as a terminal's share: for a terminal whose folder is mounted here, and for tests.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use model::Symptom;

use super::{Entry, Opened, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble};
use crate::folder::{Folder, facts_of, read_all};
use crate::lease;
use crate::whole::Writer;

/// A terminal whose share is a folder.
#[derive(Clone, Debug)]
pub struct LocalTerminal {
    /// The folder that holds `req`, `res` and `face`.
    pub root: PathBuf,
}

/// The opened folders.
#[derive(Clone, Debug)]
pub struct LocalShare {
    root: Arc<Folder>,
}

/// An opened answer.
#[derive(Debug)]
pub struct LocalHandle {
    folder: String,
    name: String,
    stamp: u64,
}

impl Terminal for LocalTerminal {
    type Share = LocalShare;

    async fn connect(&self) -> Result<LocalShare, Trouble> {
        let path = self.root.clone();
        let share = blocking("open the share", move || {
            let root = Folder::open(&path)?;
            for folder in ["req", "res", "face"] {
                root.open_below(folder)?;
            }
            Ok(LocalShare { root: Arc::new(root) })
        });
        share.await
    }
}

impl Share for LocalShare {
    type Handle = LocalHandle;

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        let (root, folder) = (self.root.clone(), folder.to_owned());
        blocking("list a folder", move || entries(&root.open_below(&folder)?)).await
    }

    async fn stage(&self, parcel: Parcel<'_>, bytes: Arc<[u8]>) -> Result<(), Trouble> {
        let (root, name) = (self.root.clone(), parcel.staged_name());
        blocking("stage", move || {
            let staging = root.below(STAGING)?;
            staging.write(OsStr::new(&name), &bytes)?;
            staging.sync()
        })
        .await
    }

    async fn publish(&self, parcel: Parcel<'_>) -> Result<Published, Trouble> {
        let (root, staged) = (self.root.clone(), parcel.staged_name());
        let (folder, name) = (parcel.folder.to_owned(), parcel.name.to_owned());
        blocking("publish", move || {
            let to = root.open_below(&folder)?;
            match root.below(STAGING)?.move_to(OsStr::new(&staged), &to, OsStr::new(&name)) {
                Ok(()) => to.sync().map(|()| Published::Done),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Published::NameTaken),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Published::Gone),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        let root = self.root.clone();
        blocking("list what is staged", move || {
            let staging = root.below(STAGING)?;
            let names = staging.names()?.into_iter().filter_map(|name| name.into_string().ok()).collect();
            Ok(Staged { identity: staging.identity()?, names })
        })
        .await
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        let (root, name) = (self.root.clone(), name.to_owned());
        blocking("discard", move || root.below(STAGING)?.remove(OsStr::new(&name))).await
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<LocalHandle>, Trouble> {
        let (root, folder, name) = (self.root.clone(), folder.to_owned(), entry.name.clone());
        blocking("open an answer", move || {
            let file = match root.open_below(&folder)?.file(OsStr::new(&name)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
                Err(error) => return Err(error),
            };
            read(&file, LocalHandle { folder, name, stamp: facts_of(&file)?.stamp }, largest)
        })
        .await
    }

    async fn remove(&self, handle: LocalHandle) -> Result<bool, Trouble> {
        let root = self.root.clone();
        blocking("remove an answer", move || {
            let folder = root.open_below(&handle.folder)?;
            let name = OsStr::new(&handle.name);
            if folder.facts(name)?.stamp != handle.stamp {
                return Ok(false);
            }
            folder.remove(name).map(|()| true)
        })
        .await
    }

    async fn release(&self, _handle: LocalHandle) {}

    async fn changed(&self) {
        std::future::pending().await
    }

    async fn close(&self) {}
}

fn read(file: &File, handle: LocalHandle, largest: u64) -> io::Result<Opened<LocalHandle>> {
    if lease::writer(file) == Writer::Open {
        return Ok(Opened::InUse);
    }
    let bytes = read_all(file, largest)?;
    if lease::writer(file) == Writer::Open || facts_of(file)?.stamp != handle.stamp {
        return Ok(Opened::InUse);
    }
    Ok(Opened::Bytes { bytes, handle })
}

fn entries(folder: &Folder) -> io::Result<Vec<Entry>> {
    let known = |name: std::ffi::OsString| {
        let facts = folder.facts(&name).ok().filter(|facts| facts.is_file)?;
        Some(Entry { name: name.into_string().ok()?, size: facts.size, stamp: facts.stamp })
    };
    Ok(folder.names()?.into_iter().filter_map(known).collect())
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|error| Trouble { symptom: symptom(&error), action, detail: error.to_string() })
}

fn symptom(error: &io::Error) -> Symptom {
    match error.kind() {
        io::ErrorKind::NotFound => Symptom::ShareMissing,
        io::ErrorKind::StorageFull => Symptom::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Symptom::Denied,
        _ => Symptom::Malformed,
    }
}
