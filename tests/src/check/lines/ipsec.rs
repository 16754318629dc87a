//! The cases of a line by IPsec. What leaves in the clear is seen at the internet provider, which carries every packet of it.

use std::net::{Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use super::cases::{REFUSED, connects, every_rung};

/// A listed port of the centre.
const LISTED: &str = "203.0.113.10:443";
/// A listed port that takes datagrams.
const DATAGRAMS: &str = "203.0.113.40:123";
/// The provider's gateway.
const GATEWAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 9, 0, 0, 0, 9);
/// What the terminal says, and nobody outside may read.
const CANARY: &[u8] = b"CANARY-OF-THE-TERMINAL";

/// The cases.
pub fn of() -> Vec<Case> {
    vec![
        Case::new("every_rung_is_green", "nothing", every_rung),
        Case::new("the_terminal_reaches_a_listed_port_and_no_other", "connections of the terminal", reaches),
        Case::new(
            "nothing_leaves_in_the_clear_while_the_gateway_is_away_and_it_comes_back_by_itself",
            "IKE-03 on and off, listened to at the internet provider",
            away,
        ),
        Case::new("a_new_address_of_the_box_is_followed", "WAN-05 on and off, listened to likewise", moved),
        Case::new("in_the_end_every_rung_is_green", "nothing", every_rung),
    ]
}

/// The terminal reaches what is listed behind the tunnel, and nothing else.
///
/// # Errors
/// It does not, or reaches more.
pub fn reaches(lab: &mut Lab) -> Outcome {
    comes(lab)?;
    for to in ["203.0.113.10:444", "203.0.113.65:22", "198.51.100.1:443", "198.51.100.10:445"] {
        must(!connects(lab, "terminal", to, REFUSED)?, || format!("the terminal reaches {to}"))?;
    }
    Ok(())
}

/// The terminal reaches the centre, in the end.
///
/// # Errors
/// It does not.
pub fn comes(lab: &Lab) -> Outcome {
    lab.until("the terminal reaches the centre", PATIENCE, || {
        Ok(connects(lab, "terminal", LISTED, REFUSED)?.then_some(()))
    })
}

fn away(lab: &mut Lab) -> Outcome {
    let ear = Ear::at(lab, "isp")?;
    comes(lab)?;
    say(lab)?;
    lab.fault("IKE-03", true)?;
    // Before the box knows, and long after.
    let begun = Instant::now();
    lab.until("the tunnel is down", PATIENCE, || {
        say(lab)?;
        let routes = lab.exec("box", &["ip", "route", "show", "203.0.113.0/25"])?;
        Ok((!routes.contains("ipsec0")).then_some(()))
    })?;
    let known = begun.elapsed();
    for _ in 0..20 {
        say(lab)?;
        must(!connects(lab, "terminal", LISTED, Duration::from_millis(100))?, || "it goes on".into())?;
    }
    lab.fault("IKE-03", false)?;
    comes(lab)?;
    say(lab)?;
    let heard = ear.heard()?;
    must(heard.sealed > 0 && known < Duration::from_secs(20), || format!("{heard:?} after {known:?}"))?;
    must(heard.clear.is_empty(), || format!("in the clear: {:?}", heard.clear))
}

fn moved(lab: &mut Lab) -> Outcome {
    let ear = Ear::at(lab, "isp")?;
    for on in [true, false] {
        lab.fault("WAN-05", on)?;
        // The old one would live for some seconds yet.
        let gone = if on { "2001:db8:0:1::/64" } else { "2001:db8:0:2::/64" };
        lab.exec("box", &["ip", "-6", "address", "flush", "dev", "wan0", "to", gone])?;
        say(lab)?;
        comes(lab)?;
        say(lab)?;
    }
    let heard = ear.heard()?;
    must(heard.sealed > 0 && heard.clear.is_empty(), || format!("in the clear: {:?}", heard.clear))
}

/// Whether the terminal reaches the centre, tried for so long.
///
/// # Errors
/// The terminal cannot be entered.
pub fn goes(lab: &Lab, patience: Duration) -> Result<bool, Wrong> {
    connects(lab, "terminal", LISTED, patience)
}

