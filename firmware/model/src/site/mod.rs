//! The site file: the one file a clinic is described by. Read once at start; everything is checked before
//! anything is opened, and every mistake is said at once with its line and what is allowed.

pub mod prefix;
pub mod spec;
pub mod walk;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use self::prefix::Prefix;
use self::spec::{Key, Shape};
use self::walk::{Errors, Node, refuse_twins};
use crate::kind::{self, Kind};
use crate::opening::{self, Opening};
use crate::parcel::Direction;
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
    /// Where its folders are.
    pub folders: Place,
    /// Below which folder of every consumer's share the folders for its requests lie; none: at the root.
    pub requests_below: Option<String>,
}

/// Where the shared folders of one end are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A share the box itself exports, by this name.
    Own {
        /// The share's name.
        share: String,
    },
    /// A share of another machine.
    Remote {
        /// That machine.
        address: Ipv4Addr,
        /// The share's name on it (the part behind `\\ADDRESS\`).
        share: String,
        /// The name of the secret that holds user and password of the share.
        login: String,
    },
    /// A folder of this machine.
    Local {
        /// Its path.
        path: PathBuf,
    },
}

/// Somebody who takes answers from the clinic's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name, and its share account's.
    pub name: String,
    /// Where its folders are.
    pub folders: Place,
    /// The folders of answers it wants a copy of; none: every one.
    pub takes: Vec<String>,
}

impl Consumer {
    /// Whether it wants a copy of what arrives in this folder.
    pub fn takes(&self, folder: &str) -> bool {
        self.takes.is_empty() || self.takes.iter().any(|wanted| wanted.eq_ignore_ascii_case(folder))
    }
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
    /// The kinds that are carried: the profile's, changed by the site file.
    pub kinds: Vec<Kind>,
    /// The days the clinic is open.
    pub opening: Opening,
    /// Whether answers are looked into and counted by what they say.
    pub count_outcomes: bool,
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
    Key::optional("share", Shape::Unc, "the shared folder with req, res and face; with login"),
    Key::optional("login", Shape::Secret, "user and password of the share, by reference"),
    Key::optional("path", Shape::Path, "instead of share and login: that folder, if it lies on this machine"),
    Key::optional(
        "requests-below",
        Shape::Folder,
        "folder of the clinic's share its request folders lie in; at the root if absent",
    ),
];

const CONSUMER: &[Key] = &[
    Key::required("name", Shape::Account, "who takes the answers; also its account on the box's share"),
    Key::optional("share", Shape::Share, "its share on the box, OQS if absent; each consumer has its own"),
    Key::optional("remote", Shape::Unc, "instead: a shared folder of its own machine; with login"),
    Key::optional("login", Shape::Secret, "user and password of the remote share, by reference"),
    Key::optional("path", Shape::Path, "instead: a folder of this machine"),
    Key::optional("takes", Shape::Texts, "the folders of answers it wants a copy of, all if absent"),
];

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

const RELAY: &[Key] = &[Key::optional(
    "count-outcomes",
    Shape::Boolean,
    "look into answers and count how many are errors, false if absent; nothing of them is kept",
)];

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
    Key::optional("kind", Shape::Tables(kind::SITE_SPEC), "changes to the profile's table of kinds"),
    Key::optional("relay", Shape::Table(RELAY), "how files are carried"),
    Key::optional("opening", Shape::Table(opening::SPEC), "the days a time to live counts"),
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
            let profile = profile.as_ref().ok().cloned()?;
            let kinds = kind::of_site(&profile.kinds, &root, &mut errors);
            check_takes(&root, &kinds, &mut errors);
            read(&root, profile, kinds)
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

    /// The consumers whose folders the box itself exports, and the names of their shares.
    pub fn shares(&self) -> impl Iterator<Item = (&Consumer, &str)> {
        self.consumers.iter().filter_map(|consumer| match &consumer.folders {
            Place::Own { share } => Some((consumer, share.as_str())),
            Place::Remote { .. } | Place::Local { .. } => None,
        })
    }

    /// The machines of the clinic whose own shares the relay opens.
    pub fn remote_consumers(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.consumers.iter().filter_map(|consumer| match &consumer.folders {
            Place::Remote { address, .. } => Some(*address),
            Place::Own { .. } | Place::Local { .. } => None,
        })
    }

    /// The logins of shares elsewhere: the name of each secret, and of the terminal or consumer whose share it opens.
    pub fn logins(&self) -> impl Iterator<Item = (&str, &str)> {
        let terminals = self.terminals.iter().map(|one| (&one.folders, one.name.as_str()));
        let consumers = self.consumers.iter().map(|one| (&one.folders, one.name.as_str()));
        terminals.chain(consumers).filter_map(|(folders, name)| match folders {
            Place::Remote { login, .. } => Some((login.as_str(), name)),
            Place::Own { .. } | Place::Local { .. } => None,
        })
    }

    /// Whom to call for a party.
    pub fn contact(&self, party: Party) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.party == party)
    }
}

