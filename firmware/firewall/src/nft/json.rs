//! How each part is written.

use std::net::IpAddr;

use model::site::prefix::Prefix;
use serde_json::{Value, json};

use super::{Chain, Holds, Key, Map, Operand, Rule, Set, Statement, Verdict};

fn meta(key: &str) -> Value {
    json!({"meta": {"key": key}})
}

fn payload(protocol: &str, field: &str) -> Value {
    json!({"payload": {"protocol": protocol, "field": field}})
}

impl Key {
    pub(super) fn json(self) -> Value {
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
            Self::Service => json!({"concat": [meta("l4proto"), payload("th", "dport")]}),
            Self::Protocol => meta("l4proto"),
            Self::Card => payload("ether", "saddr"),
            Self::EtherType => payload("ether", "type"),
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

    /// As nft writes it.
    pub fn json(&self) -> Value {
        match self {
            Self::Set(name) => json!(format!("@{name}")),
            Self::Word(word) => json!(word),
            Self::Words(words) => json!(words),
            Self::Port(name) => json!(name),
            Self::Number(number) => json!(number),
            Self::Prefix(prefix) if prefix.length == if prefix.address.is_ipv4() { 32 } else { 128 } => {
                json!(prefix.address)
            }
            Self::Prefix(prefix) => json!({"prefix": {"addr": prefix.network(), "len": prefix.length}}),
            Self::Card(address) => json!(address),
            Self::AnyOf(list) => json!({"set": list.iter().map(Self::json).collect::<Vec<_>>()}),
            Self::Timed(value, seconds) => json!({"elem": {"val": value.json(), "timeout": seconds}}),
            Self::Tuple(parts) => json!({"concat": parts.iter().map(Self::json).collect::<Vec<_>>()}),
        }
    }
}

impl Verdict {
    pub(super) fn json(self) -> Value {
        match self {
            Self::Accept => json!({"accept": null}),
            Self::Jump(target) => json!({"jump": {"target": target}}),
        }
    }
}

impl Statement {
    pub(super) fn json(&self) -> Value {
        let compare = |op: &str, key: &Key, right: &Operand| {
            let op = if *key == Key::State && op == "==" { "in" } else { op };
            json!({"match": {"op": op, "left": key.json(), "right": right.json()}})
        };
        match self {
            Self::Is(key, right) => compare("==", key, right),
            Self::IsNot(key, right) => compare("!=", key, right),
            Self::Lookup(key, map) => json!({"vmap": {"key": key.json(), "data": format!("@{map}")}}),
            Self::Limit(rate) => json!({"limit": {"rate": rate, "burst": rate * 2, "per": "second"}}),
            Self::Over(key, set, count) => {
                json!({"set": {"op": "add", "elem": key.json(), "set": format!("@{set}"),
                "stmt": [{"ct count": {"val": count, "inv": true}}]}})
            }
            Self::Syn => json!({"match": {"op": "==", "right": "syn",
                "left": {"&": [payload("tcp", "flags"), ["syn", "rst"]]}}}),
            Self::Clamp => json!({"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}},
                "value": {"rt": {"key": "mtu"}}}}),
            Self::Masquerade => json!({"masquerade": null}),
            Self::Count => json!({"counter": {"packets": 0, "bytes": 0}}),
            Self::Verdict(verdict) => verdict.json(),
            // What else it does, [`super::refusal`] writes.
            Self::Refuse => json!({"drop": null}),
        }
    }
}

pub(super) fn placed(table: (&str, &str), kind: &str, mut body: Value) -> Value {
    body["family"] = json!(table.0);
    body[if kind == "table" { "name" } else { "table" }] = json!(table.1);
    single(kind, body)
}

/// An object of one entry. `json!` would write anew all that it is given, at every depth.
pub(super) fn single(key: &str, value: Value) -> Value {
    Value::Object(serde_json::Map::from_iter([(key.to_owned(), value)]))
}

/// nft writes one type as a word and several as a list.
fn types(types: &[&str]) -> Value {
    if let [one] = types { json!(one) } else { json!(types) }
}

impl Rule {
    pub(super) fn json(&self, chain: &str) -> Value {
        commented(&self.id, self.says, chain, self.steps.iter().map(Statement::json).collect())
    }
}

/// A rule whose comment is its id and its policy line.
pub(super) fn commented(id: &str, says: &str, chain: &str, steps: Vec<Value>) -> Value {
    let mut body = json!({"chain": chain, "comment": format!("{id}: {says}")});
    body["expr"] = Value::Array(steps);
    body
}

impl Chain {
    pub(super) fn json(&self) -> Value {
        match self.hook {
            Some(hook) => {
                let policy = if hook.drops { "drop" } else { "accept" };
                json!({"name": self.name, "type": hook.kind, "hook": hook.name, "prio": hook.priority,
                    "policy": policy})
            }
            None => json!({"name": self.name}),
        }
    }
}

impl Set {
    pub(super) fn json(&self) -> Value {
        let mut body = json!({"name": self.name, "type": types(self.types)});
        match self.holds {
            Holds::Values => {}
            Holds::Prefixes => body["flags"] = json!(["interval"]),
            Holds::Timed => body["flags"] = json!(["timeout"]),
            // That packets fill it, nft sees by the rules that do, and it has no word for it in JSON (1.0.6).
            Holds::Senders(most) => body["size"] = json!(most),
        }
        if !self.elements.is_empty() {
            body["elem"] = self.elements.iter().map(Operand::json).collect();
        }
        body
    }
}

impl Map {
    pub(super) fn json(&self) -> Value {
        let elements: Vec<Value> =
            self.elements.iter().map(|(key, verdict)| json!([key.json(), verdict.json()])).collect();
        let mut body = json!({"name": self.name, "type": types(self.types), "map": "verdict"});
        body["elem"] = Value::Array(elements);
        body
    }
}