/// The terminal sends a datagram to where it may.
///
/// # Errors
/// The terminal cannot be entered.
pub fn say(lab: &Lab) -> Outcome {
    // With nowhere to go the kernel says so at once, which is right.
    let sent = || UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(CANARY, DATAGRAMS).map(drop));
    let _ = lab.clinic().inside("terminal", sent)?;
    Ok(())
}

/// Hears every frame of a host.
#[derive(Debug)]
pub struct Ear(Socket);

/// What was heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// IKE and ESP in UDP, with the gateway.
    pub sealed: usize,
    /// Everything that is neither that nor what IPv6 needs of its link.
    pub clear: Vec<String>,
}

const EVERY_FRAME: i32 = (libc::ETH_P_ALL as u16).to_be() as i32;

impl Ear {
    /// Listens from now on.
    ///
    /// # Errors
    /// The host cannot be entered, or the kernel refuses.
    pub fn at(lab: &Lab, host: &str) -> Result<Self, Wrong> {
        let open = || {
            let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(EVERY_FRAME)))?;
            socket.set_nonblocking(true)?;
            socket.set_recv_buffer_size(16 * 1024 * 1024)?;
            Ok::<_, std::io::Error>(socket)
        };
        Ok(Self(lab.clinic().inside(host, open)??))
    }

    /// All that came since.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn heard(&self) -> Result<Heard, Wrong> {
        let (mut heard, mut bytes) = (Heard::default(), [0_u8; 65_536]);
        loop {
            match std::io::Read::read(&mut &self.0, &mut bytes) {
                Ok(length) => heard.take(&bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(heard),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Heard {
    fn take(&mut self, frame: &[u8]) {
        let told = |why: &str| format!("{why}: {:02x?}", &frame[..frame.len().min(80)]);
        if frame.windows(CANARY.len()).any(|part| part == CANARY) {
            return self.clear.push(told("the terminal's words"));
        }
        match is_sealed(frame) {
            Some(true) => self.sealed += 1,
            Some(false) => {}
            None => self.clear.push(told("a packet")),
        }
    }
}

/// Whether a frame is sealed, or only of the link (ICMPv6); none: neither.
fn is_sealed(frame: &[u8]) -> Option<bool> {
    if frame.get(12..14)? != [0x86, 0xdd] {
        return None;
    }
    let (ports, ends) = (frame.get(54..58)?, [frame.get(22..38)?, frame.get(38..54)?]);
    let with_gateway = ends.iter().any(|end| **end == GATEWAY.octets());
    let ike = |at: usize| [500, 4500].contains(&u16::from_be_bytes([ports[at], ports[at + 1]]));
    match frame.get(20)? {
        // What is before the first fragment's own header cannot be read here; the lab's tunnel makes none.
        17 if with_gateway && (ike(0) || ike(2)) => Some(true),
        // Multicast listener reports have a hop-by-hop header (RFC 3810).
        58 | 0 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(next: u8, from: u16, to: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, next, 64]);
        frame.extend([1; 16]);
        frame.extend(GATEWAY.octets());
        frame.extend(from.to_be_bytes());
        frame.extend(to.to_be_bytes());
        frame.extend([0; 4]);
        frame
    }

    #[test]
    fn only_ike_with_the_gateway_and_what_the_link_needs_is_not_in_the_clear() {
        assert_eq!(is_sealed(&frame(17, 41_000, 4500)), Some(true));
        assert_eq!(is_sealed(&frame(58, 0, 0)), Some(false));
        assert_eq!(is_sealed(&frame(17, 41_000, 123)), None);
        assert_eq!(is_sealed(&frame(6, 41_000, 443)), None);
        let mut ipv4 = frame(17, 41_000, 4500);
        ipv4[12..14].copy_from_slice(&[8, 0]);
        assert_eq!(is_sealed(&ipv4), None);
        let mut heard = Heard::default();
        heard.take(&[frame(17, 41_000, 4500), CANARY.to_vec()].concat());
        assert_eq!((heard.sealed, heard.clear.len()), (0, 1), "sealed in name only");
    }
}
