//! An end's share by SMB: dialect 3.0 or newer, encrypted, one session kept open.
//!
//! The login is read from its file at every connection, so that a changed password needs no restart, and is tried as
//! often as `logins` lets it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use model::Symptom;
use model::selftest::Check;
use smb::connection::EncryptionMode;
use smb::{
    Connection, ConnectionConfig, CreateDisposition, CreateOptions, Dialect, Directory, File, FileAccessMask,
    FileAttributes, FileCreateArgs, FileDirectoryInformation, FileDispositionInformation,
    FileInternalInformation, FileNetworkOpenInformation, FileRenameInformation, Guid, Resource, Session,
    Status, Tree, UncPath,
};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use super::logins::{Login, Logins};
use super::patient::{LONGEST, Patient, SHORT, within};
use super::said::{DELETE_PENDING, connecting, hidden, is_about_the_file, refused, said, status, trouble};
use super::transport::Tcp;
use super::{
    Entry, Occasion, Opened, Outgoing, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble, Wanted,
};
use super::{selftest, watch};
use crate::folder::read_range;
use crate::sabotage::{self, FLUSH_REMOTE, unless_awaited};
use crate::whole::TAIL;

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much one read or write carries; every server allows it.
pub(super) const CHUNK: usize = 64 * 1024;
/// How often the folders are looked at beside the events: a server's events may lie or be missing.
const POLL: Duration = Duration::from_millis(250);
/// How often it is tried whether a folder that lacks is there after all.
const LACKING: Duration = Duration::from_secs(30);
/// So many bytes go in a second on the slowest network.
const SLOWEST: u64 = 4 * 1024 * 1024;
/// How many files are staged at the same time: on their way are bytes, not only acknowledgements.
const AT_ONCE: usize = 4;

/// An end whose share is reached by SMB.
#[derive(Clone, Debug)]
pub struct RemoteTerminal {
    address: SocketAddr,
    share: String,
    secret: PathBuf,
    logins: Arc<Logins>,
}

/// A session with the share.
pub struct RemoteShare {
    own: LoggedIn,
    folders: std::sync::Mutex<HashMap<String, Seen>>,
    staged: Mutex<HashMap<String, File>>,
    notify: Arc<Notify>,
    watch: JoinHandle<()>,
}

/// What is known of a folder.
#[derive(Clone)]
enum Seen {
    There(Arc<Directory>),
    /// It may lack and did, then.
    Lacks(Instant),
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

/// An opened answer.
pub struct RemoteHandle {
    file: File,
    seen: (u64, u64),
}

impl Terminal for RemoteTerminal {
    type Share = Patient<RemoteShare>;

    async fn connect(&self, wanted: &Wanted, occasion: Occasion) -> Result<Self::Share, Trouble> {
        let share = RemoteShare::open(self.log_in(occasion).await?, wanted, |there, notify| {
            tokio::spawn(watch::keep(self.clone(), there, notify))
        });
        Ok(Patient::new(share.await?, LONGEST))
    }

    async fn selftest(&self, attended: Duration) -> Vec<Check> {
        selftest::run(self, attended).await
    }
}

/// A login to a share.
pub(super) struct LoggedIn {
    connection: Connection,
    session: Session,
    pub(super) tree: Tree,
}

impl LoggedIn {
    pub(super) async fn end(&self) {
        let _ = self.session.logoff().await;
        let _ = self.connection.close().await;
    }
}

impl RemoteTerminal {
    /// A share and where its server listens, and the file with the login: user and password, a line each.
    pub fn new(address: SocketAddr, share: String, secret: PathBuf) -> Self {
        Self { address, share, secret, logins: Arc::default() }
    }

    /// Counts its logins together with those to `other` if both are to one account.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        let same = self.address == other.address && self.secret == other.secret;
        if same { Self { logins: other.logins.clone(), ..self } } else { self }
    }

