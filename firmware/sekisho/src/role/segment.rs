//! The terminals' segment: the firewall follows what the line gives, radvd tells it, and what answers on the line for the terminals
//! tells `netd` whom it found. How it stands is said at `GET /segment/part`.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use firewall::{Command, News};
use model::part::{PATIENCE_S, Role};
use model::segment::SegmentPart;
use model::site::prefix::Prefix;
use segment::{Outward, Plan, Told};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::Purpose;
use crate::failure::Failure;
use crate::socket::{client, part};
use crate::{files, socket};

/// How long the firewall may take to follow.
const PATIENCE: Duration = Duration::from_secs(5);

/// A terminal invents no more addresses than this; see [`segment::answer`].
const MOST: usize = 256;

/// radvd's configuration, among `netd`'s sockets. Who starts radvd waits for it, and has radvd read it again when it changes.
pub fn radvd(sockets: &Path) -> PathBuf {
    socket::own_folder(sockets, Role::Netd).join("radvd.conf")
}

/// The plan of a site whose terminals have IPv6 from the line.
pub fn plan(purpose: &Purpose) -> Option<Plan> {
    match purpose {
        Purpose::Site(site) => Plan::of(site),
        Purpose::Setup { .. } => None,
    }
}

/// `POST /terminals`: these addresses are the terminals'. It answers when their packets pass.
pub fn routes(room: mpsc::Sender<Told>) -> Router {
    Router::new().route("/terminals", post(move |Json(addresses)| told(room.clone(), addresses)))
}

/// How the segment stands, for who serves it, and the route by which others read it.
pub fn part() -> (watch::Sender<SegmentPart>, Router) {
    let nothing = SegmentPart { delegated: false, given: Vec::new(), before: Vec::new(), missing: false };
    let (part, seen) = watch::channel(nothing);
    let (told, _) = part::routes(seen, PATIENCE_S);
    (part, Router::new().nest("/segment", told))
}

async fn told(room: mpsc::Sender<Told>, addresses: Vec<Ipv6Addr>) -> Result<Json<()>, StatusCode> {
    if addresses.len() > MOST {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (reply, done) = oneshot::channel();
    room.try_send(Told { addresses, reply }).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match timeout(PATIENCE, done).await {
        Ok(Ok(())) => Ok(Json(())),
        _ => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Whom the segment tells.
pub struct Followers {
    /// The firewall's room.
    pub firewall: mpsc::Sender<Command>,
    /// radvd's file.
    pub radvd: PathBuf,
    /// Whoever asks how it stands.
    pub part: watch::Sender<SegmentPart>,
}

impl Outward for Followers {
    fn stands(&mut self, part: SegmentPart) {
        self.part.send_replace(part);
    }

    async fn terminals(&mut self, prefixes: Vec<Prefix>) -> bool {
        let (reply, taken) = oneshot::channel();
        let news = News::Terminals(prefixes);
        if self.firewall.send(Command::Tell { news, reply }).await.is_err() {
            return false;
        }
        match timeout(PATIENCE, taken).await {
            Ok(Ok(Ok(()))) => true,
            Ok(Ok(Err(refused))) => {
                tracing::warn!(%refused, "what the line gives is not given on");
                false
            }
            _ => false,
        }
    }

    fn advertise(&mut self, config: &str) -> bool {
        let written = files::replace(&self.radvd, config, 0o644);
        written
            .inspect_err(|error| tracing::error!(%error, "the terminals are not told the line's prefix"))
            .is_ok()
    }
}

/// Answers on the line for the terminals, by sockets that `netd` has lent.
///
/// # Errors
/// [`Failure::Segment`].
pub async fn answer(plan: Plan, sockets: segment::answer::Sockets, folder: PathBuf) -> Result<(), Failure> {
    let tell = |addresses: Vec<Ipv6Addr>| {
        let folder = folder.clone();
        async move {
            let told: Result<(), Failure> =
                client::order(&folder, Role::Netd, "/terminals", &addresses).await;
            told.inspect_err(|error| tracing::debug!(%error, "netd was not told the terminals' addresses"))
                .is_ok()
        }
    };
    segment::answer::answer(plan, sockets, tell).await.map_err(Failure::from)
}
