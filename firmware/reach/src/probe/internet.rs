//! The internet line: what it lends, its gateway, and somebody far on it.
//!
//! The one far off is a resolver of the site file, whom the clinic's own resolver asks all day. Nobody else is asked, and no
//! name of the closed network: what is asked for is an address of the root, which nobody has and every resolver knows to say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use model::Symptom;

use crate::dns::{Answer, Question};
use crate::exchange::{self, PATIENCE};
use crate::finding::{self, Finding};
use crate::kernel::Ground4;
use crate::names::DNS;
use crate::who_has;

/// How long a port with carrier may be without an address and a way out: as long as the line without a router. A client of
/// DHCP asks four times by then (RFC 2131 section 4.1).
const LENDING: Duration = Duration::from_secs(model::observation::ROUTER_PATIENCE_S);

/// What the port has been lent. `without`: since when it has nothing of it.
pub fn address(ground: &Ground4, without: &mut Option<Instant>, now: Instant) -> Finding {
    let (addresses, routers) = (list(&ground.addresses), list(&ground.routers));
    if !ground.addresses.is_empty() && !ground.routers.is_empty() {
        *without = None;
        return Finding::good(format!("{addresses} by {routers}"));
    }
    let since = *without.get_or_insert(now);
    let lacks =
        if ground.addresses.is_empty() { "no address".into() } else { format!("{addresses}, no router") };
    if now.duration_since(since) < LENDING {
        Finding::open(format!("{lacks} yet"))
    } else {
        Finding::bad(Symptom::NoAddress, lacks)
    }
}

/// What was answered when the gateway was asked for.
pub fn gateway(router: Ipv4Addr, answer: &who_has::Answer) -> Finding {
    super::terminal_neighbour::finding(router, answer)
}

/// Whether a resolver of the site file answers, whatever it says; one that does is enough.
pub async fn beyond(port: &str, resolvers: &[IpAddr]) -> Finding {
    match exchange::first_of(resolvers, PATIENCE, async |resolver| ask(port, resolver).await).await {
        Ok(given) => {
            let (resolver, says) = &given.by;
            Finding::good(finding::harmless(&given.said(&format!("{resolver}: {says}"))))
        }
        Err(finding) => finding,
    }
}

async fn ask(port: &str, resolver: IpAddr) -> Result<(IpAddr, String), Finding> {
    let question = Question::new(".", true).map_err(Finding::open)?;
    let read = |bytes: &[u8]| match question.answer(bytes) {
        Answer::Foreign | Answer::Malformed(_) => None,
        Answer::Failed(code) => Some(code),
        Answer::Addresses(_) | Answer::Missing => Some("answers".to_owned()),
    };
    let peer = SocketAddr::from((resolver, DNS));
    Ok((resolver, exchange::ask_by(Some(port), peer, &question.bytes, read).await?))
}

fn list(addresses: &[Ipv4Addr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 212);
    const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 209);

    fn ground(addresses: &[Ipv4Addr], routers: &[Ipv4Addr]) -> Ground4 {
        Ground4 { addresses: addresses.to_vec(), routers: routers.to_vec() }
    }

    #[test]
    fn a_port_without_an_address_or_a_way_out_is_waited_for_and_then_bad() {
        let begun = Instant::now();
        for lacking in [ground(&[], &[]), ground(&[OWN], &[])] {
            let mut without = None;
            let mut at =
                |seconds| address(&lacking, &mut without, begun + Duration::from_secs(seconds)).outcome;
            assert_eq!((at(0), at(29)), (Outcome::Open, Outcome::Open));
            assert_eq!(at(30), Outcome::Bad(Symptom::NoAddress));
            assert_eq!(address(&ground(&[OWN], &[ROUTER]), &mut without, begun).outcome, Outcome::Good);
            assert_eq!(without, None, "the next loss is waited for anew");
        }
    }

    #[tokio::test]
    async fn whatever_a_resolver_says_somebody_is_there_and_its_silence_is_seen() {
        let resolver = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer = resolver.local_addr().unwrap();
        let question = Question::new(".", true).unwrap();
        let asked = question.bytes.clone();
        let answers = tokio::spawn(async move {
            let (mut bytes, refused) = (vec![0; 512], 0x8505_u16.to_be_bytes());
            let (length, from) = resolver.recv_from(&mut bytes).await.unwrap();
            assert_eq!(&bytes[..length], asked);
            bytes[2..4].copy_from_slice(&refused);
            resolver.send_to(&bytes[..length], from).await.unwrap();
        });
        let read = |bytes: &[u8]| match question.answer(bytes) {
            Answer::Failed(code) => Some(code),
            _ => None,
        };
        let said = exchange::ask_by(Some("lo"), peer, &question.bytes, read).await.unwrap();
        assert!(said.to_lowercase().contains("refused"), "{said}");
        answers.await.unwrap();
    }
}
