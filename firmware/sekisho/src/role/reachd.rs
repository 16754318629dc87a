//! `reachd`: the ladder and the verdict. What the relay sees of the terminals' shares comes over its socket.

use std::path::PathBuf;

use axum::routing::post;
use model::part::{LinePart, Role};
use model::{Observation, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};

use super::{Place, Roles};
use crate::failure::Failure;
use crate::socket::{client, part};

/// Asks `relayd` for a fresh look at the terminals' shares. Without an answer there is no evidence, and no more.
struct Relayd(PathBuf);

impl reach::ShareSource for Relayd {
    async fn look(&self) -> Vec<Observation> {
        client::intent(&self.0, Role::Relayd, "/look").await.unwrap_or_default()
    }
}

/// Opens the raw sockets; nothing is read from them yet.
///
/// # Errors
/// [`Failure::Reach`]: not permitted.
pub fn open() -> Result<reach::Sockets, Failure> {
    Ok(reach::Sockets::open()?)
}

/// Starts the probes.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, sockets: reach::Sockets, roles: &mut Roles) -> Result<(), Failure> {
    let nothing = LinePart {
        verdict: Verdict::unknown(Timestamp::now()),
        ladder: Vec::new(),
        sweep_ms: 0.0,
        swept_at: None,
    };
    let (part, seen) = watch::channel(nothing);
    let (ask, sweeps) = mpsc::channel(super::WAITING);
    let routes = part::routes(seen)
        .route("/sweep", post(move || async move { super::put(&ask, |reply| reply).await }));
    super::serve(place, Role::Reachd, routes, roles).await?;
    let plan = reach::Plan::from_site(&place.site, place.authorities.clone());
    let (state, shares) = (place.state.join("reach"), Relayd(place.sockets.clone()));
    std::fs::create_dir_all(&state).map_err(|source| Failure::Write { path: state.clone(), source })?;
    roles.spawn(async move {
        let ended = reach::run(plan, sockets, &state, part, shares, sweeps).await;
        (Role::Reachd, ended.map_err(Failure::from))
    });
    Ok(())
}
