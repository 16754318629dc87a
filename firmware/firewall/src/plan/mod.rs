//! The whole ruleset of a site, typed: one table, one chain a zone and hook, named sets for everything a site
//! or a profile lists. Read the chains in the order of a packet's walk: `input`, `forward`, `output`.
//!
//! Every hook asks by which port first, so nothing a packet says about itself, and no open
//! flow, can lead it to another zone's rules; a terminal that is seen at another port is refused before any line may let it
//! pass. Each chain refuses what its zone cannot send (9), lets pass
//! what IPv6 needs (8) and open flows, and names what may open one. What is refused is counted, and logged
//! with the id of the line that refused it (12).

mod bypass;
mod clinic;
mod forward;
mod maintenance;
mod outside;
mod pass;
mod served;
mod sets;
mod setup;
mod translate;
pub mod words;

pub(crate) use self::sets::by_name;

use model::boot::Setup;
use model::{Site, Zone};
use serde_json::Value;

use self::maintenance::Open;
use self::outside::Outside;
use crate::nft::{
    self, BRIDGE, CLOSED, Chain, Hook, Key, Map, Operand, Rule, Set, Statement, TABLE, Table, Verdict,
};
use crate::now::Now;

/// A site's ruleset. The ids of its rules are unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Named sets.
    pub sets: Vec<Set>,
    /// Named verdict maps.
    pub maps: Vec<Map>,
    /// Chains with their rules.
    pub chains: Vec<Chain>,
    /// Maps and chains of the bridge's table, in a site that lets something pass unseen.
    pub bridge: Option<(Vec<Map>, Vec<Chain>)>,
}

impl Plan {
    /// The ruleset of a site, with what was told by now. Every checked site has one.
    pub fn compile(site: &Site, now: &Now) -> Self {
        let open = Open::of(site, now.consent.as_ref());
        let mut chains = vec![shared::icmp6(), shared::too_many(), bypass::chain(site)];
        for zone in [Zone::Wan, Zone::Isp, Zone::Tunnel, Zone::Cloud] {
            if site.interface(zone).is_some() {
                let outside = Outside::new(site, now, zone);
                chains.extend([outside.input(), outside.output()]);
            }
        }
        chains.extend(served::chains(site));
        chains.extend([clinic::input(site), clinic::output(site)]);
        if site.printers.is_some() {
            chains.extend([clinic::from_printers(), clinic::to_printers()]);
        }
        chains.extend(open.iter().flat_map(|open| [open.input(), open.output()]));
        chains.push(base::input(site));
        chains.extend(forward::chains(site, open.as_ref()));
        chains.push(base::output());
        chains.extend(translate::chain(site, open.as_ref()));
        let zones = base::zones(site, open.is_some());
        let maps = vec![
            base::by_port("input_by_port", &zones, |names| names[0]),
            base::by_port("output_by_port", &zones, |names| names[1]),
        ];
        Self { sets: sets::of(site, now), maps, chains, bridge: pass::bridge(site) }
    }

    /// The ruleset before a site is in force: the setup port alone, or no port at all. It lends addresses in the
    /// carton only.
    pub fn before_a_site(setup: Option<&Setup>, lends_addresses: bool) -> Self {
        let chains = setup::chains(setup, lends_addresses);
        Self { sets: Vec::new(), maps: setup::maps(setup), chains, bridge: None }
    }

    /// What nft is given: the commands that put this ruleset in the place of the old one, at once.
    pub fn document(&self) -> Value {
        let own = Table { place: TABLE, sets: &self.sets, maps: &self.maps, chains: &self.chains };
        let bridge = self.bridge.as_ref();
        let bridge = bridge.map(|(maps, chains)| Table { place: BRIDGE, sets: &[], maps, chains });
        nft::replacement(&[own].into_iter().chain(bridge).collect::<Vec<_>>())
    }