    pub(super) async fn log_in(&self, occasion: Occasion) -> Result<LoggedIn, Trouble> {
        let (login, identity) = login(&self.secret)?;
        self.logins.may(occasion, login).await?;
        let transport = Tcp::connect(self.address, PATIENCE).await.map_err(|error| connecting(&error))?;
        let server = self.address.ip().to_string();
        let connection =
            Connection::from_transport(Box::new(transport), &server, Guid::generate(), settings());
        let connection = connection.await.map_err(|error| trouble("negotiate", &error))?;
        let asked = async { connection.authenticate(identity).await.map_err(|error| refused(&error)) };
        let session = self.logins.log_in(occasion, login, asked).await?;
        let unc = UncPath::new(&server).and_then(|unc| unc.with_share(&self.share));
        let unc = unc.map_err(|error| trouble("name the share", &error))?;
        let tree = session.tree_connect(&unc).await.map_err(|error| trouble("open the share", &error))?;
        Ok(LoggedIn { connection, session, tree })
    }
}

impl RemoteShare {
    /// Opens the folders; `watched` begins to watch those that are there.
    async fn open(
        own: LoggedIn,
        wanted: &Wanted,
        watched: impl FnOnce(Vec<String>, Arc<Notify>) -> JoinHandle<()>,
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
        let notify = Arc::new(Notify::new());
        let there = |name: &&String| matches!(folders.get(*name), Some(Seen::There(_)));
        let watch = watched(wanted.watched.iter().filter(there).cloned().collect(), notify.clone());
        let folders = std::sync::Mutex::new(folders);
        Ok(Self { own, folders, staged: Mutex::default(), notify, watch })
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
        POLL
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
        self.notify.notified().await;
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

fn settings() -> ConnectionConfig {
    ConnectionConfig {
        timeout: Some(PATIENCE),
        min_dialect: Some(Dialect::Smb030),
        encryption_mode: EncryptionMode::Required,
        smb2_only_negotiate: true,
        client_name: Some("sekisho".to_owned()),
        ..ConnectionConfig::default()
    }
}

/// User and password, a line each.
fn login(path: &Path) -> Result<(Login, sspi::AuthIdentity), Trouble> {
    let own = |detail: String| Trouble { symptom: Symptom::LoginRefused, action: "read the login", detail };
    let text = std::fs::read_to_string(path).map_err(|error| own(error.kind().to_string()))?;
    let mut lines = text.lines();
    let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
        return Err(own("user and password are wanted, a line each".to_owned()));
    };
    let username =
        sspi::Username::parse(user).map_err(|_| own("the user's name cannot be used".to_owned()))?;
    let identity = sspi::AuthIdentity { username, password: password.to_owned().into() };
    Ok((blake3::hash(text.as_bytes()), identity))
}

pub(super) fn listing() -> FileAccessMask {
    FileAccessMask::new().with_file_read_data(true).with_file_read_attributes(true).with_synchronize(true)
}

/// For a file that is written.
pub(super) fn writing_access() -> FileAccessMask {
    rename_access().with_file_write_data(true).with_file_write_attributes(true)
}

/// For a file that is read and renamed or removed. Asking for deletion is refused while a writer does not share it.
pub(super) fn taking_access() -> FileAccessMask {
    listing().with_delete(true)
}

pub(super) fn rename_access() -> FileAccessMask {
    FileAccessMask::new().with_file_read_attributes(true).with_delete(true).with_synchronize(true)
}

/// Writes and flushes; returns the hash of what was written.
async fn write(file: &File, one: &Outgoing) -> Result<blake3::Hash, Trouble> {
    let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
    while at < one.size {
        let bytes = chunk(one, at).await?;
        hasher.update(&bytes);
        let mut done = 0;
        while done < bytes.len() {
            let written = file.write_block(&bytes[done..], at + done as u64, None).await;
            done += written.map_err(|error| hidden("write", &error))?.max(1);
        }
        at += bytes.len() as u64;
    }
    let flushed = unless_awaited(FLUSH_REMOTE, file.flush()).await;
    flushed.map_err(|error| hidden("flush", &error))?;
    Ok(hasher.finalize())
}

/// The next bytes of a file of ours.
async fn chunk(one: &Outgoing, at: u64) -> Result<Vec<u8>, Trouble> {
    let length = usize::try_from(one.size - at).unwrap_or(CHUNK).min(CHUNK);
    let file = one.file.clone();
    let bytes = tokio::task::spawn_blocking(move || read_range(&file, at, length)).await;
    let shorter = || Trouble {
        symptom: Symptom::Malformed,
        action: "read what is to be sent",
        detail: "it is shorter than it was".to_owned(),
    };
    match bytes {
        Ok(Ok(bytes)) if bytes.len() == length => Ok(bytes),
        _ => Err(shorter()),
    }
}

async fn check(file: &File, size: u64, written: blake3::Hash) -> Result<(), Trouble> {
    let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(CHUNK).min(CHUNK);
        let bytes = read(file, at, length).await?;
        if bytes.is_empty() {
            break;
        }
        hasher.update(&bytes);
        at += bytes.len() as u64;
    }
    if at == size && hasher.finalize() == written {
        return Ok(());
    }
    let detail = "what was read back differs from what was written".to_owned();
    Err(Trouble { symptom: Symptom::Malformed, action: "check", detail })
}

