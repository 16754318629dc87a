//! A ruleset's lines as what a packet must be to come to them: read from nft JSON only to know which packets are worth
//! sending. What becomes of them is not judged here.

use std::net::{Ipv4Addr, Ipv6Addr};

use firewall::packet::{Path, State};
use serde_json::Value;

/// What of a packet a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    From,
    To,
    Family,
    Protocol,
    Source,
    Destination,
    HopLimit,
    SourceService,
    DestinationService,
    IcmpType,
    IcmpCode,
    State,
}

/// What a field may be: a port by name, or a range of numbers. Families are 4 and 6, states as in [`State::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Port(String),
    Range(u128, u128),
}

/// One field of one element, and how many bits the field has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) field: Field,
    pub(super) part: Part,
    pub(super) bits: u32,
}

/// A comparison: one of the elements must fit, or none if it is negated. `needs` is what the field wants to be there.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) needs: Vec<Asked>,
    pub(super) elements: Vec<Vec<Asked>>,
    pub(super) negated: bool,
}

/// A rule, by one way to it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its comment.
    pub(super) comment: String,
    pub(super) path: Path,
    pub(super) accepts: bool,
    pub(super) conditions: Vec<Condition>,
}

impl Line {
    /// Whether it is about packets of open flows.
    pub(super) fn is_of_flows(&self) -> bool {
        let open = |asked: &Asked| asked.field == Field::State && matches!(asked.part, Part::Range(1 | 2, _));
        self.conditions.iter().any(|condition| {
            !condition.negated && condition.elements.iter().all(|element| element.iter().any(open))
        })
    }

    /// Whether it is about the loopback, which no packet from outside comes by.
    fn is_of_the_loopback(&self) -> bool {
        let own = |asked: &Asked| asked.part == Part::Port("lo".into());
        let only = |condition: &Condition| condition.elements.iter().all(|element| element.iter().any(own));
        self.conditions.iter().any(|condition| !condition.elements.is_empty() && only(condition))
    }
}

/// Every line that decides, by every way to it.
pub(super) fn lines(document: &Value) -> Vec<Line> {
    let objects = objects(document);
    let reading = Reading { objects: &objects };
    let mut lines = Vec::new();
    for (path, hook) in [(Path::Input, "input"), (Path::Forward, "forward"), (Path::Output, "output")] {
        for base in reading.of("chain").filter(|chain| chain["hook"] == hook) {
            reading.walk(base, &base["name"], path, &[], 0, &mut lines);
        }
    }
    lines.retain(|line: &Line| !line.is_of_the_loopback());
    lines
}

/// Every object that is added, by kind; with lists instead of commands, every object.
fn objects(document: &Value) -> Vec<(&str, &Value)> {
    let items = document["nftables"].as_array().map_or(&[][..], Vec::as_slice);
    let added = items.iter().filter(|item| item.get("delete").is_none() && item.get("flush").is_none());
    let bodies = added.filter_map(|item| item.get("add").unwrap_or(item).as_object()?.iter().next());
    bodies.map(|(kind, body)| (kind.as_str(), body)).collect()
}

struct Reading<'r> {
    objects: &'r [(&'r str, &'r Value)],
}

impl<'r> Reading<'r> {
    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'r Value> + use<'r> {
        self.objects.iter().filter(move |(name, _)| *name == kind).map(|(_, body)| *body)
    }

    fn walk(
        &self,
        base: &Value,
        chain: &Value,
        path: Path,
        so_far: &[Condition],
        depth: usize,
        lines: &mut Vec<Line>,
    ) {
        let here = |rule: &&Value| rule["table"] == base["table"] && rule["chain"] == *chain;
        if depth > 8 {
            return;
        }
        for rule in self.of("rule").filter(here) {
            self.rule(base, rule, path, so_far, depth, lines);
        }
    }

