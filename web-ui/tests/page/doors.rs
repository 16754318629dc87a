//! Each test serves a made-up morning on free loopback ports and talks to it as a browser or a stranger would.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::boot::Situation;
use model::part::Snapshot;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::samples;

/// No answer of this page takes longer.
const DEADLINE: Duration = Duration::from_secs(5);

struct Served {
    http: SocketAddr,
    https: SocketAddr,
    identity: tempfile::TempDir,
    snapshots: watch::Sender<Arc<Snapshot>>,
    server: JoinHandle<Result<(), web_ui::Error>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Listeners on free ports, and where they are.
fn listen(identity_dir: &Path) -> Result<(web_ui::Listeners, [SocketAddr; 2]), web_ui::Error> {
    let any = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (http, https) = (any(), any());
    let places = [&http, &https].map(|listener| listener.local_addr().unwrap());
    let config = web_ui::Config { identity_dir: identity_dir.to_owned(), site: samples::site() };
    Ok((web_ui::Listeners::new(&config, http, https)?, places))
}

fn serve(snapshot: Snapshot) -> Served {
    let identity = tempfile::tempdir().unwrap();
    let (listeners, [http, https]) = listen(identity.path()).unwrap();
    let (snapshots, receiver) = watch::channel(Arc::new(snapshot));
    let server = tokio::spawn(web_ui::serve(listeners, receiver, nobody(), samples::now));
    Served { http, https, identity, snapshots, server }
}

fn sample(name: &str) -> Snapshot {
    samples::all().into_iter().find(|(key, _)| *key == name).unwrap().1
}

/// One request on one connection, and everything that comes back.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    let mut stream = stream;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

async fn ask(address: SocketAddr, method: &str, target: &str, headers: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    talk(stream, &request).await
}

async fn get(served: &Served, target: &str) -> String {
    ask(served.http, "GET", target, "").await
}

fn code(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn over_http_what_is_not_the_overview_does_not_exist() {
    let served = serve(sample("clean"));
    for target in [
        "/line",
        "/part/line",
        "/events/line",
        "/relay",
        "/part/relay",
        "/events/relay",
        "/maintenance",
        "/part/maintenance",
        "/events/maintenance",
        "/admin",
        "/favicon.ico",
        "/icon/normal.png",
        "/icon/x.svg",
        "/../etc/passwd",
    ] {
        let answer = get(&served, target).await;
        assert_eq!(code(&answer), "404", "{target}");
        assert!(answer.contains("There is no such page."), "{target}");
    }
    for target in ["/", "/part/overview", "/api/status", "/style.css", "/enhance.js", "/icon/fault.svg"] {
        assert_eq!(code(&get(&served, target).await), "200", "{target}");
    }
}

#[tokio::test]
async fn reception_does_not_learn_who_was_let_in_for_maintenance() {
    let served = serve(samples::maintenance().remove(1).1);
    let plain = get(&served, "/api/status").await;
    assert!(plain.contains("\"maintenance\":null") && !plain.contains("sato"), "{plain}");
    let (answer, _) = secure(&served, "/api/status").await;
    assert!(answer.contains("sato"), "{answer}");
}

#[tokio::test]
async fn every_answer_has_the_strict_headers_and_no_cookie() {
    let served = serve(sample("clean"));
    let mut answers = vec![("/relay", secure(&served, "/relay").await.0)];
    for target in ["/", "/api/status", "/style.css", "/nowhere"] {
        answers.push((target, get(&served, target).await));
    }
    for (target, answer) in answers {
        let answer = answer.to_ascii_lowercase();
        let head = answer.split_once("\r\n\r\n").unwrap().0;
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; ",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{target}: {header}");
        }
        assert!(!head.contains("unsafe") && !head.contains("set-cookie"), "{target}");
    }
}

