//! A resolver answers. That the centre's name does not exist is an answer too, and the centre's own rung says so.

use std::net::Ipv6Addr;

use crate::finding::Finding;
use crate::names::{self, Reply};
use crate::plan::Plan;

/// Asks this resolver, and no other, for the centre's name.
pub async fn probe(plan: &Plan, resolver: Ipv6Addr) -> Finding {
    match names::ask(plan, resolver, &plan.centre.name).await {
        Ok(Reply::Addresses(_)) => Finding::good(resolver.to_string()),
        Ok(Reply::Missing) => Finding::good(format!("{resolver}: has no {}", plan.centre.name)),
        Err(finding) => finding,
    }
}
