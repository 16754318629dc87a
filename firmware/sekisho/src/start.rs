//! The daemon, from top to bottom: everything is checked, then the roles run, and then it says that it serves.
//!
//! One process runs all roles or one of them. In either case each role waits by itself, over the others' sockets, for
//! what it needs (`role/`): the firewall is proved before a probe leaves or a file moves.

use std::process::ExitCode;
use std::sync::Arc;

use model::boot::Situation;
use model::part::{BootPart, Role};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli;
use crate::failure::Failure;
use crate::role::{self, Place, Purpose, netd};
use crate::socket::part::Pulse;
use crate::{boot, capability, log, notify, output, site_file};

/// `sekisho daemon`: runs until a signal asks it to end.
///
/// # Errors
/// Whatever keeps a role from starting or makes one end.
pub async fn daemon(args: cli::Daemon) -> Result<ExitCode, Failure> {
    log::start();
    let place = Arc::new(check(args)?);
    capability::check(&place.roles)?;
    ports(&place)?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let mut roles = Roles::new();
    let starting: Vec<_> = place.roles.iter().map(|role| start(*role, &place, &mut roles)).collect();
    let pulses = tokio::select! {
        pulses = all(starting) => pulses,
        Some(ended) = roles.join_next() => return Err(why(ended)),
    };
    notify::ready();
    output::print("ready");
    tokio::select! {
        ended = until_the_end(roles) => {
            if ended.is_ok() && place.roles.contains(&Role::Reachd) {
                role::own::forget_starts(&place.sockets);
            }
            ended
        }
        () = notify::live(pulses) => Ok(ExitCode::SUCCESS),
    }
}

/// The roles while they run: each ends only by a failure.
type Roles = JoinSet<(Role, Result<(), Failure>)>;

fn check(args: cli::Daemon) -> Result<Place, Failure> {
    let boot = args.boot.map(|file| boot::part::expect(&file)).transpose()?;
    let board = boot.as_ref().map_or_else(|| "simulated".to_owned(), |boot| boot.board.clone());
    let (purpose, loaded) = match boot {
        Some(BootPart { situation: situation @ (Situation::Carton | Situation::Closed), setup, .. }) => {
            (Purpose::Setup { setup, lends_addresses: situation == Situation::Carton }, None)
        }
        _ => {
            let loaded = site_file::load(&args.site)?.startable()?;
            (Purpose::Site(Arc::new(loaded.site.clone())), Some(loaded))
        }
    };
    let all = match purpose {
        Purpose::Site(_) => Role::ALL.to_vec(),
        Purpose::Setup { .. } => vec![Role::Netd, Role::Boardd, Role::Webd],
    };
    let roles = args.role.map_or(all, |role| vec![role]);
    let (state, sockets) = (args.state, args.socket);
    let Some(loaded) = loaded else {
        return Ok(Place::without_a_site(purpose, board, state, sockets, roles));
    };
    Ok(Place {
        texts: Some(loaded.texts),
        authorities: loaded.authorities,
        provider: loaded.provider,
        cloud: loaded.cloud,
        cloud_authorities: loaded.cloud_authorities,
        ..Place::without_a_site(purpose, board, state, sockets, roles)
    })
}

/// Every port the site file names is there; all that are missing are said at once. It is `netd`'s to say: not every
/// role sees the network.
fn ports(place: &Place) -> Result<(), Failure> {
    let Purpose::Site(site) = &place.purpose else { return Ok(()) };
    if !place.roles.contains(&Role::Netd) {
        return Ok(());
    }
    let missing = netd::missing_ports(site);
    if missing.is_empty() { Ok(()) } else { Err(Failure::NoPorts(missing)) }
}

/// A role that is starting: says when it serves, and whether its room can be felt.
type Starting = oneshot::Receiver<Option<Pulse>>;

/// Starts a role as a task of its own.
fn start(role: Role, place: &Arc<Place>, roles: &mut Roles) -> Starting {
    let (ready, serves) = oneshot::channel();
    let place = Arc::clone(place);
    roles.spawn(async move { (role, role::run(role, &place, ready).await) });
    serves
}

/// Waits until all have said that they serve; for ever if one ends before it could.
async fn all(starting: Vec<Starting>) -> Vec<Pulse> {
    let mut pulses = Vec::new();
    for serves in starting {
        match serves.await {
            Ok(pulse) => pulses.extend(pulse),
            Err(_) => std::future::pending().await,
        }
    }
    pulses
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
