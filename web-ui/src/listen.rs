//! The two doors to the same page: plain HTTP for reception, HTTPS for everybody else. Strangers get bounded
//! headers, bounded time and a bounded number of connections.

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::part::Snapshot;
use model::{Site, Timestamp};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::Error;
use crate::identity::{self, Fingerprints, Identity};
use crate::intent::Intents;
use crate::page::{Door, Page, Shows};

/// What the page needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the box's own authority and the page's certificate are kept; made if absent.
    pub identity_dir: PathBuf,
    /// Contacts, for whom to call.
    pub site: Arc<Site>,
}

/// Sockets that listen already, ready to serve. Somebody else opened them: the page itself needs no right to a port.
pub struct Listeners {
    http: Option<TcpListener>,
    https: TcpListener,
    /// The same page at the management address.
    maintenance: Option<TcpListener>,
    identity: Identity,
    shows: Shows,
}

impl Listeners {
    /// The overview of a site in force: takes the listeners of plain HTTP and of HTTPS, and makes sure of the
    /// certificate. Needs no runtime.
    ///
    /// # Errors
    /// A certificate that can be neither read nor made; a listener that is none.
    pub fn new(config: &Config, http: TcpListener, https: TcpListener) -> Result<Self, Error> {
        let shows = Shows::Overview(Arc::clone(&config.site));
        Self::of(&config.identity_dir, Some(http), https, shows)
    }

    /// The setup page of a box without a site in force: over HTTPS only, because one day a code is typed there.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn setup(identity_dir: &Path, https: TcpListener) -> Result<Self, Error> {
        Self::of(identity_dir, None, https, Shows::Setup)
    }

    fn of(
        identity_dir: &Path,
        http: Option<TcpListener>,
        https: TcpListener,
        shows: Shows,
    ) -> Result<Self, Error> {
        for listener in http.iter().chain([&https]) {
            listener.set_nonblocking(true).map_err(Error::Serve)?;
        }
        let address = https.local_addr().map_err(Error::Serve)?.ip();
        let (maintenance, identity) = (None, identity::identity(identity_dir, address)?);
        Ok(Self { http, https, maintenance, identity, shows })
    }

    /// The same page over HTTPS at one more address, which a maintainer reaches while somebody lets him.
    ///
    /// # Errors
    /// A listener that is none.
    pub fn and_for_maintenance(mut self, listener: TcpListener) -> Result<Self, Error> {
        listener.set_nonblocking(true).map_err(Error::Serve)?;
        self.maintenance = Some(listener);
        Ok(self)
    }

    /// What a person compares with what the browser shows.
    pub fn fingerprints(&self) -> &Fingerprints {
        &self.identity.fingerprints
    }

    /// Until when the page's certificates are good.
    pub const fn until(&self) -> Timestamp {
        self.identity.until
    }
}

/// Time for a whole request head, also the next one on a kept connection, and for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest a connection lives; an event stream then comes back by itself.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// Connections of all visitors together.
const CONNECTIONS: usize = 256;

/// Connections of one visitor: four browser windows.
const CONNECTIONS_EACH: usize = 24;

/// The longest request head, bytes; hyper's smallest.
const HEAD: usize = 8192;

/// Serves the newest snapshot until it is dropped, and carries on what visitors want; `now` is the clock that ages are
/// counted by.
///
/// # Errors
/// A listener that the runtime cannot take.
pub async fn serve(
    listeners: Listeners,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    intents: Intents,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Result<(), Error> {
    let Listeners { http, https, maintenance, identity: Identity { tls, fingerprints, .. }, shows } =
        listeners;
    let fingerprints = Arc::new(fingerprints);
    let page = Page { shows, fingerprints, snapshots, intents, now: Arc::new(now) };
    let guests = Arc::new(Guests::default());
    let tls = TlsAcceptor::from(tls);
    let from_afar = maintenance.map(|one| welcome(one, Some(tls.clone()), page.clone(), Arc::clone(&guests)));
    let from_afar = async {
        match from_afar {
            Some(door) => door.await,
            None => Ok(()),
        }
    };
    let secure = welcome(https, Some(tls), page.clone(), Arc::clone(&guests));
    let Some(http) = http else { return secure.await };
    let plain = welcome(http, None, page, guests);
    tokio::try_join!(plain, secure, from_afar).map(|_| ())
}

async fn welcome(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    page: Page,
    guests: Arc<Guests>,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(Error::Serve)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::Serve)?;
    let door = if tls.is_some() { Door::Secure } else { Door::Plain };
    let router = page.router(address.ip(), door);
    let mut visits = JoinSet::new();
    loop {
        while visits.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(guest) = Guests::enter(&guests, peer.ip()) else { continue };
                let visit = visit(stream, tls.clone(), router.clone());
                visits.spawn(async move {
                    // A visitor who breaks off, or breaks a protocol, is that visitor's business.
                    let _ended = timeout(LIFE, visit).await;
                    drop(guest);
                });
            }
            // Out of descriptors, or the visitor is gone already: others may still come.
            Err(error) => {
                tracing::warn!(%error, %address, "failed to accept a visitor");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn visit(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    match tls {
        None => talk(TokioIo::new(stream), router).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(PATIENCE, tls.accept(stream)).await {
                talk(TokioIo::new(stream), router).await;
            }
        }
    }
}

async fn talk(stream: impl Read + Write + Unpin, router: Router) {
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .max_headers(64)
        .serve_connection(stream, TowerToHyperService::new(router))
        .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "a visit to the page ended early");
    }
}

/// Who is connected, so that one visitor cannot take every place.
#[derive(Default)]
struct Guests {
    places: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; given back when dropped.
struct Place {
    guests: Arc<Guests>,
    peer: IpAddr,
}

impl Guests {
    fn enter(guests: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut places = guests.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.values().sum::<usize>() >= CONNECTIONS {
            return None;
        }
        let taken = places.entry(peer).or_default();
        if *taken >= CONNECTIONS_EACH {
            return None;
        }
        *taken += 1;
        Some(Place { guests: Arc::clone(guests), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.guests.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.peer) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_visitor_never_takes_every_place_and_gives_back_what_it_took() {
        let guests = Arc::new(Guests::default());
        let first: IpAddr = "198.51.100.10".parse().unwrap();
        let second: IpAddr = "198.51.100.11".parse().unwrap();
        let places: Vec<Place> = std::iter::from_fn(|| Guests::enter(&guests, first)).take(1000).collect();
        assert_eq!(places.len(), CONNECTIONS_EACH);
        assert!(Guests::enter(&guests, second).is_some());
        drop(places);
        assert!(Guests::enter(&guests, first).is_some());
        assert!(guests.places.lock().unwrap().is_empty());
    }
}
