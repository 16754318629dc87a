//! The terminal's file sharing listens. Nothing is said to it: the login is the relay's.

use std::net::{Ipv4Addr, SocketAddr};

use crate::exchange;
use crate::finding::Finding;

/// The port of file sharing.
pub const SMB: u16 = 445;

/// Connects to the terminal's file sharing and hangs up.
pub async fn probe(terminal: Ipv4Addr) -> Finding {
    match exchange::connect(SocketAddr::from((terminal, SMB))).await {
        Ok(stream) => super::opened(&stream),
        Err(finding) => finding,
    }
}
