//! The whole ruleset of a site, typed: one table, one chain a zone and hook, named sets for everything a site
//! or a profile lists. Read the chains in the order of a packet's walk: `input`, `forward`, `output`.
//!
//! Every hook first asks by which port (a verdict map), so nothing a packet says about itself, and no open
//! flow, can lead it to another zone's rules. Each chain then refuses what its zone cannot send (9), lets pass
//! what IPv6 needs (8) and open flows, and names what may open one. What is refused is counted, and logged
//! with the id of the line that refused it (12).

mod forward;
mod input;
mod output;
mod sets;
mod setup;
pub mod words;

use model::Site;
use model::boot::Setup;
use serde_json::Value;

use crate::nft::{self, Chain, Key, Map, Operand, Rule, Set, Statement, Verdict};

/// A site's ruleset. The ids of its rules are unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Named sets.
    pub sets: Vec<Set>,
    /// Named verdict maps.
    pub maps: Vec<Map>,
    /// Chains with their rules.
    pub chains: Vec<Chain>,
}

impl Plan {
    /// The ruleset of a site. Every checked site has one.
    pub fn compile(site: &Site) -> Self {
        let chains = vec![
            shared::icmp6(),
            input::from_wan(),
            input::from_terminal(site),
            input::from_clinic(site),
            input::base(),
            forward::out(),
            forward::back(),
            forward::base(),
            output::to_wan(),
            output::to_terminal(),
            output::to_clinic(site),
            output::base(),
        ];
        let maps = vec![input::by_port(site), forward::by_way(site), output::by_port(site)];
        Self { sets: sets::of(site), maps, chains }
    }

    /// The ruleset before a site is in force: the setup port alone, or no port at all. It lends addresses in the
    /// carton only.
    pub fn before_a_site(setup: Option<&Setup>, lends_addresses: bool) -> Self {
        let chains = setup::chains(setup, lends_addresses);
        Self { sets: Vec::new(), maps: setup::maps(setup), chains }
    }

    /// What nft is given: the commands that put this ruleset in the place of the old one, at once.
    pub fn document(&self) -> Value {
        nft::replacement(&self.sets, &self.maps, &self.chains)
    }
}

/// The nft JSON of a site's ruleset.
pub fn compile_json(site: &Site) -> Value {
    Plan::compile(site).document()
}

/// Everything is dropped (promise 11), also what IPv6 needs: this stands for the moment before the first
/// proof, and after a failure for as long as it lasts. Only the box's own loopback lives, by which its roles
/// and their readers talk. The kernel asks for routers and neighbours again by itself when this is replaced.
pub fn drop_all() -> Value {
    let base = |name, loopback: Option<Key>| {
        let rules = loopback.map(|key| Rule {
            id: format!("{name}-lo"),
            says: "the box's own loopback (11)",
            steps: vec![Statement::Is(key, Operand::Word("lo")), Statement::Verdict(Verdict::Accept)],
        });
        Chain { name, hook: Some(name), rules: rules.into_iter().collect() }
    };
    let chains = [base("input", Some(Key::In)), base("forward", None), base("output", Some(Key::Out))];
    nft::replacement(&[], &[], &chains)
}

/// How many refusals of one line are logged a second.
const LOGGED: u16 = 5;

/// How many echo requests of one zone are answered a second.
const ECHOES: u16 = 10;

/// Accepts and counts.
fn accept(id: &str, says: &'static str, when: Vec<Statement>) -> Rule {
    end(id.to_owned(), says, when, [Statement::Count, Statement::Verdict(Verdict::Accept)])
}

/// Refuses, counts, and logs under its own id, at a bounded rate. Two rules with the same conditions, since
/// a limit in the rule that drops would let pass what exceeds it.
fn refuse(id: &str, says: &'static str, when: Vec<Statement>) -> [Rule; 2] {
    let log = [Statement::Limit(LOGGED), Statement::Log(id.to_owned())];
    [
        end(format!("{id}-log"), says, when.clone(), log),
        end(id.to_owned(), says, when, [Statement::Count, Statement::Verdict(Verdict::Drop)]),
    ]
}

fn end(id: String, says: &'static str, mut steps: Vec<Statement>, last: [Statement; 2]) -> Rule {
    steps.extend(last);
    Rule { id, says, steps }
}

/// RFC 2131 section 4.1: from no address, to everybody.
fn discover() -> Vec<Statement> {
    vec![
        is(Key::Source4, Operand::address([0, 0, 0, 0])),
        is(Key::Destination4, Operand::address([255, 255, 255, 255])),
        is(Key::UdpFrom, Operand::Number(68)),
        is(Key::UdpTo, Operand::Number(67)),
    ]
}

/// What belongs to an open flow passes.
fn flows(id: &str) -> Rule {
    Rule { id: id.to_owned(), says: "answers, and errors about open flows", steps: vec![Statement::Flows] }
}

/// What the kernel cannot place in any flow.
fn refuse_invalid(id: &str) -> [Rule; 2] {
    refuse(id, "belongs to no flow and opens none (2)", vec![is(Key::State, Operand::Word("invalid"))])
}

/// The last line of every chain: also the policy drops, this says so.
fn refuse_rest(id: &str, says: &'static str) -> [Rule; 2] {
    refuse(id, says, Vec::new())
}

const fn is(key: Key, right: Operand) -> Statement {
    Statement::Is(key, right)
}

const fn is_not(key: Key, right: Operand) -> Statement {
    Statement::IsNot(key, right)
}

fn lookup(id: &str, says: &'static str, key: Key, map: &'static str) -> Rule {
    Rule { id: id.to_owned(), says, steps: vec![Statement::Lookup(key, map)] }
}

/// The RA line carries no IPv4.
fn refuse_ipv4(id: &str) -> [Rule; 2] {
    refuse(id, "the line carries IPv6 only (4)", vec![is(Key::Family, Operand::Word("ipv4"))])
}

/// What several zones share.
mod shared {
    use super::{Chain, Key, Operand, Rule, Statement, Verdict, accept, is};

    /// The chain of promise 8: nothing of a site can switch it off.
    pub(super) fn icmp6() -> Chain {
        let of = |set, hops: Option<u16>| {
            let mut when = vec![is(Key::Icmp6Type, Operand::Set(set))];
            when.extend(hops.map(|hops| is(Key::HopLimit, Operand::Number(hops))));
            when
        };
        let rules = vec![
            // RFC 4861 section 7.1: 255 proves that no router has passed it on.
            accept("icmp6-neighbour", "IPv6 needs neighbour discovery (8)", of("icmp6_neighbour", Some(255))),
            accept(
                "icmp6-error",
                "IPv6 needs its errors, packet-too-big first (8)",
                of("icmp6_errors", None),
            ),
            // RFC 2710 section 3, RFC 3810 section 5: always hop limit 1.
            accept(
                "icmp6-listener",
                "IPv6 needs multicast listener discovery (8)",
                of("icmp6_listener", Some(1)),
            ),
        ];
        Chain { name: "icmp6", hook: None, rules }
    }

    pub(super) fn jump_icmp6(id: &str) -> Rule {
        let steps = vec![is(Key::Family, Operand::Word("ipv6")), Statement::Verdict(Verdict::Jump("icmp6"))];
        Rule { id: id.to_owned(), says: "what IPv6 needs (8)", steps }
    }
}

use shared::jump_icmp6;
