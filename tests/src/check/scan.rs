//! A scan from a zone: every TCP port of an address, tried by connecting; and what docs/security.md says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};

use super::Wrong;
use crate::Clinic;

/// How many connections are begun before answers are looked at: a TAP's queue holds a thousand frames.
const WAVE: usize = 256;
/// How long a wave has the wire to itself.
const APART: Duration = Duration::from_millis(15);
/// How many connections may be open at once.
const AT_ONCE: usize = 16_384;
/// A lost SYN is sent again after a second, and after two more.
const LOST: Duration = Duration::from_millis(3500);

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

/// An address as a host reaches it: one that is valid on one link only, by the host's interface on that link.
///
/// # Errors
/// There is no such interface.
pub fn scoped(clinic: &Clinic, host: &str, interface: &str, to: IpAddr) -> Result<SocketAddr, Wrong> {
    match to {
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            let index = clinic.inside(host, || nix::net::if_::if_nametoindex(interface))?;
            let index = index.map_err(|errno| Wrong(format!("{interface} in {host}: {errno}")))?;
            Ok(SocketAddrV6::new(address, 0, 0, index).into())
        }
        _ => Ok(SocketAddr::new(to, 0)),
    }
}

/// Tries ports of an address from a host. The address's own port does not matter; a link-local one names its interface
/// by the scope ([`scoped`]).
///
/// # Errors
/// Sockets cannot be made.
pub fn scan(clinic: &Clinic, from: &str, to: SocketAddr, ports: &[u16]) -> Result<Found, Wrong> {
    let room = AT_ONCE as u64 + 1024;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if soft < room {
        setrlimit(Resource::RLIMIT_NOFILE, room, hard.max(room)).map_err(std::io::Error::from)?;
    }
    clinic.inside(from, || tried(to, ports))?
}

/// A port that has not answered yet.
struct Waiting {
    port: u16,
    own: OwnedFd,
    until: Instant,
}

fn tried(to: SocketAddr, ports: &[u16]) -> Result<Found, Wrong> {
    let (mut found, mut waiting, mut left) = (Found::default(), Vec::new(), ports.iter());
    loop {
        let room = AT_ONCE.saturating_sub(waiting.len()).min(WAVE);
        for port in left.by_ref().take(room) {
            begin(to, *port, &mut found, &mut waiting)?;
        }
        if waiting.is_empty() {
            return Ok(found);
        }
        look(&mut found, &mut waiting)?;
    }
}

fn begin(mut to: SocketAddr, port: u16, found: &mut Found, waiting: &mut Vec<Waiting>) -> Result<(), Wrong> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let own = socket(family, SockType::Stream, flags, None).map_err(std::io::Error::from)?;
    let address: SockaddrStorage = {
        to.set_port(port);
        to.into()
    };
    match connect(own.as_raw_fd(), &address) {
        Err(Errno::EINPROGRESS) => waiting.push(Waiting { port, own, until: Instant::now() + LOST }),
        Ok(()) => found.open.extend([port]),
        Err(Errno::ECONNREFUSED) => found.refused.extend([port]),
        // No way there is as good as silence.
        Err(_) => {}
    }
    Ok(())
}

/// Takes out what has answered, and what had its time.
fn look(found: &mut Found, waiting: &mut Vec<Waiting>) -> Result<(), Wrong> {
    let mut set: Vec<PollFd<'_>> =
        waiting.iter().map(|one| PollFd::new(one.own.as_fd(), PollFlags::POLLOUT)).collect();
    let apart = PollTimeout::try_from(APART).unwrap_or(PollTimeout::ZERO);
    poll(&mut set, apart).map_err(std::io::Error::from)?;
    let ready: Vec<bool> = set.iter().map(|fd| fd.any().unwrap_or(false)).collect();
    drop(set);
    let (mut ready, now) = (ready.into_iter(), Instant::now());
    waiting.retain(|one| {
        if ready.next() != Some(true) {
            return one.until > now;
        }
        match getsockopt(&one.own, sockopt::SocketError).map(Errno::from_raw) {
            Ok(Errno::UnknownErrno) => found.open.extend([one.port]),
            Ok(Errno::ECONNREFUSED) => found.refused.extend([one.port]),
            _ => {}
        }
        false
    });
    Ok(())
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
