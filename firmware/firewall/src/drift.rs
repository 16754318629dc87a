//! What somebody changed behind our back, in words, and how soon it is put right. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use model::part::{Promise, Proof};
use model::ruleset::Drift;
use serde_json::Value;
use tokio::time::Instant;

use crate::held;

/// A table's family and name.
pub(crate) type Table = (String, String);

/// The changes, in words: what of the plan is not held, what is held beside it in our table, and other tables that see
/// packets and are not among the known ones.
pub(crate) fn changes(plan: &Value, listing: &Value, known: &BTreeSet<Table>) -> Vec<String> {
    let mut words = ours(plan, listing);
    words.extend(strangers(listing, known).iter().map(|(family, name)| {
        let hooks: Vec<String> = hooks(listing, family, name).collect();
        format!("another table, {family} {name}, has chains at {}", hooks.join(", "))
    }));
    let more = words.len().saturating_sub(Drift::LISTED);
    words.truncate(Drift::LISTED);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words
}

/// Other tables than ours that have chains at hooks, without the known ones.
pub(crate) fn strangers(listing: &Value, known: &BTreeSet<Table>) -> BTreeSet<Table> {
    let all = objects(listing, "chain").filter(|chain| chain["hook"].is_string()).map(table_of);
    all.filter(|table| !held::is_ours(&table.0, &table.1) && !known.contains(table)).collect()
}

fn table_of(object: &Value) -> Table {
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    (text("family"), text("table"))
}

fn hooks<'v>(listing: &'v Value, family: &'v str, name: &'v str) -> impl Iterator<Item = String> + 'v {
    let of = move |chain: &&Value| chain["family"] == family && chain["table"] == name;
    objects(listing, "chain").filter(of).filter_map(|chain| chain["hook"].as_str().map(str::to_owned))
}

fn objects<'v>(document: &'v Value, kind: &'static str) -> impl Iterator<Item = &'v Value> {
    let items = document["nftables"].as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(move |item| item.get("add").unwrap_or(item).get(kind))
}

/// An object of our table: its kind, its name or id, and all of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    chain: String,
    name: String,
    body: String,
    /// What it holds: a set's and a map's elements, one writing each.
    elements: BTreeSet<String>,
}

fn ours(plan: &Value, listing: &Value) -> Vec<String> {
    let (planned, held) = (own_objects(plan), own_objects(listing));
    if held.is_empty() {
        return vec!["our table is gone".to_owned()];
    }
    let (mut missing, mut added) = (without(&planned, &held), without(&held, &planned));
    let mut words = Vec::new();
    missing.retain(|one| {
        let same =
            |other: &&&Object| (&one.kind, &one.chain, &one.name) == (&other.kind, &other.chain, &other.name);
        let Some(place) = added.iter().position(|other| same(&other)) else { return true };
        words.push(changed(one, added.remove(place)));
        false
    });
    words.extend(added.iter().map(|object| format!("{} was added", object.words())));
    words.extend(missing.iter().map(|object| format!("{} is gone", object.words())));
    words.extend(held::timed(plan, listing));
    // Nothing but the order is left that could differ.
    if words.is_empty() && held::difference(plan, listing).is_some() {
        words.push("the rules of a chain are in another order".to_owned());
    }
    words
}

/// What the first list has more than the second, each as often.
fn without<'o>(list: &'o [Object], other: &'o [Object]) -> Vec<&'o Object> {
    let mut more: Vec<&Object> = list.iter().collect();
    for object in other {
        if let Some(place) = more.iter().position(|one| *one == object) {
            more.remove(place);
        }
    }
    more
}

fn own_objects(document: &Value) -> Vec<Object> {
    held::own(document).into_iter().map(|(kind, body)| Object::of(kind, body)).collect()
}

impl Object {
    fn of(kind: &str, mut body: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = match kind {
            // A rule without a comment is known by all it does.
            "rule" => text(&body["comment"]).split(": ").next().map(str::to_owned).unwrap_or_default(),
            _ => text(&body["name"]),
        };
        let name = if name.is_empty() { body["expr"].to_string().chars().take(160).collect() } else { name };
        let elements = body.as_object_mut().and_then(|body| body.remove("elem"));
        let elements = elements.iter().filter_map(Value::as_array).flatten().map(in_words).collect();
        Self { kind: kind.to_owned(), chain: text(&body["chain"]), name, body: body.to_string(), elements }
    }

    fn words(&self) -> String {
        match self.kind.as_str() {
            "rule" => format!("the rule {} of the chain {}", self.name, self.chain),
            kind => format!("the {kind} {}", self.name),
        }
    }
}

