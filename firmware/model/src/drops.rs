//! What the firewall refused: the newest refusals, and what each line of the ruleset has counted. No payload is in it.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// What `netd` tells of refusals: `GET /drops` on its socket, and `sekisho policy drops --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// Since when the lines count: that begins anew with each change of the ruleset. None if it was found in the kernel.
    pub counted_since: Option<Timestamp>,
    /// Every line that counts, in the order of the ruleset.
    pub lines: Vec<Line>,
    /// The newest refusals, newest first, at most [`Drops::KEPT`]. A line is logged a few times a second at the most:
    /// how many packets there were is what it counts.
    pub newest: Vec<Refusal>,
    /// How many of the kernel's messages were lost since `netd` started.
    pub lost: u64,
    /// Why refusals are not heard; none if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deaf: Option<String>,
}

impl Drops {
    /// So many refusals are kept,
    pub const KEPT: usize = 256;
    /// and at most so many of one line, that a flood at one does not take away what the others refused.
    pub const KEPT_OF_A_LINE: usize = 32;
}

/// What a line of the ruleset has counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The rule's id, as in docs/security.md.
    pub rule: String,
    /// The policy line it stands for, in words.
    pub says: String,
    /// Whether it lets pass what it counts; else it refuses.
    pub accepts: bool,
    /// Packets since [`Drops::counted_since`].
    pub packets: u64,
    /// Octets since then.
    pub bytes: u64,
}

/// Packets that one line refused and that differ in nothing but their source port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When the newest was logged.
    pub at: Timestamp,
    /// How many were logged.
    pub times: u64,
    /// The rule's id.
    pub rule: String,
    /// The policy line it stands for, in words.
    pub says: String,
    /// Where it came from.
    pub from: Place,
    /// Where it was going.
    pub to: Place,
    /// The newest packet.
    pub packet: Seen,
}

/// An end of a packet's way through the box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The port; empty: the box itself.
    pub port: String,
    /// The port's zone; none for the box, and for a port nobody planned.
    pub zone: Option<Zone>,
}

/// What is told of a packet: its header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Source.
    pub source: IpAddr,
    /// Destination.
    pub destination: IpAddr,
    /// The transport protocol's number.
    pub protocol: u8,
    /// Source and destination port of TCP and UDP; none if the header was not there to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<[u16; 2]>,
    /// Type and code of ICMP and ICMPv6; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp: Option<[u8; 2]>,
}

impl fmt::Display for Seen {
    /// "TCP 192.0.2.77 port 50000 → 192.0.2.1 port 445".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source, self.destination);
        match self.protocol {
            1 => f.write_str("ICMP")?,
            6 => f.write_str("TCP")?,
            17 => f.write_str("UDP")?,
            58 => f.write_str("ICMPv6")?,
            other => write!(f, "protocol {other}")?,
        }
        match (self.services, self.icmp) {
            (Some([from, to]), _) => write!(f, " {source} port {from} → {destination} port {to}"),
            (_, Some([kind, code])) => write!(f, " type {kind} code {code} {source} → {destination}"),
            _ => write!(f, " {source} → {destination}"),
        }
    }
}

impl fmt::Display for Refusal {
    /// "TCP 192.0.2.77 port 50000 → 192.0.2.1 port 445, from terminal (term0) to the box".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, from {} to {}", self.packet, self.from, self.to)
    }
}

impl fmt::Display for Place {
    /// "terminal (term0)", "a port nobody planned (eth3)", "the box".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone {
            _ if self.port.is_empty() => f.write_str("the box"),
            Some(zone) => write!(f, "{} ({})", zone.key(), self.port),
            None => write!(f, "a port nobody planned ({})", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_sentence_without_payload() {
        let packet = Seen {
            source: [192, 0, 2, 77].into(),
            destination: [192, 0, 2, 1].into(),
            protocol: 6,
            services: Some([50_000, 445]),
            icmp: None,
        };
        let refusal = Refusal {
            at: Timestamp::UNIX_EPOCH,
            times: 1,
            rule: "terminal-input-rest".into(),
            says: "a terminal reaches nothing else of the box (5)".into(),
            from: Place { port: "term0".into(), zone: Some(Zone::Terminal) },
            to: Place::default(),
            packet: packet.clone(),
        };
        let words = "TCP 192.0.2.77 port 50000 → 192.0.2.1 port 445, from terminal (term0) to the box";
        assert_eq!(refusal.to_string(), words);
        let ping = Seen { protocol: 1, services: None, icmp: Some([8, 0]), ..packet.clone() };
        assert_eq!(ping.to_string(), "ICMP type 8 code 0 192.0.2.77 → 192.0.2.1");
        let fragment = Seen { services: None, ..packet };
        assert_eq!(fragment.to_string(), "TCP 192.0.2.77 → 192.0.2.1");
        assert_eq!(Place { port: "eth3".into(), zone: None }.to_string(), "a port nobody planned (eth3)");
    }
}
