//! The ladder: probes, observations, verdict.
//!
//! A rung is an async function to an [`model::Observation`]; what follows from all of them is [`judge`], pure.

mod judge;
mod sabotage;

pub use judge::judge;
