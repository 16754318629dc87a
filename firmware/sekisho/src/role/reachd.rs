//! `reachd`: the ladder and the verdict. What the relay sees of the terminals' shares comes over its socket.

use std::path::PathBuf;

use axum::routing::post;
use model::part::{LINE_PATIENCE_S, LinePart, PATIENCE_S, RelayPart, Role, Stamped};
use model::{Observation, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};

use super::{Place, Ready, Tasks, netd};
use crate::failure::Failure;
use crate::socket::lend::Loan;
use crate::socket::{client, part};

/// Asks `relayd` for a fresh look at the terminals' shares, and for what it says of the files. Without an answer there is no evidence, and no more.
struct Relayd(PathBuf);

impl reach::ShareSource for Relayd {
    async fn look(&self) -> Vec<Observation> {
        let (fresh, part) = tokio::join!(
            client::intent(&self.0, Role::Relayd, "/look"),
            client::part::<Stamped<RelayPart>>(&self.0, Role::Relayd, 0)
        );
        let mut seen: Vec<Observation> = fresh.unwrap_or_default();
        let now = Timestamp::now();
        if let Some(relay) = part.ok().filter(|relay| relay.is_fresh(PATIENCE_S, now)) {
            seen.extend(reach::of_files(&relay.part, now));
        }
        seen
    }
}

/// Starts the probes once the firewall is proved. Their raw sockets come from `netd`: this role opens none.
///
/// # Errors
/// [`Failure::NotProved`]; [`Failure::NotLent`] without the raw sockets; [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let plan = reach::Plan::from_site(place.site(Role::Reachd)?, place.authorities.clone());
    netd::proved(&place.sockets).await?;
    let mut loan = Loan::of(&place.sockets, Role::Reachd).await?;
    let sockets = reach::Sockets::from_named(|name| loan.take(name))?;
    let nothing = LinePart {
        verdict: Verdict::unknown(Timestamp::now()),
        ladder: Vec::new(),
        sweep_ms: 0.0,
        swept_at: None,
    };
    let (part, mut seen) = watch::channel(nothing);
    let (ask, sweeps) = mpsc::channel(super::WAITING);
    let (routes, pulse) = part::routes(seen.clone(), LINE_PATIENCE_S);
    let routes = routes.route("/sweep", post(move || async move { super::put(&ask, |reply| reply).await }));
    let mut tasks = super::serve(place, Role::Reachd, routes).await?;
    let (state, shares) = (place.state.join("reach"), Relayd(place.sockets.clone()));
    std::fs::create_dir_all(&state).map_err(|source| Failure::Write { path: state.clone(), source })?;
    tasks.spawn(async move {
        reach::run(plan, sockets, &state, part, shares, sweeps).await.map_err(Failure::from)
    });
    super::serves_once_it_sends(&mut seen, ready, pulse).await;
    Ok(tasks)
}
