//! A terminal's share by SMB: dialect 3.0 or newer, encrypted, one session kept open.
//!
//! The login is read from its file at every connection, so that a changed password needs no restart.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use model::Symptom;
use smb::connection::EncryptionMode;
use smb::{
    Connection, ConnectionConfig, CreateDisposition, CreateOptions, Dialect, Directory, File, FileAccessMask,
    FileAttributes, FileCreateArgs, FileDirectoryInformation, FileDispositionInformation,
    FileInternalInformation, FileNetworkOpenInformation, FileRenameInformation, Guid, NotifyFilter, Resource,
    Session, Status, Tree, UncPath,
};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use super::patient::{LONGEST, Patient};
use super::said::{DELETE_PENDING, connecting, hidden, is_about_the_file, refused, said, status, trouble};
use super::transport::Tcp;
use super::{Entry, Opened, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble};
use crate::sabotage;
use crate::site::TerminalConfig;

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much one read or write carries; every server allows it.
const CHUNK: usize = 64 * 1024;

/// A terminal whose share is reached by SMB.
#[derive(Clone, Debug)]
pub struct RemoteTerminal {
    config: TerminalConfig,
}

/// A session with the terminal's share.
pub struct RemoteShare {
    connection: Connection,
    session: Session,
    tree: Tree,
    folders: HashMap<&'static str, Arc<Directory>>,
    staged: Mutex<HashMap<u64, File>>,
    notify: Arc<Notify>,
    watches: Vec<JoinHandle<()>>,
}

/// An opened answer.
pub struct RemoteHandle {
    file: File,
    seen: (u64, u64),
}

impl RemoteTerminal {
    /// The terminal of this configuration.
    pub const fn new(config: TerminalConfig) -> Self {
        Self { config }
    }
}

impl Terminal for RemoteTerminal {
    type Share = Patient<RemoteShare>;

    async fn connect(&self) -> Result<Self::Share, Trouble> {
        let identity = login(&self.config.secret)?;
        let transport =
            Tcp::connect(self.config.address, PATIENCE).await.map_err(|error| connecting(&error))?;
        let server = self.config.address.ip().to_string();
        let connection =
            Connection::from_transport(Box::new(transport), &server, Guid::generate(), settings());
        let connection = connection.await.map_err(|error| trouble("negotiate", &error))?;
        let session = connection.authenticate(identity).await.map_err(|error| refused(&error))?;
        let unc = UncPath::new(&server).and_then(|unc| unc.with_share(&self.config.share));
        let unc = unc.map_err(|error| trouble("name the share", &error))?;
        let tree = session.tree_connect(&unc).await.map_err(|error| trouble("open the share", &error))?;
        Ok(Patient::new(RemoteShare::open(connection, session, tree).await?, LONGEST))
    }
}

impl RemoteShare {
    async fn open(connection: Connection, session: Session, tree: Tree) -> Result<Self, Trouble> {
        let mut folders = HashMap::new();
        for name in ["req", "res", "face"] {
            let opened = tree.create_directory(name, CreateDisposition::Open, listing()).await;
            let opened = opened.map_err(|error| trouble("open a folder", &error))?;
            folders.insert(name, Arc::new(directory(opened)?));
        }
        let notify = Arc::new(Notify::new());
        let watches = ["res", "face"]
            .iter()
            .filter_map(|name| folders.get(name))
            .map(|folder| tokio::spawn(watch(folder.clone(), notify.clone())));
        let watches = watches.collect();
        Ok(Self { connection, session, tree, folders, staged: Mutex::default(), notify, watches })
    }

    fn folder(&self, name: &str) -> Result<&Arc<Directory>, Trouble> {
        self.folders.get(name).ok_or_else(|| Trouble {
            symptom: Symptom::ShareMissing,
            action: "find a folder",
            detail: "not one of req, res, face".to_owned(),
        })
    }

    async fn file(
        &self,
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
        match self.tree.create(path, &args).await {
            Ok(Resource::File(file)) => Ok(Ok(file)),
            Ok(_) => Ok(Err(Status::U32_FILE_IS_A_DIRECTORY)),
            Err(error) => match status(&error) {
                Some(found) if is_about_the_file(found) => Ok(Err(found)),
                _ => Err(trouble(action, &error)),
            },
        }
    }
}

