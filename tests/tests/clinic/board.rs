//! A place without a box: its ports are TAPs, and a board that opens one is on the wire.

use std::fs::File;
use std::io::Read as _;
use std::net::UdpSocket;
use std::os::fd::{AsFd as _, AsRawFd as _};

use clinic::{Clinic, TheBox};
use nix::poll::{PollFd, PollFlags, poll};

/// Opens a TAP of the box's place, as a virtual board does.
fn open(clinic: &Clinic, port: &str) -> File {
    let visit = clinic.inside("box", || {
        let tap = File::options().read(true).write(true).open("/dev/net/tun").unwrap();
        let mut request = [0_u8; 40];
        request[..port.len()].copy_from_slice(port.as_bytes());
        let flags = i16::try_from(libc::IFF_TAP | libc::IFF_NO_PI).unwrap();
        request[16..18].copy_from_slice(&flags.to_ne_bytes());
        // SAFETY: TUNSETIFF reads and writes one `struct ifreq` of 40 bytes.
        #[expect(unsafe_code, reason = "nix has no TUNSETIFF")]
        let set = unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
        tap
    });
    visit.unwrap()
}

/// Whether a frame of this EtherType comes within five seconds.
fn hears(tap: &mut File, kind: u16) -> bool {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let mut frame = [0_u8; 2048];
    while std::time::Instant::now() < deadline {
        let mut wait = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
        if poll(&mut wait, 500_u16).unwrap() > 0 {
            let length = tap.read(&mut frame).unwrap();
            if length > 14 && frame[12..14] == kind.to_be_bytes() {
                return true;
            }
        }
    }
    false
}

const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;

#[test]
fn a_board_that_opens_the_boxs_ports_hears_the_line_the_terminal_and_the_clinic() {
    let clinic = Clinic::up_with("board-taps", &["--box", "none"]).unwrap();
    let status = clinic.status().unwrap();
    assert_eq!(status.the_box.is, TheBox::None);
    assert!(status.the_box.pids.is_empty() && status.shares.clinic.is_none(), "{:?}", status.the_box);
    assert!(status.hosts["box"].addresses.is_empty(), "{:?}", status.hosts["box"]);
    let mut line = open(&clinic, "wan0");
    assert!(hears(&mut line, IPV6), "no advertisement on wan0");
    for (host, port, to) in [("terminal", "term0", "192.0.2.1:9"), ("clinic", "lan0", "198.51.100.1:9")] {
        let mut wire = open(&clinic, port);
        let ask = || UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"?", to);
        clinic.inside(host, ask).unwrap().unwrap();
        assert!(hears(&mut wire, ARP), "no question for {to} on {port}");
    }
}

#[test]
fn faults_of_a_clinic_without_a_box_are_made_on_the_far_side() {
    let clinic = Clinic::up_with("board-faults", &["--box", "none"]).unwrap();
    let wires = ["wan0-wire", "term0-wire"];
    let carrier = |wire: &str| {
        let file = format!("/sys/class/net/{wire}/carrier");
        crate::scene::on_the_box(&clinic, &["cat", &file]).trim() == "1"
    };
    assert_eq!(wires.map(carrier), [true, true]);
    for fault in ["WAN-01", "TERM-01:cable"] {
        clinic.fault(fault, true).unwrap();
    }
    assert_eq!(wires.map(carrier), [false, false]);
    for fault in ["WAN-01", "TERM-01:cable", "WAN-02", "WAN-03", "TERM-02"] {
        clinic.fault(fault, !fault.contains("-01")).unwrap();
    }
    assert_eq!(wires.map(carrier), [true, true]);
    assert_eq!(clinic.status().unwrap().faults, ["TERM-02", "WAN-02", "WAN-03"]);
}
