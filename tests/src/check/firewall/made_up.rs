//! Site files and profiles made up at random: networks and their lengths, names of ports, terminals, consumers, the page's
//! ports, every kind of line, and every zone a site may have.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::now::{Consent, Now};
use model::Site;
use model::site::prefix::Prefix;

use super::chance::Chance;
use super::world::LINE;

/// Names of ports that a board may have.
const NAMES: [&str; 10] =
    ["wan0", "term0", "lan0", "eth0", "eth1", "enp1s0", "lan-b", "p2.7", "isp0", "port5"];

/// A site file.
pub(super) fn site(chance: &mut Chance) -> String {
    let mut names = NAMES;
    chance.shuffle(&mut names);
    let mut names = names.into_iter();
    let mut text = "version = 1\nprofile = \"./profile.toml\"\n".to_owned();
    text += *chance.of(&[
        "[line]\nkind = \"ra\"\n",
        "[line]\nkind = \"ra\"\n",
        "[line]\nkind = \"pd\"\n",
        "[line]\nkind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:line\"\n",
        "[line]\nkind = \"ipsec\"\n[line.ipsec]\ngateways = [\"100.70.0.90\"]\n",
    ]);
    let clinic = Network::of(chance, Ipv4Addr::new(172, 16, 0, 0));
    let terminals = Network::of(chance, Ipv4Addr::new(10, 20, 0, 0));
    let _ = writeln!(
        text,
        "[clinic]\naddress = \"{}\"\n[terminals]\naddress = \"{}\"",
        clinic.own(),
        terminals.own()
    );
    let mut port = |zone: &str| {
        let name = names.next().unwrap_or("spare0");
        format!("[[port]]\nname = \"{name}\"\nzone = \"{zone}\"\n")
    };
    for zone in ["wan", "terminal", "clinic"] {
        text += &port(zone);
    }
    text += &with_terminals(chance, terminals);
    text += &with_consumers(chance, clinic);
    if chance.once_in(2) {
        let (http, https) = (chance.between(1024, 20_000), chance.between(20_001, 65_535));
        let _ = writeln!(text, "[page]\nhttp = {http}\nhttps = {https}");
    }
    if chance.once_in(3) {
        text += &port("claims");
        text += "[claims]\naddress = \"10.1.0.1/24\"\n";
        text += "[[claims-host]]\nname = \"c1\"\naddress = \"10.1.0.2\"\n[[claims-host]]\nname = \"c2\"\naddress = \"10.1.0.77\"\n";
    }
    if chance.once_in(3) {
        text += &port("printer");
        text += "[printers]\naddress = \"10.2.0.1/24\"\n[[printer]]\nname = \"p1\"\naddress = \"10.2.0.9\"\ntcp = [515, 631, 9100]\n";
    }
    if !chance.once_in(3) {
        text += &with_internet(chance, &mut port);
    }
    text
}

fn with_internet(chance: &mut Chance, port: &mut impl FnMut(&str) -> String) -> String {
    let mut text = String::new();
    let session = chance.once_in(3);
    if !session {
        text += &port("isp");
    }
    let kind = if session { "pppoe" } else { "dhcp" };
    let _ = writeln!(text, "[internet]\nkind = \"{kind}\"\nresolvers = [\"100.71.0.130\"]");
    if chance.once_in(2) {
        text += "[clinic.internet]\n";
    }
    if chance.once_in(2) {
        text += "[clinic.cloud]\ngateways = [\"100.71.0.200\"]\nnetworks = [\"10.40.0.0/16\", \"10.50.0.0/20\"]\n";
    }
    if chance.once_in(2) {
        text += "[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"100.71.0.222\"]\nuplink = \"internet\"\n";
    }
    if chance.once_in(2) {
        text += "[update]\nservers = [\"100.71.0.240/28\"]\nuplink = \"internet\"\n";
    }
    text
}

/// A network of a zone, and the box's place in it.
#[derive(Clone, Copy)]
struct Network {
    base: u32,
    size: u32,
    length: u32,
    own: u32,
}

impl Network {
    fn of(chance: &mut Chance, first: Ipv4Addr) -> Self {
        let length = short(chance.between(20, 29));
        let size = 1_u32 << (32 - length);
        let base = u32::from(first) + short(chance.upto(u128::from((1_u32 << 16) / size) - 1)) * size;
        Self { base, size, length, own: short(chance.between(1, u128::from(size) - 2)) }
    }

    fn own(self) -> String {
        format!("{}/{}", Ipv4Addr::from(self.base + self.own), self.length)
    }

