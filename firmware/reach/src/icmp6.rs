//! ICMPv6 as bytes: router and neighbour discovery (RFC 4861), built and read. Pure; reads anything without panic.

use std::net::Ipv6Addr;

use pnet_base::MacAddr;
use pnet_packet::icmpv6::ndp::{
    MutableNeighborSolicitPacket, MutableRouterSolicitPacket, NdpOption, NdpOptionTypes, NeighborAdvertFlags,
    NeighborAdvertPacket, RouterAdvertPacket,
};
use pnet_packet::icmpv6::{Icmpv6Code, Icmpv6Types};

/// What a raw ICMPv6 socket hands over; the kernel has checked the checksum.
#[derive(Clone, Debug)]
pub struct Received {
    /// The message, from its type on.
    pub bytes: Vec<u8>,
    /// The sender.
    pub from: Ipv6Addr,
    /// The index of the port it came in on, 0 if it did not come from a link-local address.
    pub port: u32,
    /// The hop limit it arrived with.
    pub hop_limit: i32,
}

/// A valid router advertisement, as far as the ladder needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// The router's link-local address.
    pub router: Ipv6Addr,
    /// How long it is a default router, seconds; 0 is a goodbye.
    pub lifetime_s: u16,
}

/// Nobody off the link can send this (RFC 4861 section 6.1.2: such messages arrive with the full hop limit).
const FULL_HOP_LIMIT: i32 = 255;

/// Reads a router advertisement; none if it is not a valid one (RFC 4861 section 6.1.2).
pub fn advertisement(message: &Received) -> Option<Advertisement> {
    const OPTIONS_AT: usize = 16;
    let packet = RouterAdvertPacket::new(&message.bytes)?;
    let valid = packet.get_icmpv6_type() == Icmpv6Types::RouterAdvert
        && packet.get_icmpv6_code() == Icmpv6Code(0)
        && message.hop_limit == FULL_HOP_LIMIT
        && message.from.is_unicast_link_local()
        && options_are_whole(message.bytes.get(OPTIONS_AT..)?);
    valid.then(|| Advertisement { router: message.from, lifetime_s: packet.get_lifetime() })
}

/// Whether this is the answer to our solicitation of `target` (RFC 4861 section 7.1.2).
pub fn is_answer_of(message: &Received, target: Ipv6Addr) -> bool {
    const OPTIONS_AT: usize = 24;
    let Some(packet) = NeighborAdvertPacket::new(&message.bytes) else { return false };
    packet.get_icmpv6_type() == Icmpv6Types::NeighborAdvert
        && packet.get_icmpv6_code() == Icmpv6Code(0)
        && message.hop_limit == FULL_HOP_LIMIT
        && packet.get_target_addr() == target
        && packet.get_flags() & NeighborAdvertFlags::Solicited != 0
        && message.bytes.get(OPTIONS_AT..).is_some_and(options_are_whole)
}

/// Every option has a length, and none is cut off. Walked by hand: the packet crate computes an option's length in
/// eight bits, which 32 units overflow.
fn options_are_whole(mut options: &[u8]) -> bool {
    while !options.is_empty() {
        let length = options.get(1).map_or(0, |units| usize::from(*units) * 8);
        match options.get(length..) {
            Some(rest) if length > 0 => options = rest,
            _ => return false,
        }
    }
    true
}

/// A router solicitation (RFC 4861 section 4.1); the kernel fills in the checksum.
pub fn router_solicitation(own: MacAddr) -> Vec<u8> {
    let mut bytes = vec![0; MutableRouterSolicitPacket::minimum_packet_size() + LINK_ADDRESS_OPTION];
    if let Some(mut packet) = MutableRouterSolicitPacket::new(&mut bytes) {
        packet.set_icmpv6_type(Icmpv6Types::RouterSolicit);
        packet.set_options(&[source_link_address(own)]);
    }
    bytes
}

