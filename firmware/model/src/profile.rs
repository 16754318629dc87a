//! What a line's provider has in common for all clinics: names, resolvers, kinds of files, desks.
//! Data, checked by the same walker as the site file and never code: the field's names change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kind::{self, Kind};
use crate::site::SiteError;
use crate::site::prefix::Prefix;
use crate::site::spec::{Key, Shape};
use crate::site::walk::{self, Errors, Node};

/// A host the ladder probes, by name and TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// DNS name, without a trailing dot.
    pub name: String,
    /// TCP port.
    pub port: u16,
}

/// Where a destination lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// In this prefix.
    Prefix(Prefix),
    /// Where the resolver says that this name lies, as far as it is expected there.
    Name(String),
    /// The same of every name that ends so, behind a dot.
    Suffix(String),
}

impl Where {
    /// Whether an answer for this name is meant, without regard to case (RFC 4343).
    pub fn is_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        match self {
            Self::Prefix(_) => false,
            Self::Name(own) => own.eq_ignore_ascii_case(name),
            Self::Suffix(suffix) => {
                let at = name.len().checked_sub(suffix.len() + 1);
                let tail = at.and_then(|at| name.get(at..)).and_then(|tail| tail.strip_prefix('.'));
                at != Some(0) && tail.is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
            }
        }
    }
}

/// A destination the terminal may reach, or the box may probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Where.
    pub to: Where,
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// UDP ports.
    pub udp: Vec<u16>,
}

/// A provider's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The two resolvers of the closed network.
    pub resolvers: [Ipv6Addr; 2],
    /// The closed network's resolvers over IPv4, for lines by IPsec or PPPoE.
    pub resolvers4: Vec<Ipv4Addr>,
    /// Answers outside these are a stranger's.
    pub expected: Vec<Prefix>,
    /// The line-authentication host.
    pub line_auth: Target,
    /// The distribution host.
    pub distribution: Target,
    /// What the distribution host is called in the other area: resolvers that know only that name are the other area's.
    pub distribution_other_area: Option<String>,
    /// The centre's service.
    pub centre: Target,
    /// PEM file of the authorities the centre's certificate must come from, beside the profile; the box's own
    /// store of public authorities if absent.
    pub centre_authorities: Option<String>,
    /// The time server's name.
    pub time: String,
    /// Where the terminal may go on the line.
    pub destinations: Vec<Destination>,
    /// The table of kinds.
    pub kinds: Vec<Kind>,
}

impl Profile {
    /// Parses a profile. `file` is the name that errors carry.
    ///
    /// # Errors
    /// Every mistake in it, with its place; a syntax error is alone.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<SiteError>> {
        let mut errors = Errors::new(file, text);
        let root = walk::document(text, SPEC, &mut errors);
        match root.and_then(|root| read(&root, &mut errors)) {
            Some(profile) if errors.is_empty() => Ok(profile),
            _ => Err(errors.into_list()),
        }
    }

    /// The kind with this key.
    pub fn kind(&self, key: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.key == key)
    }
}

const TARGET: &[Key] = &[
    Key::required("name", Shape::Name, "DNS name"),
    Key::required("port", Shape::Integer { min: 1, max: 65535 }, "TCP port"),
];

const DESTINATION: &[Key] = &[
    Key::optional("prefix", Shape::Prefix, "where: an IPv6 or IPv4 prefix"),
    Key::optional(
        "name",
        Shape::Name,
        "or: where the resolver says that this name lies, inside what is expected",
    ),
    Key::optional("suffix", Shape::Suffix, "or: the same of every name below one"),
    Key::optional("tcp", Shape::Integers { min: 1, max: 65535 }, "TCP ports"),
    Key::optional("udp", Shape::Integers { min: 1, max: 65535 }, "UDP ports"),
];

/// The keys of a profile.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("name", Shape::Text, "the profile's name"),
    Key::required("resolvers", Shape::Ipv6s { count: 2 }, "the closed network's two resolvers"),
    Key::optional("resolvers-ipv4", Shape::Ipv4s, "its resolvers on lines by IPsec or PPPoE"),
    Key::required("expected", Shape::Prefixes, "prefixes in which answers of the closed network lie"),
    Key::required("line-auth", Shape::Table(TARGET), "the line-authentication host"),
    Key::required("distribution", Shape::Table(TARGET), "the distribution host"),
    Key::optional(
        "distribution-other-area",
        Shape::Name,
        "what the distribution host is called in the other area, East or West; the area is not judged if absent",
    ),
    Key::required("centre", Shape::Table(TARGET), "the centre's service"),
    Key::optional("centre-authorities", Shape::Text, "PEM file beside the profile: the centre's authorities"),
    Key::required("time", Shape::Name, "the time server"),
    Key::required("destination", Shape::Tables(DESTINATION), "where the terminal may go on the line"),
    Key::required("kind", Shape::Tables(kind::SPEC), "what may be relayed"),
];

fn read(root: &Node, errors: &mut Errors<'_>) -> Option<Profile> {
    let kinds = kind::read(root, errors);
    for node in root.tables("destination") {
        check(node, errors);
    }
    let resolvers: Vec<Ipv6Addr> = root.addresses("resolvers").into_iter().filter_map(v6).collect();
    Some(Profile {
        name: root.text("name")?,
        resolvers: resolvers.try_into().ok()?,
        resolvers4: crate::site::addresses4(root, "resolvers-ipv4"),
        expected: root.prefixes("expected"),
        line_auth: target(root.table("line-auth")?)?,
        distribution: target(root.table("distribution")?)?,
        distribution_other_area: root.text("distribution-other-area"),
        centre: target(root.table("centre")?)?,
        centre_authorities: root.text("centre-authorities"),
        time: root.text("time")?,
        destinations: root.tables("destination").iter().filter_map(|node| destination(node)).collect(),
        kinds,
    })
}

const fn v6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    }
}

fn target(node: &Node) -> Option<Target> {
    Some(Target { name: node.text("name")?, port: u16::try_from(node.integer("port")?).ok()? })
}

fn ports(node: &Node, key: &str) -> Vec<u16> {
    node.integers(key).into_iter().filter_map(|port| u16::try_from(port).ok()).collect()
}

fn destination(node: &Node) -> Option<Destination> {
    let prefix = node.prefix("prefix").map(Where::Prefix);
    let suffix = || Some(Where::Suffix(node.text("suffix")?[2..].to_owned()));
    let to = prefix.or_else(|| node.text("name").map(Where::Name)).or_else(suffix)?;
    Some(Destination { to, tcp: ports(node, "tcp"), udp: ports(node, "udp") })
}

/// One place, and something to reach there.
fn check(node: &Node, errors: &mut Errors<'_>) {
    let given: Vec<_> = ["prefix", "name", "suffix"].into_iter().filter(|key| node.was_given(key)).collect();
    match given.as_slice() {
        [] => errors.add(
            node,
            "prefix",
            "where it lies is missing".into(),
            Some("prefix, name or suffix".into()),
        ),
        [_] => {}
        [_, more, ..] => errors.add(node, more, "either prefix, name or suffix".into(), None),
    }
    if !node.was_given("tcp") && !node.was_given("udp") {
        errors.add(node, "tcp", "no port is listed".into(), Some("tcp, udp".into()));
    }
}
