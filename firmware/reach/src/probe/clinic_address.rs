//! Nobody else in the clinic has our address: asked by a probe that changes nobody's tables (RFC 5227 section 2.1.1).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use model::Symptom;
use pnet_base::MacAddr;

use crate::finding::Finding;
use crate::who_has::Answer;

/// What was answered when `own` was asked for in the clinic. `not_strangers` are our own ports, which may hear it, and
/// whoever answers for everybody.
pub fn finding(own: Ipv4Addr, answer: &Answer, not_strangers: &BTreeSet<MacAddr>) -> Finding {
    match answer {
        Err(finding) => finding.clone(),
        Ok(who) => match who.difference(not_strangers).next() {
            Some(stranger) => Finding::bad(Symptom::Duplicate, format!("{own} is at {stranger} too")),
            None => Finding::good(own.to_string()),
        },
    }
}
