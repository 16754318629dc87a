//! The ways out, seen from the box: what may come to it by one, and what it may say there. The line, the internet line,
//! the tunnel and the cloud differ in the families they carry, in who may begin, and in whom the box asks.

use model::site::uplink::Line;
use model::{Site, Zone};

use super::sets::{LINK_LOCAL, Names};
use super::{ECHOES, Statement, accept, flows, is, is_not, jump_icmp6, refuse, refuse_invalid, refuse_rest};
use crate::nft::{Chain, Key, Operand, Rule};
use crate::now::Now;

/// One way out.
pub(super) struct Outside<'s> {
    site: &'s Site,
    zone: Zone,
    names: Names,
    /// Who speaks IKE and ESP here.
    gateways: [bool; 2],
}

/// The words for a way that carries IPv4 only, and for one that carries IPv6 only.
const fn only(zone: Zone) -> (&'static str, &'static str) {
    match zone {
        Zone::Wan => ("the line carries IPv4 only (4)", "the line carries IPv6 only (4)"),
        Zone::Isp => ("the internet line carries IPv4 only (2)", ""),
        Zone::Tunnel => ("the tunnel carries IPv4 only (4)", ""),
        _ => ("this tunnel carries IPv4 only (2)", ""),
    }
}

impl<'s> Outside<'s> {
    pub(super) fn new(site: &'s Site, now: &Now, zone: Zone) -> Self {
        let here = super::sets::gateways(site, now, zone);
        let of = |ipv4: bool| here.iter().any(|gateway| gateway.is_ipv4() == ipv4);
        Self { site, zone, names: Names::of(zone), gateways: [of(true), of(false)] }
    }

    /// Whether packets of a family come and go here at all.
    fn has(&self, ipv4: bool) -> bool {
        if self.zone == Zone::Wan { self.site.line.carries(ipv4) } else { ipv4 }
    }

    fn id(&self, hook: &str, what: &str) -> String {
        format!("{}-{hook}-{what}", self.zone.key())
    }

    fn families(&self, hook: &str) -> Vec<Rule> {
        let (only4, only6) = only(self.zone);
        let mut rules = Vec::new();
        if !self.has(true) {
            rules.push(refuse(&self.id(hook, "ipv4"), only6, vec![is(Key::Family, Operand::Word("ipv4"))]));
        }
        if !self.has(false) {
            rules.push(refuse(&self.id(hook, "ipv6"), only4, vec![is(Key::Family, Operand::Word("ipv6"))]));
        }
        rules
    }

    /// What comes to the box.
    pub(super) fn input(&self) -> Chain {
        let id = |what| self.id("input", what);
        let mut rules = self.families("input");
        rules.extend(self.foreign());
        if self.has(false) {
            rules.push(jump_icmp6(&id("icmp6")));
        }
        rules.push(flows(&id("flows")));
        rules.push(refuse_invalid(&id("invalid")));
        if self.has(false) {
            rules.extend(self.of_a_router());
        }
        if self.zone == Zone::Isp && self.asks_for_an_address() {
            let answer = vec![
                is(Key::Family, Operand::Word("ipv4")),
                is(Key::UdpFrom, Operand::Number(67)),
                is(Key::UdpTo, Operand::Number(68)),
            ];
            rules.push(accept(&id("dhcp4"), "DHCP answers on the internet line (2)", answer));
        }
        rules.extend(self.gateways("input", [Key::Source4, Key::Source6]));
        rules.push(refuse_rest(&id("rest"), nothing_opens(self.zone)));
        Chain { name: self.names.input, hook: None, rules }
    }

    /// Sources that are not this way's (9).
    fn foreign(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut refused = |what: &str, says, when| rules.push(refuse(&self.id("input", what), says, when));
        if self.has(false) {
            let terminals = vec![is(Key::Source6, Operand::Set("terminal_addresses6"))];
            refused("source", "a terminal's address does not come from the line (9)", terminals);
            if self.site.claims.is_some() {
                let claims = vec![is(Key::Source6, Operand::Set("claims_addresses6"))];
                refused(
                    "source-claims",
                    "a claims terminal's address does not come from the line (9)",
                    claims,
                );
            }
        }
        if self.zone == Zone::Cloud {
            let elsewhere = vec![is_not(Key::Source4, Operand::Set("cloud_networks"))];
            refused("source4", "only the cloud's own addresses (9)", elsewhere);
        } else if self.has(true) {
            let inside = vec![is(Key::Source4, Operand::Set("inside"))];
            refused("source4", "an address from inside does not come from outside (9)", inside);
        }
        rules
    }

