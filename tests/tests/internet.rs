//! The internet line beside the closed network, judged from the computers of the clinic, from the terminal and from the
//! internet. Needs root.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod host;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use clinic::Clinic;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use host::{DISCOVER, KIND, MASK, NAMES, ROUTER, dhcp, run, until};

const BOX_CLINIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BOX_TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SOMEBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 162)), 8080);
const PATIENCE: Duration = Duration::from_secs(3);
/// What a computer says when it takes what it was offered (RFC 2132).
const ASKED_FOR: u8 = 50;
const SERVER: u8 = 54;
const REQUEST: u8 = 3;

/// The box's address on the internet line, once it has one.
fn address(clinic: &Clinic) -> Option<Ipv4Addr> {
    let said = run(clinic, "box", "ip -4 -o address show dev isp0");
    said.split_whitespace().nth(3)?.split('/').next()?.parse().ok()
}

/// A clinic whose box has its address there, and whose other hosts know the box as a way.
fn up(name: &str) -> (Clinic, Ipv4Addr) {
    let clinic = Clinic::up_with(name, &["--uplink", "isp"]).unwrap();
    until("the box has an address on the internet line", || address(&clinic).is_some());
    run(&clinic, "clinic", "ip route replace default via 198.51.100.1");
    run(&clinic, "terminal", "ip route replace default via 192.0.2.1");
    let own = address(&clinic).unwrap();
    (clinic, own)
}

/// Opens a connection from a host to somebody who listens there, and gives the sender as he saw it.
fn seen_as(clinic: &Clinic, from: &str) -> Option<Ipv4Addr> {
    let listener = clinic.inside("isp", || TcpListener::bind(SOMEBODY)).unwrap().unwrap();
    let connected = clinic.inside(from, || TcpStream::connect_timeout(&SOMEBODY, PATIENCE)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let accepted = listener.accept();
    drop(connected);
    match accepted {
        Ok((_, SocketAddr::V4(sender))) => Some(*sender.ip()),
        Ok(_) => None,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            None
        }
    }
}

#[test]
fn the_clinic_leaves_by_it_under_the_boxs_address_and_nobody_else_does() {
    let (clinic, own) = up("in-way");
    assert_eq!(seen_as(&clinic, "clinic"), Some(own));
    assert_eq!(seen_as(&clinic, "terminal"), None, "a terminal never leaves by the internet line");

    // From there nothing is opened, neither to the box nor through it.
    run(&clinic, "isp", &format!("ip route replace 198.51.100.0/24 via {own}"));
    run(&clinic, "isp", &format!("ip route replace 192.0.2.0/24 via {own}"));
    let inside = clinic.inside("clinic", || TcpListener::bind(("0.0.0.0", 8080))).unwrap().unwrap();
    let targets =
        [(own, 443), (own, 53), (own, 445), (BOX_CLINIC, 443), (Ipv4Addr::new(198, 51, 100, 10), 8080)];
    for (to, port) in targets {
        let tried = clinic
            .inside("isp", || {
                TcpStream::connect_timeout(&SocketAddr::from((to, port)), Duration::from_secs(1))
            })
            .unwrap();
        assert_eq!(
            tried.unwrap_err().kind(),
            ErrorKind::TimedOut,
            "{to} port {port} is silent for the internet"
        );
    }
    drop(inside);

    // The provider's side goes and comes back; so does the way.
    run(&clinic, "isp", "ip link set i0 down");
    until("the box has lost its way out", || run(&clinic, "box", "ip -4 route show default").is_empty());
    run(&clinic, "isp", "ip link set i0 up");
    until("the way is back", || seen_as(&clinic, "clinic") == address(&clinic));
}

