//! `netd`: the firewall and kernel state, and every socket that needs a capability to open. Nothing of ours may leave
//! or move before the firewall is proved.

use std::path::Path;
use std::time::Duration;

use ::segment::{Plan, Told};
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use firewall::{Command, Memory};
use model::part::{FirewallPart, PATIENCE_S, Role, RulesetState, Stamped};
use model::ruleset::{Applied, Apply};
use model::{Site, Timestamp};
use tokio::sync::{mpsc, watch};

use super::segment::{self, Followers};
use super::{Place, Purpose, Ready, Tasks, flows, lent, maintenance, names, told, tunnel};
use crate::failure::Failure;
use crate::socket::lend::Lender;
use crate::socket::server::Asker;
use crate::socket::{client, part};

/// `netd`'s own folder in the state.
pub const MEMORY: &str = "firewall";

/// How long the others wait for the proof before they say so and end; who started them does so again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before a firewall that could not be brought up is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// How long to leave `netd` alone while it does not answer, or has nothing new to say.
const AGAIN: Duration = Duration::from_millis(100);

/// Starts the firewall and waits until the kernel holds this site's ruleset, or the setup port's, proved.
///
/// # Errors
/// [`Failure::Listen`] if the page of this very process could not be served, and then nothing is loaded; after that
/// [`Failure::Firewall`] with what stands in the way, and everything is dropped.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    if place.roles.contains(&Role::Webd) {
        // Tried out and let go again: what can be refused is asked for before anything is loaded.
        lent::to(Role::Webd, &place.purpose)?;
    }
    let (part, mut seen) = watch::channel(FirewallPart::dropping(None));
    let (ask, commands) = mpsc::channel(super::WAITING);
    let (routes, pulse) = part::routes(seen.clone(), PATIENCE_S);
    let routes = routes.merge(told::routes(&place.purpose, ask.clone()));
    let (tell, told) = mpsc::channel(super::WAITING);
    let (consent, maintenance) = maintenance::Consent::of(place, ask.clone());
    let routes = consent.noting(routes.merge(rules(ask.clone()))).merge(maintenance);
    // What the segment is told is no person's doing, and noted nowhere.
    let mut routes = routes.merge(segment::routes(tell)).merge(names::routes(ask.clone()));
    let tunnels = match &place.purpose {
        Purpose::Site(site) => tunnel::of(place, site),
        Purpose::Setup { .. } => Vec::new(),
    };
    let mut drivers = Vec::new();
    for (driver, stands) in tunnels {
        routes = routes.merge(stands);
        drivers.push(driver);
    }
    let (segment_part, stands) = segment::part();
    let (flows_part, met) = flows::part();
    let routes = routes.merge(stands).merge(met);
    let mut tasks = super::serve(place, Role::Netd, routes).await?;
    consent.start(place, &mut tasks);
    let lender = Lender::open(&place.sockets)?;
    let purpose = place.purpose.clone();
    tasks.spawn(async move {
        lender.serve(move |role| lent::to(role, &purpose)).await;
        Ok(())
    });
    flows::hear(&place.purpose, ask.clone(), flows_part, seen.clone(), &mut tasks);
    if let Some(plan) = segment::plan(&place.purpose) {
        let (followers, seen) = (
            Followers { firewall: ask, radvd: segment::radvd(&place.sockets), part: segment_part },
            seen.clone(),
        );
        tasks.spawn(async move { serve_terminals(plan, told, followers, seen).await });
    }
    let (purpose, alone) = (place.purpose.clone(), place.roles.len() == 1);
    let memory = place.texts.as_ref().map(|texts| Memory::of(place.state.join(MEMORY), texts));
    tasks.spawn(async move { keep_up(&purpose, memory, alone, part, commands).await });
    for driver in drivers {
        tasks.spawn(driver.run());
    }
    // If the sender goes, the room has ended, and its own error says why.
    if seen.wait_for(FirewallPart::is_in_force).await.is_ok() {
        tracing::info!("the ruleset in the kernel is ours, and proved");
        super::serves(ready, Some(pulse));
    }
    Ok(tasks)
}

/// Serves the terminals' segment once the rules are in force: nothing is given on before.
async fn serve_terminals(
    plan: Plan,
    told: mpsc::Receiver<Told>,
    followers: Followers,
    mut seen: watch::Receiver<FirewallPart>,
) -> Result<(), Failure> {
    if seen.wait_for(FirewallPart::is_in_force).await.is_err() {
        // The firewall's room has ended, and its own error says why.
        return std::future::pending().await;
    }
    ::segment::run(plan, told, followers).await.map_err(Failure::from)
}

