//! The forms of nft's JSON (libnftables-json(5)) that we write, and no others. They are the forms in which nft
//! lists a ruleset back, so that what the kernel holds can be compared with what was planned, word by word.
//! Names and addresses only ever become JSON strings: no text of a site file can become nft syntax.

use std::net::IpAddr;

use model::site::prefix::Prefix;
use serde_json::{Value, json};

/// The family and the name of our one table.
pub const TABLE: (&str, &str) = ("inet", "sekisho");

/// The NFLOG group drops are logged to.
pub const LOG_GROUP: u16 = 5;

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The port a packet came in by.
    In,
    /// The port it leaves by.
    Out,
    /// Both.
    Way,
    /// The family.
    Family,
    /// IPv4 source.
    Source4,
    /// IPv4 destination.
    Destination4,
    /// IPv6 source.
    Source6,
    /// IPv6 destination.
    Destination6,
    /// IPv6 hop limit.
    HopLimit,
    /// ICMP type.
    IcmpType,
    /// ICMPv6 type.
    Icmp6Type,
    /// TCP destination port.
    TcpTo,
    /// UDP source port.
    UdpFrom,
    /// UDP destination port.
    UdpTo,
    /// IPv4 destination, protocol and port.
    Service4,
    /// IPv6 destination, protocol and port.
    Service6,
    /// The connection's state.
    State,
}

/// What it is compared with, and what a set holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operand {
    /// A named set of ours.
    Set(&'static str),
    /// One of nft's words.
    Word(&'static str),
    /// An interface.
    Port(String),
    /// A number.
    Number(u16),
    /// A prefix; one of full length is written as its address.
    Prefix(Prefix),
    /// A tuple.
    Tuple(Vec<Operand>),
}

/// Where a rule leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Lets the packet pass this hook.
    Accept,
    /// Ends it.
    Drop,
    /// Goes on in another chain of ours and comes back.
    Jump(&'static str),
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Goes on if it is so.
    Is(Key, Operand),
    /// Goes on if it is not so.
    IsNot(Key, Operand),
    /// Looks the verdict up in a named map.
    Lookup(Key, &'static str),
    /// Accepts what belongs to an open flow.
    Flows,
    /// Goes on at most so often a second, with a burst of twice that.
    Limit(u16),
    /// Logs to [`LOG_GROUP`] under this prefix.
    Log(String),
    /// Counts.
    Count,
    /// Decides.
    Verdict(Verdict),
}

/// One rule. Its comment is its id and the policy line it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Unique in the table.
    pub id: String,
    /// The policy line, with the promise's number.
    pub says: &'static str,
    /// Its steps.
    pub steps: Vec<Statement>,
}

/// A chain; a base chain has a hook and drops by policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: &'static str,
    /// The hook it stands at.
    pub hook: Option<&'static str>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// A named set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: &'static str,
    /// nft's types of its elements.
    pub types: &'static [&'static str],
    /// Whether elements may be prefixes.
    pub interval: bool,
    /// What it holds, none overlapping another.
    pub elements: Vec<Operand>,
}

/// A named verdict map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Its name.
    pub name: &'static str,
    /// nft's types of its keys.
    pub types: &'static [&'static str],
    /// Keys and verdicts.
    pub elements: Vec<(Operand, Verdict)>,
}

fn meta(key: &str) -> Value {
    json!({"meta": {"key": key}})
}

fn payload(protocol: &str, field: &str) -> Value {
    json!({"payload": {"protocol": protocol, "field": field}})
}

impl Key {
    fn json(self) -> Value {
        let service =
            |family| json!({"concat": [payload(family, "daddr"), meta("l4proto"), payload("th", "dport")]});
        match self {
            Self::In => meta("iifname"),
            Self::Out => meta("oifname"),
            Self::Way => json!({"concat": [meta("iifname"), meta("oifname")]}),
            Self::Family => meta("nfproto"),
            Self::Source4 => payload("ip", "saddr"),
            Self::Destination4 => payload("ip", "daddr"),
            Self::Source6 => payload("ip6", "saddr"),
            Self::Destination6 => payload("ip6", "daddr"),
            Self::HopLimit => payload("ip6", "hoplimit"),
            Self::IcmpType => payload("icmp", "type"),
            Self::Icmp6Type => payload("icmpv6", "type"),
            Self::TcpTo => payload("tcp", "dport"),
            Self::UdpFrom => payload("udp", "sport"),
            Self::UdpTo => payload("udp", "dport"),
            Self::Service4 => service("ip"),
            Self::Service6 => service("ip6"),
            Self::State => json!({"ct": {"key": "state"}}),
        }
    }
}

