//! The double of the qualification centre and of the hosts beside it on the closed network.
//!
//! The service speaks TLS with a certificate of [`super::pki`] and really checks the client's. What it does with
//! a caller that has none is a choice, because both are seen in the field: an alert, or HTTP 400 after a good
//! handshake. To a valid client certificate it answers HTTP 200.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::pki::Pki;
use super::{Error, at};

/// What a caller without a valid client certificate gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Refusal {
    /// A TLS alert.
    Alert,
    /// A good handshake, then HTTP 400.
    #[value(name = "http400")]
    Http400,
}

/// Whose certificate a service shows that is not the one it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stranger {
    /// One for another name.
    Name,
    /// One of another authority.
    Issuer,
}

/// Where the double stands and how it behaves.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Folder of the authorities and certificates; made when absent.
    #[arg(long, value_name = "DIR")]
    pub pki: PathBuf,
    /// The service's DNS name.
    #[arg(long)]
    pub name: String,
    /// The service, TLS.
    #[arg(long, value_name = "ADDR:PORT")]
    pub service: SocketAddr,
    /// Line authentication, TCP.
    #[arg(long, value_name = "ADDR:PORT")]
    pub line_auth: SocketAddr,
    /// Distribution of software, HTTP.
    #[arg(long, value_name = "ADDR:PORT")]
    pub distribution: SocketAddr,
    /// Certificate host, HTTP.
    #[arg(long, value_name = "ADDR:PORT")]
    pub certificates: SocketAddr,
    /// Proxy, HTTP.
    #[arg(long, value_name = "ADDR:PORT")]
    pub proxy: SocketAddr,
    /// What a caller without a valid client certificate gets.
    #[arg(long, value_enum, default_value = "alert")]
    pub refusal: Refusal,
    /// Show a certificate whose dates have passed.
    #[arg(long)]
    pub expired: bool,
    /// Show a certificate that is not this service's.
    #[arg(long, value_enum, conflicts_with = "expired")]
    pub stranger: Option<Stranger>,
}

/// The double with all its sockets open.
#[derive(Debug)]
pub struct Centre {
    hosts: Vec<(TcpListener, Arc<Host>)>,
}

/// At most so many callers at a time on each address; the next ones wait in the kernel.
const CALLERS: usize = 128;
/// A caller is done within this time, or cut off.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long we read on after our last word, so that closing does not destroy it on the way (RFC 1122, 4.2.2.13).
const LINGER: Duration = Duration::from_secs(1);
/// Largest head of a request, bytes.
const LARGEST_HEAD: usize = 8 * 1024;

enum Host {
    Service { tls: TlsAcceptor, clients: Arc<dyn ClientCertVerifier> },
    LineAuth,
    Small,
    Proxy,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Service { .. } => "service",
            Self::LineAuth => "line-auth",
            Self::Small => "small",
            Self::Proxy => "proxy",
        })
    }
}

impl Centre {
    /// Opens everything.
    ///
    /// # Errors
    /// A busy or foreign address; a folder that cannot be written.
    pub async fn open(plan: &Plan) -> Result<Self, Error> {
        let pki = Pki::open(&plan.pki, &plan.name)?;
        let hosts = [
            (plan.service, service(&pki, plan)?),
            (plan.line_auth, Host::LineAuth),
            (plan.distribution, Host::Small),
            (plan.certificates, Host::Small),
            (plan.proxy, Host::Proxy),
        ];
        let mut open = Vec::new();
        for (address, host) in hosts {
            let listener = TcpListener::bind(address).await;
            let listener =
                listener.map_err(|source| Error::Listen { address: address.to_string(), source })?;
            open.push((listener, Arc::new(host)));
        }
        Ok(Self { hosts: open })
    }

    /// The addresses as bound: service, line authentication, distribution, certificates, proxy.
    ///
    /// # Errors
    /// The system does not say one.
    pub fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        self.hosts.iter().map(|(listener, _)| listener.local_addr()).collect()
    }

    /// Answers callers for ever.
    pub async fn serve(self) {
        let hosts = self.hosts.into_iter().map(|(listener, host)| tokio::spawn(receive(listener, host)));
        for host in hosts.collect::<Vec<_>>() {
            // A host's loop has no end; one that ended anyway must not end the others.
            let _ = host.await;
        }
    }
}

