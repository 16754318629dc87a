//! Ports and ways out: every port has one zone, every zone that needs one has a port, and no setting contradicts
//! another.

use std::net::IpAddr;

use super::super::uplink::{Ipsec, Line, MADE, line};
use super::super::walk::{Errors, Node};
use crate::profile::Profile;
use crate::zone::Zone;

pub(super) fn ports(root: &Node, errors: &mut Errors<'_>) {
    let ports = root.tables("port");
    let mut names: Vec<String> = Vec::new();
    let mut zones: Vec<String> = Vec::new();
    for node in &ports {
        let (name, zone) = (node.text("name"), node.text("zone"));
        if let Some(name) = name {
            let allowed = Some("one zone a port".to_owned());
            if MADE.contains(&name.as_str()) {
                errors.add(node, "name", format!("{name:?} is an interface the box makes itself"), None);
            } else if names.contains(&name) {
                errors.add(node, "name", format!("{name:?} is used twice: a port is in one zone"), allowed);
            }
            names.push(name);
        }
        if let Some(zone) = zone {
            if zones.contains(&zone) {
                errors.add(node, "zone", format!("{zone:?} is used twice"), None);
            }
            zones.push(zone);
        }
    }
    // A zone that was refused has been said; that it is missing too would be said twice.
    if ports.is_empty() || ports.iter().any(|node| !node.has("zone")) {
        return;
    }
    for zone in Zone::OF_PORTS {
        let has = zones.iter().any(|key| key == zone.key());
        let (needs, why) = needs(root, zone);
        if needs && !has {
            errors.add(root, "port", format!("no port has zone {:?}{why}", zone.key()), None);
        }
        if has && !needs && !(zone == Zone::Isp && root.was_given("internet")) {
            let node = ports.iter().find(|node| node.text("zone").as_deref() == Some(zone.key()));
            let message = format!("the zone {:?} has no table that describes it", zone.key());
            let table = match zone {
                Zone::Isp => "[internet]",
                Zone::Claims => "[claims]",
                _ => "[printers]",
            };
            if let Some(node) = node {
                errors.add(node, "zone", message, Some(format!("together with {table}")));
            }
        }
    }
}

/// Whether a zone must have a port, and why beside every site's reason.
fn needs(root: &Node, zone: Zone) -> (bool, &'static str) {
    match zone {
        Zone::Isp => {
            let kind = root.table("internet").and_then(|node| node.text("kind"));
            (kind.as_deref() == Some("dhcp"), ", which [internet] kind = \"dhcp\" needs")
        }
        Zone::Claims => (root.was_given("claims"), ", which [claims] needs"),
        Zone::Printer => (root.was_given("printers"), ", which [printers] needs"),
        _ => (true, ""),
    }
}

pub(super) fn all(root: &Node, errors: &mut Errors<'_>) {
    if let Some(node) = root.table("line") {
        of_line(root, node, errors);
    }
    if let Some(clinic) = root.table("clinic") {
        for key in ["internet", "cloud", "dns"] {
            let wanted = if key == "dns" { clinic.boolean(key) == Some(true) } else { clinic.has(key) };
            if wanted && !root.was_given("internet") {
                errors.add(
                    clinic,
                    key,
                    "there is no internet line".into(),
                    Some("together with [internet]".into()),
                );
            }
        }
    }
    for (table, key) in [("maintainer", "gateways"), ("update", "servers")] {
        if let Some(node) = root.table(table) {
            by_an_uplink(root, node, key, errors);
        }
    }
}

fn of_line(root: &Node, node: &Node, errors: &mut Errors<'_>) {
    let kind = node.text("kind");
    match (kind.as_deref(), node.was_given("ipsec")) {
        (Some("ipsec"), false) => {
            errors.add(
                node,
                "ipsec",
                "the provider's gateways are missing".into(),
                Some("[line.ipsec]".into()),
            );
        }
        (Some(other), true) if other != "ipsec" => {
            errors.add(node, "ipsec", format!("a line of kind {other:?} has no tunnel"), None);
        }
        _ => {}
    }
    match (kind.as_deref(), node.was_given("pppoe")) {
        (Some("pppoe"), false) => {
            let message = "the contract of the session is missing".to_owned();
            errors.add(node, "pppoe", message, Some("[line.pppoe]".into()));
        }
        (Some(other), true) if other != "pppoe" => {
            errors.add(node, "pppoe", format!("a line of kind {other:?} has no PPPoE session"), None);
        }
        _ => {}
    }
    if let Some(table) = node.table("pppoe") {
        session(table, errors);
    }
    if let (Some(Line::Ipsec(ipsec)), Some(table)) = (line(node), node.table("ipsec")) {
        families(&ipsec, table, errors);
    }
    let Some(through) = node.text("pppoe-through") else { return };
    let inside = ["terminal", "claims"];
    let known = root.tables("port").iter().any(|port| {
        port.text("name").as_ref() == Some(&through)
            && port.text("zone").is_some_and(|zone| inside.contains(&zone.as_str()))
    });
    if !known {
        let message = format!("{through:?} is no port of terminals or claims terminals");
        errors.add(node, "pppoe-through", message, Some("the name of such a port".into()));
    }
    if kind.as_deref() == Some("pppoe") {
        errors.add(node, "pppoe-through", "the box has the line's session itself".into(), None);
    }
}

