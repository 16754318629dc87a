//! The two sides of a comparison: which fields it reads, and which values it means.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::cube::{Conditions, Field, NO_MAC};
use super::ports::Ports;
use super::span::Span;
use crate::packet::State;

/// One of them must hold.
pub(super) type Alternatives = Vec<Conditions>;

/// How the values of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Port,
    /// Of an index: only the loopback's index is the same for ever.
    PortIndex,
    Number,
    Family,
    EtherType,
    Protocol,
    Address4,
    Address6,
    Icmp,
    Icmp6,
    State,
    Mac,
}

impl Kind {
    /// Whether a number means itself: families and states are words, their numbers in nft are not ours.
    const fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::Number | Self::Protocol | Self::Icmp | Self::Icmp6 | Self::Address4 | Self::Address6
        )
    }
}

/// The left side: fields in the order of a tuple.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) requires: Conditions,
    /// What may match as well: nft lists `icmpv6 type` without saying whether the rule asks for the family
    /// (`meta l4proto icmpv6 icmpv6 type …` does not), and then ICMPv6 in IPv4 fits.
    pub(super) twins: Option<Conditions>,
    fields: Vec<(Field, Kind)>,
}

impl Left {
    /// Which fields are looked at.
    pub(super) fn asks(&self) -> Vec<Field> {
        self.fields.iter().map(|(field, _)| *field).collect()
    }
}

const ICMP: u8 = 1;
const ICMP6: u8 = 58;

pub(super) fn left(value: &Value) -> Result<Left, String> {
    if let Some(parts) = value.get("concat").and_then(Value::as_array) {
        let mut whole = Left { requires: Vec::new(), twins: None, fields: Vec::new() };
        for part in parts {
            let part = left(part)?;
            whole.requires.extend(part.requires);
            whole.twins = whole.twins.or(part.twins);
            whole.fields.extend(part.fields);
        }
        return Ok(whole);
    }
    let known = match value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()) {
        Some((name, body)) if name == "meta" => meta(body),
        Some((name, body)) if name == "payload" => payload(body),
        Some((name, body)) if name == "ct" && is_plain(body, 1).is_some() && body["key"] == "state" => {
            Some((Vec::new(), Field::State, Kind::State))
        }
        _ => None,
    };
    let (requires, field, kind) = known.ok_or_else(|| format!("the expression {value}"))?;
    let twins = matches!(field, Field::IcmpType | Field::IcmpCode).then(|| other_family(&requires));
    Ok(Left { requires, twins, fields: vec![(field, kind)] })
}

fn other_family(requires: &Conditions) -> Conditions {
    let turned = |(field, span): &(Field, Span)| match field {
        Field::Family => (*field, span.not().and(&Span::range(4_u8, 6_u8))),
        _ => (*field, span.clone()),
    };
    requires.iter().map(turned).collect()
}

/// What fits `meta l4proto icmp` or `ipv6-icmp` as well: nft does not list that the rule asks for the family before that.
pub(super) fn carried_by_the_other(left: &Left, alternatives: &Alternatives) -> Option<Conditions> {
    let [(Field::Protocol, _)] = left.fields.as_slice() else { return None };
    let asks_family = left.requires.iter().any(|(field, _)| *field == Field::Family);
    let [only] = alternatives.as_slice() else { return None };
    let other = [(ICMP, 6_u8), (ICMP6, 4)].into_iter().find_map(|(protocol, other)| {
        let protocol = (Field::Protocol, Span::one(protocol));
        only.contains(&protocol).then(|| vec![(Field::Family, Span::one(other)), protocol])
    });
    other.filter(|_| !asks_family)
}

type Known = (Conditions, Field, Kind);

/// Exactly so many keys: one more (`tunnel`, `dir`, …) means something else.
fn is_plain(body: &Value, keys: usize) -> Option<()> {
    body.as_object().filter(|map| map.len() == keys).map(drop)
}

fn meta(body: &Value) -> Option<Known> {
    is_plain(body, 1)?;
    let key = body.get("key")?.as_str()?;
    let (field, kind) = match key {
        "iifname" => (Field::From, Kind::Port),
        "oifname" => (Field::To, Kind::Port),
        "iif" => (Field::From, Kind::PortIndex),
        "oif" => (Field::To, Kind::PortIndex),
        "nfproto" => (Field::Family, Kind::Family),
        "protocol" => (Field::Family, Kind::EtherType),
        "l4proto" => (Field::Protocol, Kind::Protocol),
        "mark" => (Field::Mark, Kind::Number),
        _ => return None,
    };
    let there = (key == "l4proto").then(|| (Field::Protocol, Span::range(0_u8, u8::MAX)));
    Some((there.into_iter().collect(), field, kind))
}