impl Operand {
    /// One address.
    pub fn address(address: impl Into<IpAddr>) -> Self {
        let address = address.into();
        Self::Prefix(Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } })
    }

    fn json(&self) -> Value {
        match self {
            Self::Set(name) => json!(format!("@{name}")),
            Self::Word(word) => json!(word),
            Self::Port(name) => json!(name),
            Self::Number(number) => json!(number),
            Self::Prefix(prefix) if prefix.length == if prefix.address.is_ipv4() { 32 } else { 128 } => {
                json!(prefix.address)
            }
            Self::Prefix(prefix) => json!({"prefix": {"addr": prefix.network(), "len": prefix.length}}),
            Self::Tuple(parts) => json!({"concat": parts.iter().map(Self::json).collect::<Vec<_>>()}),
        }
    }
}

impl Verdict {
    fn json(self) -> Value {
        match self {
            Self::Accept => json!({"accept": null}),
            Self::Drop => json!({"drop": null}),
            Self::Jump(target) => json!({"jump": {"target": target}}),
        }
    }
}

impl Statement {
    fn json(&self) -> Value {
        let compare = |op: &str, key: &Key, right: &Operand| {
            let op = if *key == Key::State && op == "==" { "in" } else { op };
            json!({"match": {"op": op, "left": key.json(), "right": right.json()}})
        };
        match self {
            Self::Is(key, right) => compare("==", key, right),
            Self::IsNot(key, right) => compare("!=", key, right),
            Self::Lookup(key, map) => json!({"vmap": {"key": key.json(), "data": format!("@{map}")}}),
            Self::Flows => json!({"vmap": {"key": Key::State.json(), "data": {"set":
                [["established", {"accept": null}], ["related", {"accept": null}]]}}}),
            Self::Limit(rate) => json!({"limit": {"rate": rate, "burst": rate * 2, "per": "second"}}),
            Self::Log(prefix) => json!({"log": {"prefix": prefix, "group": LOG_GROUP}}),
            Self::Count => json!({"counter": {"packets": 0, "bytes": 0}}),
            Self::Verdict(verdict) => verdict.json(),
        }
    }
}

fn placed(kind: &str, mut body: Value) -> Value {
    body["family"] = json!(TABLE.0);
    if kind == "table" {
        body["name"] = json!(TABLE.1);
    } else {
        body["table"] = json!(TABLE.1);
    }
    json!({ kind: body })
}

/// nft writes one type as a word and several as a list.
fn types(types: &[&str]) -> Value {
    if let [one] = types { json!(one) } else { json!(types) }
}

impl Rule {
    fn json(&self, chain: &str) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Statement::json).collect();
        let comment = format!("{}: {}", self.id, self.says);
        placed("rule", json!({"chain": chain, "comment": comment, "expr": steps}))
    }
}

impl Chain {
    fn json(&self) -> Value {
        let body = match self.hook {
            Some(hook) => {
                json!({"name": self.name, "type": "filter", "hook": hook, "prio": 0, "policy": "drop"})
            }
            None => json!({"name": self.name}),
        };
        placed("chain", body)
    }
}

impl Set {
    fn json(&self) -> Value {
        let mut body = json!({"name": self.name, "type": types(self.types)});
        if self.interval {
            body["flags"] = json!(["interval"]);
        }
        if !self.elements.is_empty() {
            body["elem"] = self.elements.iter().map(Operand::json).collect();
        }
        placed("set", body)
    }
}

impl Map {
    fn json(&self) -> Value {
        let elements: Vec<Value> =
            self.elements.iter().map(|(key, verdict)| json!([key.json(), verdict.json()])).collect();
        placed(
            "map",
            json!({"name": self.name, "type": types(self.types), "map": "verdict", "elem": elements}),
        )
    }
}

/// The commands that replace our table as a whole, in one transaction: `add` makes sure that there is one to
/// `delete`, other tables are left alone, and an error anywhere changes nothing.
pub fn replacement(sets: &[Set], maps: &[Map], chains: &[Chain]) -> Value {
    let table = || placed("table", json!({}));
    let add = |object: Value| json!({ "add": object });
    let mut commands = vec![add(table()), json!({"delete": table()}), add(table())];
    commands.extend(sets.iter().map(|set| add(set.json())));
    commands.extend(chains.iter().map(|chain| add(chain.json())));
    commands.extend(maps.iter().map(|map| add(map.json())));
    let rules = chains.iter().flat_map(|chain| chain.rules.iter().map(|rule| rule.json(chain.name)));
    commands.extend(rules.map(add));
    json!({ "nftables": commands })
}
