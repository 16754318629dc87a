//! The live page: a stream of server-sent events that names the fragment to fetch again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use futures_util::stream::{self, Stream};
use model::Language;
use model::part::Snapshot;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::room::Room;
use crate::words;

/// A client hears something at least this often. It fetches anew each time, because ages grow and what nobody
/// confirms becomes unknown without any change in the snapshot.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A client that heard nothing for two heartbeats and five seconds says that what it shows is old.
pub const PATIENCE_S: u64 = 35;

/// Changes that follow each other this closely are one, so that a busy relay does not make a client fetch all day.
const BREATH: Duration = Duration::from_millis(250);

/// `fetch` names a fragment: at once, after every change and at every heartbeat. `stale` comes last, when no
/// snapshot will ever come again.
pub fn stream(
    snapshots: watch::Receiver<Arc<Snapshot>>,
    room: Room,
    language: Language,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let fragment = format!("{}?lang={}", room.part(), words::CODE.get(language));
    let start = Some((snapshots, true));
    Sse::new(stream::unfold(start, move |state| {
        let fetch = Event::default().event("fetch").data(&fragment);
        async move {
            let (mut snapshots, first) = state?;
            if !first && !wait(&mut snapshots).await {
                return Some((Ok(Event::default().event("stale").data("")), None));
            }
            snapshots.mark_unchanged();
            Some((Ok(fetch), Some((snapshots, false))))
        }
    }))
}

/// Waits for a change or the heartbeat; false if no change can come any more.
async fn wait(snapshots: &mut watch::Receiver<Arc<Snapshot>>) -> bool {
    match timeout(HEARTBEAT, snapshots.changed()).await {
        Ok(Ok(())) => {
            tokio::time::sleep(BREATH).await;
            true
        }
        Ok(Err(_)) => false,
        Err(_) => true,
    }
}
