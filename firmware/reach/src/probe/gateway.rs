//! The router answers neighbour discovery: asked directly, because the kernel's own table may be minutes old. A home gateway
//! that lends the box its address is asked by ARP, with everybody else near (`climb/neighbours.rs`).

use std::net::Ipv6Addr;
use std::time::Duration;

use model::Symptom;
use tokio::time::{Instant, timeout_at};

use crate::exchange::AGAIN;
use crate::finding::Finding;
use crate::icmp6;
use crate::kernel::Port;
use crate::sockets::Icmp6;

/// Asks for the link address of `router` until it answers or `patience` is over.
pub async fn probe(socket: &Icmp6, port: Port, router: Ipv6Addr, patience: Duration) -> Finding {
    socket.forget();
    let question = icmp6::neighbour_solicitation(router, port.own);
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if let Err(error) = socket.send(&question, icmp6::solicited_node(router), port.index) {
            return Finding::of_error(&error, router);
        }
        let again = end.min(Instant::now() + AGAIN);
        while let Ok(received) = timeout_at(again, socket.receive()).await {
            match received {
                Ok(message) if icmp6::is_answer_of(&message, router) => {
                    return Finding::good(router.to_string());
                }
                Ok(_) => {}
                Err(error) => return Finding::of_error(&error, router),
            }
        }
    }
    Finding::bad(Symptom::Silent, format!("{router}: no neighbour advertisement"))
}
