//! A terminal beside the box, not behind it: its address, its card or its share seen at another zone's port (CLIN-04).
//! Then no promise about it holds, so it is refused before any line may let it pass, and told by its own line. On a line
//! with IPv6 a terminal's address there is refused by the line's own rules.
//!
//! What goes from the terminals to the line and back passes by no more of this than it must: nothing, or a single question
//! where the site file names cards.

use model::{Site, Zone};

use super::{is, is_not, refuse};
use crate::nft::{Chain, Key, Operand, Rule, Statement, Verdict};

const SEEN: &str = "a terminal is connected beside the box (9)";

pub(super) fn chain(site: &Site) -> Chain {
    let inside = || {
        let line = Operand::Port(site.port(Zone::Wan).to_owned());
        is_not(Key::In, Operand::AnyOf(vec![terminals(site), line]))
    };
    let share = vec![is(Key::Destination4, Operand::Set("terminals")), is(Key::TcpTo, Operand::Number(445))];
    let rules = vec![
        refuse("bypass-card", SEEN, card()),
        refuse("bypass-address4", SEEN, vec![is(Key::Source4, Operand::Set("terminals"))]),
        refuse(
            "bypass-address6",
            SEEN,
            vec![inside(), is(Key::Source6, Operand::Set("terminal_addresses6"))],
        ),
        refuse("bypass-share", "a terminal's share is asked for beside the box (1)", share),
    ];
    Chain { name: "bypass", hook: None, rules }
}

fn terminals(site: &Site) -> Operand {
    Operand::Port(site.port(Zone::Terminal).to_owned())
}

/// A card's frame is refused whatever address it has, but for what IPv6 needs (8).
fn card() -> Vec<Statement> {
    vec![is_not(Key::Protocol, Operand::Word("ipv6-icmp")), is(Key::Card, Operand::Set("terminal_cards"))]
}

/// Leads there what came by any port but the terminals'.
pub(super) fn from_elsewhere(site: &Site, prefix: &str) -> Rule {
    leads(prefix, vec![is_not(Key::In, terminals(site))])
}

/// Leads there whatever comes to a chain, which is a zone's inside.
pub(super) fn from_inside(prefix: &str) -> Rule {
    leads(prefix, Vec::new())
}

/// Leads there what came out of a terminal's card and by another port, if the site file names any card.
pub(super) fn by_card(site: &Site) -> Option<Rule> {
    let named = site.terminals.iter().any(|terminal| terminal.mac.is_some());
    named.then(|| leads("forward-card", [vec![is_not(Key::In, terminals(site))], card()].concat()))
}

fn leads(prefix: &str, mut steps: Vec<Statement>) -> Rule {
    steps.push(Statement::Verdict(Verdict::Jump("bypass")));
    Rule { id: format!("{prefix}-bypass-case"), says: SEEN, steps }
}
