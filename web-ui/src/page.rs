//! The routes. All of them read; nothing on this page changes anything.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use model::part::Snapshot;
use model::{Language, Site, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;

use crate::door::door;
use crate::identity::Fingerprints;
use crate::state::State;
use crate::view::{Overview, Setup};
use crate::{events, language, render};

/// The box's clock, so that a test can say what time it is.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What stands on the page.
#[derive(Clone)]
pub enum Shows {
    /// The overview of a site in force, with whom to call.
    Overview(Arc<Site>),
    /// How the box came up, and what to do next: there is no site in force.
    Setup,
}

/// What every route needs: what is shown, the newest snapshot and the time.
#[derive(Clone)]
pub struct Page {
    pub(crate) shows: Shows,
    pub(crate) fingerprints: Arc<Fingerprints>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) now: Clock,
}

/// What an address may ask for.
#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
}

impl Asked {
    fn language(&self, headers: &HeaderMap) -> Language {
        let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        language::choose(self.lang.as_deref(), preferred)
    }
}

impl Page {
    /// The routes behind the door; `own` is the address the page is served on.
    pub fn router(self, own: IpAddr) -> Router {
        Router::new()
            .route("/", get(whole))
            .route("/part/overview", get(fragment))
            .route("/events", get(stream))
            .route("/api/status", get(status))
            .route("/style.css", get(style))
            .route("/enhance.js", get(script))
            .route("/icon/{file}", get(icon))
            .fallback(missing)
            .layer(middleware::from_fn_with_state(own, door))
            .with_state(self)
    }

    fn whole(&self, language: Language) -> Response {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let (now, patience_s) = ((self.now)(), events::PATIENCE_S);
        match &self.shows {
            Shows::Overview(site) => {
                let view = Overview::new(&snapshot, site, now, language);
                html(&render::Whole { view: &view, patience_s })
            }
            Shows::Setup => {
                let view = Setup::new(&snapshot, &self.fingerprints, now, language);
                html(&render::WholeSetup { view: &view, patience_s })
            }
        }
    }

    fn fragment(&self, language: Language) -> Response {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        match &self.shows {
            Shows::Overview(site) => {
                html(&render::Fragment { view: &Overview::new(&snapshot, site, (self.now)(), language) })
            }
            Shows::Setup => {
                let view = Setup::new(&snapshot, &self.fingerprints, (self.now)(), language);
                html(&render::SetupFragment { view: &view })
            }
        }
    }
}

async fn whole(Shared(page): Shared<Page>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    page.whole(asked.language(&headers))
}

async fn fragment(Shared(page): Shared<Page>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    page.fragment(asked.language(&headers))
}

async fn stream(Shared(page): Shared<Page>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    events::stream(page.snapshots, asked.language(&headers)).into_response()
}

async fn status(Shared(page): Shared<Page>) -> Response {
    let snapshot = Arc::clone(&page.snapshots.borrow());
    Json(&*snapshot).into_response()
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../assets/style.css"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../assets/enhance.js"))
}

async fn icon(Path(file): Path<String>) -> Response {
    match file.strip_suffix(".svg").and_then(State::from_key) {
        Some(state) => rendered("image/svg+xml", &render::Icon { state }),
        None => missing().await,
    }
}

async fn missing() -> Response {
    let body = "このページはありません。\nThere is no such page.\n";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn html(template: &impl Template) -> Response {
    rendered("text/html; charset=utf-8", template)
}

/// Writing to a string fails only where a value's own formatting fails; the page then says so and stays up.
fn rendered(kind: &'static str, template: &impl Template) -> Response {
    match template.render() {
        Ok(body) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to render a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