async fn receive(listener: TcpListener, host: Arc<Host>) {
    let places = Arc::new(Semaphore::new(CALLERS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: give the callers at work time to leave.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            // A caller that leaves, stalls or talks nonsense is its own affair.
            let _ = timeout(PATIENCE, host.answer(stream)).await;
            drop(place);
        });
    }
}

impl Host {
    async fn answer(&self, mut stream: TcpStream) {
        match self {
            Self::Service { tls, clients } => serve_tls(tls, clients.as_ref(), stream).await,
            Self::LineAuth => drain(&mut stream).await,
            Self::Small => reply(stream, |_| "200 OK").await,
            Self::Proxy => reply(stream, proxied).await,
        }
    }
}

fn proxied(head: &str) -> &'static str {
    if head.starts_with("CONNECT ") { "403 Forbidden" } else { "405 Method Not Allowed" }
}

async fn serve_tls(tls: &TlsAcceptor, clients: &dyn ClientCertVerifier, stream: TcpStream) {
    match tls.accept(stream).into_fallible().await {
        Ok(stream) => {
            let status = if is_known(stream.get_ref().1, clients) { "200 OK" } else { "400 Bad Request" };
            reply(stream, |_| status).await;
        }
        Err((_, mut stream)) => linger(&mut stream).await,
    }
}

/// Whether the caller showed a certificate of the clients' authority with good dates.
fn is_known(connection: &ServerConnection, clients: &dyn ClientCertVerifier) -> bool {
    let Some((own, between)) = connection.peer_certificates().and_then(<[_]>::split_first) else {
        return false;
    };
    clients.verify_client_cert(own, between, UnixTime::now()).is_ok()
}

/// Reads one request's head and answers it with a status line and a short text.
async fn reply<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, status: impl Fn(&str) -> &'static str) {
    let Some(head) = read_head(&mut stream).await else { return };
    let status = status(&head);
    let length = status.len() + 1;
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{status}\n"
    );
    if stream.write_all(text.as_bytes()).await.is_ok() {
        linger(&mut stream).await;
    }
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.ok()?;
        head.extend_from_slice(&piece[..count]);
        if count == 0 || head.len() > LARGEST_HEAD {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let _ = stream.shutdown().await;
    let _ = timeout(LINGER, drain(stream)).await;
}

async fn drain<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut piece = [0; 1024];
    while matches!(stream.read(&mut piece).await, Ok(count) if count > 0) {}
}

fn shown(plan: &Plan) -> &'static str {
    match plan.stranger {
        Some(Stranger::Name) => "other-name",
        Some(Stranger::Issuer) => "other-issuer",
        None if plan.expired => "expired",
        None => "leaf",
    }
}

fn service(pki: &Pki, plan: &Plan) -> Result<Host, Error> {
    let failed = |path: PathBuf| move |reason: String| Error::Tls { path, reason };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = verifier(pki, &provider)?;
    let (chain, key) = identity(pki, shown(plan))?;
    let asked: Arc<dyn ClientCertVerifier> = match plan.refusal {
        Refusal::Alert => Arc::clone(&clients),
        Refusal::Http400 => Arc::new(Later(Arc::clone(&clients))),
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_client_cert_verifier(asked).with_single_cert(chain, key))
        .map_err(|error| failed(plan.pki.clone())(error.to_string()))?;
    Ok(Host::Service { tls: TlsAcceptor::from(Arc::new(config)), clients })
}

fn verifier(
    pki: &Pki,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let path = pki.path("client-ca.pem");
    let refused = |reason: String| Error::Tls { path: path.clone(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| refused(error.to_string()))? {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    let built = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider)).build();
    built.map_err(|error| refused(error.to_string()))
}

fn identity(pki: &Pki, file: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let (chain, key) = (pki.path(&format!("{file}.pem")), pki.path(&format!("{file}.key")));
    std::fs::metadata(&key).map_err(at(&key))?;
    let read = CertificateDer::pem_file_iter(&chain).and_then(Iterator::collect);
    let chain = read.map_err(|error| Error::Tls { path: chain, reason: error.to_string() })?;
    let key = PrivateKeyDer::from_pem_file(&key)
        .map_err(|error| Error::Tls { path: key, reason: error.to_string() })?;
    Ok((chain, key))
}

/// Asks for a certificate and takes any, or none: the judgement comes after the handshake. The caller must
/// still prove that the key is its own.
#[derive(Debug)]
struct Later(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Later {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _own: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
