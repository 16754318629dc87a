//! Rules written another way: chains written out or apart, disjoint rules in another order, other words for a refusal.

use serde_json::{Value, json};

use super::{Edit, MOST, declare, each_rule, id, steps, with_steps};

/// The rules of the chain in the place of the jump, each behind the jump's own conditions.
pub(super) fn inlined(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let (last, before) = all.split_last()?;
        let target = last["jump"]["target"].as_str()?;
        // What counts or remembers would do so more than once.
        let plain = |step: &Value| step.get("match").is_some();
        if !before.iter().all(plain) {
            return None;
        }
        let of_chain = edit
            .places("rule")
            .into_iter()
            .map(|place| edit.read(place, "rule"))
            .filter(|rule| rule["chain"] == *target);
        // Each keeps its own name, by which a refusal's log knows it.
        let one = |inner: &Value| {
            let mut written = with_steps(rule, [before, &steps(inner)].concat());
            written["comment"] = inner["comment"].clone();
            written
        };
        Some(of_chain.map(one).collect())
    })
}

pub(super) fn outlined(edit: &Edit) -> Vec<(String, Edit)> {
    let made = each_rule(edit, |rule| {
        let all = steps(rule);
        let split = all.iter().position(|step| step.get("match").is_none()).filter(|at| *at > 0)?;
        let mut inner = with_steps(rule, all[split..].to_vec());
        inner["chain"] = json!("outlined");
        let outer = with_steps(rule, [&all[..split], &[json!({"jump": {"target": "outlined"}})]].concat());
        Some(vec![outer, inner])
    });
    let declared = |(name, mut edit): (String, Edit)| {
        declare(&mut edit, "chain", json!({"name": "outlined"}));
        (name, edit)
    };
    made.into_iter().map(declared).collect()
}

pub(super) fn swapped(edit: &Edit) -> Vec<(String, Edit)> {
    let accepts = |rule: &Value| steps(rule).last().is_some_and(|last| last.get("accept").is_some());
    let places = edit.places("rule");
    let pairs = places.windows(2).filter(|pair| {
        let [one, other] = [pair[0], pair[1]].map(|place| edit.read(place, "rule"));
        one["chain"] == other["chain"] && accepts(one) && accepts(other)
    });
    pairs
        .map(|pair| {
            let mut edit = edit.clone();
            edit.items().swap(pair[0], pair[1]);
            (id(edit.read(pair[0], "rule")), edit)
        })
        .collect()
}

pub(super) fn doubled(edit: &Edit) -> Vec<(String, Edit)> {
    let mut all = each_rule(edit, |rule| Some(vec![rule.clone(), rule.clone()]));
    let every_tenth = all.len() / MOST;
    let mut place = 0;
    all.retain(|_| {
        place += 1;
        place % every_tenth.max(1) == 0
    });
    all
}

pub(super) fn rejected(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let text = rule.to_string();
        let refused = text.contains("{\"drop\":null}").then(|| {
            text.replace("{\"drop\":null}", "{\"reject\":{\"type\":\"icmpx\",\"expr\":\"port-unreachable\"}}")
        });
        refused.and_then(|text| serde_json::from_str(&text).ok()).map(|rule| vec![rule])
    })
}

pub(super) fn reordered(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let mut all = steps(rule);
        let is_match = |at: usize| all.get(at).is_some_and(|step| step.get("match").is_some());
        // `icmpv6 type` says the family to nft only where nothing before it did.
        let first = (is_match(0) && is_match(1)).then_some(0)?;
        all.swap(first, first + 1);
        Some(vec![with_steps(rule, all)])
    })
}
