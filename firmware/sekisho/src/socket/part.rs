//! A part on its way from a room to its readers: numbered, stamped, and waited for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use model::Timestamp;
use model::part::Stamped;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How long a reader that has the newest part waits for the next, before it gets the same one again.
const PATIENCE: Duration = Duration::from_secs(25);

/// What a reader says it has.
#[derive(Debug, Default, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

type Published<T> = watch::Receiver<Option<Arc<Stamped<T>>>>;

/// When a room last looked, by a clock that nobody sets: a part's own stamp jumps when the box's time is put right.
#[derive(Clone, Debug)]
pub struct Pulse {
    beat: Arc<Mutex<Instant>>,
    patience: Duration,
}

impl Pulse {
    /// A pulse that has just beaten, and must beat again within `patience`.
    fn new(patience: Duration) -> Self {
        Self { beat: Arc::new(Mutex::new(Instant::now())), patience }
    }

    fn beat(&self) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether the room is still alive as far as one can tell.
    pub fn is_felt(&self, now: Instant) -> bool {
        let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        now.saturating_duration_since(beat) <= self.patience
    }
}

/// Where a role's part is.
pub const PART: &str = "/part";
/// Where `netd`'s other part is.
pub const MAINTENANCE: &str = "/maintenance";

/// Routes `GET /part[?after=N]` over what a room sends. The number grows only when the part changes; the stamp is
/// renewed with every send, so that a room that hangs is seen to be old. Before the first send there is no part. The
/// pulse is that of the sends; a room sends at least once within its part's patience, in seconds.
pub fn routes<T>(room: watch::Receiver<T>, patience_s: i64) -> (Router, Pulse)
where
    T: Clone + PartialEq + Serialize + Send + Sync + 'static,
{
    routes_of(PART, room, patience_s)
}

/// The same under another name.
pub fn routes_of<T>(name: &str, mut room: watch::Receiver<T>, patience_s: i64) -> (Router, Pulse)
where
    T: Clone + PartialEq + Serialize + Send + Sync + 'static,
{
    let (publish, published) = watch::channel(None);
    let pulse = Pulse::new(Duration::from_secs(patience_s.unsigned_abs()));
    let felt = pulse.clone();
    tokio::spawn(async move {
        while room.changed().await.is_ok() {
            pulse.beat();
            let part = room.borrow_and_update().clone();
            publish.send_modify(|last| *last = Some(Arc::new(stamp(last.as_deref(), part))));
        }
    });
    (Router::new().route(name, get(read::<T>)).with_state(published), felt)
}

fn stamp<T: PartialEq>(last: Option<&Stamped<T>>, part: T) -> Stamped<T> {
    let before = last.map_or(0, |last| last.generation);
    let same = last.is_some_and(|last| last.part == part);
    Stamped { generation: if same { before } else { before + 1 }, at: Timestamp::now(), part }
}

async fn read<T>(
    State(mut published): State<Published<T>>,
    Query(After { after }): Query<After>,
) -> Result<Json<Stamped<T>>, axum::http::StatusCode>
where
    T: Clone + Send + Sync + 'static,
{
    let newest = published.clone();
    let newer = |part: &Option<Arc<Stamped<T>>>| part.as_ref().is_some_and(|part| part.generation > after);
    let waited = tokio::time::timeout(PATIENCE, async {
        published.wait_for(newer).await.ok().and_then(|part| part.clone())
    });
    let found = waited.await.unwrap_or_else(|_| newest.borrow().clone());
    found.map(|part| Json((*part).clone())).ok_or(axum::http::StatusCode::SERVICE_UNAVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_room_that_sends_has_a_pulse_and_one_that_hangs_has_none_after_its_patience() {
        let (room, seen) = watch::channel(7);
        let (_, pulse) = routes(seen, 60);
        let (start, later) = (Instant::now(), Instant::now() + Duration::from_secs(61));
        assert!(pulse.is_felt(start) && !pulse.is_felt(later));
        room.send_replace(7);
        let felt = async {
            while *pulse.beat.lock().unwrap() < start {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), felt).await.unwrap();
        assert!(pulse.is_felt(start + Duration::from_secs(60)), "also without a change");
    }

    #[test]
    fn the_number_grows_only_when_the_part_changes() {
        let first = stamp(None, 7);
        assert_eq!(first.generation, 1);
        let same = stamp(Some(&first), 7);
        assert_eq!(same.generation, 1);
        assert_eq!(stamp(Some(&same), 8).generation, 2);
    }
}
