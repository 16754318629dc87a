//! The site file: the one file a clinic is described by. Read once at start; everything is checked before
//! anything is opened, and every mistake is said at once with its line and what is allowed.

pub mod prefix;
pub mod spec;
pub mod walk;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use self::prefix::Prefix;
use self::spec::{Key, Shape};
use self::walk::{Errors, Node, refuse_twins};
use crate::party::Party;
use crate::profile::Profile;
use crate::zone::Zone;

/// One mistake in a site file or a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key, like `port[2].zone`; empty for a syntax error.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub allowed: Option<String>,
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.message)?;
        if let Some(allowed) = &self.allowed {
            write!(f, " (allowed: {allowed})")?;
        }
        Ok(())
    }
}

/// How the line hands out addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A /64 by router advertisement, no delegation (no ひかり電話).
    Ra,
}

/// A port of the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The interface's name.
    pub name: String,
    /// The zone it belongs to.
    pub zone: Zone,
}

/// A qualification terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its name here; never a person's.
    pub name: String,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// The share's name on it (the part behind `\\ADDRESS\`).
    pub share: String,
    /// The name of the secret that holds user and password of the share.
    pub login: String,
}

/// Somebody who takes answers from the clinic's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name, and its share account's.
    pub name: String,
}

/// Whom to call for a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// For what party.
    pub party: Party,
    /// Who answers.
    pub name: String,
    /// The number, as it is read out.
    pub phone: String,
}

/// Where the page listens, on the box's clinic address only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePorts {
    /// Plain HTTP for reception, read-only, without cookies.
    pub http: u16,
    /// HTTPS.
    pub https: u16,
}

/// A clinic, described and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What the profile says.
    pub profile: Profile,
    /// How the line hands out addresses.
    pub line: LineKind,
    /// The box's address in the clinic's zone.
    pub clinic: Prefix,
    /// The box's address in the terminal's zone.
    pub terminal_zone: Prefix,
    /// The ports.
    pub ports: Vec<Port>,
    /// The terminals.
    pub terminals: Vec<Terminal>,
    /// The consumers.
    pub consumers: Vec<Consumer>,
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// Where the page listens.
    pub page: PagePorts,
}

const LINE: &[Key] = &[Key::required("kind", Shape::OneOf(&["ra"]), "how the line hands out addresses")];

const ZONE: &[Key] = &[Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone")];

const PORT: &[Key] = &[
    Key::required("name", Shape::Port, "the interface"),
    Key::required("zone", Shape::OneOf(&["wan", "terminal", "clinic"]), "the zone it belongs to"),
];

const TERMINAL: &[Key] = &[
    Key::required("name", Shape::Port, "the terminal's name here"),
    Key::required("address", Shape::Ipv4, "its IPv4 address"),
    Key::required("share", Shape::Unc, "the shared folder with req, res and face"),
    Key::required("login", Shape::Secret, "user and password of the share, by reference"),
];

const CONSUMER: &[Key] =
    &[Key::required("name", Shape::Account, "who takes the answers; also its account on the box's share")];

const PARTIES: &[&str] =
    &["clinic", "box", "line", "isp", "ipsec-provider", "centre", "terminal", "receipt-computer"];

const CONTACT: &[Key] = &[
    Key::required("party", Shape::OneOf(PARTIES), "for whose faults"),
    Key::required("name", Shape::Text, "who answers the telephone"),
    Key::required("phone", Shape::Text, "the number"),
];

const PAGE: &[Key] = &[
    Key::optional("http", Shape::Integer { min: 1, max: 65535 }, "port for reception, 80 if absent"),
    Key::optional("https", Shape::Integer { min: 1, max: 65535 }, "port of the HTTPS page, 443 if absent"),
];

/// The keys of a site file.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("profile", Shape::Text, "a shipped profile, or a file beside this one that ends in .toml"),
    Key::required("line", Shape::Table(LINE), "the qualification line"),
    Key::required("clinic", Shape::Table(ZONE), "the clinic's zone"),
    Key::required("terminals", Shape::Table(ZONE), "the terminals' zone"),
    Key::required("port", Shape::Tables(PORT), "the box's ports"),
    Key::required("terminal", Shape::Tables(TERMINAL), "the qualification terminals"),
    Key::required("consumer", Shape::Tables(CONSUMER), "who takes the answers"),
    Key::optional("contact", Shape::Tables(CONTACT), "whom to call"),
    Key::optional("page", Shape::Table(PAGE), "where the page listens"),
];

impl Site {
    /// The profile's name a site file asks for, without checking anything else.
    pub fn profile_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        walk::document(text, SPEC, &mut errors)?.text("profile")
    }

    /// Whether a TOML text is meant to be a site file, right or wrong; none if it is no TOML.
    pub fn is_site_file(text: &str) -> Option<bool> {
        let root = toml::de::DeTable::parse(text).ok()?;
        Some(["version", "profile", "line"].iter().all(|key| root.get_ref().contains_key(*key)))
    }

    /// Parses and checks a site file. `profile` is what [`Self::profile_name`] led to: the profile, or its errors,
    /// which then stand among the site file's own.
    ///
    /// # Errors
    /// Every mistake in it, by line; a syntax error is alone.
    pub fn parse(
        file: &str,
        text: &str,
        profile: Result<Profile, Vec<SiteError>>,
    ) -> Result<Self, Vec<SiteError>> {
        let mut errors = Errors::new(file, text);
        let site = walk::document(text, SPEC, &mut errors).and_then(|root| {
            check(&root, &mut errors);
            let profile = profile.as_ref().ok().cloned();
            profile.and_then(|profile| read(&root, profile))
        });
        let mut list = errors.into_list();
        list.extend(profile.err().unwrap_or_default());
        match site {
            Some(site) if list.is_empty() => Ok(site),
            _ => Err(list),
        }
    }

    /// The interface of a zone; every zone has exactly one, the checker saw to it.
    pub fn port(&self, zone: Zone) -> &str {
        self.ports.iter().find(|port| port.zone == zone).map_or("", |port| port.name.as_str())
    }

    /// Whom to call for a party.
    pub fn contact(&self, party: Party) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.party == party)
    }
}

