//! The services of the receipt computer's cloud open their doors, and show a valid certificate where they have a name. Nobody
//! logs in: the box hangs up.

use std::net::SocketAddr;

use futures_util::future::join_all;
use model::site::uplink::Endpoint;
use model::{Outcome, Symptom};

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

/// One word for all: an expired certificate, which accuses by itself; else the first that is bad, else the first that is open,
/// else that all hold.
fn all(findings: Vec<Finding>) -> Finding {
    let is_bad = |finding: &&Finding| finding.outcome.symptom().is_some();
    let is_expired = |finding: &&Finding| finding.outcome == Outcome::Bad(Symptom::CertificateExpired);
    let foremost = findings.iter().find(is_expired).or_else(|| findings.iter().find(is_bad));
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

    #[test]
    fn an_expired_certificate_is_said_before_whatever_else_is_wrong_elsewhere() {
        let bad = |symptom| Finding::bad(symptom, "");
        for other in
            [bad(Symptom::Refused), bad(Symptom::CertificateName), Finding::open(""), Finding::good("")]
        {
            let expired = bad(Symptom::CertificateExpired);
            for shown in [[other.clone(), expired.clone()], [expired, other]] {
                assert_eq!(all(shown.to_vec()).outcome, Outcome::Bad(Symptom::CertificateExpired));
            }
        }
        assert_eq!(all(vec![Finding::open(""), bad(Symptom::Silent)]).outcome, Outcome::Bad(Symptom::Silent));
    }

    #[tokio::test]
    async fn a_service_that_refuses_hides_no_other_one_s_certificate() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shut = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let named =
            Endpoint { name: Some("cloud.test".into()), ..endpoint(open.local_addr().unwrap().port()) };
        // It hangs up in place of a certificate: that is its word.
        let serve = async {
            let _ = open.accept().await;
        };
        let none = Authorities::read(None).unwrap();
        let asked = [endpoint(shut), named];
        let ((door, shown), ()) = tokio::join!(probe(&none, &asked), serve);
        assert_eq!(door.outcome, Outcome::Bad(Symptom::Refused));
        assert!(shown.outcome != Outcome::Good && shown.outcome != Outcome::Skipped, "{shown:?}");
    }
}
