//! `webd`: the page. It reads one immutable picture and decides nothing; its ports are lent by `netd`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Timestamp;
use model::part::{Role, Snapshot};
use tokio::sync::watch;
use tokio::task::JoinSet;
use web_ui::{Config, Listeners};

use super::{Place, Ready, Tasks, lent};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::lend::Loan;

/// Starts the page on the ports that `netd` holds for it.
///
/// # Errors
/// [`Failure::NotLent`]; [`Failure::Page`] without a certificate; [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let config = Config { site: place.site.clone(), identity_dir: place.state.join("page") };
    let mut loan = Loan::of(&place.sockets, Role::Webd).await?;
    let listeners = listeners(&config, &mut loan)?;
    // The page has nothing of its own to publish yet; its socket is how a second daemon is noticed.
    let mut tasks = super::serve(place, Role::Webd, axum::Router::new()).await?;
    let pictures = snapshot::follow(&place.sockets, &[Role::Netd, Role::Relayd, Role::Reachd, Role::Boardd]);
    tasks.spawn(keep(config, loan, listeners, place.sockets.clone(), pictures));
    super::serves(ready);
    Ok(tasks)
}

/// Serves the page. Without `netd` it goes on, and says what is not known; a new `netd` has listeners of its own, on
/// which visitors wait until we have borrowed them.
async fn keep(
    config: Config,
    mut loan: Loan,
    mut listeners: Listeners,
    sockets: PathBuf,
    pictures: watch::Receiver<Arc<Snapshot>>,
) -> Result<(), Failure> {
    loop {
        let mut serving = JoinSet::new();
        serving.spawn(web_ui::serve(listeners, pictures.clone(), Timestamp::now));
        loan = tokio::select! {
            ended = serving.join_next() => return match ended {
                Some(Ok(ended)) => ended.map_err(Failure::from),
                Some(Err(panic)) => Err(Failure::Panicked(panic.to_string())),
                None => Ok(()),
            },
            next = next(&loan, &sockets) => next,
        };
        listeners = self::listeners(&config, &mut loan)?;
        tracing::info!("the page has moved to the listeners of a new netd");
    }
}

/// What the next `netd` lends once this one has gone, however long that takes.
async fn next(loan: &Loan, sockets: &Path) -> Loan {
    loan.lender_gone().await;
    loop {
        match Loan::of(sockets, Role::Webd).await {
            Ok(loan) => return loan,
            Err(error) => tracing::warn!(%error, "the page stays on the listeners of a netd that has gone"),
        }
    }
}

fn listeners(config: &Config, loan: &mut Loan) -> Result<Listeners, Failure> {
    let (http, https) = (loan.take(lent::HTTP)?, loan.take(lent::HTTPS)?);
    Ok(Listeners::new(config, TcpListener::from(http), TcpListener::from(https))?)
}
