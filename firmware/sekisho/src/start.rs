//! The daemon, from top to bottom: everything is checked, then everything is opened, then the roles run.
//!
//! The order is the promise: the firewall is proved before a probe leaves or a file moves, and the faces come last,
//! because they only show what the others publish.

use std::process::ExitCode;
use std::sync::Arc;

use model::part::Role;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli;
use crate::failure::Failure;
use crate::role::{Place, Roles, boardd, netd, reachd, relayd, webd};
use crate::{log, output, site_file};

/// `sekisho daemon`: runs until a signal asks it to end.
///
/// # Errors
/// Whatever keeps a role from starting or makes one end.
pub async fn daemon(args: cli::Daemon) -> Result<ExitCode, Failure> {
    log::start();
    let place = check(args)?;
    root()?;
    ports(&place.site)?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();

    // What can be refused is opened first: the page's ports and the raw sockets. Nothing runs yet.
    let listeners = webd::bind(&place)?;
    let probes = reachd::open()?;

    let mut roles = Roles::new();
    netd::start(&place, &mut roles).await?;
    relayd::start(&place, &mut roles).await?;
    reachd::start(&place, probes, &mut roles).await?;
    boardd::start(&place, &mut roles).await?;
    webd::start(&place, listeners, &mut roles).await?;
    output::print("ready");
    until_the_end(roles).await
}

fn check(args: cli::Daemon) -> Result<Place, Failure> {
    let loaded = site_file::load(&args.site)?;
    std::fs::create_dir_all(&args.state)
        .map_err(|source| Failure::Write { path: args.state.clone(), source })?;
    Ok(Place {
        site: Arc::new(loaded.site),
        authorities: loaded.authorities,
        state: args.state,
        sockets: args.socket,
    })
}

fn root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Failure::NotPermitted { what: "open the firewall and the raw sockets".into() })
}

/// Every port the site file names is there; all that are missing are said at once.
fn ports(site: &model::Site) -> Result<(), Failure> {
    let missing = |port: &&model::site::Port| nix::net::if_::if_nametoindex(port.name.as_str()).is_err();
    let missing: Vec<String> = site.ports.iter().filter(missing).map(|port| port.name.clone()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::NoPorts(missing)) }
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
