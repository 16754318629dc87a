//! The packets that our rules log (NFLOG), as the kernel hands them over: the header of each and no more.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::drops::Seen;

use crate::netlink::{self, Message, Socket, Subsystem, attribute, messages, request, write};
use crate::nft::LOG_GROUP;

// linux/netfilter/nfnetlink_log.h
const PACKET: u8 = 0;
const CONFIGURE: u8 = 1;
const COMMAND: u16 = 1;
const MODE: u16 = 2;
const TIMEOUT: u16 = 4;
const THRESHOLD: u16 = 5;
const FLAGS: u16 = 6;
const BIND: u8 = 1;
const COPY_PACKET: u8 = 2;
const WITH_NUMBER: u16 = 1;
const FROM_PORT: u16 = 4;
const TO_PORT: u16 = 5;
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
const NUMBER: u16 = 12;

/// So much of a packet is asked for, octets: its headers, with IPv6 headers in between.
const HEADERS: u32 = 128;
/// The kernel hands over so many messages at once,
const TOGETHER: u32 = 16;
/// or what there is after so long, hundredths of a second.
const AFTER: u32 = 10;

/// The kernel's log of our group.
pub(crate) struct Log(Socket);

impl Log {
    /// Begins to hear the group.
    ///
    /// # Errors
    /// The kernel's word; EBUSY if another program hears it.
    pub(crate) async fn open() -> io::Result<Self> {
        let mut socket = Socket::open(0)?;
        let mode = [&HEADERS.to_be_bytes()[..], &[COPY_PACKET, 0]].concat();
        let content = [
            write(COMMAND, &[BIND]),
            write(MODE, &mode),
            write(THRESHOLD, &TOGETHER.to_be_bytes()),
            write(TIMEOUT, &AFTER.to_be_bytes()),
            write(FLAGS, &WITH_NUMBER.to_be_bytes()),
        ];
        let bind = request(Subsystem::Log, CONFIGURE, netlink::ACKNOWLEDGE, 0, LOG_GROUP, &content);
        socket.ask(&bind).await?;
        Ok(Self(socket))
    }

    /// Waits for the next datagram.
    ///
    /// # Errors
    /// The kernel's word; a loss is none: the messages' numbers tell it.
    pub(crate) async fn next(&mut self) -> io::Result<Vec<Logged>> {
        match self.0.receive().await {
            Ok(datagram) => Ok(messages(datagram).filter_map(|message| logged(&message)).collect()),
            Err(error) if netlink::is_loss(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// A logged packet, as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Its number in the log.
    pub(crate) number: u32,
    /// The id of the line that logged it.
    pub(crate) prefix: String,
    /// The number of the port it came in by; 0: it is the box's own.
    pub(crate) from_port: u32,
    /// The number of the port it was leaving by; 0: it was for the box.
    pub(crate) to_port: u32,
    /// Its header, if it can be read.
    pub(crate) packet: Option<Seen>,
}

fn logged(message: &Message<'_>) -> Option<Logged> {
    if !message.is(Subsystem::Log, PACKET) {
        return None;
    }
    let of = |kind| attribute(message.attributes(), kind);
    let number = |kind| of(kind).and_then(|bytes| Some(u32::from_be_bytes(*bytes.first_chunk()?)));
    let prefix = of(PREFIX).unwrap_or_default();
    let prefix = prefix.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(Logged {
        number: number(NUMBER)?,
        prefix: String::from_utf8_lossy(prefix).into_owned(),
        from_port: number(FROM_PORT).unwrap_or(0),
        to_port: number(TO_PORT).unwrap_or(0),
        packet: of(PAYLOAD).and_then(seen),
    })
}

/// What is told of a packet, from its first octets.
pub(crate) fn seen(bytes: &[u8]) -> Option<Seen> {
    let (source, destination, protocol, transport): (IpAddr, IpAddr, u8, Option<&[u8]>) =
        match bytes.first()? >> 4 {
            4 => {
                let address = |at: usize| Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?));
                let header = usize::from(bytes.first()? & 15) * 4;
                // The transport header is in the first fragment only.
                let first = u16::from_be_bytes(*bytes.get(6..)?.first_chunk()?) & 0x1fff == 0;
                let transport = bytes.get(header..).filter(|_| first);
                (address(12)?.into(), address(16)?.into(), *bytes.get(9)?, transport)
            }
            6 => {
                let address = |at: usize| Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?));
                let (protocol, transport) = past_extensions(*bytes.get(6)?, bytes.get(40..)?);
                (address(8)?.into(), address(24)?.into(), protocol, transport)
            }
            _ => return None,
        };
    let services = matches!(protocol, 6 | 17).then(|| services(transport?)).flatten();
    let icmp = matches!(protocol, 1 | 58).then(|| transport?.first_chunk().copied()).flatten();
    Some(Seen { source, destination, protocol, services, icmp })
}

