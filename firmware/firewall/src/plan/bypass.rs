//! A terminal beside the box, not behind it: its address, its card or its share seen at another zone's port (CLIN-04).
//! Then no promise about it holds, so it is refused before anything else is asked, and told by its own line. On a line
//! with IPv6 a terminal's address there is refused by the line's own rules.

use model::{Site, Zone};

use super::{is, is_not, refuse};
use crate::nft::{Chain, Hook, Key, Operand, Rule, Statement};

pub(super) fn chain(site: &Site) -> Chain {
    let terminal = || Operand::Port(site.port(Zone::Terminal).to_owned());
    let elsewhere = || is_not(Key::In, terminal());
    let inside = || {
        let line = Operand::Port(site.port(Zone::Wan).to_owned());
        is_not(Key::In, Operand::AnyOf(vec![terminal(), line]))
    };
    // A card's frame is refused whatever address it has, but for what IPv6 needs (8).
    let card = vec![
        elsewhere(),
        is_not(Key::Protocol, Operand::Word("ipv6-icmp")),
        is(Key::Card, Operand::Set("terminal_cards")),
    ];
    let share = vec![
        elsewhere(),
        is(Key::Destination4, Operand::Set("terminals")),
        is(Key::TcpTo, Operand::Number(445)),
    ];
    let rules = vec![
        seen("bypass-card", card),
        seen("bypass-address4", vec![elsewhere(), is(Key::Source4, Operand::Set("terminals"))]),
        seen("bypass-address6", vec![inside(), is(Key::Source6, Operand::Set("terminal_addresses6"))]),
        refuse("bypass-share", "a terminal's share is asked for beside the box (1)", share),
    ];
    Chain { name: "bypass", hook: Some(Hook::early()), rules }
}

fn seen(id: &str, when: Vec<Statement>) -> Rule {
    refuse(id, "a terminal is connected beside the box (9)", when)
}
