//! Watching the folders of a share by SMB: a hint that something changed, on a connection of its own.
//!
//! A change is answered twice: at once that it will be, and then that it was. Servers grant the credits for the next
//! request with the first of these (MS-SMB2 3.3.4.2), and the client's library forgets them: each change costs its
//! connection a credit or two, and when the server's most are spent (Windows has 512 at least, Samba 8192) the library waits
//! for one for ever. So what watches is not what carries, and is made anew before that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::future::select_all;
use smb::{Directory, NotifyFilter};
use tokio::sync::Notify;

use super::remote::RemoteTerminal;
use super::remote::folder::open_folder;
use super::remote::login::LoggedIn;
use super::{Occasion, Trouble};

/// So many changes are waited for on one connection; a library that keeps 128 of at least 512 credits in hand can lose
/// 384, and one change may cost two.
const CHANGES: u32 = 190;

/// What a watch tells.
#[derive(Debug, Default)]
pub struct Told {
    changed: Notify,
    watched: AtomicBool,
}

impl Told {
    /// Waits until something changed, or the watch ended.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether the share's server tells of changes now.
    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    fn watch(&self, watched: bool) {
        self.watched.store(watched, Ordering::Relaxed);
        // What changed while nobody watched.
        self.changed.notify_one();
    }
}

/// Why a connection is not watched on any more.
enum End {
    /// It has told as much as it can.
    Worn,
    /// The server or the connection ended it.
    Broken,
}

/// Tells of every change until the share cannot be watched; then only looking is left, and is enough.
pub async fn keep(terminal: RemoteTerminal, folders: Vec<String>, told: Arc<Told>) {
    while !folders.is_empty() {
        let watched = match terminal.log_in(Occasion::Routine).await {
            Ok(own) => on(own, &folders, &told).await,
            Err(trouble) => Err(trouble),
        };
        told.watch(false);
        if !matches!(watched, Ok(End::Worn)) {
            break;
        }
    }
    tracing::debug!("no change events from a share: looking instead");
}

/// Watches on one connection.
async fn on(own: LoggedIn, folders: &[String], told: &Told) -> Result<End, Trouble> {
    let left = AtomicU32::new(CHANGES);
    let mut watches = Vec::new();
    for folder in folders {
        let folder = Arc::new(open_folder(&own.tree, folder, false).await?);
        watches.push(Box::pin(one(folder, &left, told)));
    }
    told.watch(true);
    let (end, ..) = select_all(watches).await;
    own.end().await;
    Ok(end)
}

async fn one(folder: Arc<Directory>, left: &AtomicU32, told: &Told) -> End {
    let filter = NotifyFilter::new().with_file_name(true).with_size(true).with_last_write(true);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        if folder.watch(filter, false).await.is_err() {
            return End::Broken;
        }
        told.changed.notify_one();
    }
    End::Worn
}
