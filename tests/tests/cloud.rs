//! The receipt computer's cloud, judged from the clinic's computer, from the cloud, and by who listens on the internet between
//! them. Needs root.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod host;

use std::io::{ErrorKind, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use clinic::Clinic;
use host::{DISCOVER, MASK, ROUTER, WAYS, dhcp, run, until};
use socket2::{Domain, Protocol, Socket, Type};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 178);
const SERVICE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 40, 0, 10)), 443);
/// Another port of the same machine, on which the test listens.
const OTHER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 40, 0, 10)), 8080);
const SECOND: Duration = Duration::from_secs(1);
/// What the clinic's computer says, and nobody on the internet may read.
const CANARY: &[u8] = b"CANARY-OF-THE-RECEIPT-COMPUTER";

fn connects(clinic: &Clinic, from: &str, to: SocketAddr) -> bool {
    clinic.inside(from, || TcpStream::connect_timeout(&to, SECOND)).unwrap().is_ok()
}

/// The clinic's computer says something to the cloud. With nowhere to go the kernel says so at once, which is right.
fn say(clinic: &Clinic) {
    let _ = clinic
        .inside("clinic", || {
            let socket = UdpSocket::bind("0.0.0.0:0")?;
            socket.send_to(CANARY, (Ipv4Addr::new(10, 40, 0, 10), 9))
        })
        .unwrap();
}

/// Whether the box has a way into the tunnel.
fn stands(clinic: &Clinic) -> bool {
    run(clinic, "box", "ip -4 route show 10.40.0.0/16").contains("dev cloud0")
}

fn up(name: &str) -> Clinic {
    let clinic = Clinic::up_with(name, &["--uplink", "isp"]).unwrap();
    run(&clinic, "clinic", "ip route replace default via 198.51.100.1");
    run(&clinic, "terminal", "ip route replace default via 192.0.2.1");
    until("the clinic's computer reaches its cloud", || connects(&clinic, "clinic", SERVICE));
    clinic
}

/// Hears every frame at the internet's provider, between the box and the cloud's gateway.
struct Ear(Socket);

const EVERY_FRAME: i32 = (libc::ETH_P_ALL as u16).to_be() as i32;

impl Ear {
    fn at(clinic: &Clinic, host: &str) -> Self {
        let open = || {
            let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(EVERY_FRAME)))?;
            socket.set_nonblocking(true)?;
            socket.set_recv_buffer_size(16 * 1024 * 1024)?;
            Ok::<_, std::io::Error>(socket)
        };
        Self(clinic.inside(host, open).unwrap().unwrap())
    }

    /// How many packets were sealed, and whatever of the cloud's own was not.
    fn heard(&self) -> (usize, Vec<String>) {
        let (mut sealed, mut clear, mut bytes) = (0, Vec::new(), [0_u8; 65_536]);
        loop {
            match (&self.0).read(&mut bytes) {
                Ok(length) => match judge(&bytes[..length]) {
                    Some(true) => sealed += 1,
                    Some(false) => clear.push(format!("{:02x?}", &bytes[..length.min(80)])),
                    None => {}
                },
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return (sealed, clear);
                }
            }
        }
    }
}

/// Whether a frame is sealed: IKE, or ESP in UDP, with the gateway; or the clinic's words, or somebody's of the cloud, in the
/// clear. None of both: it is of others.
fn judge(frame: &[u8]) -> Option<bool> {
    if frame.windows(CANARY.len()).any(|part| part == CANARY) {
        return Some(false);
    }
    if frame.get(12..14)? != [0x08, 0x00] {
        return None;
    }
    let ends = [frame.get(26..30)?, frame.get(30..34)?];
    if ends.iter().any(|end| end[0] == 10) {
        return Some(false);
    }
    let ports = frame.get(34..38)?;
    let ike = ports.chunks_exact(2).any(|port| [500, 4500].contains(&u16::from_be_bytes([port[0], port[1]])));
    (*frame.get(23)? == 17 && ike && ends.contains(&&GATEWAY.octets()[..])).then_some(true)
}

