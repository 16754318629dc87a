//! The time server answers, and our clock agrees with it. The clock is not set here.

use std::net::SocketAddr;

use model::Timestamp;

use crate::exchange;
use crate::finding::Finding;
use crate::names;
use crate::ntp::{self, Answer};
use crate::plan::Plan;

const NTP: u16 = 123;

/// Asks the time server once.
pub async fn probe(plan: &Plan) -> Finding {
    let address = match names::resolve(plan, &plan.time).await {
        Ok(address) => address,
        Err(finding) => return finding,
    };
    let mut cookie = [0; 8];
    if aws_lc_rs::rand::fill(&mut cookie).is_err() {
        return Finding::open("no random number");
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
        Ok(answer) => said(address, &answer),
        Err(_) if broken => said(address, &Answer::Malformed),
        Err(finding) => finding,
    }
}

fn said(server: std::net::Ipv6Addr, answer: &Answer) -> Finding {
    let detail = match answer {
        Answer::Offset { ms, stratum } => format!("{server}: offset {ms:.1} ms, stratum {stratum}"),
        other => format!("{server}: {other:?}"),
    };
    match answer.symptom() {
        None => Finding::good(detail),
        Some(symptom) => Finding::bad(symptom, detail),
    }
}