/// Reads at most `length` bytes.
pub(super) async fn read(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + CHUNK);
        let got = file.read_block(&mut bytes[at..end], offset + at as u64, None, false).await;
        match got.map_err(|error| hidden("read", &error))? {
            0 => break,
            count => at += count,
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

/// A path as SMB writes it.
pub(super) fn path_of(folder: &str, name: &str) -> String {
    format!("{}\\{name}", folder.replace('/', "\\"))
}

/// Opens a file; what the share says about that file is an answer.
pub(super) async fn open_file(
    tree: &Tree,
    action: &'static str,
    path: &str,
    disposition: CreateDisposition,
    access: FileAccessMask,
) -> Result<Result<File, u32>, Trouble> {
    let args = FileCreateArgs {
        disposition,
        attributes: FileAttributes::new(),
        options: CreateOptions::new().with_non_directory_file(true),
        desired_access: access,
    };
    match tree.create(path, &args).await {
        Ok(Resource::File(file)) => Ok(Ok(file)),
        Ok(_) => Ok(Err(Status::U32_FILE_IS_A_DIRECTORY)),
        Err(error) => match status(&error) {
            Some(found) if is_about_the_file(found) => Ok(Err(found)),
            _ => Err(trouble(action, &error)),
        },
    }
}

/// Opens a folder; makes what is missing on the way if asked to.
pub(super) async fn open_folder(tree: &Tree, path: &str, make: bool) -> Result<Directory, Trouble> {
    let disposition = if make { CreateDisposition::OpenIf } else { CreateDisposition::Open };
    if let (true, Some((above, _))) = (make, path.rsplit_once('/')) {
        let above = Box::pin(open_folder(tree, above, make)).await?;
        let _ = above.close().await;
    }
    let opened = tree.create_directory(&path.replace('/', "\\"), disposition, listing()).await;
    directory(opened.map_err(|error| trouble("open a folder", &error))?)
}

/// Size and last write: what changes when somebody wrote after we read.
async fn seen(file: &File) -> Result<(u64, u64), Trouble> {
    let found = file.query_info::<FileNetworkOpenInformation>().await;
    let found = found.map_err(|error| trouble("look at an answer", &error))?;
    Ok((found.end_of_file, *found.last_write_time))
}

async fn list(folder: &Arc<Directory>) -> Result<Vec<FileDirectoryInformation>, Trouble> {
    let stream = Directory::query::<FileDirectoryInformation>(folder, "*").await;
    let mut stream = stream.map_err(|error| trouble("list a folder", &error))?;
    let mut found = Vec::new();
    while let Some(one) = stream.next().await {
        found.push(one.map_err(|error| trouble("list a folder", &error))?);
    }
    Ok(found)
}

fn entry(found: FileDirectoryInformation) -> Entry {
    let stamp = *found.change_time ^ found.last_write_time.rotate_left(32);
    let changed = *found.last_write_time;
    Entry { name: found.file_name.to_string(), size: found.end_of_file, stamp, changed }
}

pub(super) fn directory(resource: Resource) -> Result<Directory, Trouble> {
    match resource {
        Resource::Directory(directory) => Ok(directory),
        _ => Err(said("open a folder", Status::U32_OBJECT_PATH_NOT_FOUND)),
    }
}
