//! Remote maintenance in `netd`: the consent's room, with the firewall and charon behind its doors, and what may be
//! asked of it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use firewall::{Command, News, now};
use model::decision::Actor;
use model::drops::Drops;
use model::maintenance::{
    Answer, Further, MaintenancePart, Opening, PinChange, Reached, Refusal, Reviewing, Widening,
};
use model::part::{LinePart, PATIENCE_S, Role, Stamped};
use model::site::maintainers::Person;
use model::{Outcome, Rung, Site, Symptom, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tunnel::charon::Kernel;
use tunnel::consent::{self, Ask, Doors, Look};
use tunnel::maintenance::Line;

use super::{Place, Purpose, Tasks};
use crate::failure::Failure;
use crate::socket::server::Asker;
use crate::socket::{client, own_folder, part};

/// No clock of this product can honestly read less: the firmware did not exist then.
const FLOOR: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01T00:00:00Z

/// How long to leave a role alone that does not answer.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

/// How often is said that a site has none, or that it cannot be kept.
const SAID_EVERY: std::time::Duration = std::time::Duration::from_secs(20);

type Asked = (Ask, oneshot::Sender<Answer>);

/// The room before it is entered.
pub struct Consent {
    asks: mpsc::Sender<Asked>,
    asked: Mutex<Option<mpsc::Receiver<Asked>>>,
    part: watch::Sender<MaintenancePart>,
    rules: mpsc::Sender<Command>,
}

impl Consent {
    /// The room of a place, and the routes to it: `GET /maintenance`, and what may be asked.
    pub fn of(place: &Place, rules: mpsc::Sender<Command>) -> (Self, Router) {
        let (part, seen) = watch::channel(MaintenancePart::default());
        let (asks, asked) = mpsc::channel(super::WAITING);
        let (told, _) = part::routes_of(part::MAINTENANCE, seen, PATIENCE_S);
        let routes = match place.purpose {
            Purpose::Site(_) => told.merge(routes(&asks)),
            Purpose::Setup { .. } => told,
        };
        (Self { asks, asked: Mutex::new(Some(asked)), part, rules }, routes)
    }

    /// Has every verb noted that is used on these routes while a consent is open.
    pub fn noting(&self, routes: Router) -> Router {
        routes.layer(middleware::from_fn_with_state(self.asks.clone(), note))
    }

    /// Enters the room: from now on it answers. Whatever was open is closed first.
    pub fn start(&self, place: &Place, tasks: &mut Tasks) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(mut asked), part) = (asked, self.part.clone()) else { return };
        let planned = match place.purpose.clone() {
            Purpose::Site(site) => Some(site).filter(|site| site.maintainer.is_some()),
            Purpose::Setup { .. } => None,
        };
        let Some(site) = planned else {
            tokio::spawn(refuse(asked));
            tasks.spawn(async move { nothing(&part).await });
            return;
        };
        let (trust, clock) = watch::channel(false);
        tokio::spawn(follow_clock(place.sockets.clone(), trust));
        let doors = WayIn { rules: self.rules.clone(), line: line(&site, place) };
        let (source, state) = (consent::kernel(clock), place.state.clone());
        tasks.spawn(async move {
            match consent::Room::enter(site, state, source, doors, part.clone()).await {
                Ok(room) => room.run(&mut asked).await,
                // Without a record nothing is opened, and everything else goes on.
                Err(error) => tracing::error!(%error, "maintenance cannot be recorded and stays closed"),
            }
            drop(asked);
            nothing(&part).await
        });
    }
}

/// Whoever asks hears that the site file plans no maintenance.
async fn refuse(mut asked: mpsc::Receiver<Asked>) {
    while let Some((_, reply)) = asked.recv().await {
        // Who asked may have gone.
        let _ = reply.send(Answer::Refused { why: Refusal::NotPlanned });
    }
}

/// Nothing is open, and nothing will be.
async fn nothing(part: &watch::Sender<MaintenancePart>) -> Result<(), Failure> {
    loop {
        part.send_modify(|_| {});
        tokio::time::sleep(SAID_EVERY).await;
    }
}

/// What starts the charon of a consent in the image (`sekisho-maintenance.socket`), beside the roles' folders.
const DOOR: &str = "maintenance.sock";

/// In development and in the lab there is no ESP in the kernel.
fn line(site: &Site, place: &Place) -> Option<Line> {
    let kernel = if place.board == "simulated" { Kernel::Userspace } else { Kernel::Xfrm };
    let own = own_folder(&place.sockets, Role::Netd);
    Line::of(site, kernel, &own, &place.sockets.join(DOOR), &place.state)
}

