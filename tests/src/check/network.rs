//! Judging packets from the far side: connections tried from one host, listeners and readers in another.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};

use super::Wrong;
use crate::Clinic;

/// What became of trying to open a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It opened.
    Open,
    /// Somebody over there said no.
    Refused,
    /// Nobody answered.
    Silent,
    /// The way was refused on the way (ICMP), or there is none.
    NoWay,
}

/// How long a lost packet is waited for: the second SYN goes out after one second.
const LOST: Duration = Duration::from_millis(1500);
/// How long a page may take to open.
const OPENS: Duration = Duration::from_secs(5);
/// How long it may be silent once it is open: an emulated board beside a compiler takes seconds for a handshake.
const ANSWERS: Duration = Duration::from_secs(30);
/// The largest page that is read, bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Tries to open a TCP connection from a host.
///
/// # Errors
/// It cannot even be tried.
pub fn reach(clinic: &Clinic, from: &str, to: SocketAddr) -> Result<Reach, Wrong> {
    Ok(clinic.inside(from, || match TcpStream::connect_timeout(&to, LOST) {
        Ok(_) => Reach::Open,
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Reach::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Reach::Silent,
            _ => Reach::NoWay,
        },
    })?)
}

/// Listens on a port of a host, on every address.
///
/// # Errors
/// The port is busy.
pub fn listen(clinic: &Clinic, on: &str, at: SocketAddr) -> Result<TcpListener, Wrong> {
    let listener = clinic.inside(on, || TcpListener::bind(at))??;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether somebody came through to a listener.
pub fn came(listener: &TcpListener) -> bool {
    listener.accept().is_ok()
}

/// An answer of the page.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Header lines, as they came.
    pub head: String,
    /// The body.
    pub body: String,
}

/// How the page is asked.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// In plain words.
    Plain,
    /// Over TLS; the certificate must come from the authority in this file.
    Secure(&'a std::path::Path),
    /// Over TLS, whoever it is: nobody knows the certificate of a box that has just left its carton.
    Trusting,
}

/// Asks the page from a host.
///
/// # Errors
/// It does not answer as HTTP does.
pub fn get(
    clinic: &Clinic,
    from: &str,
    to: SocketAddr,
    way: Way<'_>,
    path: &str,
    language: &str,
) -> Result<Page, Wrong> {
    let order = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept-Language: {language}\r\nConnection: close\r\n\r\n",
        to.ip()
    );
    let stream = open(clinic, from, to)?;
    let text = match way {
        Way::Plain => converse(stream, &order)?,
        Way::Secure(file) => converse(secured(stream, to.ip(), known(file)?)?, &order)?,
        Way::Trusting => converse(secured(stream, to.ip(), anyone())?, &order)?,
    };
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| Wrong::new("the page sent no head"))?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Ok(Page { status, head: head.to_owned(), body: body.to_owned() })
}

fn open(clinic: &Clinic, from: &str, to: SocketAddr) -> Result<TcpStream, Wrong> {
    let stream = clinic.inside(from, || TcpStream::connect_timeout(&to, OPENS))??;
    stream.set_read_timeout(Some(ANSWERS))?;
    Ok(stream)
}

/// A read that runs out of time comes back as EAGAIN, which tells a reader nothing.
fn silent(error: std::io::Error) -> Wrong {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Wrong(format!("the page is silent for {ANSWERS:?}")),
        _ => error.into(),
    }
}

fn converse(mut stream: impl Read + Write, order: &str) -> Result<String, Wrong> {
    stream.write_all(order.as_bytes()).map_err(silent)?;
    let mut text = Vec::new();
    match stream.take(LARGEST).read_to_end(&mut text) {
        // A server that closes without a close_notify has still sent its length.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(silent(error)),
        _ => Ok(String::from_utf8_lossy(&text).into_owned()),
    }
}

/// The certificates a server shows, its own first.
///
/// # Errors
/// It speaks no TLS.
pub fn presented(clinic: &Clinic, from: &str, to: SocketAddr) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let mut stream = secured(open(clinic, from, to)?, to.ip(), anyone())?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(silent)?;
    }
    let shown = stream.conn.peer_certificates().unwrap_or_default();
    Ok(shown.iter().map(|certificate| certificate.clone().into_owned()).collect())
}

type Config = Result<ClientConfig, rustls::Error>;

/// Trusts who the authority in a file vouches for.
fn known(authority: &std::path::Path) -> Result<Config, Wrong> {
    let refused = |what: String| Wrong(format!("failed to trust {}: {what}", authority.display()));
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority).map_err(|error| refused(error.to_string()))?;
    roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    Ok(builder.map(|builder| builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Trusts anyone, and keeps what they show.
fn anyone() -> Config {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let anyone = Arc::new(Anyone(provider()));
    Ok(builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn secured(
    stream: TcpStream,
    own: IpAddr,
    config: Config,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Wrong> {
    let connection =
        config.and_then(|config| ClientConnection::new(Arc::new(config), ServerName::IpAddress(own.into())));
    let connection = connection.map_err(|error| Wrong(format!("failed to begin TLS: {error}")))?;
    Ok(StreamOwned::new(connection, stream))
}

/// Looks at no name and no issuer; what is signed must still be signed by whoever shows the certificate.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