#[test]
fn the_receipt_computer_reaches_its_cloud_by_the_tunnel_and_nothing_ever_leaves_in_the_clear() {
    let clinic = up("cl-way");
    let ear = Ear::at(&clinic, "isp");

    // It goes by the tunnel, under the inner address of the contract.
    let listener = clinic.inside("cloud", || TcpListener::bind(OTHER)).unwrap().unwrap();
    let connected = clinic.inside("clinic", || TcpStream::connect_timeout(&OTHER, 3 * SECOND)).unwrap();
    let (_, sender) = listener.accept().unwrap();
    assert!(sender.ip().to_string().starts_with("10.41.0."), "{sender}");
    drop(connected);
    say(&clinic);

    // Its gateway goes, without a word to anybody: before the box knows, and long after, nothing leaves.
    clinic.fault("CLD-02", true).unwrap();
    until("the box knows that the tunnel is down", || {
        say(&clinic);
        !stands(&clinic)
    });
    for _ in 0..20 {
        say(&clinic);
        assert!(!connects(&clinic, "clinic", SERVICE), "it goes on");
    }
    clinic.fault("CLD-02", false).unwrap();
    until("the cloud is back by itself", || connects(&clinic, "clinic", SERVICE));
    say(&clinic);

    // The box's charon has no known port: only who listens on one could be called.
    let ports = run(&clinic, "box", "ss -Hlun");
    assert!(!ports.contains(":500 ") && !ports.contains(":4500 "), "{ports}");

    let (sealed, clear) = ear.heard();
    assert!(sealed > 0 && clear.is_empty(), "{sealed} sealed, in the clear: {clear:?}");
}

#[test]
fn who_is_not_the_clinics_reaches_no_cloud_and_the_cloud_reaches_nobody() {
    let clinic = up("cl-wall");
    assert!(!connects(&clinic, "terminal", SERVICE), "a terminal reaches the cloud");
    // What is not listed behind the tunnel is not behind it, though somebody listens there.
    let beside = SocketAddr::from(([10, 41, 0, 14], 443));
    run(&clinic, "cloud", "ip address add 10.41.0.14/32 dev lo");
    let listening = clinic.inside("cloud", || TcpListener::bind(beside)).unwrap().unwrap();
    assert!(connects(&clinic, "cloud", beside), "nobody listens");
    assert!(!connects(&clinic, "clinic", beside));
    // It is somebody of the internet: were there a way to him, he would be reached as anybody is, and by no tunnel.
    run(&clinic, "isp", &format!("ip route replace 10.41.0.14/32 via {GATEWAY}"));
    assert!(connects(&clinic, "clinic", beside), "nothing but the missing way keeps him away");
    drop(listening);
    let inner: Ipv4Addr = run(&clinic, "box", "ip -4 -o address show dev cloud0")
        .split_whitespace()
        .nth(3)
        .and_then(|address| address.split('/').next()?.parse().ok())
        .unwrap();
    let inside = clinic.inside("clinic", || TcpListener::bind(("0.0.0.0", 8080))).unwrap().unwrap();
    for (to, port) in [(inner, 443), (inner, 445), (inner, 53), (Ipv4Addr::new(198, 51, 100, 10), 8080)] {
        let tried = clinic.inside("cloud", || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from(([10, 40, 0, 10], 0)).into())?;
            socket.connect_timeout(&SocketAddr::from((to, port)).into(), SECOND)
        });
        assert!(tried.unwrap().is_err(), "the cloud opens {to} port {port}");
    }
    inside.set_nonblocking(true).unwrap();
    assert_eq!(inside.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_clinic_with_another_router_is_told_of_its_cloud_alone_and_reaches_it() {
    let clinic = Clinic::up_with("cl-alone", &["--uplink", "cloud"]).unwrap();
    until("the box has a way into the tunnel", || stands(&clinic));
    run(&clinic, "clinic", "ip -4 address flush dev e0");
    let (address, options) = dhcp(&clinic, "clinic", 1, DISCOVER, &[]).unwrap();
    assert_eq!(options.get(&ROUTER), None, "the box is not the way to everything");
    assert_eq!(options[&MASK], [255, 255, 255, 0]);
    assert_eq!(options[&WAYS], [16, 10, 40, 198, 51, 100, 1]);
    // As a computer does with what it was told.
    run(&clinic, "clinic", &format!("ip address add {address}/24 dev e0"));
    run(&clinic, "clinic", "ip route replace 10.40.0.0/16 via 198.51.100.1");
    until("the clinic's computer reaches its cloud", || connects(&clinic, "clinic", SERVICE));
    // Whatever else it sends the box is not handed on to the internet.
    run(&clinic, "clinic", "ip route replace default via 198.51.100.1");
    let somebody = SocketAddr::from(([203, 0, 113, 162], 8080));
    let listening = clinic.inside("isp", || TcpListener::bind(somebody)).unwrap().unwrap();
    assert!(connects(&clinic, "isp", somebody), "nobody listens");
    assert!(!connects(&clinic, "clinic", somebody));
    drop(listening);
}
