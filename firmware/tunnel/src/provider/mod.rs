//! What the provider of an IPsec+IKE connection asks of a box: one TOML file, filled in from the contract sheet.
//! Data, checked by the same walker as the site file: every mistake at once, each with its line.

mod check;
mod keys;

use std::net::Ipv4Addr;

use model::site::SiteError;
use model::site::prefix::Prefix;
use model::site::walk::{self, Errors, Node};

pub use self::keys::SPEC;
use crate::strength;

/// A provider's profile, filled in and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The provider's or service's name.
    pub name: String,
    /// IKE's version, and its mode if that is 1.
    pub ike: Ike,
    /// Transforms of IKE, in the order they are offered.
    pub ike_proposals: Vec<String>,
    /// Transforms of the traffic.
    pub esp_proposals: Vec<String>,
    /// The box's identity.
    pub own_id: String,
    /// The gateway's.
    pub peer_id: String,
    /// How both prove who they are.
    pub authentication: Authentication,
    /// What lies behind the tunnel.
    pub networks: Vec<Prefix>,
    /// Where the inner address comes from.
    pub inner: Inner,
    /// Dead peer detection: asked after so many seconds of silence.
    pub dpd_delay_s: u32,
    /// Dead after so many seconds without an answer; also the patience of every other exchange.
    pub dpd_patience_s: u32,
    /// Lifetimes of the keys.
    pub rekey: Rekey,
    /// Addresses may change (RFC 4555).
    pub mobike: bool,
    /// IKE in fragments (RFC 7383).
    pub fragmentation: bool,
    /// Weak transforms are borne.
    pub legacy: Option<Legacy>,
}

/// Which IKE is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ike {
    /// RFC 7296.
    V2,
    /// RFC 2409, by the profile only.
    V1 {
        /// Its aggressive mode, in which the identity goes in the clear.
        aggressive: bool,
    },
}

/// How both sides prove who they are. The name is a secret's; the secret itself is put on the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// A shared key.
    Psk {
        /// The secret's name.
        secret: String,
    },
    /// Certificates on both sides.
    Certificate {
        /// The name of the secret with key and certificate, PEM.
        secret: String,
        /// PEM file with the authorities of the gateway's certificate, beside the profile.
        authorities: String,
    },
}

impl Authentication {
    /// The secret's name.
    pub fn secret(&self) -> &str {
        match self {
            Self::Psk { secret } | Self::Certificate { secret, .. } => secret,
        }
    }
}

/// Where the inner address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// The gateway gives one.
    ModeConfig,
    /// The contract names one.
    Fixed(Ipv4Addr),
    /// There is none: terminals keep their own addresses.
    Routed,
}

/// Lifetimes of keys, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rekey {
    /// IKE's.
    pub ike_s: u32,
    /// The traffic's.
    pub esp_s: u32,
    /// When both prove themselves anew, if ever.
    pub reauthenticate_s: Option<u32>,
}

/// Who answers for weak transforms, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Legacy {
    /// Who.
    pub approved_by: String,
    /// Why.
    pub why: String,
}

impl Provider {
    /// Reads and checks a profile. `file` is the name that errors carry; `routed` is the site file's word that terminals
    /// keep their addresses.
    ///
    /// # Errors
    /// Every mistake in it, with its place; a syntax error is alone. A profile that nobody filled in is one mistake that
    /// names all that is missing.
    pub fn parse(file: &str, text: &str, routed: bool) -> Result<Self, Vec<SiteError>> {
        let mut errors = Errors::new(file, text);
        let root = walk::document(text, SPEC, &mut errors);
        let provider = root.and_then(|root| {
            check::all(&root, routed, &mut errors);
            read(&root, routed)
        });
        match provider {
            Some(provider) if errors.is_empty() => Ok(provider),
            _ => Err(errors.into_list()),
        }
    }

    /// How long it takes at most until a gateway that fell silent is known to be dead, seconds.
    pub const fn dead_after_s(&self) -> u32 {
        self.dpd_delay_s + self.dpd_patience_s
    }
}

fn read(root: &Node, routed: bool) -> Option<Provider> {
    let (inside, rekey, dpd) = (root.table("inside")?, root.table("rekey"), root.table("dpd"));
    let seconds = |node: Option<&Node>, key| {
        node.and_then(|node| node.integer(key)).and_then(|number| u32::try_from(number).ok())
    };
    let yes = |key| root.boolean(key).unwrap_or(true);
    Some(Provider {
        name: root.text("name")?,
        ike: match root.integer("ike") {
            Some(1) => Ike::V1 { aggressive: root.boolean("aggressive") == Some(true) },
            _ => Ike::V2,
        },
        ike_proposals: proposals(root, "ike-proposals", true)?,
        esp_proposals: proposals(root, "esp-proposals", false)?,
        own_id: root.table("own")?.text("id")?,
        peer_id: root.table("peer")?.text("id")?,
        authentication: authentication(root.table("authentication")?)?,
        networks: inside.prefixes("networks"),
        inner: inner(inside, routed)?,
        dpd_delay_s: seconds(dpd, "delay-s").unwrap_or(10),
        dpd_patience_s: seconds(dpd, "patience-s").unwrap_or(8),
        rekey: Rekey {
            ike_s: seconds(rekey, "ike-s").unwrap_or(14_400),
            esp_s: seconds(rekey, "esp-s").unwrap_or(3_600),
            reauthenticate_s: seconds(rekey, "reauthenticate-s"),
        },
        mobike: yes("mobike"),
        fragmentation: yes("fragmentation"),
        legacy: root.table("legacy").and_then(legacy),
    })
}

fn proposals(root: &Node, key: &str, ike: bool) -> Option<Vec<String>> {
    root.texts(key).iter().map(|text| strength::read(text, ike).ok().map(|read| read.text)).collect()
}

fn authentication(node: &Node) -> Option<Authentication> {
    let secret = node.text("secret")?.strip_prefix("secret:")?.to_owned();
    Some(match node.text("method")?.as_str() {
        "psk" => Authentication::Psk { secret },
        _ => Authentication::Certificate { secret, authorities: node.text("authorities")? },
    })
}

fn inner(node: &Node, routed: bool) -> Option<Inner> {
    if node.boolean("mode-config").unwrap_or(!routed) {
        return Some(Inner::ModeConfig);
    }
    if routed {
        return Some(Inner::Routed);
    }
    node.addresses("address").into_iter().find_map(|address| match address {
        std::net::IpAddr::V4(address) => Some(Inner::Fixed(address)),
        std::net::IpAddr::V6(_) => None,
    })
}

fn legacy(node: &Node) -> Option<Legacy> {
    Some(Legacy { approved_by: node.text("approved-by")?, why: node.text("why")? })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use self::tests::FILLED;