/// A neighbour solicitation for `target` (RFC 4861 section 4.3); the kernel fills in the checksum.
pub fn neighbour_solicitation(target: Ipv6Addr, own: MacAddr) -> Vec<u8> {
    let mut bytes = vec![0; MutableNeighborSolicitPacket::minimum_packet_size() + LINK_ADDRESS_OPTION];
    if let Some(mut packet) = MutableNeighborSolicitPacket::new(&mut bytes) {
        packet.set_icmpv6_type(Icmpv6Types::NeighborSolicit);
        packet.set_target_addr(target);
        packet.set_options(&[source_link_address(own)]);
    }
    bytes
}

/// The group every holder of `target` listens to (RFC 4291 section 2.7.1).
pub const fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = target.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (high & 0x00ff), low)
}

/// All routers on the link.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

const LINK_ADDRESS_OPTION: usize = 8;

fn source_link_address(own: MacAddr) -> NdpOption {
    NdpOption { option_type: NdpOptionTypes::SourceLLAddr, length: 1, data: own.octets().to_vec() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    const OWN: MacAddr = MacAddr(2, 0, 0, 0, 0, 1);

    fn received(bytes: Vec<u8>) -> Received {
        Received { bytes, from: ROUTER, port: 1, hop_limit: 255 }
    }

    /// An advertisement of 9 s with an MTU option.
    fn advert() -> Vec<u8> {
        let mut bytes = vec![134, 0, 0, 0, 64, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([5, 1, 0, 0, 0, 0, 5, 0xdc]);
        bytes
    }

    #[test]
    fn an_advertisement_is_read() {
        let seen = advertisement(&received(advert())).unwrap();
        assert_eq!(seen, Advertisement { router: ROUTER, lifetime_s: 9 });
    }

    #[test]
    fn an_advertisement_that_breaks_a_rule_is_not_one() {
        let with = |change: fn(&mut Received)| {
            let mut message = received(advert());
            change(&mut message);
            advertisement(&message)
        };
        assert_eq!(with(|message| message.hop_limit = 64), None, "from off the link");
        assert_eq!(
            with(|message| message.from = "2001:db8::1".parse().unwrap()),
            None,
            "no link-local sender"
        );
        assert_eq!(with(|message| message.bytes[1] = 1), None, "code");
        assert_eq!(with(|message| message.bytes[0] = 133), None, "a solicitation");
        assert_eq!(with(|message| message.bytes[17] = 0), None, "an option of no length");
        assert_eq!(with(|message| message.bytes[17] = 2), None, "an option cut off");
        assert_eq!(with(|message| message.bytes[17] = 32), None, "an option of 256 octets");
        assert_eq!(with(|message| message.bytes.truncate(15)), None, "too short");
    }

    #[test]
    fn what_we_build_is_what_the_rfc_draws() {
        assert_eq!(router_solicitation(OWN), [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1]);
        let bytes = neighbour_solicitation(ROUTER, OWN);
        assert_eq!((bytes.len(), bytes[0]), (32, 135));
        assert_eq!(bytes[8..24], ROUTER.octets());
        assert_eq!(bytes[24..], [1, 1, 2, 0, 0, 0, 0, 1]);
        let group = solicited_node("2001:db8::12:3456".parse().unwrap());
        assert_eq!(group, "ff02::1:ff12:3456".parse::<Ipv6Addr>().unwrap());
    }

    #[test]
    fn only_the_solicited_answer_of_the_asked_one_counts() {
        let answer = |flags: u8, target: Ipv6Addr| {
            let mut bytes = vec![136, 0, 0, 0, flags, 0, 0, 0];
            bytes.extend(target.octets());
            received(bytes)
        };
        assert!(is_answer_of(&answer(0x60, ROUTER), ROUTER));
        assert!(!is_answer_of(&answer(0x20, ROUTER), ROUTER), "unsolicited");
        assert!(!is_answer_of(&answer(0x60, "fe80::2".parse().unwrap()), ROUTER), "another");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            kind in prop::sample::select(vec![134_u8, 136, 0]),
        ) {
            if let (Some(first), true) = (bytes.first_mut(), kind != 0) {
                *first = kind;
            }
            let message = received(bytes);
            let _ = advertisement(&message);
            let _ = is_answer_of(&message, ROUTER);
        }
    }
}
