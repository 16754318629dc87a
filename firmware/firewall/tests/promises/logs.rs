//! Promise 12: what is logged as refused was refused, by the rule the log names.

use firewall::prove::{Finding, Wrong};
use serde_json::{Value, json};

use crate::mutate::*;
use crate::{Change, broken, each_breaks, each_stands, judged, ruleset};

#[test]
fn a_log_that_says_what_is_not_so_is_shown() {
    each_breaks(
        12,
        &[
            ("logged, and let pass by the same rule", |d| {
                first(
                    d,
                    "input_wan",
                    json!([{"log": {"prefix": "wan-input-rest", "group": 5}}, {"accept": null}]),
                );
            }),
            ("logged, and let pass by a later rule", |d| {
                let log = rule(d, "clinic-input-source4-log")["expr"].clone();
                first(d, "input_clinic", log);
            }),
            ("the refusal is gone, the log stayed", |d| remove(d, "clinic-input-address")),
            ("another refusal's name", |d| {
                let steps = rule(d, "wan-input-rest-log")["expr"].as_array_mut().unwrap();
                steps
                    .iter_mut()
                    .filter(|step| step.get("log").is_some())
                    .for_each(|step| step["log"]["prefix"] = json!("wan-input-ipv4"));
            }),
            ("the log comes before other rules than the refusal does", |d| {
                swap(d, "wan-input-ra", "wan-input-rest-log");
            }),
            ("no name at all", |d| {
                let steps = rule(d, "forward-rest-log")["expr"].as_array_mut().unwrap();
                steps
                    .iter_mut()
                    .filter(|step| step.get("log").is_some())
                    .for_each(|step| drop(step["log"].as_object_mut().unwrap().remove("prefix")));
            }),
            ("logged in another table, before anything is decided", |d| {
                foreign(
                    d,
                    "inet",
                    json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": 0, "policy": "accept"}),
                );
                last_of(d, "other", "pre", json!([{"log": {"prefix": "input-rest", "group": 5}}]));
            }),
        ],
    );
}

#[test]
fn a_log_that_says_nothing_of_a_refusal_is_no_matter() {
    let other = |log: Value| move |d: &mut Value| first(d, "input_wan", json!([{"log": log.clone()}]));
    for log in [json!(null), json!({"prefix": "seen "}), json!({"prefix": "seen", "group": 6})] {
        let mut document = ruleset();
        other(log.clone())(&mut document);
        assert!(judged(&document).iter().all(|(_, finding)| *finding == Finding::Proved), "{log}");
    }
    const SAME: &[(&str, Change)] = &[
        ("one rule logs and refuses", |d| {
            remove(d, "forward-rest-log");
            rule(d, "forward-rest")["expr"] =
                json!([{"log": {"prefix": "forward-rest", "group": 5}}, {"drop": null}]);
        }),
        ("every refusal is logged, without a rate", |d| {
            for (_, body) in objects(d).filter(|(kind, _)| kind == "rule") {
                let logs = body["expr"].as_array().unwrap().iter().any(|step| step.get("log").is_some());
                if logs {
                    body["expr"].as_array_mut().unwrap().retain(|step| step.get("limit").is_none());
                }
            }
        }),
    ];
    each_stands(SAME);
}

#[test]
fn a_rule_without_a_name_is_named_by_a_prefix_of_its_own() {
    let mut document = ruleset();
    objects(&mut document).for_each(|(_, body)| drop(body.as_object_mut().unwrap().remove("comment")));
    assert!(judged(&document).iter().all(|(_, finding)| *finding == Finding::Proved));
    // Two rules refuse under one prefix: it names neither.
    let mut other = ruleset();
    for id in ["wan-input-rest-log", "wan-input-ipv4-log"] {
        let steps = rule(&mut other, id)["expr"].as_array_mut().unwrap();
        steps
            .iter_mut()
            .filter(|step| step.get("log").is_some())
            .for_each(|step| step["log"]["prefix"] = json!("wan"));
    }
    objects(&mut other).for_each(|(_, body)| drop(body.as_object_mut().unwrap().remove("comment")));
    assert!(
        matches!(broken("one prefix", &other, 12).wrong, Wrong::Logged { prefix, .. } if prefix == "wan")
    );
}