    /// Every rule, in the order of the chains.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let bridge = self.bridge.iter().flat_map(|(_, chains)| chains);
        self.chains.iter().chain(bridge).flat_map(|chain| &chain.rules)
    }
}

/// The nft JSON of a site's ruleset while nothing was told.
pub fn compile_json(site: &Site) -> Value {
    Plan::compile(site, &Now::default()).document()
}

/// Everything is dropped (promise 11), also what IPv6 needs: this stands for the moment before the first
/// proof, and after a failure for as long as it lasts; a bridge carries nothing either. Only the box's own loopback
/// lives, by which its roles and their readers talk. The kernel asks for routers and neighbours again by itself when this
/// is replaced.
pub fn drop_all() -> Value {
    let [routed, bridged] = closed_chains();
    nft::replacement(&closed(&[TABLE, BRIDGE], &[&routed, &bridged]))
}

/// How else everything is dropped if that is refused, one after the other: beside a table of our name that somebody else
/// has taken for himself, and in a kernel that filters no bridge.
pub(crate) fn drop_all_beside() -> [Value; 3] {
    let [routed, bridged] = closed_chains();
    let both: [&[Chain]; 2] = [&routed, &bridged];
    [
        nft::replaced(&CLOSED, &closed(&CLOSED, &both)),
        nft::replaced(&[TABLE], &closed(&[TABLE], &both)),
        nft::replaced(&CLOSED[..1], &closed(&CLOSED[..1], &both)),
    ]
}

fn closed<'t>(places: &[(&'static str, &'static str)], chains: &[&'t [Chain]]) -> Vec<Table<'t>> {
    let places = places.iter().zip(chains);
    places.map(|(place, chains)| Table { place: *place, sets: &[], maps: &[], chains }).collect()
}

fn closed_chains() -> [Vec<Chain>; 2] {
    let base = |name, loopback: Option<Key>| {
        let rules = loopback.map(|key| Rule {
            id: format!("{name}-lo"),
            says: "the box's own loopback (11)",
            steps: vec![Statement::Is(key, Operand::Word("lo")), Statement::Verdict(Verdict::Accept)],
        });
        Chain { name, hook: Some(Hook::filter(name)), rules: rules.into_iter().collect() }
    };
    let routed = vec![base("input", Some(Key::In)), base("forward", None), base("output", Some(Key::Out))];
    [routed, vec![base("forward", None)]]
}

/// How many open flows one sender may have with the box, and as many through it: the kernel remembers 65,536 of all zones, and a clinic's computer has some
/// dozen.
const FLOWS: u32 = 2_048;

/// How many echo requests of one zone are answered a second.
const ECHOES: u16 = 10;

/// Accepts and counts.
fn accept(id: &str, says: &'static str, mut when: Vec<Statement>) -> Rule {
    when.extend([Statement::Count, Statement::Verdict(Verdict::Accept)]);
    Rule { id: id.to_owned(), says, steps: when }
}

/// Refuses, counts, and logs under its own id, at a bounded rate.
fn refuse(id: &str, says: &'static str, mut when: Vec<Statement>) -> Rule {
    when.push(Statement::Refuse);
    Rule { id: id.to_owned(), says, steps: when }
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
    let open = is(Key::State, Operand::Words(&["established", "related"]));
    let steps = vec![open, Statement::Verdict(Verdict::Accept)];
    Rule { id: id.to_owned(), says: "answers, and errors about open flows", steps }
}

/// What the kernel cannot place in any flow.
fn refuse_invalid(id: &str) -> Rule {
    refuse(id, "belongs to no flow and opens none (2)", vec![is(Key::State, Operand::Word("invalid"))])
}

/// The last line of every chain: also the policy drops, this says so.
fn refuse_rest(id: &str, says: &'static str) -> Rule {
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

/// Where a sender's open flows are counted. What it asks of the box itself counts apart: whatever it has open through the
/// box, the box's own services and shares stay within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// With the box itself, over IPv4.
    Here,
    /// Through the box, over IPv4.
    Through4,
    /// Through the box, over IPv6.
    Through6,
}

