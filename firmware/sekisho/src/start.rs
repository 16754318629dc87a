//! The daemon, from top to bottom: everything is checked, then the roles run, and then it says that it serves.
//!
//! One process runs all roles or one of them. In either case each role waits by itself, over the others' sockets, for
//! what it needs (`role/`): the firewall is proved before a probe leaves or a file moves.

use std::process::ExitCode;
use std::sync::Arc;

use model::part::Role;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli;
use crate::failure::Failure;
use crate::role::{self, Place};
use crate::{log, output, site_file};

/// `sekisho daemon`: runs until a signal asks it to end.
///
/// # Errors
/// Whatever keeps a role from starting or makes one end.
pub async fn daemon(args: cli::Daemon) -> Result<ExitCode, Failure> {
    log::start();
    let place = Arc::new(check(args)?);
    root()?;
    ports(&place)?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let mut roles = Roles::new();
    let serving: Vec<_> = place.roles.iter().map(|role| start(*role, &place, &mut roles)).collect();
    tokio::select! {
        () = all(serving) => output::print("ready"),
        Some(ended) = roles.join_next() => return Err(why(ended)),
    }
    until_the_end(roles).await
}

/// The roles while they run: each ends only by a failure.
type Roles = JoinSet<(Role, Result<(), Failure>)>;

fn check(args: cli::Daemon) -> Result<Place, Failure> {
    let loaded = site_file::load(&args.site)?;
    std::fs::create_dir_all(&args.state)
        .map_err(|source| Failure::Write { path: args.state.clone(), source })?;
    Ok(Place {
        site: Arc::new(loaded.site),
        authorities: loaded.authorities,
        state: args.state,
        sockets: args.socket,
        roles: args.role.map_or_else(|| Role::ALL.to_vec(), |role| vec![role]),
    })
}

fn root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Failure::NotPermitted { what: "open the firewall and the raw sockets".into() })
}

/// Every port the site file names is there; all that are missing are said at once. It is `netd`'s to say: not every
/// role sees the network.
fn ports(place: &Place) -> Result<(), Failure> {
    if !place.roles.contains(&Role::Netd) {
        return Ok(());
    }
    let missing = |port: &&model::site::Port| nix::net::if_::if_nametoindex(port.name.as_str()).is_err();
    let missing: Vec<String> =
        place.site.ports.iter().filter(missing).map(|port| port.name.clone()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::NoPorts(missing)) }
}

/// Starts a role as a task of its own; what comes back hears when it serves.
fn start(role: Role, place: &Arc<Place>, roles: &mut Roles) -> oneshot::Receiver<()> {
    let (ready, serves) = oneshot::channel();
    let place = Arc::clone(place);
    roles.spawn(async move { (role, role::run(role, &place, ready).await) });
    serves
}

/// Ends when all have said that they serve; never if one ends before it could.
async fn all(serving: Vec<oneshot::Receiver<()>>) {
    for serves in serving {
        if serves.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal, or for the first role that ends.
async fn until_the_end(mut roles: Roles) -> Result<ExitCode, Failure> {
    let stop = |kind| signal(kind).map_err(|source| Failure::Read { path: "signals".into(), source });
    let (mut terminate, mut interrupt) = (stop(SignalKind::terminate())?, stop(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to end"),
        _ = interrupt.recv() => tracing::info!("asked to end"),
        Some(ended) = roles.join_next() => return Err(why(ended)),
    }
    Ok(ExitCode::SUCCESS)
}

fn why(ended: Result<(Role, Result<(), Failure>), tokio::task::JoinError>) -> Failure {
    match ended {
        Ok((_, Err(failure))) => failure,
        Ok((role, Ok(()))) => Failure::RoleEnded(role),
        Err(panic) => Failure::Panicked(panic.to_string()),
    }
}
