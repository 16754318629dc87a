//! A router on the line, and an address from it.

use std::time::Instant;

use model::Symptom;

use crate::chance;
use crate::finding::Finding;
use crate::icmp6;
use crate::kernel::{Kernel, Port};
use crate::router::{RouterWatch, Standing};
use crate::sockets::{Icmp6, WAITING};

/// Reads what has been advertised and what the kernel holds; asks routers to speak if none is known. Waits for
/// nothing: an advertisement that comes later brings the next look.
pub async fn probe(kernel: &Kernel, advertisements: &Icmp6, watch: &mut RouterWatch, port: Port) -> Finding {
    for _ in 0..WAITING {
        let Some(message) = advertisements.waiting() else { break };
        hear(&message, port.index, watch);
    }
    let ground = match kernel.ground(port.index).await {
        Ok(ground) => ground,
        Err(error) => return Finding::open(error.to_string()),
    };
    let now = Instant::now();
    watch.routed(&ground.routers, now);
    solicit(advertisements, watch, port);
    match watch.standing(now) {
        Standing::Goodbye => Finding::bad(Symptom::RouterGoodbye, "the router advertised lifetime 0"),
        Standing::Waiting => Finding::open("no router yet"),
        Standing::Absent => Finding::bad(Symptom::NoRouter, "no router answers"),
        Standing::Present if !ground.addresses.is_empty() => Finding::good(list(&ground.addresses)),
        Standing::Present if ground.duplicate => {
            Finding::bad(Symptom::Duplicate, "another device has the address")
        }
        Standing::Present if ground.tentative => Finding::open("the address is being checked for duplicates"),
        Standing::Present => Finding::bad(Symptom::NoAddress, "a router, but no address"),
    }
}

/// Gives a message to the watch if it is a router's on this port.
pub fn hear(message: &icmp6::Received, port: u32, watch: &mut RouterWatch) {
    if message.port == port
        && let Some(seen) = icmp6::advertisement(message)
    {
        watch.advertised(seen, Instant::now());
    }
}

fn solicit(socket: &Icmp6, watch: &mut RouterWatch, port: Port) {
    // RFC 7559 section 2: at most a tenth more or less.
    if watch.solicit(Instant::now(), chance::around_one(0.1)) {
        let sent = socket.send(&icmp6::router_solicitation(port.own), icmp6::ALL_ROUTERS, port.index);
        if let Err(error) = sent {
            tracing::debug!(%error, "a router solicitation was not sent");
        }
    }
}

fn list(addresses: &[std::net::Ipv6Addr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
