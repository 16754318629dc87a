//! Every fault makes what the box is to feel, and its undoing takes it away again.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clinic::{CATALOGUE, Clinic, Layout};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::felt;
use crate::scene::{PATIENCE, bare, connect, left, on_the_box, resolve};

const SERVICE: &str = "[2001:db8:0:cc::10]:443";
const LINE_AUTH: &str = "[2001:db8:0:cc::20]:443";
const DISTRIBUTION: &str = "[2001:db8:0:cc::30]:80";
const TERMINAL: &str = "192.0.2.2:445";

/// How a connection from the box fares.
fn fate(clinic: &Clinic, to: &str) -> &'static str {
    match connect(clinic, "box", to).map_err(|error| error.kind()) {
        Ok(_) => "open",
        Err(ErrorKind::ConnectionRefused) => "refused",
        Err(ErrorKind::TimedOut | ErrorKind::HostUnreachable) => "silent",
        Err(other) => panic!("{to}: {other}"),
    }
}

fn carrier(clinic: &Clinic, port: &str) -> bool {
    on_the_box(clinic, &["cat", &format!("/sys/class/net/{port}/carrier")]).trim() == "1"
}

/// Whether the terminal answers ARP.
fn is_there(clinic: &Clinic) -> bool {
    on_the_box(clinic, &["ip", "neigh", "show", "192.0.2.2", "nud", "reachable"]).contains("192.0.2.2")
}

fn has_router(clinic: &Clinic) -> bool {
    !on_the_box(clinic, &["ip", "-6", "route", "show", "default"]).is_empty()
}

fn answers(clinic: &Clinic, resolver: &str) -> bool {
    resolve(clinic, resolver, "hweb.onshikaku.test.").is_ok()
}

