//! An end's share by SMB, one session kept open: its folders, and what is staged in it.

pub(super) mod file;
pub(super) mod folder;
pub(super) mod login;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use model::Symptom;
use model::selftest::Check;
use smb::{
    CreateDisposition, Directory, File, FileAccessMask, FileDispositionInformation, FileInternalInformation,
    FileRenameInformation, Status,
};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use self::file::{
    check, listing, open_file, path_of, read, rename_access, seen, taking_access, write, writing_access,
};
use self::folder::{directory, entry, list, open_folder};
use self::login::LoggedIn;
pub use self::login::RemoteTerminal;
use super::patient::{LONGEST, Patient, SHORT, within};
use super::said::{DELETE_PENDING, said, status, trouble};
use super::selftest;
use super::watch::{self, Told};
use super::{
    Entry, Occasion, Opened, Outgoing, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble, Wanted,
};
use crate::sabotage;
use crate::whole::TAIL;

/// How often the folders are looked at while nobody tells of changes.
const POLL: Duration = Duration::from_millis(250);
/// How often they are while the server does: its events may lie or be missing.
const POLL_BESIDE_EVENTS: Duration = Duration::from_secs(1);
/// How often it is tried whether a folder that lacks is there after all.
const LACKING: Duration = Duration::from_secs(30);
/// So many bytes go in a second on the slowest network.
const SLOWEST: u64 = 4 * 1024 * 1024;
/// How many files are staged at the same time: on their way are bytes, not only acknowledgements.
const AT_ONCE: usize = 4;

/// A session with the share.
pub struct RemoteShare {
    own: LoggedIn,
    folders: std::sync::Mutex<HashMap<String, Seen>>,
    staged: Mutex<HashMap<String, File>>,
    told: Arc<Told>,
    watch: JoinHandle<()>,
}

/// What is known of a folder.
#[derive(Clone)]
enum Seen {
    There(Arc<Directory>),
    /// It may lack and did, then.
    Lacks(Instant),
}

/// An opened answer.
pub struct RemoteHandle {
    file: File,
    seen: (u64, u64),
}

impl std::fmt::Debug for RemoteShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteShare").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RemoteHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteHandle").finish_non_exhaustive()
    }
}

impl Terminal for RemoteTerminal {
    type Share = Patient<RemoteShare>;

    async fn connect(&self, wanted: &Wanted, occasion: Occasion) -> Result<Self::Share, Trouble> {
        let share = RemoteShare::open(self.log_in(occasion).await?, wanted, |there, told| {
            tokio::spawn(watch::keep(self.clone(), there, told))
        });
        Ok(Patient::new(share.await?, LONGEST))
    }

    async fn selftest(&self, attended: Duration) -> Vec<Check> {
        selftest::run(self, attended).await
    }
}

impl RemoteShare {
    /// Opens the folders; `watched` begins to watch those that are there.
    async fn open(
        own: LoggedIn,
        wanted: &Wanted,
        watched: impl FnOnce(Vec<String>, Arc<Told>) -> JoinHandle<()>,
    ) -> Result<Self, Trouble> {
        let mut folders = HashMap::new();
        for (name, may_lack) in &wanted.folders {
            let seen = match open_folder(&own.tree, name, wanted.make).await {
                Ok(folder) => Seen::There(Arc::new(folder)),
                Err(trouble) if *may_lack && trouble.symptom == Symptom::ShareMissing => {
                    Seen::Lacks(Instant::now())
                }
                Err(trouble) => return Err(trouble),
            };
            folders.insert(name.clone(), seen);
        }
        let told = Arc::new(Told::default());
        let there = |name: &&String| matches!(folders.get(*name), Some(Seen::There(_)));
        let watch = watched(wanted.watched.iter().filter(there).cloned().collect(), told.clone());
        let folders = std::sync::Mutex::new(folders);
        Ok(Self { own, folders, staged: Mutex::default(), told, watch })
    }

