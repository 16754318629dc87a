//! The probes, one file a rung: each an async function to a [`Finding`]. None logs in, shows a certificate or asks
//! for a qualification.

pub mod address;
pub mod area;
pub mod centre_tcp;
pub mod centre_tls;
pub mod clinic_address;
pub mod cloud;
pub mod distribution;
pub mod gateway;
pub mod ike;
pub mod internet;
pub mod large;
pub mod lease;
pub mod line_auth;
pub mod link;
pub mod quality;
pub mod receipt_computer;
pub mod resolver;
pub mod router;
pub mod separation;
pub mod terminal_neighbour;
pub mod terminal_smb;
pub mod time;

use std::net::SocketAddr;

use model::profile::Target;
use tokio::net::TcpStream;

use crate::exchange::{self, CONNECT_PATIENCE, Given};
use crate::finding::{self, Finding};
use crate::names;
use crate::plan::Plan;

/// Finds a host by name and connects to the first of its addresses that lets us in.
async fn knock(plan: &Plan, target: &Target) -> Result<Given<TcpStream>, Finding> {
    let addresses = names::resolve(plan, &target.name).await?;
    let port = target.port;
    let attempt = async |address| exchange::connect(SocketAddr::from((address, port))).await;
    exchange::first_of(&addresses, CONNECT_PATIENCE, attempt).await
}

/// A host that only has to open its door.
async fn opens(plan: &Plan, target: &Target) -> Finding {
    match knock(plan, target).await {
        Ok(given) => let_in(&given),
        Err(finding) => finding,
    }
}

fn let_in(given: &Given<TcpStream>) -> Finding {
    let opened = opened(&given.by);
    Finding { detail: finding::harmless(&given.said(&opened.detail)), ..opened }
}

fn opened(stream: &TcpStream) -> Finding {
    match stream.peer_addr() {
        Ok(peer) => Finding::good(peer.to_string()),
        Err(error) => Finding::of_error(&error, "peer"),
    }
}
