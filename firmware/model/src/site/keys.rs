//! The keys of a site file, each with the form of its value.

use super::maintainers;
use super::spec::{Key, Shape};
use super::uplink::{Line, Outer, Session, Uplink};
use crate::{calendar, kind, opening};

const LINE: &[Key] = &[
    Key::required("kind", Shape::OneOf(Line::KINDS), "how the qualification is reached"),
    Key::optional("ipsec", Shape::Table(IPSEC), "with kind ipsec"),
    Key::optional("pppoe", Shape::Table(PPPOE), "with kind pppoe: the contract of the session"),
    Key::optional(
        "pppoe-through",
        Shape::Port,
        "the port of terminal or claims whose own PPPoE session passes through to the line: what runs in it the box does not see",
    ),
];

const IPSEC: &[Key] = &[
    Key::required("gateways", Shape::Addresses, "the provider's gateways, all of one family"),
    Key::optional(
        "outer",
        Shape::OneOf(Outer::KEYS),
        "by what the line's port has its address: dhcp, over IPv4 from the home gateway in front; ra, over IPv6; by the gateways' family if absent",
    ),
    Key::optional(
        "provider",
        Shape::Text,
        "the provider's profile, filled in from the contract sheet: a file beside this one that ends in .toml",
    ),
    Key::optional(
        "routed",
        Shape::Boolean,
        "terminals keep their addresses in the tunnel; false if absent: they have its inner address",
    ),
];

const PPPOE: &[Key] = &[
    Key::required(
        "login",
        Shape::Secret,
        "user and password of the contract, by reference; neither is ever in this file",
    ),
    Key::optional(
        "service",
        Shape::Text,
        "the service that is asked for, if the contract names one; otherwise whichever is offered",
    ),
    Key::optional(
        "mtu",
        Shape::Integer { min: Session::MTUS[0], max: Session::MTUS[1] },
        "the largest packet in the session, 1454 if absent, as フレッツ lines carry",
    ),
];

const INTERNET: &[Key] = &[
    Key::required(
        "kind",
        Shape::OneOf(&["dhcp", "pppoe"]),
        "dhcp: at the port of zone isp; pppoe: a session over that port, or over the line's if there is none",
    ),
    Key::required("resolvers", Shape::Ipv4s, "the resolvers asked there"),
];

