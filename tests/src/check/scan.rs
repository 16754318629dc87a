//! A scan from a zone: every TCP port of an address, tried by connecting; and what docs/security.md says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};

use super::Wrong;
use crate::Clinic;

/// How many connections are tried at once.
const AT_ONCE: usize = 2048;
/// A lost SYN is sent again after a second; a slow board gets a second try.
const LOST: Duration = Duration::from_millis(2500);

/// What docs/security.md says is open: for a zone and `tcp` or `udp`, the ports.
pub type Documented = BTreeMap<(String, String), BTreeSet<u16>>;

/// Reads the table of what listens where.
///
/// # Errors
/// There is none.
pub fn documented() -> Result<Documented, Wrong> {
    let text = include_str!("../../../docs/security.md");
    let section = text.split("\n## What listens where\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.ok_or_else(|| Wrong::new("docs/security.md does not say what listens where"))?;
    let mut table = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let [zone, tcp, udp] = line.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>()[..] else {
            continue;
        };
        for (kind, cell) in [("tcp", tcp), ("udp", udp)] {
            let ports =
                cell.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok());
            table.insert((zone.to_owned(), kind.to_owned()), ports.collect());
        }
    }
    Ok(table)
}

/// What is open for a zone.
///
/// # Errors
/// The document does not say.
pub fn open(zone: &str, kind: &str) -> Result<BTreeSet<u16>, Wrong> {
    let missing = || Wrong(format!("docs/security.md does not say what is open for {zone}"));
    documented()?.remove(&(zone.to_owned(), kind.to_owned())).ok_or_else(missing)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_say_what_is_open_for_each_zone() {
        assert_eq!(open("clinic", "tcp").unwrap(), [80, 443, 445].into());
        assert_eq!(open("line", "tcp").unwrap(), [].into());
        assert!(open("terminal", "udp").unwrap().contains(&53));
        assert!(open("moon", "tcp").is_err());
    }
}
