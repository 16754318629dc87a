//! The terminal answers ARP: asked directly, because the kernel's own table may be minutes old and no packet filter
//! of the terminal touches ARP.

use std::net::Ipv4Addr;

use model::Symptom;

use crate::finding::Finding;
use crate::who_has::Answer;

/// What was answered when `terminal` was asked for.
pub fn finding(terminal: Ipv4Addr, answer: &Answer) -> Finding {
    match answer {
        Err(finding) => finding.clone(),
        Ok(who) => match who.first() {
            Some(holder) => Finding::good(format!("{terminal} at {holder}")),
            None => Finding::bad(Symptom::Silent, format!("{terminal}: no answer to ARP")),
        },
    }
}
