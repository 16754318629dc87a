//! What a host of the clinic does in a story: a command, waiting, and asking for an address as a computer without one does.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use clinic::Clinic;

const PATIENCE: Duration = Duration::from_secs(3);

/// Runs a command in a host, which must do well.
pub fn run(clinic: &Clinic, host: &str, words: &str) -> String {
    let argv: Vec<&str> = words.split(' ').collect();
    let output = clinic.exec(host, &argv).unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Options (RFC 2132).
pub const MASK: u8 = 1;
pub const ROUTER: u8 = 3;
pub const NAMES: u8 = 6;
pub const KIND: u8 = 53;
/// Routes without a class (RFC 3442).
pub const WAYS: u8 = 121;
pub const DISCOVER: u8 = 1;

/// What a server says to a computer without an address: the address, and the options (RFC 2131, RFC 2132).
pub type Said = (Ipv4Addr, BTreeMap<u8, Vec<u8>>);

/// A computer with this card says so much by DHCP, to everybody.
pub fn dhcp(clinic: &Clinic, host: &str, card: u8, kind: u8, more: &[u8]) -> Option<Said> {
    let mut question = vec![0; 240];
    question[..4].copy_from_slice(&[1, 1, 6, 0]);
    question[4..8].copy_from_slice(&[9, 9, 9, card]);
    question[10] = 0x80; // it is to be answered to everybody
    question[28..34].copy_from_slice(&[0, 0, 0x5e, 0, 0x53, card]);
    question[236..].copy_from_slice(&[99, 130, 83, 99]);
    question.extend([KIND, 1, kind]);
    question.extend(more);
    question.extend([55, 5, MASK, WAYS, ROUTER, NAMES, 51, 255]);
    let answer = clinic
        .inside(host, || {
            let socket = UdpSocket::bind(("0.0.0.0", 68)).ok()?;
            nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::BindToDevice, &"e0".into())
                .ok()?;
            socket.set_broadcast(true).ok()?;
            socket.set_read_timeout(Some(PATIENCE)).ok()?;
            socket.send_to(&question, ("255.255.255.255", 67)).ok()?;
            let mut answer = vec![0; 1500];
            let length = socket.recv(&mut answer).ok()?;
            answer.truncate(length);
            Some(answer)
        })
        .unwrap()?;
    assert_eq!(answer[4..8], question[4..8], "the answer to this question");
    let mut options = BTreeMap::new();
    let mut rest = &answer[240..];
    while let [code, length, more @ ..] = rest
        && *code != 255
    {
        let (value, next) = more.split_at(usize::from(*length));
        options.insert(*code, value.to_vec());
        rest = next;
    }
    Some((Ipv4Addr::new(answer[16], answer[17], answer[18], answer[19]), options))
}
