//! Tables of families that no routed packet's way is followed through: bridges, whose frames pass or do not before
//! anything is routed, and ARP. They can take packets away and can let none pass that a hook of ours refuses, as long
//! as no rule of theirs writes, copies or leads anywhere; whether there is a bridge at all is not nft's to say.

use serde_json::Value;

use super::ruleset::{Chain, Table};

/// Statements that judge and do nothing else.
const JUDGING: &[&str] = &[
    "match", "vmap", "counter", "log", "limit", "quota", "ct count", "last", "set", "map", "meter", "accept",
    "drop", "reject", "return", "continue", "jump", "goto",
];

pub(super) fn is_beside(family: &str) -> bool {
    ["bridge", "arp"].contains(&family)
}

/// Notes what in the table is not understood, and whether it may refuse what IPv6 needs.
pub(super) fn look(
    key: &(String, String),
    table: &Table,
    unknown: &mut Vec<String>,
    unseen: &mut Vec<String>,
) {
    let rules = || table.chains.values().flat_map(|chain| &chain.rules);
    for rule in rules() {
        let statements = rule.get("expr").and_then(Value::as_array).into_iter().flatten();
        let odd = statements.filter(|statement| {
            let name = statement.as_object().and_then(|map| map.keys().next());
            !name.is_some_and(|name| JUDGING.contains(&name.as_str()))
        });
        unknown.extend(odd.map(|statement| {
            let shown: String = statement.to_string().chars().take(120).collect();
            format!("the statement {shown} in table {} {}", key.0, key.1)
        }));
    }
    let bases = table.chains.values().filter_map(|chain| chain.base.as_ref());
    let kinds: Vec<_> = bases.clone().filter(|base| base.kind != "filter").collect();
    unknown.extend(
        kinds.iter().map(|base| format!("a chain of type {} in table {} {}", base.kind, key.0, key.1)),
    );
    // What is routed passes a bridge's hooks as a frame that arrives or leaves, never as one that is carried on.
    let mut met = bases.filter(|base| base.hook != "forward");
    let said = rules().chain(table.sets.values()).map(Value::to_string);
    let refuses = said.into_iter().any(|said| ["drop", "reject"].iter().any(|word| said.contains(word)));
    let refuses = met.clone().any(|base| base.drops) || (refuses && met.next().is_some());
    if key.0 == "bridge" && refuses {
        unseen.push(format!("the table bridge {}, which may refuse frames", key.1));
    }
}

/// What a bridge carries from port to port, as far as its tables have a say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// No table speaks of it, or one lets nothing pass.
    Nothing,
    /// PPPoE, from the first port of each pair to the second.
    Sessions(Vec<(String, String)>),
    /// More than that, or nobody knows.
    Anything,
}

impl Carried {
    /// What passes both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Anything, other) | (other, Self::Anything) => other,
            (Self::Sessions(one), Self::Sessions(other)) => {
                Self::Sessions(one.into_iter().filter(|pair| other.contains(pair)).collect())
            }
        }
    }
}

/// What each of the table's chains for carried frames lets pass; none if it has no such chain.
pub(super) fn carried(table: &Table) -> Option<Carried> {
    let forward = |chain: &&Chain| chain.base.as_ref().is_some_and(|base| base.hook == "forward");
    table.chains.values().filter(forward).map(|chain| of_chain(table, chain)).reduce(Carried::and)
}

fn of_chain(table: &Table, chain: &Chain) -> Carried {
    let mut pairs = Vec::new();
    for rule in &chain.rules {
        match ways(table, rule) {
            Some(more) => pairs.extend(more),
            None => return Carried::Anything,
        }
    }
    match chain.base.as_ref().is_some_and(|base| base.drops) {
        false => Carried::Anything,
        true if pairs.is_empty() => Carried::Nothing,
        true => Carried::Sessions(pairs),
    }
}

/// Between which ports a rule lets PPPoE pass, and nothing else; none if it may do more.
fn ways(table: &Table, rule: &Value) -> Option<Vec<(String, String)>> {
    if lets_nothing_pass(rule) {
        return Some(Vec::new());
    }
    let [statement] = rule["expr"].as_array()?.as_slice() else { return None };
    let (key, data) = (&statement["vmap"]["key"]["concat"], statement["vmap"]["data"].as_str()?);
    let by = |place: usize, name: &str| key[place]["meta"]["key"] == name;
    let keys = key.as_array()?.len() == 2 && by(0, "iifname") && by(1, "oifname");
    let map = table.sets.get(data.trim_start_matches('@')).filter(|_| keys)?;
    map["elem"].as_array()?.iter().map(|element| way(table, element)).collect()
}

fn way(table: &Table, element: &Value) -> Option<(String, String)> {
    let port = |place: usize| {
        element[0]["concat"][place].as_str().filter(|name| !name.contains('*')).map(str::to_owned)
    };
    let target = element[1]["jump"]["target"].as_str()?;
    let sessions =
        table.chains.get(target)?.rules.iter().all(|rule| lets_nothing_pass(rule) || is_session(rule));
    Some((port(0)?, port(1)?)).filter(|_| sessions)
}

fn names(rule: &Value) -> Vec<&str> {
    let statements = rule["expr"].as_array().into_iter().flatten();
    statements.filter_map(|statement| statement.as_object()?.keys().next()).map(String::as_str).collect()
}

fn lets_nothing_pass(rule: &Value) -> bool {
    names(rule).iter().all(|name| ["match", "counter", "log", "limit", "drop"].contains(name))
}

/// PPPoE discovery and session (RFC 2516 section 4), and nothing else.
fn is_session(rule: &Value) -> bool {
    const TYPES: [u64; 2] = [0x8863, 0x8864];
    let asks = |statement: &Value| {
        let test = &statement["match"];
        let key =
            test["left"]["payload"]["protocol"] == "ether" && test["left"]["payload"]["field"] == "type";
        let list = test["right"]["set"].as_array();
        let types = list
            .is_some_and(|list| list.iter().all(|one| one.as_u64().is_some_and(|one| TYPES.contains(&one))));
        key && test["op"] == "==" && types
    };
    let known = names(rule).iter().all(|name| ["match", "counter", "accept"].contains(name));
    known && rule["expr"].as_array().is_some_and(|statements| statements.iter().any(asks))
}