const ZONE: &[Key] = &[Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone")];

const CLINIC: &[Key] = &[
    Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone"),
    Key::optional(
        "dhcp",
        Shape::Boolean,
        "computers get their addresses from the box, of the upper half of the network; false if absent",
    ),
    Key::optional("dns", Shape::Boolean, "computers ask the box for names of the internet, false if absent"),
    Key::optional(
        "internet",
        Shape::Table(&[]),
        "a table without keys: the clinic leaves by the internet line; else the box is no gateway of the clinic's",
    ),
    Key::optional(
        "cloud",
        Shape::Table(CLOUD),
        "the receipt computer's cloud, behind IPsec over the internet line",
    ),
];

const CLOUD: &[Key] = &[
    Key::required("gateways", Shape::Ipv4s, "its gateways"),
    Key::required("networks", Shape::Prefixes, "the IPv4 networks behind it that the clinic may reach"),
    Key::optional(
        "provider",
        Shape::Text,
        "the profile of who runs its gateways, filled in from the contract sheet: a file beside this one that ends in .toml",
    ),
    Key::optional(
        "authorities",
        Shape::Text,
        "PEM file beside this one with the authorities of its services' certificates; the public ones if absent",
    ),
    Key::optional(
        "endpoint",
        Shape::Tables(ENDPOINT),
        "its services: the box looks whether they open a connection, and never logs in; without one nobody looks",
    ),
];

const ENDPOINT: &[Key] = &[
    Key::required("address", Shape::Ipv4, "where it is, in one of the cloud's networks"),
    Key::required("port", Shape::Integer { min: 1, max: 65535 }, "its TCP port"),
    Key::optional("name", Shape::Name, "the name in its certificate; without it there is no look at TLS"),
];

const HOST: &[Key] = &[
    Key::required("name", Shape::Port, "its name here"),
    Key::required("address", Shape::Ipv4, "its IPv4 address, fixed"),
];

const PRINTER: &[Key] = &[
    Key::required("name", Shape::Port, "its name here"),
    Key::required("address", Shape::Ipv4, "its IPv4 address, fixed"),
    Key::required(
        "tcp",
        Shape::Integers { min: 1, max: 65535 },
        "the TCP ports it prints by, like 9100 or 631",
    ),
];

const MAINTAINER: &[Key] = &[
    Key::required(
        "address",
        Shape::Ipv4Prefix,
        "the box's management address in the tunnel; the maintainers' addresses lie in the same network",
    ),
    Key::required("gateways", Shape::Addresses, "the maintainers' gateways, which the box calls"),
    Key::required("uplink", Shape::OneOf(Uplink::KEYS), "by which way"),
    maintainers::KEYS[0],
    maintainers::KEYS[1],
    maintainers::KEYS[2],
    maintainers::KEYS[3],
];

const UPDATE: &[Key] = &[
    Key::required("servers", Shape::Prefixes, "where the servers of updates lie, asked over HTTPS"),
    Key::required("uplink", Shape::OneOf(Uplink::KEYS), "by which way"),
];

const TERMINALS: &[Key] = &[
    Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone"),
    Key::optional(
        "quiet",
        Shape::Hours,
        "hours of the clinic's day in which terminals restart by themselves: ten minutes away are no fault then",
    ),
    Key::optional(
        "dhcp",
        Shape::Boolean,
        "terminals are lent their own addresses by the box, by their mac; nobody else is; false if absent",
    ),
];

const PORT: &[Key] = &[
    Key::required("name", Shape::Port, "the interface"),
    Key::required(
        "zone",
        Shape::OneOf(&["wan", "isp", "terminal", "clinic", "claims", "printer"]),
        "the zone it belongs to",
    ),
];

const TERMINAL: &[Key] = &[
    Key::required("name", Shape::Port, "the terminal's name here"),
    Key::required("address", Shape::Ipv4, "its IPv4 address"),
    Key::optional(
        "mac",
        Shape::Mac,
        "its card's address; seen at another zone's port, it is a bypass and refused",
    ),
    Key::optional("share", Shape::Unc, "the shared folder with req, res and face; with login"),
    Key::optional("login", Shape::Secret, "user and password of the share, by reference"),
    Key::optional("path", Shape::Path, "instead of share and login: that folder, if it lies on this machine"),
    Key::optional(
        "requests-below",
        Shape::Folder,
        "folder of the clinic's share its request folders lie in; at the root if absent",
    ),
    Key::optional(
        "certificate-until",
        Shape::Date,
        "the last day of its client certificate, as its papers say; it is reminded of",
    ),
];

const CONSUMER: &[Key] = &[
    Key::required("name", Shape::Account, "who takes the answers; also its account on the box's share"),
    Key::optional("share", Shape::Share, "its share on the box, OQS if absent; each consumer has its own"),
    Key::optional("remote", Shape::Unc, "instead: a shared folder of its own machine; with login"),
    Key::optional("login", Shape::Secret, "user and password of the remote share, by reference"),
    Key::optional("path", Shape::Path, "instead: a folder of this machine"),
    Key::optional("takes", Shape::Texts, "the folders of answers it wants a copy of, all if absent"),
    Key::optional(
        "address",
        Shape::Ipv4,
        "its machine's IPv4 address, fixed; then it is seen whether that is on; remote's if absent",
    ),
];

const PARTIES: &[&str] = &[
    "clinic",
    "box",
    "line",
    "isp",
    "ipsec-provider",
    "centre",
    "terminal",
    "receipt-computer",
    "maintainer",
    "cloud",
];

const CONTACT: &[Key] = &[
    Key::required("party", Shape::OneOf(PARTIES), "for whose faults"),
    Key::required("name", Shape::Text, "who answers the telephone"),
    Key::required("phone", Shape::Text, "the number"),
];

const PAGE: &[Key] = &[
    Key::optional("http", Shape::Integer { min: 1, max: 65535 }, "port for reception, 80 if absent"),
    Key::optional("https", Shape::Integer { min: 1, max: 65535 }, "port of the HTTPS page, 443 if absent"),
];

const RELAY: &[Key] = &[
    Key::optional(
        "count-outcomes",
        Shape::Boolean,
        "look into answers and count how many are errors, false if absent; nothing of them is kept",
    ),
    Key::optional(
        "smb-2-1",
        Shape::Text,
        "why the box's share lets in machines that know SMB 2.1 only, which does not encrypt; SMB 3 only if absent",
    ),
];

/// The keys of a site file.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("profile", Shape::Text, "a shipped profile, or a file beside this one that ends in .toml"),
    Key::required("line", Shape::Table(LINE), "the qualification line"),
    Key::required("clinic", Shape::Table(CLINIC), "the clinic's zone"),
    Key::optional("internet", Shape::Table(INTERNET), "a separate line or session to the internet, IPv4"),
    Key::required("terminals", Shape::Table(TERMINALS), "the terminals' zone"),
    Key::optional(
        "claims",
        Shape::Table(ZONE),
        "the zone of the hosts that send claims; it has a port of its own",
    ),
    Key::optional(
        "printers",
        Shape::Table(ZONE),
        "the zone of printers that both sides use; it has a port of its own",
    ),
    Key::required("port", Shape::Tables(PORT), "the box's ports"),
    Key::required("terminal", Shape::Tables(TERMINAL), "the qualification terminals"),
    Key::optional("claims-host", Shape::Tables(HOST), "the hosts that send claims"),
    Key::optional("printer", Shape::Tables(PRINTER), "the printers; they open nothing"),
    Key::required("consumer", Shape::Tables(CONSUMER), "who takes the answers"),
    Key::optional("kind", Shape::Tables(kind::SITE_SPEC), "changes to the profile's table of kinds"),
    Key::optional("relay", Shape::Table(RELAY), "how files are carried"),
    Key::optional("opening", Shape::Table(opening::SPEC), "the days a time to live counts"),
    Key::optional("maintenance", Shape::Tables(calendar::MAINTENANCE), "maintenance the centre announced"),
    Key::optional(
        "maintainer",
        Shape::Table(MAINTAINER),
        "remote maintenance; nothing of it is open without consent",
    ),
    Key::optional("update", Shape::Table(UPDATE), "where updates come from"),
    Key::optional("contact", Shape::Tables(CONTACT), "whom to call"),
    Key::optional("page", Shape::Table(PAGE), "where the page listens"),
];