/// Whether a time server contradicts the box's clock, by what `reachd` saw last.
async fn follow_clock(sockets: PathBuf, trust: watch::Sender<bool>) {
    let mut after = 0;
    loop {
        let asked: Result<Stamped<LinePart>, Failure> = client::part(&sockets, Role::Reachd, after).await;
        match asked {
            Ok(told) => {
                after = told.generation;
                let trusted = is_trusted(&told.part, Timestamp::now());
                trust.send_if_modified(|before| std::mem::replace(before, trusted) != trusted);
            }
            Err(_) => {
                // What was known of the clock still holds: it does not go wrong because nobody looks.
                after = 0;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

fn is_trusted(line: &LinePart, now: Timestamp) -> bool {
    let contradicts = |seen: &model::Observation| {
        seen.rung == Rung::Time && seen.outcome == Outcome::Bad(Symptom::ClockOff)
    };
    now >= FLOOR && !line.ladder.iter().any(contradicts)
}

/// The way in: the firewall's rules, and the tunnel.
struct WayIn {
    rules: mpsc::Sender<Command>,
    line: Option<Line>,
}

impl WayIn {
    async fn tell(&self, consent: Option<now::Consent>) -> Result<(), String> {
        let (reply, taken) = oneshot::channel();
        let news = News::Maintenance(consent);
        let gone = || "the firewall does not answer".to_owned();
        self.rules.send(Command::Tell { news, reply }).await.map_err(|_| gone())?;
        taken.await.map_err(|_| gone())?.map_err(|refused| refused.to_string())
    }

    /// Connections that the lines of a consent let begin.
    async fn drops(&self) -> Option<Drops> {
        let (reply, told) = oneshot::channel();
        self.rules.try_send(Command::Drops { reply }).ok()?;
        told.await.ok()
    }
}

impl Doors for WayIn {
    async fn let_in(&mut self, further: Option<Further>) -> Result<(), String> {
        let further = further.map(|further| (further.host, further.port));
        self.tell(Some(now::Consent { further })).await
    }

    async fn shut(&mut self) -> Result<(), String> {
        self.tell(None).await
    }

    async fn call(&mut self, person: &Person) -> Result<(), String> {
        match &mut self.line {
            Some(line) => line.call(person).await,
            None => Err("the site has no maintenance".into()),
        }
    }

    async fn hang_up(&mut self) -> Result<(), String> {
        match &mut self.line {
            Some(line) => line.hang_up().await,
            None => Ok(()),
        }
    }

    async fn look(&mut self) -> Look {
        let Some(line) = &mut self.line else { return Look::default() };
        let seen = line.look().await;
        let drops = self.drops().await;
        let count = |rule: &str| {
            let lines = drops.as_ref().map(|drops| drops.lines.as_slice()).unwrap_or_default();
            lines.iter().find(|line| line.rule == rule).map_or(0, |line| line.packets)
        };
        let reached = seen.bytes.map(|(bytes_in, bytes_out)| Reached {
            bytes_in,
            bytes_out,
            management: count("maint-input-management"),
            further: count("forward-maint-host"),
        });
        Look { up: seen.up, reached, trouble: seen.trouble }
    }
}

#[derive(Clone)]
struct Room(mpsc::Sender<Asked>);

impl Room {
    async fn ask(&self, ask: Ask) -> Result<Json<Answer>, StatusCode> {
        super::put(&self.0, |reply| (ask, reply)).await
    }
}

fn who(asker: Asker) -> Result<Actor, StatusCode> {
    asker.actor().ok_or(StatusCode::FORBIDDEN)
}

fn routes(asks: &mpsc::Sender<Asked>) -> Router {
    type From = ConnectInfo<Asker>;
    let open = async |State(room): State<Room>, ConnectInfo(asker): From, Json(words): Json<Opening>| {
        room.ask(Ask::Open(words, who(asker)?)).await
    };
    let further = async |State(room): State<Room>, ConnectInfo(asker): From, Json(words): Json<Widening>| {
        room.ask(Ask::Further(words, who(asker)?)).await
    };
    let review = async |State(room): State<Room>, ConnectInfo(asker): From, Json(words): Json<Reviewing>| {
        room.ask(Ask::Review(words, who(asker)?)).await
    };
    let pin = async |State(room): State<Room>, ConnectInfo(asker): From, Json(words): Json<PinChange>| {
        room.ask(Ask::Pin(words, who(asker)?)).await
    };
    let close = async |State(room): State<Room>| room.ask(Ask::Close).await;
    let button = async |State(room): State<Room>| room.ask(Ask::Button).await;
    Router::new()
        .route("/maintenance/open", post(open))
        .route("/maintenance/further", post(further))
        .route("/maintenance/review", post(review))
        .route("/maintenance/pin", post(pin))
        .route("/maintenance/close", post(close))
        .route("/maintenance/button", post(button))
        .route("/maintenance/touch", post(close))
        .with_state(Room(asks.clone()))
}

/// Notes a verb. The room forgets it unless a consent is open, and nobody waits for it.
async fn note(State(asks): State<mpsc::Sender<Asked>>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        let (reply, _) = oneshot::channel();
        let _ = asks.try_send((Ask::Used(request.uri().path().to_owned()), reply));
    }
    next.run(request).await
}

/// Where the box's own certificate for maintenance lies.
pub fn certificate(state: &Path) -> Result<String, Failure> {
    let path = tunnel::maintenance::identity::path(state);
    let own = tunnel::maintenance::identity::own(state, Timestamp::now());
    own.map(|own| own.certificate).map_err(|reason| Failure::Data { path, reason })
}

#[cfg(test)]
mod tests {
    use model::{Observation, Verdict};

    use super::*;

    #[test]
    fn a_clock_is_trusted_unless_a_time_server_contradicts_it_or_it_cannot_be_right() {
        let now = "2026-12-01T00:00:00Z".parse().unwrap();
        let with = |outcome| {
            let (rung, terminal, took_ms, detail) = (Rung::Time, None, 0.0, String::new());
            let seen = Observation { rung, terminal, outcome, at: now, took_ms, detail };
            LinePart { ladder: vec![seen], ..LinePart::judged(Verdict::unknown(now)) }
        };
        assert!(is_trusted(&with(Outcome::Good), now) && is_trusted(&with(Outcome::Open), now));
        assert!(!is_trusted(&with(Outcome::Bad(Symptom::ClockOff)), now));
        assert!(!is_trusted(&with(Outcome::Good), Timestamp::UNIX_EPOCH));
    }
}
