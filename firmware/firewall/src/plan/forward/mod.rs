//! What may pass through the box. By default that is terminals to the line and the answers; a site adds claims
//! terminals, printers, the clinic's internet and cloud, and for a while a maintainer. There is no other way.

mod clinic;
mod leaving;
mod printing;

use model::{Site, Zone};

use super::maintenance::Open;
use super::{bypass, is, refuse_rest};
use crate::nft::{Chain, Hook, Key, Operand, Rule, Statement, Verdict};

/// From a zone to a zone, and the chain that decides.
type Way = (Zone, Zone, &'static str);

/// The ways there are. Between clinic and terminal, and between clinic and line, there is none (1, 3).
fn ways(site: &Site, open: Option<&Open<'_>>) -> Vec<Way> {
    let line = site.qualification();
    let mut ways = vec![(Zone::Terminal, line, "forward_out"), (line, Zone::Terminal, "forward_back")];
    if site.claims.is_some() {
        ways.extend([
            (Zone::Claims, line, "forward_claims_out"),
            (line, Zone::Claims, "forward_claims_back"),
        ]);
    }
    if site.printers.is_some() {
        ways.extend([
            (Zone::Terminal, Zone::Printer, "forward_print_terminal"),
            (Zone::Clinic, Zone::Printer, "forward_print_clinic"),
            (Zone::Printer, Zone::Terminal, "forward_print_back"),
            (Zone::Printer, Zone::Clinic, "forward_print_back"),
        ]);
    }
    if site.clinic_internet {
        ways.extend([
            (Zone::Clinic, Zone::Isp, "forward_internet"),
            (Zone::Isp, Zone::Clinic, "forward_internet_back"),
        ]);
    }
    if site.cloud.is_some() {
        ways.extend([
            (Zone::Clinic, Zone::Cloud, "forward_cloud"),
            (Zone::Cloud, Zone::Clinic, "forward_cloud_back"),
        ]);
    }
    if let Some((zone, ..)) = open.and_then(|open| open.further) {
        ways.extend([(Zone::Maint, zone, "forward_maint"), (zone, Zone::Maint, "forward_maint_back")]);
    }
    ways
}

/// Asks for both ports. Rules in a row and not a map: comparing two names costs a packet less than looking both up.
fn by(site: &Site, from: Zone, to: Zone) -> Option<Vec<Statement>> {
    let port = |zone| site.interface(zone).map(|port| Operand::Port(port.to_owned()));
    Some(vec![is(Key::In, port(from)?), is(Key::Out, port(to)?)])
}

fn leads(site: &Site, (from, to, chain): Way) -> Option<Rule> {
    let mut steps = by(site, from, to)?;
    steps.push(Statement::Verdict(Verdict::Jump(chain)));
    let id = format!("forward-way-{}-{}", from.key(), to.key());
    Some(Rule { id, says: "a way there is from zone to zone (1, 3)", steps })
}

/// The chains of all ways, and the one that leads to them.
pub(super) fn chains(site: &Site, open: Option<&Open<'_>>) -> Vec<Chain> {
    let mut chains = leaving::chains(site, Zone::Terminal);
    if site.claims.is_some() {
        chains.extend(leaving::chains(site, Zone::Claims));
    }
    if site.printers.is_some() {
        chains.extend(printing::chains(site));
    }
    if site.clinic_internet {
        chains.extend(clinic::internet(site));
    }
    if site.cloud.is_some() {
        chains.extend(clinic::cloud(site));
    }
    chains.extend(open.and_then(Open::further).into_iter().flatten());
    let mut rules = at_first(site);
    rules.extend(ways(site, open).into_iter().filter_map(|way| leads(site, way)));
    rules.push(bypass::from_elsewhere(site, "forward"));
    rules.push(refuse_rest("forward-rest", "no other zones are joined (1, 3)"));
    chains.push(Chain { name: "forward", hook: Some(Hook::filter("forward")), rules });
    chains
}

/// What is asked before the ways. Nearly all packets are of the terminals' open flows, and are through after that.
fn at_first(site: &Site) -> Vec<Rule> {
    let [out, back] = leaving::open(site);
    clamp(site).into_iter().chain(out).chain(bypass::by_card(site)).chain(back).collect()
}

/// A tunnel and a PPPoE session carry less than a LAN: a connection's segments are kept to what both ways carry.
fn clamp(site: &Site) -> Option<Rule> {
    let narrow = site.line.is_ipv4() || site.clinic_internet || site.cloud.is_some();
    let (id, says) = ("forward-clamp".to_owned(), "segments no longer than the way carries");
    narrow.then(|| Rule { id, says, steps: vec![Statement::Syn, Statement::Clamp] })
}
