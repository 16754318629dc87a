//! `webd`: the page. It reads one immutable picture and decides nothing; its ports are lent by `netd`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use model::Timestamp;
use model::part::{LinePart, Role};
use model::policy::{Answer, Matrix, Policy, Question};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use web_ui::{Intent, Intents, Listeners};

use super::{Place, Purpose, Ready, Tasks, lent};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::client;
use crate::socket::lend::Loan;

/// Until when the page's certificates are good: for the verdict on the box.
pub const UNTIL: &str = "/until";

/// Starts the page on the ports that `netd` lends it. They stay open when `netd` goes, and the page says so.
///
/// # Errors
/// [`Failure::NotLent`], for instance for a busy port; [`Failure::Page`] without a certificate; [`Failure::Write`] if
/// the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let mut loan = Loan::of(&place.sockets, Role::Webd).await?;
    let listeners = listeners(place, &mut loan)?;
    let mut routes = Router::new();
    if let Some(listeners) = &listeners {
        let (known, until) = (listeners.fingerprints().clone(), listeners.until());
        routes = routes.route("/fingerprints", get(async move || Json(known.clone())));
        routes = routes.route(UNTIL, get(async move || Json(until)));
    }
    let mut tasks = super::serve(place, Role::Webd, routes).await?;
    let roles = [Role::Netd, Role::Relayd, Role::Reachd, Role::Boardd];
    let pictures = snapshot::follow_with_past(&place.sockets, &roles);
    if let Some(listeners) = listeners {
        let (wanted, intents) = mpsc::channel(super::WAITING);
        tasks.spawn(carry(place.sockets.clone(), intents));
        tasks.spawn(async move {
            let intents = Intents::new(wanted);
            web_ui::serve(listeners, pictures, intents, Timestamp::now).await.map_err(Failure::from)
        });
    }
    // It has no part, so no pulse: that the runtime turns, which gives the sign of life, is all there is to feel.
    super::serves(ready, None);
    Ok(tasks)
}

/// How long a question about a packet keeps the next one waiting: the kernel is listed for each.
const QUESTIONS_APART: Duration = Duration::from_millis(200);

/// Carries what visitors want to the role that acts, each kind for itself. What comes of a look is seen in that role's
/// part, also if it does not answer; who wants to know something waits, and hears nothing if nobody answers or too many
/// ask.
async fn carry(sockets: PathBuf, mut intents: mpsc::Receiver<Intent>) -> Result<(), Failure> {
    let (mut looks, mut kinds) = (JoinSet::new(), JoinSet::new());
    let (to_tell, tells) = mpsc::channel(super::WAITING);
    let (to_explain, questions) = mpsc::channel(super::WAITING);
    kinds.spawn(tell(sockets.clone(), tells));
    kinds.spawn(explain(sockets.clone(), questions));
    while let Some(intent) = intents.recv().await {
        while looks.try_join_next().is_some() {}
        match intent {
            Intent::Check if looks.is_empty() => drop(looks.spawn(look(sockets.clone()))),
            Intent::Check => {}
            Intent::Policy(reply) => drop(to_tell.try_send(reply)),
            Intent::Explain(question, reply) => drop(to_explain.try_send((question, reply))),
        }
    }
    Ok(())
}

async fn tell(sockets: PathBuf, mut asked: mpsc::Receiver<oneshot::Sender<Policy>>) {
    while let Some(reply) = asked.recv().await {
        if !reply.is_closed()
            && let Some(policy) = policy(&sockets).await
        {
            let _ = reply.send(policy);
        }
    }
}

/// Whoever has gone meanwhile is not asked for: his question keeps nobody waiting.
async fn explain(sockets: PathBuf, mut asked: mpsc::Receiver<(Box<Question>, oneshot::Sender<Answer>)>) {
    while let Some((question, reply)) = asked.recv().await {
        if reply.is_closed() {
            continue;
        }
        match client::order(&sockets, Role::Netd, "/explain", &*question).await {
            Ok(answer) => drop(reply.send(answer)),
            Err(error) => tracing::debug!(%error, "a visitor's question was not answered"),
        }
        tokio::time::sleep(QUESTIONS_APART).await;
    }
}

async fn look(sockets: PathBuf) {
    let asked: Result<LinePart, Failure> = client::intent(&sockets, Role::Reachd, "/sweep/page").await;
    if let Err(error) = asked {
        tracing::debug!(%error, "a visitor's look was not made");
    }
}

/// What the firewall says of itself.
async fn policy(sockets: &Path) -> Option<Policy> {
    let (matrix, drops) = tokio::join!(
        client::ask::<Matrix>(sockets, Role::Netd, "/policy"),
        client::ask(sockets, Role::Netd, "/drops")
    );
    match matrix {
        Ok(matrix) => Some(Policy { matrix, drops: drops.ok() }),
        Err(error) => {
            tracing::debug!(%error, "the firewall does not say what it lets pass");
            None
        }
    }
}

/// The overview of a site on both ports; before a site is in force the setup page, or none if there is no port for it.
fn listeners(place: &Place, loan: &mut Loan) -> Result<Option<Listeners>, Failure> {
    let identity_dir = place.state.join("page");
    let mut take = |name| loan.take(name).map(TcpListener::from);
    Ok(Some(match &place.purpose {
        Purpose::Site(site) => {
            let config = web_ui::Config { site: Arc::clone(site), identity_dir };
            let both = Listeners::new(&config, take(lent::HTTP)?, take(lent::HTTPS)?)?;
            match site.maintainer {
                Some(_) => both.and_for_maintenance(take(lent::MAINTENANCE)?)?,
                None => both,
            }
        }
        Purpose::Setup { setup: Some(_), .. } => Listeners::setup(&identity_dir, take(lent::HTTPS)?)?,
        Purpose::Setup { setup: None, .. } => return Ok(None),
    }))
}

#[cfg(test)]
mod tests;
