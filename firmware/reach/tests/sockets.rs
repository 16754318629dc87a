//! What the raw sockets hear in the hands of somebody who wants to hear more. Needs root.

#[expect(clippy::unwrap_used, reason = "the ground of tests: there a panic is the report")]
mod wire;

use std::os::fd::AsRawFd as _;

use wire::{Wire, handed_over, heard, link};

#[test]
fn a_socket_for_router_advertisements_hears_nothing_else_whatever_its_holder_does() {
    Wire::lay(|wire| {
        let socket = handed_over("router-advertisements");
        // The kernel's own filter of ICMPv6 types is the holder's to change: all bits clear lets everything through.
        let open = [0_u32; 8];
        #[expect(unsafe_code, reason = "the pointer and the length are those of `open`")]
        let done = unsafe {
            libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_ICMPV6, 1, open.as_ptr().cast(), 32)
        };
        assert_eq!(done, 0);
        wire.icmp6(&[128, 129, 135, 136, 133, 137, 134, 128, 134]);
        let kinds: Vec<u8> = heard(&socket, &[134]).iter().map(|message| message[0]).collect();
        assert_eq!(kinds, [134]);
        let kinds: Vec<u8> = heard(&socket, &[134]).iter().map(|message| message[0]).collect();
        assert_eq!(kinds, [134]);
    });
}

#[test]
fn a_socket_for_neighbour_advertisements_hears_nothing_else() {
    Wire::lay(|wire| {
        let socket = handed_over("neighbour-advertisements");
        wire.icmp6(&[128, 134, 135, 136]);
        let kinds: Vec<u8> = heard(&socket, &[136]).iter().map(|message| message[0]).collect();
        assert_eq!(kinds, [136]);
    });
}

#[test]
fn the_arp_socket_hears_replies_only_also_when_it_asks_for_every_protocol() {
    Wire::lay(|wire| {
        let socket = handed_over("arp");
        socket.bind(&link("wan0", libc::ETH_P_ALL)).unwrap();
        let arp = |operation: u8, last: u8| {
            let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
            bytes.extend([0; 19]);
            bytes.push(last);
            bytes
        };
        let disguised = arp(2, 1);
        wire.frames(&[
            (libc::ETH_P_ARP, arp(1, 1)),
            (libc::ETH_P_IP, disguised.clone()),
            (libc::ETH_P_IPV6, disguised),
            (libc::ETH_P_ARP, vec![0, 1]),
            (libc::ETH_P_ARP, arp(2, 7)),
        ]);
        assert_eq!(heard(&socket, &[0, 1]), [arp(2, 7)]);
    });
}
