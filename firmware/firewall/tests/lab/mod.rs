//! A box of three ports and what is plugged into them, as two network namespaces that belong to threads.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use firewall::packet::{Packet, State};
use nix::sched::{CloneFlags, setns, unshare};

#[path = "../alone/mod.rs"]
mod alone;

pub use alone::{alone, run};

use alone::run_line;

/// The other end of each port, as packet sockets.
pub struct Lab {
    outside: BTreeMap<String, OwnedFd>,
}

/// The box's end has this address, whatever the port: frames from outside are for it.
const OF_BOX: [u8; 6] = [2, 0, 0, 0, 0, 1];

const PORTS: [&str; 3] = ["wan0", "term0", "lan0"];

impl Lab {
    /// Makes the ports in the namespace of this thread, and their other ends in a namespace outside that lives
    /// as long as the packet sockets do.
    pub fn build() -> Self {
        let of_box = File::open("/proc/thread-self/ns/net").unwrap();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        for port in PORTS {
            run_line(&format!("ip link add dev o-{port} type veth peer name {port}"));
            run_line(&format!("ip link set dev o-{port} up"));
        }
        let outside = PORTS.map(|port| (port.to_owned(), packet_socket(&format!("o-{port}")).unwrap()));
        for port in PORTS {
            let target = format!("/proc/{}/fd/{}", std::process::id(), of_box.as_raw_fd());
            run("ip", &["link", "set", "dev", port, "netns", &target]);
        }
        setns(&of_box, CloneFlags::CLONE_NEWNET).unwrap();
        Self::address();
        Self { outside: outside.into() }
    }

    fn address() {
        for (path, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv4/conf/all/rp_filter", "0"),
            ("ipv4/conf/default/rp_filter", "0"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv6/conf/default/accept_dad", "0"),
        ] {
            std::fs::write(format!("/proc/sys/net/{path}"), value).unwrap();
        }
        for port in PORTS {
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{port}/rp_filter"), "0").unwrap();
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{port}/accept_dad"), "0").unwrap();
            run_line(&format!("ip link set dev {port} address 02:00:00:00:00:01 up"));
        }
        run_line("ip address add 192.0.2.1/24 dev term0");
        run_line("ip address add 198.51.100.1/24 dev lan0");
        run_line("ip address add 2001:db8:0:1::5/128 dev wan0 nodad");
        run_line("ip -6 route add 2001:db8:0:1::2/128 dev term0");
        run_line("ip -6 route add default via fe80::1 dev wan0");
        run_line("ip -4 route add default dev wan0");
    }

    /// Sends a packet into the port it says it comes in by.
    pub fn send(&self, packet: &Packet) {
        let frame = frame(packet);
        let socket = &self.outside[&packet.from_port];
        assert_eq!(nix::unistd::write(socket, &frame), Ok(frame.len()), "{packet}");
    }
}

#[expect(unsafe_code, reason = "nix makes no link-layer address: the struct is zeroed, its size is given")]
fn packet_socket(port: &str) -> io::Result<OwnedFd> {
    let index = nix::net::if_::if_nametoindex(port)?;
    let protocol = u16::to_be(0x0003); // ETH_P_ALL
    // SAFETY: no pointers but the address's own, which outlives the call.
    unsafe {
        let socket = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(socket);
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = index as i32;
        let length = size_of::<libc::sockaddr_ll>() as u32;
        match libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) {
            0 => Ok(socket),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn frame(packet: &Packet) -> Vec<u8> {
    let payload = transport(packet);
    let length = u16::try_from(payload.len()).unwrap();
    let mut frame = [OF_BOX.as_slice(), &[2, 0, 0, 0, 0, 2]].concat();
    match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            frame.extend([8, 0]);
            let mut header = [&[0x45, 0][..], &(length + 20).to_be_bytes(), &[0, 1, 0, 0]].concat();
            header.extend([packet.hop_limit, packet.protocol, 0, 0]);
            header.extend(source.octets().into_iter().chain(destination.octets()));
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum);
            frame.extend(header);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([packet.protocol, packet.hop_limit]);
            frame.extend(source.octets().into_iter().chain(destination.octets()));
        }
        _ => unreachable!("a packet has one family"),
    }
    frame.extend(payload);
    frame
}

/// The transport header with its checksum, which connection tracking looks at.
fn transport(packet: &Packet) -> Vec<u8> {
    let mut ports = packet.source_service.to_be_bytes().to_vec();
    ports.extend(packet.destination_service.to_be_bytes());
    let syn = if packet.state == State::Invalid { 0 } else { 2 };
    let (mut payload, at) = match packet.protocol {
        6 => ([&ports[..], &[0; 8], &[0x50, syn, 0x20, 0, 0, 0, 0, 0]].concat(), 16),
        17 => ([&ports[..], &[0, 8, 0, 0]].concat(), 6),
        // The identifier of an echo; 24 more octets are long enough for every type sent here.
        _ => ([&[packet.icmp_type, packet.icmp_code, 0, 0][..], &ports[..2], &[0, 1], &[0; 48]].concat(), 2),
    };
    let mut summed = Vec::new();
    if packet.protocol != 1 {
        match (packet.source, packet.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                summed.extend([source.octets(), destination.octets()].concat())
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                summed.extend([source.octets(), destination.octets()].concat())
            }
            _ => unreachable!("a packet has one family"),
        }
        summed.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        summed.extend([0, 0, 0, packet.protocol]);
    }
    summed.extend(&payload);
    let sum = checksum(&summed);
    payload[at..at + 2].copy_from_slice(&sum);
    payload
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap()).to_be_bytes()
}
