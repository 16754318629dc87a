//! Word from the kernel of flows that begin, are answered and end (linux/netfilter/nfnetlink_conntrack.h). What the rules
//! refuse never becomes a flow: whatever is told here was let pass.

use std::io;

use crate::flows::Opening;
use crate::netlink::{self, Message, Socket, Subsystem, attribute, messages, request};

/// NFNLGRP_CONNTRACK_NEW, _UPDATE and _DESTROY, as a mask.
const GROUPS: u32 = 0b111;
const NEW: u8 = 0;
const GET: u8 = 1;
const DELETE: u8 = 2;
const OPENING: u16 = 1;
const STATUS: u16 = 3;
const ID: u16 = 12;
/// IPS_SEEN_REPLY: packets went both ways.
const ANSWERED: u32 = 1 << 1;

/// Whether the kernel tells of flows at all: 0 is no (Documentation/networking/nf_conntrack-sysctl.rst).
const TELLS: &str = "/proc/sys/net/netfilter/nf_conntrack_events";

/// A flow, as a notice tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// The kernel's number of it.
    pub(super) id: u32,
    pub(super) opening: Opening,
    /// Somebody answered.
    pub(super) answered: bool,
    /// It is no more.
    pub(super) ended: bool,
}

impl Notice {
    fn read(message: &Message<'_>) -> Option<Self> {
        let ended = message.is(Subsystem::Conntrack, DELETE);
        if !ended && !message.is(Subsystem::Conntrack, NEW) {
            return None;
        }
        let of = |kind| attribute(message.attributes(), kind);
        let number = |kind| of(kind).and_then(|bytes| Some(u32::from_be_bytes(*bytes.first_chunk()?)));
        Some(Self {
            id: number(ID)?,
            opening: Opening::read(of(OPENING)?)?,
            answered: number(STATUS).is_some_and(|status| status & ANSWERED != 0),
            ended,
        })
    }
}

/// The kernel's notices of flows.
pub(super) struct Notices(Socket);

impl Notices {
    /// Begins to hear them, and hands over the flows that are open already. Needs CAP_NET_ADMIN.
    ///
    /// # Errors
    /// The kernel's word; that it tells nothing of flows.
    pub(super) async fn open(mut known: impl FnMut(Notice)) -> io::Result<Self> {
        if std::fs::read_to_string(TELLS)?.trim() == "0" {
            return Err(io::Error::other("the kernel is told to say nothing of flows"));
        }
        let heard = Socket::open(GROUPS)?;
        let all = request(Subsystem::Conntrack, GET, netlink::DUMP, 0, 0, &[]);
        let each = |message: &Message<'_>| Notice::read(message).into_iter().for_each(&mut known);
        Socket::open(0)?.dump(&all, each).await?;
        Ok(Self(heard))
    }

    /// Waits for the next ones.
    ///
    /// # Errors
    /// The kernel's word; a loss is one, too: what was not heard is not known.
    pub(super) async fn next(&mut self) -> io::Result<Vec<Notice>> {
        let datagram = self.0.receive().await?;
        Ok(messages(datagram).filter_map(|message| Notice::read(&message)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::write;

    const NESTED: u16 = 0x8000;

    fn message(kind: u8, status: Option<u32>) -> Vec<u8> {
        let addresses = [write(1, &[192, 0, 2, 2]), write(2, &[203, 0, 113, 10])].concat();
        let services = [write(1, &[6]), write(2, &[0x9c, 0x40]), write(3, &[1, 0xbb])].concat();
        let tuple = [write(1 | NESTED, &addresses), write(2 | NESTED, &services)].concat();
        let mut content = vec![write(OPENING | NESTED, &tuple), write(ID, &[0, 0, 1, 2])];
        content.extend(status.map(|status| write(STATUS, &status.to_be_bytes())));
        request(Subsystem::Conntrack, kind, 0, 2, 0, &content)
    }

    fn read(message: &[u8]) -> Option<Notice> {
        messages(message).find_map(|message| Notice::read(&message))
    }

    #[test]
    fn a_notice_tells_which_flow_whether_it_was_answered_and_whether_it_ended() {
        let begun = read(&message(NEW, Some(8))).unwrap();
        assert_eq!((begun.id, begun.answered, begun.ended), (258, false, false));
        assert_eq!(begun.opening.destination.to_string(), "203.0.113.10");
        assert!(read(&message(NEW, Some(8 | ANSWERED))).unwrap().answered);
        let ended = read(&message(DELETE, None)).unwrap();
        assert_eq!((ended.id, ended.answered, ended.ended), (258, false, true));
        assert_eq!(read(&message(GET, Some(8))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_end_us(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let read = messages(&bytes).filter_map(|message| Notice::read(&message)).count();
            prop_assert!(read <= bytes.len());
        }
    }
}
