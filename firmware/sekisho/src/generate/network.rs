//! systemd-networkd's files: which port has which name, and what each port carries. A port without a file here is
//! left down.

use std::fmt::Write as _;
use std::net::IpAddr;

use board::file::Board;
use model::boot::Setup;
use model::site::uplink::Line;
use model::{Site, Zone};

use super::{Generated, HEAD};

/// The names of a board's ports, for udev. A port is found by its slot, whatever card is in it.
pub fn board(board: &Board) -> Vec<Generated> {
    let link = |port: &board::file::Port| {
        let text = format!(
            "{HEAD}[Match]\nPath=pci-{}\n\n[Link]\nDescription={}\nName={}\n",
            port.pci, port.label, port.name
        );
        Generated::new(format!("10-{}.link", port.name), text)
    };
    board.ports.iter().map(link).collect()
}

/// What the ports of a site carry.
pub fn site(site: &Site) -> Vec<Generated> {
    let port = |port: &model::site::Port| {
        let carries = match port.zone {
            Zone::Wan if site.line == Line::Pd => WAN_DELEGATED.to_owned(),
            Zone::Wan if site.line.is_lent() => BY_DHCP.to_owned(),
            Zone::Wan if matches!(site.line, Line::Pppoe(_)) => BELOW_A_SESSION.to_owned(),
            Zone::Wan => WAN.to_owned(),
            Zone::Isp => BY_DHCP.to_owned(),
            Zone::Terminal => terminals(site),
            Zone::Clinic => clinic(site),
            inside => own_address(site, inside)?,
        };
        Some(Generated::new(format!("20-{}.network", port.name), file(&port.name, &carries)))
    };
    site.ports.iter().filter_map(port).collect()
}

/// A zone that has the box's address and nothing else of the box.
fn own_address(site: &Site, zone: Zone) -> Option<String> {
    let address = site.networks().into_iter().find(|(of, _)| *of == zone)?.1;
    Some(format!("Address={address}\n{QUIET}"))
}

/// The clinic's port. Its computers are lent addresses where the site file asks for that, and told of the box as their way out and
/// as their resolver only as far as it is one: where another router has their internet, as the way to the cloud's networks.
fn clinic(site: &Site) -> String {
    let address = format!("Address={}\n{QUIET}", site.clinic);
    let Some(lent) = site.lent() else { return address };
    let yes = |so: bool| if so { "yes" } else { "no" };
    let names = if site.clinic_dns { format!("DNS={}\n", site.clinic.address) } else { String::new() };
    format!(
        "{address}DHCPServer=yes\n\n[DHCPServer]\nPoolOffset={}\nPoolSize={}\nEmitRouter={}\n{}EmitDNS={}\n{names}EmitNTP=no\n{LEASE}",
        lent.first,
        lent.count,
        yes(site.clinic_internet),
        ways_to_the_cloud(site)
            .map_or_else(String::new, |ways| format!("SendOption={WAYS}:string:{}\n", escaped(&ways))),
        yes(site.clinic_dns),
    )
}

/// The option for routes without a class.
const WAYS: u8 = 121;

/// What computers are told of the cloud's networks (RFC 3442): of each its length, as many of its octets as that takes, and the
/// box. None where the box is their way to everything, which says more.
pub fn ways_to_the_cloud(site: &Site) -> Option<Vec<u8>> {
    let (cloud, IpAddr::V4(own)) = (site.cloud.as_ref()?, site.clinic.address) else { return None };
    if site.clinic_internet || site.lent().is_none() {
        return None;
    }
    let mut bytes = Vec::new();
    for network in &cloud.networks {
        let IpAddr::V4(address) = network.network() else { continue };
        let significant = usize::from(network.length.div_ceil(8)).min(4);
        bytes.push(network.length);
        bytes.extend(&address.octets()[..significant]);
        bytes.extend(own.octets());
    }
    Some(bytes)
}

/// Bytes as networkd reads them in a text.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// What networkd is told beside its ports, in a folder of its own: whether IPv4 is handed on. A terminal's way inside a tunnel is
/// IPv4, and so are a maintainer's to a host of the clinic, the clinic's to the internet and to its cloud, and everybody's to a
/// printer; on every other site the image's own word stands, which is no.
pub fn ways(site: &Site) -> Vec<Generated> {
    let of_the_clinic = site.clinic_internet || site.cloud.is_some() || site.printers.is_some();
    let wanted = site.line.is_ipv4() || site.maintainer.is_some() || of_the_clinic;
    let file = || Generated::new("ways.conf", format!("{HEAD}[Network]\nIPv4Forwarding=yes\n"));
    wanted.then(file).into_iter().collect()
}

/// The terminals' port: their IPv4, and a part of the line's prefix where one is delegated. What is told them of it is not
/// networkd's: it cannot tell a prefix that came by advertisement, and one daemon tells both.
fn terminals(site: &Site) -> String {
    let lends = if site.terminal_dhcp { "DHCPServer=yes\n" } else { "" };
    let address = format!("Address={}\n{lends}{QUIET}", site.terminal_zone);
    let carries = match site.line {
        Line::Ipsec(_) | Line::Pppoe(_) => address,
        Line::Ra => address.replace("LinkLocalAddressing=no", "LinkLocalAddressing=ipv6"),
        Line::Pd => {
            let address = address.replace("LinkLocalAddressing=no", "LinkLocalAddressing=ipv6");
            let line = site.port(Zone::Wan);
            format!(
                "{address}DHCPPrefixDelegation=yes\n\n[DHCPPrefixDelegation]\nUplinkInterface={line}\n{PART}"
            )
        }
    };
    if site.terminal_dhcp { carries + &lent_to_terminals(site) } else { carries }
}

