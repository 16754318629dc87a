//! The services of the receipt computer's cloud open their doors, and show a valid certificate where they have a name. Nobody
//! logs in: the box hangs up.

use std::net::SocketAddr;

use futures_util::future::join_all;
use model::Outcome;
use model::site::uplink::Endpoint;

use super::{centre_tls, opened};
use crate::certificate::Authorities;
use crate::exchange;
use crate::finding::{self, Finding};

/// What the services say: by TCP, and by TLS where they have names.
pub async fn probe(authorities: &Authorities, endpoints: &[Endpoint]) -> (Finding, Finding) {
    let asked = join_all(endpoints.iter().map(|endpoint| ask(authorities, endpoint))).await;
    let (doors, shown): (Vec<Finding>, Vec<Option<Finding>>) = asked.into_iter().unzip();
    (all(doors), all(shown.into_iter().flatten().collect()))
}

async fn ask(authorities: &Authorities, endpoint: &Endpoint) -> (Finding, Option<Finding>) {
    let peer = SocketAddr::from((endpoint.address, endpoint.port));
    match (exchange::connect(peer).await, &endpoint.name) {
        (Ok(stream), Some(name)) => {
            (opened(&stream), Some(centre_tls::probe(authorities, name, stream).await))
        }
        (Ok(stream), None) => (opened(&stream), None),
        (Err(finding), _) => (finding, None),
    }
}

/// One word for all: the first that is bad, else the first that is open, else that all hold.
fn all(findings: Vec<Finding>) -> Finding {
    let is_bad = |finding: &&Finding| finding.outcome.symptom().is_some();
    let foremost = findings.iter().find(is_bad);
    let foremost = foremost.or_else(|| findings.iter().find(|finding| finding.outcome != Outcome::Good));
    if let Some(found) = foremost {
        return found.clone();
    }
    if findings.is_empty() {
        return Finding::skipped();
    }
    let details: Vec<&str> = findings.iter().map(|finding| finding.detail.as_str()).collect();
    Finding::good(finding::harmless(&details.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use model::Symptom;
    use tokio::net::TcpListener;

    use super::*;

    fn endpoint(port: u16) -> Endpoint {
        Endpoint { address: Ipv4Addr::LOCALHOST, port, name: None }
    }

    #[tokio::test]
    async fn one_service_that_refuses_is_what_is_said_of_all() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shut = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let there = open.local_addr().unwrap().port();
        let none = Authorities::read(None).unwrap();
        let (door, shown) = probe(&none, &[endpoint(there)]).await;
        assert_eq!((door.outcome, shown.outcome), (Outcome::Good, Outcome::Skipped));
        let (door, _) = probe(&none, &[endpoint(there), endpoint(shut)]).await;
        assert_eq!(door.outcome, Outcome::Bad(Symptom::Refused));
    }
}
