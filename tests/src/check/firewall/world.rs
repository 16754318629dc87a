//! A box and what stands around it: its ruleset, what is wanted of it, its ports, its own addresses, and who stands behind
//! which port. Sites are made up at random, as files, and read as every site file is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::now::Now;
use firewall::packet::{Packet, Path};
use firewall::{Intent, Plan};
use model::boot::Setup;
use model::site::prefix::Prefix;
use model::{Profile, Site, Zone};
use serde_json::Value;

use super::bench::Ground;
use super::chance::Chance;
use super::made_up;
use crate::check::Wrong;

/// A box to be tried.
pub(super) struct World {
    pub(super) name: String,
    /// The files it was made of.
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) intent: Intent,
    /// What is loaded.
    pub(super) document: Value,
    /// Every port there is, also such as belong to no zone.
    pub(super) ports: Vec<String>,
    /// The box's own addresses, by port.
    pub(super) own: Vec<(String, Prefix)>,
    /// Who stands behind a port.
    pub(super) behind: Vec<(String, Prefix)>,
}

/// What no site file names; the second one for rulesets that name the first.
pub(super) const STRANGERS: [&str; 2] = ["unplanned0", "unplanned00"];

/// Made of the hardware address that all ports have (RFC 4291 appendix A).
pub(super) const OWN_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);

impl World {
    /// A site made up at random.
    pub(super) fn random(chance: &mut Chance, name: String) -> Result<Self, Wrong> {
        let (profile, site) = (made_up::profile(chance), made_up::site(chance));
        let now = made_up::told(chance);
        Self::of_files(name, site, profile, |site| now(site))
    }

    /// The site whose ruleset is broken and rewritten: that of the firewall's own tests, with two terminals' addresses.
    pub(super) fn sample() -> Result<Self, Wrong> {
        let site = include_str!("../../../../firmware/firewall/tests/data/site.toml");
        let profile = include_str!("../../../../firmware/firewall/tests/data/profile.toml");
        let terminals6 = [2, 0x1002].map(|last| whole(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last)));
        let now = Now { terminals6: terminals6.into(), ..Now::default() };
        Self::of_files("sample".into(), site.into(), profile.into(), |_| now)
    }

    /// The site of these files, with what was told.
    fn of_files(
        name: String,
        site_text: String,
        profile_text: String,
        now: impl FnOnce(&Site) -> Now,
    ) -> Result<Self, Wrong> {
        let profile = Profile::parse("profile.toml", &profile_text);
        let site = Site::parse("site.toml", &site_text, profile).map_err(|errors| {
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Wrong(format!("the site made up is wrong: {}\n{site_text}\n{profile_text}", said.join("; ")))
        })?;
        let now = now(&site);
        let intent = Intent::of(&site, &now);
        let ports =
            Zone::ALL.into_iter().filter_map(|zone| site.interface(zone)).map(str::to_owned).collect();
        let told = format!("{now:?}");
        let files = vec![("site.toml", site_text), ("profile.toml", profile_text), ("told", told)];
        let document = Plan::compile(&site, &now).document();
        let (own, behind) = (own(&site), behind(&site, &intent));
        Ok(Self { name, files, intent, document, ports, own, behind }.with_strangers())
    }

    /// A box before a site is in force.
    pub(super) fn before_a_site(setup: &Setup, lends: bool) -> Self {
        let behind = vec![(setup.port.clone(), setup.address.as_network()), (setup.port.clone(), CLINIC6)];
        Self {
            name: if lends { "carton" } else { "closed" }.to_owned(),
            files: vec![("setup.txt", format!("{} {} lends {lends}", setup.port, setup.address))],
            intent: Intent::before_a_site(Some(setup), lends),
            document: Plan::before_a_site(Some(setup), lends).document(),
            ports: vec![setup.port.clone(), "eth1".into()],
            own: vec![(setup.port.clone(), setup.address)],
            behind: [behind, vec![("eth1".into(), SOMEWHERE4), ("eth1".into(), SOMEWHERE6)]].concat(),
        }
        .with_strangers()
    }

    fn with_strangers(mut self) -> Self {
        for (at, port) in STRANGERS.into_iter().enumerate() {
            let third = 90 + u16::from(at == 1);
            let network4 = Ipv4Addr::new(203, 0, 113, 0).to_bits() + u32::from(at == 1) * 128;
            let network6 = Ipv6Addr::new(0x2001, 0xdb8, third, 0, 0, 0, 0, 0);
            let here = |address: IpAddr, length| (port.to_owned(), Prefix { address, length });
            self.own.push(here(Ipv4Addr::from(network4 + 1).into(), 25));
            self.behind.push(here(Ipv4Addr::from(network4).into(), 25));
            self.behind.push(here(network6.into(), 48));
            self.ports.push(port.to_owned());
        }
        self
    }

    /// What the box's namespace needs for it, and for these packets to go where they are meant to.
    pub(super) fn ground<'p>(&self, packets: impl IntoIterator<Item = &'p Packet>) -> Ground {
        let mut lines = String::new();
        for (port, prefix) in &self.own {
            let nodad = if prefix.address.is_ipv6() { "nodad" } else { "" };
            lines += &format!("address add {}/{} dev {port} {nodad}\n", prefix.address, prefix.length);
        }
        let connected = |prefix: &Prefix| self.own.iter().any(|(_, own)| own.as_network() == *prefix);
        for (port, prefix) in self.behind.iter().filter(|(_, prefix)| !connected(prefix)) {
            let of = self.own.iter().any(|(at, own)| at == port && own.contains(prefix.address));
            if !of || prefix.address.is_ipv6() {
                let _ = writeln!(
                    lines,
                    "route replace {}/{} dev {port} metric 50",
                    prefix.network(),
                    prefix.length
                );
            }
        }
        // Whatever else is sent by a port leaves by it, and what nobody knows leaves by the first.
        for (metric, port) in self.ports.iter().enumerate() {
            let metric = 100 + metric;
            let _ = writeln!(lines, "route add default dev {port} metric {metric}");
            let _ = writeln!(lines, "route add ::/0 dev {port} metric {metric}");
        }
        for (destination, port) in self.ways(packets) {
            let length = if destination.is_ipv4() { 32 } else { 128 };
            let _ = writeln!(lines, "route add {destination}/{length} dev {port} metric 50");
        }
        Ground { ports: self.ports.clone(), lines }
    }

    /// Where the packets go that nobody else knows the way of: the first that goes to an address says by which port. So it
    /// is with a network's own address, too, which no host has: a packet for the inside has to be able to go astray.
    fn ways<'p>(&self, packets: impl IntoIterator<Item = &'p Packet>) -> BTreeMap<IpAddr, String> {
        let mut ways = BTreeMap::new();
        for packet in packets.into_iter().filter(|packet| packet.path == Path::Forward) {
            let destination = packet.destination;
            let alone = match destination {
                IpAddr::V4(address) => {
                    address.is_multicast() || address.is_broadcast() || address.is_unspecified()
                }
                IpAddr::V6(address) => {
                    address.is_multicast() || address.is_unspecified() || address.is_unicast_link_local()
                }
            };
            let own_address = |one: &Prefix| one.length < 31 && one.network() == destination;
            let here =
                |one: &Prefix| one.contains(destination) && !(destination.is_ipv4() && own_address(one));
            let known = || self.own.iter().chain(&self.behind).any(|(_, one)| here(one));
            if !alone && !destination.is_loopback() && !known() {
                ways.entry(destination).or_insert_with(|| packet.to_port.clone());
            }
        }
        ways
    }

    /// The box's addresses of a family at a port, and where everybody on its link hears.
    pub(super) fn own_at(&self, port: &str, ipv4: bool) -> Vec<IpAddr> {
        let at = self.own.iter().filter(|(own, prefix)| own == port && prefix.address.is_ipv4() == ipv4);
        let link: &[IpAddr] = if ipv4 { &[] } else { &[IpAddr::V6(OWN_LINK_LOCAL)] };
        at.map(|(_, prefix)| prefix.address).chain(link.iter().copied()).collect()
    }

    /// Who stands behind a port, of a family.
    pub(super) fn behind(&self, port: &str, ipv4: bool) -> Vec<Prefix> {
        let all = self.behind.iter().filter(|(at, prefix)| at == port && prefix.address.is_ipv4() == ipv4);
        all.map(|(_, prefix)| *prefix).collect()
    }
}

