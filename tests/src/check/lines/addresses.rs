//! What a host's kernel says of its addresses and neighbours, as `ip` tells it.

use std::net::Ipv6Addr;

use serde::Deserialize;

use super::super::Wrong;
use super::super::lab::Lab;

/// A global address of a host.
#[derive(Clone, Debug)]
pub struct Address {
    /// Which.
    pub address: Ipv6Addr,
    /// It may still be used for new connections.
    pub good: bool,
}

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    addr_info: Vec<Info>,
}

#[derive(Deserialize)]
struct Info {
    local: Option<Ipv6Addr>,
    scope: Option<String>,
    #[serde(default)]
    deprecated: bool,
    #[serde(default)]
    tentative: bool,
}

/// The global addresses of a host's port.
pub fn of(lab: &Lab, host: &str, port: &str) -> Result<Vec<Address>, Wrong> {
    let text = lab.exec(host, &["ip", "-6", "-json", "address", "show", "dev", port])?;
    let ports: Vec<Port> = serde_json::from_str(&text).map_err(|error| Wrong(error.to_string()))?;
    let global = |info: &Info| info.scope.as_deref() == Some("global");
    let of = |info: Info| Some(Address { address: info.local?, good: !info.deprecated && !info.tentative });
    Ok(ports.into_iter().flat_map(|port| port.addr_info).filter(global).filter_map(of).collect())
}

/// What the firewall on the box takes for the terminals' addresses.
pub fn in_the_set(lab: &Lab) -> Result<String, Wrong> {
    lab.exec("box", &["nft", "list", "set", "inet", "sekisho", "terminal_addresses6"])
}
