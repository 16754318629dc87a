//! A packet as large as the line's MTU gets an answer. It is a resolver's question, made long by padding (RFC 7830).
//! Where a router on the way says that it is too big, the kernel learns that and sends the next one in pieces, so only
//! a path that swallows it without a word leaves it without an answer (a black hole, RFC 2923 section 2.1).

use std::net::SocketAddr;

use model::{Outcome, Symptom};

use crate::dns::{Answer, Question};
use crate::exchange;
use crate::finding::Finding;
use crate::names::DNS;
use crate::plan::Plan;

/// A whole packet of Ethernet: 1500 bytes, without the headers of IPv6 and UDP.
const LARGE: usize = 1500 - 40 - 8;

/// Asks both resolvers at once; any answer that can be read proves the path.
pub async fn probe(plan: &Plan) -> Finding {
    let [one, two] = plan.resolvers.map(|resolver| ask(plan, SocketAddr::from((resolver, DNS))));
    let (one, two) = tokio::join!(one, two);
    match (one, two) {
        (Ok(()), _) | (_, Ok(())) => Finding::good(format!("{} bytes", LARGE + 48)),
        (Err(one), Err(two)) => match (one.outcome, two.outcome) {
            (Outcome::Bad(Symptom::Silent), Outcome::Bad(Symptom::Silent)) => {
                Finding::bad(Symptom::LargeLost, format!("{} bytes have no answer", LARGE + 48))
            }
            _ => Finding::open(format!("{}; {}", one.detail, two.detail)),
        },
    }
}

async fn ask(plan: &Plan, peer: SocketAddr) -> Result<(), Finding> {
    let question = Question::padded(&plan.centre.name, plan.ipv4, LARGE).map_err(Finding::open)?;
    let read = |bytes: &[u8]| match question.answer(bytes) {
        Answer::Foreign | Answer::Malformed(_) => None,
        Answer::Addresses(_) | Answer::Missing | Answer::Failed(_) => Some(()),
    };
    exchange::ask(peer, &question.bytes, read).await
}