/// What may be asked about the rules.
fn rules(ask: mpsc::Sender<Command>) -> Router {
    let (drops, seen, apply, confirm, revert) =
        (ask.clone(), ask.clone(), ask.clone(), ask.clone(), ask.clone());
    Router::new()
        .route("/prove", post(move || async move { super::put(&ask, |reply| Command::ProveLive { reply }).await }))
        .route("/drops", get(move || async move { super::put(&drops, |reply| Command::Drops { reply }).await }))
        .route("/seen", post(move || async move { super::put(&seen, |reply| Command::Seen { reply }).await }))
        .route(
            "/apply",
            post(move |ConnectInfo(asker), Json(words)| async move { put_in_force(&apply, asker, words).await }),
        )
        .route(
            "/confirm",
            post(move |ConnectInfo(asker): ConnectInfo<Asker>, Json(word): Json<String>| async move {
                let by = known(asker)?;
                super::put(&confirm, |reply| Command::Confirm { word, by, reply }).await
            }),
        )
        .route("/revert", post(move || async move { super::put(&revert, |reply| Command::Revert { reply }).await }))
        // Two files of a site folder, at the most.
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// The largest question: a site file and its profile.
const LARGEST: usize = 8 * 1024 * 1024;

/// Who asks, by the kernel's word.
fn known(asker: Asker) -> Result<firewall::Asker, StatusCode> {
    let actor = asker.actor().ok_or(StatusCode::FORBIDDEN)?;
    Ok(firewall::Asker { actor, since: asker.since })
}

/// A site whose ports are not there would be closed everywhere, and what this build does not bring up must not open.
async fn put_in_force(
    room: &mpsc::Sender<Command>,
    asker: Asker,
    ask: Apply,
) -> Result<Json<Applied>, StatusCode> {
    let by = known(asker)?;
    let why = ask.candidate.site().map(|site| hindrances(&site)).unwrap_or_default();
    if !why.is_empty() {
        return Ok(Json(Applied::Refused { why, dropped: false }));
    }
    super::put(room, |reply| Command::Apply { ask, by, reply }).await
}

fn hindrances(site: &Site) -> Vec<String> {
    let missing = missing_ports(site);
    let missing = (!missing.is_empty()).then(|| Failure::NoPorts(missing).to_string());
    site.not_brought_up().into_iter().chain(missing).collect()
}

/// The ports of a site that this machine does not have.
pub fn missing_ports(site: &Site) -> Vec<String> {
    let missing = |port: &&model::site::Port| nix::net::if_::if_nametoindex(port.name.as_str()).is_err();
    site.ports.iter().filter(missing).map(|port| port.name.clone()).collect()
}

/// Brings the firewall up and keeps it. Among the other roles in one process its failure ends them all. In a process
/// of its own it says what stands in the way and tries again: a box that cannot open must go on saying why.
async fn keep_up(
    purpose: &Purpose,
    memory: Option<Memory>,
    alone: bool,
    part: watch::Sender<FirewallPart>,
    mut commands: mpsc::Receiver<Command>,
) -> Result<(), Failure> {
    loop {
        let (part_of, asked) = (part.clone(), &mut commands);
        let ended = match purpose {
            Purpose::Site(site) => match memory.clone() {
                Some(memory) => firewall::run_with_changes(site, memory, part_of, asked).await,
                None => firewall::run(site, part_of, asked).await,
            },
            Purpose::Setup { setup, lends_addresses } => {
                firewall::run_before_a_site(setup.as_ref(), *lends_addresses, part_of, asked).await
            }
        };
        let error = match ended {
            Err(error) if alone => error,
            ended => return ended.map_err(Failure::from),
        };
        tracing::error!(%error, "the firewall could not be brought up; it is tried again");
        let state = if error.leaves_open() { RulesetState::Drifted } else { RulesetState::DropAll };
        part.send_replace(FirewallPart { state, ..FirewallPart::dropping(Some(error.to_string())) });
        // Who asks meanwhile gets no answer: there is nothing to prove.
        let refuse = async { while commands.recv().await.is_some() {} };
        let _ = tokio::time::timeout(TRY_AGAIN, refuse).await;
    }
}

/// Waits until `netd` says that the kernel holds this site's ruleset, proved.
///
/// # Errors
/// [`Failure::NotProved`] if it does not say so in time.
pub async fn proved(sockets: &Path) -> Result<(), Failure> {
    let said = async {
        while !says_so(sockets).await {
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.map_err(|_| Failure::NotProved(PATIENCE))
}

async fn says_so(sockets: &Path) -> bool {
    let part: Result<Stamped<FirewallPart>, Failure> = client::part(sockets, Role::Netd, 0).await;
    part.is_ok_and(|part| part.is_fresh(PATIENCE_S, Timestamp::now()) && part.part.is_in_force())
}
