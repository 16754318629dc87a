//! What the box itself may say: to its listed peers, and nothing else (10).

use model::{Site, Zone};

use super::{accept, flows, is, jump_icmp6, lookup, refuse_invalid, refuse_ipv4, refuse_rest};
use crate::nft::{Chain, Key, Map, Operand, Verdict};

/// Which chain leads out by which port.
pub(super) fn by_port(site: &Site) -> Map {
    let port = |zone, chain| (Operand::Port(site.port(zone).to_owned()), Verdict::Jump(chain));
    let elements = vec![
        (Operand::Port("lo".into()), Verdict::Accept),
        port(Zone::Wan, "output_wan"),
        port(Zone::Terminal, "output_terminal"),
        port(Zone::Clinic, "output_clinic"),
    ];
    Map { name: "output_by_port", types: &["ifname"], elements }
}

pub(super) fn base() -> Chain {
    let mut rules = vec![lookup("output-port", "each port has its zone's rules", Key::Out, "output_by_port")];
    rules.extend(refuse_rest("output-rest", "a port nobody planned is closed (10)"));
    Chain { name: "output", hook: Some("output"), rules }
}

pub(super) fn to_wan() -> Chain {
    let mut rules = Vec::new();
    rules.extend(refuse_ipv4("wan-output-ipv4"));
    rules.push(jump_icmp6("wan-output-icmp6"));
    let solicit =
        vec![is(Key::Icmp6Type, Operand::Word("nd-router-solicit")), is(Key::HopLimit, Operand::Number(255))];
    rules.push(accept("wan-output-rs", "the box asks for the line's router (8)", solicit));
    rules.push(flows("wan-output-flows"));
    rules.extend(refuse_invalid("wan-output-invalid"));
    // RFC 8415 section 7.1: All_DHCP_Relay_Agents_and_Servers.
    let dhcp6 = vec![
        is(Key::Destination6, Operand::address([0xff02, 0, 0, 0, 0, 0, 1, 2])),
        is(Key::UdpFrom, Operand::Number(546)),
        is(Key::UdpTo, Operand::Number(547)),
    ];
    rules.push(accept("wan-output-dhcp6", "the box asks by DHCPv6 (10)", dhcp6));
    let echo = vec![
        is(Key::Destination6, Operand::Set("echo_peers")),
        is(Key::Icmp6Type, Operand::Word("echo-request")),
    ];
    rules.push(accept("wan-output-echo", "the box pings its gateway and its peers (10)", echo));
    let peers = vec![is(Key::Service6, Operand::Set("peers"))];
    rules.push(accept("wan-output-peers", "the box's listed peers (10)", peers));
    rules.extend(refuse_rest("wan-output-rest", "the box speaks to listed peers only (10)"));
    Chain { name: "output_wan", hook: None, rules }
}

pub(super) fn to_terminal() -> Chain {
    let mut rules = vec![jump_icmp6("terminal-output-icmp6"), flows("terminal-output-flows")];
    rules.extend(refuse_invalid("terminal-output-invalid"));
    let dhcp = vec![
        is(Key::Family, Operand::Word("ipv4")),
        is(Key::UdpFrom, Operand::Number(67)),
        is(Key::UdpTo, Operand::Number(68)),
    ];
    rules.push(accept("terminal-output-dhcp", "answers to a terminal without an address (5)", dhcp));
    let echo = vec![
        is(Key::Destination4, Operand::Set("terminals")),
        is(Key::IcmpType, Operand::Word("echo-request")),
    ];
    rules.push(accept("terminal-output-echo", "the box pings its terminals (10)", echo));
    let share = vec![is(Key::Destination4, Operand::Set("terminals")), is(Key::TcpTo, Operand::Number(445))];
    rules.push(accept("terminal-output-share", "the relay writes to the terminals' shares (10)", share));
    rules.extend(refuse_rest("terminal-output-rest", "the box speaks to listed peers only (10)"));
    Chain { name: "output_terminal", hook: None, rules }
}

pub(super) fn to_clinic(site: &Site) -> Chain {
    let mut rules = vec![jump_icmp6("clinic-output-icmp6"), flows("clinic-output-flows")];
    if site.remote_consumers().next().is_some() {
        rules.extend(refuse_invalid("clinic-output-invalid"));
        let share =
            vec![is(Key::Destination4, Operand::Set("consumers")), is(Key::TcpTo, Operand::Number(445))];
        rules.push(accept("clinic-output-share", "the relay opens the consumers' own shares (10)", share));
    }
    rules.extend(refuse_rest("clinic-output-rest", "the box opens nothing to the clinic (10)"));
    Chain { name: "output_clinic", hook: None, rules }
}
