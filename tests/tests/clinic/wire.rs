//! The wire with habits, measured from outside: how many packets come through, in which order, and its carrier.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use clinic::Clinic;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBufForce;
use nix::unistd::Pid;

use crate::scene::{PATIENCE, bare};

/// Sends so many numbered packets from one host to another, and gives what comes, in its order.
fn sent(clinic: &Clinic, from: &str, to: (&str, &str), count: u16) -> Vec<u16> {
    let listener = clinic.inside(to.0, || bound(to.1)).unwrap();
    listener.set_read_timeout(Some(PATIENCE)).unwrap();
    // All of it has room: what is missing was lost on the way.
    setsockopt(&listener, RcvBufForce, &(16 << 20)).unwrap();
    let send = || {
        let socket = UdpSocket::bind("[::]:0").unwrap();
        (0..count).for_each(|number| {
            socket.send_to(&number.to_be_bytes(), (to.1, 4000)).unwrap();
        });
    };
    clinic.inside(from, send).unwrap();
    let mut packet = [0; 2];
    std::iter::from_fn(|| listener.recv(&mut packet).ok().map(|_| u16::from_be_bytes(packet))).collect()
}

#[test]
fn the_line_loses_its_share_each_way_and_turns_no_order_and_a_cable_loses_nothing() {
    let clinic = bare("wire-line");
    let router = ("ngn", "2001:db8:0:1::1");
    assert_eq!(sent(&clinic, "box", router, 900), (0..900).collect::<Vec<_>>());
    clinic.fault("WAN-11", true).unwrap();
    let came = sent(&clinic, "box", router, 900);
    // Five times the deviation that chance has (14 of 900).
    assert!((530..=676).contains(&came.len()), "{}", came.len());
    assert!(came.is_sorted());
    clinic.fault("WAN-11", false).unwrap();
    assert_eq!(sent(&clinic, "box", router, 900).len(), 900);
}

/// A fresh address is the kernel's own a moment later.
fn bound(address: &str) -> UdpSocket {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match UdpSocket::bind((address, 4000)) {
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable && Instant::now() < end => {}
            bound => return bound.unwrap(),
        }
    }
}

/// A wire between a port of `ngn` and one of `home`.
fn lay(clinic: &Clinic, habits: &[&str]) -> std::process::Child {
    let wire = [&[env!("CARGO_BIN_EXE_wire"), "end0", "end1"], habits].concat();
    let wire = clinic.command("ngn", &wire).spawn().unwrap();
    let home = clinic.status().unwrap().hosts["home"].pid.to_string();
    let end = Instant::now() + Duration::from_secs(10);
    while !clinic.exec("ngn", &["ip", "link", "set", "end1", "netns", &home]).unwrap().status.success() {
        assert!(Instant::now() < end, "the wire made no port");
    }
    for (host, port, address) in [("ngn", "end0", "fd00:1::1/64"), ("home", "end1", "fd00:1::2/64")] {
        for argv in [["ip", "address", "add", address, "dev", port], ["ip", "link", "set", "dev", port, "up"]]
        {
            assert!(clinic.exec(host, &argv).unwrap().status.success(), "{argv:?}");
        }
    }
    wire
}

#[test]
fn what_is_held_back_is_overtaken_what_is_doubled_comes_twice_and_nothing_is_lost() {
    let clinic = bare("wire-order");
    let mut wire = lay(&clinic, &["--reorder", "20", "--duplicate", "10", "--delay-ms", "5"]);
    let came = sent(&clinic, "ngn", ("home", "fd00:1::2"), 500);
    assert_eq!(came.iter().copied().collect::<BTreeSet<_>>().len(), 500, "{}", came.len());
    assert!(came.len() > 510, "{}", came.len());
    assert!(came.windows(2).any(|pair| pair[0] > pair[1]), "{came:?}");
    wire.kill().unwrap();
    wire.wait().unwrap();
}

#[test]
fn a_wire_that_is_pulled_has_no_carrier_at_either_end() {
    let clinic = bare("wire-carrier");
    let mut wire = lay(&clinic, &[]);
    let carrier = |host: &str, port: &str| {
        let file = format!("/sys/class/net/{port}/carrier");
        String::from_utf8(clinic.exec(host, &["cat", &file]).unwrap().stdout).unwrap().trim() == "1"
    };
    let are = |wanted| {
        let end = Instant::now() + Duration::from_secs(10);
        while [carrier("ngn", "end0"), carrier("home", "end1")] != [wanted; 2] {
            assert!(Instant::now() < end, "the carrier is not {wanted}");
        }
    };
    are(true);
    for wanted in [false, true] {
        kill(Pid::from_raw(wire.id().cast_signed()), Signal::SIGUSR1).unwrap();
        are(wanted);
    }
    assert_eq!(sent(&clinic, "ngn", ("home", "fd00:1::2"), 50).len(), 50);
    wire.kill().unwrap();
    wire.wait().unwrap();
}
