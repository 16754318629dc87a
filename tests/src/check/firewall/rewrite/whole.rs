//! The whole ruleset another way: other names, other priorities, goto for jump, no comments, other tables beside it.

use serde_json::{Value, json};

use super::Edit;

pub(super) fn renamed(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for kind in ["set", "map", "chain"] {
        let place = edit.places(kind).into_iter().find(|place| edit.read(*place, kind).get("hook").is_none());
        let Some(name) = place.and_then(|place| edit.read(place, kind)["name"].as_str().map(str::to_owned))
        else {
            continue;
        };
        let text = edit.0.to_string();
        let text = text
            .replace(&format!("\"{name}\""), "\"renamed\"")
            .replace(&format!("\"@{name}\""), "\"@renamed\"");
        made.extend(
            serde_json::from_str(&text).ok().map(|document| (format!("{kind} {name}"), Edit(document))),
        );
    }
    let own = firewall::nft::TABLE.1;
    let text = edit.0.to_string().replace(&format!("\"{own}\""), "\"renamed\"");
    made.extend(serde_json::from_str(&text).ok().map(|document| ("the table".to_owned(), Edit(document))));
    made
}

pub(super) fn gone(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for place in edit.places("map") {
        let mut other = edit.clone();
        let map = other.body(place, "map");
        let name = map["name"].as_str().unwrap_or_default().to_owned();
        let text = map["elem"].to_string().replace("\"jump\"", "\"goto\"");
        map["elem"] = serde_json::from_str(&text).unwrap_or_default();
        made.push((name, other));
    }
    made
}

pub(super) fn reprioritised(edit: &Edit) -> Vec<(String, Edit)> {
    let bases =
        edit.places("chain").into_iter().filter(|place| edit.read(*place, "chain").get("hook").is_some());
    bases
        .map(|place| {
            let mut edit = edit.clone();
            edit.body(place, "chain")["prio"] = json!(-10);
            (edit.read(place, "chain")["name"].to_string(), edit)
        })
        .collect()
}

/// What changes nothing, in every rule: no comments, no counters and logs, and other tables that let pass or only refuse
/// what is refused anyway.
pub(super) fn everywhere(edit: &Edit) -> Vec<(String, Edit)> {
    let mut silent = edit.clone();
    let mut uncounted = edit.clone();
    for place in edit.places("rule") {
        if let Some(rule) = silent.body(place, "rule").as_object_mut() {
            rule.remove("comment");
        }
        uncounted.steps(place).retain(|step| step.get("counter").is_none() && step.get("log").is_none());
    }
    let other = |hook: &str, priority: i32, steps: Value| {
        let table = ("inet", "other");
        let mut edit = edit.clone();
        edit.add("table", table, json!({}));
        edit.add(
            "chain",
            table,
            json!({"name": "c", "type": "filter", "hook": hook, "prio": priority, "policy": "accept"}),
        );
        edit.add("rule", table, json!({"chain": "c", "expr": steps}));
        edit
    };
    vec![
        ("no comments".into(), silent),
        ("no counters, no logs".into(), uncounted),
        ("a table that accepts everything before".into(), other("input", -10, json!([{"accept": null}]))),
        (
            "a table that counts everything".into(),
            other("prerouting", -300, json!([{"counter": {"packets": 0, "bytes": 0}}])),
        ),
    ]
}
