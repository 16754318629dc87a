//! Promise 11 on a document: with every rule gone it is closed. That nothing passes while a change is applied, or after
//! one that failed, is tried in `tests.rs` of the room.

use firewall::prove::Wrong;
use serde_json::json;

use crate::mutate::*;
use crate::{Change, broken, ruleset};

#[test]
fn a_policy_that_lets_pass_is_shown_though_a_last_rule_refuses() {
    const OPEN: &[(&str, Change)] = &[
        ("input", |d| chain(d, "input")["policy"] = json!("accept")),
        ("forward", |d| chain(d, "forward")["policy"] = json!("accept")),
        ("output", |d| drop(chain(d, "output").as_object_mut().map(|chain| chain.remove("policy")))),
        ("a family", |d| objects(d).for_each(|(_, body)| body["family"] = json!("ip"))),
        ("a hook", |d| without_chain(d, "forward")),
    ];
    for (name, change) in OPEN {
        let mut document = ruleset();
        change(&mut document);
        assert_eq!(broken(name, &document, 11).wrong, Wrong::Unruled);
    }
}
