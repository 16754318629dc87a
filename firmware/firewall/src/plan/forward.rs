//! What may pass through the box: the terminals to the line and the answers, IPv6 only. There is no other way.

use model::{Site, Zone};

use super::{accept, flows, is, is_not, lookup, refuse, refuse_invalid, refuse_ipv4, refuse_rest};
use crate::nft::{Chain, Key, Map, Operand, Verdict};

/// The two ways there are. Between clinic and terminal, and between clinic and line, there is none (1, 3).
pub(super) fn by_way(site: &Site) -> Map {
    let way = |from, to, chain| {
        let ports = [from, to].map(|zone| Operand::Port(site.port(zone).to_owned()));
        (Operand::Tuple(ports.into()), Verdict::Jump(chain))
    };
    let elements =
        vec![way(Zone::Terminal, Zone::Wan, "forward_out"), way(Zone::Wan, Zone::Terminal, "forward_back")];
    Map { name: "forward_by_way", types: &["ifname", "ifname"], elements }
}

pub(super) fn base() -> Chain {
    let mut rules =
        vec![lookup("forward-way", "only between terminals and line (1, 3)", Key::Way, "forward_by_way")];
    rules.extend(refuse_rest("forward-rest", "no other zones are joined (1, 3)"));
    Chain { name: "forward", hook: Some("forward"), rules }
}

pub(super) fn out() -> Chain {
    let mut rules = Vec::new();
    rules.extend(refuse_ipv4("forward-out-ipv4"));
    let foreign = vec![is_not(Key::Source6, Operand::Set("terminal_addresses6"))];
    rules.extend(refuse("forward-out-source", "only a terminal's own address (9)", foreign));
    rules.push(flows("forward-out-flows"));
    rules.extend(refuse_invalid("forward-out-invalid"));
    let listed = vec![is(Key::Service6, Operand::Set("destinations"))];
    rules.push(accept("forward-out-listed", "the profile's destinations (4)", listed));
    rules.extend(refuse_rest("forward-out-rest", "a terminal leaves to listed destinations only (4)"));
    Chain { name: "forward_out", hook: None, rules }
}

pub(super) fn back() -> Chain {
    let mut rules = Vec::new();
    rules.extend(refuse_ipv4("forward-back-ipv4"));
    let terminals = vec![is(Key::Source6, Operand::Set("terminal_addresses6"))];
    rules.extend(refuse(
        "forward-back-source",
        "a terminal's address does not come from the line (9)",
        terminals,
    ));
    rules.push(flows("forward-back-flows"));
    rules.extend(refuse_rest("forward-back-rest", "nothing opens a connection from the line (2)"));
    Chain { name: "forward_back", hook: None, rules }
}
