//! The centre's service speaks TLS and shows a valid certificate. That it then wants ours is reach (CTR-05): any TLS
//! alert is, and so is a handshake that ends well and would be followed by HTTP 400.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use model::Symptom;
use rustls::Error as TlsError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::certificate::Authorities;
use crate::exchange::CONNECT_PATIENCE;
use crate::finding::Finding;

/// Shakes hands with the host called `name` over `stream`, and hangs up.
pub async fn probe(authorities: &Authorities, name: &str, stream: TcpStream) -> Finding {
    let (config, witness) = match authorities.client() {
        Ok(client) => client,
        Err(error) => return Finding::open(error.to_string()),
    };
    let server = match ServerName::try_from(name.to_owned()) {
        Ok(server) => server,
        Err(error) => return Finding::open(format!("{name}: {error}")),
    };
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, stream);
    let spoken = match timeout(CONNECT_PATIENCE, handshake).await {
        Ok(Ok(_)) => Finding::good("handshake"),
        Ok(Err(error)) => of_handshake(&error),
        Err(_) => Finding::bad(Symptom::Silent, "no handshake"),
    };
    conclude(spoken, witness.seen())
}

/// A bad certificate is evidence however the handshake went on; a good one does not mend a broken handshake.
fn conclude(spoken: Finding, certificate: Option<Finding>) -> Finding {
    match certificate {
        Some(seen) if seen.outcome.symptom().is_some() => seen,
        Some(seen) if spoken.outcome.is_good() => seen,
        Some(_) | None => spoken,
    }
}

/// What a handshake that failed says of the service.
fn of_handshake(error: &io::Error) -> Finding {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::AlertReceived(alert)) => Finding::good(format!("alert {alert:?}")),
        Some(error @ (TlsError::InvalidMessage(_) | TlsError::PeerMisbehaved(_))) => {
            Finding::bad(Symptom::Malformed, error.to_string())
        }
        Some(error) => Finding::open(error.to_string()),
        None if error.kind() == ErrorKind::UnexpectedEof => {
            Finding::bad(Symptom::Refused, "closed during the handshake without an alert")
        }
        None => Finding::of_error(error, "handshake"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_reach_but_an_expired_certificate_before_it_is_seen() {
        let alert = TlsError::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let spoken = of_handshake(&io::Error::other(alert));
        assert!(conclude(spoken.clone(), None).outcome.is_good());
        let expired = Finding::bad(Symptom::CertificateExpired, "");
        assert_eq!(conclude(spoken, Some(expired.clone())), expired);
        let silent = Finding::bad(Symptom::Silent, "");
        assert_eq!(conclude(silent.clone(), Some(Finding::good(""))), silent);
    }
}
