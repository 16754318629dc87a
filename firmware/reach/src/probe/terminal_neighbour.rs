//! The terminal answers ARP: asked directly, because the kernel's own table may be minutes old and no packet filter
//! of the terminal touches ARP.

use std::net::Ipv4Addr;

use model::Symptom;
use tokio::time::{Instant, timeout_at};

use crate::arp;
use crate::exchange::{AGAIN, PATIENCE};
use crate::finding::Finding;
use crate::kernel::Port;
use crate::sockets::Arp;

/// Asks who has `terminal` until somebody answers. The terminals share one socket and are asked one after the other.
pub async fn probe(socket: &Arp, port: Port, own: Ipv4Addr, terminal: Ipv4Addr) -> Finding {
    socket.forget();
    let question = arp::request(terminal, port.own, own);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Err(error) = socket.broadcast(&question, port.index) {
            return Finding::of_error(&error, terminal);
        }
        let again = end.min(Instant::now() + AGAIN);
        while let Ok(received) = timeout_at(again, socket.receive()).await {
            let bytes = match received {
                Ok(bytes) => bytes,
                Err(error) => return Finding::of_error(&error, terminal),
            };
            if let Some(holder) = arp::holder(&bytes, terminal) {
                return Finding::good(format!("{terminal} at {holder}"));
            }
        }
    }
    Finding::bad(Symptom::Silent, format!("{terminal}: no answer to ARP"))
}
