//! A box and what stands around it: its ruleset, what is wanted of it, its ports, its own addresses, and who stands behind
//! which port. Sites are made up at random, as files, and read as every site file is.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::now::Now;
use firewall::{Intent, Plan};
use model::boot::Setup;
use model::profile::Where;
use model::site::prefix::Prefix;
use model::{Profile, Site, Zone};
use serde_json::Value;

use super::bench::Ground;
use super::chance::Chance;
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
    /// Who stands behind a port; the most usual first.
    pub(super) behind: Vec<(String, Prefix)>,
}

/// What no site file names; the second one for rulesets that name the first.
pub(super) const STRANGERS: [&str; 2] = ["unplanned0", "unplanned00"];

/// Made of the hardware address that all ports have (RFC 4291 appendix A).
pub(super) const OWN_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);

impl World {
    /// A site made up at random.
    pub(super) fn random(chance: &mut Chance, name: String) -> Result<Self, Wrong> {
        let profile = profile_text(chance);
        let (site, wan) = site_text(chance);
        Self::of_files(name, site, profile, wan, terminals6(chance))
    }

    /// The site whose ruleset is broken and rewritten: that of the firewall's own tests, with two terminals' addresses.
    pub(super) fn sample() -> Result<Self, Wrong> {
        let site = include_str!("../../../../firmware/firewall/tests/data/site.toml");
        let profile = include_str!("../../../../firmware/firewall/tests/data/profile.toml");
        let terminals6 = [2, 0x1002].map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
        Self::of_files("sample".into(), site.into(), profile.into(), LINE, terminals6.into())
    }