fn read(root: &Node, profile: Profile, kinds: Vec<Kind>) -> Option<Site> {
    Some(Site {
        profile,
        kinds,
        count_outcomes: root
            .table("relay")
            .and_then(|relay| relay.boolean("count-outcomes"))
            .unwrap_or(false),
        opening: Opening::read(root.table("opening")),
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
    Some(Terminal {
        name: node.text("name")?,
        address: address(node)?,
        folders: remote(node, "share").or_else(|| local(node))?,
        requests_below: node.text("requests-below"),
    })
}

fn remote(node: &Node, key: &str) -> Option<Place> {
    let unc = node.text(key)?;
    let (host, share) = unc.strip_prefix(r"\\")?.split_once('\\')?;
    let login = node.text("login")?.strip_prefix("secret:")?.to_owned();
    Some(Place::Remote { address: host.parse().ok()?, share: share.to_owned(), login })
}

fn local(node: &Node) -> Option<Place> {
    Some(Place::Local { path: node.text("path")?.into() })
}

fn address(node: &Node) -> Option<Ipv4Addr> {
    match node.addresses("address").first()? {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    }
}

fn consumers(root: &Node) -> Vec<Consumer> {
    let consumer = |node: &&Node| {
        let own = || Place::Own { share: own_share(node) };
        let folders = remote(node, "remote").or_else(|| local(node)).unwrap_or_else(own);
        Some(Consumer { name: node.text("name")?, folders, takes: node.texts("takes") })
    };
    root.tables("consumer").iter().filter_map(consumer).collect()
}

/// The share of a consumer that names none.
const OWN_SHARE: &str = "OQS";

fn own_share(node: &Node) -> String {
    node.text("share").unwrap_or_else(|| OWN_SHARE.to_owned())
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
    check_consumers(root, errors);
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
    check_below(&terminals, errors);
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
        check_place(node, "share", true, errors);
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

/// A folder of requests has one terminal.
fn check_below(terminals: &[&Node], errors: &mut Errors<'_>) {
    let mut taken: Vec<Option<String>> = Vec::new();
    for node in terminals {
        let below = node.text("requests-below").map(|folder| folder.to_ascii_lowercase());
        if taken.contains(&below) {
            let message = "another terminal takes the requests from there".to_owned();
            errors.add(node, "requests-below", message, Some("a folder of its own".into()));
        }
        taken.push(below);
    }
}

/// One end has one place: a share and its login, or a path.
fn check_place(node: &Node, remote: &str, needed: bool, errors: &mut Errors<'_>) {
    let (share, login, path) = (node.has(remote), node.has("login"), node.has("path"));
    // A value that was refused has been said; what is missing beside it would be said twice.
    match (share, login, path) {
        (true, false, false) if !node.was_given("login") => {
            errors.add(node, "login", format!("{remote} needs a login"), Some("secret:NAME".into()));
        }
        (false, true, false) if !node.was_given(remote) => {
            errors.add(node, remote, format!("a login is of no use without {remote}"), None);
        }
        (_, _, true) if share || login => {
            errors.add(node, "path", format!("either {remote} and login, or path"), None);
        }
        (false, false, false) if needed && !node.was_given(remote) && !node.was_given("path") => {
            errors.add(node, remote, format!("{remote} and login are missing"), Some("or path".into()));
        }
        _ => {}
    }
}

fn check_consumers(root: &Node, errors: &mut Errors<'_>) {
    let consumers = root.tables("consumer");
    refuse_twins(&consumers, "name", errors);
    let zone = root.table("clinic").and_then(|node| node.prefix("address"));
    let mut shares: Vec<String> = Vec::new();
    for node in consumers {
        check_place(node, "remote", false, errors);
        if let (Some(Place::Remote { address, .. }), Some(zone)) = (remote(node, "remote"), zone)
            && (!zone.is_machine(address) || zone.address == IpAddr::V4(address))
        {
            let allowed = format!("another address in {}", zone.as_network());
            errors.add(node, "remote", format!("{address} is not a machine of the clinic"), Some(allowed));
        }
        if node.has("remote") || node.has("path") {
            if node.has("share") {
                errors.add(node, "share", "its folders are elsewhere".into(), None);
            }
            continue;
        }
        let share = own_share(node);
        if shares.iter().any(|other| other.eq_ignore_ascii_case(&share)) {
            let allowed = Some("a share of its own".into());
            errors.add(node, "share", format!("the share {share:?} is another consumer's"), allowed);
        }
        shares.push(share);
    }
}

/// What is taken are folders in which answers arrive, and what lies below a terminal's folder is no other's.
fn check_takes(root: &Node, kinds: &[Kind], errors: &mut Errors<'_>) {
    let answers = || kinds.iter().filter(|kind| kind.direction == Direction::Answer);
    for node in root.tables("consumer") {
        for folder in node.texts("takes") {
            if !answers().any(|kind| kind.folder.eq_ignore_ascii_case(&folder)) {
                let mut known: Vec<&str> = answers().map(|kind| kind.folder.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                let message = format!("no answers arrive in {folder:?}");
                errors.add(node, "takes", message, Some(known.join(", ")));
            }
        }
    }
    for node in root.tables("terminal") {
        let below = node.text("requests-below");
        if let Some(kind) = kinds
            .iter()
            .find(|kind| below.as_ref().is_some_and(|below| below.eq_ignore_ascii_case(&kind.folder)))
        {
            let message = format!("{:?} is a folder of kind {:?}", kind.folder, kind.key);
            errors.add(node, "requests-below", message, None);
        }
    }
}

/// The JSON Schema of a site file.
pub fn schema() -> serde_json::Value {
    spec::schema("Sekisho site file, version 1", SPEC)
}

#[cfg(test)]
mod tests;
