//! The values of a packet that rules look at, and whether an element is one of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use crate::packet::State;

/// A value of the packet.
pub(super) enum Seen {
    Word(String),
    Number(u16),
    Protocol(u8),
    IcmpType(u8, bool),
    Address(IpAddr),
    /// The sender's link address, which is none that is named.
    Card,
}

/// Whether an element of a set, or what stands on the right side, is what was seen.
pub(super) fn element_has(element: &Value, seen: &[Seen]) -> Result<bool, String> {
    let element = element["elem"].get("val").unwrap_or(element);
    let parts = element["concat"].as_array().map_or_else(|| vec![element], |parts| parts.iter().collect());
    if parts.len() != seen.len() {
        return Err(format!("the element {element}"));
    }
    for (part, seen) in parts.into_iter().zip(seen) {
        if !seen.is_in(part)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Seen {
    fn is_in(&self, part: &Value) -> Result<bool, String> {
        if let (Self::Address(address), Some(prefix)) = (self, part.get("prefix")) {
            let text = format!("{}/{}", prefix["addr"].as_str().unwrap_or_default(), prefix["len"]);
            let prefix: model::site::prefix::Prefix = text.parse().map_err(str::to_owned)?;
            return Ok(prefix.contains(*address));
        }
        if let Some([first, last]) = part["range"].as_array().map(Vec::as_slice) {
            let seen = self.number().ok_or_else(|| format!("the range {part}"))?;
            return Ok(first.as_u64() <= Some(seen) && Some(seen) <= last.as_u64());
        }
        if let (Self::Word(_), Some(states)) = (self, part["|"].as_array()) {
            return together(states).ok_or_else(|| format!("the value {part}"));
        }
        match (self, part) {
            (_, Value::Number(number)) => Ok(number.as_u64() == self.number()),
            (Self::Word(word), Value::String(text)) => Ok(word == text),
            (Self::Card, Value::String(_)) => Ok(false),
            (Self::Address(address), Value::String(text)) => Ok(text.parse() == Ok(*address)),
            (Self::Protocol(protocol), Value::String(text)) => named(PROTOCOLS, *protocol, text),
            (Self::IcmpType(number, true), Value::String(text)) => named(ICMP, *number, text),
            (Self::IcmpType(number, false), Value::String(text)) => named(ICMP6, *number, text),
            _ => Err(format!("the value {part}")),
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some((*number).into()),
            Self::Protocol(number) | Self::IcmpType(number, _) => Some((*number).into()),
            Self::Word(_) | Self::Address(_) | Self::Card => None,
        }
    }
}

/// Several states at once: no packet has two (NF_CT_STATE_BIT).
fn together(states: &[Value]) -> Option<bool> {
    let known = |state: &Value| State::ALL.into_iter().map(State::word).find(|word| *state == **word);
    let states: Option<BTreeSet<&str>> = states.iter().map(known).collect();
    (states?.len() > 1).then_some(false)
}

fn named(table: &[(u8, &str)], number: u8, text: &str) -> Result<bool, String> {
    let known = table.iter().find(|(_, word)| *word == text).ok_or_else(|| format!("the word {text}"))?;
    Ok(known.0 == number)
}

const PROTOCOLS: &[(u8, &str)] = &[(1, "icmp"), (6, "tcp"), (17, "udp"), (50, "esp"), (58, "ipv6-icmp")];

const ICMP: &[(u8, &str)] = &[
    (0, "echo-reply"),
    (3, "destination-unreachable"),
    (8, "echo-request"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
];

const ICMP6: &[(u8, &str)] = &[
    (1, "destination-unreachable"),
    (2, "packet-too-big"),
    (3, "time-exceeded"),
    (4, "parameter-problem"),
    (128, "echo-request"),
    (129, "echo-reply"),
    (130, "mld-listener-query"),
    (131, "mld-listener-report"),
    (132, "mld-listener-done"),
    (133, "nd-router-solicit"),
    (134, "nd-router-advert"),
    (135, "nd-neighbor-solicit"),
    (136, "nd-neighbor-advert"),
    (137, "nd-redirect"),
    (143, "mld2-listener-report"),
];
