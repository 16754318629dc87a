//! Two ends of a wire, and somebody at the near end who wants to hear more than the sockets are for. Needs root.

use std::fs::File;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};
use reach::Sockets;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockFilter, Socket, Type};

/// Two ends of a wire: the box's `wan0`, where the test runs, and `w0` far away.
pub struct Wire {
    far: File,
}

impl Wire {
    /// Runs a case on a thread of its own, at the near end.
    pub fn lay(case: impl FnOnce(Self) + Send + 'static) {
        let thread = std::thread::spawn(move || {
            let far = std::thread::spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).expect("these tests need root");
                quiet();
                File::open("/proc/thread-self/ns/net").unwrap()
            });
            let far = far.join().unwrap();
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            quiet();
            let wire = Self { far };
            let there = format!("/proc/{}/fd/{}", std::process::id(), wire.far.as_raw_fd());
            ip("link add dev wan0 type veth peer name w0");
            ip(&format!("link set dev w0 netns {there}"));
            ip("link set dev wan0 up");
            wire.far_away(|| ip("link set dev w0 up"));
            ip("address replace fe80::2/64 dev wan0 nodad");
            wire.far_away(|| ip("address replace fe80::1/64 dev w0 nodad"));
            while !(carries("wan0") && wire.far_away(|| carries("w0"))) {
                std::thread::yield_now();
            }
            case(wire);
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }

    pub fn far_away<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let visit = scope.spawn(|| {
                setns(&self.far, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            visit.join().unwrap()
        })
    }

    /// Sends ICMPv6 messages of these types to everybody on the wire, in order.
    pub fn icmp6(&self, kinds: &[u8]) {
        self.far_away(|| {
            let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)).unwrap();
            let port = nix::net::if_::if_nametoindex("w0").unwrap();
            socket.set_multicast_hops_v6(255).unwrap();
            let to = SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), 0, 0, port);
            for kind in kinds {
                let mut message = [0; 24];
                message[0] = *kind;
                socket.send_to(&message, &to.into()).unwrap();
            }
        });
    }

    /// Sends frames of these ethertypes with these bytes to everybody on the wire, in order.
    pub fn frames(&self, frames: &[(i32, Vec<u8>)]) {
        self.far_away(|| {
            let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0))).unwrap();
            for (ethertype, bytes) in frames {
                socket.send_to(bytes, &link("w0", *ethertype)).unwrap();
            }
        });
    }
}

/// A namespace that says nothing by itself which these cases could mistake for what they send.
fn quiet() {
    for setting in ["accept_dad", "router_solicitations", "dad_transmits"] {
        std::fs::write(format!("/proc/sys/net/ipv6/conf/default/{setting}"), "0").unwrap();
    }
}

/// Whether the kernel has noticed the cable: until then what is sent is lost.
fn carries(port: &str) -> bool {
    let said = Command::new("ip").args(["-oneline", "link", "show", "dev", port]).output().unwrap();
    String::from_utf8_lossy(&said.stdout).contains("state UP")
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

fn ethertype_be(ethertype: i32) -> u16 {
    u16::try_from(ethertype).unwrap().to_be()
}

/// Everybody on a port, by an ethertype.
pub fn link(port: &str, ethertype: i32) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    #[expect(unsafe_code, reason = "the storage is large enough for every kind of address, and all zeroes")]
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype_be(ethertype);
    address.sll_ifindex = nix::net::if_::if_nametoindex(port).unwrap().cast_signed();
    address.sll_halen = 6;
    address.sll_addr = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0];
    #[expect(unsafe_code, reason = "what lies in the storage is a sockaddr_ll")]
    let address =
        unsafe { SockAddr::new(storage, libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap()) };
    address
}

/// What a socket hears, up to the message that begins so.
pub fn heard(socket: &Socket, last: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    while all.last().is_none_or(|message: &Vec<u8>| !message.starts_with(last)) {
        let mut bytes = [0; 128];
        let length =
            nix::sys::socket::recv(socket.as_raw_fd(), &mut bytes, nix::sys::socket::MsgFlags::empty());
        all.push(bytes[..length.expect("what the socket is for is heard")].to_vec());
    }
    all
}

/// The socket of this name, in the hands of somebody who tries to take its filter off.
pub fn handed_over(name: &str) -> Socket {
    let named = Sockets::open().unwrap().into_named();
    let found: OwnedFd = named.into_iter().find(|(own, _)| *own == name).unwrap().1;
    let socket = Socket::from(found);
    let everything = SockFilter::new(libc::BPF_RET as u16, 0, 0, u32::MAX);
    for refused in [socket.detach_filter(), socket.attach_filter(&[everything])] {
        assert_eq!(refused.map_err(|error| error.kind()), Err(io::ErrorKind::PermissionDenied), "{name}");
    }
    socket
}
