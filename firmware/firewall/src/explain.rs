//! What a ruleset does with one packet. Written apart from the prover and sharing nothing with it but the
//! packet: it walks the JSON rule by rule with plain values, so that each can be held against the other, and
//! both against the kernel.

use std::cell::RefCell;
use std::net::IpAddr;

use serde_json::Value;

use crate::packet::{Packet, Path, State};

/// What became of the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether every base chain on its way let it pass.
    pub accepted: bool,
    /// The comment of the rule that ended it, else `policy of CHAIN`; the last one that decided if accepted.
    pub by: String,
    /// The rule that ended it; none if a policy did.
    pub rule: Option<Value>,
    /// The chains it went through, in order.
    pub way: Vec<Hop>,
}

/// A chain on a packet's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its name.
    pub chain: String,
    /// The comment of the rule that led there; none for a base chain.
    pub by: Option<String>,
}

/// Walks the packet through a listed ruleset, or through the commands of a document. Limits count as not reached.
///
/// # Errors
/// What on its way is not understood.
pub fn explain(document: &Value, packet: &Packet) -> Result<Decision, String> {
    let objects = objects(document);
    let hooks: &[&str] = match packet.path {
        Path::Input => &["prerouting", "input"],
        Path::Forward => &["prerouting", "forward", "postrouting"],
        Path::Output => &["output", "postrouting"],
    };
    let mut last = Decision { accepted: true, by: "no base chain".into(), rule: None, way: Vec::new() };
    for hook in hooks {
        let mut bases: Vec<&Value> = of(&objects, "chain").filter(|chain| chain["hook"] == *hook).collect();
        bases.sort_by_key(|chain| chain["prio"].as_i64());
        for base in bases {
            if !sees(&base["family"], packet) || sleeps(&objects, base) || base["type"] == "nat" {
                continue;
            }
            let way = RefCell::new(last.way);
            last = Walk { objects: &objects, packet, base, way }.decide()?;
            if !last.accepted {
                return Ok(last);
            }
        }
    }
    Ok(last)
}

/// Objects by kind. Commands are taken in their order: what is flushed or deleted is not there any more.
fn objects(document: &Value) -> Vec<(&str, &Value)> {
    let mut objects: Vec<(&str, &Value)> = Vec::new();
    for item in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
        if item.get("flush").is_some() {
            objects.clear();
        } else if let Some(gone) = item["delete"].get("table") {
            objects
                .retain(|(kind, body)| body[if *kind == "table" { "name" } else { "table" }] != gone["name"]);
        } else {
            let inner = item.get("add").or_else(|| item.get("create")).unwrap_or(item);
            objects.extend(inner.as_object().into_iter().flatten().map(|(kind, body)| (kind.as_str(), body)));
        }
    }
    objects
}

fn of<'o>(objects: &'o [(&str, &'o Value)], kind: &'static str) -> impl Iterator<Item = &'o Value> {
    objects.iter().filter(move |(name, _)| *name == kind).map(|(_, body)| *body)
}

fn sees(family: &Value, packet: &Packet) -> bool {
    match family.as_str() {
        Some("ip") => packet.source.is_ipv4(),
        Some("ip6") => packet.source.is_ipv6(),
        Some("inet") => true,
        _ => false,
    }
}

/// Whether the chain's table is dormant: there, and filtering nothing.
fn sleeps(objects: &[(&str, &Value)], base: &Value) -> bool {
    let own = |table: &&Value| table["family"] == base["family"] && table["name"] == base["table"];
    of(objects, "table").filter(own).any(|table| table["flags"].to_string().contains("dormant"))
}

/// How a chain was left.
enum End<'w> {
    Accept(&'w Value),
    Drop(&'w Value),
    Fell,
}

fn comment(rule: &Value) -> String {
    rule["comment"].as_str().unwrap_or("a rule without a comment").to_owned()
}

struct Walk<'w> {
    objects: &'w [(&'w str, &'w Value)],
    packet: &'w Packet,
    base: &'w Value,
    way: RefCell<Vec<Hop>>,
}

