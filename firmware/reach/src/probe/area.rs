//! The resolvers are those of our area, East or West: they know our distribution host's name.

use model::Symptom;

use crate::finding::Finding;
use crate::names;
use crate::plan::Plan;

/// Asks for our area's name, and for the `other` area's.
pub async fn probe(plan: &Plan, other: &str) -> Finding {
    let own = plan.distribution.name.as_str();
    let (ours, others) = tokio::join!(names::resolve(plan, own), names::resolve(plan, other));
    match (ours, others) {
        (Ok(_), _) => Finding::good(own),
        (Err(ours), Ok(_)) if ours.outcome.symptom() == Some(Symptom::NameMissing) => {
            Finding::bad(Symptom::OtherArea, format!("{own} is unknown, {other} is known"))
        }
        (Err(ours), _) => Finding::open(ours.detail),
    }
}
