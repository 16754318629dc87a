//! A gateway of a provider answers IKE on UDP 500, and on 4500. Nothing is shown of who we are.

use std::net::{IpAddr, SocketAddr};

use model::Symptom;

use crate::exchange::{self, PATIENCE};
use crate::finding::{self, Finding};
use crate::ike::{self, Answer, Says};

/// IKE.
pub const IKE: u16 = 500;
/// IKE and ESP in UDP.
pub const NAT: u16 = 4500;

/// Asks a provider's gateways by this port, out of one of our own whatever other ways there are or by the usual way; one that
/// answers is enough.
pub async fn probe(own: Option<&str>, gateways: &[IpAddr], port: u16) -> Finding {
    match exchange::first_of(gateways, PATIENCE, async |gateway| ask(own, gateway, port).await).await {
        Ok(given) => {
            let (gateway, says) = given.by;
            Finding::good(finding::harmless(&given.said(&format!("{gateway}: {says}"))))
        }
        Err(finding) => finding,
    }
}

async fn ask(own: Option<&str>, gateway: IpAddr, port: u16) -> Result<(IpAddr, Says), Finding> {
    let (mut spi, mut random) = ([0; 8], [0; 32]);
    if aws_lc_rs::rand::fill(&mut spi).and_then(|()| aws_lc_rs::rand::fill(&mut random)).is_err() {
        return Err(Finding::open("no random number"));
    }
    let marker: &[u8] = if port == NAT { &ike::NON_ESP } else { &[] };
    let question = [marker, &ike::question(spi, random)].concat();
    let mut broken = None;
    let read = |bytes: &[u8]| match ike::answer(bytes.strip_prefix(marker)?, spi) {
        Answer::Heard(says) => Some(says),
        Answer::Foreign => None,
        // Anybody can send this; a proper answer may still come.
        Answer::Malformed(how) => {
            broken = Some(how);
            None
        }
    };
    let peer = SocketAddr::from((gateway, port));
    match (exchange::ask_by(own, peer, &question, read).await, broken) {
        (Ok(says), _) => Ok((gateway, says)),
        (Err(_), Some(how)) => Err(Finding::bad(Symptom::Malformed, format!("{peer}: {how}"))),
        (Err(finding), None) => Err(finding),
    }
}
