//! From one of our rulesets to another while packets come: by commands under which no chain at a hook is ever without its
//! rules. Pure.
//!
//! A table that is taken away and added anew in one transaction is not seamless: from the moment in which the kernel goes
//! over to the new rules until it has unhooked the old chains, those stand there without rules and with their policy, and
//! drop whatever comes. That is how we read nf_tables_commit; what was seen is that in 100 loads some nine new flows lost their
//! first packet, and waited a second, and in 100 changes in place none.
//! Here the chains stay where they are; those whose rules differ are emptied and filled in one step, and of sets and maps only
//! elements change. What is the same is not touched, and goes on counting. If the kernel did not hold what we believe, it does
//! not hold the new ruleset afterwards either, and the proof behind the load says so.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// The commands; none if the two differ in more than can be changed so: in tables, in chains at hooks, in what a set is.
pub(crate) fn swap(before: &Value, after: &Value) -> Option<Value> {
    let (old, new) = (Objects::read(before)?, Objects::read(after)?);
    if old.all("table") != new.all("table") || old.hooked() != new.hooked() {
        return None;
    }
    let differs = |chain: &&Value| old.rules(chain) != new.rules(chain);
    let mut commands: Vec<Value> =
        old.each("chain").filter(differs).map(|chain| command("flush", "chain", named(chain))).collect();
    for kind in ["set", "map"] {
        for (before, after) in old.kept(&new, kind) {
            if bare(before) != bare(after) {
                return None;
            }
            commands.extend(elements("delete", before, after));
        }
    }
    // A map leads to chains, a rule looks into both.
    commands.extend(new.beyond(&old, "chain").map(|chain| command("add", "chain", chain.clone())));
    for kind in ["set", "map"] {
        commands.extend(
            old.kept(&new, kind).into_iter().filter_map(|(before, after)| elements("add", after, before)),
        );
        commands.extend(new.beyond(&old, kind).map(|added| command("add", kind, added.clone())));
    }
    let filled = new.each("chain").filter(differs).flat_map(|chain| new.rules(chain));
    commands.extend(filled.map(|rule| command("add", "rule", rule.clone())));
    for kind in ["map", "chain", "set"] {
        commands.extend(old.beyond(&new, kind).map(|gone| command("delete", kind, named(gone))));
    }
    Some(object("nftables", Value::Array(commands)))
}

/// What a compiled ruleset adds, in its order: kind and body; and where the one of a name stands.
struct Objects<'d> {
    all: Vec<(&'d str, &'d Value)>,
    by_name: HashMap<[&'d str; 4], usize>,
    by_chain: HashMap<[&'d str; 4], Vec<&'d Value>>,
}

impl<'d> Objects<'d> {
    fn read(document: &'d Value) -> Option<Self> {
        let mut all: Vec<(&str, &Value)> = Vec::new();
        for item in document["nftables"].as_array()? {
            let (verb, what) = item.as_object()?.iter().next()?;
            let (kind, body) = what.as_object()?.iter().next()?;
            match (verb.as_str(), kind.as_str()) {
                ("add", kind) => all.push((kind, body)),
                // All of our tables are taken away first.
                ("delete", "table") => all.retain(|one| *one != ("table", body)),
                _ => return None,
            }
        }
        let names = all.iter().enumerate().filter_map(|(nth, (kind, body))| Some((name(kind, body)?, nth)));
        let by_name = names.collect();
        let mut by_chain: HashMap<_, Vec<_>> = HashMap::new();
        for (_, rule) in all.iter().filter(|(kind, _)| *kind == "rule") {
            by_chain.entry(place("chain", rule, "chain")?).or_default().push(*rule);
        }
        Some(Self { all, by_name, by_chain })
    }

    fn each(&self, kind: &str) -> impl Iterator<Item = &'d Value> {
        self.all.iter().filter(move |(own, _)| *own == kind).map(|(_, body)| *body)
    }

    fn all(&self, kind: &str) -> Vec<&'d Value> {
        self.each(kind).collect()
    }

    fn hooked(&self) -> Vec<&'d Value> {
        self.each("chain").filter(|chain| chain.get("hook").is_some()).collect()
    }

    /// The rules of a chain, which may be the other's.
    fn rules(&self, chain: &Value) -> Vec<&'d Value> {
        let own = name("chain", chain).and_then(|name| self.by_chain.get(&name));
        own.cloned().unwrap_or_default()
    }

    fn find(&self, kind: &str, like: &Value) -> Option<&'d Value> {
        self.by_name.get(&name(kind, like)?).map(|nth| self.all[*nth].1)
    }

    /// Those that the other has, too, each beside the other's.
    fn kept(&self, other: &Self, kind: &'static str) -> Vec<(&'d Value, &'d Value)> {
        self.each(kind).filter_map(|one| Some((one, other.find(kind, one)?))).collect()
    }

    /// Those that the other does not have.
    fn beyond(&self, other: &Self, kind: &'static str) -> impl Iterator<Item = &'d Value> {
        self.each(kind).filter(move |one| other.find(kind, one).is_none()).collect::<Vec<_>>().into_iter()
    }
}