fn read(root: &Node, profile: Profile) -> Option<Site> {
    Some(Site {
        profile,
        line: LineKind::Ra,
        clinic: root.table("clinic")?.prefix("address")?,
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
    let unc = node.text("share")?;
    Some(Terminal {
        name: node.text("name")?,
        address: address(node)?,
        share: unc.rsplit('\\').next()?.to_owned(),
        login: node.text("login")?.strip_prefix("secret:")?.to_owned(),
    })
}

fn address(node: &Node) -> Option<Ipv4Addr> {
    match node.addresses("address").first()? {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    }
}

fn consumers(root: &Node) -> Vec<Consumer> {
    root.tables("consumer").iter().filter_map(|node| Some(Consumer { name: node.text("name")? })).collect()
}

fn contact(node: &Node) -> Option<Contact> {
    Some(Contact {
        party: Party::from_key(&node.text("party")?)?,
        name: node.text("name")?,
        phone: node.text("phone")?,
    })
}

fn page(root: &Node) -> PagePorts {
    let port = |key: &str, default: u16| {
        let number = root.table("page").and_then(|page| page.integer(key));
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(default)
    };
    PagePorts { http: port("http", 80), https: port("https", 443) }
}

/// What one key alone cannot tell: twins, references, addresses that must lie in each other.
fn check(root: &Node, errors: &mut Errors<'_>) {
    check_ports(root, errors);
    check_zones(root, errors);
    check_terminals(root, errors);
    refuse_twins(&root.tables("consumer"), "name", errors);
    refuse_twins(&root.tables("contact"), "party", errors);
    for key in ["port", "terminal", "consumer"] {
        if root.entry_is_empty(key) {
            errors.add(root, key, format!("at least one [[{key}]] is needed"), None);
        }
    }
    let page = page(root);
    if let Some(node) = root.table("page") {
        check_page(node, page, errors);
    }
}

/// The port of SMB, which the box's share has on the same address.
const SMB: u16 = 445;

fn check_page(node: &Node, page: PagePorts, errors: &mut Errors<'_>) {
    if page.http == page.https {
        errors.add(node, "https", format!("port {} is used for both pages", page.http), None);
    }
    for (key, port) in [("http", page.http), ("https", page.https)] {
        if port == SMB {
            errors.add(node, key, format!("port {SMB} is the share's"), None);
        }
    }
}

fn check_ports(root: &Node, errors: &mut Errors<'_>) {
    let ports = root.tables("port");
    refuse_twins(&ports, "name", errors);
    refuse_twins(&ports, "zone", errors);
    let zones: Vec<String> = ports.iter().filter_map(|node| node.text("zone")).collect();
    for zone in Zone::ALL {
        let said = ports.is_empty() || ports.len() > zones.len();
        if !said && !zones.iter().any(|key| key == zone.key()) {
            errors.add(root, "port", format!("no port has zone {:?}", zone.key()), None);
        }
    }
}

fn check_zones(root: &Node, errors: &mut Errors<'_>) {
    let own = |key: &str| root.table(key).and_then(|node| node.prefix("address"));
    if let (Some(clinic), Some(node)) = (own("clinic"), root.table("terminals"))
        && own("terminals").is_some_and(|terminals| terminals.overlaps(&clinic))
    {
        errors.add(node, "address", "the terminals' zone overlaps the clinic's".into(), None);
    }
    for node in ["clinic", "terminals"].iter().filter_map(|key| root.table(key)) {
        let Some(prefix) = node.prefix("address") else { continue };
        if let IpAddr::V4(address) = prefix.address
            && !prefix.is_machine(address)
        {
            let message = format!("{prefix} cannot be a machine's address");
            errors.add(node, "address", message, Some("like 192.0.2.1/24".into()));
        }
    }
}

fn check_terminals(root: &Node, errors: &mut Errors<'_>) {
    let terminals = root.tables("terminal");
    refuse_twins(&terminals, "name", errors);
    let zone = root.table("terminals").and_then(|node| node.prefix("address"));
    let mut taken: Vec<Ipv4Addr> = Vec::new();
    for node in terminals {
        let Some(address) = address(node) else { continue };
        if let Some(zone) = zone
            && (!zone.is_machine(address) || zone.address == IpAddr::V4(address))
        {
            let allowed = format!("another address in {}", zone.as_network());
            errors.add(node, "address", format!("{address} is not a terminal's address"), Some(allowed));
        }
        if taken.contains(&address) {
            errors.add(node, "address", format!("{address} is used twice"), None);
        }
        taken.push(address);
        let host = node.text("share").and_then(|unc| unc[2..].split('\\').next().map(str::to_owned));
        if host.is_some_and(|host| host != address.to_string()) {
            errors.add(
                node,
                "share",
                "the share lies on another host".into(),
                Some(format!(r"\\{address}\…")),
            );
        }
    }
}

/// The JSON Schema of a site file.
pub fn schema() -> serde_json::Value {
    spec::schema("Sekisho site file, version 1", SPEC)
}

#[cfg(test)]
mod tests;