impl<'w> Walk<'w> {
    fn decide(self) -> Result<Decision, String> {
        let name = self.base["name"].as_str().unwrap_or_default();
        let (accepted, rule) = match self.chain(name, None, 0)? {
            End::Accept(rule) => (true, Some(rule)),
            End::Drop(rule) => (false, Some(rule)),
            End::Fell => (self.base["policy"] != "drop", None),
        };
        let by = rule.map_or_else(|| format!("policy of {name}"), comment);
        Ok(Decision { accepted, by, rule: rule.cloned(), way: self.way.into_inner() })
    }

    fn here(&self, body: &Value) -> bool {
        body["family"] == self.base["family"] && body["table"] == self.base["table"]
    }

    fn chain(&self, name: &str, from: Option<&Value>, depth: usize) -> Result<End<'w>, String> {
        if depth > 16 {
            return Err("jumps too deep".into());
        }
        self.way.borrow_mut().push(Hop { chain: name.to_owned(), by: from.map(comment) });
        let rules = of(self.objects, "rule").filter(|rule| self.here(rule) && rule["chain"] == name);
        for rule in rules {
            let Some(verdict) = self.rule(rule)? else { continue };
            let target = |body: &Value| body["target"].as_str().unwrap_or_default().to_owned();
            let (word, body) = verdict.as_object().and_then(|map| map.iter().next()).ok_or("a verdict")?;
            match word.as_str() {
                "accept" => return Ok(End::Accept(rule)),
                "drop" | "reject" => return Ok(End::Drop(rule)),
                "return" => return Ok(End::Fell),
                "continue" => {}
                "jump" => match self.chain(&target(body), Some(rule), depth + 1)? {
                    End::Fell => {}
                    end => return Ok(end),
                },
                "goto" => return self.chain(&target(body), Some(rule), depth + 1),
                other => return Err(format!("the verdict {other}")),
            }
        }
        Ok(End::Fell)
    }

    /// The verdict the rule has for the packet, if it comes to one.
    fn rule(&self, rule: &Value) -> Result<Option<Value>, String> {
        for statement in rule["expr"].as_array().map_or(&[][..], Vec::as_slice) {
            let (word, body) =
                statement.as_object().and_then(|map| map.iter().next()).ok_or("a statement")?;
            match word.as_str() {
                "counter" | "log" | "limit" | "masquerade" => {}
                "mangle" if segments(body) => {}
                // A limit of flows, as others, counts as not reached: then such a step leads no further.
                "set" if body["stmt"][0].get("ct count").is_some() => return Ok(None),
                "match" if self.fits(body)? => {}
                "match" => return Ok(None),
                "vmap" => return self.looked_up(body),
                "accept" | "drop" | "reject" | "return" | "continue" | "jump" | "goto" => {
                    return Ok(Some(statement.clone()));
                }
                other => return Err(format!("the statement {other}")),
            }
        }
        Ok(None)
    }

    fn looked_up(&self, body: &Value) -> Result<Option<Value>, String> {
        let Some(seen) = self.read(&body["key"])? else { return Ok(None) };
        for pair in self.content(&body["data"])? {
            if element_has(&pair[0], &seen)? {
                return Ok(Some(pair[1].clone()));
            }
        }
        Ok(None)
    }

    fn fits(&self, body: &Value) -> Result<bool, String> {
        let Some(seen) = self.read(&body["left"])? else { return Ok(false) };
        let mut found = false;
        for element in self.content(&body["right"])? {
            found |= element_has(&element, &seen)?;
        }
        match body["op"].as_str() {
            Some("==" | "in") | None => Ok(found),
            Some("!=") => Ok(!found),
            Some(other) => Err(format!("the operator {other}")),
        }
    }

    /// The elements a right side stands for.
    fn content(&self, right: &Value) -> Result<Vec<Value>, String> {
        if let Some(name) = right.as_str().and_then(|text| text.strip_prefix('@')) {
            let named = |kind| of(self.objects, kind).find(|set| self.here(set) && set["name"] == name);
            let set = named("set").or_else(|| named("map")).ok_or_else(|| format!("the set {name}"))?;
            return Ok(set["elem"].as_array().cloned().unwrap_or_default());
        }
        Ok(match right.get("set").unwrap_or(right) {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        })
    }

    /// What the packet has for an expression: one value, or several for a tuple; nothing if it has no such field.
    fn read(&self, left: &Value) -> Result<Option<Vec<Seen>>, String> {
        if let Some(parts) = left["concat"].as_array() {
            let parts: Result<Vec<_>, String> = parts.iter().map(|part| self.one(part)).collect();
            return Ok(parts?.into_iter().collect());
        }
        Ok(self.one(left)?.map(|seen| vec![seen]))
    }

    fn one(&self, left: &Value) -> Result<Option<Seen>, String> {
        let packet = self.packet;
        let ipv4 = packet.source.is_ipv4();
        if let Some(key) = left["meta"]["key"].as_str() {
            return Ok(Some(match key {
                "iifname" | "iif" => Seen::Word(packet.from_port.clone()),
                "oifname" | "oif" => Seen::Word(packet.to_port.clone()),
                "nfproto" => Seen::Word(if ipv4 { "ipv4" } else { "ipv6" }.into()),
                "l4proto" => Seen::Protocol(packet.protocol),
                other => return Err(format!("meta {other}")),
            }));
        }
        if let Some([Value::Object(_), Value::Array(flags)]) = left["&"].as_array().map(Vec::as_slice) {
            let opens = left["&"][0]["payload"]["field"] == "flags" && *flags == ["syn", "rst"];
            let opens = opens.then(|| Seen::Word(if packet.state == State::New { "syn" } else { "" }.into()));
            let opens = opens.ok_or_else(|| format!("the expression {left}"))?;
            return Ok((packet.protocol == 6 && packet.readable).then_some(opens));
        }
        if left["ct"]["key"] == "state" {
            return Ok(Some(Seen::Word(packet.state.word().into())));
        }
        self.header(&left["payload"])
    }

    /// The kernel counts it down before the hooks that follow the decision where to forward to.
    fn hop_limit(&self) -> u8 {
        let behind = self.base["hook"] == "forward" || self.base["hook"] == "postrouting";
        let counted = self.packet.path == Path::Forward && behind;
        self.packet.hop_limit.saturating_sub(u8::from(counted))
    }

    /// A field of a header, if the packet has that header and it can be read.
    fn header(&self, payload: &Value) -> Result<Option<Seen>, String> {
        let (packet, ipv4) = (self.packet, self.packet.source.is_ipv4());
        let (Some(protocol), Some(field)) = (payload["protocol"].as_str(), payload["field"].as_str()) else {
            return Err(format!("the expression {payload}"));
        };
        let there = match protocol {
            "ip" => ipv4,
            "ip6" => !ipv4,
            "icmp" => ipv4 && packet.protocol == 1 && packet.readable,
            "icmpv6" => !ipv4 && packet.protocol == 58 && packet.readable,
            "tcp" => packet.protocol == 6 && packet.readable,
            "udp" => packet.protocol == 17 && packet.readable,
            "th" => packet.readable,
            // A packet here has no card: it is no known one's.
            "ether" => false,
            other => return Err(format!("the header {other}")),
        };
        if !there {
            return Ok(None);
        }
        Ok(Some(match field {
            "saddr" => Seen::Address(packet.source),
            "daddr" => Seen::Address(packet.destination),
            "ttl" | "hoplimit" => Seen::Number(self.hop_limit().into()),
            "protocol" => Seen::Protocol(packet.protocol),
            "sport" => Seen::Number(packet.source_service),
            "dport" => Seen::Number(packet.destination_service),
            "type" => Seen::IcmpType(packet.icmp_type, ipv4),
            "code" => Seen::Number(packet.icmp_code.into()),
            other => return Err(format!("the field {other}")),
        }))
    }
}

/// The one change of a packet that no rule here looks at: the longest segment its sender is ready for.
fn segments(body: &Value) -> bool {
    body["key"]["tcp option"]["name"] == "maxseg" && body["key"]["tcp option"]["field"] == "size"
}

/// A value of the packet.
enum Seen {
    Word(String),
    Number(u16),
    Protocol(u8),
    IcmpType(u8, bool),
    Address(IpAddr),
}

fn element_has(element: &Value, seen: &[Seen]) -> Result<bool, String> {
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
        match (self, part) {
            (_, Value::Number(number)) => Ok(number.as_u64() == self.number()),
            (Self::Word(word), Value::String(text)) => Ok(word == text),
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
            Self::Word(_) | Self::Address(_) => None,
        }
    }
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
