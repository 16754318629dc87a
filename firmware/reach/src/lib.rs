//! The ladder: probes, observations, verdict.
//!
//! Rungs form a tree from the cable to the centre, and beside it to the terminal. A rung is an async function to a
//! finding (`probe/`, one file a rung); `climb` looks at what lies in the box, then at every host at once; `ladder`
//! keeps the newest observation of each and silences what stands on a broken one; [`judge`] says what follows and
//! whose it is, from one table, without socket, file or clock; [`run`] does so for as long as the box runs.
//!
//! What is read from the network is read by `icmp6`, `arp`, `dns`, `ntp` and `certificate`, on bytes and without
//! panic. Raw sockets are opened and filtered in [`Sockets::open`], by whoever may; after that no capability is needed.

mod arp;
mod certificate;
mod chance;
mod climb;
mod dns;
mod error;
mod exchange;
mod files;
mod finding;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod history;
mod icmp6;
mod ike;
mod judge;
mod kernel;
mod ladder;
mod lease;
mod names;
mod ntp;
pub mod own;
mod pace;
mod past;
mod plan;
mod probe;
mod progress;
mod router;
mod run;
mod sabotage;
pub mod session;
mod sockets;
mod who_has;

pub use error::Error;
pub use files::observations as of_files;
pub use judge::{judge, owners};
pub use past::Past;
pub use plan::{
    ClinicSide, CloudTarget, ConsumerTarget, InternetTarget, Plan, SessionTarget, TerminalTarget,
};
pub use run::{Ask, Witness, run};
pub use sockets::Sockets;