/// A handshake with the centre without a client certificate, then one request; what came of it in a word.
fn handshake(clinic: &Clinic) -> String {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(clinic.pki().join("ca.pem")).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("hweb.onshikaku.test").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = connect(clinic, "box", SERVICE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    converse(StreamOwned::new(connection, socket)).unwrap_or_else(|error| error.to_string())
}

fn converse(mut tls: StreamOwned<ClientConnection, TcpStream>) -> std::io::Result<String> {
    tls.write_all(b"GET / HTTP/1.1\r\nHost: hweb.onshikaku.test\r\n\r\n")?;
    let mut answer = [0_u8; 12];
    tls.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether the share's password that the box knows is the right one; `None` if nobody is there to ask.
fn password_is_right(clinic: &Clinic) -> Option<bool> {
    let share = clinic.status().unwrap().shares.terminal;
    let output = clinic.smbclient_at("box", &share, "ls").unwrap();
    if output.status.success() {
        return Some(true);
    }
    String::from_utf8_lossy(&output.stdout).contains("LOGON_FAILURE").then_some(false)
}

/// Whether the box feels this fault, and nothing that belongs to its neighbours.
fn is_felt(clinic: &Clinic, code: &str) -> bool {
    match code {
        "WAN-01" => !carrier(clinic, "wan0"),
        "WAN-02" | "WAN-03" => carrier(clinic, "wan0") && !has_router(clinic),
        "DNS-01" => !answers(clinic, "2001:db8:0:53::1") && !answers(clinic, "2001:db8:0:53::2"),
        "DNS-02" => !answers(clinic, "2001:db8:0:53::1") && answers(clinic, "2001:db8:0:53::2"),
        "DNS-02:second" => answers(clinic, "2001:db8:0:53::1") && !answers(clinic, "2001:db8:0:53::2"),
        "AUTH-01:silent" => {
            [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["refused", "silent", "open"]
        }
        "CTR-02:all" => [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["silent"; 3],
        "TERM-02:silent" => {
            carrier(clinic, "term0") && fate(clinic, TERMINAL) == "silent" && is_there(clinic)
        }
        "AUTH-01" => {
            [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["refused", "refused", "open"]
        }
        "CTR-01" => {
            [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["refused", "open", "open"]
        }
        "CTR-02" => {
            [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["silent", "open", "open"]
        }
        "CTR-03" => handshake(clinic).contains("expired"),
        "CTR-05:http400" => handshake(clinic) == "HTTP/1.1 400",
        "CTR-07" => {
            [SERVICE, LINE_AUTH, DISTRIBUTION].map(|to| fate(clinic, to)) == ["open", "open", "silent"]
        }
        "TERM-01" => carrier(clinic, "term0") && fate(clinic, TERMINAL) == "silent",
        "TERM-01:cable" => !carrier(clinic, "term0"),
        "TERM-02" => carrier(clinic, "term0") && fate(clinic, TERMINAL) == "refused",
        "TERM-03" => password_is_right(clinic) == Some(false),
        other => newer_is_felt(clinic, other),
    }
}

fn newer_is_felt(clinic: &Clinic, code: &str) -> bool {
    match code {
        "WAN-04" => has_router(clinic) && felt::runs_out(clinic),
        "WAN-05" => {
            on_the_box(clinic, &["ip", "-6", "address", "show", "dev", "wan0"]).contains("2001:db8:0:2:")
        }
        "WAN-06:thief" => felt::routers(clinic).len() == 2 && !felt::passes(clinic, 8),
        "WAN-06" => felt::passes(clinic, 8) && felt::routers(clinic) == ["fe80::1", "fe80::666"],
        "WAN-07" => has_router(clinic) && !felt::has_an_address(clinic),
        "WAN-08" => has_router(clinic) && !felt::answers_solicitation(clinic),
        "WAN-10" => felt::flaps(clinic),
        "WAN-11" => (1..12).contains(&silent(clinic)),
        "WAN-11:delay" => silent(clinic) == 12,
        "WAN-12" => {
            let hosts = [felt::CENTRE, "2001:db8:0:53::1"];
            hosts.iter().all(|to| felt::pass(clinic, to, 1000) && !felt::pass(clinic, to, 1300))
        }
        "DNS-03" => names_are(clinic, [Some(felt::CENTRE), None, Some(felt::DISTRIBUTION)]),
        "DNS-03:centre" => names_are(clinic, [None, None, Some(felt::DISTRIBUTION)]),
        "DNS-04" => names_are(clinic, [None, Some(felt::DISTRIBUTION), None]),
        "DNS-05" => names_are(clinic, [Some("fd00:0:0:bad::10"), Some("fd00:0:0:bad::30"), None]),
        "CTR-04" => handshake(clinic).contains("not valid for name"),
        "CTR-04:issuer" => handshake(clinic).contains("UnknownIssuer"),
        "TERM-04" => felt::share(clinic, "ls").contains("BAD_NETWORK_NAME"),
        "TERM-04:req" => felt::share(clinic, "cd req").contains("NOT_FOUND"),
        "TERM-05" => felt::put(clinic).contains("WRITE_PROTECTED"),
        "TERM-05:right" => felt::put(clinic).contains("ACCESS_DENIED"),
        "TERM-06" => felt::put(clinic).contains("DISK_FULL"),
        "TERM-07" => felt::request_is(clinic) == (true, None),
        "TERM-08" => felt::request_is(clinic) == (false, None),
        "TERM-09" => felt::request_is(clinic) == (false, Some("<SegmentOfResult>9<".into())),
        "TERM-09:refused" => felt::request_is(clinic) == (false, Some("<ProcessingResultStatus>2<".into())),
        "CLIN-01" => felt::receipt_is_there(clinic) && !felt::receipt_comes(clinic),
        "CLIN-02" => carrier(clinic, "lan0") && !felt::receipt_is_there(clinic),
        "CLIN-02:cable" => !carrier(clinic, "lan0"),
        "CLIN-03" => felt::hears_of(clinic, [198, 51, 100, 1]),
        "CLIN-04" => felt::hears_of(clinic, [192, 0, 2, 2]),
        "RLY-01" => felt::share(clinic, "cd res; ls").contains("OQSnewkind99res"),
        "CLIN-05" => felt::hears_of(clinic, [192, 0, 2, 1]),
        other => panic!("nobody says how {other} is felt"),
    }
}

/// How many of twelve questions a resolver leaves unanswered in time.
fn silent(clinic: &Clinic) -> usize {
    (0..12).filter(|_| !answers(clinic, "2001:db8:0:53::1")).count()
}

fn names_are(clinic: &Clinic, expected: [Option<&str>; 3]) -> bool {
    felt::addresses(clinic) == expected.map(|address| address.map(str::to_owned))
}

/// Whether everything is well, now or soon: a machine with much to do answers a probe too late for its patience.
fn is_well(clinic: &Clinic) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !all_is_well(clinic) {
        if Instant::now() > deadline {
            return false;
        }
    }
    true
}

fn all_is_well(clinic: &Clinic) -> bool {
    let hosts = [SERVICE, LINE_AUTH, DISTRIBUTION, TERMINAL].map(|to| fate(clinic, to));
    let ports = ["wan0", "term0"].map(|port| carrier(clinic, port));
    let resolvers = ["2001:db8:0:53::1", "2001:db8:0:53::2"].map(|resolver| answers(clinic, resolver));
    let handshake = handshake(clinic).contains("alert");
    hosts == ["open"; 4]
        && ports == [true; 2]
        && resolvers == [true; 2]
        && handshake
        && has_router(clinic)
        && password_is_right(clinic) == Some(true)
        && felt::put(clinic).is_empty()
        && felt::request_is(clinic) == (false, Some("none".into()))
        && felt::receipt_comes(clinic)
        && felt::passes(clinic, 1300)
}

#[test]
fn every_fault_is_felt_and_its_undoing_leaves_a_clean_clinic() {
    let clinic = bare("faults-all");
    assert!(is_well(&clinic));
    // The alert is what the centre does anyway; of a box, its clock and what it was told of dates there is nothing here.
    let others = [
        "TERM-08:way",
        "TERM-12",
        "CTR-05:alert",
        "CTR-06",
        "TERM-10",
        "TERM-11",
        "CAL-01",
        "TIME-01",
        "BOX",
        "MNT",
    ];
    let is_other = |code: &str| others.iter().any(|other| code.starts_with(other));
    // What belongs to other lines is made by `check faults --line`, and of an internet line in `internet_faults`.
    let here = CATALOGUE.iter().filter(|fault| fault.is_on(Layout::default()));
    for fault in here.filter(|fault| !is_other(fault.code)) {
        assert!(!is_felt(&clinic, fault.code), "{} before it is made", fault.code);
        clinic.fault(fault.code, true).unwrap();
        assert!(is_felt(&clinic, fault.code), "{}", fault.code);
        assert_eq!(clinic.status().unwrap().faults, [fault.code]);
        clinic.fault(fault.code, false).unwrap();
        assert!(is_well(&clinic), "after {}", fault.code);
    }
    for host in ["ngn", "terminal", "clinic"] {
        let tables = clinic.exec(host, &["nft", "list", "ruleset"]).unwrap();
        assert_eq!(String::from_utf8(tables.stdout).unwrap(), "", "{host}");
    }
}

#[test]
fn a_fault_the_clinic_was_born_with_can_be_undone() {
    let name = "faults-born";
    let born = ["WAN-02", "CTR-03", "TERM-01:cable", "TERM-03"];
    let arguments: Vec<&str> =
        ["--box", "bare"].into_iter().chain(born.iter().flat_map(|code| ["--fault", code])).collect();
    let clinic = Clinic::up_with(name, &arguments).unwrap();
    assert_eq!(clinic.status().unwrap().faults.len(), born.len());
    assert!(is_felt(&clinic, "WAN-02") && is_felt(&clinic, "TERM-01:cable"));
    let addresses = on_the_box(&clinic, &["ip", "-6", "address", "show", "dev", "wan0", "dynamic"]);
    assert_eq!(addresses, "", "the box has heard a router");
    clinic.fault("WAN-02", false).unwrap();
    clinic.fault("TERM-01:cable", false).unwrap();
    assert!(is_felt(&clinic, "CTR-03") && is_felt(&clinic, "TERM-03"));
    clinic.fault("CTR-03", false).unwrap();
    clinic.fault("TERM-03", false).unwrap();
    assert!(is_well(&clinic));
    drop(clinic);
    assert_eq!(left(name), [""; 0]);
}

#[test]
fn faults_that_meet_are_undone_one_by_one() {
    let clinic = bare("faults-meet");
    for code in ["WAN-03", "WAN-01", "TERM-03", "TERM-02"] {
        clinic.fault(code, true).unwrap();
        clinic.fault(code, true).unwrap();
    }
    clinic.fault("WAN-01", false).unwrap();
    assert!(is_felt(&clinic, "WAN-03"));
    clinic.fault("TERM-02", false).unwrap();
    assert!(is_felt(&clinic, "TERM-03"));
    clinic.fault("WAN-03", false).unwrap();
    clinic.fault("TERM-03", false).unwrap();
    assert!(is_well(&clinic));
}

#[test]
fn a_changed_password_ends_the_sessions_that_were_open() {
    let clinic = bare("faults-session");
    let mut open = connect(&clinic, "box", TERMINAL).unwrap();
    open.set_read_timeout(Some(PATIENCE)).unwrap();
    clinic.fault("TERM-03", true).unwrap();
    let ended = open.read(&mut [0_u8; 16]);
    let reset = ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
    assert!(reset || ended.is_ok_and(|length| length == 0));
}
