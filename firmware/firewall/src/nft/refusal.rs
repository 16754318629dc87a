//! How a refusal is written. It takes two rules, one that logs at its rate and one that counts and drops: a limit in the
//! rule that drops would let pass what exceeds it. Both stand in a chain of the refusal's own, named as its line, and one
//! rule leads there: what is not refused, which is nearly every packet, is asked once and not twice. A refusal of
//! whatever is left has nothing to ask, and stands where it is.

use serde_json::{Value, json};

use super::json::commented;
use super::{Chain, LOG_GROUP, LOGGED, Rule, Statement};

/// A chain with those of its refusals, and the rules of all of them.
pub(super) fn written(chain: &Chain) -> (Vec<Value>, Vec<Value>) {
    let (mut chains, mut rules, mut of_refusals) = (vec![chain.json()], Vec::new(), Vec::new());
    for rule in &chain.rules {
        match rule.steps.as_slice() {
            [Statement::Refuse] => rules.extend(refused(rule, chain.name)),
            [when @ .., Statement::Refuse] => {
                rules.push(leads(rule, when, chain.name));
                chains.push(json!({"name": rule.id}));
                of_refusals.extend(refused(rule, &rule.id));
            }
            _ => rules.push(rule.json(chain.name)),
        }
    }
    rules.append(&mut of_refusals);
    (chains, rules)
}

fn leads(rule: &Rule, when: &[Statement], chain: &str) -> Value {
    let there = json!({"jump": {"target": rule.id}});
    let steps = when.iter().map(Statement::json).chain([there]).collect();
    commented(&format!("{}-case", rule.id), rule.says, chain, steps)
}

fn refused(rule: &Rule, chain: &str) -> [Value; 2] {
    let log = json!({"log": {"prefix": rule.id, "group": LOG_GROUP}});
    let steps = vec![Statement::Limit(LOGGED).json(), log];
    let dropped = vec![Statement::Count.json(), Statement::Refuse.json()];
    [
        commented(&format!("{}-log", rule.id), rule.says, chain, steps),
        commented(&rule.id, rule.says, chain, dropped),
    ]
}
