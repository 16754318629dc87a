//! What `netd` opens for the roles that may not: the page's ports and the raw sockets of the probes. Nobody else binds a
//! port or opens a raw socket.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use model::part::Role;
use socket2::{Domain, Socket, Type};

use super::Place;
use crate::failure::Failure;
use crate::socket::lend::Named;

/// The names of the page's listeners.
pub const HTTP: &str = "http";
/// Likewise, over TLS.
pub const HTTPS: &str = "https";

/// What is held for the others while `netd` runs.
pub struct Lent {
    http: TcpListener,
    https: TcpListener,
    /// Held, never used: see [`only_one`].
    _only_one: Socket,
}

impl Lent {
    /// Opens the page's ports; nothing is served on them before `webd` borrows them.
    ///
    /// # Errors
    /// [`Failure::Listen`] naming a busy address; [`Failure::Another`].
    pub fn open(place: &Place) -> Result<Self, Failure> {
        let only_one = only_one()?;
        let (address, page) = (place.site.clinic.address, &place.site.page);
        Ok(Self {
            http: listen(SocketAddr::new(address, page.http))?,
            https: listen(SocketAddr::new(address, page.https))?,
            _only_one: only_one,
        })
    }

    /// What this role is lent. The listeners are shared, so that who connects while `webd` starts anew waits and is not
    /// refused; raw sockets are opened afresh, so that what the last holder left unread is not read.
    ///
    /// # Errors
    /// [`Failure::Reach`] without CAP_NET_RAW; [`Failure::Read`] if a listener cannot be shared.
    pub fn to(&self, role: Role) -> Result<Named, Failure> {
        match role {
            Role::Reachd => Ok(reach::Sockets::open()?.into_named()),
            Role::Webd => Ok(vec![(HTTP, share(&self.http)?), (HTTPS, share(&self.https)?)]),
            Role::Netd | Role::Relayd | Role::Boardd => Ok(Vec::new()),
        }
    }
}

fn share(listener: &TcpListener) -> Result<OwnedFd, Failure> {
    let shared = listener.try_clone().map_err(|source| Failure::Read { path: "a listener".into(), source });
    shared.map(OwnedFd::from)
}

/// A listener on an address the box may get only later (IP_FREEBIND). SO_REUSEPORT lets a new `netd` listen while
/// `webd` still serves what the last one lent it; another user cannot join in (socket(7)).
fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    const BACKLOG: i32 = 128;
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv4() {
            socket.set_freebind_v4(true)?;
        } else {
            socket.set_freebind_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|source| Failure::Listen { address, source })
}

/// One `netd` a network: two would share the page's ports and overrule each other's rules. What cannot be held twice is
/// a low port of the loopback, bound and never listened on: nobody without CAP_NET_BIND_SERVICE can take it first.
fn only_one() -> Result<Socket, Failure> {
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let hold = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_freebind_v4(true)?;
        socket.bind(&place.into())?;
        Ok(socket)
    };
    hold().map_err(|source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => Failure::Another,
        _ => Failure::Listen { address: place, source },
    })
}