    fn seen(&self, name: &str) -> Option<Seen> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The folder; none if it may lack and does.
    async fn folder(&self, name: &str) -> Result<Option<Arc<Directory>>, Trouble> {
        match self.seen(name) {
            Some(Seen::There(folder)) => return Ok(Some(folder)),
            Some(Seen::Lacks(since)) if since.elapsed() < LACKING => return Ok(None),
            Some(Seen::Lacks(_)) => {}
            None => {
                let detail = "not one of ours".to_owned();
                return Err(Trouble { symptom: Symptom::ShareMissing, action: "find a folder", detail });
            }
        }
        let (seen, found) = match open_folder(&self.own.tree, name, false).await {
            Ok(folder) => {
                let folder = Arc::new(folder);
                (Seen::There(folder.clone()), Some(folder))
            }
            Err(trouble) if trouble.symptom == Symptom::ShareMissing => (Seen::Lacks(Instant::now()), None),
            Err(trouble) => return Err(trouble),
        };
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), seen);
        Ok(found)
    }

    async fn file(
        &self,
        action: &'static str,
        path: &str,
        disposition: CreateDisposition,
        access: FileAccessMask,
    ) -> Result<Result<File, u32>, Trouble> {
        open_file(&self.own.tree, action, path, disposition, access).await
    }

    async fn stage_one(&self, one: Outgoing) -> Result<(), Trouble> {
        let path = if sabotage::is(sabotage::NO_RENAME) {
            path_of(&one.parcel.folder, &one.parcel.name)
        } else {
            path_of(STAGING, &one.parcel.staged)
        };
        let opened = self.file("stage", &path, CreateDisposition::Create, writing_access()).await?;
        let file = opened.map_err(|found| said("stage", found))?;
        let written = match write(&file, &one).await {
            Ok(written) => written,
            Err(error) => {
                // A half-written file is removed with its last handle; what stays is swept at the next connection.
                let _ = file.set_info(FileDispositionInformation::default()).await;
                let _ = file.close().await;
                return Err(error);
            }
        };
        sabotage::step("staging");
        // Opened again: the client takes a file's size from its open and reads no further.
        let again = self.file("check", &path, CreateDisposition::Open, taking_access());
        let (closed, opened) = tokio::join!(file.close(), again);
        closed.map_err(|error| trouble("stage", &error))?;
        let file = opened?.map_err(|found| said("check", found))?;
        check(&file, one.size, written).await?;
        self.staged.lock().await.insert(one.parcel.staged, file);
        Ok(())
    }

    async fn publish_one(&self, parcel: &Parcel) -> Result<Published, Trouble> {
        let kept = self.staged.lock().await.remove(&parcel.staged);
        let file = match kept {
            Some(file) => file,
            None => {
                let path = path_of(STAGING, &parcel.staged);
                match self.file("publish", &path, CreateDisposition::Open, rename_access()).await? {
                    Ok(file) => file,
                    Err(Status::U32_OBJECT_NAME_NOT_FOUND) => return Ok(Published::Gone),
                    Err(found) => return Err(said("publish", found)),
                }
            }
        };
        let renamed = if sabotage::is(sabotage::NO_RENAME) {
            Ok(())
        } else {
            let file_name = path_of(&parcel.folder, &parcel.name).as_str().into();
            let replace_if_exists = false.into();
            file.set_info(FileRenameInformation { replace_if_exists, root_directory: 0, file_name }).await
        };
        // Our handle would keep the link application from the file; what the close says changes nothing.
        let _ = file.close().await;
        match renamed {
            Ok(()) => Ok(Published::Done),
            Err(error) => match status(&error) {
                Some(Status::U32_OBJECT_NAME_COLLISION) => Ok(Published::NameTaken),
                Some(Status::U32_OBJECT_NAME_NOT_FOUND) => Ok(Published::Gone),
                _ => Err(trouble("publish", &error)),
            },
        }
    }
}

impl Share for RemoteShare {
    type Handle = RemoteHandle;

    fn poll(&self) -> Duration {
        if self.told.is_watched() { POLL_BESIDE_EVENTS } else { POLL }
    }

