//! An end of either sort, as the site file says.

use std::time::Duration;

use model::selftest::Check;

use super::local::{LocalHandle, LocalShare, LocalTerminal};
use super::patient::Patient;
use super::remote::{RemoteHandle, RemoteShare, RemoteTerminal};
use super::{Entry, Occasion, Opened, Outgoing, Parcel, Published, Share, Staged, Terminal, Trouble, Wanted};

/// An end.
#[derive(Debug)]
pub enum AnyTerminal {
    /// Reached by SMB.
    Remote(RemoteTerminal),
    /// A folder of this machine.
    Local(LocalTerminal),
}

/// A connection to it.
#[derive(Debug)]
pub enum AnyShare {
    /// By SMB.
    Remote(Box<Patient<RemoteShare>>),
    /// In this machine.
    Local(LocalShare),
}

/// An opened file of it.
#[derive(Debug)]
pub enum AnyHandle {
    /// By SMB.
    Remote(RemoteHandle),
    /// In this machine.
    Local(LocalHandle),
}

impl Terminal for AnyTerminal {
    type Share = AnyShare;

    async fn connect(&self, wanted: &Wanted, occasion: Occasion) -> Result<AnyShare, Trouble> {
        match self {
            Self::Remote(terminal) => {
                terminal.connect(wanted, occasion).await.map(Box::new).map(AnyShare::Remote)
            }
            Self::Local(terminal) => terminal.connect(wanted, occasion).await.map(AnyShare::Local),
        }
    }

    async fn selftest(&self, attended: Duration) -> Vec<Check> {
        match self {
            Self::Remote(terminal) => terminal.selftest(attended).await,
            Self::Local(terminal) => terminal.selftest(attended).await,
        }
    }
}

impl Share for AnyShare {
    type Handle = AnyHandle;

    fn poll(&self) -> Duration {
        match self {
            Self::Remote(share) => share.poll(),
            Self::Local(share) => share.poll(),
        }
    }

    async fn lacks(&self, folder: &str) -> Result<bool, Trouble> {
        match self {
            Self::Remote(share) => share.lacks(folder).await,
            Self::Local(share) => share.lacks(folder).await,
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        match self {
            Self::Remote(share) => share.list(folder).await,
            Self::Local(share) => share.list(folder).await,
        }
    }

    async fn stage(&self, files: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        match self {
            Self::Remote(share) => share.stage(files).await,
            Self::Local(share) => share.stage(files).await,
        }
    }

    async fn publish(&self, parcels: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
        match self {
            Self::Remote(share) => share.publish(parcels).await,
            Self::Local(share) => share.publish(parcels).await,
        }
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        match self {
            Self::Remote(share) => share.staged().await,
            Self::Local(share) => share.staged().await,
        }
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        match self {
            Self::Remote(share) => share.discard(name).await,
            Self::Local(share) => share.discard(name).await,
        }
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<AnyHandle>, Trouble> {
        match self {
            Self::Remote(share) => {
                share.open(folder, entry, largest).await.map(|it| it.map(AnyHandle::Remote))
            }
            Self::Local(share) => share.open(folder, entry, largest).await.map(|it| it.map(AnyHandle::Local)),
        }
    }

    async fn read(&self, handle: &AnyHandle, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
        match (self, handle) {
            (Self::Remote(share), AnyHandle::Remote(handle)) => share.read(handle, offset, length).await,
            (Self::Local(share), AnyHandle::Local(handle)) => share.read(handle, offset, length).await,
            _ => Err(strange()),
        }
    }

    async fn remove(&self, handle: AnyHandle) -> Result<bool, Trouble> {
        match (self, handle) {
            (Self::Remote(share), AnyHandle::Remote(handle)) => share.remove(handle).await,
            (Self::Local(share), AnyHandle::Local(handle)) => share.remove(handle).await,
            _ => Err(strange()),
        }
    }

    async fn release(&self, handle: AnyHandle) {
        match (self, handle) {
            (Self::Remote(share), AnyHandle::Remote(handle)) => share.release(handle).await,
            (Self::Local(share), AnyHandle::Local(handle)) => share.release(handle).await,
            _ => {}
        }
    }

    async fn changed(&self) {
        match self {
            Self::Remote(share) => share.changed().await,
            Self::Local(share) => share.changed().await,
        }
    }

    async fn close(&self) {
        match self {
            Self::Remote(share) => share.close().await,
            Self::Local(share) => share.close().await,
        }
    }
}

impl<H> Opened<H> {
    fn map<G>(self, wrap: impl FnOnce(H) -> G) -> Opened<G> {
        match self {
            Self::File { handle, size, tail } => Opened::File { handle: wrap(handle), size, tail },
            Self::InUse => Opened::InUse,
            Self::Gone => Opened::Gone,
        }
    }
}

/// No handle of one sort is ever given to a share of the other.
fn strange() -> Trouble {
    let detail = "the handle is another share's".to_owned();
    Trouble { symptom: model::Symptom::Malformed, action: "use a handle", detail }
}
