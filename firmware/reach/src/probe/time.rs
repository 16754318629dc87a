//! The time server answers, and our clock agrees with it. The clock is not set here.

use std::net::{IpAddr, SocketAddr};

use model::Timestamp;

use crate::exchange::{self, PATIENCE};
use crate::finding::{self, Finding};
use crate::names;
use crate::ntp::{self, Answer};
use crate::plan::Plan;

const NTP: u16 = 123;

/// Asks the time server; another of its addresses if one is silent.
pub async fn probe(plan: &Plan) -> Finding {
    let addresses = match names::resolve(plan, &plan.time).await {
        Ok(addresses) => addresses,
        Err(finding) => return finding,
    };
    match exchange::first_of(&addresses, PATIENCE, ask).await {
        Ok(given) => {
            let (address, answer) = &given.by;
            let said = said(*address, answer);
            Finding { detail: finding::harmless(&given.said(&said.detail)), ..said }
        }
        Err(finding) => finding,
    }
}

/// Asks one address. What cannot be read is no reason to ask no other, and is said if no other answers.
async fn ask(address: IpAddr) -> Result<(IpAddr, Answer), Finding> {
    let mut cookie = [0; 8];
    if aws_lc_rs::rand::fill(&mut cookie).is_err() {
        return Err(Finding::open("no random number"));
    }
    let cookie = u64::from_be_bytes(cookie);
    let asked = Timestamp::now();
    let mut broken = false;
    let read = |bytes: &[u8]| match ntp::answer(bytes, cookie, asked, Timestamp::now()) {
        Answer::Foreign => None,
        Answer::Malformed => {
            broken = true;
            None
        }
        answer => Some(answer),
    };
    match exchange::ask(SocketAddr::from((address, NTP)), &ntp::question(cookie), read).await {
        Ok(answer) => Ok((address, answer)),
        Err(_) if broken => Err(said(address, &Answer::Malformed)),
        Err(finding) => Err(finding),
    }
}

fn said(server: IpAddr, answer: &Answer) -> Finding {
    let detail = match answer {
        Answer::Offset { ms, stratum } => format!("{server}: offset {ms:.1} ms, stratum {stratum}"),
        other => format!("{server}: {other:?}"),
    };
    match answer.symptom() {
        None => Finding::good(detail),
        Some(symptom) => Finding::bad(symptom, detail),
    }
}
