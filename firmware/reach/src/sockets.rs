//! The raw sockets, opened and filtered before a byte is read: afterwards nothing here needs a capability.
//!
//! Whoever has CAP_NET_RAW opens them and may hand them to a process that has not: a classic BPF program lets in what
//! the probes wait for and nothing else, and it is locked, so that not even a probe gone wrong hears more.

use std::io::{self, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::socket::{self, ControlMessageOwned, LinkAddr, MsgFlags, SockaddrIn6, SockaddrLike as _};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::Error;
use crate::icmp6::Received;

/// The sockets that need CAP_NET_RAW to open. They hear every port; a packet is told by the port it came in on, so a
/// port that goes and comes back needs no new socket.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) advertisements: Socket,
    pub(crate) neighbours: Socket,
    pub(crate) arp: Socket,
}

/// So many packets that wait are read at once at most: whoever floods the wire must not hold us here.
pub(crate) const WAITING: usize = 256;

/// ICMPv6 types a socket hears.
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// By what names the sockets go from one process to another.
const NAMES: [&str; 3] = ["router-advertisements", "neighbour-advertisements", "arp"];

impl Sockets {
    /// Opens them; needs CAP_NET_RAW, and no runtime.
    ///
    /// # Errors
    /// [`Error::Socket`], mostly for want of CAP_NET_RAW.
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            advertisements: icmp6(ROUTER_ADVERTISEMENT).map_err(named("router advertisements"))?,
            neighbours: icmp6(NEIGHBOUR_ADVERTISEMENT).map_err(named("neighbour advertisements"))?,
            arp: arp().map_err(named("ARP"))?,
        })
    }

    /// Each with its name, to be handed to another process.
    pub fn into_named(self) -> Vec<(&'static str, OwnedFd)> {
        let sockets = [self.advertisements, self.neighbours, self.arp];
        NAMES.into_iter().zip(sockets.map(OwnedFd::from)).collect()
    }

    /// Takes over sockets that another process opened with [`Self::open`], asking for each by its name.
    ///
    /// # Errors
    /// What `take` says of the first that is not there.
    pub fn from_named<E>(mut take: impl FnMut(&str) -> Result<OwnedFd, E>) -> Result<Self, E> {
        let [advertisements, neighbours, arp] = NAMES;
        let mut socket = |name| take(name).map(Socket::from);
        Ok(Self {
            advertisements: socket(advertisements)?,
            neighbours: socket(neighbours)?,
            arp: socket(arp)?,
        })
    }
}

fn named(purpose: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Socket { purpose, source }
}

/// A raw ICMPv6 socket that hears one type and sends with the full hop limit, as neighbour discovery must.
fn icmp6(kind: u8) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    // The kernel's own filter spares us the wake-ups; its owner may lift it, so it is not what we rely on.
    hear_only(&socket, kind)?;
    // A raw ICMPv6 socket sees a packet from its type on.
    close(&socket, &[load_byte(0), unless(kind.into(), 1), ACCEPT, REFUSE])?;
    socket.set_recv_hoplimit_v6(true)?;
    socket.set_multicast_hops_v6(255)?;
    socket.set_unicast_hops_v6(255)?;
    Ok(socket)
}

/// A packet socket that hears replies of ARP for IPv4 on Ethernet. Until its filter is on it hears nothing at all.
fn arp() -> io::Result<Socket> {
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
    // Its owner may ask for another protocol later (bind(2) wants no capability), so the filter asks for it too; then
    // for hardware and protocol type, and for their lengths and the operation.
    let program = [
        load_protocol(),
        unless(libc::ETH_P_ARP.cast_unsigned(), 5),
        load_word(0),
        unless(0x0001_0800, 3),
        load_word(4),
        unless(0x0604_0002, 1),
        ACCEPT,
        REFUSE,
    ];
    close(&socket, &program)?;
    socket::bind(socket.as_raw_fd(), &everybody_on(0)?)?;
    Ok(socket)
}

const ACCEPT: SockFilter = SockFilter::new(instruction(libc::BPF_RET | libc::BPF_K), 0, 0, u32::MAX);
const REFUSE: SockFilter = SockFilter::new(instruction(libc::BPF_RET | libc::BPF_K), 0, 0, 0);

const fn load_byte(at: u32) -> SockFilter {
    SockFilter::new(instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS), 0, 0, at)
}

const fn load_word(at: u32) -> SockFilter {
    SockFilter::new(instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0, 0, at)
}

/// The ethertype, as the kernel keeps it beside the packet.
const fn load_protocol() -> SockFilter {
    let at = (libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL).cast_unsigned();
    SockFilter::new(instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS), 0, 0, at)
}

/// Skips so many instructions unless what was loaded is this.
const fn unless(value: u32, skip: u8) -> SockFilter {
    SockFilter::new(instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), 0, skip, value)
}

#[expect(clippy::cast_possible_truncation, reason = "an instruction of classic BPF has 16 bits")]
const fn instruction(code: u32) -> u16 {
    code as u16
}

/// Puts the filter on for good, and throws away what came in before it was on.
fn close(socket: &Socket, program: &[SockFilter]) -> io::Result<()> {
    socket.attach_filter(program)?;
    set(socket, libc::SOL_SOCKET, libc::SO_LOCK_FILTER, &1_i32)?;
    socket.set_nonblocking(true)?;
    while socket::recv(socket.as_raw_fd(), &mut [0; 1], MsgFlags::MSG_DONTWAIT).is_ok() {}
    Ok(())
}

