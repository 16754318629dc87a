//! A site file that was checked, made into a [`Site`].

use std::net::{IpAddr, Ipv4Addr};

use super::walk::Node;
use super::{Consumer, Contact, PagePorts, Place, Port, Site, Terminal, uplink, zones};
use crate::calendar::Calendar;
use crate::kind::Kind;
use crate::opening::Opening;
use crate::party::Party;
use crate::profile::Profile;
use crate::zone::Zone;

pub(super) fn site(root: &Node, profile: Profile, kinds: Vec<Kind>) -> Option<Site> {
    let clinic = root.table("clinic")?;
    Some(Site {
        profile,
        kinds,
        count_outcomes: root
            .table("relay")
            .and_then(|relay| relay.boolean("count-outcomes"))
            .unwrap_or(false),
        smb_2_1: root.table("relay").and_then(|relay| relay.text("smb-2-1")),
        opening: Opening::read(root.table("opening")),
        calendar: Calendar::read(root),
        line: uplink::line(root.table("line")?)?,
        pppoe_through: root.table("line")?.text("pppoe-through"),
        internet: root.table("internet").and_then(uplink::internet),
        clinic: clinic.prefix("address")?,
        clinic_internet: clinic.has("internet"),
        cloud: clinic.table("cloud").map(uplink::cloud),
        clinic_dhcp: clinic.boolean("dhcp").unwrap_or(false),
        clinic_dns: clinic.boolean("dns").unwrap_or(false),
        claims: zones::claims(root),
        printers: zones::printers(root),
        maintainer: root.table("maintainer").and_then(uplink::maintainer),
        update: root.table("update").and_then(uplink::update),
        terminal_dhcp: root.table("terminals")?.boolean("dhcp").unwrap_or(false),
        terminal_zone: root.table("terminals")?.prefix("address")?,
        ports: root.tables("port").iter().filter_map(|node| port(node)).collect(),
        terminals: root.tables("terminal").iter().filter_map(|node| terminal(node)).collect(),
        consumers: consumers(root),
        contacts: root.tables("contact").iter().filter_map(|node| contact(node)).collect(),
        page: page(root),
    })
}

fn port(node: &Node) -> Option<Port> {
    Some(Port { name: node.text("name")?, zone: Zone::from_key(&node.text("zone")?)? })
}

fn terminal(node: &Node) -> Option<Terminal> {
    Some(Terminal {
        name: node.text("name")?,
        address: address(node)?,
        mac: node.text("mac").and_then(|mac| mac.parse().ok()),
        folders: remote(node, "share").or_else(|| local(node))?,
        requests_below: node.text("requests-below"),
        certificate_until: node.text("certificate-until").and_then(|day| day.parse().ok()),
    })
}

pub(super) fn remote(node: &Node, key: &str) -> Option<Place> {
    let unc = node.text(key)?;
    let (host, share) = unc.strip_prefix(r"\\")?.split_once('\\')?;
    let login = node.text("login")?.strip_prefix("secret:")?.to_owned();
    Some(Place::Remote { address: host.parse().ok()?, share: share.to_owned(), login })
}

fn local(node: &Node) -> Option<Place> {
    Some(Place::Local { path: node.text("path")?.into() })
}

pub(super) fn address(node: &Node) -> Option<Ipv4Addr> {
    match node.addresses("address").first()? {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    }
}

fn consumers(root: &Node) -> Vec<Consumer> {
    let consumer = |node: &&Node| {
        let own = || Place::Own { share: own_share(node) };
        let folders = remote(node, "remote").or_else(|| local(node)).unwrap_or_else(own);
        let elsewhere = match &folders {
            Place::Remote { address, .. } => Some(*address),
            Place::Own { .. } | Place::Local { .. } => None,
        };
        let address = address(node).or(elsewhere);
        Some(Consumer { name: node.text("name")?, folders, takes: node.texts("takes"), address })
    };
    root.tables("consumer").iter().filter_map(consumer).collect()
}

/// The share of a consumer that names none.
const OWN_SHARE: &str = "OQS";

pub(super) fn own_share(node: &Node) -> String {
    node.text("share").unwrap_or_else(|| OWN_SHARE.to_owned())
}

fn contact(node: &Node) -> Option<Contact> {
    Some(Contact {
        party: Party::from_key(&node.text("party")?)?,
        name: node.text("name")?,
        phone: node.text("phone")?,
    })
}

pub(super) fn page(root: &Node) -> PagePorts {
    let port = |key: &str, default: u16| {
        let number = root.table("page").and_then(|page| page.integer(key));
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(default)
    };
    PagePorts { http: port("http", 80), https: port("https", 443) }
}
