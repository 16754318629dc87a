//! The routes. All of them read, but for one that asks for a look; nothing on this page changes anything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State as Shared};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use model::part::Snapshot;
use model::policy::Question;
use model::{Language, Site, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;

use crate::identity::Fingerprints;
use crate::intent::Intents;
use crate::room::Room;
use crate::state::State;
use crate::view::{Line, Maintenance, Overview, Relay, Rules, Setup, Would};
use crate::{events, language, render, words};

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
    pub(crate) intents: Intents,
    pub(crate) now: Clock,
}

/// By which door a visitor comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// HTTP, for reception: the first view and nothing else.
    Plain,
    /// HTTPS.
    Secure,
}

/// What an address may ask for.
#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
}

/// The language a visitor reads.
struct Reads(Language);

impl<S: Send + Sync> FromRequestParts<S> for Reads {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, QueryRejection> {
        let Query(asked) = Query::<Asked>::from_request_parts(parts, state).await?;
        let preferred = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self(language::choose(asked.lang.as_deref(), preferred)))
    }
}

/// What the firewall's view is asked: a packet, and which cell of the matrix to open.
struct Wants {
    question: Question,
    cell: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Wants {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, QueryRejection> {
        #[derive(Deserialize)]
        struct Opened {
            #[serde(default)]
            cell: String,
        }
        let Query(question) = Query::from_request_parts(parts, state).await?;
        let Query(Opened { cell }) = Query::from_request_parts(parts, state).await?;
        Ok(Self { question, cell })
    }
}

impl Page {
    /// The routes behind the door; `own` is the address the page is served on.
    pub fn router(self, own: IpAddr, door: Door) -> Router {
        let rooms = self.rooms(door);
        let mut router = views(Room::First, rooms);
        for room in rooms.iter().filter(|room| **room != Room::First) {
            router = router.merge(match room {
                Room::Firewall => rules_views(rooms),
                room => views(*room, rooms),
            });
        }
        if rooms.contains(&Room::Line) {
            router = router.route(CHECK, post(check));
        }
        router
            .route("/api/status", get(async move |Shared(page): Shared<Page>| status(&page, door)))
            .route("/style.css", get(style))
            .route("/enhance.js", get(script))
            .route("/icon/{file}", get(icon))
            .fallback(missing)
            .layer(middleware::from_fn_with_state((own, door), crate::door::door))
            .with_state(self)
    }

    /// The views to choose from at a door; none if there is no choice.
    const fn rooms(&self, door: Door) -> &'static [Room] {
        match (&self.shows, door) {
            (Shows::Overview(_), Door::Secure) => &Room::ALL,
            (Shows::Overview(_), Door::Plain) | (Shows::Setup, _) => &[],
        }
    }

    fn whole(&self, room: Room, rooms: &'static [Room], language: Language) -> Response {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let (now, patience_s) = ((self.now)(), events::PATIENCE_S);
        match (&self.shows, room) {
            (Shows::Overview(site), Room::First) => {
                let view = Overview::new(&snapshot, site, now, language);
                html(&render::Whole { view: &view, room, rooms, patience_s })
            }
            (Shows::Overview(site), Room::Line) => {
                let view = Line::new(&snapshot, site, now, language);
                html(&render::WholeLine { view: &view, room, rooms, patience_s })
            }
            (Shows::Overview(site), Room::Relay) => {
                let view = Relay::new(&snapshot, site, now, language);
                html(&render::WholeRelay { view: &view, room, rooms, patience_s })
            }
            (Shows::Overview(site), Room::Maintenance) => {
                let view = Maintenance::new(&snapshot, site, now, language);
                html(&render::WholeMaintenance { view: &view, room, rooms, patience_s })
            }
            // It has routes of its own.
            (Shows::Overview(_), Room::Firewall) => StatusCode::NOT_FOUND.into_response(),
            (Shows::Setup, _) => {
                let view = Setup::new(&snapshot, &self.fingerprints, now, language);
                html(&render::WholeSetup { view: &view, room, rooms, patience_s })
            }
        }
    }

