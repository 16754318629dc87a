//! A scan from a zone: every TCP port of an address, tried by connecting.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use clinic::Clinic;
use clinic::check::Wrong;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};

/// How many connections are tried at once.
const AT_ONCE: usize = 2048;
/// A lost SYN is sent again after a second; a slow board gets a second try.
const LOST: Duration = Duration::from_millis(2500);

/// What a scan found: ports that opened, and ports where somebody said no.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Open.
    pub open: BTreeSet<u16>,
    /// Refused: somebody answered.
    pub refused: BTreeSet<u16>,
}

/// Tries ports of an address from a host.
///
/// # Errors
/// Sockets cannot be made.
pub fn scan(clinic: &Clinic, from: &str, to: IpAddr, ports: &[u16]) -> Result<Found, Wrong> {
    let mut found = Found::default();
    for some in ports.chunks(AT_ONCE) {
        let part = clinic.inside(from, || together(to, some))??;
        found.open.extend(part.open);
        found.refused.extend(part.refused);
    }
    Ok(found)
}

fn together(to: IpAddr, ports: &[u16]) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let mut waiting: Vec<(u16, OwnedFd)> = Vec::new();
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    for port in ports {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let own = socket(family, SockType::Stream, flags, None).map_err(std::io::Error::from)?;
        let address: SockaddrStorage = SocketAddr::new(to, *port).into();
        match connect(own.as_raw_fd(), &address) {
            Ok(()) => found.open.extend([*port]),
            Err(Errno::EINPROGRESS) => waiting.push((*port, own)),
            Err(Errno::ECONNREFUSED) => found.refused.extend([*port]),
            // No way there is as good as silence.
            Err(_) => {}
        }
    }
    let end = Instant::now() + LOST;
    while !waiting.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        let mut set: Vec<PollFd<'_>> =
            waiting.iter().map(|(_, own)| PollFd::new(own.as_fd(), PollFlags::POLLOUT)).collect();
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        if poll(&mut set, timeout).map_err(std::io::Error::from)? == 0 {
            break;
        }
        let ready: Vec<bool> = set.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        drop(set);
        let mut at = 0;
        waiting.retain(|(port, own)| {
            let is_ready = ready.get(at) == Some(&true);
            at += 1;
            if is_ready {
                match getsockopt(own, sockopt::SocketError).map(Errno::from_raw) {
                    Ok(Errno::UnknownErrno) => found.open.extend([*port]),
                    Ok(Errno::ECONNREFUSED) => found.refused.extend([*port]),
                    _ => {}
                }
            }
            !is_ready
        });
    }
    Ok(found)
}
