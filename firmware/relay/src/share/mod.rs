//! An end: shared folders that are not the box's own, on a terminal or at a consumer. Two implementations: an SMB
//! share, and a folder of this machine.
//!
//! What goes there is staged in a folder of our own beside the others, on the same share and so on the same volume:
//! the other side watches its folders, and no temporary name can be proved to be outside what it takes.

pub mod any;
pub mod local;
mod logins;
pub mod patient;
pub mod remote;
mod said;
mod selftest;
mod transport;
mod watch;

use std::fs::File;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::Symptom;
use model::selftest::Check;

pub use logins::Occasion;

/// The staging folder on an end.
pub const STAGING: &str = "sekisho-staging";

/// Why the share did not do what was asked. Carries no file name: the text may be shown and logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {detail}")]
pub struct Trouble {
    /// The fact, as the judge knows it.
    pub symptom: Symptom,
    /// What was tried.
    pub action: &'static str,
    /// What the other side or the system said.
    pub detail: String,
}

/// What an end must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The folders, and whether the end is well without it. A path's parts are divided by `/`.
    pub folders: Vec<(String, bool)>,
    /// Those in which something may come that we fetch.
    pub watched: Vec<String>,
    /// Whether missing folders are made: at a consumer they are the box's to make.
    pub make: bool,
}

/// A file of the share, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Changes whenever the file does.
    pub stamp: u64,
    /// When it changed, by the other side's clock; for the order only.
    pub changed: u64,
}

/// A file on its way to the share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What it is called in the staging folder.
    pub staged: String,
    /// The folder it goes to.
    pub folder: String,
    /// Its own name.
    pub name: String,
}

/// What a parcel of this stage is called in the staging folder.
pub fn staged_name(stage: u64) -> String {
    format!("{stage:016x}.part")
}

/// The stage a staged parcel's name belongs to.
pub fn stage_of(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".part")?, 16).ok()
}

/// What a file that only tries the share is called in the staging folder; it is no parcel's.
pub fn test_name(number: u64) -> String {
    format!("{number:016x}.test")
}

/// Whether a name in the staging folder is such a file's.
pub fn is_test(name: &str) -> bool {
    name.strip_suffix(".test").is_some_and(|number| u64::from_str_radix(number, 16).is_ok())
}

/// What is to be staged: an opened file of ours and how much of it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What it becomes.
    pub parcel: Parcel,
    /// Where it is copied from.
    pub file: Arc<File>,
    /// How many bytes.
    pub size: u64,
}

/// How a publication went, when the share answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It lies under its own name.
    Done,
    /// A file of that name lies there; nothing was changed.
    NameTaken,
    /// There is no staged file.
    Gone,
}

/// What the staging folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Tells this folder from another one of the same name, and from the same one after a cut that may have taken
    /// back what was done in it.
    pub identity: u64,
    /// The names in it.
    pub names: Vec<String>,
}

/// An opened file of the share.
#[derive(Debug)]
pub enum Opened<H> {
    /// Nobody writes it, as far as an open for reading and deleting tells.
    File {
        /// For reading and for removing exactly this file.
        handle: H,
        /// How large it is.
        size: u64,
        /// Its end, for telling whether it is whole.
        tail: Vec<u8>,
    },
    /// Somebody else's open excludes ours.
    InUse,
    /// It is not there any more.
    Gone,
}

/// An end, away or not.
pub trait Terminal: Send + Sync + 'static {
    /// What a connection to it is.
    type Share: Share;

    /// Connects, logs in and opens the folders, all afresh. While a refusal of the login stands and the occasion is not
    /// worth another try, its word is repeated.
    fn connect(
        &self,
        wanted: &Wanted,
        occasion: Occasion,
    ) -> impl Future<Output = Result<Self::Share, Trouble>> + Send;

    /// Tries what the promises rest on, beside every file that counts. None where there is nothing to doubt. So long
    /// somebody at the end may keep a file to himself.
    fn selftest(&self, attended: Duration) -> impl Future<Output = Vec<Check>> + Send {
        let _ = attended;
        std::future::ready(Vec::new())
    }
}

/// A connection to an end's share.
pub trait Share: Send + Sync + 'static {
    /// An opened file.
    type Handle: Send + Sync + 'static;

    /// How often its folders are looked at, whatever its events say.
    fn poll(&self) -> Duration;

    /// Whether a folder that may lack does.
    fn lacks(&self, folder: &str) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// The ordinary files of a folder; none if the folder may lack and does.
    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<Entry>, Trouble>> + Send;

    /// Copies files under their temporary names, flushes them and reads them back. One outcome each.
    fn stage(&self, files: Vec<Outgoing>) -> impl Future<Output = Vec<Result<(), Trouble>>> + Send;

    /// Renames staged files to their own names in this order, replacing nothing; what is done is durable as far as
    /// the share can say. One outcome each; an error means that it cannot be known.
    fn publish(&self, parcels: Vec<Parcel>) -> impl Future<Output = Vec<Result<Published, Trouble>>> + Send;

    /// What the staging folder holds.
    fn staged(&self) -> impl Future<Output = Result<Staged, Trouble>> + Send;

    /// Removes a file of the staging folder.
    fn discard(&self, name: &str) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Opens a file, if it is not larger than `largest`.
    fn open(
        &self,
        folder: &str,
        entry: &Entry,
        largest: u64,
    ) -> impl Future<Output = Result<Opened<Self::Handle>, Trouble>> + Send;

    /// Reads at most `length` bytes of an opened file; none at its end.
    fn read(
        &self,
        handle: &Self::Handle,
        offset: u64,
        length: usize,
    ) -> impl Future<Output = Result<Vec<u8>, Trouble>> + Send;

    /// Removes an opened file, unless it changed since it was opened. `Ok(false)` if it did.
    fn remove(&self, handle: Self::Handle) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// Lets an opened file be.
    fn release(&self, handle: Self::Handle) -> impl Future<Output = ()> + Send;

    /// Returns when something may have come. A hint: it may come late, or not at all.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// Ends the connection.
    fn close(&self) -> impl Future<Output = ()> + Send;
}
