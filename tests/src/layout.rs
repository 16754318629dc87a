//! What the line is and how the box hangs on it, as a value: which hosts a clinic has, its wires, its addresses, and what its
//! kernels are told. Pure. Another line or wiring is added here, and nowhere else.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::plan::Host;

/// The kind of line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// A /64 by router advertisement
    #[default]
    Ra,
    /// A delegated prefix by DHCPv6
    Pd,
    /// An IPsec tunnel to the provider
    Ipsec,
}

/// How the box is wired to the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Wiring {
    /// A line of its own
    #[default]
    New,
    /// Beside the home gateway, on one hub
    Shared,
    /// Behind the home gateway
    Behind,
}

/// What there is beside the closed network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Uplink {
    /// Nothing: what leaves, leaves inside the carrier's closed network
    #[default]
    Closed,
    /// An internet line at a port of its own, with an address by DHCP
    Isp,
    /// The same for the receipt computer's cloud alone: another router has the clinic's internet
    Cloud,
}

impl Line {
    /// The word for it, which is the site file's too.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ra => "ra",
            Self::Pd => "pd",
            Self::Ipsec => "ipsec",
        }
    }
}

impl Wiring {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Shared => "shared",
            Self::Behind => "behind",
        }
    }
}

impl Uplink {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Isp => "isp",
            Self::Cloud => "cloud",
        }
    }
}

/// A wire: a host's port, and the other end.
pub type Wire = (Host, &'static str, Host, &'static str);

/// The layout of a clinic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The line.
    pub line: Line,
    /// The wiring.
    pub wiring: Wiring,
    /// What there is beside the line.
    pub uplink: Uplink,
}

/// The far end of the line's cable. It is a port of the bridge `w0`, which has the addresses of who is there ([`Layout::near`]),
/// so that a wire with habits can be put between while the cable stays in.
pub const LINE: &str = "x0";

/// A bridge that hands everything on and says nothing itself.
const HUB: &str = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0";

/// The box's card on the line where somebody has a route to it: its link-local address is then [`BOX_ROUTE`].
const BOX_CARD: &str = "02:00:00:00:00:02";
/// fe80::/64 and the modified EUI-64 of [`BOX_CARD`].
const BOX_ROUTE: &str = "fe80::ff:fe00:2";

impl Layout {
    /// The layout of a line and a wiring.
    ///
    /// # Errors
    /// Why there is no such pair in the field, or not yet here.
    pub fn of(line: Line, wiring: Wiring) -> Result<Self, Error> {
        match (line, wiring) {
            (Line::Pd, Wiring::Shared) => Err(Error::Usage(
                "wire a line with delegation beside the home gateway: there the gateway holds the only delegation \
                 (`--wiring behind` gets a part of it)"
                    .into(),
            )),
            _ => Ok(Self { line, wiring, ..Self::default() }),
        }
    }

    /// The same with this beside the line.
    #[must_use]
    pub const fn beside(self, uplink: Uplink) -> Self {
        Self { uplink, ..self }
    }

    /// Whether the line is the clinic's own internet line in IPv4: the box has its address by DHCP from the home gateway, which
    /// does NAT. Beside the home gateway there is no second IPv4 address to be had; there, and on a line of its own, the box
    /// calls its provider over IPv6.
    pub const fn is_lent(self) -> bool {
        matches!((self.line, self.wiring), (Line::Ipsec, Wiring::Behind))
    }

    /// Whether somebody on the line advertises himself as its router.
    pub const fn advertises(self) -> bool {
        !self.is_lent()
    }

