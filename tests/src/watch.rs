//! Waiting for something in a host's kernel: a route, an address, a carrier. Told by rtnetlink, never by polling.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use crate::error::{Error, doing};
use crate::host::Door;
use crate::process::readable;

/// The multicast groups of rtnetlink(7): links, addresses, routes.
const GROUPS: i32 = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV6_ROUTE;

/// Waits in a host until `holds` is true, looking again after each change of its links, addresses and routes.
///
/// # Errors
/// [`Error::Late`] with `what` when `patience` is over.
pub fn until(
    door: &Door,
    what: &str,
    patience: Duration,
    holds: impl Fn() -> bool + Sync,
) -> Result<(), Error> {
    let deadline = Instant::now() + patience;
    door.inside(|| {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let events = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)
            .map_err(doing("listen to rtnetlink"))?;
        // Listening before the first look: a change in between is not missed.
        bind(events.as_raw_fd(), &NetlinkAddr::new(0, GROUPS.cast_unsigned()))
            .map_err(doing("listen to rtnetlink"))?;
        while !holds() {
            if readable(&[events.as_fd()], deadline) == [false] {
                return Err(Error::Late { what: what.to_owned(), seconds: patience.as_secs() });
            }
            let mut message = [0_u8; 8192];
            while recv(events.as_raw_fd(), &mut message, MsgFlags::empty()).is_ok() {}
        }
        Ok(())
    })
}

// /proc/net follows the process's first thread; this is this thread's.
const ROUTES: &str = "/proc/thread-self/net/ipv6_route";
const ROUTES4: &str = "/proc/thread-self/net/route";
const ADDRESSES: &str = "/proc/thread-self/net/if_inet6";

/// Whether a port has a default route through a router (flag G of proc(5) `ipv6_route`).
pub fn has_router(port: &str) -> bool {
    let routes = std::fs::read_to_string(ROUTES).unwrap_or_default();
    routes.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [to, length, _, _, via, _, _, _, flags, on] = fields[..] else { return false };
        let flags = u32::from_str_radix(flags, 16).unwrap_or(0);
        on == port && length == "00" && is_zero(to) && !is_zero(via) && flags & GATEWAY != 0
    })
}

/// The same over IPv4 (proc(5) `route`).
pub fn has_router4(port: &str) -> bool {
    let routes = std::fs::read_to_string(ROUTES4).unwrap_or_default();
    routes.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [on, to, via, flags, ..] = fields[..] else { return false };
        let flags = u32::from_str_radix(flags, 16).unwrap_or(0);
        on == port && is_zero(to) && !is_zero(via) && flags & GATEWAY != 0
    })
}

/// The IPv4 addresses of a port.
pub fn addresses4(port: &str) -> Vec<std::net::Ipv4Addr> {
    let all = nix::ifaddrs::getifaddrs().into_iter().flatten();
    all.filter(|one| one.interface_name == port)
        .filter_map(|one| Some(one.address?.as_sockaddr_in()?.ip()))
        .collect()
}

/// RTF_GATEWAY.
const GATEWAY: u32 = 2;

fn is_zero(address: &str) -> bool {
    address.bytes().all(|byte| byte == b'0')
}

/// Whether a port has a global IPv6 address that may be used (no flag `tentative` or `dadfailed`).
pub fn has_global_address(port: &str) -> bool {
    global_addresses(port).iter().any(|(_, _, flags)| flags & (TENTATIVE | DAD_FAILED) == 0)
}

/// The global addresses of a port, with what follows of them: prefix length and flags.
pub fn global_addresses(port: &str) -> Vec<(std::net::Ipv6Addr, u8, u32)> {
    let addresses = std::fs::read_to_string(ADDRESSES).unwrap_or_default();
    let of = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, length, "00", flags, on] = fields[..] else { return None };
        let address = u128::from_str_radix(address, 16).ok()?.into();
        let length = u8::from_str_radix(length, 16).ok()?;
        (on == port).then_some((address, length, u32::from_str_radix(flags, 16).ok()?))
    };
    addresses.lines().filter_map(of).collect()
}

/// How many neighbour advertisements this host has sent.
pub fn neighbour_advertisements() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap_or_default();
    let of = |line: &str| line.strip_prefix("Icmp6OutNeighborAdvertisements")?.trim().parse().ok();
    counts.lines().find_map(of).unwrap_or(0)
}

/// IFA_F_TENTATIVE and IFA_F_DADFAILED of rtnetlink(7).
const TENTATIVE: u32 = 0x40;
const DAD_FAILED: u32 = 0x08;

/// Whether a port has a carrier.
pub fn has_carrier(port: &str) -> bool {
    std::fs::read_to_string(format!("/sys/class/net/{port}/carrier")).is_ok_and(|text| text.trim() == "1")
}

/// Whether a port of a bridge takes part in it: `BR_STATE_FORWARDING` of linux/if_bridge.h.
pub fn forwards(port: &str) -> bool {
    std::fs::read_to_string(format!("/sys/class/net/{port}/brport/state"))
        .is_ok_and(|text| text.trim() == "3")
}
