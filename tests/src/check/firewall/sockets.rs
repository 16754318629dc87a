//! The sockets of the bench: frames at both ends of a port, what the box's own sockets receive and send.

use std::io;
use std::mem::zeroed;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What the box itself sends carries this mark; the kernel's own answers do not, and are kept in.
pub(super) const MARK: u32 = 0x5e;

/// linux/in6.h, linux/if_packet.h: not in libc.
const IPV6_FLOWINFO: i32 = 11;
const PACKET_IGNORE_OUTGOING: i32 = 23;
const BUFFER: i32 = 8 << 20;

#[expect(unsafe_code, reason = "a raw call whose result is looked at")]
fn socket(family: i32, protocol: i32) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: it takes no pointer, and what it gives is ours.
    unsafe {
        match libc::socket(family, kind, protocol) {
            -1 => Err(io::Error::last_os_error()),
            descriptor => Ok(OwnedFd::from_raw_fd(descriptor)),
        }
    }
}

#[expect(unsafe_code, reason = "nix knows not all of these options")]
fn set(socket: &OwnedFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    let length = size_of::<i32>() as u32;
    // SAFETY: the value outlives the call, and its length is given.
    let outcome =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), length) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Frames of one kind at a port of this namespace; what itself sends it does not hear.
#[expect(unsafe_code, reason = "nix makes no link-layer address: the struct is zeroed, its size is given")]
pub(super) fn frames(port: &str, kind: i32) -> io::Result<OwnedFd> {
    let index = nix::net::if_::if_nametoindex(port)?;
    let socket = socket(libc::AF_PACKET, 0)?;
    set(&socket, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER)?;
    // SAFETY: the address outlives the call, and its length is given.
    let outcome = unsafe {
        let mut address: libc::sockaddr_ll = zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (kind as u16).to_be();
        address.sll_ifindex = index as i32;
        let length = size_of::<libc::sockaddr_ll>() as u32;
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length)
    };
    if outcome == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
}

/// What the box receives of one protocol, behind all of its rules.
pub(super) fn received(ipv4: bool, protocol: u8) -> io::Result<OwnedFd> {
    let socket = socket(if ipv4 { libc::AF_INET } else { libc::AF_INET6 }, protocol.into())?;
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER)?;
    if !ipv4 {
        set(&socket, libc::SOL_IPV6, IPV6_FLOWINFO, 1)?;
    }
    Ok(socket)
}

/// What the box sends by one port, with headers of its own making.
pub(super) fn sent(ipv4: bool, port: &str) -> io::Result<OwnedFd> {
    let socket = socket(if ipv4 { libc::AF_INET } else { libc::AF_INET6 }, libc::IPPROTO_RAW)?;
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Mark, &MARK)?;
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::BindToDevice, &port.into())?;
    // What goes to a group the box is in too would come back to it.
    if ipv4 {
        set(&socket, libc::SOL_SOCKET, libc::SO_BROADCAST, 1)?;
        set(&socket, libc::SOL_IP, libc::IP_MULTICAST_LOOP, 0)?;
    } else {
        set(&socket, libc::SOL_IPV6, libc::IPV6_MULTICAST_LOOP, 0)?;
    }
    Ok(socket)
}

/// Sends a whole packet; false if the box's own rules forbade it.
pub(super) fn send(socket: &OwnedFd, packet: &[u8], to: IpAddr, port: u32) -> io::Result<bool> {
    use nix::errno::Errno;
    use nix::sys::socket::{MsgFlags, SockaddrIn, SockaddrIn6, sendto};
    let descriptor = socket.as_raw_fd();
    let outcome = match to {
        IpAddr::V4(address) => {
            let to = SockaddrIn::from(std::net::SocketAddrV4::new(address, 0));
            sendto(descriptor, packet, &to, MsgFlags::empty())
        }
        IpAddr::V6(address) => {
            let to = SockaddrIn6::from(std::net::SocketAddrV6::new(address, 0, 0, port));
            sendto(descriptor, packet, &to, MsgFlags::empty())
        }
    };
    match outcome {
        Ok(_) => Ok(true),
        Err(Errno::EPERM) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// The next thing received, if there is one: its bytes, and of IPv6 its flow label.
#[expect(unsafe_code, reason = "nix reads no flow label")]
pub(super) fn next(socket: RawFd, buffer: &mut [u8]) -> io::Result<Option<(usize, u16)>> {
    let mut control = [0_u64; 16];
    // SAFETY: both buffers outlive the call, and their lengths are given.
    let (length, told) = unsafe {
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        (libc::recvmsg(socket, &raw mut message, libc::MSG_DONTWAIT), message.msg_controllen)
    };
    match usize::try_from(length) {
        Ok(length) => Ok(Some((length, label(&control, told)))),
        Err(_) => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            error => Err(error),
        },
    }
}

/// cmsg(3): the length of head and content in eight bytes, level and type in four each, then the content.
fn label(control: &[u64], told: usize) -> u16 {
    let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).take(told).collect();
    let word = |at: usize| {
        bytes.get(at..at + 4).map_or(0, |four| i32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
    };
    let is = word(8) == libc::SOL_IPV6 && word(12) == IPV6_FLOWINFO;
    if is { bytes.get(18..20).map_or(0, |two| u16::from_be_bytes([two[0], two[1]])) } else { 0 }
}

/// Forgets every flow of this namespace (ctnetlink: delete without a tuple).
pub(super) fn forget_flows() -> io::Result<()> {
    use nix::sys::socket::{MsgFlags, NetlinkAddr, recv, sendto};
    let socket = socket(libc::AF_NETLINK, libc::NETLINK_NETFILTER)?;
    let kind = (1_u16 << 8) | 2;
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK).unwrap_or_default();
    let mut message = 20_u32.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 12]);
    sendto(socket.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 64];
    // The kernel has answered before the call above comes back.
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT)?;
    let error = answer
        .get(16..20)
        .filter(|_| length >= 20)
        .map(|four| i32::from_ne_bytes([four[0], four[1], four[2], four[3]]));
    match error {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::Error::other("no answer about flows")),
    }
}

/// Hears what is logged to a group, packet by packet (NFULNL_MSG_CONFIG, linux/netfilter/nfnetlink_log.h).
pub(super) fn logged(group: u16) -> io::Result<OwnedFd> {
    use nix::sys::socket::{MsgFlags, NetlinkAddr, sendto};
    let socket = socket(libc::AF_NETLINK, libc::NETLINK_NETFILTER)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER)?;
    let command = attribute(1, &[1]);
    let at_once = attribute(5, &1_u32.to_be_bytes());
    let body = [&[0, 0][..], &group.to_be_bytes(), &command, &at_once].concat();
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK).unwrap_or_default();
    let mut message = u32::try_from(16 + body.len()).unwrap_or_default().to_ne_bytes().to_vec();
    message.extend(((4_u16 << 8) | 1).to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    sendto(socket.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    Ok(socket)
}

/// Kind, length and value, filled up to four bytes (netlink(7)).
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or_default();
    let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The attributes of what a log message says: each kind and value.
pub(super) fn attributes(message: &[u8]) -> Vec<(u16, &[u8])> {
    let mut rest = message.get(20..).unwrap_or_default();
    let mut all = Vec::new();
    while let Some(head) = rest.get(..4) {
        let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        let kind = u16::from_ne_bytes([head[2], head[3]]) & 0x3fff;
        let Some(value) = rest.get(4..length) else { break };
        all.push((kind, value));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    all
}
