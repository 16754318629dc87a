//! Addresses: no two networks overlap, hosts lie in their own, and gateways lie in none of them.

use std::net::{IpAddr, Ipv4Addr};

use super::super::prefix::Prefix;
use super::super::read;
use super::super::walk::{Errors, Node, refuse_twins};

/// A network of the site: what it is called, the table and key it stands under.
struct Network<'n> {
    whose: &'static str,
    node: &'n Node,
    key: &'static str,
    prefix: Prefix,
}

pub(super) fn all(root: &Node, errors: &mut Errors<'_>) {
    let networks = networks(root);
    for (place, network) in networks.iter().enumerate() {
        if let Some(other) = networks[..place].iter().find(|other| other.prefix.overlaps(&network.prefix)) {
            let message = format!("{} overlaps {}", network.whose, other.whose);
            errors.add(network.node, network.key, message, None);
        }
        if let (IpAddr::V4(address), "address") = (network.prefix.address, network.key)
            && !network.prefix.is_machine(address)
        {
            let message = format!("{} cannot be a machine's address", network.prefix);
            errors.add(network.node, "address", message, Some("like 192.0.2.1/24".into()));
        }
    }
    gateways(root, &networks, errors);
    hosts(root, "claims", "claims-host", errors);
    hosts(root, "printers", "printer", errors);
}

fn networks(root: &Node) -> Vec<Network<'_>> {
    let own = [
        ("the clinic's zone", root.table("clinic"), "address"),
        ("the terminals' zone", root.table("terminals"), "address"),
        ("the claims terminals' zone", root.table("claims"), "address"),
        ("the printers' zone", root.table("printers"), "address"),
        ("the maintainers' network", root.table("maintainer"), "address"),
        ("a network of the cloud", root.table("clinic").and_then(|node| node.table("cloud")), "networks"),
    ];
    own.into_iter().flat_map(|(whose, node, key)| under(whose, node, key)).collect()
}

fn under<'n>(whose: &'static str, node: Option<&'n Node>, key: &'static str) -> Vec<Network<'n>> {
    let Some(node) = node else { return Vec::new() };
    node.prefixes(key).into_iter().map(|prefix| Network { whose, node, key, prefix }).collect()
}

/// Who is spoken to outside does not lie inside.
fn gateways(root: &Node, networks: &[Network<'_>], errors: &mut Errors<'_>) {
    let tables = [
        (root.table("line").and_then(|node| node.table("ipsec")), "gateways"),
        (root.table("clinic").and_then(|node| node.table("cloud")), "gateways"),
        (root.table("maintainer"), "gateways"),
        (root.table("internet"), "resolvers"),
    ];
    for (node, key) in tables.into_iter().filter_map(|(node, key)| Some((node?, key))) {
        for address in node.addresses(key) {
            if let Some(network) = networks.iter().find(|network| network.prefix.contains(address)) {
                errors.add(node, key, format!("{address} lies in {}", network.whose), None);
            }
            if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
                errors.add(node, key, format!("{address} is nobody's address"), None);
            }
        }
    }
}

/// The hosts of a zone: each with its own name and address, in a zone that is there.
fn hosts(root: &Node, zone: &str, key: &str, errors: &mut Errors<'_>) {
    let hosts = root.tables(key);
    refuse_twins(&hosts, "name", errors);
    if !hosts.is_empty() && !root.was_given(zone) {
        let message = format!("there is no zone for it; [{zone}] is missing");
        errors.add(root, key, message, Some(format!("together with [{zone}]")));
    }
    let network = root.table(zone).and_then(|node| node.prefix("address"));
    let mut taken: Vec<Ipv4Addr> = Vec::new();
    for node in hosts {
        let Some(address) = read::address(node) else { continue };
        if let Some(network) = network
            && (!network.is_machine(address) || network.address == IpAddr::V4(address))
        {
            let allowed = format!("another address in {}", network.as_network());
            errors.add(node, "address", format!("{address} is not a host of this zone"), Some(allowed));
        }
        if taken.contains(&address) {
            errors.add(node, "address", format!("{address} is used twice"), None);
        }
        taken.push(address);
    }
}
