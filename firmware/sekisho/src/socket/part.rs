//! A part on its way from a room to its readers: numbered, stamped, and waited for.

use std::sync::Arc;
use std::time::Duration;

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

/// Routes `GET /part[?after=N]` over what a room sends. The number grows only when the part changes; the stamp is
/// renewed with every send, so that a room that hangs is seen to be old. Before the first send there is no part.
pub fn routes<T>(mut room: watch::Receiver<T>) -> Router
where
    T: Clone + PartialEq + Serialize + Send + Sync + 'static,
{
    let (publish, published) = watch::channel(None);
    tokio::spawn(async move {
        while room.changed().await.is_ok() {
            let part = room.borrow_and_update().clone();
            publish.send_modify(|last| *last = Some(Arc::new(stamp(last.as_deref(), part))));
        }
    });
    Router::new().route("/part", get(read::<T>)).with_state(published)
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

    #[test]
    fn the_number_grows_only_when_the_part_changes() {
        let first = stamp(None, 7);
        assert_eq!(first.generation, 1);
        let same = stamp(Some(&first), 7);
        assert_eq!(same.generation, 1);
        assert_eq!(stamp(Some(&same), 8).generation, 2);
    }
}