fn payload(body: &Value) -> Option<Known> {
    is_plain(body, 2)?;
    let family = |version: u8| vec![(Field::Family, Span::one(version))];
    let transport = |protocols: &[u8], there: Span| {
        let spans = protocols.iter().map(|protocol| Span::one(*protocol));
        let protocol = (!protocols.is_empty()).then(|| (Field::Protocol, Span::any_of(spans)));
        protocol.into_iter().chain([(Field::Readable, there)]).collect::<Conditions>()
    };
    let icmp = |version, protocol, there| [family(version), transport(&[protocol], there)].concat();
    let (protocol, field) = (body.get("protocol")?.as_str()?, body.get("field")?.as_str()?);
    let known = match (protocol, field) {
        ("ether", "saddr") => (vec![(Field::Mac, Span::one(NO_MAC).not())], Field::Mac, Kind::Mac),
        ("ip", "saddr") => (family(4), Field::Source, Kind::Address4),
        ("ip", "daddr") => (family(4), Field::Destination, Kind::Address4),
        ("ip", "protocol") => (family(4), Field::Protocol, Kind::Protocol),
        ("ip", "ttl") => (family(4), Field::HopLimit, Kind::Number),
        ("ip6", "saddr") => (family(6), Field::Source, Kind::Address6),
        ("ip6", "daddr") => (family(6), Field::Destination, Kind::Address6),
        ("ip6", "hoplimit") => (family(6), Field::HopLimit, Kind::Number),
        ("icmp", "type") => (icmp(4, ICMP, has_type()), Field::IcmpType, Kind::Icmp),
        ("icmp", "code") => (icmp(4, ICMP, has_code()), Field::IcmpCode, Kind::Number),
        ("icmpv6", "type") => (icmp(6, ICMP6, has_type()), Field::IcmpType, Kind::Icmp6),
        ("icmpv6", "code") => (icmp(6, ICMP6, has_code()), Field::IcmpCode, Kind::Number),
        (_, "sport") => (transport(carriers(protocol)?, has_code()), Field::SourceService, Kind::Number),
        (_, "dport") => {
            (transport(carriers(protocol)?, has_ports()), Field::DestinationService, Kind::Number)
        }
        _ => return None,
    };
    Some(known)
}

/// The first octet of the transport is there, or two of them, or four.
pub(super) fn has_type() -> Span {
    Span::range(1_u8, 4_u8)
}

fn has_code() -> Span {
    Span::range(1_u8, 3_u8)
}

pub(super) fn has_ports() -> Span {
    Span::range(1_u8, 2_u8)
}

/// The protocols whose header begins with two ports; none listed: whatever is carried.
fn carriers(protocol: &str) -> Option<&'static [u8]> {
    match protocol {
        "tcp" => Some(&[6]),
        "udp" => Some(&[17]),
        "sctp" => Some(&[132]),
        "dccp" => Some(&[33]),
        "udplite" => Some(&[136]),
        "th" => Some(&[]),
        _ => None,
    }
}

/// The conditions of one element.
pub(super) fn tuple(left: &Left, element: &Value, ports: &mut Ports) -> Result<Conditions, String> {
    let element = element.get("elem").and_then(|elem| elem.get("val")).unwrap_or(element);
    let parts = match (left.fields.as_slice(), element.get("concat").and_then(Value::as_array)) {
        ([_], None) => std::slice::from_ref(element),
        (fields, Some(parts)) if fields.len() == parts.len() => parts.as_slice(),
        _ => return Err(format!("the element {element}")),
    };
    left.fields
        .iter()
        .zip(parts)
        .map(|((field, kind), part)| Ok((*field, value(*kind, part, ports)?)))
        .collect()
}

/// `<`, `<=`, `>`, `>=` on one number.
pub(super) fn ordered(
    left: &Left,
    op: &str,
    right: &Value,
    ports: &mut Ports,
) -> Result<Alternatives, String> {
    let [(field, kind)] = left.fields.as_slice() else { return Err(format!("the operator {op} on a tuple")) };
    let number = value(*kind, right, ports)?.bounds().filter(|(first, last)| first == last);
    let (Some((number, _)), Kind::Number | Kind::Address4 | Kind::Address6) = (number, kind) else {
        return Err(format!("the operator {op} before {right}"));
    };
    let span = match op {
        "<" => number.checked_sub(1).map_or_else(Span::none, |last| Span::range(0_u8, last)),
        "<=" => Span::range(0_u8, number),
        ">" => Span::range(number, u128::MAX).and(&Span::one(number).not()),
        ">=" => Span::range(number, u128::MAX),
        _ => return Err(format!("the operator {op}")),
    };
    Ok(vec![vec![(*field, span)]])
}

