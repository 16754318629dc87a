//! The zones a site has beside clinic and terminals, each with a port, a network and its hosts.

use std::net::{IpAddr, Ipv4Addr};

use super::prefix::Prefix;
use super::walk::Node;
use super::{Site, read};
use crate::zone::Zone;

/// Hosts that send the claims: they leave by the line as terminals do, and have the clinic's shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The box's own address in this zone.
    pub address: Prefix,
    /// The hosts.
    pub hosts: Vec<Host>,
}

/// A host, by name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name here.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
}

/// Printers that clinic and terminals share. They open nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printers {
    /// The box's own address in this zone.
    pub address: Prefix,
    /// The printers.
    pub printers: Vec<Printer>,
}

/// A printer and the TCP ports it prints by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printer {
    /// Its name here.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its TCP ports.
    pub tcp: Vec<u16>,
}

/// The addresses of a network that are lent to whoever asks: its upper half. What has an address of its own stands in the
/// lower one, whether or not anybody told the box of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    /// Number of the first in its network.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// The most that are lent: a clinic has tens of computers.
const MOST: u32 = 1024;

impl Lent {
    /// Those of a network; none if it is no IPv4 network with room for two machines.
    pub fn of(network: Prefix) -> Option<Self> {
        let bits = 32_u32.checked_sub(u32::from(network.length)).filter(|bits| (2..=24).contains(bits))?;
        let half = 1 << (bits - 1);
        network.address.is_ipv4().then_some(Self { first: half, count: (half - 1).min(MOST) })
    }

    /// Whether an address of that network is lent.
    pub fn holds(self, network: Prefix, address: Ipv4Addr) -> bool {
        let IpAddr::V4(begin) = network.network() else { return false };
        let number = u32::from(address).wrapping_sub(u32::from(begin));
        (self.first..self.first + self.count).contains(&number)
    }
}

impl Site {
    /// What the clinic's computers are lent, if they are.
    pub fn lent(&self) -> Option<Lent> {
        Lent::of(self.clinic).filter(|_| self.clinic_dhcp)
    }

    /// The zones with a network inside, and the box's own address in each.
    pub fn networks(&self) -> Vec<(Zone, Prefix)> {
        let mut networks = vec![(Zone::Clinic, self.clinic), (Zone::Terminal, self.terminal_zone)];
        networks.extend(self.claims.as_ref().map(|claims| (Zone::Claims, claims.address)));
        networks.extend(self.printers.as_ref().map(|printers| (Zone::Printer, printers.address)));
        networks
    }

    /// The zone inside in which a host with this address stands.
    pub fn zone_of(&self, host: Ipv4Addr) -> Option<Zone> {
        let mut networks = self.networks().into_iter();
        networks.find(|(_, network)| network.is_machine(host)).map(|(zone, _)| zone)
    }

    /// The printers, none if the site has no zone for them.
    pub fn printers(&self) -> &[Printer] {
        self.printers.as_ref().map_or(&[], |printers| &printers.printers)
    }

    /// The claims hosts, none if the site has no zone for them.
    pub fn claims_hosts(&self) -> &[Host] {
        self.claims.as_ref().map_or(&[], |claims| &claims.hosts)
    }
}

pub(super) fn claims(root: &Node) -> Option<Claims> {
    let address = root.table("claims")?.prefix("address")?;
    let host = |node: &&Node| Some(Host { name: node.text("name")?, address: read::address(node)? });
    Some(Claims { address, hosts: root.tables("claims-host").iter().filter_map(host).collect() })
}

pub(super) fn printers(root: &Node) -> Option<Printers> {
    let address = root.table("printers")?.prefix("address")?;
    let printer = |node: &&Node| {
        let tcp = node.integers("tcp").into_iter().filter_map(|port| u16::try_from(port).ok()).collect();
        Some(Printer { name: node.text("name")?, address: read::address(node)?, tcp })
    };
    Some(Printers { address, printers: root.tables("printer").iter().filter_map(printer).collect() })
}
