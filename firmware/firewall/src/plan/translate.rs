//! Addresses from inside that mean nothing outside take the address of the port they leave by (RFC 3022). A rule here
//! lets nothing pass: what comes this far was let pass by the ways.

use model::site::uplink::Line;
use model::{Site, Zone};

use super::maintenance::Open;
use super::{Statement, is};
use crate::nft::{Chain, Hook, Key, Operand, Rule};

/// No chain if nothing is translated.
pub(super) fn chain(site: &Site, open: Option<&Open<'_>>) -> Option<Chain> {
    let mut rules = Vec::new();
    let by = |zone, id: &str, source| translate(site, zone, id, source);
    let inside = || Operand::Set("inside");
    match &site.line {
        Line::Ipsec(ipsec) if !ipsec.routed => rules.extend(by(Zone::Tunnel, "tunnel-translate", inside())),
        Line::Pppoe(_) => rules.extend(by(Zone::Wan, "wan-translate", inside())),
        Line::Ra | Line::Pd | Line::Ipsec(_) => {}
    }
    if site.clinic_internet {
        rules.extend(by(Zone::Isp, "isp-translate", inside()));
    }
    if site.cloud.is_some() {
        rules.extend(by(Zone::Cloud, "cloud-translate", inside()));
    }
    if let (Some((zone, ..)), Some(maintainer)) = (open.and_then(|open| open.further), &site.maintainer) {
        // The host answers to the box, whose network it knows.
        rules.extend(by(zone, "maint-translate", Operand::Prefix(maintainer.address.as_network())));
    }
    (!rules.is_empty()).then(|| Chain { name: "translate", hook: Some(Hook::translate()), rules })
}

fn translate(site: &Site, zone: Zone, id: &str, source: Operand) -> Option<Rule> {
    let port = Operand::Port(site.interface(zone)?.to_owned());
    let steps = vec![is(Key::Out, port), is(Key::Source4, source), Statement::Count, Statement::Masquerade];
    Some(Rule { id: id.to_owned(), says: "leaves with the address of the box there", steps })
}
