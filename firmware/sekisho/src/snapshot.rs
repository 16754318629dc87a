//! Keeps one picture of the box from the roles' parts. A role that does not answer keeps its last part with its
//! old stamp, so that the faces show since when nothing is known.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::part::{Role, Snapshot, Stamped};
use model::past::Past;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::boot;
use crate::failure::Failure;
use crate::socket::client;
use crate::socket::part::{MAINTENANCE, PART};

/// How long a reader leaves a role alone that did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// How often `boot.json` is looked at again.
const BOOT_EVERY: Duration = Duration::from_secs(2);

/// How often what is remembered of the line is read again, and in what cells: as wide as a page can show.
const PAST_EVERY: Duration = Duration::from_secs(30);
const PAST: &str = "/past?cell=600";

/// Reads every role once. A role that does not answer is absent.
pub async fn once(folder: &Path) -> Snapshot {
    let (line, relay, firewall, maintenance, board) = tokio::join!(
        one(folder, Role::Reachd),
        one(folder, Role::Relayd),
        one(folder, Role::Netd),
        other(folder, Role::Netd, MAINTENANCE),
        one(folder, Role::Boardd)
    );
    let boot = boot::part::read(&boot::part::path(folder));
    Snapshot { line, relay, firewall, maintenance, board, boot, past: None }
}

/// A part in hand is given at once; a role that has none yet gets a moment to make its first.
async fn one<T: DeserializeOwned>(folder: &Path, role: Role) -> Option<Stamped<T>> {
    other(folder, role, PART).await
}

async fn other<T: DeserializeOwned>(folder: &Path, role: Role, name: &str) -> Option<Stamped<T>> {
    let asked = client::part_of(folder, role, name, 0);
    tokio::time::timeout(Duration::from_secs(2), asked).await.ok()?.ok()
}

/// Follows the roles and keeps the picture current until the process ends.
pub fn follow(folder: &Path, roles: &[Role]) -> watch::Receiver<Arc<Snapshot>> {
    start(folder, roles).1
}

type Picture = Arc<watch::Sender<Arc<Snapshot>>>;

fn start(folder: &Path, roles: &[Role]) -> (Picture, watch::Receiver<Arc<Snapshot>>) {
    let (picture, seen) = watch::channel(Arc::new(Snapshot::default()));
    let picture = Arc::new(picture);
    watch_boot(boot::part::path(folder), Arc::clone(&picture));
    for role in roles {
        let (folder, picture) = (folder.to_owned(), Arc::clone(&picture));
        match role {
            Role::Reachd => watch_part(folder, (*role, PART), picture, |all, part| all.line = Some(part)),
            Role::Relayd => watch_part(folder, (*role, PART), picture, |all, part| all.relay = Some(part)),
            Role::Netd => {
                let (place, beside) = (folder.clone(), Arc::clone(&picture));
                watch_part(place, (*role, PART), beside, |all, part| all.firewall = Some(part));
                watch_part(folder, (*role, MAINTENANCE), picture, |all, part| all.maintenance = Some(part));
            }
            Role::Boardd => watch_part(folder, (*role, PART), picture, |all, part| all.board = Some(part)),
            Role::Webd => {}
        }
    }
    (picture, seen)
}

/// Follows what is remembered of the line, too.
pub fn follow_with_past(folder: &Path, roles: &[Role]) -> watch::Receiver<Arc<Snapshot>> {
    let (picture, seen) = start(folder, roles);
    let folder = folder.to_owned();
    tokio::spawn(async move {
        loop {
            let asked: Result<Past, Failure> = client::ask(&folder, Role::Reachd, PAST).await;
            // Without an answer the last one stays: it says itself until when it goes.
            let again = if let Ok(past) = asked { remember(&picture, past) } else { AGAIN };
            tokio::time::sleep(again).await;
        }
    });
    seen
}

fn remember(picture: &watch::Sender<Arc<Snapshot>>, past: Past) -> Duration {
    picture.send_if_modified(|snapshot| {
        let changed = snapshot.past.as_deref() != Some(&past);
        if changed {
            Arc::make_mut(snapshot).past = Some(Arc::new(past));
        }
        changed
    });
    PAST_EVERY
}

/// Who writes `boot.json` ends before any role starts, but for a stick that is refused later: a look now and then.
fn watch_boot(file: PathBuf, picture: Picture) {
    tokio::spawn(async move {
        loop {
            let part = boot::part::read(&file);
            picture.send_if_modified(|snapshot| {
                let changed = snapshot.boot != part;
                if changed {
                    Arc::make_mut(snapshot).boot = part;
                }
                changed
            });
            tokio::time::sleep(BOOT_EVERY).await;
        }
    });
}

fn watch_part<T: DeserializeOwned + Send + 'static>(
    folder: PathBuf,
    (role, name): (Role, &'static str),
    picture: Picture,
    put: fn(&mut Snapshot, Stamped<T>),
) {
    tokio::spawn(async move {
        let mut after = 0;
        loop {
            let asked: Result<Stamped<T>, Failure> = client::part_of(&folder, role, name, after).await;
            match asked {
                Ok(part) => {
                    after = part.generation;
                    picture.send_modify(|snapshot| put(Arc::make_mut(snapshot), part));
                }
                Err(error) => {
                    // A role that comes back counts from 1 again.
                    after = 0;
                    tracing::debug!(role = role.key(), name, %error, "a role does not answer");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    });
}
