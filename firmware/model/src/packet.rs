//! One packet, as far as the firewall's rules can look at it: a counterexample of its prover is one, and a question to
//! its explanation.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Which hooks a packet passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// From a port to the box itself.
    Input,
    /// From a port through the box to a port.
    Forward,
    /// From the box to a port.
    Output,
}

/// What connection tracking says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Belongs to no flow and cannot open one.
    Invalid,
    /// Belongs to a flow that was answered.
    Established,
    /// An error about a flow.
    Related,
    /// Opens a flow.
    New,
    /// Not tracked, as neighbour discovery is.
    Untracked,
}

impl State {
    /// Every state; its place here is its number in the prover.
    pub const ALL: [Self; 5] = [Self::Invalid, Self::Established, Self::Related, Self::New, Self::Untracked];

    /// nft's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Established => "established",
            Self::Related => "related",
            Self::New => "new",
            Self::Untracked => "untracked",
        }
    }
}

/// One packet. Fields its protocol does not have are there and mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Packet {
    /// The hooks it passes.
    pub path: Path,
    /// The port it came in by; empty on [`Path::Output`].
    pub from_port: String,
    /// The port it leaves by; empty on [`Path::Input`].
    pub to_port: String,
    /// Source.
    pub source: IpAddr,
    /// Destination, of the same family.
    pub destination: IpAddr,
    /// The transport protocol's number.
    pub protocol: u8,
    /// Whether the transport header is there to be read: not in a later fragment or a cut packet.
    pub readable: bool,
    /// Source port.
    pub source_service: u16,
    /// Destination port.
    pub destination_service: u16,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub icmp_code: u8,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Connection tracking's word.
    pub state: State,
}

impl Packet {
    /// Whether `other` belongs to the flow this packet opens: the same ends, in either direction, or an
    /// ICMP error that goes to one of its ends.
    pub fn opens_flow_of(&self, other: &Self) -> bool {
        if other.state == State::Related {
            let ends = [self.source, self.destination];
            return matches!(other.protocol, 1 | 58) && ends.contains(&other.destination);
        }
        let ends = |packet: &Self| {
            let ports = matches!(packet.protocol, 6 | 17)
                .then_some([packet.source_service, packet.destination_service]);
            (packet.source, packet.destination, packet.protocol, ports)
        };
        let (source, destination, protocol, ports) = ends(self);
        let back = (destination, source, protocol, ports.map(|[from, to]| [to, from]));
        ends(other) == (source, destination, protocol, ports) || ends(other) == back
    }
}

impl fmt::Display for Packet {
    /// "a new IPv4 packet (TCP from port 50000 to port 445) from 198.51.100.10 at lan0 to 192.0.2.2 at term0".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if matches!(self.state, State::New | State::Related) { "a" } else { "an" };
        let family = if self.source.is_ipv4() { "IPv4" } else { "IPv6" };
        write!(f, "{article} {} {family} packet (", self.state.word())?;
        let (from, to) = (self.source_service, self.destination_service);
        match self.protocol {
            other if !self.readable => write!(f, "protocol {other} without a readable header")?,
            6 => write!(f, "TCP from port {from} to port {to}")?,
            17 => write!(f, "UDP from port {from} to port {to}")?,
            1 => write!(f, "ICMP type {} code {}", self.icmp_type, self.icmp_code)?,
            58 => write!(
                f,
                "ICMPv6 type {} code {}, hop limit {}",
                self.icmp_type, self.icmp_code, self.hop_limit
            )?,
            other => write!(f, "protocol {other}")?,
        }
        let place = |port: &str| if port.is_empty() { "the box".to_owned() } else { port.to_owned() };
        let (from, to) = (place(&self.from_port), place(&self.to_port));
        write!(f, ") from {} at {from} to {} at {to}", self.source, self.destination)
    }
}
