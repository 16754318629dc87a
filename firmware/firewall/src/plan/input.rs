//! What may reach the box itself.

use model::{Site, Zone};

use super::sets::LINK_LOCAL;
use super::{
    ECHOES, Statement, accept, discover, flows, is, is_not, jump_icmp6, lookup, refuse, refuse_invalid,
    refuse_ipv4, refuse_rest,
};
use crate::nft::{Chain, Key, Map, Operand, Verdict};

/// Which chain a port's packets go to; a port that is not here is closed.
pub(super) fn by_port(site: &Site) -> Map {
    let port = |zone, chain| (Operand::Port(site.port(zone).to_owned()), Verdict::Jump(chain));
    let elements = vec![
        (Operand::Port("lo".into()), Verdict::Accept),
        port(Zone::Wan, "input_wan"),
        port(Zone::Terminal, "input_terminal"),
        port(Zone::Clinic, "input_clinic"),
    ];
    Map { name: "input_by_port", types: &["ifname"], elements }
}

pub(super) fn base() -> Chain {
    let mut rules = vec![lookup("input-port", "each port has its zone's rules", Key::In, "input_by_port")];
    rules.extend(refuse_rest("input-rest", "a port nobody planned is closed (2)"));
    Chain { name: "input", hook: Some("input"), rules }
}

pub(super) fn from_wan() -> Chain {
    let mut rules = Vec::new();
    rules.extend(refuse_ipv4("wan-input-ipv4"));
    let terminals = vec![is(Key::Source6, Operand::Set("terminal_addresses6"))];
    rules.extend(refuse(
        "wan-input-source",
        "a terminal's address does not come from the line (9)",
        terminals,
    ));
    rules.push(jump_icmp6("wan-input-icmp6"));
    rules.push(flows("wan-input-flows"));
    rules.extend(refuse_invalid("wan-input-invalid"));
    // RFC 4861 section 6.1.2: from a link-local address, with hop limit 255.
    let advertisement = vec![
        is(Key::Source6, Operand::Prefix(LINK_LOCAL)),
        is(Key::HopLimit, Operand::Number(255)),
        is(Key::Icmp6Type, Operand::Word("nd-router-advert")),
    ];
    rules.push(accept("wan-input-ra", "IPv6 needs the line's router advertisements (8)", advertisement));
    let echo = vec![is(Key::Icmp6Type, Operand::Word("echo-request")), Statement::Limit(ECHOES)];
    rules.push(accept("wan-input-echo", "the line's desk may ping the box (2)", echo));
    let dhcp6 = vec![is(Key::Source6, Operand::Prefix(LINK_LOCAL)), is(Key::UdpTo, Operand::Number(546))];
    rules.push(accept("wan-input-dhcp6", "DHCPv6 answers from the link only (2)", dhcp6));
    rules.extend(refuse_rest("wan-input-rest", "nothing opens a connection from the line (2)"));
    Chain { name: "input_wan", hook: None, rules }
}

pub(super) fn from_terminal(site: &Site) -> Chain {
    let own = || Operand::address(site.terminal_zone.address);
    let mut rules =
        vec![accept("terminal-input-dhcp", "a terminal without an address asks for one (5)", discover())];
    let foreign = vec![is_not(Key::Source4, Operand::Set("terminals"))];
    rules.extend(refuse("terminal-input-source4", "only a terminal's own address (9)", foreign));
    let foreign = vec![
        is_not(Key::Source6, Operand::Set("link_local")),
        is_not(Key::Source6, Operand::Set("terminal_addresses6")),
    ];
    rules.extend(refuse("terminal-input-source6", "only a terminal's own address (9)", foreign));
    rules.push(jump_icmp6("terminal-input-icmp6"));
    rules.push(flows("terminal-input-flows"));
    rules.extend(refuse_invalid("terminal-input-invalid"));
    let echo = vec![
        is(Key::Destination4, own()),
        is(Key::IcmpType, Operand::Word("echo-request")),
        Statement::Limit(ECHOES),
    ];
    rules.push(accept("terminal-input-echo", "a terminal may ping the box (5)", echo));
    let service = vec![is(Key::Service4, Operand::Set("terminal_services"))];
    rules.push(accept("terminal-input-service", "names, time and addresses for the terminals (5)", service));
    rules.extend(refuse_rest("terminal-input-rest", "a terminal reaches nothing else of the box (5)"));
    Chain { name: "input_terminal", hook: None, rules }
}

pub(super) fn from_clinic(site: &Site) -> Chain {
    let mut rules = Vec::new();
    let foreign = vec![is_not(Key::Source4, Operand::Prefix(site.clinic.as_network()))];
    rules.extend(refuse("clinic-input-source4", "only the clinic's own addresses (9)", foreign));
    let foreign = vec![is_not(Key::Source6, Operand::Set("link_local"))];
    rules.extend(refuse("clinic-input-source6", "only the clinic's own addresses (9)", foreign));
    rules.push(jump_icmp6("clinic-input-icmp6"));
    let elsewhere = vec![is_not(Key::Destination4, Operand::address(site.clinic.address))];
    rules.extend(refuse(
        "clinic-input-address",
        "the clinic reaches the box's clinic address only (6)",
        elsewhere,
    ));
    rules.push(flows("clinic-input-flows"));
    rules.extend(refuse_invalid("clinic-input-invalid"));
    let service =
        vec![is(Key::Family, Operand::Word("ipv4")), is(Key::TcpTo, Operand::Set("clinic_services"))];
    rules.push(accept("clinic-input-service", "the page and the shares (6)", service));
    rules.extend(refuse_rest("clinic-input-rest", "the clinic reaches nothing else of the box (6)"));
    Chain { name: "input_clinic", hook: None, rules }
}
