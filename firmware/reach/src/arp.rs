//! ARP as bytes (RFC 826): who has an address on this port? Pure; reads anything without panic.

use std::net::Ipv4Addr;

use pnet_base::MacAddr;
use pnet_packet::arp::{ArpHardwareTypes, ArpOperations, ArpPacket, MutableArpPacket};
use pnet_packet::ethernet::EtherTypes;

/// A request for `target`, asked by `own` with the address `from`.
pub fn request(target: Ipv4Addr, own: MacAddr, from: Ipv4Addr) -> Vec<u8> {
    let mut bytes = vec![0; MutableArpPacket::minimum_packet_size()];
    if let Some(mut packet) = MutableArpPacket::new(&mut bytes) {
        packet.set_hardware_type(ArpHardwareTypes::Ethernet);
        packet.set_protocol_type(EtherTypes::Ipv4);
        packet.set_hw_addr_len(6);
        packet.set_proto_addr_len(4);
        packet.set_operation(ArpOperations::Request);
        packet.set_sender_hw_addr(own);
        packet.set_sender_proto_addr(from);
        packet.set_target_proto_addr(target);
    }
    bytes
}

/// Who says that it has `target`; none if these bytes are not its reply.
pub fn holder(bytes: &[u8], target: Ipv4Addr) -> Option<MacAddr> {
    let packet = ArpPacket::new(bytes)?;
    let reply = packet.get_hardware_type() == ArpHardwareTypes::Ethernet
        && packet.get_protocol_type() == EtherTypes::Ipv4
        && packet.get_operation() == ArpOperations::Reply
        && packet.get_sender_proto_addr() == target;
    reply.then(|| packet.get_sender_hw_addr())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const BOX: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    #[test]
    fn a_request_is_no_reply_and_a_reply_names_its_sender() {
        let own = MacAddr(2, 0, 0, 0, 0, 1);
        let mut bytes = request(TERMINAL, own, BOX);
        assert_eq!(holder(&bytes, BOX), None);
        bytes[7] = 2;
        assert_eq!(holder(&bytes, BOX), Some(own));
        assert_eq!(holder(&bytes, TERMINAL), None, "another's reply");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = holder(&bytes, TERMINAL);
        }
    }
}