fn services(transport: &[u8]) -> Option<[u16; 2]> {
    let [a, b, c, d] = *transport.first_chunk()?;
    Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}

/// RFC 8200 section 4: the protocol behind the extension headers, and what follows them if it is there.
fn past_extensions(mut protocol: u8, mut rest: &[u8]) -> (u8, Option<&[u8]>) {
    loop {
        let length = match (protocol, rest.get(1)) {
            (0 | 43 | 60, Some(length)) => (usize::from(*length) + 1) * 8,
            (44, Some(_)) => 8,
            (0 | 43 | 44 | 60, None) => return (protocol, None),
            _ => return (protocol, Some(rest)),
        };
        let later = protocol == 44
            && rest
                .get(2..)
                .and_then(|at| at.first_chunk())
                .is_none_or(|at| u16::from_be_bytes(*at) >> 3 != 0);
        let next = rest.first().copied().unwrap_or(59);
        match rest.get(length..) {
            Some(after) if !later => (protocol, rest) = (next, after),
            _ => return (next, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_are_read_and_no_further() {
        let ipv4 = |fragment: u8| {
            let mut bytes = vec![0x46, 0, 0, 0, 0, 0, 0, fragment, 64, 6, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1];
            bytes.extend([1, 1, 1, 1, 0x01, 0xbd, 0, 80]);
            seen(&bytes).unwrap()
        };
        assert_eq!(ipv4(0).to_string(), "TCP 192.0.2.9 port 445 → 192.0.2.1 port 80", "behind an option");
        assert_eq!(ipv4(1).services, None, "a later fragment has no ports");
        let ipv6 = |next: u8, rest: &[u8]| {
            let mut bytes = vec![0x60, 0, 0, 0, 0, 8, next, 64];
            bytes.extend([0; 15].iter().chain(&[1]).chain(&[0; 15]).chain(&[2]));
            bytes.extend(rest);
            seen(&bytes).unwrap()
        };
        assert_eq!(ipv6(58, &[135, 0, 0, 0]).icmp, Some([135, 0]));
        let behind = [17, 0, 0, 0, 0, 0, 0, 0, 0, 53, 0, 54];
        assert_eq!(ipv6(0, &behind).services, Some([53, 54]), "behind hop-by-hop options");
        assert_eq!(ipv6(44, &behind).services, Some([53, 54]), "the first fragment");
        let later = [17, 0, 0, 8, 0, 0, 0, 0, 0, 53, 0, 54];
        assert_eq!((ipv6(44, &later).protocol, ipv6(44, &later).services), (17, None));
        assert_eq!(seen(&[0x50, 0]), None);
    }

    proptest! {
        #[test]
        fn no_packet_ends_us(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 4_u8..8) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = version << 4 | *first & 15;
            }
            let told = seen(&bytes).map(|packet| packet.to_string());
            prop_assert!(told.is_none_or(|told| !told.is_empty()));
        }
    }
}
