//! Tables of families that no routed packet's way is followed through: bridges, whose frames pass or do not before
//! anything is routed, and ARP. They can take packets away and can let none pass that a hook of ours refuses, as long
//! as no rule of theirs writes, copies or leads anywhere; whether there is a bridge at all is not nft's to say.

use serde_json::Value;

use super::ruleset::Table;

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
    let refuses = rules().any(|rule| rule.to_string().contains("drop"));
    let refuses = met.clone().any(|base| base.drops) || (refuses && met.next().is_some());
    if key.0 == "bridge" && refuses {
        unseen.push(format!("the table bridge {}, which may refuse frames", key.1));
    }
}