    fn of_a_router(&self) -> [Rule; 3] {
        let id = |what| self.id("input", what);
        // RFC 4861 section 6.1.2: from a link-local address, with hop limit 255.
        let advertisement = vec![
            is(Key::Source6, Operand::Prefix(LINK_LOCAL)),
            is(Key::HopLimit, Operand::Number(255)),
            is(Key::Icmp6Type, Operand::Word("nd-router-advert")),
        ];
        let echo = vec![is(Key::Icmp6Type, Operand::Word("echo-request")), Statement::Limit(ECHOES)];
        let dhcp6 = vec![is(Key::Source6, Operand::Prefix(LINK_LOCAL)), is(Key::UdpTo, Operand::Number(546))];
        [
            accept(&id("ra"), "IPv6 needs the line's router advertisements (8)", advertisement),
            accept(&id("echo"), "the line's desk may ping the box (2)", echo),
            accept(&id("dhcp6"), "DHCPv6 answers from the link only (2)", dhcp6),
        ]
    }

    /// Whether the box gets its IPv4 address here by DHCP.
    fn asks_for_an_address(&self) -> bool {
        match self.zone {
            Zone::Isp => self.site.internet.as_ref().is_some_and(|internet| !internet.pppoe),
            Zone::Wan => matches!(self.site.line, Line::Ipsec(_)) && self.has(true),
            _ => false,
        }
    }

    /// RFC 7296 section 2: IKE on ports 500 and 4500. Both sides may begin; a source that is a gateway's is no proof,
    /// IKE asks for that.
    fn gateways(&self, hook: &str, ends: [Key; 2]) -> Vec<Rule> {
        let mut rules = Vec::new();
        let names = [self.names.gateways4, self.names.gateways6];
        let families = self.gateways.iter().zip(ends).zip(names).zip(["", "6"]);
        for (((_, end), set), version) in families.filter(|(((there, _), _), _)| **there) {
            let gateway = || is(end, Operand::Set(set));
            let ports = Operand::AnyOf(vec![Operand::Number(500), Operand::Number(4500)]);
            let ike = vec![gateway(), is(Key::UdpTo, ports)];
            let esp = vec![gateway(), is(Key::Protocol, Operand::Word("esp"))];
            rules.push(accept(
                &self.id(hook, &format!("ike{version}")),
                "IKE with the configured gateways (2)",
                ike,
            ));
            rules.push(accept(
                &self.id(hook, &format!("esp{version}")),
                "ESP with the configured gateways (2)",
                esp,
            ));
        }
        rules
    }

    /// What the box says.
    pub(super) fn output(&self) -> Chain {
        let id = |what| self.id("output", what);
        let mut rules = self.families("output");
        if self.has(false) {
            rules.push(jump_icmp6(&id("icmp6")));
            let solicit = vec![
                is(Key::Icmp6Type, Operand::Word("nd-router-solicit")),
                is(Key::HopLimit, Operand::Number(255)),
            ];
            rules.push(accept(&id("rs"), "the box asks for the line's router (8)", solicit));
        }
        rules.push(flows(&id("flows")));
        rules.push(refuse_invalid(&id("invalid")));
        rules.extend(self.asking());
        rules.extend(self.gateways("output", [Key::Destination4, Key::Destination6]));
        rules.push(refuse_rest(&id("rest"), "the box speaks to listed peers only (10)"));
        Chain { name: self.names.output, hook: None, rules }
    }

    fn asking(&self) -> Vec<Rule> {
        let id = |what| self.id("output", what);
        let mut rules = Vec::new();
        if self.has(false) {
            // RFC 8415 section 7.1: All_DHCP_Relay_Agents_and_Servers.
            let dhcp6 = vec![
                is(Key::Destination6, Operand::address([0xff02, 0, 0, 0, 0, 0, 1, 2])),
                is(Key::UdpFrom, Operand::Number(546)),
                is(Key::UdpTo, Operand::Number(547)),
            ];
            rules.push(accept(&id("dhcp6"), "the box asks by DHCPv6 (10)", dhcp6));
        }
        if self.asks_for_an_address() {
            let dhcp4 = vec![
                is(Key::Family, Operand::Word("ipv4")),
                is(Key::UdpFrom, Operand::Number(68)),
                is(Key::UdpTo, Operand::Number(67)),
            ];
            rules.push(accept(&id("dhcp4"), "the box asks by DHCP (10)", dhcp4));
        }
        let peers = super::sets::peers(self.site, self.zone);
        if peers.is_empty() {
            return rules;
        }
        if self.zone == Zone::Wan && self.has(false) {
            let echo = vec![
                is(Key::Destination6, Operand::Set("echo_peers")),
                is(Key::Icmp6Type, Operand::Word("echo-request")),
            ];
            rules.push(accept(&id("echo"), "the box pings its gateway and its peers (10)", echo));
        }
        let service = if self.has(false) { Key::Service6 } else { Key::Service4 };
        let peers = vec![is(service, Operand::Set(self.names.peers))];
        rules.push(accept(&id("peers"), "the box's listed peers (10)", peers));
        rules
    }
}

/// The last words of what comes in by a way out.
pub(super) const fn nothing_opens(zone: Zone) -> &'static str {
    match zone {
        Zone::Isp => "nothing opens a connection from the internet (2)",
        Zone::Tunnel => "nothing opens a connection from the tunnel (2)",
        Zone::Cloud => "nothing opens a connection from the cloud (2)",
        _ => "nothing opens a connection from the line (2)",
    }
}
