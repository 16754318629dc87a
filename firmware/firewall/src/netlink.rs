//! Netfilter's netlink, as far as this room speaks it: datagrams of messages, messages of attributes
//! (linux/netlink.h, linux/netfilter/nfnetlink.h). Whatever the kernel sends is read within its own bounds.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sockopt,
};
use tokio::io::unix::AsyncFd;

/// The parts of netfilter, the upper octet of a message's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subsystem {
    /// Connection tracking.
    Conntrack = 1,
    /// Logged packets.
    Log = 4,
    /// The rules.
    Tables = 10,
}

/// It is a request;
const REQUEST: u16 = 1;
/// and wants its outcome told;
pub(crate) const ACKNOWLEDGE: u16 = 4;
/// and wants everything there is.
pub(crate) const DUMP: u16 = 0x300;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER: usize = 16;
/// struct nfgenmsg: family, version, number.
const OWN_HEADER: usize = 4;
/// Larger than any datagram of the kernel's.
const DATAGRAM: usize = 64 * 1024;
/// So many octets may wait for us, beside what the kernel adds for itself.
const WAITING: usize = 512 * 1024;

/// A socket to netfilter in the network namespace of the caller.
pub(crate) struct Socket {
    socket: AsyncFd<OwnedFd>,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens one that hears these groups of notices, as a mask; group 1 is the lowest bit.
    #[expect(unsafe_code, reason = "what is registered must stay open, which an OwnedFd does")]
    pub(crate) fn open(groups: u32) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let protocol = SockProtocol::NetlinkNetFilter;
        let socket = socket::socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        socket::setsockopt(&socket, sockopt::RcvBuf, &WAITING)?;
        socket::bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        // SAFETY: the descriptor is owned by what registers it, and closed with it only.
        let socket = unsafe { AsyncFd::register(socket)? };
        Ok(Self { socket, buffer: vec![0; DATAGRAM] })
    }

    /// Sends a message to the kernel.
    pub(crate) fn send(&self, message: &[u8]) -> io::Result<()> {
        let to_kernel = NetlinkAddr::new(0, 0);
        let sent = socket::sendto(self.socket.as_raw_fd(), message, &to_kernel, MsgFlags::empty())?;
        if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Waits for the next datagram of the kernel's. ENOBUFS: some were lost because nobody read them.
    pub(crate) async fn receive(&mut self) -> io::Result<&[u8]> {
        loop {
            let mut ready = self.socket.readable().await?;
            let buffer = &mut self.buffer;
            let read = ready.try_io(|socket| {
                socket::recvfrom::<NetlinkAddr>(socket.as_raw_fd(), buffer).map_err(io::Error::from)
            });
            match read {
                Err(_not_ready) => {}
                Ok(Err(error)) => return Err(error),
                // Another process may write to us: only the kernel, which has number 0, is believed.
                Ok(Ok((length, from))) if from.is_some_and(|from| from.pid() == 0) => {
                    return Ok(self.buffer.get(..length).unwrap_or_default());
                }
                Ok(Ok(_)) => {}
            }
        }
    }

    /// Sends a request and waits for its outcome.
    pub(crate) async fn ask(&mut self, message: &[u8]) -> io::Result<()> {
        self.send(message)?;
        loop {
            for message in messages(self.receive().await?) {
                if let Some(outcome) = message.outcome() {
                    return outcome;
                }
            }
        }
    }

    /// Sends a request for everything there is, and hands over each piece.
    pub(crate) async fn dump(
        &mut self,
        request: &[u8],
        mut each: impl FnMut(&Message<'_>),
    ) -> io::Result<()> {
        self.send(request)?;
        loop {
            for message in messages(self.receive().await?) {
                match message.outcome() {
                    Some(outcome) => return outcome,
                    None => each(&message),
                }
            }
        }
    }
}

/// Whether some datagrams were lost.
pub(crate) fn is_loss(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOBUFS as i32)
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'b> {
    kind: u16,
    body: &'b [u8],
}

impl<'b> Message<'b> {
    /// Whether it is of this kind of this part.
    pub(crate) fn is(&self, subsystem: Subsystem, kind: u8) -> bool {
        self.kind == number(subsystem, kind)
    }

