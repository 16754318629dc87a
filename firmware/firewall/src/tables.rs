//! What the kernel itself says of its tables: which of them see packets, and the number of the last change. Asking nft
//! costs a process more each time.

use std::collections::BTreeSet;
use std::io;

use crate::netlink::{DUMP, Message, Socket, Subsystem, attribute, messages, request};
use crate::notices;

// linux/netfilter/nf_tables.h
const NEW_CHAIN: u8 = 3;
const GET_CHAIN: u8 = 4;
const GET_GENERATION: u8 = 16;
const TABLE: u16 = 1;
/// Only a chain at a hook has one.
const HOOK: u16 = 4;

/// NFPROTO_*, and nft's words of them.
const FAMILIES: [(u8, &str); 6] =
    [(1, "inet"), (2, "ip"), (3, "arp"), (5, "netdev"), (7, "bridge"), (10, "ip6")];

/// The tables of the network namespace of the caller.
pub(crate) struct Tables(Socket);

impl Tables {
    /// Begins to ask. Needs CAP_NET_ADMIN.
    ///
    /// # Errors
    /// The kernel's word.
    pub(crate) fn open() -> io::Result<Self> {
        Socket::open(0).map(Self)
    }

    /// The number of the last change of the rules.
    ///
    /// # Errors
    /// The kernel's word.
    pub(crate) async fn last_change(&mut self) -> io::Result<u32> {
        self.0.send(&request(Subsystem::Tables, GET_GENERATION, 0, 0, 0, &[]))?;
        loop {
            for message in messages(self.0.receive().await?) {
                if let Some(number) = notices::number(&message) {
                    return Ok(number);
                }
                message.outcome().unwrap_or(Ok(()))?;
            }
        }
    }

    /// Family and name of every table that has a chain at a hook.
    ///
    /// # Errors
    /// The kernel's word; or a table that cannot be named, of which nothing can be said then.
    pub(crate) async fn at_hooks(&mut self) -> io::Result<BTreeSet<(&'static str, String)>> {
        let mut found = Ok(BTreeSet::new());
        let all = request(Subsystem::Tables, GET_CHAIN, DUMP, 0, 0, &[]);
        let each = |message: &Message<'_>| {
            let Some(named) = at_hook(message) else { return };
            match (&mut found, named) {
                (Ok(tables), Some(table)) => drop(tables.insert(table)),
                (_, None) => found = Err(io::Error::other("a table has no name that could be asked for")),
                (Err(_), _) => {}
            }
        };
        self.0.dump(&all, each).await?;
        found
    }
}

/// The table of a chain at a hook, if it can be named; nothing for another chain.
#[expect(
    clippy::option_option,
    reason = "not meant and not named are two things, and one may not be taken for the other"
)]
fn at_hook(message: &Message<'_>) -> Option<Option<(&'static str, String)>> {
    let of = |kind| attribute(message.attributes(), kind);
    if !message.is(Subsystem::Tables, NEW_CHAIN) || of(HOOK).is_none() {
        return None;
    }
    let family = FAMILIES.iter().find(|(number, _)| *number == message.family()).map(|(_, word)| *word);
    let name = of(TABLE).and_then(|bytes| str::from_utf8(bytes).ok()).map(|name| name.trim_end_matches('\0'));
    Some(family.zip(name.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::write;

    fn chain(family: u8, content: &[(u16, &[u8])]) -> Vec<u8> {
        let content: Vec<Vec<u8>> = content.iter().map(|(kind, bytes)| write(*kind, bytes)).collect();
        request(Subsystem::Tables, NEW_CHAIN, 0, family, 0, &content)
    }

    #[test]
    fn a_table_sees_packets_by_a_chain_at_a_hook_and_none_is_overlooked_for_its_name() {
        let of = |bytes: &[u8]| messages(bytes).next().and_then(|message| at_hook(&message));
        assert_eq!(of(&chain(1, &[(TABLE, b"t\0"), (3, b"c\0")])), None, "no hook");
        let hooked = |family, name: &[u8]| of(&chain(family, &[(TABLE, name), (3, b"c\0"), (0x8004, b"")]));
        assert_eq!(hooked(10, b"a \"b\"\0"), Some(Some(("ip6", "a \"b\"".to_owned()))));
        assert_eq!(hooked(1, b"\xff\0"), Some(None));
        assert_eq!(hooked(9, b"t\0"), Some(None));
    }
}