/// Each terminal is lent the address that the site file has for it, by its card. The pool for anybody else has one address,
/// the box's own, which networkd lends nobody.
fn lent_to_terminals(site: &Site) -> String {
    let (IpAddr::V4(begin), IpAddr::V4(address)) = (site.terminal_zone.network(), site.terminal_zone.address)
    else {
        return String::new();
    };
    let number = u32::from(address) - u32::from(begin);
    let way = if site.line.is_ipv4() { "yes" } else { "no" };
    let mut text = format!(
        "\n[DHCPServer]\nPoolOffset={number}\nPoolSize=1\nEmitRouter={way}\nDNS={address}\nNTP={address}\n{LEASE}"
    );
    for terminal in &site.terminals {
        let Some(card) = terminal.mac else { continue };
        let _ = write!(text, "\n[DHCPServerStaticLease]\nMACAddress={card}\nAddress={}\n", terminal.address);
    }
    text
}

/// What the setup port carries; with addresses for others in the carton only, since on a clinic's own network
/// that would be a second DHCP server.
pub fn setup(setup: &Setup, lends_addresses: bool) -> Generated {
    let mut text = format!("Address={}\n{QUIET}", setup.address);
    if lends_addresses {
        text.push_str(LEND);
    }
    Generated::new(format!("20-{}.network", setup.port), file(&setup.port, &text))
}

fn file(port: &str, network: &str) -> String {
    format!("{HEAD}[Match]\nName={port}\n\n[Network]\n{network}")
}

/// The line: an address and a route by router advertisement, which networkd reads itself; names come from the
/// profile, and no advertisement may bring others (RFC 8106) or start DHCPv6.
const WAN: &str = "\
DHCP=no
LinkLocalAddressing=ipv6
IPv6AcceptRA=yes
IPv6PrivacyExtensions=no
LLMNR=no
MulticastDNS=no
LLDP=no
EmitLLDP=no

[IPv6AcceptRA]
DHCPv6Client=no
UseDNS=no
UseDomains=no
UseMTU=yes
UseCaptivePortal=no
UsePREF64=no
";

/// A line that delegates: the box's own address is of the first /64 of the delegation, since such a line has no prefix of its
/// own. It is asked for also where the advertisement does not speak of it, as behind a home gateway. The identifier is
/// the card's (DUID-LL), which is the same at every boot.
const WAN_DELEGATED: &str = "\
DHCP=ipv6
LinkLocalAddressing=ipv6
IPv6AcceptRA=yes
IPv6PrivacyExtensions=no
DHCPPrefixDelegation=yes
LLMNR=no
MulticastDNS=no
LLDP=no
EmitLLDP=no

[IPv6AcceptRA]
DHCPv6Client=always
UseDNS=no
UseDomains=no
UseMTU=yes
UseCaptivePortal=no
UsePREF64=no

[DHCPv6]
DUIDType=link-layer
PrefixDelegationHint=::/56
UseAddress=no
UseDNS=no
UseNTP=no
UseHostname=no
UseDomains=no

[DHCPPrefixDelegation]
UplinkInterface=:self
SubnetId=0
Announce=no
";

/// The internet line, and a line by IPsec behind a home gateway: an address and the way out by DHCP, over IPv4 only. Names and
/// time are not taken from there, and the box says no name of its own. No IPv6: a prefix of the closed network is never
/// taken from here, nor is there a second way round the tunnel.
const BY_DHCP: &str = "\
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
LLMNR=no
MulticastDNS=no
LLDP=no
EmitLLDP=no

[DHCPv4]
UseDNS=no
UseNTP=no
UseSIP=no
UseHostname=no
UseDomains=no
UseTimezone=no
SendHostname=no
";

/// For how long an address is lent, seconds; nothing of telephones or the clock's zone.
const LEASE: &str = "\
EmitSIP=no
EmitTimezone=no
DefaultLeaseTimeSec=43200
MaxLeaseTimeSec=86400
";

/// The second /64 of the delegation, and the box's address in it.
const PART: &str = "\
SubnetId=1
Token=static:::1
Announce=no
";

/// The port below a PPPoE session is up and has nothing of its own: no address, no advertisement, no question but the
/// session's. The session's own interface is pppd's, and networkd has no file for it.
const BELOW_A_SESSION: &str = "\
DHCP=no
LinkLocalAddressing=no
IPv6AcceptRA=no
LLMNR=no
MulticastDNS=no
LLDP=no
EmitLLDP=no
";

/// An address of the box's own, IPv4 only, there whether a cable is in or not: daemons listen on it.
const QUIET: &str = "\
DHCP=no
LinkLocalAddressing=no
IPv6AcceptRA=no
LLMNR=no
MulticastDNS=no
LLDP=no
EmitLLDP=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
";

/// An address for the installer's computer, and nothing else: no way out and no names.
const LEND: &str = "\
DHCPServer=yes

[DHCPServer]
EmitDNS=no
EmitNTP=no
EmitSIP=no
EmitRouter=no
EmitTimezone=no
DefaultLeaseTimeSec=600
MaxLeaseTimeSec=600
PersistLeases=no
";
