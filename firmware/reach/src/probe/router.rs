//! One router speaks for the line. A second one is a stranger's only while the first still answers: else it is the
//! first one's successor.

use std::net::Ipv6Addr;

use model::{Outcome, Symptom};

use super::gateway;
use crate::exchange::PATIENCE;
use crate::finding::Finding;
use crate::kernel::Port;
use crate::sockets::Icmp6;

/// Asks both of two routers, one after the other: they share a socket.
pub async fn probe(socket: &Icmp6, port: Port, rivals: Option<(Ipv6Addr, Ipv6Addr)>) -> Finding {
    let Some((first, newest)) = rivals else { return Finding::good("") };
    for router in [first, newest] {
        let asked = gateway::probe(socket, port, router, PATIENCE).await;
        match asked.outcome {
            Outcome::Good => {}
            Outcome::Bad(_) => return Finding::good(format!("{router} does not answer any more")),
            Outcome::Open | Outcome::Skipped => return asked,
        }
    }
    Finding::bad(Symptom::SecondRouter, format!("{first} was there first, {newest} speaks too"))
}