/// What pppd's own files can say.
fn session(table: &Node, errors: &mut Errors<'_>) {
    if table.text("service").is_some_and(|service| !service.chars().all(|letter| letter.is_ascii_graphic())) {
        let allowed = Some("letters, digits and signs of ASCII, as the contract sheet has it".to_owned());
        errors.add(table, "service", "the name of a service has no spaces".into(), allowed);
    }
}

/// The line's port carries one family: every gateway is of it.
fn families(ipsec: &Ipsec, table: &Node, errors: &mut Errors<'_>) {
    let (way, family) =
        if ipsec.outer.is_ipv4() { ("by DHCP", "IPv4") } else { ("by advertisement", "IPv6") };
    for gateway in ipsec.gateways.iter().filter(|gateway| gateway.is_ipv4() != ipsec.outer.is_ipv4()) {
        let message =
            format!("{gateway} cannot be called: with an address {way} the line carries {family} only");
        errors.add(table, "gateways", message, Some(format!("{family} addresses, or another outer")));
    }
}

/// What the box asks for itself has a way that is there and carries its family.
fn by_an_uplink(root: &Node, node: &Node, key: &str, errors: &mut Errors<'_>) {
    let families =
        node.addresses(key).into_iter().chain(node.prefixes(key).into_iter().map(|one| one.address));
    let families: Vec<bool> = families.map(|address| address.is_ipv4()).collect();
    let word = |ipv4: bool| if ipv4 { "IPv4" } else { "IPv6" };
    match node.text("uplink").as_deref() {
        Some("internet") if !root.was_given("internet") => {
            let allowed = Some("\"line\", or together with [internet]".to_owned());
            errors.add(node, "uplink", "there is no internet line".into(), allowed);
        }
        Some("internet") if families.contains(&false) => {
            errors.add(node, key, "the internet line carries IPv4 only".into(), None);
        }
        Some("line") => {
            let Some(line) = root.table("line").and_then(line) else { return };
            // Beside IKE and ESP to the provider nothing goes out in the clear on such a line.
            if matches!(line, Line::Ipsec(_)) {
                let message = "on a line by IPsec the box asks nobody but the provider".to_owned();
                errors.add(node, "uplink", message, Some("\"internet\"".into()));
            } else if families.contains(&!line.is_ipv4()) {
                let message = format!("this line carries {} only", word(line.is_ipv4()));
                errors.add(node, key, message, None);
            }
        }
        _ => {}
    }
}

/// What a line needs of its profile.
pub(in crate::site) fn of_profile(root: &Node, profile: &Profile, errors: &mut Errors<'_>) {
    let Some(node) = root.table("line") else { return };
    if line(node).is_some_and(|line| line.is_ipv4()) && profile.resolvers4.is_empty() {
        let message = format!("the profile {:?} names no resolvers for such a line", profile.name);
        errors.add(node, "kind", message, Some("a profile with resolvers-ipv4".into()));
    }
    let own =
        [("clinic", "address"), ("terminals", "address"), ("claims", "address"), ("printers", "address")];
    for (table, key) in own {
        let Some((node, prefix)) = root.table(table).and_then(|node| Some((node, node.prefix(key)?))) else {
            continue;
        };
        if let Some(expected) = profile.expected.iter().find(|expected| expected.overlaps(&prefix)) {
            let message = format!("{prefix} overlaps {expected}, where the profile expects the line's hosts");
            errors.add(node, key, message, None);
        }
    }
    let resolvers = profile.resolvers4.iter().map(|address| IpAddr::V4(*address));
    for (table, key) in own {
        let Some((node, prefix)) = root.table(table).and_then(|node| Some((node, node.prefix(key)?))) else {
            continue;
        };
        if let Some(resolver) = resolvers.clone().find(|resolver| prefix.contains(*resolver)) {
            errors.add(node, key, format!("{prefix} holds the line's resolver {resolver}"), None);
        }
    }
}