    /// The address of the provider's gateway.
    pub const fn gateway(self) -> &'static str {
        if self.is_lent() { "203.0.113.190" } else { "2001:db8:0:9::9" }
    }

    /// Whether there is an internet line.
    pub const fn has_internet(self) -> bool {
        matches!(self.uplink, Uplink::Isp | Uplink::Cloud)
    }

    /// Whether the receipt computer's cloud is there, which is reached by it. On a line by IPsec it is left out: two of the lab's
    /// charons in one box would each make a TUN of one name.
    pub const fn has_cloud(self) -> bool {
        self.has_internet() && !matches!(self.line, Line::Ipsec)
    }

    /// The ports of the box that networkd holds here. In a line by advertisement the kernel's own client does the same work, and
    /// the lab's faults speak to that.
    pub fn held(self) -> Vec<&'static str> {
        match (self.line, self.has_internet()) {
            (Line::Pd, true) => vec!["wan0", "term0", "lan0", INTERNET],
            (Line::Pd, false) => vec!["wan0", "term0", "lan0"],
            (Line::Ra | Line::Ipsec, true) => vec!["term0", "lan0", INTERNET],
            (Line::Ipsec, false) if self.is_lent() => vec!["wan0"],
            (Line::Ra | Line::Ipsec, false) => Vec::new(),
        }
    }

    /// The hosts that this clinic has, the box among them.
    pub fn hosts(self) -> Vec<Host> {
        let line: &[Host] = if self.line == Line::Ipsec { &[Host::Isp, Host::Ipsec] } else { &[Host::Ngn] };
        let isp: &[Host] = if self.has_internet() && self.line != Line::Ipsec { &[Host::Isp] } else { &[] };
        let cloud: &[Host] = if self.has_cloud() { &[Host::Cloud] } else { &[] };
        [line, isp, cloud, &[Host::Centre, Host::Box, Host::Terminal, Host::Clinic, Host::Home]].concat()
    }

    /// At whose bridge the box's cable ends.
    pub const fn near(self) -> Host {
        match self.wiring {
            Wiring::New | Wiring::Shared => self.router(),
            Wiring::Behind => Host::Home,
        }
    }

    /// The line's own router, which advertises itself.
    pub const fn router(self) -> Host {
        if matches!(self.line, Line::Ipsec) { Host::Isp } else { Host::Ngn }
    }

    /// Where the resolvers are, and with them the way to the centre.
    pub const fn resolvers(self) -> Host {
        if matches!(self.line, Line::Ipsec) { Host::Ipsec } else { Host::Ngn }
    }

    /// The address of one of the centre's hosts, or another that the resolvers tell of. Inside a tunnel there is IPv4 only.
    pub fn of_the_centre(self, host: &str) -> String {
        if self.line == Line::Ipsec { format!("203.0.113.{host}") } else { format!("2001:db8:0:cc::{host}") }
    }

    /// The resolvers' addresses.
    pub const fn resolver_addresses(self) -> [&'static str; 2] {
        match self.line {
            Line::Ipsec => ["203.0.113.65", "203.0.113.66"],
            Line::Ra | Line::Pd => ["2001:db8:0:53::1", "2001:db8:0:53::2"],
        }
    }

    /// Who hands prefixes on to the box.
    pub fn delegates(self) -> Option<Host> {
        (self.line == Line::Pd).then(|| self.near())
    }

    /// How the addresses begin that the box gets on the line, before a renumbering and after it.
    pub fn gives(self, renumbered: bool) -> &'static str {
        let [own, other] = match (self.line, self.wiring) {
            (Line::Pd, Wiring::Behind) => ["2001:db8:100:8", "2001:db8:100:c"],
            (Line::Pd, _) => ["2001:db8:100:", "2001:db8:200:"],
            (Line::Ipsec, Wiring::Behind) => ["203.0.113.22", "203.0.113.24"],
            _ => ["2001:db8:0:1:", "2001:db8:0:2:"],
        };
        if renumbered { other } else { own }
    }

    /// Whether the home gateway is part of the wiring; otherwise it stands on the line only while a fault puts it there.
    pub const fn has_home(self) -> bool {
        matches!(self.wiring, Wiring::Shared | Wiring::Behind)
    }

    /// The wires, the box's first, by the order of its ports.
    pub fn wires(self) -> Vec<Wire> {
        let mut wires = vec![
            (Host::Box, "wan0", self.near(), LINE),
            (Host::Box, "term0", Host::Terminal, "e0"),
            (Host::Box, "lan0", Host::Clinic, "e0"),
        ];
        if self.has_internet() {
            wires.push((Host::Box, INTERNET, Host::Isp, "i0"));
        }
        if self.has_cloud() {
            wires.push((Host::Isp, "h0", Host::Cloud, "n0"));
        }
        wires.push((self.resolvers(), "c0", Host::Centre, "n0"));
        if self.line == Line::Ipsec {
            wires.push((Host::Isp, "g0", Host::Ipsec, "n0"));
        }
        match self.wiring {
            Wiring::New => {}
            Wiring::Shared => wires.push((Host::Home, "up0", self.router(), "x1")),
            Wiring::Behind => wires.push((Host::Home, "up0", self.router(), LINE)),
        }
        wires
    }

    /// What a host's port has for a card, where that is known beforehand.
    pub fn card(self, host: Host, port: &str) -> Option<&'static str> {
        (self.line == Line::Pd && host == Host::Box && port == "wan0").then_some(BOX_CARD)
    }

    /// `ip` commands that make the bridges of a host, once, when its wires are laid.
    pub fn bridges(self, host: Host) -> String {
        let bridge = |card: &str, ports: &[&str]| {
            let ports = ports.iter().map(|port| format!("link set dev {port} master w0\n"));
            format!("link add dev w0 address {card} {HUB}\n{}", ports.collect::<String>())
        };
        // Who hands prefixes on opens no socket on a bridge without carrier: one end of a wire to nowhere is always up.
        let lit = if self.delegates() == Some(host) {
            ["k0", "k1"]
                .map(|port| format!("link set dev {port} addrgenmode none\nlink set dev {port} up\n"))
                .concat()
        } else {
            String::new()
        };
        let own = self.own_bridge(host, bridge);
        if lit.is_empty() {
            own
        } else {
            format!("{own}link add dev k0 type veth peer name k1\nlink set dev k0 master w0\n{lit}")
        }
    }

    fn own_bridge(self, host: Host, bridge: impl Fn(&str, &[&str]) -> String) -> String {
        match (host, self.wiring, self.line) {
            (Host::Ngn | Host::Isp, Wiring::New | Wiring::Behind, _) if host == self.router() => {
                bridge("02:00:00:00:00:01", &[LINE])
            }
            (Host::Ngn | Host::Isp, Wiring::Shared, _) if host == self.router() => {
                bridge("02:00:00:00:00:01", &[LINE, "x1"])
            }
            (Host::Home, Wiring::Behind, Line::Pd | Line::Ipsec) => bridge("02:00:00:00:00:03", &[LINE]),
            // Without a telephone contract the gateway lets IPv6 through as it is.
            (Host::Home, Wiring::Behind, _) => bridge("02:00:00:00:00:03", &[LINE, "up0"]),
            _ => String::new(),
        }
    }

    /// What a host's kernel is told when its ports exist: path below `/proc/sys/net` and value.
    pub const fn settings(self, host: Host) -> &'static [(&'static str, &'static str)] {
        match (host, self.line) {
            // A router that still listens to its own router (RFC 4861, 6.2.7), and asks for it at once.
            (Host::Ipsec, _) => &[("ipv4/ip_forward", "1")],
            // What of IPv6 is heard there is then the box's.
            (Host::Home, Line::Ipsec) if self.is_lent() => &[
                ("ipv4/ip_forward", "1"),
                ("ipv6/conf/all/disable_ipv6", "1"),
                ("ipv6/conf/default/disable_ipv6", "1"),
            ],
            (Host::Box, Line::Ipsec) if self.is_lent() => &[],
            (Host::Box, Line::Ra | Line::Ipsec) => {
                &[("ipv6/conf/wan0/accept_ra", "2"), ("ipv6/conf/wan0/router_solicitation_delay", "0")]
            }
            // IPv6 from the line, with addresses of its own choice and no way round the box.
            (Host::Terminal, Line::Ra | Line::Pd) => &[
                ("ipv6/conf/e0/accept_ra", "1"),
                ("ipv6/conf/e0/use_tempaddr", "2"),
                ("ipv6/conf/e0/router_solicitation_delay", "0"),
                ("ipv6/conf/e0/disable_ipv6", "0"),
            ],
            // Another household's host on the same line.
            (Host::Home, _) if matches!(self.wiring, Wiring::Shared) => &[("ipv6/conf/up0/accept_ra", "2")],
            _ => &[],
        }
    }

    /// `ip` commands that lay a host's addresses; they may run again after a link was down.
    pub fn addresses(self, host: Host) -> String {
        match host {
            Host::Ngn => self.of_ngn(),
            Host::Centre if self.line == Line::Ipsec => CENTRE_INSIDE.into(),
            Host::Centre => CENTRE.into(),
            Host::Box if self.has_internet() => format!("{BOX}link set dev {INTERNET} up\n"),
            Host::Box => BOX.into(),
            Host::Terminal if self.line == Line::Ipsec => {
                "link set dev e0 up\naddress replace 192.0.2.2/24 dev e0\nroute replace default via 192.0.2.1\n"
                    .into()
            }
            Host::Terminal => "link set dev e0 up\naddress replace 192.0.2.2/24 dev e0\n".into(),
            Host::Clinic => "link set dev e0 up\naddress replace 198.51.100.10/24 dev e0\n".into(),
            Host::Home => self.of_home(),
            Host::Isp => self.of_isp(),
            Host::Ipsec => GATEWAY.into(),
            Host::Cloud => CLOUD.into(),
            Host::Maint => String::new(),
        }
    }

    /// Only fe80::1 may be the router's link-local address: no second one by EUI-64.
    fn of_ngn(self) -> String {
        let mut all = String::from(NGN);
        if self.wiring == Wiring::Shared {
            all += "link set dev x1 addrgenmode none\nlink set dev x1 up\n";
        }
        if self.line == Line::Pd {
            let next = if self.wiring == Wiring::Behind { "fe80::2" } else { BOX_ROUTE };
            for pool in POOLS {
                all += &format!("route replace {pool} via {next} dev w0\n");
            }
        }
        all
    }

    fn of_isp(self) -> String {
        let mut all = String::new();
        if self.line == Line::Ipsec {
            all += ISP;
            if self.is_lent() {
                all += ISP_IPV4;
            }
            if self.wiring == Wiring::Shared {
                all += "link set dev x1 addrgenmode none\nlink set dev x1 up\n";
            }
        }
        if self.has_internet() {
            all += THE_INTERNET;
        }
        if self.has_cloud() {
            all += TO_THE_CLOUD;
        }
        all
    }

    fn of_home(self) -> String {
        match (self.wiring, self.line) {
            (Wiring::Behind, Line::Ipsec) => HOME_IPV4.into(),
            (Wiring::New, _) => String::new(),
            (Wiring::Shared, _) => "link set dev up0 up\n".into(),
            (Wiring::Behind, Line::Pd) => {
                format!("{HOME_ROUTER}route replace {ALL_HANDED_ON} via {BOX_ROUTE} dev w0\n")
            }
            (Wiring::Behind, _) => ["x0", "up0", "w0"]
                .map(|port| format!("link set dev {port} addrgenmode none\nlink set dev {port} up\n"))
                .concat(),
        }
    }
}