#[tokio::test]
async fn only_reading_is_possible() {
    let served = serve(sample("clean"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        assert_eq!(code(&ask(served.http, method, "/", "").await), "405", "{method}");
    }
    let head = ask(served.http, "HEAD", "/", "").await;
    assert_eq!((code(&head), body(&head)), ("200", ""));
}

#[tokio::test]
async fn a_name_that_leads_here_is_turned_away() {
    let served = serve(sample("clean"));
    for host in ["Host: rebind.test\r\n", "Host: 192.0.2.77\r\n", ""] {
        let stream = TcpStream::connect(served.http).await.unwrap();
        let request = format!("GET /api/status HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = talk(stream, &request).await;
        assert_eq!((code(&answer), body(&answer)), ("421", ""), "{host}");
    }
}

#[tokio::test]
async fn the_language_follows_the_address_then_the_browser_then_japan() {
    let served = serve(sample("wan-01"));
    let english = "Accept-Language: en-GB\r\n";
    for (target, headers, lang, title) in [
        ("/", "", "ja", "【異常】使えません"),
        ("/", english, "en", "[Fault] Not usable"),
        ("/?lang=ja", english, "ja", "【異常】使えません"),
        ("/?lang=en", "", "en", "[Fault] Not usable"),
    ] {
        let answer = ask(served.http, "GET", target, headers).await;
        assert!(body(&answer).contains(&format!("<html lang=\"{lang}\">")), "{target} {headers}");
        assert!(body(&answer).contains(&format!("<title>{title}")), "{target} {headers}");
    }
}

#[tokio::test]
async fn the_status_is_the_snapshot_itself() {
    let snapshot = Snapshot { maintenance: None, ..sample("two-faults") };
    let served = serve(snapshot.clone());
    let answer = get(&served, "/api/status").await;
    assert_eq!(serde_json::from_str::<Snapshot>(body(&answer)).unwrap(), snapshot);
    assert_eq!(body(&answer), serde_json::to_string(&snapshot).unwrap());
}

/// The next event of a stream, as its name and its data.
async fn event(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> (String, String) {
    let (mut name, mut data) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        let read = timeout(DEADLINE, stream.read_line(&mut line)).await.unwrap().unwrap();
        assert!(read > 0, "the stream ended");
        let line = line.trim_end();
        if let Some(text) = line.strip_prefix("event:") {
            text.trim().clone_into(&mut name);
        } else if let Some(text) = line.strip_prefix("data:") {
            text.trim().clone_into(&mut data);
        } else if line.is_empty() && !name.is_empty() {
            return (name, data);
        }
    }
}

#[tokio::test]
async fn a_change_names_the_fragment_and_the_fragment_has_changed() {
    let served = serve(sample("clean"));
    let mut stream = TcpStream::connect(served.http).await.unwrap();
    let request = format!("GET /events?lang=ja HTTP/1.1\r\nHost: {}\r\n\r\n", served.http);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = BufReader::new(stream);
    let fetch = ("fetch".to_owned(), "/part/overview?lang=ja".to_owned());
    assert_eq!(event(&mut stream).await, fetch, "at once, for a client that comes back");
    served.snapshots.send(Arc::new(sample("ctr-02"))).unwrap();
    assert_eq!(event(&mut stream).await, fetch);
    let fragment = get(&served, &fetch.1).await;
    assert!(body(&fragment).starts_with("<div id=\"view\" data-title=\"【異常】使えません"), "{fragment}");
}

#[tokio::test]
async fn a_client_is_told_when_no_snapshot_will_come_any_more() {
    let served = serve(sample("clean"));
    let mut stream = TcpStream::connect(served.http).await.unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", served.http);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = BufReader::new(stream);
    assert_eq!(event(&mut stream).await.0, "fetch");
    let (other, _) = watch::channel(Arc::default());
    let mut served = served;
    drop(std::mem::replace(&mut served.snapshots, other));
    assert_eq!(event(&mut stream).await.0, "stale");
}

/// A visitor over TLS who trusts the box's own authority and nobody else.
async fn secure(served: &Served, target: &str) -> (String, CertificateDer<'static>) {
    over_tls(served.https, served.identity.path(), target).await
}

async fn over_tls(https: SocketAddr, identity: &Path, target: &str) -> (String, CertificateDer<'static>) {
    let stream = tls(https, identity).await;
    let leaf = stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {https}\r\nConnection: close\r\n\r\n");
    (talk(stream, &request).await, leaf)
}

async fn post(served: &Served, target: &str, headers: &str) -> String {
    let stream = tls(served.https, served.identity.path()).await;
    let host = served.https;
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n"
    );
    talk(stream, &request).await
}

async fn tls(https: SocketAddr, identity: &Path) -> tokio_rustls::client::TlsStream<TcpStream> {
    let authority = std::fs::read(identity.join("authority-127.0.0.1.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(https).await.unwrap();
    connector.connect(ServerName::from(https.ip()), stream).await.unwrap()
}

#[tokio::test]
async fn https_shows_the_same_view_to_who_trusts_the_box() {
    let served = serve(sample("held"));
    let (answer, _) = secure(&served, "/part/overview").await;
    assert_eq!(body(&answer), body(&get(&served, "/part/overview").await));
}

#[tokio::test]
async fn https_has_the_line_s_view_and_what_is_remembered_is_no_part_of_the_status() {
    let served = serve(samples::remembered());
    let (line, _) = secure(&served, "/line?lang=en").await;
    assert_eq!(code(&line), "200");
    assert!(line.contains("<a href=\"/line?lang=en\" aria-current=\"page\">Line</a>"), "{line}");
    assert!(line.contains("<svg class=\"strip\""), "{line}");
    let (part, _) = secure(&served, "/part/line?lang=en").await;
    assert!(body(&line).contains(body(&part).trim_end()), "the page is its fragment in a frame");
    assert!(!get(&served, "/api/status").await.contains("\"stories\""));
}

#[tokio::test]
async fn https_has_the_relay_s_view_and_a_way_there_and_http_has_neither() {
    let served = serve(sample("backlog"));
    let (first, _) = secure(&served, "/?lang=en").await;
    assert!(first.contains("<a href=\"/relay?lang=en\">Relay</a>"), "{first}");
    assert!(!get(&served, "/").await.contains("/relay"));
    let (relay, _) = secure(&served, "/relay?lang=en").await;
    assert_eq!(code(&relay), "200");
    assert!(relay.contains("<a href=\"/relay?lang=en\" aria-current=\"page\">Relay</a>"), "{relay}");
    assert!(relay.contains("data-events=\"/events/relay?lang=en\""), "{relay}");
    let (part, _) = secure(&served, "/part/relay?lang=en").await;
    assert!(body(&part).starts_with("<div id=\"view\" data-title=\"[Attention] Relay"), "{part}");
    assert!(body(&relay).contains(body(&part).trim_end()), "the page is its fragment in a frame");
}

#[tokio::test]
async fn the_relay_s_events_name_the_relay_s_fragment() {
    let served = serve(sample("clean"));
    let mut stream = BufReader::new(tls(served.https, served.identity.path()).await);
    let request = format!("GET /events/relay?lang=en HTTP/1.1\r\nHost: {}\r\n\r\n", served.https);
    stream.write_all(request.as_bytes()).await.unwrap();
    let fetch = ("fetch".to_owned(), "/part/relay?lang=en".to_owned());
    assert_eq!(event(&mut stream).await, fetch);
    served.snapshots.send(Arc::new(sample("held"))).unwrap();
    assert_eq!(event(&mut stream).await, fetch);
}

#[tokio::test]
async fn the_certificate_is_made_once_and_only_its_owner_may_read_it() {
    let mut served = serve(sample("clean"));
    let (_, first) = secure(&served, "/").await;
    served.server.abort();
    let (listeners, [_, https]) = listen(served.identity.path()).unwrap();
    served.https = https;
    let receiver = served.snapshots.subscribe();
    served.server = tokio::spawn(web_ui::serve(listeners, receiver, nobody(), samples::now));
    assert_eq!(secure(&served, "/").await.1, first);
    for entry in std::fs::read_dir(served.identity.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_damaged_identity_is_one_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("authority-127.0.0.1.pem"), "no PEM").unwrap();
    let said = listen(dir.path()).err().unwrap().to_string();
    assert!(said.contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_visitor_who_sends_too_much_or_never_ends_is_shown_out() {
    let served = serve(sample("clean"));
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    assert_eq!(code(&ask(served.http, "GET", "/", &long).await), "431");

    let mut slow = TcpStream::connect(served.http).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), slow.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(code(&get(&served, "/").await), "200", "others are served");
}

#[tokio::test]
async fn the_setup_page_is_served_over_https_only_and_its_status_is_the_snapshot() {
    let identity = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let https = listener.local_addr().unwrap();
    let listeners = web_ui::Listeners::setup(identity.path(), listener).unwrap();
    let known = listeners.fingerprints().clone();
    let snapshot = samples::booted(Situation::Carton, Vec::new());
    let (_snapshots, receiver) = watch::channel(Arc::new(snapshot.clone()));
    let server = tokio::spawn(web_ui::serve(listeners, receiver, nobody(), samples::now));
    let (page, _) = over_tls(https, identity.path(), "/?lang=en").await;
    assert!(page.contains("Waiting for its settings") && page.contains(&known.page), "{page}");
    let (status, _) = over_tls(https, identity.path(), "/api/status").await;
    assert!(page.contains(&known.authority));
    assert_eq!(serde_json::from_str::<Snapshot>(body(&status)).unwrap(), snapshot);
    let (plain, _) = over_tls(https, identity.path(), "/part/overview").await;
    assert_eq!(code(&plain), "200");
    server.abort();
}

/// Nobody acts on what a visitor wants.
fn nobody() -> web_ui::Intents {
    web_ui::Intents::new(tokio::sync::mpsc::channel(1).0)
}

#[tokio::test]
async fn only_our_own_page_behind_https_may_ask_for_a_look() {
    let identity = tempfile::tempdir().unwrap();
    let (listeners, [http, https]) = listen(identity.path()).unwrap();
    let (snapshots, receiver) = watch::channel(Arc::new(sample("clean")));
    let (to, mut wanted) = tokio::sync::mpsc::channel(4);
    let server = tokio::spawn(web_ui::serve(listeners, receiver, web_ui::Intents::new(to), samples::now));
    let served = Served { http, https, identity, snapshots, server };
    let own = format!("Origin: https://{https}\r\n");
    for (expected, origin) in
        [("403", ""), ("403", "Origin: https://evil.test\r\n"), ("403", "Origin: null\r\n")]
    {
        assert_eq!(code(&post(&served, "/check", origin).await), expected, "{origin}");
    }
    assert_eq!(code(&post(&served, "/line", &own).await), "405");
    assert_eq!(code(&ask(http, "POST", "/check", &own).await), "405", "nobody over plain HTTP");
    assert!(wanted.try_recv().is_err());
    let answer = post(&served, "/check?lang=en", &own).await;
    assert_eq!(code(&answer), "303");
    assert!(answer.to_ascii_lowercase().contains("location: /line?lang=en\r\n"), "{answer}");
    assert!(matches!(wanted.try_recv(), Ok(web_ui::Intent::Check)));
    post(&served, "/check", &own).await;
    assert!(wanted.try_recv().is_err(), "once in ten seconds");
}

/// Answers every question about the firewall, and counts the packets that were asked about.
fn firewall() -> (web_ui::Intents, watch::Receiver<usize>) {
    let (to, mut wanted) = tokio::sync::mpsc::channel(4);
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        while let Some(intent) = wanted.recv().await {
            match intent {
                web_ui::Intent::Check => {}
                web_ui::Intent::Policy(reply) => drop(reply.send(samples::policy())),
                web_ui::Intent::Explain(question, reply) => {
                    count.send_modify(|count| *count += 1);
                    let right = question.dport == "445";
                    drop(reply.send(if right { samples::explained() } else { samples::mistaken() }));
                }
            }
        }
    });
    (web_ui::Intents::new(to), counted)
}

#[tokio::test]
async fn the_firewall_s_view_answers_a_question_over_https_and_asks_nothing_by_itself() {
    let identity = tempfile::tempdir().unwrap();
    let (listeners, [http, https]) = listen(identity.path()).unwrap();
    let (snapshots, receiver) = watch::channel(Arc::new(samples::proved()));
    let (intents, counted) = firewall();
    let server = tokio::spawn(web_ui::serve(listeners, receiver, intents, samples::now));
    let served = Served { http, https, identity, snapshots, server };
    let over = async |path: &str| over_tls(https, served.identity.path(), path).await.0;
    let page = over("/firewall?lang=en&cell=clinic-box").await;
    assert!(page.contains("What may pass, from where to where"), "{page}");
    assert!(page.contains("<details id=\"clinic-box\" open>") && !page.contains("id=\"answer\""));
    assert!(over("/part/firewall?lang=en").await.contains("What is promised"));
    assert_eq!(*counted.borrow(), 0, "who only looks asks nothing");
    let packet = "from=clinic&to=&in=&src=198.51.100.20&dst=192.0.2.2&proto=tcp&sport=&icmp-type=&state=";
    let page = over(&format!("/firewall?lang=en&{packet}&dport=445")).await;
    assert!(page.contains("It does not pass.") && page.contains("no other zones are joined"), "{page}");
    let page = over(&format!("/firewall?lang=ja&{packet}&dport=")).await;
    assert!(page.contains("次のところを直してください。"), "{page}");
    assert_eq!(*counted.borrow(), 2);
    served.snapshots.send_replace(Arc::new(samples::drifted()));
    assert!(over("/part/firewall?lang=en").await.contains("changed behind the box&#39;s back"));
    assert_eq!(code(&over("/firewall?src=192.0.2.2&src=192.0.2.9").await), "400", "two questions in one");
    for path in ["/firewall", "/part/firewall", "/events/firewall"] {
        assert_eq!(code(&get(&served, path).await), "404", "nothing of it over plain HTTP: {path}");
    }
}