const CLINIC6: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xc1, 0, 0, 0, 0, 0)), length: 48 };
const SOMEWHERE4: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), length: 10 };
const SOMEWHERE6: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 0)), length: 48 };

fn whole(address: impl Into<IpAddr>) -> Prefix {
    let address = address.into();
    Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } }
}

/// The box's own address on the line, of its /64.
pub(super) const LINE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 5);

/// The zones that lead out, each with the second part of the IPv4 addresses it has here.
const OUTSIDE: [(Zone, u8); 4] = [(Zone::Wan, 70), (Zone::Isp, 71), (Zone::Tunnel, 72), (Zone::Cloud, 73)];

/// The box's addresses: those of the site's networks, and some on what leads out.
fn own(site: &Site) -> Vec<(String, Prefix)> {
    let at = |zone: Zone, prefix: Prefix| site.interface(zone).map(|port| (port.to_owned(), prefix));
    let outside = |(zone, second): (Zone, u8)| {
        let address = IpAddr::V4(Ipv4Addr::new(100, second, 0, 5));
        at(zone, Prefix { address, length: 24 })
    };
    let mut own: Vec<(String, Prefix)> = at(Zone::Wan, whole(LINE)).into_iter().collect();
    own.extend(site.networks().into_iter().filter_map(|(zone, network)| at(zone, network)));
    own.extend(site.maintainer.iter().filter_map(|maintainer| at(Zone::Maint, maintainer.address)));
    own.extend(OUTSIDE.into_iter().filter_map(outside));
    own
}

/// Who stands behind which port: who belongs there, who is asked there, and others.
fn behind(site: &Site, intent: &Intent) -> Vec<(String, Prefix)> {
    let mut behind: Vec<(Zone, Prefix)> = Vec::new();
    let lists = intent.belongs.iter().chain(&intent.belongs6);
    behind.extend(lists.flat_map(|(zone, list)| list.iter().map(|prefix| (*zone, *prefix))));
    behind.extend(site.networks().into_iter().map(|(zone, network)| (zone, network.as_network())));
    behind.extend(
        intent.ways.iter().flat_map(|way| way.services.iter().map(|service| (way.to, service.prefix))),
    );
    behind.extend(intent.peers.iter().map(|(zone, service)| (*zone, service.prefix)));
    behind.extend(intent.gateways.iter().map(|(zone, gateway)| (*zone, whole(*gateway))));
    behind.extend([(Zone::Clinic, CLINIC6), (Zone::Wan, SOMEWHERE6)]);
    behind.extend(OUTSIDE.map(|(zone, second)| {
        (zone, Prefix { address: Ipv4Addr::new(100, second, 0, 0).into(), length: 24 })
    }));
    behind.sort_unstable();
    behind.dedup();
    let known = behind.into_iter().filter(|(_, prefix)| prefix.length > 0);
    known.filter_map(|(zone, prefix)| Some((site.interface(zone)?.to_owned(), prefix))).collect()
}