/// The line's own prefix by advertisement, and what it gives after a renumbering.
pub const PREFIXES: [&str; 2] = ["2001:db8:0:1::", "2001:db8:0:2::"];
/// The pools of delegations, likewise.
pub const POOLS: [&str; 2] = ["2001:db8:100::/40", "2001:db8:200::/40"];
/// Of its /56 the home gateway hands these on, a /60 each; likewise.
pub const HANDED_ON: [&str; 2] = ["2001:db8:100:80::/58", "2001:db8:100:c0::/58"];
/// Both.
const ALL_HANDED_ON: &str = "2001:db8:100:80::/57";

const NGN: &str = "\
link set dev x0 addrgenmode none
link set dev x0 up
link set dev w0 addrgenmode none
link set dev w0 up
link set dev c0 up
address replace fe80::1/64 dev w0 nodad
address replace 2001:db8:0:1::1/64 dev w0 nodad
address replace 2001:db8:0:2::1/64 dev w0 nodad
address replace 2001:db8:0:53::1/128 dev lo nodad
address replace 2001:db8:0:53::2/128 dev lo nodad
address replace 2001:db8:0:cc::1/64 dev c0 nodad
address replace 2001:db8:0:cd::70/128 dev lo nodad
";

/// The box's port on the internet line.
pub const INTERNET: &str = "isp0";
/// The internet provider's resolver.
pub const INTERNET_RESOLVER: &str = "203.0.113.161";
/// A host of the internet.
pub const SOMEBODY: &str = "203.0.113.162";

