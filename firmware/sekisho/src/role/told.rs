//! What `netd` says of the ruleset in the kernel: what becomes of one packet, and what may pass between the zones.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use firewall::Command;
use model::Site;
use model::policy::{Answer, Matrix, Question};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::Purpose;

#[derive(Clone)]
struct Asked {
    site: Arc<Site>,
    room: mpsc::Sender<Command>,
}

/// `POST /explain` and `GET /policy`; without a site in force there are no zones to ask about, and neither.
pub fn routes(purpose: &Purpose, room: mpsc::Sender<Command>) -> Router {
    match purpose {
        Purpose::Site(site) => Router::new()
            .route("/explain", post(explain))
            .route("/policy", get(policy))
            .with_state(Asked { site: Arc::clone(site), room }),
        Purpose::Setup { .. } => Router::new(),
    }
}

async fn explain(
    State(asked): State<Asked>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, StatusCode> {
    let held = asked.held().await?;
    apart(move || firewall::answer(&asked.site, &held, &question, true)).await
}

async fn policy(State(asked): State<Asked>) -> Result<Json<Matrix>, StatusCode> {
    let held = asked.held().await?;
    apart(move || firewall::matrix(&held, &asked.site)).await
}

/// Works beside the room: the kernel may hold much, and what refuses and repairs waits for nobody who asks.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Json<T>, StatusCode> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

impl Asked {
    /// What the kernel holds now. A room that is gone or overrun, or a kernel that is not read, is 503.
    async fn held(&self) -> Result<Value, StatusCode> {
        let (reply, held) = oneshot::channel();
        self.room.try_send(Command::Held { reply }).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        held.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }
}
