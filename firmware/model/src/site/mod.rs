//! The site file: the one file a clinic is described by. Read once at start; everything is checked before
//! anything is opened, and every mistake is said at once with its line and what is allowed.

mod ahead;
mod check;
mod keys;
pub mod maintainers;
pub mod prefix;
mod read;
pub mod spec;
pub mod uplink;
mod value;
pub mod walk;
pub mod zones;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use jiff::civil::Date;

pub use self::keys::SPEC;
use self::prefix::Prefix;
use self::uplink::{Cloud, Internet, Line, Maintainer, Update};
use self::walk::{Errors, Node};
use self::zones::{Claims, Printers};
use crate::calendar::Calendar;
use crate::kind::{self, Kind};
use crate::opening::Opening;
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
    /// Its card's address, if it is written down.
    pub mac: Option<Mac>,
    /// Where its folders are.
    pub folders: Place,
    /// Below which folder of every consumer's share the folders for its requests lie; none: at the root.
    pub requests_below: Option<String>,
    /// The last day of its client certificate, as somebody typed it in.
    pub certificate_until: Option<Date>,
}

/// A card's address, RFC 7042 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl std::str::FromStr for Mac {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octet = |part: &str| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok()).flatten();
        let octets: Option<Vec<u8>> = text.split([':', '-']).map(octet).collect();
        let octets = octets.and_then(|octets| <[u8; 6]>::try_from(octets).ok());
        octets.filter(|octets| octets[0] & 1 == 0).map(Self).ok_or("no card's address")
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
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
    /// Its machine's address, if that is known and fixed.
    pub address: Option<Ipv4Addr>,
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
    /// How the qualification is reached.
    pub line: Line,
    /// The port whose own PPPoE session passes through to the line, if one does.
    pub pppoe_through: Option<String>,
    /// The internet line or session beside it.
    pub internet: Option<Internet>,
    /// Whether the clinic leaves by the internet line.
    pub clinic_internet: bool,
    /// The receipt computer's cloud.
    pub cloud: Option<Cloud>,
    /// Whether the terminals are lent their own addresses by the box.
    pub terminal_dhcp: bool,
    /// Whether the clinic's computers get their addresses from the box.
    pub clinic_dhcp: bool,
    /// Whether the clinic's computers ask the box for names.
    pub clinic_dns: bool,
    /// The claims terminals' zone.
    pub claims: Option<Claims>,
    /// The printers' zone.
    pub printers: Option<Printers>,
    /// Remote maintenance.
    pub maintainer: Option<Maintainer>,
    /// Where updates come from.
    pub update: Option<Update>,
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
    /// What is known beforehand.
    pub calendar: Calendar,
    /// Whether answers are looked into and counted by what they say.
    pub count_outcomes: bool,
    /// Why the box's share lets SMB 2.1 in, if it does.
    pub smb_2_1: Option<String>,
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// Where the page listens.
    pub page: PagePorts,
}

impl Site {
    /// The profile's name a site file asks for, without checking anything else.
    pub fn profile_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        walk::document(text, SPEC, &mut errors)?.text("profile")
    }

    /// The provider's profile a site file asks for on a line by IPsec, likewise.
    pub fn provider_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        walk::document(text, SPEC, &mut errors)?.table("line")?.table("ipsec")?.text("provider")
    }

    /// The profile of the cloud's provider a site file asks for, likewise.
    pub fn cloud_provider_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        walk::document(text, SPEC, &mut errors)?.table("clinic")?.table("cloud")?.text("provider")
    }

    /// The file of authorities of the cloud's services, likewise.
    pub fn cloud_authorities_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        walk::document(text, SPEC, &mut errors)?.table("clinic")?.table("cloud")?.text("authorities")
    }

    /// The name of the secret of a line by PPPoE, likewise.
    pub fn session_login_name(text: &str) -> Option<String> {
        let mut errors = Errors::new("", text);
        let login = walk::document(text, SPEC, &mut errors)?.table("line")?.table("pppoe")?.text("login")?;
        login.strip_prefix("secret:").map(str::to_owned)
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
            check::all(&root, &mut errors);
            let profile = profile.as_ref().ok().cloned()?;
            let kinds = kind::of_site(&profile.kinds, &root, &mut errors);
            check::takes(&root, &kinds, &mut errors);
            check::of_profile(&root, &profile, &mut errors);
            read::site(&root, profile, kinds)
        });
        let mut list = errors.into_list();
        list.extend(profile.err().unwrap_or_default());
        match site {
            Some(site) if list.is_empty() => Ok(site),
            _ => Err(list),
        }
    }

    /// The port of a zone; every zone of [`Zone::NEEDED`] has exactly one, the checker saw to it.
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

pub(crate) fn addresses4(node: &Node, key: &str) -> Vec<Ipv4Addr> {
    let v4 = |address| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    node.addresses(key).into_iter().filter_map(v4).collect()
}

/// The JSON Schema of a site file.
pub fn schema() -> serde_json::Value {
    spec::schema("Sekisho site file, version 1", SPEC)
}

#[cfg(test)]
mod tests;