/// The internet provider's side of the internet line; networkd has its address there and lends one to the box.
const THE_INTERNET: &str = "\
link set dev i0 up
address replace 203.0.113.161/32 dev lo
address replace 203.0.113.162/32 dev lo
";

/// The gateway of the cloud, on the internet; the networks behind it, and the addresses it gives in the tunnel.
pub const CLOUD_GATEWAY: &str = "203.0.113.178";
/// As said.
pub const CLOUD_NETWORK: &str = "10.40.0.0/16";
/// As said.
pub const CLOUD_INNER: &str = "10.41.0.0/28";
/// The cloud's service.
pub const CLOUD_SERVICE: &str = "10.40.0.10";

/// The internet provider's side of the cloud's line.
const TO_THE_CLOUD: &str = "\
link set dev h0 up
address replace 203.0.113.177/29 dev h0
";

/// The cloud: its gateway outside, its service inside. That nothing comes back to who asks inside without the tunnel, its routes
/// say: the internet provider knows none of these addresses.
const CLOUD: &str = "\
link set dev n0 up
address replace 203.0.113.178/29 dev n0
address replace 10.40.0.10/32 dev lo
route replace default via 203.0.113.177
";

/// The internet provider, with the line's own prefixes, and the gateway's network behind it.
const ISP: &str = "\
link set dev x0 addrgenmode none
link set dev x0 up
link set dev w0 addrgenmode none
link set dev w0 up
link set dev g0 up
address replace fe80::1/64 dev w0 nodad
address replace 2001:db8:0:1::1/64 dev w0 nodad
address replace 2001:db8:0:2::1/64 dev w0 nodad
address replace 2001:db8:0:9::1/64 dev g0 nodad
";

