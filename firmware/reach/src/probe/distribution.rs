//! The distribution host opens its door: a neighbour of the centre on the closed network.

use crate::finding::Finding;
use crate::plan::Plan;

/// Connects to the distribution host.
pub async fn probe(plan: &Plan) -> Finding {
    super::opens(plan, &plan.distribution).await
}
