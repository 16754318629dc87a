//! What passes through the box unseen, in a site that asks for it: a terminal's own PPPoE session (RFC 2516), between
//! one port and the line, and nothing else that a bridge could carry.

use model::{Site, Zone};

use super::{accept, is, refuse_rest};
use crate::nft::{Chain, Hook, Key, Map, Operand, Verdict};

/// Maps and chains of the bridge's table; none in a site that does not ask for it.
pub(super) fn bridge(site: &Site) -> Option<(Vec<Map>, Vec<Chain>)> {
    let port = Operand::Port(site.pppoe_through.clone()?);
    let line = Operand::Port(site.port(Zone::Wan).to_owned());
    let way = |ends: [&Operand; 2]| (Operand::Tuple(ends.map(Clone::clone).into()), Verdict::Jump("pppoe"));
    let elements = vec![way([&port, &line]), way([&line, &port])];
    let map = Map { name: "pppoe_by_way", types: &["ifname", "ifname"], elements };
    // Discovery and session.
    let types = Operand::AnyOf(vec![Operand::Number(0x8863), Operand::Number(0x8864)]);
    let pppoe = accept("pppoe-through", "a terminal's own PPPoE session", vec![is(Key::EtherType, types)]);
    let mut rules =
        vec![super::lookup("bridge-way", "only between that port and the line", Key::Way, "pppoe_by_way")];
    rules.push(refuse_rest("bridge-rest", "nothing else is bridged (1)"));
    let chains = vec![
        Chain { name: "pppoe", hook: None, rules: vec![pppoe] },
        Chain { name: "bridge", hook: Some(Hook::filter("forward")), rules },
    ];
    Some((vec![map], chains))
}