/// An element as nft writes it in text: parts joined by dots, a verdict behind a colon.
fn in_words(element: &Value) -> String {
    match element {
        Value::String(text) => text.clone(),
        Value::Array(pair) => pair.iter().map(in_words).collect::<Vec<_>>().join(" : "),
        Value::Object(map) => match map.iter().next() {
            Some((word, parts)) if word == "concat" => {
                let parts = parts.as_array().map_or(&[][..], Vec::as_slice);
                parts.iter().map(in_words).collect::<Vec<_>>().join(" . ")
            }
            Some((word, prefix)) if word == "prefix" => {
                format!("{}/{}", in_words(&prefix["addr"]), prefix["len"])
            }
            Some((word, Value::Null)) => word.clone(),
            Some((word, target)) if target.get("target").is_some() => {
                format!("{word} {}", in_words(&target["target"]))
            }
            _ => element.to_string(),
        },
        other => other.to_string(),
    }
}

/// What became of an object that is still there.
fn changed(planned: &Object, held: &Object) -> String {
    let differ = |a: &Object, b: &Object| -> Vec<String> {
        a.elements.difference(&b.elements).take(3).cloned().collect()
    };
    let (more, less) = (differ(held, planned), differ(planned, held));
    let mut words = planned.words();
    if !more.is_empty() {
        words += &format!(" also holds {}", more.join(", "));
    }
    if !less.is_empty() {
        words += &format!("{} does not hold {}", if more.is_empty() { "" } else { " and" }, less.join(", "));
    }
    if more.is_empty() && less.is_empty() {
        let policy = |object: &Object| object.body.split(r#""policy":""#).nth(1).map(|rest| rest.to_owned());
        let word = |rest: String| rest.split('"').next().unwrap_or_default().to_owned();
        match (policy(planned).map(word), policy(held).map(word)) {
            (Some(old), Some(new)) if old != new => words += &format!(" has the policy {new}, not {old}"),
            _ => words += " is another one",
        }
    }
    words
}

/// What it would have let pass, or what was not proved any more.
pub(crate) fn broke(found: &[Promise]) -> Option<String> {
    let broken = found.iter().find_map(|promise| match &promise.proof {
        Proof::Broken { counterexample, .. } => {
            Some(format!("promise {} was broken by {counterexample}", promise.number))
        }
        _ => None,
    });
    broken.or_else(|| {
        found.iter().find_map(|promise| match &promise.proof {
            Proof::Unproved { reason } => {
                Some(format!("promise {} was not proved: {reason}", promise.number))
            }
            _ => None,
        })
    })
}

/// How soon a drift is put right. Somebody who changes the rules again and again gets an answer each time, but the box
/// does nothing else for it: the first few are put right at once, the next after a pause that doubles.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    repairs: u32,
    last: Option<Instant>,
}

impl Pace {
    /// So many are put right at once.
    const AT_ONCE: u32 = 3;
    /// After so long without one all is forgotten.
    const CALM: Duration = Duration::from_secs(120);
    /// The longest pause.
    const LONGEST: Duration = Duration::from_secs(30);

    /// Until when a repair waits; none: it may be made now, and is counted.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Instant> {
        let since = |last: Instant| now.saturating_duration_since(last);
        if self.last.is_none_or(|last| since(last) >= Self::CALM) {
            self.repairs = 0;
        }
        let exponent = self.repairs.checked_sub(Self::AT_ONCE);
        let pause = exponent
            .map_or(Duration::ZERO, |exponent| Duration::from_secs(1 << exponent.min(5)).min(Self::LONGEST));
        let due = self.last.map(|last| last + pause).filter(|due| *due > now);
        if due.is_none() {
            self.repairs = self.repairs.saturating_add(1);
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_lists_of_a_plan_is_no_change() {
        let plan = crate::compile_json(&crate::tests::site());
        assert_eq!(changes(&plan, &plan, &BTreeSet::new()), [""; 0]);
    }

    #[test]
    fn a_fight_is_answered_at_once_then_ever_later_and_after_calm_at_once_again() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut repaired = Vec::new();
        // Somebody rewrites every second for ten minutes.
        for second in 0..600 {
            if pace.wait(start + Duration::from_secs(second)).is_none() {
                repaired.push(second);
            }
        }
        assert_eq!(repaired[..8], [0, 1, 2, 3, 5, 9, 17, 33]);
        assert!(repaired.len() < 30, "{repaired:?}");
        let due = pace.wait(start + Duration::from_secs(600));
        assert!(due.is_some_and(|due| due <= start + Duration::from_secs(630)), "it never gives up");
        assert_eq!(pace.wait(start + Duration::from_secs(720)), None);
        assert_eq!(pace.wait(start + Duration::from_secs(721)), None);
    }
}