    fn rule(
        &self,
        base: &Value,
        rule: &Value,
        path: Path,
        so_far: &[Condition],
        depth: usize,
        lines: &mut Vec<Line>,
    ) {
        let mut conditions = so_far.to_vec();
        for statement in rule["expr"].as_array().into_iter().flatten() {
            if let Some(body) = statement.get("match") {
                conditions.extend(self.condition(&body["left"], &body["right"], body["op"] == "!="));
            } else if let Some(map) = statement.get("vmap") {
                for pair in self.content(&map["data"]) {
                    let mut inside = conditions.clone();
                    inside.extend(self.condition(&map["key"], &pair[0], false));
                    self.verdict(base, rule, &pair[1], path, &inside, depth, lines);
                }
            } else {
                self.verdict(base, rule, statement, path, &conditions, depth, lines);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the walk's whole place, passed down by one function")]
    fn verdict(
        &self,
        base: &Value,
        rule: &Value,
        verdict: &Value,
        path: Path,
        conditions: &[Condition],
        depth: usize,
        lines: &mut Vec<Line>,
    ) {
        let accepts = verdict.get("accept").is_some();
        if accepts || verdict.get("drop").is_some() || verdict.get("reject").is_some() {
            let comment = rule["comment"].as_str().unwrap_or_default().to_owned();
            lines.push(Line { comment, path, accepts, conditions: conditions.to_vec() });
        } else if let Some(target) = verdict.get("jump").or_else(|| verdict.get("goto")) {
            self.walk(base, &target["target"], path, conditions, depth + 1, lines);
        }
    }

    fn content(&self, right: &Value) -> Vec<Value> {
        if let Some(name) = right.as_str().and_then(|text| text.strip_prefix('@')) {
            let named = self.of("set").chain(self.of("map")).find(|set| set["name"] == name);
            return named.and_then(|set| set["elem"].as_array().cloned()).unwrap_or_default();
        }
        match right.get("set").unwrap_or(right) {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        }
    }

    fn condition(&self, left: &Value, right: &Value, negated: bool) -> Option<Condition> {
        let parts = left["concat"].as_array().map_or_else(|| vec![left], |parts| parts.iter().collect());
        let kinds: Option<Vec<Kind>> = parts.into_iter().map(kind).collect();
        let kinds = kinds?;
        let element = |element: Value| {
            let element = element["elem"].get("val").unwrap_or(&element).clone();
            let parts = element["concat"].as_array().cloned().unwrap_or_else(|| vec![element]);
            kinds.iter().zip(&parts).map(|(kind, part)| kind.asked(part)).collect::<Option<Vec<Asked>>>()
        };
        let elements = self.content(right).into_iter().filter_map(element).collect();
        Some(Condition {
            needs: kinds.iter().flat_map(|kind| kind.needs.clone()).collect(),
            elements,
            negated,
        })
    }
}

struct Kind {
    field: Field,
    bits: u32,
    needs: Vec<Asked>,
}

fn kind(left: &Value) -> Option<Kind> {
    let need = |field, number: u128| Asked { field, part: Part::Range(number, number), bits: 8 };
    let family = |number| vec![need(Field::Family, number)];
    let carried = |number| vec![need(Field::Protocol, number)];
    let both = |version, protocol| [family(version), carried(protocol)].concat();
    let known = if let Some(key) = left["meta"]["key"].as_str() {
        match key {
            "iifname" => (Field::From, 0, vec![]),
            "oifname" => (Field::To, 0, vec![]),
            "nfproto" => (Field::Family, 8, vec![]),
            "l4proto" => (Field::Protocol, 8, vec![]),
            _ => return None,
        }
    } else if left["ct"]["key"] == "state" {
        (Field::State, 8, vec![])
    } else {
        match (left["payload"]["protocol"].as_str()?, left["payload"]["field"].as_str()?) {
            ("ip", "saddr") => (Field::Source, 32, family(4)),
            ("ip", "daddr") => (Field::Destination, 32, family(4)),
            ("ip", "ttl") => (Field::HopLimit, 8, family(4)),
            ("ip", "protocol") => (Field::Protocol, 8, family(4)),
            ("ip6", "saddr") => (Field::Source, 128, family(6)),
            ("ip6", "daddr") => (Field::Destination, 128, family(6)),
            ("ip6", "hoplimit") => (Field::HopLimit, 8, family(6)),
            ("icmp", "type") => (Field::IcmpType, 8, both(4, 1)),
            ("icmp", "code") => (Field::IcmpCode, 8, both(4, 1)),
            ("icmpv6", "type") => (Field::IcmpType, 8, both(6, 58)),
            ("icmpv6", "code") => (Field::IcmpCode, 8, both(6, 58)),
            ("tcp", "sport") => (Field::SourceService, 16, carried(6)),
            ("tcp", "dport") => (Field::DestinationService, 16, carried(6)),
            ("udp", "sport") => (Field::SourceService, 16, carried(17)),
            ("udp", "dport") => (Field::DestinationService, 16, carried(17)),
            ("th", "sport") => (Field::SourceService, 16, vec![]),
            ("th", "dport") => (Field::DestinationService, 16, vec![]),
            _ => return None,
        }
    };
    Some(Kind { field: known.0, bits: known.1, needs: known.2 })
}

impl Kind {
    fn asked(&self, value: &Value) -> Option<Asked> {
        let part = match (self.field, value) {
            (Field::From | Field::To, Value::String(name)) => Part::Port(name.clone()),
            _ => {
                let (first, last) = self.range(value)?;
                Part::Range(first, last)
            }
        };
        Some(Asked { field: self.field, part, bits: self.bits })
    }

    fn range(&self, value: &Value) -> Option<(u128, u128)> {
        if let Some([first, last]) = value["range"].as_array().map(Vec::as_slice) {
            return Some((self.number(first)?, self.number(last)?));
        }
        if let Some(prefix) = value.get("prefix") {
            let host = self.bits.checked_sub(u32::try_from(prefix["len"].as_u64()?).ok()?)?;
            let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
            let first = self.number(&prefix["addr"])? & !mask;
            return Some((first, first | mask));
        }
        self.number(value).map(|number| (number, number))
    }

    fn number(&self, value: &Value) -> Option<u128> {
        let Value::String(word) = value else { return value.as_u64().map(u128::from) };
        match self.field {
            Field::Source | Field::Destination if self.bits == 32 => {
                word.parse::<Ipv4Addr>().ok().map(|address| u32::from(address).into())
            }
            Field::Source | Field::Destination => word.parse::<Ipv6Addr>().ok().map(u128::from),
            Field::State => {
                State::ALL.iter().position(|state| state.word() == word).map(|place| place as u128)
            }
            Field::IcmpType if self.needs.iter().any(|need| need.part == Part::Range(4, 4)) => {
                named(ICMP, word)
            }
            Field::IcmpType => named(ICMP6, word),
            Field::Family => named(&[("ipv4", 4), ("ipv6", 6)], word),
            Field::Protocol => named(PROTOCOLS, word),
            _ => None,
        }
    }
}

fn named(table: &[(&str, u8)], word: &str) -> Option<u128> {
    table.iter().find(|(name, _)| *name == word).map(|(_, number)| u128::from(*number))
}

const PROTOCOLS: &[(&str, u8)] =
    &[("icmp", 1), ("tcp", 6), ("udp", 17), ("gre", 47), ("esp", 50), ("ipv6-icmp", 58), ("icmpv6", 58)];

const ICMP: &[(&str, u8)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("echo-request", 8),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
];

const ICMP6: &[(&str, u8)] = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("mld2-listener-report", 143),
];
