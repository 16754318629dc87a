//! What `netd` opens for the roles that may not: the page's ports and the raw sockets of the probes. Nobody else binds a
//! port or opens a raw socket, and `netd` keeps none: a role that starts anew asks anew.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use model::boot::Setup;
use model::part::Role;
use socket2::{Domain, Socket, Type};

use super::Purpose;
use crate::failure::Failure;
use crate::socket::lend::Named;

/// The names of the page's listeners.
pub const HTTP: &str = "http";
/// Likewise, over TLS.
pub const HTTPS: &str = "https";
/// Likewise, for a maintainer: nobody reaches it without an open consent.
pub const MAINTENANCE: &str = "maintenance";

/// Opens what this role is lent. Before a site is in force the page has one listener, or none without a setup port.
///
/// # Errors
/// [`Failure::Listen`] naming a busy address; [`Failure::Reach`] without CAP_NET_RAW.
pub fn to(role: Role, purpose: &Purpose) -> Result<Named, Failure> {
    match role {
        Role::Reachd => {
            let mut named = reach::Sockets::open()?.into_named();
            if let Some(plan) = super::segment::plan(purpose) {
                // A port that is not there yet has no number; what is asked on the line is heard all the same.
                let terminals = nix::net::if_::if_nametoindex(plan.terminals.as_str()).unwrap_or(0);
                named.extend(segment::answer::Sockets::open(terminals)?.into_named());
            }
            Ok(named)
        }
        Role::Webd => page(purpose),
        Role::Netd | Role::Relayd | Role::Boardd => Ok(Vec::new()),
    }
}

fn page(purpose: &Purpose) -> Result<Named, Failure> {
    match purpose {
        Purpose::Site(site) => {
            let at = |port| listen(SocketAddr::new(site.clinic.address, port));
            let mut doors = vec![(HTTP, at(site.page.http)?), (HTTPS, at(site.page.https)?)];
            if let Some(maintainer) = &site.maintainer {
                let address = SocketAddr::new(maintainer.address.address, site.page.https);
                doors.push((MAINTENANCE, listen(address)?));
            }
            Ok(doors)
        }
        Purpose::Setup { setup: Some(setup), .. } => {
            Ok(vec![(HTTPS, listen(SocketAddr::new(setup.address.address, Setup::HTTPS))?)])
        }
        Purpose::Setup { setup: None, .. } => Ok(Vec::new()),
    }
}

/// A listener on an address that the box may get only later (IP_FREEBIND).
fn listen(address: SocketAddr) -> Result<OwnedFd, Failure> {
    const BACKLOG: i32 = 128;
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv4() {
            socket.set_freebind_v4(true)?;
        } else {
            socket.set_freebind_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket).into())
    };
    open().map_err(|source| Failure::Listen { address, source })
}