fn name<'v>(kind: &'v str, body: &'v Value) -> Option<[&'v str; 4]> {
    place(kind, body, "name")
}

fn place<'v>(kind: &'v str, body: &'v Value, key: &str) -> Option<[&'v str; 4]> {
    Some([kind, body["family"].as_str()?, body["table"].as_str()?, body[key].as_str()?])
}

/// Only family, table and name.
fn named(body: &Value) -> Value {
    let of = |key: &str| (key.to_owned(), body[key].clone());
    Value::Object(Map::from_iter(["family", "table", "name"].map(of)))
}

/// Without elements.
fn bare(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(map) = body.as_object_mut() {
        map.remove("elem");
    }
    body
}

/// `add` or `delete` of the elements that one has more than the other; nothing if there are none. Which packets fill a
/// set, and what time takes away of it, is not ours to say: of such sets nothing is deleted.
fn elements(verb: &'static str, of: &Value, than: &Value) -> Option<Value> {
    let list = |body: &Value| body["elem"].as_array().cloned().unwrap_or_default();
    // By their text: there may be ten thousand of them.
    let others: HashSet<String> = list(than).iter().map(|one| untimed(one).to_string()).collect();
    let more: Vec<Value> =
        list(of).into_iter().filter(|one| !others.contains(&untimed(one).to_string())).collect();
    if more.is_empty() || verb == "delete" && more.iter().any(|one| untimed(one) != *one) {
        return None;
    }
    let mut body = named(of);
    body["elem"] = Value::Array(more);
    Some(command(verb, "element", body))
}

fn untimed(element: &Value) -> Value {
    element.get("elem").and_then(|inner| inner.get("val")).unwrap_or(element).clone()
}

fn command(verb: &str, kind: &str, body: Value) -> Value {
    object(verb, object(kind, body))
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::site;
    use crate::{Plan, compile_json, drop_all, now::Now};

    fn with_a_terminal() -> Value {
        let terminals6 = vec!["2001:db8:0:1::2/128".parse().unwrap()];
        Plan::compile(&site(), &Now { terminals6, ..Now::default() }).document()
    }

    fn verbs(commands: &Value) -> Vec<String> {
        let list = commands["nftables"].as_array().unwrap();
        let verb = |item: &Value| {
            let (verb, what) = item.as_object().unwrap().iter().next().unwrap();
            format!("{verb} {}", what.as_object().unwrap().keys().next().unwrap())
        };
        let mut verbs: Vec<String> = list.iter().map(verb).collect();
        verbs.dedup();
        verbs
    }

    #[test]
    fn chains_stay_and_of_sets_only_elements_change() {
        let (without, with) = (compile_json(&site()), with_a_terminal());
        assert_eq!(verbs(&swap(&without, &without).unwrap()), [""; 0]);
        assert_eq!(verbs(&swap(&without, &with).unwrap()), ["add element"]);
        assert_eq!(verbs(&swap(&with, &without).unwrap()), ["delete element"]);
    }

    #[test]
    fn a_chain_whose_rules_differ_is_filled_anew_and_no_other() {
        let before = compile_json(&site());
        let mut after = before.clone();
        let list = after["nftables"].as_array_mut().unwrap();
        let of_the_rule = |item: &Value| {
            item["add"]["rule"]["comment"].as_str().is_some_and(|text| text.starts_with("input-rest: "))
        };
        let nth = list.iter().position(of_the_rule).unwrap();
        list.remove(nth);
        for (before, after) in [(&before, &after), (&after, &before)] {
            let steps = swap(before, after).unwrap();
            assert_eq!(verbs(&steps), ["flush chain", "add rule"]);
            assert_eq!(steps["nftables"][0]["flush"]["chain"]["name"], "input");
            let rules = steps["nftables"].as_array().unwrap()[1..].iter().map(|item| &item["add"]["rule"]);
            let list = after["nftables"].as_array().unwrap().iter().map(|item| &item["add"]["rule"]);
            assert!(rules.eq(list.filter(|rule| rule["chain"] == "input")));
        }
    }

    #[test]
    fn what_has_other_chains_at_hooks_is_no_swap() {
        assert_eq!(swap(&drop_all(), &compile_json(&site())), None);
        assert_eq!(swap(&Value::Null, &compile_json(&site())), None);
    }
}
