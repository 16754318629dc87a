//! Terminals and claims terminals to the line, and the answers: to the profile's destinations only (4).

use model::site::uplink::Line;
use model::{Site, Zone};

use super::super::sets::by_name;
use super::super::{Counted, accept, bypass, flows, is, is_not, over, refuse, refuse_invalid, refuse_rest};
use super::by;
use crate::nft::{Chain, Key, Operand, Rule, Statement};

/// What differs between the two zones.
struct Leaving {
    out: [&'static str; 2],
    back: [&'static str; 2],
    hosts: &'static str,
    addresses6: &'static str,
    own: &'static str,
    forged: &'static str,
    rest: &'static str,
    /// Whether these are not the terminals: one that is seen here is beside the box, and open flows are asked for here.
    beside: bool,
}

const TERMINAL: Leaving = Leaving {
    out: ["forward_out", "forward-out"],
    back: ["forward_back", "forward-back"],
    hosts: "terminals",
    addresses6: "terminal_addresses6",
    own: "only a terminal's own address (9)",
    forged: "a terminal's address does not come from the line (9)",
    rest: "a terminal leaves to listed destinations only (4)",
    beside: false,
};

const CLAIMS: Leaving = Leaving {
    out: ["forward_claims_out", "forward-claims-out"],
    back: ["forward_claims_back", "forward-claims-back"],
    hosts: "claims",
    addresses6: "claims_addresses6",
    own: "only a claims terminal's own address (9)",
    forged: "a claims terminal's address does not come from the line (9)",
    rest: "a claims terminal leaves to listed destinations only (4)",
    beside: true,
};

pub(super) fn chains(site: &Site, zone: Zone) -> Vec<Chain> {
    let leaving = if zone == Zone::Claims { CLAIMS } else { TERMINAL };
    vec![leaving.out(site), leaving.back(site)]
}

impl Leaving {
    fn out(&self, site: &Site) -> Chain {
        let [name, prefix] = self.out;
        let id = |what: &str| format!("{prefix}-{what}");
        let ipv4 = site.line.is_ipv4();
        let mut rules: Vec<Rule> = self.beside.then(|| bypass::from_inside(prefix)).into_iter().collect();
        rules.push(other_family(prefix, &site.line));
        let own = match ipv4 {
            true => is_not(Key::Source4, Operand::Set(self.hosts)),
            false => is_not(Key::Source6, Operand::Set(self.addresses6)),
        };
        rules.push(refuse(&id("source"), self.own, vec![own]));
        rules.extend(self.beside.then(|| flows(&id("flows"))));
        rules.push(refuse_invalid(&id("invalid")));
        let counted = if ipv4 { Counted::Through4 } else { Counted::Through6 };
        rules.push(over(&id("senders"), counted));
        let service = if ipv4 { Key::Service4 } else { Key::Service6 };
        let listed = vec![is(service, Operand::Set("destinations"))];
        rules.push(accept(&id("listed"), "the profile's destinations (4)", listed));
        if by_name(site).next().is_some() {
            let to = if ipv4 { Key::Destination4 } else { Key::Destination6 };
            // What the resolver answered is no proof: whoever fills that set, no more than this passes.
            let named = vec![
                is(to, Operand::Set("expected")),
                is(Key::Service, Operand::Set("named_services")),
                is(service, Operand::Set("learned")),
            ];
            rules.push(accept(
                &id("named"),
                "where the profile's names lie, as the resolver said (4)",
                named,
            ));
        }
        rules.push(refuse_rest(&id("rest"), self.rest));
        Chain { name, hook: None, rules }
    }

    fn back(&self, site: &Site) -> Chain {
        let [name, prefix] = self.back;
        let id = |what: &str| format!("{prefix}-{what}");
        let ipv4 = site.line.is_ipv4();
        let mut rules = vec![other_family(prefix, &site.line)];
        if ipv4 {
            let inside = vec![is(Key::Source4, Operand::Set("inside"))];
            rules.push(refuse(
                &id("source"),
                "an address from inside does not come from outside (9)",
                inside,
            ));
        } else {
            for (forged, what) in behind(site).zip(["source", "source-claims"]) {
                let own = vec![is(Key::Source6, Operand::Set(forged.addresses6))];
                rules.push(refuse(&id(what), forged.forged, own));
            }
        }
        rules.extend(self.beside.then(|| flows(&id("flows"))));
        rules.push(refuse_rest(&id("rest"), super::super::outside::nothing_opens(site.qualification())));
        Chain { name, hook: None, rules }
    }
}

/// Who is behind the box on the qualification's side.
fn behind(site: &Site) -> impl Iterator<Item = Leaving> {
    [TERMINAL, CLAIMS].into_iter().take(1 + usize::from(site.claims.is_some()))
}

/// The terminals' open flows, out and back, by one rule each. What their chains refuse even of an open flow is none of it.
pub(super) fn open(site: &Site) -> [Option<Rule>; 2] {
    let line = site.qualification();
    let [own, foreign] = match site.line.is_ipv4() {
        true => [
            vec![is(Key::Source4, Operand::Set(TERMINAL.hosts))],
            vec![is_not(Key::Source4, Operand::Set("inside"))],
        ],
        false => [
            vec![is(Key::Source6, Operand::Set(TERMINAL.addresses6))],
            behind(site).map(|it| is_not(Key::Source6, Operand::Set(it.addresses6))).collect(),
        ],
    };
    let rule = |ways: Option<Vec<Statement>>, source: Vec<Statement>, id| {
        let rule = flows(id);
        ways.map(|by| Rule { steps: [by, source, rule.steps.clone()].concat(), ..rule })
    };
    [
        rule(by(site, Zone::Terminal, line), own, "forward-out-flows"),
        rule(by(site, line, Zone::Terminal), foreign, "forward-back-flows"),
    ]
}

fn other_family(prefix: &str, line: &Line) -> Rule {
    let (family, says) = match line {
        Line::Ra | Line::Pd => ("ipv4", "the line carries IPv6 only (4)"),
        Line::Ipsec(_) => ("ipv6", "the tunnel carries IPv4 only (4)"),
        Line::Pppoe(_) => ("ipv6", "the line carries IPv4 only (4)"),
    };
    refuse(&format!("{prefix}-{family}"), says, vec![is(Key::Family, Operand::Word(family))])
}
