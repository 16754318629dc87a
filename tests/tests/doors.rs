//! What a zone may reach listens only there: a scan from every zone's host finds exactly the ports that
//! docs/security.md names, and nothing on the box listens beside them. Needs root.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use clinic::Clinic;
use clinic::check::scan::{open, scan, scoped};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};

const BOX_CLINIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BOX_TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PATIENCE: Duration = Duration::from_secs(2);

/// The box's addresses on the line, the link-local one among them.
fn on_the_line(clinic: &Clinic) -> Vec<IpAddr> {
    let said = clinic.exec("box", &["ip", "-6", "-o", "address", "show", "dev", "wan0"]).unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let addresses =
        said.lines().filter_map(|line| line.split_whitespace().nth(3)?.split('/').next()?.parse().ok());
    addresses.collect()
}

#[test]
fn each_zone_finds_the_ports_open_that_the_document_names_and_no_other() {
    let clinic = Clinic::up("doors-tcp").unwrap();
    for (host, network, own) in
        [("terminal", "198.51.100.0/24", BOX_TERMINAL), ("clinic", "192.0.2.0/24", BOX_CLINIC)]
    {
        clinic.exec(host, &["ip", "route", "replace", network, "via", &own.to_string()]).unwrap();
    }
    let mut tries: Vec<(&str, &str, IpAddr, BTreeSet<u16>)> = vec![
        ("clinic", "clinic", BOX_CLINIC.into(), open("clinic", "tcp").unwrap()),
        ("clinic", "clinic", BOX_TERMINAL.into(), BTreeSet::new()),
        ("terminal", "terminal", BOX_TERMINAL.into(), open("terminal", "tcp").unwrap()),
        ("terminal", "terminal", BOX_CLINIC.into(), BTreeSet::new()),
    ];
    let line = on_the_line(&clinic);
    assert!(line.len() > 1, "the box has an address on the line beside the link-local one: {line:?}");
    tries.extend(line.into_iter().map(|address| ("line", "ngn", address, open("line", "tcp").unwrap())));
    // Every port where something is meant to be open takes minutes, for silence is waited for: the board's own case
    // does that. Here it is what anybody would try first; what listens beside it is the last case's to find.
    let ports: Vec<u16> = (1..=2048).collect();
    for (zone, host, to, wanted) in tries {
        let seen = scan(&clinic, host, scoped(&clinic, host, "w0", to).unwrap(), &ports).unwrap();
        assert_eq!(seen.open, wanted, "open at {to} for the {zone}");
        assert!(seen.refused.is_empty(), "refused at {to} for the {zone}: {:?}", seen.refused);
    }
}

/// Asks a UDP service from a host; nothing if it is silent.
fn ask(clinic: &Clinic, host: &str, to: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    clinic
        .inside(host, || {
            let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
            socket.set_read_timeout(Some(PATIENCE)).ok()?;
            socket.send_to(question, to).ok()?;
            let mut answer = vec![0; 1500];
            let length = socket.recv(&mut answer).ok()?;
            answer.truncate(length);
            Some(answer)
        })
        .unwrap()
}

#[test]
fn the_terminal_gets_names_and_time_from_the_box_and_the_clinic_gets_neither() {
    let clinic = Clinic::up("doors-udp").unwrap();
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii("hweb.onshikaku.test.").unwrap(), RecordType::AAAA));
    let name = message.to_vec().unwrap();
    // RFC 5905 section 7.3: version 4, mode client.
    let mut time = [0_u8; 48];
    time[0] = 0x23;
    let at = |address: Ipv4Addr, port| SocketAddr::from((address, port));
    let answer =
        ask(&clinic, "terminal", at(BOX_TERMINAL, 53), &name).expect("the resolver answers the terminal");
    let answer = Message::from_vec(&answer).unwrap();
    assert!(
        answer.answers.iter().any(|record| record.to_string().contains("2001:db8:0:cc::10")),
        "{answer:?}"
    );
    let answer =
        ask(&clinic, "terminal", at(BOX_TERMINAL, 123), &time).expect("the clock answers the terminal");
    assert_eq!(answer[0] & 7, 4, "mode server");
    for (address, port, question) in [
        (BOX_CLINIC, 53, &name[..]),
        (BOX_TERMINAL, 53, &name),
        (BOX_CLINIC, 123, &time),
        (BOX_TERMINAL, 123, &time),
    ] {
        assert_eq!(ask(&clinic, "clinic", at(address, port), question), None, "{address} {port}");
    }
}

#[test]
fn nothing_listens_on_the_box_but_what_the_document_names() {
    let clinic = Clinic::up("doors-listen").unwrap();
    let mut wanted = BTreeSet::new();
    for (zone, address) in [("clinic", BOX_CLINIC), ("terminal", BOX_TERMINAL)] {
        for kind in ["tcp", "udp"] {
            let ports = open(zone, kind).unwrap();
            wanted.extend(ports.into_iter().map(|port| (kind.to_owned(), address.to_string(), port)));
        }
    }
    let said = clinic.exec("box", &["ss", "-H", "-l", "-n", "-t", "-u"]).unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let mut seen = BTreeSet::new();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, _, _, _, own, ..] = words[..] else { continue };
        let (address, port) = own.rsplit_once(':').unwrap();
        let address = address.split('%').next().unwrap().trim_matches(['[', ']']);
        if !address.starts_with("127.") && address != "::1" {
            seen.insert((kind.to_owned(), address.to_owned(), port.parse::<u16>().unwrap()));
        }
    }
    assert_eq!(seen, wanted, "{said}");
}
