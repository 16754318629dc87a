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
use crate::state::State;
use crate::view::Overview;
use crate::{events, language, render};

/// The box's clock, so that a test can say what time it is.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What every route needs: the newest snapshot, the site's contacts and the time.
#[derive(Clone)]
pub struct Page {
    pub(crate) site: Arc<Site>,
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

    fn overview(&self, language: Language) -> Overview {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        Overview::new(&snapshot, &self.site, (self.now)(), language)
    }
}

async fn whole(Shared(page): Shared<Page>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let view = page.overview(asked.language(&headers));
    html(&render::Whole { view: &view, patience_s: events::PATIENCE_S })
}

async fn fragment(Shared(page): Shared<Page>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let view = page.overview(asked.language(&headers));
    html(&render::Fragment { view: &view })
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