/// Leads a sender away that has too many flows open already.
fn over(id: &str, counted: Counted) -> Rule {
    let (key, set) = match counted {
        Counted::Here => (Key::Source4, "callers"),
        Counted::Through4 => (Key::Source4, "senders"),
        Counted::Through6 => (Key::Source6, "senders6"),
    };
    let new = is(Key::State, Operand::Word("new"));
    let steps = vec![new, Statement::Over(key, set, FLOWS), Statement::Verdict(Verdict::Jump("too_many"))];
    Rule { id: id.to_owned(), says: "one sender may not fill the table of flows", steps }
}

/// The chains every packet begins with: nothing but its port decides where it goes.
mod base {
    use super::{Chain, Hook, Key, Map, Operand, Site, Verdict, Zone, bypass, lookup, refuse_rest};

    /// A port, and the chains of what comes in by it and of what leaves by it.
    pub(super) type Own = (String, [&'static str; 2]);

    /// The zones a site has; the maintainer's only while consent is open.
    pub(super) fn zones(site: &Site, open: bool) -> Vec<Own> {
        let names = |zone| match zone {
            Zone::Wan => ["input_wan", "output_wan"],
            Zone::Isp => ["input_isp", "output_isp"],
            Zone::Tunnel => ["input_tunnel", "output_tunnel"],
            Zone::Cloud => ["input_cloud", "output_cloud"],
            Zone::Terminal => ["input_terminal", "output_terminal"],
            Zone::Clinic => ["input_clinic", "output_clinic"],
            Zone::Claims => ["input_claims", "output_claims"],
            Zone::Printer => ["input_printer", "output_printer"],
            Zone::Maint => ["input_maint", "output_maint"],
        };
        let here = [Zone::Wan, Zone::Terminal, Zone::Clinic];
        let others =
            Zone::ALL.into_iter().filter(|zone| !here.contains(zone) && (open || *zone != Zone::Maint));
        let own = |zone| site.interface(zone).map(|port| (port.to_owned(), names(zone)));
        here.into_iter().chain(others).filter_map(own).collect()
    }

    /// Which chain a port's packets go to; a port that is not here is closed.
    pub(super) fn by_port(
        name: &'static str,
        zones: &[Own],
        which: fn([&'static str; 2]) -> &'static str,
    ) -> Map {
        let loopback = (Operand::Port("lo".into()), Verdict::Accept);
        let port = |(port, names): &Own| (Operand::Port(port.clone()), Verdict::Jump(which(*names)));
        let elements = [loopback].into_iter().chain(zones.iter().map(port)).collect();
        Map { name, types: &["ifname"], elements }
    }

    pub(super) fn input(site: &Site) -> Chain {
        let rules = vec![
            bypass::from_elsewhere(site, "input"),
            lookup("input-port", "each port has its zone's rules", Key::In, "input_by_port"),
            refuse_rest("input-rest", "a port nobody planned is closed (2)"),
        ];
        Chain { name: "input", hook: Some(Hook::filter("input")), rules }
    }

    pub(super) fn output() -> Chain {
        let mut rules =
            vec![lookup("output-port", "each port has its zone's rules", Key::Out, "output_by_port")];
        rules.push(refuse_rest("output-rest", "a port nobody planned is closed (10)"));
        Chain { name: "output", hook: Some(Hook::filter("output")), rules }
    }
}

/// What several zones share.
mod shared {
    use super::{Chain, Key, Operand, Rule, Statement, Verdict, accept, is, refuse_rest};

    /// Where [`super::over`] leads.
    pub(super) fn too_many() -> Chain {
        let rules = vec![refuse_rest("sender-flows", "this sender has too many flows open")];
        Chain { name: "too_many", hook: None, rules }
    }

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
