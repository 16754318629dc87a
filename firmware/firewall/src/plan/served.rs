//! Terminals and claims terminals, seen from the box: it serves them names, time and addresses, and the line's prefix.
//! Claims terminals have the clinic's shares too.

use model::{Site, Zone};

use super::{
    Counted, ECHOES, Statement, accept, discover, flows, is, is_not, jump_icmp6, over, refuse,
    refuse_invalid, refuse_rest,
};
use crate::nft::{Chain, Key, Operand, Rule};

/// What differs between the two zones.
struct Served {
    zone: Zone,
    input: &'static str,
    output: &'static str,
    hosts: &'static str,
    addresses6: &'static str,
    services: &'static str,
    own: &'static str,
    asks: &'static str,
    pings: &'static str,
    serves: &'static str,
    rest: &'static str,
    answers: &'static str,
}

const TERMINAL: Served = Served {
    zone: Zone::Terminal,
    input: "input_terminal",
    output: "output_terminal",
    hosts: "terminals",
    addresses6: "terminal_addresses6",
    services: "terminal_services",
    own: "only a terminal's own address (9)",
    asks: "a terminal without an address asks for one (5)",
    pings: "a terminal may ping the box (5)",
    serves: "names, time and addresses for the terminals (5)",
    rest: "a terminal reaches nothing else of the box (5)",
    answers: "answers to a terminal without an address (5)",
};

const CLAIMS: Served = Served {
    zone: Zone::Claims,
    input: "input_claims",
    output: "output_claims",
    hosts: "claims",
    addresses6: "claims_addresses6",
    services: "claims_services",
    own: "only a claims terminal's own address (9)",
    asks: "a claims terminal without an address asks for one (5)",
    pings: "a claims terminal may ping the box (5)",
    serves: "names, time and addresses for the claims terminals (5)",
    rest: "a claims terminal reaches nothing else of the box (5)",
    answers: "answers to a claims terminal without an address (5)",
};

pub(super) fn chains(site: &Site) -> Vec<Chain> {
    let own = site.networks();
    let at = |served: &Served| own.iter().find(|(zone, _)| *zone == served.zone).map(|(_, own)| own.address);
    [TERMINAL, CLAIMS]
        .iter()
        .filter_map(|served| Some((served, at(served)?)))
        .flat_map(|(served, own)| [served.input(site, Operand::address(own)), served.output(site)])
        .collect()
}

impl Served {
    fn id(&self, what: &str) -> String {
        format!("{}-{what}", self.zone.key())
    }

    fn input(&self, site: &Site, own: Operand) -> Chain {
        let id = |what: &str| self.id(&format!("input-{what}"));
        let mut rules = vec![accept(&id("dhcp"), self.asks, discover())];
        let foreign = vec![is_not(Key::Source4, Operand::Set(self.hosts))];
        rules.push(refuse(&id("source4"), self.own, foreign));
        let foreign = vec![
            is_not(Key::Source6, Operand::Set("link_local")),
            is_not(Key::Source6, Operand::Set(self.addresses6)),
        ];
        rules.push(refuse(&id("source6"), self.own, foreign));
        rules.push(jump_icmp6(&id("icmp6")));
        if !site.line.is_ipv4() {
            // RFC 4861 section 6.1.1.
            let solicit = vec![
                is(Key::Icmp6Type, Operand::Word("nd-router-solicit")),
                is(Key::HopLimit, Operand::Number(255)),
            ];
            rules.push(accept(&id("rs"), "it asks the box for the line's prefix (8)", solicit));
        }
        rules.push(flows(&id("flows")));
        rules.push(refuse_invalid(&id("invalid")));
        rules.push(over(&id("senders"), Counted::Here));
        let echo = vec![
            is(Key::Destination4, own.clone()),
            is(Key::IcmpType, Operand::Word("echo-request")),
            Statement::Limit(ECHOES),
        ];
        rules.push(accept(&id("echo"), self.pings, echo));
        let service = vec![is(Key::Service4, Operand::Set(self.services))];
        rules.push(accept(&id("service"), self.serves, service));
        rules.extend(self.share(own));
        rules.push(refuse_rest(&id("rest"), self.rest));
        Chain { name: self.input, hook: None, rules }
    }

    fn share(&self, own: Operand) -> Option<Rule> {
        let when = vec![is(Key::Destination4, own), is(Key::TcpTo, Operand::Number(445))];
        let says = "a claims terminal has the clinic's shares (5)";
        (self.zone == Zone::Claims).then(|| accept(&self.id("input-share"), says, when))
    }

    fn output(&self, site: &Site) -> Chain {
        let id = |what: &str| self.id(&format!("output-{what}"));
        let mut rules = vec![jump_icmp6(&id("icmp6"))];
        if !site.line.is_ipv4() {
            let advertisement = vec![
                is(Key::Icmp6Type, Operand::Word("nd-router-advert")),
                is(Key::HopLimit, Operand::Number(255)),
            ];
            rules.push(accept(&id("ra"), "the box tells the line's prefix (8)", advertisement));
        }
        rules.push(flows(&id("flows")));
        rules.push(refuse_invalid(&id("invalid")));
        let dhcp = vec![
            is(Key::Family, Operand::Word("ipv4")),
            is(Key::UdpFrom, Operand::Number(67)),
            is(Key::UdpTo, Operand::Number(68)),
        ];
        rules.push(accept(&id("dhcp"), self.answers, dhcp));
        if self.zone == Zone::Terminal {
            let to = || is(Key::Destination4, Operand::Set("terminals"));
            let echo = vec![to(), is(Key::IcmpType, Operand::Word("echo-request"))];
            rules.push(accept(&id("echo"), "the box pings its terminals (10)", echo));
            let share = vec![to(), is(Key::TcpTo, Operand::Number(445))];
            rules.push(accept(&id("share"), "the relay writes to the terminals' shares (10)", share));
        }
        rules.push(refuse_rest(&id("rest"), "the box speaks to listed peers only (10)"));
        Chain { name: self.output, hook: None, rules }
    }
}