/// Sets the socket's ICMPv6 filter (RFC 3542 section 3.2); a set bit blocks its type.
fn hear_only(socket: &Socket, kind: u8) -> io::Result<()> {
    const ICMP6_FILTER: libc::c_int = 1;
    let mut filter = [u32::MAX; 8];
    filter[usize::from(kind >> 5)] &= !(1 << (kind & 31));
    set(socket, libc::IPPROTO_ICMPV6, ICMP6_FILTER, &filter)
}

fn set<T>(socket: &Socket, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 bytes")]
    let length = size_of::<T>() as libc::socklen_t;
    #[expect(
        unsafe_code,
        reason = "the pointer and the length are those of `value`, which outlives the call"
    )]
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), length)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An ethertype in network order, as packet sockets want it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an ethertype has 16 bits")]
const fn ethertype_be(ethertype: i32) -> u16 {
    (ethertype as u16).to_be()
}

fn in_runtime(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    #[expect(unsafe_code, reason = "the descriptor is the socket's own, which is moved in and never swapped")]
    let joined = unsafe { AsyncFd::register(socket) };
    joined.map_err(|error| io::Error::other(error.to_string()))
}

/// A raw ICMPv6 socket in the runtime.
#[derive(Debug)]
pub struct Icmp6(AsyncFd<Socket>);

impl Icmp6 {
    /// Takes an opened socket into the runtime.
    pub fn new(socket: Socket) -> io::Result<Self> {
        in_runtime(socket).map(Self)
    }

    /// Sends a message out of one port.
    pub fn send(&self, message: &[u8], to: Ipv6Addr, port: u32) -> io::Result<()> {
        let to = SocketAddrV6::new(to, 0, 0, port);
        self.0.get_ref().send_to(message, &to.into()).map(drop)
    }

    /// The next message.
    pub async fn receive(&self) -> io::Result<Received> {
        self.0.async_io(Interest::READABLE, |socket| receive(socket.as_raw_fd())).await
    }

    /// The next message if one is already there.
    pub fn waiting(&self) -> Option<Received> {
        receive(self.0.get_ref().as_raw_fd()).ok()
    }

    /// Lets go what waits.
    pub fn forget(&self) {
        for _ in 0..WAITING {
            if self.waiting().is_none() {
                return;
            }
        }
    }
}

/// Longest message read; the rest of a longer one is cut off, and its options are then not whole.
const LONGEST: usize = 2048;

fn receive(socket: RawFd) -> io::Result<Received> {
    let mut bytes = vec![0; LONGEST];
    let mut control = nix::cmsg_space!(i32);
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let message =
        socket::recvmsg::<SockaddrIn6>(socket, &mut buffers, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let hop_limit = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv6HopLimit(limit) => Some(limit),
        _ => None,
    });
    let length = message.bytes;
    let from = message.address;
    bytes.truncate(length);
    Ok(Received {
        bytes,
        from: from.map_or(Ipv6Addr::UNSPECIFIED, |from| from.ip()),
        port: from.map_or(0, |from| from.scope_id()),
        hop_limit: hop_limit.unwrap_or(0),
    })
}

/// The ARP socket in the runtime.
#[derive(Debug)]
pub struct Arp(AsyncFd<Socket>);

impl Arp {
    /// Takes an opened socket into the runtime.
    pub fn new(socket: Socket) -> io::Result<Self> {
        in_runtime(socket).map(Self)
    }

    /// Sends to everybody on one port.
    pub fn broadcast(&self, message: &[u8], port: u32) -> io::Result<()> {
        let to = everybody_on(port)?;
        socket::sendto(self.0.get_ref().as_raw_fd(), message, &to, MsgFlags::empty())?;
        Ok(())
    }

    /// The next packet, and the port it came in on.
    pub async fn receive(&self) -> io::Result<(Vec<u8>, u32)> {
        self.0.async_io(Interest::READABLE, |socket| read_packet(socket.as_raw_fd())).await
    }

    /// Forgets what has come until now.
    pub fn forget(&self) {
        for _ in 0..WAITING {
            if read_packet(self.0.get_ref().as_raw_fd()).is_err() {
                return;
            }
        }
    }
}

fn read_packet(socket: RawFd) -> io::Result<(Vec<u8>, u32)> {
    const LONGEST: usize = 64;
    let mut bytes = vec![0; LONGEST];
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let message = socket::recvmsg::<LinkAddr>(socket, &mut buffers, None, MsgFlags::MSG_DONTWAIT)?;
    let port = message.address.and_then(|from| u32::try_from(from.ifindex()).ok());
    let length = message.bytes;
    bytes.truncate(length);
    Ok((bytes, port.unwrap_or(0)))
}

fn everybody_on(port: u32) -> io::Result<LinkAddr> {
    #[expect(unsafe_code, reason = "all zeroes are a valid sockaddr_ll: it holds numbers only")]
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype_be(libc::ETH_P_ARP);
    address.sll_ifindex = i32::try_from(port).map_err(io::Error::other)?;
    address.sll_halen = 6;
    address.sll_addr = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0];
    #[expect(clippy::cast_possible_truncation, reason = "20 bytes")]
    let length = size_of_val(&address) as libc::socklen_t;
    #[expect(
        unsafe_code,
        reason = "the pointer is to a sockaddr_ll of the length given, with its family set"
    )]
    let address = unsafe { LinkAddr::from_raw((&raw const address).cast(), Some(length)) };
    address.ok_or_else(|| io::Error::other("not a link address"))
}