    async fn lacks(&self, folder: &str) -> Result<bool, Trouble> {
        Ok(self.folder(folder).await?.is_none())
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        let Some(folder) = self.folder(folder).await? else { return Ok(Vec::new()) };
        let files = list(&folder).await?.into_iter().filter(|one| !one.file_attributes.directory());
        Ok(files.map(entry).collect())
    }

    async fn stage(&self, files: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        let stage = |one: Outgoing| {
            let longest = SHORT + Duration::from_secs(one.size / SLOWEST);
            within(longest, "stage", self.stage_one(one))
        };
        let staging: Vec<_> = files.into_iter().map(stage).collect();
        futures_util::stream::iter(staging).buffered(AT_ONCE).collect().await
    }

    async fn publish(&self, parcels: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
        let mut outcomes = Vec::new();
        for parcel in &parcels {
            outcomes.push(within(SHORT, "publish", self.publish_one(parcel)).await);
            sabotage::step("publishing");
        }
        outcomes
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        let access = listing();
        let opened = self.own.tree.create_directory(STAGING, CreateDisposition::OpenIf, access).await;
        let opened = directory(opened.map_err(|error| trouble("open the staging folder", &error))?)?;
        let identity = opened.query_info::<FileInternalInformation>().await;
        let identity = identity.map_err(|error| trouble("identify the staging folder", &error))?.index_number;
        let folder = Arc::new(opened);
        let found = list(&folder).await?;
        let _ = folder.close().await;
        let files = found.into_iter().filter(|one| !one.file_attributes.directory());
        Ok(Staged { identity, names: files.map(|one| one.file_name.to_string()).collect() })
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        let path = path_of(STAGING, name);
        match self.file("discard", &path, CreateDisposition::Open, rename_access()).await? {
            Ok(file) => {
                let removed = file.set_info(FileDispositionInformation::default()).await;
                let _ = file.close().await;
                removed.map_err(|error| trouble("discard", &error))
            }
            Err(Status::U32_OBJECT_NAME_NOT_FOUND | DELETE_PENDING) => Ok(()),
            Err(found) => Err(said("discard", found)),
        }
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<RemoteHandle>, Trouble> {
        let path = path_of(folder, &entry.name);
        let opened = self.file("open a file", &path, CreateDisposition::Open, taking_access()).await?;
        let file = match opened {
            Ok(file) => file,
            Err(Status::U32_SHARING_VIOLATION) => return Ok(Opened::InUse),
            Err(Status::U32_OBJECT_NAME_NOT_FOUND | DELETE_PENDING) => return Ok(Opened::Gone),
            Err(found) => return Err(said("open a file", found)),
        };
        let seen = seen(&file).await?;
        let size = seen.0;
        if size > largest {
            let _ = file.close().await;
            return Ok(Opened::InUse);
        }
        let length = usize::try_from(size).unwrap_or(TAIL).min(TAIL);
        let tail = read(&file, size - length as u64, length).await?;
        Ok(Opened::File { handle: RemoteHandle { file, seen }, size, tail })
    }

    async fn read(&self, handle: &RemoteHandle, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
        let left = usize::try_from(handle.seen.0.saturating_sub(offset)).unwrap_or(length);
        read(&handle.file, offset, length.min(left)).await
    }

    async fn remove(&self, handle: RemoteHandle) -> Result<bool, Trouble> {
        let same = seen(&handle.file).await? == handle.seen;
        let removed =
            if same { handle.file.set_info(FileDispositionInformation::default()).await } else { Ok(()) };
        let closed = handle.file.close().await;
        removed.and(closed).map_err(|error| trouble("remove an answer", &error))?;
        Ok(same)
    }

    async fn release(&self, handle: RemoteHandle) {
        // A connection that is gone has released it already.
        let _ = handle.file.close().await;
    }

    async fn changed(&self) {
        self.told.changed().await;
    }

    async fn close(&self) {
        self.watch.abort();
        self.own.end().await;
    }
}

impl Drop for RemoteShare {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
