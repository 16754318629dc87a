//! The receipt computer's cloud: its networks are some of IPv4 and none of the line's, its services lie in them.

use std::net::IpAddr;

use super::super::uplink;
use super::super::walk::{Errors, Node};
use crate::profile::Profile;

fn table(root: &Node) -> Option<&Node> {
    root.table("clinic").and_then(|node| node.table("cloud"))
}

pub(super) fn all(root: &Node, errors: &mut Errors<'_>) {
    let Some(cloud) = table(root) else { return };
    for prefix in cloud.prefixes("networks") {
        if prefix.address.is_ipv6() {
            errors.add(cloud, "networks", format!("{prefix} is IPv6; the cloud is reached over IPv4"), None);
        } else if prefix.length == 0 {
            // Everything would be the cloud's, and unreachable while its tunnel is down.
            let message = format!("{prefix} is all of the internet");
            errors.add(cloud, "networks", message, Some("the cloud's own networks".into()));
        }
    }
    endpoints(cloud, errors);
}

fn endpoints(cloud: &Node, errors: &mut Errors<'_>) {
    let networks = cloud.prefixes("networks");
    let nodes = cloud.tables("endpoint");
    let mut seen = Vec::new();
    for node in &nodes {
        let Some(endpoint) = uplink::endpoint(node) else { continue };
        let place = (endpoint.address, endpoint.port);
        if cloud.has("networks") && !networks.iter().any(|one| one.contains(IpAddr::V4(endpoint.address))) {
            let message = format!("{} lies in no network of the cloud", endpoint.address);
            errors.add(node, "address", message, Some("an address in its networks".into()));
        }
        if seen.contains(&place) {
            let message = format!("port {} of {} is listed twice", endpoint.port, endpoint.address);
            errors.add(node, "port", message, None);
        }
        seen.push(place);
    }
    if cloud.was_given("authorities") && !nodes.iter().any(|node| node.was_given("name")) {
        let message = "no service of the cloud is asked by TLS".to_owned();
        let allowed = Some("together with [[clinic.cloud.endpoint]] name".into());
        errors.add(cloud, "authorities", message, allowed);
    }
}

/// What is the line's is not the cloud's: each has its own tunnel and its own routes.
pub(in crate::site) fn of_profile(root: &Node, profile: &Profile, errors: &mut Errors<'_>) {
    let Some(cloud) = table(root) else { return };
    for prefix in cloud.prefixes("networks") {
        if let Some(expected) = profile.expected.iter().find(|expected| expected.overlaps(&prefix)) {
            let message = format!("{prefix} overlaps {expected}, where the profile expects the line's hosts");
            errors.add(cloud, "networks", message, None);
        }
        let resolvers = profile.resolvers4.iter().find(|address| prefix.contains(IpAddr::V4(**address)));
        if let Some(resolver) = resolvers {
            errors.add(cloud, "networks", format!("{prefix} holds the line's resolver {resolver}"), None);
        }
    }
}
