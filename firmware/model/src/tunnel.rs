//! The tunnel to the qualification's provider, as `netd` publishes it. No secret and no name of a secret is in it.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `netd`: the tunnel of the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TunnelPart {
    /// Where it stands.
    pub state: TunnelState,
    /// Since when.
    pub since: Timestamp,
    /// The gateway that it leads to, or that is being called.
    pub gateway: Option<IpAddr>,
    /// The inner address, if the gateway gave one.
    pub inner: Option<Ipv4Addr>,
    /// Why the last call ended without a tunnel.
    pub trouble: Option<Trouble>,
    /// Calls in a row that ended so.
    pub failed: u32,
    /// It stood with this same secret before.
    pub ever_stood: bool,
}

/// Where a tunnel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TunnelState {
    /// The daemon that speaks IKE does not answer.
    Away,
    /// A gateway is being called.
    Calling,
    /// Nothing stands; it is tried again.
    Waiting,
    /// It stands.
    Up,
}

/// Why a call ended without a tunnel, or a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Nothing came back.
    Silent,
    /// The first exchange was answered, the second, on port 4500, was not.
    SilentNat,
    /// The gateway takes none of the transforms of the profile.
    NoProposal,
    /// The gateway does not believe that we are who we say.
    AuthenticationRefused,
    /// We do not believe that the gateway is who it says.
    GatewayNotBelieved,
    /// The gateway's certificate has expired.
    GatewayExpired,
    /// Our own certificate or key cannot be used.
    OwnSecret,
    /// The gateway agrees to no networks, or gives no inner address.
    NotAgreed,
    /// It stood, and ended as soon.
    Ended,
    /// Something else, which is in the log.
    Other,
}

impl Trouble {
    /// Whether somebody refused, and will do so again.
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Self::Silent | Self::SilentNat | Self::Ended | Self::Other)
    }
}

impl TunnelPart {
    /// Nothing is known yet.
    pub const fn away(now: Timestamp) -> Self {
        Self {
            state: TunnelState::Away,
            since: now,
            gateway: None,
            inner: None,
            trouble: None,
            failed: 0,
            ever_stood: false,
        }
    }
}
