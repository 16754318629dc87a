//! What may pass through the box. By default that is terminals to the line and the answers; a site adds claims
//! terminals, printers, the clinic's internet and cloud, and for a while a maintainer. There is no other way.

mod clinic;
mod leaving;
mod printing;

use model::{Site, Zone};

use super::maintenance::Open;
use super::{bypass, lookup, refuse_rest};
use crate::nft::{Chain, Hook, Key, Map, Operand, Statement, Verdict};

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

pub(super) fn by_way(site: &Site, open: Option<&Open<'_>>) -> Map {
    let element = |(from, to, chain): Way| {
        let port = |zone| site.interface(zone).map(|port| Operand::Port(port.to_owned()));
        Some((Operand::Tuple(vec![port(from)?, port(to)?]), Verdict::Jump(chain)))
    };
    let elements = ways(site, open).into_iter().filter_map(element).collect();
    Map { name: "forward_by_way", types: &["ifname", "ifname"], elements }
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
    let says = "only between terminals and line (1, 3)";
    let says = if chains.len() > 2 { "only by the site's ways (1, 3)" } else { says };
    let mut rules = vec![lookup("forward-way", says, Key::Way, "forward_by_way")];
    rules.push(bypass::from_elsewhere(site, "forward"));
    rules.push(refuse_rest("forward-rest", "no other zones are joined (1, 3)"));
    chains.push(Chain { name: "forward", hook: Some(Hook::filter("forward")), rules });
    chains
}

/// A tunnel and a PPPoE session carry less than a LAN: a connection's segments are kept to what both ways carry.
fn clamp(id: &str) -> crate::nft::Rule {
    let steps = vec![Statement::Syn, Statement::Clamp];
    crate::nft::Rule { id: id.to_owned(), says: "segments no longer than the way carries", steps }
}
