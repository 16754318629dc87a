//! The resolver's answers to the terminals, on their way to the firewall: `reachd` hears and reads them, `netd` takes what the site
//! file lets names admit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use firewall::{Command, News};
use model::Site;
use model::part::Role;
use nix::unistd::User;
use segment::names::{self, Answer};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::socket::{self, client};

/// How long the firewall may take to follow.
const PATIENCE: Duration = Duration::from_secs(5);

/// No name leads to more addresses than this.
const MOST: usize = 64;

/// Where the resolver writes, in `reachd`'s own folder.
pub fn socket(sockets: &Path) -> PathBuf {
    socket::own_folder(sockets, Role::Reachd).join("answers.sock")
}

/// `POST /answered`: a terminal was told this. It answers when the firewall has followed.
pub fn routes(firewall: mpsc::Sender<Command>) -> Router {
    Router::new().route("/answered", post(move |Json(answer)| answered(firewall.clone(), answer)))
}

async fn answered(firewall: mpsc::Sender<Command>, answer: Answer) -> Result<Json<()>, StatusCode> {
    if answer.addresses.len() > MOST {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let Answer { name, addresses, ttl } = answer;
    let news = News::Answered(firewall::now::Answer { name, addresses, ttl });
    let (reply, taken) = oneshot::channel();
    firewall.try_send(Command::Tell { news, reply }).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match timeout(PATIENCE, taken).await {
        Ok(Ok(Ok(()))) => Ok(Json(())),
        _ => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Hears the resolver for as long as the box runs. Names that are no destinations go no further, and no name is logged.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn hear(site: Arc<Site>, folder: PathBuf) -> Result<(), Failure> {
    let path = socket(&folder);
    let failed = |source| Failure::Write { path: path.clone(), source };
    let listener = names::open(&path).map_err(failed)?;
    let may = |uid| uid == 0 || uid == nix::unistd::geteuid().as_raw() || Some(uid) == resolver();
    let tell = |answer: Answer| {
        let (site, folder) = (site.clone(), folder.clone());
        async move {
            if !site.profile.destinations.iter().any(|one| one.to.is_name(&answer.name)) {
                return;
            }
            let told: Result<(), Failure> = client::order(&folder, Role::Netd, "/answered", &answer).await;
            if let Err(error) = told {
                tracing::warn!(%error, "the firewall did not hear where a destination lies");
            }
        }
    };
    names::listen(listener, may, tell).await.map_err(failed)
}

/// unbound's own user.
fn resolver() -> Option<u32> {
    User::from_name("unbound").ok().flatten().map(|user| user.uid.as_raw())
}
