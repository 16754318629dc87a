//! The terminal's end: a shared folder with `req`, `res` and `face` in it. Two implementations: an SMB share, and
//! a folder of this machine.
//!
//! Requests are staged in a folder of our own beside `req`, on the same share and so on the same volume: the link
//! application watches `req`, and no temporary name can be proved to be outside what it takes.

pub mod local;
pub mod patient;
pub mod remote;
mod said;
mod transport;

use std::future::Future;
use std::sync::Arc;

use model::Symptom;

/// The staging folder on the terminal's share.
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

/// A file of the share, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Changes whenever the file does.
    pub stamp: u64,
}

/// A request on its way to the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel<'a> {
    /// What its staged file is called by.
    pub stage: u64,
    /// The folder it goes to.
    pub folder: &'a str,
    /// Its own name.
    pub name: &'a str,
}

impl Parcel<'_> {
    /// The staged file's name.
    pub fn staged_name(&self) -> String {
        format!("{:016x}.part", self.stage)
    }
}

/// The stage a staged file's name belongs to.
pub fn stage_of(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".part")?, 16).ok()
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
    /// Tells this folder from another one of the same name.
    pub identity: u64,
    /// The names in it.
    pub names: Vec<String>,
}

/// An opened answer.
#[derive(Debug)]
pub enum Opened<H> {
    /// Nobody writes it, as far as an open for reading and deleting tells.
    Bytes {
        /// A private copy.
        bytes: Vec<u8>,
        /// For removing exactly this file.
        handle: H,
    },
    /// Somebody else's open excludes ours.
    InUse,
    /// It is not there any more.
    Gone,
}

/// A terminal, away or not.
pub trait Terminal: Send + Sync + 'static {
    /// What a connection to it is.
    type Share: Share;

    /// Connects, logs in and opens the three folders, all afresh.
    fn connect(&self) -> impl Future<Output = Result<Self::Share, Trouble>> + Send;
}

/// A connection to a terminal's share.
pub trait Share: Send + Sync + 'static {
    /// An opened answer.
    type Handle: Send + Sync;

    /// The ordinary files of a folder.
    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<Entry>, Trouble>> + Send;

    /// Writes a request under its temporary name, flushes it and reads it back.
    fn stage(&self, parcel: Parcel<'_>, bytes: Arc<[u8]>)
    -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Renames the staged file to its own name, replacing nothing. An error means that it cannot be known.
    fn publish(&self, parcel: Parcel<'_>) -> impl Future<Output = Result<Published, Trouble>> + Send;

    /// What the staging folder holds.
    fn staged(&self) -> impl Future<Output = Result<Staged, Trouble>> + Send;

    /// Removes a file of the staging folder.
    fn discard(&self, name: &str) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Opens an answer and reads it, at most `largest` bytes and one more.
    fn open(
        &self,
        folder: &str,
        entry: &Entry,
        largest: u64,
    ) -> impl Future<Output = Result<Opened<Self::Handle>, Trouble>> + Send;

    /// Removes an opened answer, unless it changed since it was read. `Ok(false)` if it did.
    fn remove(&self, handle: Self::Handle) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// Lets an opened answer be.
    fn release(&self, handle: Self::Handle) -> impl Future<Output = ()> + Send;

    /// Returns when an answer may have come. A hint: it may come late, or not at all.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// Ends the connection.
    fn close(&self) -> impl Future<Output = ()> + Send;
}
