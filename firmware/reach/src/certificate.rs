//! What the centre's certificate says: the only thing besides silence and refusal that may accuse the centre.
//!
//! The handshake is carried on whatever the certificate is, and nothing is sent in it: no login, no certificate of
//! ours, no request. So one connection tells both whether the service is reached and what it shows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Symptom;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::error::Error;
use crate::finding::Finding;

/// The authorities the centre's certificate must come from.
#[derive(Clone, Debug)]
pub struct Authorities {
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Authorities {
    /// Reads them from PEM. With none given certificates are not judged.
    ///
    /// # Errors
    /// [`Error::Authorities`] if the PEM is broken or holds no authority.
    pub fn read(pem: Option<&[u8]>) -> Result<Self, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let Some(pem) = pem else { return Ok(Self { provider, verifier: None }) };
        let broken = |error: &dyn std::fmt::Display| Error::Authorities(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| broken(&error))?;
            roots.add(certificate).map_err(|error| broken(&error))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = verifier.build().map_err(|error| broken(&error))?;
        Ok(Self { provider, verifier: Some(verifier) })
    }

    /// A client that shows no certificate, and the witness who sees the server's.
    ///
    /// # Errors
    /// The library's reason.
    pub fn client(&self) -> Result<(ClientConfig, Arc<Witness>), TlsError> {
        let witness = Arc::new(Witness { authorities: self.clone(), seen: Mutex::new(None) });
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(witness.clone())
            .with_no_client_auth();
        Ok((config, witness))
    }

    /// Judges a chain as shown at `now` by a server asked for by `name`.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Finding {
        let (Some(verifier), Some((leaf, between))) = (&self.verifier, chain.split_first()) else {
            return Finding::open("the certificate is not judged: no authorities are given");
        };
        let verify = |at| verifier.verify_server_cert(leaf, between, name, ocsp, at);
        let Err(error) = verify(now) else { return Finding::good(dates(leaf)) };
        if !is_about_dates(&error) {
            return Finding::bad(symptom(&error), error.to_string());
        }
        // Dates accuse the centre only if everything else about the chain is the centre's.
        match valid_together(chain).map(verify) {
            Some(Ok(_)) => Finding::bad(Symptom::CertificateExpired, dates(leaf)),
            Some(Err(error)) => Finding::bad(symptom(&error), error.to_string()),
            None => Finding::bad(Symptom::Malformed, "a chain that was never valid as a whole"),
        }
    }
}

const fn is_about_dates(error: &TlsError) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        error,
        TlsError::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
        )
    )
}

const fn symptom(error: &TlsError) -> Symptom {
    use CertificateError::{
        BadEncoding, BadSignature, NotValidForName, NotValidForNameContext, UnknownIssuer,
    };
    match error {
        TlsError::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            Symptom::CertificateName
        }
        TlsError::InvalidCertificate(UnknownIssuer | BadSignature) => Symptom::CertificateIssuer,
        TlsError::InvalidCertificate(BadEncoding) => Symptom::Malformed,
        TlsError::InvalidCertificate(_) => Symptom::CertificateIssuer,
        _ => Symptom::Malformed,
    }
}

/// The last moment at which every certificate of the chain was within its dates.
fn valid_together(chain: &[CertificateDer<'_>]) -> Option<UnixTime> {
    let mut from = i64::MIN;
    let mut until = i64::MAX;
    for certificate in chain {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        from = from.max(parsed.validity.not_before.timestamp());
        until = until.min(parsed.validity.not_after.timestamp());
    }
    let until = (from <= until).then_some(until)?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(until).ok()?)))
}

pub fn dates(leaf: &CertificateDer<'_>) -> String {
    match X509Certificate::from_der(leaf) {
        Ok((_, parsed)) => {
            format!("valid from {} until {}", parsed.validity.not_before, parsed.validity.not_after)
        }
        Err(error) => format!("a certificate that cannot be read: {error}"),
    }
}

/// Sees the certificate, remembers what it says, and lets the handshake go on.
#[derive(Debug)]
pub struct Witness {
    authorities: Authorities,
    seen: Mutex<Option<Finding>>,
}

impl Witness {
    /// What the certificate said; none if none was shown.
    pub fn seen(&self) -> Option<Finding> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain: Vec<_> = std::iter::once(leaf).chain(between).cloned().collect();
        let finding = self.authorities.judge(&chain, name, ocsp, now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(finding);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.authorities.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.authorities.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.provider.signature_verification_algorithms.supported_schemes()
    }
}