    /// The family it is about.
    pub(crate) fn family(&self) -> u8 {
        self.body.first().copied().unwrap_or(0)
    }

    /// Its attributes.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (u16, &'b [u8])> + use<'b> {
        attributes(self.body.get(OWN_HEADER..).unwrap_or_default())
    }

    /// What became of a request, if this is it.
    pub(crate) fn outcome(&self) -> Option<io::Result<()>> {
        match self.kind {
            DONE => Some(Ok(())),
            ERROR => Some(match self.body.first_chunk().copied().map_or(0, i32::from_ne_bytes) {
                0 => Ok(()),
                error => Err(io::Error::from_raw_os_error(error.saturating_neg())),
            }),
            _ => None,
        }
    }
}

const fn number(subsystem: Subsystem, kind: u8) -> u16 {
    ((subsystem as u16) << 8) | kind as u16
}

/// The messages of a datagram, up to the first that is not whole.
pub(crate) fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(*rest.first_chunk()?)).ok()?;
        let kind = u16::from_ne_bytes(*rest.get(4..)?.first_chunk()?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(padded(length)..).unwrap_or_default();
        Some(Message { kind, body })
    })
}

/// Attributes, up to the first that is not whole.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const KIND: u16 = 0x3fff;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?) & KIND;
        let content = rest.get(4..length)?;
        rest = rest.get(padded(length)..).unwrap_or_default();
        Some((kind, content))
    })
}

/// The attribute of this kind.
pub(crate) fn attribute<'b>(mut list: impl Iterator<Item = (u16, &'b [u8])>, kind: u16) -> Option<&'b [u8]> {
    list.find(|(found, _)| *found == kind).map(|(_, content)| content)
}

const fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// A request: its number, as the part wants it, and its attributes.
pub(crate) fn request(
    subsystem: Subsystem,
    kind: u8,
    flags: u16,
    family: u8,
    own_number: u16,
    content: &[Vec<u8>],
) -> Vec<u8> {
    let content = content.concat();
    let length = u32::try_from(HEADER + OWN_HEADER + content.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(number(subsystem, kind).to_ne_bytes());
    message.extend((REQUEST | flags).to_ne_bytes());
    // Sequence and sender: one request is under way at a time, and the kernel fills in who we are.
    message.extend([0; 8]);
    message.extend([family, 0]);
    message.extend(own_number.to_be_bytes());
    message.extend(content);
    message
}

/// An attribute with its padding.
pub(crate) fn write(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + content.len()).unwrap_or(u16::MAX);
    let mut written = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    written.extend(content);
    written.resize(padded(written.len()), 0);
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let content = [write(1, b"abcde"), write(0x8002, &write(7, b"x"))];
        let request = request(Subsystem::Log, 1, ACKNOWLEDGE, 10, 5, &content);
        let read: Vec<_> = messages(&request).collect();
        let [message] = read.as_slice() else { panic!("{read:?}") };
        assert!(message.is(Subsystem::Log, 1) && !message.is(Subsystem::Tables, 1));
        assert_eq!((message.family(), message.outcome().is_none()), (10, true));
        let read: Vec<_> = message.attributes().collect();
        assert_eq!(read[0], (1, b"abcde".as_slice()));
        assert_eq!(attribute(attributes(read[1].1), 7), Some(b"x".as_slice()));
        assert_eq!(read[1].0, 2, "the flag of nesting is no part of the kind");
    }

    #[test]
    fn an_outcome_is_told_by_its_number() {
        let said = |error: i32| {
            let body = error.to_ne_bytes();
            let message = Message { kind: ERROR, body: &body };
            message.outcome().map(|outcome| outcome.map_err(|error| error.raw_os_error()))
        };
        assert_eq!(said(0), Some(Ok(())));
        assert_eq!(said(-16), Some(Err(Some(16))));
        assert!(matches!(said(i32::MIN), Some(Err(_))), "no number that has no opposite ends us");
    }

    proptest! {
        #[test]
        fn no_bytes_end_us_or_are_read_for_ever(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let count: usize = messages(&bytes).map(|message| message.attributes().count() + 1).sum();
            prop_assert!(count <= bytes.len());
        }
    }
}
