//! `reachd`: the ladder and the verdict. What the relay sees of the terminals' shares comes over its socket.

use std::path::PathBuf;

use axum::Json;
use axum::extract::Query;
use axum::routing::{MethodRouter, get, post};
use model::part::{LINE_PATIENCE_S, LinePart, Role};
use model::{Observation, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};

use super::own::{Has, Own};
use super::{Place, Ready, Tasks, netd};
use crate::failure::Failure;
use crate::socket::lend::Loan;
use crate::socket::{client, part};

/// Asks `relayd` for a fresh look at the terminals' shares, and at what became of files; looks at the box itself. Without
/// an answer there is no evidence, and no more.
struct Witness {
    sockets: PathBuf,
    own: Own,
}

impl reach::Witness for Witness {
    async fn shares(&self, asked: bool) -> Vec<Observation> {
        let look = format!("/look?asked={asked}");
        client::intent(&self.sockets, Role::Relayd, &look).await.unwrap_or_default()
    }

    async fn own(&self) -> Vec<Observation> {
        self.own.look().await
    }

    async fn stirred(&self) {
        self.own.stirred().await;
    }
}

/// Starts the probes once the firewall is proved. Their raw sockets come from `netd`: this role opens none.
///
/// # Errors
/// [`Failure::NotProved`]; [`Failure::NotLent`] without the raw sockets; [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let plan = reach::Plan::from_site(place.site(Role::Reachd)?, place.authorities.clone());
    let plan = plan.told_in(&place.sockets).with_cloud_authorities(place.cloud_authorities.clone());
    let plan = plan.with_cloud_noticed(place.cloud.as_ref().map(|form| form.provider.dead_after_s()));
    netd::proved(&place.sockets).await?;
    let mut loan = Loan::of(&place.sockets, Role::Reachd).await?;
    let sockets = reach::Sockets::from_named(|name| loan.take(name))?;
    let answers = match super::segment::plan(&place.purpose) {
        Some(plan) => Some((plan, segment::answer::Sockets::from_named(|name| loan.take(name))?)),
        None => None,
    };
    let nothing = LinePart::judged(Verdict::unknown(Timestamp::now()));
    let (part, mut seen) = watch::channel(nothing);
    let (ask, sweeps) = mpsc::channel(super::WAITING);
    let (routes, pulse) = part::routes(seen.clone(), LINE_PATIENCE_S);
    let state = place.state.join(super::own::MEMORY);
    std::fs::create_dir_all(&state).map_err(|source| Failure::Write { path: state.clone(), source })?;
    let past = reach::Past::load(&state);
    let routes = routes
        .route("/sweep", sweep(ask.clone(), true))
        .route("/sweep/page", sweep(ask, false))
        .route("/past", remembered(past.clone()));
    let mut tasks = super::serve(place, Role::Reachd, routes).await?;
    let has = Has {
        tunnel: place.provider.is_some(),
        cloud: place.cloud.is_some(),
        segment: super::segment::plan(&place.purpose).is_some(),
        maintainer: plan.maintainer,
        terminals: plan.terminals.len(),
    };
    let own = Own::watch(&place.sockets, &place.state, has);
    let witness = Witness { sockets: place.sockets.clone(), own };
    tasks.spawn(async move {
        reach::run(plan, sockets, &state, part, past, witness, sweeps).await.map_err(Failure::from)
    });
    let (site, folder) = (place.site(Role::Reachd)?.clone(), place.sockets.clone());
    tasks.spawn(async move { super::names::hear(site, folder).await });
    if let Some((plan, sockets)) = answers {
        let folder = place.sockets.clone();
        tasks.spawn(async move { super::segment::answer(plan, sockets, folder).await });
    }
    super::serves_once_it_sends(&mut seen, ready, pulse).await;
    Ok(tasks)
}

/// `POST /sweep`: looks at everything now; `known`: whether it is known who asks.
fn sweep(ask: mpsc::Sender<reach::Ask>, known: bool) -> MethodRouter {
    post(move || async move { super::put(&ask, |reply| reach::Ask { reply, known }).await })
}

/// How wide the cells of an answer should be.
#[derive(Debug, serde::Deserialize)]
struct Width {
    #[serde(default = "ten_minutes")]
    cell: u32,
}

const fn ten_minutes() -> u32 {
    600
}

/// `GET /past[?cell=SECONDS]`: what is remembered of the line.
fn remembered(past: reach::Past) -> MethodRouter {
    get(move |Query(Width { cell }): Query<Width>| async move { Json(past.tell(cell)) })
}

#[cfg(test)]
mod tests {
    use model::past::Past;
    use model::{Outcome, Rung};

    use super::*;
    use crate::failure::Failure;
    use crate::socket::server;

    #[tokio::test]
    async fn what_is_remembered_is_told_over_the_socket_in_cells_as_wide_as_asked() {
        let (sockets, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let past = reach::Past::load(state.path());
        let now = Timestamp::now();
        let seen = Observation {
            rung: Rung::Link,
            terminal: None,
            outcome: Outcome::Good,
            at: now,
            took_ms: 0.0,
            detail: String::new(),
        };
        past.take(&[seen], &Verdict::unknown(now), now);
        let door = server::open(sockets.path(), Role::Reachd).await.unwrap();
        tokio::spawn(server::serve(door, axum::Router::new().route("/past", remembered(past))));
        for (path, width) in [("/past", 600), ("/past?cell=10", 10), ("/past?cell=3600", 3600)] {
            let told: Past = client::ask(sockets.path(), Role::Reachd, path).await.unwrap();
            assert_eq!(
                (told.cell_s, told.words.as_slice()),
                (width, ["unknown", "good"].map(str::to_owned).as_slice())
            );
            assert_eq!(told.strips[0].runs, [(259_200 / width - 1, 0), (1, 1)]);
        }
        let refused: Result<Past, Failure> = client::ask(sockets.path(), Role::Reachd, "/past?cell=x").await;
        assert!(matches!(refused, Err(Failure::Answer { .. })));
    }
}
