//! Names of the closed network, asked of the line's resolvers and never of the system's.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::{Either, select};
use model::Symptom;

use crate::dns::{Answer, Question};
use crate::exchange;
use crate::finding::Finding;
use crate::plan::Plan;

/// The port of resolvers.
pub const DNS: u16 = 53;

/// What one resolver says of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Addresses that can be the closed network's, at least one.
    Addresses(Vec<IpAddr>),
    /// The name does not exist, or has no address of the line's family.
    Missing,
}

/// Asks one resolver.
///
/// # Errors
/// What to say of that resolver instead.
pub async fn ask(plan: &Plan, resolver: IpAddr, host: &str) -> Result<Reply, Finding> {
    let question =
        Question::new(host, plan.ipv4).map_err(|error| Finding::open(format!("{host}: {error}")))?;
    let mut broken = None;
    let read = |bytes: &[u8]| match question.answer(bytes) {
        Answer::Foreign => None,
        // Anybody can send this; a proper answer may still come.
        Answer::Malformed(how) => {
            broken = Some(how);
            None
        }
        answer => Some(answer),
    };
    let answer = exchange::ask(SocketAddr::from((resolver, DNS)), &question.bytes, read).await;
    let malformed = |how: String| Finding::bad(Symptom::Malformed, format!("{resolver}: {host}: {how}"));
    match answer {
        Ok(Answer::Addresses(found)) => match found.iter().find(|address| !plan.expects(**address)) {
            Some(stranger) => {
                let said = format!("{resolver}: {host}: {stranger} does not lie in the closed network");
                Err(Finding::bad(Symptom::Stranger, said))
            }
            None => Ok(Reply::Addresses(found)),
        },
        Ok(Answer::Failed(code)) => {
            Err(Finding::bad(Symptom::ResolverError, format!("{resolver}: {host}: {code}")))
        }
        Ok(_) => Ok(Reply::Missing),
        Err(finding) => Err(broken.map_or(finding, malformed)),
    }
}

/// Asks both at once and takes the addresses of whoever has some first, at least one.
///
/// # Errors
/// What to say of the rung that needs this name.
pub async fn resolve(plan: &Plan, host: &str) -> Result<Vec<IpAddr>, Finding> {
    let [one, two] = plan.resolvers;
    let (first, other) = match select(Box::pin(ask(plan, one, host)), Box::pin(ask(plan, two, host))).await {
        Either::Left((first, other)) | Either::Right((first, other)) => (first, other),
    };
    let first = match first {
        Ok(Reply::Addresses(found)) => return Ok(found),
        other => other,
    };
    match (first, other.await) {
        (_, Ok(Reply::Addresses(found))) => Ok(found),
        (Err(finding), Err(_)) => Err(finding),
        _ => Err(Finding::bad(Symptom::NameMissing, format!("{host}: no such name, or no address"))),
    }
}