    fn fragment(&self, room: Room, language: Language) -> Response {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let now = (self.now)();
        match (&self.shows, room) {
            (Shows::Overview(site), Room::First) => {
                html(&render::Fragment { view: &Overview::new(&snapshot, site, now, language) })
            }
            (Shows::Overview(site), Room::Line) => {
                html(&render::LineFragment { view: &Line::new(&snapshot, site, now, language) })
            }
            (Shows::Overview(site), Room::Relay) => {
                html(&render::RelayFragment { view: &Relay::new(&snapshot, site, now, language) })
            }
            (Shows::Overview(site), Room::Maintenance) => {
                html(&render::MaintenanceFragment { view: &Maintenance::new(&snapshot, site, now, language) })
            }
            (Shows::Overview(_), Room::Firewall) => StatusCode::NOT_FOUND.into_response(),
            (Shows::Setup, _) => {
                let view = Setup::new(&snapshot, &self.fingerprints, now, language);
                html(&render::SetupFragment { view: &view })
            }
        }
    }

    /// The firewall's view, with what the firewall says when it is asked.
    async fn rules(&self, site: &Site, cell: &str, language: Language) -> Rules {
        let policy = self.intents.policy().await;
        let snapshot = Arc::clone(&self.snapshots.borrow());
        Rules::new(&snapshot, policy.as_deref(), cell, site, (self.now)(), language)
    }

    async fn whole_rules(&self, rooms: &'static [Room], wants: Wants, language: Language) -> Response {
        let Shows::Overview(site) = &self.shows else { return StatusCode::NOT_FOUND.into_response() };
        let Wants { question, cell } = wants;
        let asked = question != Question::default();
        let answer = if asked { self.intents.explain(question.clone()).await } else { None };
        let view = self.rules(site, &cell, language).await;
        let would = Would::new(question, asked, answer, site, language);
        let (room, patience_s) = (Room::Firewall, events::PATIENCE_S);
        html(&render::WholeRules { view: &view, would: &would, room, rooms, patience_s })
    }

    async fn rules_fragment(&self, language: Language) -> Response {
        let Shows::Overview(site) = &self.shows else { return StatusCode::NOT_FOUND.into_response() };
        html(&render::RulesFragment { view: &self.rules(site, "", language).await })
    }
}

/// The three routes of the firewall's view, whose page may be asked something.
fn rules_views(rooms: &'static [Room]) -> Router<Page> {
    let whole = async move |Shared(page): Shared<Page>, Reads(language): Reads, wants: Wants| {
        page.whole_rules(rooms, wants, language).await
    };
    let part = async |Shared(page): Shared<Page>, Reads(language): Reads| page.rules_fragment(language).await;
    let stream = async |Shared(page): Shared<Page>, Reads(language): Reads| {
        events::stream(page.snapshots, Room::Firewall, language)
    };
    Router::new()
        .route(Room::Firewall.address(), get(whole))
        .route(Room::Firewall.part(), get(part))
        .route(Room::Firewall.events(), get(stream))
}

/// The three routes of a view.
fn views(room: Room, rooms: &'static [Room]) -> Router<Page> {
    let whole =
        async move |Shared(page): Shared<Page>, Reads(language): Reads| page.whole(room, rooms, language);
    let part = async move |Shared(page): Shared<Page>, Reads(language): Reads| page.fragment(room, language);
    let stream = async move |Shared(page): Shared<Page>, Reads(language): Reads| {
        events::stream(page.snapshots, room, language)
    };
    Router::new()
        .route(room.address(), get(whole))
        .route(room.part(), get(part))
        .route(room.events(), get(stream))
}

/// Where a look is asked for.
pub const CHECK: &str = "/check";

/// Asks for a look, and leads back to where it can be watched.
async fn check(Shared(page): Shared<Page>, Reads(language): Reads) -> Redirect {
    page.intents.check(Instant::now());
    Redirect::to(&format!("{}?lang={}", Room::Line.address(), words::CODE.get(language)))
}

/// Who was let in for maintenance is nobody's business at reception.
fn status(page: &Page, door: Door) -> Response {
    let mut snapshot = Arc::clone(&page.snapshots.borrow());
    if door == Door::Plain {
        Arc::make_mut(&mut snapshot).maintenance = None;
    }
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
