//! The sockets of who answers, opened and filtered before a byte is read: whoever has CAP_NET_RAW opens them and hands them to a
//! process that has not. The filters are locked: not even an answerer gone wrong hears more.

use std::io::{self, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::socket::{self, LinkAddr, MsgFlags, SockaddrLike as _};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::message::{self, Heard};
use crate::error::Error;

/// The sockets.
#[derive(Debug)]
pub struct Sockets {
    /// Hears neighbour discovery on every port, and what begins a conversation on the terminals'.
    ear: Socket,
    /// Speaks, and hears nothing.
    mouth: Socket,
}

/// By what names they go from one process to another.
const NAMES: [&str; 2] = ["neighbours-ear", "neighbours-mouth"];

impl Sockets {
    /// Opens them; needs CAP_NET_RAW. `terminals` is the index of the terminals' port.
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn open(terminals: u32) -> Result<Self, Error> {
        let named = |purpose| move |source| Error::Socket { purpose, source };
        Ok(Self {
            ear: ear(terminals).map_err(named("neighbour discovery"))?,
            mouth: mouth().map_err(named("answers to it"))?,
        })
    }

    /// Each with its name.
    pub fn into_named(self) -> Vec<(&'static str, OwnedFd)> {
        NAMES.into_iter().zip([self.ear, self.mouth].map(OwnedFd::from)).collect()
    }

    /// Takes over sockets that another process opened with [`Self::open`], asking for each by its name.
    ///
    /// # Errors
    /// What `take` says of the first that is not there.
    pub fn from_named<E>(mut take: impl FnMut(&str) -> Result<OwnedFd, E>) -> Result<Self, E> {
        let [ear, mouth] = NAMES;
        Ok(Self { ear: take(ear)?.into(), mouth: take(mouth)?.into() })
    }

    /// Takes them into the runtime.
    pub(super) fn in_runtime(self) -> io::Result<(Ear, Mouth)> {
        #[expect(
            unsafe_code,
            reason = "the descriptor is the socket's own, which is moved in and never swapped"
        )]
        let ear = unsafe { AsyncFd::register(self.ear) };
        Ok((Ear(ear.map_err(|error| io::Error::other(error.to_string()))?), Mouth(self.mouth)))
    }
}

/// So much of a packet is read: its header and what neighbour discovery says.
const SNAP: u32 = 80;

/// A packet socket for IPv6 from its header on. The filter lets in neighbour discovery from every port; and from the terminals'
/// also an echo request, a datagram, and what opens a TCP connection: by its source a terminal is found that was there
/// before the box.
fn ear(terminals: u32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
    let program = [
        load(AD_PROTOCOL, HALF),
        unless(libc::ETH_P_IPV6.cast_unsigned(), 17), // else refuse
        load(6, BYTE),
        unless(58, 4), // else not ICMPv6
        load(40, BYTE),
        when(135, 12),   // accept
        when(136, 11),   // accept
        unless(128, 11), // else refuse; an echo request:
        load(AD_PORT, WORD),
        when(terminals, 1), // go on
        refuse(),
        load(6, BYTE),
        when(58, 5),  // accept
        when(17, 4),  // accept
        unless(6, 4), // else refuse
        load(53, BYTE),
        masked(0x12),    // SYN and ACK
        unless(0x02, 1), // else refuse
        SockFilter::new(code(libc::BPF_RET | libc::BPF_K), 0, 0, SNAP),
        refuse(),
    ];
    close(&socket, &program)?;
    socket::bind(socket.as_raw_fd(), &every_port()?)?;
    Ok(socket)
}

fn mouth() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    close(&socket, &[refuse()])?;
    // RFC 4861 section 7.1: neighbours' words come with the full hop limit.
    socket.set_multicast_hops_v6(255)?;
    socket.set_unicast_hops_v6(255)?;
    Ok(socket)
}

const BYTE: u32 = libc::BPF_B;
const HALF: u32 = libc::BPF_H;
const WORD: u32 = libc::BPF_W;
/// What the kernel keeps beside the packet: its ethertype, and the port it came in by.
const AD_PROTOCOL: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL).cast_unsigned();
const AD_PORT: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();

const fn load(at: u32, width: u32) -> SockFilter {
    SockFilter::new(code(libc::BPF_LD | width | libc::BPF_ABS), 0, 0, at)
}

const fn masked(mask: u32) -> SockFilter {
    SockFilter::new(code(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K), 0, 0, mask)
}

/// Skips so many instructions unless what was loaded is this.
const fn unless(value: u32, skip: u8) -> SockFilter {
    SockFilter::new(code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), 0, skip, value)
}

/// Skips so many instructions when what was loaded is this.
const fn when(value: u32, skip: u8) -> SockFilter {
    SockFilter::new(code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), skip, 0, value)
}

const fn refuse() -> SockFilter {
    SockFilter::new(code(libc::BPF_RET | libc::BPF_K), 0, 0, 0)
}

#[expect(clippy::cast_possible_truncation, reason = "an instruction of classic BPF has 16 bits")]
const fn code(code: u32) -> u16 {
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

fn set<T>(socket: &Socket, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bytes")]
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

#[expect(clippy::cast_possible_truncation, reason = "a family and an ethertype have 16 bits")]
fn every_port() -> io::Result<LinkAddr> {
    #[expect(unsafe_code, reason = "all zeroes are a valid sockaddr_ll: it holds numbers only")]
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_IPV6 as u16).to_be();
    let length = size_of_val(&address) as libc::socklen_t;
    #[expect(
        unsafe_code,
        reason = "the pointer is to a sockaddr_ll of the length given, with its family set"
    )]
    let address = unsafe { LinkAddr::from_raw((&raw const address).cast(), Some(length)) };
    address.ok_or_else(|| io::Error::other("not a link address"))
}

/// What hears.
#[derive(Debug)]
pub(super) struct Ear(AsyncFd<Socket>);

impl Ear {
    /// Has a port's card take in what is sent to any group: an address that is asked for has one that nobody else here joins.
    pub(super) fn take_all_groups(&self, port: u32) -> io::Result<()> {
        let wish = libc::packet_mreq {
            mr_ifindex: i32::try_from(port).map_err(io::Error::other)?,
            mr_type: libc::PACKET_MR_ALLMULTI as libc::c_ushort,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set(self.0.get_ref(), libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &wish)
    }

    /// The next thing heard, and the port it came in by.
    pub(super) async fn hear(&self) -> io::Result<(Option<Heard>, u32)> {
        self.0.async_io(Interest::READABLE, |socket| read(socket.as_raw_fd())).await
    }
}

fn read(socket: RawFd) -> io::Result<(Option<Heard>, u32)> {
    let mut bytes = [0; SNAP as usize];
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let message = socket::recvmsg::<LinkAddr>(socket, &mut buffers, None, MsgFlags::MSG_DONTWAIT)?;
    let port = message.address.and_then(|from| u32::try_from(from.ifindex()).ok()).unwrap_or(0);
    let length = message.bytes.min(SNAP as usize);
    Ok((message::read(&bytes[..length]), port))
}

/// What speaks.
#[derive(Debug)]
pub(super) struct Mouth(Socket);

impl Mouth {
    /// Sends a message out of one port.
    pub(super) fn say(&self, message: &[u8], to: Ipv6Addr, port: u32) -> io::Result<()> {
        let to = SocketAddrV6::new(to, 0, 0, port);
        self.0.send_to(message, &to.into()).map(drop)
    }
}
