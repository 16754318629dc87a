//! The consumers' machines answer ARP: the receipt computer, and whoever else takes answers. Asked as the terminals are.

use model::Symptom;

use crate::finding::Finding;
use crate::plan::ConsumerTarget;
use crate::who_has::Answer;

/// What was answered when each consumer was asked for. All of them must be there; who is not is named.
pub fn finding(consumers: &[ConsumerTarget], answers: &[&Answer]) -> Finding {
    let mut there = Vec::new();
    let mut away = Vec::new();
    for (ConsumerTarget { name, address }, answer) in consumers.iter().zip(answers) {
        match answer {
            Err(finding) => return finding.clone(),
            Ok(who) => match who.first() {
                Some(holder) => there.push(format!("{name} {address} at {holder}")),
                None => away.push(format!("{name} {address}: no answer to ARP")),
            },
        }
    }
    if away.is_empty() {
        Finding::good(there.join(", "))
    } else {
        Finding::bad(Symptom::Silent, away.join(", "))
    }
}