fn value(kind: Kind, value: &Value, ports: &mut Ports) -> Result<Span, String> {
    let unknown = || format!("the value {value}");
    if let Some(prefix) = value.get("prefix") {
        return prefixed(kind, prefix).ok_or_else(unknown);
    }
    if let Some(Value::Array(ends)) = value.get("range").filter(|_| kind.is_ordered()) {
        let ends: Result<Vec<u128>, String> = ends.iter().map(|end| single(kind, end, ports)).collect();
        return match ends?.as_slice() {
            [first, last] => Ok(Span::range(*first, *last)),
            _ => Err(unknown()),
        };
    }
    if kind == Kind::State && value.get("|").is_some() {
        return together(&value["|"], ports).ok_or_else(unknown);
    }
    single(kind, value, ports).map(Span::one)
}

/// Several states at once, as nft lists a mask that is compared as a whole: no packet has two (NF_CT_STATE_BIT).
fn together(states: &Value, ports: &mut Ports) -> Option<Span> {
    let states: Option<BTreeSet<u128>> =
        states.as_array()?.iter().map(|state| single(Kind::State, state, ports).ok()).collect();
    (states?.len() > 1).then(Span::none)
}

fn single(kind: Kind, value: &Value, ports: &mut Ports) -> Result<u128, String> {
    let number = match value {
        Value::Number(number) => number.as_u64().and_then(|number| numbered(kind, number)),
        Value::String(word) => worded(kind, word, ports),
        _ => None,
    };
    number.ok_or_else(|| format!("the value {value}"))
}

/// What a number of nft's means here.
fn numbered(kind: Kind, number: u64) -> Option<u128> {
    let known = |table: &[(u64, u128)]| table.iter().find(|(own, _)| *own == number).map(|(_, ours)| *ours);
    match kind {
        // NFPROTO_IPV4 and NFPROTO_IPV6.
        Kind::Family => known(&[(2, 4), (10, 6)]),
        Kind::EtherType => known(&[(0x0800, 4), (0x86dd, 6)]),
        // NF_CT_STATE_BIT and its neighbours.
        Kind::State => known(&[
            (1, State::Invalid as u128),
            (2, State::Established as u128),
            (4, State::Related as u128),
            (8, State::New as u128),
            (64, State::Untracked as u128),
        ]),
        _ => kind.is_ordered().then(|| number.into()),
    }
}

fn worded(kind: Kind, word: &str, ports: &mut Ports) -> Option<u128> {
    match kind {
        // A name that ends in * is a pattern.
        Kind::Port => (!word.contains(['*', '\\'])).then(|| ports.number(word)),
        Kind::PortIndex => (word == "lo").then(|| ports.number(word)),
        Kind::Number => None,
        Kind::Family => place(word, &[("ipv4", 4), ("ipv6", 6)]),
        Kind::EtherType => place(word, &[("ip", 4), ("ip6", 6)]),
        Kind::Protocol => place(word, PROTOCOLS),
        Kind::Address4 => word.parse::<Ipv4Addr>().ok().map(|address| u32::from(address).into()),
        Kind::Address6 => word.parse::<Ipv6Addr>().ok().map(u128::from),
        Kind::Icmp => place(word, ICMP_TYPES),
        Kind::Icmp6 => place(word, ICMP6_TYPES),
        Kind::Mac => mac(word),
        Kind::State => State::ALL.iter().position(|state| state.word() == word).map(|place| place as u128),
    }
}

/// Six octets, as nft lists them.
fn mac(word: &str) -> Option<u128> {
    let octets: Vec<u8> =
        word.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect::<Option<_>>()?;
    (octets.len() == 6).then(|| octets.into_iter().fold(0, |number, octet| number << 8 | u128::from(octet)))
}

fn prefixed(kind: Kind, prefix: &Value) -> Option<Span> {
    let (address, length) =
        (prefix.get("addr")?.as_str()?, u32::try_from(prefix.get("len")?.as_u64()?).ok()?);
    let (first, bits) = match kind {
        Kind::Address4 => (u128::from(u32::from(address.parse::<Ipv4Addr>().ok()?)), 32_u32),
        Kind::Address6 => (u128::from(address.parse::<Ipv6Addr>().ok()?), 128),
        _ => return None,
    };
    let host = bits.checked_sub(length)?;
    let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
    Some(Span::range(first & !mask, first | mask))
}

fn place(word: &str, table: &[(&str, u8)]) -> Option<u128> {
    table.iter().find(|(name, _)| *name == word).map(|(_, number)| u128::from(*number))
}

/// IANA protocol numbers, as nft words them.
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("comp", 108),
    ("sctp", 132),
    ("udplite", 136),
];

const ICMP_TYPES: &[(&str, u8)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];

const ICMP6_TYPES: &[(&str, u8)] = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];