impl Share for RemoteShare {
    type Handle = RemoteHandle;

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        let found = list(self.folder(folder)?).await?;
        let files = found.into_iter().filter(|one| !one.file_attributes.directory());
        Ok(files.map(entry).collect())
    }

    async fn stage(&self, parcel: Parcel<'_>, bytes: Arc<[u8]>) -> Result<(), Trouble> {
        let path = if sabotage::is(sabotage::NO_RENAME) {
            format!("{}\\{}", parcel.folder, parcel.name)
        } else {
            format!("{STAGING}\\{}", parcel.staged_name())
        };
        let opened = self.file("stage", &path, CreateDisposition::Create, writing_access()).await?;
        let file = opened.map_err(|found| said("stage", found))?;
        if let Err(error) = write(&file, &bytes).await {
            // A half-written file is removed with its last handle; what stays is swept at the next connection.
            let _ = file.set_info(FileDispositionInformation::default()).await;
            let _ = file.close().await;
            return Err(error);
        }
        // Opened again: the client takes a file's size from its open and reads no further.
        let again = self.file("check", &path, CreateDisposition::Open, taking_access());
        let (closed, opened) = tokio::join!(file.close(), again);
        closed.map_err(|error| trouble("stage", &error))?;
        let file = opened?.map_err(|found| said("check", found))?;
        check(&file, &bytes).await?;
        self.staged.lock().await.insert(parcel.stage, file);
        Ok(())
    }

    async fn publish(&self, parcel: Parcel<'_>) -> Result<Published, Trouble> {
        let kept = self.staged.lock().await.remove(&parcel.stage);
        let file = match kept {
            Some(file) => file,
            None => {
                let path = format!("{STAGING}\\{}", parcel.staged_name());
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
            let file_name = format!("{}\\{}", parcel.folder, parcel.name).as_str().into();
            file.set_info(FileRenameInformation {
                replace_if_exists: false.into(),
                root_directory: 0,
                file_name,
            })
            .await
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

    async fn staged(&self) -> Result<Staged, Trouble> {
        let access = listing();
        let opened = self.tree.create_directory(STAGING, CreateDisposition::OpenIf, access).await;
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
        let path = format!("{STAGING}\\{name}");
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
        let path = format!("{folder}\\{}", entry.name);
        let opened = self.file("open an answer", &path, CreateDisposition::Open, taking_access()).await?;
        let file = match opened {
            Ok(file) => file,
            Err(Status::U32_SHARING_VIOLATION) => return Ok(Opened::InUse),
            Err(Status::U32_OBJECT_NAME_NOT_FOUND | DELETE_PENDING) => return Ok(Opened::Gone),
            Err(found) => return Err(said("open an answer", found)),
        };
        let seen = seen(&file).await?;
        if seen.0 > largest {
            let _ = file.close().await;
            return Ok(Opened::InUse);
        }
        let bytes = read(&file, seen.0).await?;
        Ok(Opened::Bytes { bytes, handle: RemoteHandle { file, seen } })
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
        self.watches.iter().for_each(JoinHandle::abort);
        let _ = self.session.logoff().await;
        let _ = self.connection.close().await;
    }
}

impl Drop for RemoteShare {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
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
fn login(path: &Path) -> Result<sspi::AuthIdentity, Trouble> {
    let own = |detail: String| Trouble { symptom: Symptom::LoginRefused, action: "read the login", detail };
    let text = std::fs::read_to_string(path).map_err(|error| own(error.kind().to_string()))?;
    let mut lines = text.lines();
    let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
        return Err(own("user and password are wanted, a line each".to_owned()));
    };
    let username =
        sspi::Username::parse(user).map_err(|_| own("the user's name cannot be used".to_owned()))?;
    Ok(sspi::AuthIdentity { username, password: password.to_owned().into() })
}

fn listing() -> FileAccessMask {
    FileAccessMask::new().with_file_read_data(true).with_file_read_attributes(true).with_synchronize(true)
}

/// For a file that is written.
fn writing_access() -> FileAccessMask {
    rename_access().with_file_write_data(true).with_file_write_attributes(true)
}

/// For a file that is read and renamed or removed. Asking for deletion is refused while a writer does not share it.
fn taking_access() -> FileAccessMask {
    listing().with_delete(true)
}

fn rename_access() -> FileAccessMask {
    FileAccessMask::new().with_file_read_attributes(true).with_delete(true).with_synchronize(true)
}

async fn write(file: &File, bytes: &[u8]) -> Result<(), Trouble> {
    let mut at = 0;
    while at < bytes.len() {
        let chunk = &bytes[at..bytes.len().min(at + CHUNK)];
        let written =
            file.write_block(chunk, at as u64, None).await.map_err(|error| hidden("write", &error))?;
        at += written.max(1);
    }
    file.flush().await.map_err(|error| hidden("flush", &error))
}

async fn check(file: &File, bytes: &[u8]) -> Result<(), Trouble> {
    let back = read(file, bytes.len() as u64).await?;
    if blake3::hash(&back) == blake3::hash(bytes) {
        return Ok(());
    }
    let detail = "what was read back differs from what was written".to_owned();
    Err(Trouble { symptom: Symptom::Malformed, action: "check", detail })
}

/// Reads at most `size` bytes.
async fn read(file: &File, size: u64) -> Result<Vec<u8>, Trouble> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + CHUNK);
        let got = file.read_block(&mut bytes[at..end], at as u64, None, false).await;
        match got.map_err(|error| hidden("read", &error))? {
            0 => break,
            count => at += count,
        }
    }
    bytes.truncate(at);
    Ok(bytes)
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
    Entry { name: found.file_name.to_string(), size: found.end_of_file, stamp }
}

fn directory(resource: Resource) -> Result<Directory, Trouble> {
    match resource {
        Resource::Directory(directory) => Ok(directory),
        _ => Err(said("open a folder", Status::U32_OBJECT_PATH_NOT_FOUND)),
    }
}

/// Waits for changes until the server or the connection ends it; then only looking is left, and is enough.
async fn watch(folder: Arc<Directory>, notify: Arc<Notify>) {
    let filter = NotifyFilter::new().with_file_name(true).with_size(true).with_last_write(true);
    while folder.watch(filter, false).await.is_ok() {
        notify.notify_one();
    }
    tracing::debug!("no change events from the terminal's share: looking instead");
}