/// The same over IPv4, before a home gateway.
const ISP_IPV4: &str = "\
address replace 203.0.113.193/28 dev w0
address replace 203.0.113.185/29 dev g0
";

/// The provider of IPsec: its gateway outside, resolvers and the way to the centre inside.
const GATEWAY: &str = "\
link set dev n0 up
link set dev c0 up
address replace 2001:db8:0:9::9/64 dev n0 nodad
address replace 203.0.113.190/29 dev n0
address replace 203.0.113.62/26 dev c0
address replace 203.0.113.65/32 dev lo
address replace 203.0.113.66/32 dev lo
route replace default via 2001:db8:0:9::1
route replace 203.0.113.192/28 via 203.0.113.185
";

const CENTRE_INSIDE: &str = "\
link set dev n0 up
address replace 203.0.113.10/26 dev n0
address replace 203.0.113.20/26 dev n0
address replace 203.0.113.30/26 dev n0
address replace 203.0.113.40/26 dev n0
address replace 203.0.113.50/26 dev n0
address replace 203.0.113.60/26 dev n0
route replace default via 203.0.113.62
";

const CENTRE: &str = "\
link set dev n0 up
address replace 2001:db8:0:cc::10/64 dev n0 nodad
address replace 2001:db8:0:cc::20/64 dev n0 nodad
address replace 2001:db8:0:cc::30/64 dev n0 nodad
address replace 2001:db8:0:cc::40/64 dev n0 nodad
address replace 2001:db8:0:cc::50/64 dev n0 nodad
address replace 2001:db8:0:cc::60/64 dev n0 nodad
route replace default via 2001:db8:0:cc::1
";