/// What a resolver says to a host about a name.
fn ask(clinic: &Clinic, host: &str, resolver: Ipv4Addr, name: &str) -> Option<(ResponseCode, Vec<Ipv4Addr>)> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::A));
    let question = question.to_vec().unwrap();
    let answer = clinic
        .inside(host, || {
            let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
            socket.set_read_timeout(Some(PATIENCE)).ok()?;
            socket.send_to(&question, (resolver, 53)).ok()?;
            let mut answer = vec![0; 2048];
            let (length, _) = socket.recv_from(&mut answer).ok()?;
            answer.truncate(length);
            Some(answer)
        })
        .unwrap()?;
    let answer = Message::from_vec(&answer).unwrap();
    let addresses = answer.answers.iter().filter_map(|record| match &record.data {
        RData::A(address) => Some(address.0),
        _ => None,
    });
    Some((answer.metadata.response_code, addresses.collect()))
}

#[test]
fn each_side_asks_its_own_resolver_and_neither_hears_of_the_others_names() {
    let (clinic, _) = up("in-names");
    let outside = (ResponseCode::NoError, vec![Ipv4Addr::new(203, 0, 113, 162)]);
    assert_eq!(ask(&clinic, "clinic", BOX_CLINIC, "www.internet.test."), Some(outside));
    let unknown = Some((ResponseCode::NXDomain, Vec::new()));
    assert_eq!(ask(&clinic, "clinic", BOX_CLINIC, "hweb.onshikaku.test."), unknown, "the line's names");
    assert_eq!(ask(&clinic, "terminal", BOX_TERMINAL, "www.internet.test."), unknown, "the internet's names");
    assert_eq!(ask(&clinic, "clinic", BOX_TERMINAL, "hweb.onshikaku.test."), None);
    assert_eq!(ask(&clinic, "isp", address(&clinic).unwrap(), "www.internet.test."), None);
}

#[test]
fn a_computer_is_lent_any_address_and_a_terminal_its_own() {
    let (clinic, _) = up("in-lent");
    for host in ["clinic", "terminal"] {
        run(&clinic, host, "ip -4 address flush dev e0");
    }
    let mut taken = Vec::new();
    for card in 1..=3 {
        let (address, options) = dhcp(&clinic, "clinic", card, DISCOVER, &[]).unwrap();
        let asked = [&[ASKED_FOR, 4][..], &address.octets(), &[SERVER, 4], &options[&SERVER]].concat();
        let (given, options) = dhcp(&clinic, "clinic", card, REQUEST, &asked).unwrap();
        assert_eq!((given, &options[&KIND]), (address, &vec![5]), "what was offered is given (DHCPACK)");
        assert_eq!(address.octets()[..3], [198, 51, 100]);
        assert!((128..255).contains(&address.octets()[3]), "{address} of the upper half");
        assert!(!taken.contains(&address), "{address} is offered to two");
        taken.push(address);
        assert_eq!(options[&MASK], [255, 255, 255, 0]);
        assert_eq!(options[&ROUTER], BOX_CLINIC.octets());
        assert_eq!(options[&NAMES], BOX_CLINIC.octets());
    }
    // A terminal is lent the address that the site file has for its card, and told of no way out: on this line it has none
    // over IPv4.
    let (address, _) = dhcp(&clinic, "terminal", 9, DISCOVER, &[]).unwrap();
    assert_eq!(address, Ipv4Addr::new(192, 0, 2, 2));
    let asked = [&[ASKED_FOR, 4][..], &address.octets(), &[SERVER, 4], &BOX_TERMINAL.octets()].concat();
    let (given, options) = dhcp(&clinic, "terminal", 9, REQUEST, &asked).unwrap();
    assert_eq!((given, &options[&KIND]), (address, &vec![5]));
    assert_eq!((options[&NAMES].as_slice(), options.get(&ROUTER)), (&BOX_TERMINAL.octets()[..], None));
    assert_eq!(
        dhcp(&clinic, "terminal", 8, DISCOVER, &[]),
        None,
        "a strange card gets no address of the terminals'"
    );
}
