//! Neighbour discovery (RFC 4861 section 4) as bytes, read and built. Pure. The kernel does the checksums.

use std::net::Ipv6Addr;

/// What was heard on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Who has this address? Asked from this one; `::` where a host tests an address of its own (RFC 4862 section 5.4).
    Solicits {
        /// The address that is asked for.
        target: Ipv6Addr,
        /// Who asks.
        from: Ipv6Addr,
    },
    /// This address is here.
    Advertises {
        /// Which.
        target: Ipv6Addr,
    },
    /// A packet of something else that begins a conversation.
    Speaks {
        /// Whose it is.
        from: Ipv6Addr,
    },
}

const HEADER: usize = 40;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const ICMP6: u8 = 58;

/// Reads an IPv6 packet from its header on. What is not whole, or came through a router (RFC 4861 section 7.1), is nothing.
pub fn read(packet: &[u8]) -> Option<Heard> {
    let (header, rest) = packet.split_at_checked(HEADER)?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let (next, hops, from) = (header[6], header[7], address(&header[8..])?);
    let kind = rest.first().copied();
    if next != ICMP6 || !matches!(kind, Some(SOLICITATION | ADVERTISEMENT)) {
        return Some(Heard::Speaks { from });
    }
    let target = address(rest.get(8..)?).filter(|_| hops == 255 && rest[1] == 0)?;
    if target.is_multicast() {
        return None;
    }
    Some(match kind {
        Some(SOLICITATION) => Heard::Solicits { target, from },
        _ => Heard::Advertises { target },
    })
}

fn address(bytes: &[u8]) -> Option<Ipv6Addr> {
    bytes.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets))
}

/// Asks who has an address, from a port with this card.
pub fn solicitation(target: Ipv6Addr, card: [u8; 6]) -> Vec<u8> {
    message([SOLICITATION, 0, 0, 0, 0, 0, 0, 0], target, 1, card)
}

/// Says that an address is behind this card. For others one says so without overriding what they have (RFC 4861 section 7.2.8);
/// `asked` where somebody asked from an address of his own.
pub fn advertisement(target: Ipv6Addr, card: [u8; 6], asked: bool) -> Vec<u8> {
    let flags = if asked { 0x40 } else { 0 };
    message([ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0], target, 2, card)
}

fn message(head: [u8; 8], target: Ipv6Addr, option: u8, card: [u8; 6]) -> Vec<u8> {
    let option: [u8; 2] = [option, 1];
    [&head[..], &target.octets(), &option, &card].concat()
}

/// Where the hosts listen that may have an address (RFC 4291 section 2.7.1).
pub fn solicited(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = target.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// Everybody on the link.
pub const EVERYBODY: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x12_34);
    const CARD: [u8; 6] = [2, 0, 0, 0, 0, 9];

    fn packet(next: u8, hops: u8, from: Ipv6Addr, body: &[u8]) -> Vec<u8> {
        let mut header = vec![0x60, 0, 0, 0, 0, u8::try_from(body.len()).unwrap(), next, hops];
        header.extend(from.octets());
        header.extend(EVERYBODY.octets());
        header.extend(body);
        header
    }

    #[test]
    fn what_is_built_is_read_as_what_it_is() {
        let from = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let asks = packet(58, 255, from, &solicitation(ONE, CARD));
        assert_eq!(read(&asks), Some(Heard::Solicits { target: ONE, from }));
        let says = packet(58, 255, ONE, &advertisement(ONE, CARD, true));
        assert_eq!(read(&says), Some(Heard::Advertises { target: ONE }));
        assert_eq!(read(&packet(17, 64, ONE, &[0; 8])), Some(Heard::Speaks { from: ONE }));
        assert_eq!(solicited(ONE).to_string(), "ff02::1:ff00:1234");
    }

    #[test]
    fn what_came_through_a_router_is_no_neighbours_word() {
        assert_eq!(read(&packet(58, 254, ONE, &solicitation(ONE, CARD))), None);
        assert_eq!(read(&packet(58, 255, ONE, &solicitation(EVERYBODY, CARD))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