const BOX: &str = "\
link set dev wan0 up
link set dev term0 up
link set dev lan0 up
address replace 192.0.2.1/24 brd + dev term0
address replace 198.51.100.1/24 brd + dev lan0
";

/// The home gateway as a router: a /64 of its delegation on its own network, the rest for who asks.
const HOME_ROUTER: &str = "\
link set dev x0 addrgenmode none
link set dev x0 up
link set dev w0 addrgenmode none
link set dev w0 up
link set dev up0 addrgenmode none
link set dev up0 up
address replace fe80::2/64 dev up0 nodad
address replace fe80::3/64 dev w0 nodad
address replace 2001:db8:100::1/64 dev w0 nodad
route replace default via fe80::1 dev up0
";

/// The home gateway's own address in the clinic, and what it is after a renumbering.
pub const HOME: [&str; 2] = ["203.0.113.225/28", "203.0.113.241/28"];

/// The home gateway of an internet line, as the provider sees it. Its own network is its DHCP server's.
const HOME_IPV4: &str = "\
link set dev x0 addrgenmode none
link set dev x0 up
link set dev w0 addrgenmode none
link set dev w0 up
link set dev up0 addrgenmode none
link set dev up0 up
address replace 203.0.113.194/28 dev up0
route replace default via 203.0.113.193
";

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    fn all() -> Vec<Layout> {
        let pairs = Line::value_variants()
            .iter()
            .flat_map(|line| Wiring::value_variants().iter().map(move |wiring| (*line, *wiring)));
        pairs.filter_map(|(line, wiring)| Layout::of(line, wiring).ok()).collect()
    }

    #[test]
    fn what_does_not_exist_in_the_field_is_refused_with_a_sentence() {
        let why = Layout::of(Line::Pd, Wiring::Shared).unwrap_err().to_string();
        assert!(why.contains("the gateway holds the only delegation"), "{why}");
        assert!(Wiring::value_variants().iter().all(|wiring| Layout::of(Line::Ipsec, *wiring).is_ok()));
        assert!(all().contains(&Layout::default()));
    }

    #[test]
    fn every_wire_ends_at_hosts_that_are_there_and_every_port_is_used_once() {
        for layout in all() {
            let (hosts, wires) = (layout.hosts(), layout.wires());
            let ends = || wires.iter().flat_map(|(host, port, other, end)| [(*host, *port), (*other, *end)]);
            assert!(ends().all(|(host, _)| hosts.contains(&host)), "{layout:?}");
            let mut ports: Vec<_> = ends().collect();
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), 2 * wires.len(), "{layout:?}");
        }
    }

    #[test]
    fn the_card_and_the_route_to_it_are_the_same_machine() {
        let bytes: Vec<u8> = BOX_CARD.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let [a, b, c, d, e, f] = bytes[..] else { panic!("six bytes") };
        let id = [a ^ 2, b, c, 0xff, 0xfe, d, e, f];
        let mut whole = [0; 16];
        whole[..2].copy_from_slice(&[0xfe, 0x80]);
        whole[8..].copy_from_slice(&id);
        assert_eq!(std::net::Ipv6Addr::from(whole).to_string(), BOX_ROUTE);
    }
}
