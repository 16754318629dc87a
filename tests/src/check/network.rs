//! Judging packets from the far side: connections tried from one host, listeners and readers in another.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Wrong;
use super::lab::Lab;

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
/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest page that is read, bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Tries to open a TCP connection from a host.
///
/// # Errors
/// It cannot even be tried.
pub fn reach(lab: &Lab, from: &str, to: SocketAddr) -> Result<Reach, Wrong> {
    Ok(lab.clinic().inside(from, || match TcpStream::connect_timeout(&to, LOST) {
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
pub fn listen(lab: &Lab, on: &str, at: SocketAddr) -> Result<TcpListener, Wrong> {
    let listener = lab.clinic().inside(on, || TcpListener::bind(at))??;
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

/// Asks the page from a host; over TLS its certificate must come from `authority`.
///
/// # Errors
/// It does not answer as HTTP does.
pub fn get(
    lab: &Lab,
    from: &str,
    to: SocketAddr,
    authority: Option<&std::path::Path>,
    path: &str,
    language: &str,
) -> Result<Page, Wrong> {
    let order = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept-Language: {language}\r\nConnection: close\r\n\r\n",
        to.ip()
    );
    let stream = lab.clinic().inside(from, || TcpStream::connect_timeout(&to, PATIENCE))??;
    stream.set_read_timeout(Some(PATIENCE))?;
    let text = match authority {
        None => converse(stream, &order)?,
        Some(file) => converse(secured(stream, to.ip(), file)?, &order)?,
    };
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| Wrong::new("the page sent no head"))?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Ok(Page { status, head: head.to_owned(), body: body.to_owned() })
}

fn converse(mut stream: impl Read + Write, order: &str) -> Result<String, Wrong> {
    stream.write_all(order.as_bytes())?;
    let mut text = Vec::new();
    match stream.take(LARGEST).read_to_end(&mut text) {
        // A server that closes without a close_notify has still sent its length.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error.into()),
        _ => Ok(String::from_utf8_lossy(&text).into_owned()),
    }
}

fn secured(
    stream: TcpStream,
    own: IpAddr,
    authority: &std::path::Path,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Wrong> {
    let refused = |what: String| Wrong(format!("failed to trust {}: {what}", authority.display()));
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority).map_err(|error| refused(error.to_string()))?;
    roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| refused(error.to_string()))?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::IpAddress(own.into());
    let connection = ClientConnection::new(Arc::new(config), name);
    Ok(StreamOwned::new(connection.map_err(|error| refused(error.to_string()))?, stream))
}