    /// A site of these files. The line has the /64 of `wan`, and the terminals have got these addresses of it.
    pub(super) fn of_files(
        name: String,
        site_text: String,
        profile_text: String,
        wan: Ipv6Addr,
        terminals6: Vec<Ipv6Addr>,
    ) -> Result<Self, Wrong> {
        let profile = Profile::parse("profile.toml", &profile_text);
        let site = Site::parse("site.toml", &site_text, profile).map_err(|errors| {
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Wrong(format!("the site made up is wrong: {}\n{site_text}\n{profile_text}", said.join("; ")))
        })?;
        let [on_line, among_terminals, in_clinic] =
            [Zone::Wan, Zone::Terminal, Zone::Clinic].map(|zone| site.port(zone).to_owned());
        let own = vec![
            (on_line.clone(), whole(wan)),
            (among_terminals.clone(), site.terminal_zone),
            (in_clinic.clone(), site.clinic),
        ];
        let mut behind = vec![(in_clinic.clone(), site.clinic.as_network()), (in_clinic, CLINIC6)];
        let terminals = site.terminals.iter().map(|terminal| whole(terminal.address));
        behind.extend(
            terminals.chain([site.terminal_zone.as_network()]).map(|one| (among_terminals.clone(), one)),
        );
        behind.extend(terminals6.iter().map(|address| (among_terminals.clone(), whole(*address))));
        let profile = &site.profile;
        let listed = profile.destinations.iter().filter_map(|destination| match &destination.to {
            Where::Prefix(prefix) => Some(*prefix),
            Where::Name(_) | Where::Suffix(_) => None,
        });
        let asked =
            profile.resolvers.iter().map(|address| whole(*address)).chain(profile.expected.iter().copied());
        behind.extend(listed.chain(asked).chain([SOMEWHERE4, SOMEWHERE6]).map(|one| (on_line.clone(), one)));
        let ports = site.ports.iter().map(|port| port.name.clone()).collect();
        let files = vec![("site.toml", site_text), ("profile.toml", profile_text)];
        let now = Now { terminals6: terminals6.iter().copied().map(whole).collect(), ..Now::default() };
        let document = Plan::compile(&site, &now).document();
        let intent = Intent::of(&site, &now);
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

    /// What the box's namespace needs for it.
    pub(super) fn ground(&self) -> Ground {
        let mut lines = String::new();
        for (port, prefix) in &self.own {
            let nodad = if prefix.address.is_ipv6() { "nodad" } else { "" };
            lines += &format!("address add {}/{} dev {port} {nodad}\n", prefix.address, prefix.length);
        }
        let connected = |prefix: &Prefix| self.own.iter().any(|(_, own)| own.as_network() == *prefix);
        for (port, prefix) in self.behind.iter().filter(|(_, prefix)| !connected(prefix)) {
            let of = self.own.iter().any(|(_, own)| own.contains(prefix.address));
            if !of || prefix.address.is_ipv6() {
                let _ = writeln!(lines, "route replace {}/{} dev {port}", prefix.network(), prefix.length);
            }
        }
        // Whatever else is sent by a port leaves by it, and what nobody knows leaves by the first.
        for (metric, port) in self.ports.iter().enumerate() {
            let metric = 100 + metric;
            let _ = writeln!(lines, "route add default dev {port} metric {metric}");
            let _ = writeln!(lines, "route add ::/0 dev {port} metric {metric}");
        }
        Ground { ports: self.ports.clone(), lines }
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

/// The /64 of the line, and the box's own address in it.
const LINE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 5);

fn terminals6(chance: &mut Chance) -> Vec<Ipv6Addr> {
    let count = chance.below(3) + 1;
    (0..count).map(|_| Ipv6Addr::from(u128::from(LINE) & !0xffff | chance.between(0x100, 0xfffe))).collect()
}

/// Names of ports that a board may have; no name is the beginning of a rule's word.
const NAMES: [&str; 8] = ["wan0", "term0", "lan0", "eth0", "eth1", "enp1s0", "lan-b", "p2.7"];

fn site_text(chance: &mut Chance) -> (String, Ipv6Addr) {
    let mut names = NAMES;
    chance.shuffle(&mut names);
    let mut text = "version = 1\nprofile = \"./profile.toml\"\n[line]\nkind = \"ra\"\n".to_owned();
    let mut network = |first: u32, least: u128, most: u128| {
        let length = chance.between(least, most) as u32;
        let size = 1_u32 << (32 - length);
        let base = first
            + (chance.upto(u128::from((1_u32 << 16) / size.min(1 << 16)).saturating_sub(1)) as u32) * size;
        (base, size, length, chance.between(1, u128::from(size) - 2) as u32)
    };
    let (clinic, size, length, own) = network(u32::from(Ipv4Addr::new(172, 16, 0, 0)), 20, 29);
    let (terminals, room, zone, among) = network(u32::from(Ipv4Addr::new(10, 20, 0, 0)), 20, 29);
    let address = |base: u32, host: u32| Ipv4Addr::from(base + host);
    let _ = writeln!(text, "[clinic]\naddress = \"{}/{length}\"", address(clinic, own));
    let _ = writeln!(text, "[terminals]\naddress = \"{}/{zone}\"", address(terminals, among));
    for (name, zone) in names.iter().zip(["wan", "terminal", "clinic"]) {
        let _ = writeln!(text, "[[port]]\nname = \"{name}\"\nzone = \"{zone}\"");
    }
    let mut taken = vec![among];
    for at in 0..=chance.below(4) {
        let host = chance.between(1, u128::from(room) - 2) as u32;
        if at > 0 && taken.contains(&host) || taken.len() as u32 > room - 3 {
            continue;
        }
        let host =
            (1..room - 1).cycle().skip(host as usize).find(|host| !taken.contains(host)).unwrap_or(host);
        taken.push(host);
        let host = address(terminals, host);
        let _ = writeln!(
            text,
            "[[terminal]]\nname = \"t{at}\"\naddress = \"{host}\"\nshare = '\\\\{host}\\OQS'\nlogin = \"secret:t{at}\""
        );
        if at > 0 {
            let _ = writeln!(text, "requests-below = \"t{at}\"");
        }
    }
    let _ = writeln!(text, "[[consumer]]\nname = \"receipt\"");
    let mut taken = vec![own];
    for at in 0..chance.below(3) {
        let host = chance.between(1, u128::from(size) - 2) as u32;
        if !taken.contains(&host) {
            taken.push(host);
            let host = address(clinic, host);
            let _ = writeln!(
                text,
                "[[consumer]]\nname = \"far{at}\"\nremote = '\\\\{host}\\onshi'\nlogin = \"secret:far{at}\""
            );
        }
    }
    if chance.once_in(2) {
        let (http, https) = (chance.between(1024, 20_000), chance.between(20_001, 65_535));
        let _ = writeln!(text, "[page]\nhttp = {http}\nhttps = {https}");
    }
    (text, LINE)
}

fn profile_text(chance: &mut Chance) -> String {
    let closed =
        |last: u128| Ipv6Addr::from(u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0xcc, 0, 0, 0, 0, 0)) | last);
    let mut prefix = |least: u128, most: u128| {
        let length = chance.between(least, most);
        let bits = chance.upto((1 << 80) - 1) >> chance.below(70);
        Prefix { address: closed(bits).into(), length: length as u8 }.as_network()
    };
    let expected: Vec<Prefix> = (0..2).map(|_| prefix(49, 64)).collect();
    let destinations: Vec<Prefix> = (0..12).map(|_| prefix(50, 128)).collect();
    let resolvers = [1, 2].map(|last| closed(0x53_0000_0000_0000_0000 | last));
    let list =
        |prefixes: &[Prefix]| prefixes.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
    let mut text = "version = 1\nname = \"random\"\ntime = \"ntp.test\"\n".to_owned();
    let _ = writeln!(
        text,
        "resolvers = [\"{}\", \"{}\"]\nexpected = [{}]",
        resolvers[0],
        resolvers[1],
        list(&expected)
    );
    for (name, usual) in [("line-auth", 443), ("distribution", 80), ("centre", 443)] {
        let port = if chance.once_in(2) { usual } else { chance.port() };
        let _ = writeln!(text, "[{name}]\nname = \"{name}.test\"\nport = {port}");
    }
    let count = chance.below(destinations.len()) + 1;
    for prefix in &destinations[..count] {
        let mut ports = |most: usize| {
            let mut list: Vec<u16> = (0..=chance.below(most)).map(|_| chance.port()).collect();
            list.sort_unstable();
            list.dedup();
            format!("{list:?}")
        };
        let _ =
            writeln!(text, "[[destination]]\nprefix = \"{prefix}\"\ntcp = {}\nudp = {}", ports(3), ports(2));
    }
    text + "[[kind]]\nkey = \"eligibility-request\"\ndirection = \"request\"\nfolder = \"req\"\nprefix = \"OQSsiquc01req_\"\nextensions = [\"xml\"]\nmax-bytes = 1000000\ntime-to-live-s = 600\n"
}
