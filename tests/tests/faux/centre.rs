//! The centre's double: it really checks client certificates, in both ways seen in the field.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clinic::faux::centre::{Centre, Plan, Refusal};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const NAME: &str = "hweb.onshikaku.test";
const DEADLINE: Duration = Duration::from_secs(10);

struct Played {
    dir: TempDir,
    addresses: Vec<SocketAddr>,
}

async fn play(refusal: Refusal, expired: bool) -> Played {
    let dir = tempfile::tempdir().unwrap();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let plan = Plan {
        pki: dir.path().join("pki"),
        name: NAME.into(),
        service: free,
        line_auth: free,
        distribution: free,
        certificates: free,
        proxy: free,
        refusal,
        expired,
        stranger: None,
    };
    let centre = Centre::open(&plan).await.unwrap();
    let addresses = centre.addresses().unwrap();
    tokio::spawn(centre.serve());
    Played { dir, addresses }
}

impl Played {
    /// Speaks to the service as a client that checks it; `own` is the client's certificate, by file name.
    async fn ask(&self, own: Option<&str>) -> std::io::Result<String> {
        let pki = self.dir.path().join("pki");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(pki.join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.unwrap().with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = identity(&pki, own);
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        let talk = async {
            let stream = TcpStream::connect(self.addresses[0]).await?;
            let name = ServerName::try_from(NAME).unwrap();
            let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok(text)
        };
        timeout(DEADLINE, talk).await.unwrap()
    }

    async fn say(&self, host: usize, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.addresses[host]).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A stranger may be cut off hard; what counts is that nobody else is.
        let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
        answer
    }
}

fn identity(pki: &Path, file: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::from_pem_file(pki.join(format!("{file}.pem"))).unwrap();
    (chain, PrivateKeyDer::from_pem_file(pki.join(format!("{file}.key"))).unwrap())
}

#[tokio::test]
async fn a_caller_without_a_certificate_gets_an_alert() {
    let centre = play(Refusal::Alert, false).await;
    let refused = centre.ask(None).await.unwrap_err().to_string();
    assert!(refused.contains("CertificateRequired"), "{refused}");
}

#[tokio::test]
async fn a_caller_with_an_expired_certificate_gets_an_alert() {
    let centre = play(Refusal::Alert, false).await;
    let refused = centre.ask(Some("client-expired")).await.unwrap_err().to_string();
    assert!(refused.contains("CertificateExpired"), "{refused}");
}

#[tokio::test]
async fn a_caller_without_a_good_certificate_gets_400_after_the_handshake() {
    let centre = play(Refusal::Http400, false).await;
    for own in [None, Some("client-expired")] {
        let text = centre.ask(own).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 400 "), "{own:?}: {text}");
    }
}

#[tokio::test]
async fn a_caller_with_a_good_certificate_gets_200() {
    for refusal in [Refusal::Alert, Refusal::Http400] {
        let centre = play(refusal, false).await;
        let text = centre.ask(Some("client")).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 "), "{refusal:?}: {text}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_no_good_one() {
    let centre = play(Refusal::Http400, false).await;
    let text = centre.ask(Some("leaf")).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
}

#[tokio::test]
async fn an_expired_centre_is_seen_as_expired() {
    let centre = play(Refusal::Http400, true).await;
    let refused = centre.ask(Some("client")).await.unwrap_err().to_string();
    assert!(refused.contains("expired"), "{refused}");
}

#[tokio::test]
async fn the_neighbours_answer_and_the_proxy_refuses() {
    let centre = play(Refusal::Alert, false).await;
    for host in [2, 3] {
        let text = centre.say(host, b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(text.starts_with(b"HTTP/1.1 200 "));
    }
    let text = centre.say(4, b"CONNECT hweb.onshikaku.test:443 HTTP/1.1\r\n\r\n").await;
    assert!(text.starts_with(b"HTTP/1.1 403 "));
    assert!(centre.say(1, b"anything").await.is_empty());
}

#[tokio::test]
async fn strangers_bytes_end_their_own_connection_only() {
    let centre = play(Refusal::Http400, false).await;
    let endless = vec![b'A'; 64 * 1024];
    let strange: [&[u8]; 5] =
        [b"", b"\x16\x03\x01\xff\xff", b"\r\n\r\n\r\n", b"\x00\xff\xfe\r\n\r\n", &endless];
    for host in 0..5 {
        for bytes in strange {
            let mut stream = TcpStream::connect(centre.addresses[host]).await.unwrap();
            // A write may be refused half-way: the double has had enough.
            let _ = stream.write_all(bytes).await;
        }
    }
    assert!(centre.ask(Some("client")).await.unwrap().starts_with("HTTP/1.1 200 "));
    assert!(centre.say(4, b"GET / HTTP/1.1\r\n\r\n").await.starts_with(b"HTTP/1.1 405 "));
}

#[tokio::test]
async fn the_certificates_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    clinic::faux::pki::Pki::open(dir.path(), NAME).unwrap();
    let first = std::fs::read(dir.path().join("leaf.pem")).unwrap();
    clinic::faux::pki::Pki::open(dir.path(), NAME).unwrap();
    assert_eq!(first, std::fs::read(dir.path().join("leaf.pem")).unwrap());
}