    /// Some hosts of it, each once.
    fn hosts(self, chance: &mut Chance, least: usize, most: usize) -> Vec<Ipv4Addr> {
        let count = least + chance.below(most - least + 1);
        let mut taken = vec![self.own];
        while taken.len() <= count && taken.len() < self.size as usize - 2 {
            let host = short(chance.between(1, u128::from(self.size) - 2));
            if !taken.contains(&host) {
                taken.push(host);
            }
        }
        taken.into_iter().skip(1).map(|host| Ipv4Addr::from(self.base + host)).collect()
    }
}

fn short(number: u128) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn with_terminals(chance: &mut Chance, network: Network) -> String {
    let mut text = String::new();
    for (at, host) in network.hosts(chance, 1, 4).into_iter().enumerate() {
        let _ = writeln!(
            text,
            "[[terminal]]\nname = \"t{at}\"\naddress = \"{host}\"\nshare = '\\\\{host}\\OQS'\nlogin = \"secret:t{at}\""
        );
        if at > 0 {
            let _ = writeln!(text, "requests-below = \"t{at}\"");
        }
    }
    text
}

fn with_consumers(chance: &mut Chance, network: Network) -> String {
    let mut text = "[[consumer]]\nname = \"receipt\"\n".to_owned();
    for (at, host) in network.hosts(chance, 0, 2).into_iter().enumerate() {
        let _ = writeln!(
            text,
            "[[consumer]]\nname = \"far{at}\"\nremote = '\\\\{host}\\onshi'\nlogin = \"secret:far{at}\""
        );
    }
    text
}

/// What is told to a box at work: addresses of its terminals, sometimes an open maintenance.
pub(super) fn told(chance: &mut Chance) -> impl FnOnce(&Site) -> Now {
    let mut address = || {
        let address = Ipv6Addr::from(u128::from(LINE) & !0xffff | chance.between(0x100, 0xfffe));
        Prefix { address: IpAddr::V6(address), length: 128 }
    };
    let (terminals6, claims6) = (vec![address(), address()], vec![address()]);
    let open = chance.once_in(2);
    move |site| {
        let claims6 = if site.claims.is_some() { claims6 } else { Vec::new() };
        let consent = (open && site.maintainer.is_some()).then(Consent::default);
        Now { terminals6, claims6, consent, ..Now::default() }
    }
}

/// A profile.
pub(super) fn profile(chance: &mut Chance) -> String {
    let closed =
        |last: u128| Ipv6Addr::from(u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0xcc, 0, 0, 0, 0, 0)) | last);
    let mut prefix = |least: u128, most: u128| {
        let (length, size) = (chance.between(least, most), chance.below(70));
        let bits = chance.upto((1 << 80) - 1) >> size;
        let length = u8::try_from(length).unwrap_or_default();
        Prefix { address: closed(bits).into(), length }.as_network()
    };
    let mut expected: Vec<String> = (0..2).map(|_| prefix(49, 64).to_string()).collect();
    let mut destinations: Vec<String> = (0..12).map(|_| prefix(50, 128).to_string()).collect();
    expected.push("100.70.0.0/25".into());
    destinations.extend(["100.70.0.64/26", "100.70.0.70/32", "100.70.0.128/30"].map(str::to_owned));
    chance.shuffle(&mut destinations);
    let resolvers = [1, 2].map(|last| closed(0x53_0000_0000_0000_0000 | last));
    let list = |all: &[String]| all.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
    let mut text = "version = 1\nname = \"random\"\ntime = \"ntp.test\"\n".to_owned();
    let _ = writeln!(text, "resolvers = [\"{}\", \"{}\"]", resolvers[0], resolvers[1]);
    let _ = writeln!(
        text,
        "resolvers-ipv4 = [\"100.70.0.53\", \"100.70.0.54\"]\nexpected = [{}]",
        list(&expected)
    );
    for (name, usual) in [("line-auth", 443), ("distribution", 80), ("centre", 443)] {
        let port = if chance.once_in(2) { usual } else { chance.port() };
        let _ = writeln!(text, "[{name}]\nname = \"{name}.test\"\nport = {port}");
    }
    let count = chance.between(5, destinations.len() as u128) as usize;
    for prefix in &destinations[..count] {
        let _ = writeln!(
            text,
            "[[destination]]\nprefix = \"{prefix}\"\ntcp = {}\nudp = {}",
            ports(chance, 3),
            ports(chance, 2)
        );
    }
    text + "[[kind]]\nkey = \"eligibility-request\"\ndirection = \"request\"\nfolder = \"req\"\nprefix = \"OQSsiquc01req_\"\nextensions = [\"xml\"]\nmax-bytes = 1000000\ntime-to-live-s = 600\n"
}

fn ports(chance: &mut Chance, most: usize) -> String {
    let mut list: Vec<u16> = (0..=chance.below(most)).map(|_| chance.port()).collect();
    list.sort_unstable();
    list.dedup();
    format!("{list:?}")
}
