//! `boardd`: the lamps. It reads the other roles' parts and shows one scene.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use board::Press;
use model::Timestamp;
use model::maintenance::Answer;
use model::part::{PATIENCE_S, Role};
use tokio::sync::watch;

use super::{Place, Ready, Tasks};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::{client, part};

/// `POST /press`: the button of a simulated board was held for so many milliseconds. It is root's alone; a board with a
/// button has an adapter that reads it.
fn button(sockets: PathBuf) -> Router {
    Router::new().route(
        "/press",
        post(move |Json(held_ms): Json<u64>| {
            let sockets = sockets.clone();
            async move { pressed(&sockets, Press::of(Duration::from_millis(held_ms))).await }
        }),
    )
}

/// Carries a press to the role that decides.
async fn pressed(sockets: &Path, press: Press) -> Result<Json<Option<Answer>>, StatusCode> {
    let path = match press {
        Press::Touch => "/maintenance/touch",
        Press::Consent => "/maintenance/button",
        Press::Long => return Ok(Json(None)),
    };
    let answer: Result<Answer, Failure> = client::intent(sockets, Role::Netd, path).await;
    match answer {
        Ok(answer) => Ok(Json(Some(answer))),
        Err(error) => {
            tracing::warn!(%error, "the button was pressed and nobody heard it");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// How often the lamps are shown anew though nothing changed.
const EVERY: Duration = Duration::from_secs(5);

/// Starts the lamps.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let mut simulated = board::Simulated::of(place.board.clone());
    let (publish, seen) = watch::channel(simulated.part());
    let (routes, pulse) = part::routes(seen, PATIENCE_S);
    let routes = routes.merge(button(place.sockets.clone()));
    let mut tasks = super::serve(place, Role::Boardd, routes).await?;
    let sockets: PathBuf = place.sockets.clone();
    tasks.spawn(async move {
        let mut picture = snapshot::follow(&sockets, &[Role::Netd, Role::Relayd, Role::Reachd]);
        loop {
            let seen = picture.borrow_and_update().as_ref().clone();
            let now = Timestamp::now();
            simulated.show(board::scene(&seen.fresh(now), now));
            publish.send_replace(simulated.part());
            // Also without a change: a part that grew too old must go dark on the lamps too.
            if let Ok(Err(_)) = tokio::time::timeout(EVERY, picture.changed()).await {
                return Ok(());
            }
        }
    });
    super::serves(ready, Some(pulse));
    Ok(tasks)
}
