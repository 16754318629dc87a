//! The line-authentication host opens its door. Nothing is said to it.

use crate::finding::Finding;
use crate::plan::Plan;

/// Connects to the line-authentication host.
pub async fn probe(plan: &Plan) -> Finding {
    super::opens(plan, &plan.line_auth).await
}
