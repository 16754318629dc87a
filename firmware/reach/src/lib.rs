//! The ladder: probes, observations, verdict.
//!
//! A rung is an async function to an [`model::Observation`]; what follows from all of them is [`judge`], pure.

mod arp;
mod certificate;
mod climb;
mod dns;
mod error;
mod exchange;
mod finding;
mod history;
mod icmp6;
mod judge;
mod kernel;
mod ladder;
mod names;
mod ntp;
mod plan;
mod probe;
mod router;
mod run;
mod sabotage;
mod sockets;

pub use error::Error;
pub use judge::judge;
pub use plan::{Plan, TerminalTarget};
pub use run::{ShareSource, run};
pub use sockets::Sockets;
