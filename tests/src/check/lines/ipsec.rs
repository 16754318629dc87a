//! The cases of a line by IPsec. What leaves in the clear is seen at whom the box's cable ends: the internet provider, or the
//! home gateway in front of it, which hears what comes in and what it hands on.

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use super::cases::{REFUSED, connects, every_rung};
use crate::layout::Layout;

/// A listed port of the centre.
const LISTED: &str = "203.0.113.10:443";
/// A listed port that takes datagrams.
const DATAGRAMS: &str = "203.0.113.40:123";
/// What the terminal says, and nobody outside may read.
const CANARY: &[u8] = b"CANARY-OF-THE-TERMINAL";

/// The cases.
pub fn of(layout: Layout) -> Vec<Case> {
    let mut all = vec![
        Case::new("every_rung_is_green", "nothing", every_rung),
        Case::new("the_terminal_reaches_a_listed_port_and_no_other", "connections of the terminal", reaches),
        Case::new(
            "nothing_leaves_in_the_clear_while_the_gateway_is_away_and_it_comes_back_by_itself",
            "IKE-03 on and off, listened to where the box's cable ends",
            move |lab| away(lab, layout),
        ),
        Case::new(
            "a_new_address_of_the_box_is_followed",
            "WAN-05 on and off, listened to likewise",
            move |lab| moved(lab, layout),
        ),
    ];
    if layout.is_lent() {
        all.push(Case::new(
            "a_home_gateway_with_another_address_that_forgot_every_flow_is_survived",
            "it has another address of the internet provider's, twice, listened to likewise",
            move |lab| mapped(lab, layout),
        ));
        all.push(Case::new(
            "a_home_gateway_that_is_off_for_a_moment_is_survived",
            "its plug is out and in, listened to likewise",
            move |lab| unplugged(lab, layout),
        ));
    }
    all.push(Case::new("in_the_end_every_rung_is_green", "nothing", every_rung));
    all
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

fn away(lab: &mut Lab, layout: Layout) -> Outcome {
    let ear = Ear::at(lab, layout.near().name())?;
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

fn moved(lab: &mut Lab, layout: Layout) -> Outcome {
    let ear = Ear::at(lab, layout.near().name())?;
    for on in [true, false] {
        lab.fault("WAN-05", on)?;
        if !layout.is_lent() {
            // The old one would live for some seconds yet.
            let gone = if on { "2001:db8:0:1::/64" } else { "2001:db8:0:2::/64" };
            lab.exec("box", &["ip", "-6", "address", "flush", "dev", "wan0", "to", gone])?;
        }
        say(lab)?;
        comes(lab)?;
        say(lab)?;
    }
    ear.heard_nothing_clear()
}

/// What the provider gave the home gateway changes, and with it where the gateway of the tunnel sees the box.
fn mapped(lab: &mut Lab, layout: Layout) -> Outcome {
    let ear = Ear::at(lab, layout.near().name())?;
    comes(lab)?;
    // charon follows where the gateway saw it the time before, and is told so with each answer to its DPD.
    let log = format!("/run/clinic-{}/logs/box-charon.log", lab.wish()?.name);
    lab.until("the gateway said once where it sees the box", PATIENCE, || {
        let said = std::fs::read_to_string(&log)?;
        let newest = said.rsplit("] established between").next().unwrap_or_default();
        Ok(newest.contains("sending DPD request").then_some(()))
    })?;
    for (new, gone) in [("203.0.113.195/28", "203.0.113.194/28"), ("203.0.113.194/28", "203.0.113.195/28")] {
        // Who translates forgets the flows of an address that goes.
        lab.exec("home", &["ip", "address", "delete", gone, "dev", "up0"])?;
        lab.exec("home", &["ip", "address", "replace", new, "dev", "up0"])?;
        lab.exec("home", &["ip", "route", "replace", "default", "via", "203.0.113.193"])?;
        say(lab)?;
        comes(lab)?;
        say(lab)?;
    }
    ear.heard_nothing_clear()
}

fn unplugged(lab: &mut Lab, layout: Layout) -> Outcome {
    let ear = Ear::at(lab, layout.near().name())?;
    comes(lab)?;
    lab.fault("WAN-01", true)?;
    say(lab)?;
    must(!connects(lab, "terminal", LISTED, REFUSED)?, || "it goes on without a cable".into())?;
    lab.fault("WAN-01", false)?;
    comes(lab)?;
    say(lab)?;
    ear.heard_nothing_clear()
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
pub struct Ear {
    socket: Socket,
    layout: Layout,
}

/// What was heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// IKE and ESP in UDP, with the gateway.
    pub sealed: usize,
    /// Everything that is neither that nor what the link needs: ICMPv6, or in IPv4 ARP and DHCP.
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
        // A board is tried on a line of its own only.
        let layout = lab.wish().map(|wish| wish.layout).unwrap_or_default();
        Ok(Self { socket: lab.clinic().inside(host, open)??, layout })
    }

    /// Something was sealed, and nothing was in the clear.
    ///
    /// # Errors
    /// It was otherwise.
    pub fn heard_nothing_clear(&self) -> Outcome {
        let heard = self.heard()?;
        must(heard.sealed > 0, || "nothing at all was heard of the tunnel".into())?;
        must(heard.clear.is_empty(), || format!("in the clear: {:?}", heard.clear))
    }

    /// All that came since.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn heard(&self) -> Result<Heard, Wrong> {
        let (mut heard, mut bytes) = (Heard::default(), [0_u8; 65_536]);
        loop {
            match std::io::Read::read(&mut &self.socket, &mut bytes) {
                Ok(length) => heard.take(&bytes[..length], self.layout),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(heard),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Heard {
    fn take(&mut self, frame: &[u8], layout: Layout) {
        let told = |why: &str| format!("{why}: {:02x?}", &frame[..frame.len().min(80)]);
        if frame.windows(CANARY.len()).any(|part| part == CANARY) {
            return self.clear.push(told("the terminal's words"));
        }
        match is_sealed(frame, layout) {
            Some(true) => self.sealed += 1,
            Some(false) => {}
            None => self.clear.push(told("a packet")),
        }
    }
}

/// Whether a frame is sealed, or only of the link; none: neither.
fn is_sealed(frame: &[u8], layout: Layout) -> Option<bool> {
    match (frame.get(12..14)?, layout.is_lent()) {
        ([0x86, 0xdd], false) => is_sealed6(frame, layout),
        ([0x08, 0x00], true) => is_sealed4(frame, layout),
        ([0x08, 0x06], true) => Some(false),
        _ => None,
    }
}

fn is_sealed6(frame: &[u8], layout: Layout) -> Option<bool> {
    let (ports, ends) = (frame.get(54..58)?, [frame.get(22..38)?, frame.get(38..54)?]);
    let with_gateway = ends.iter().any(|end| is_gateway(end, layout));
    match frame.get(20)? {
        // What is before the first fragment's own header cannot be read here; the lab's tunnel makes none.
        17 if with_gateway && is_ike(ports) => Some(true),
        // Multicast listener reports have a hop-by-hop header (RFC 3810).
        58 | 0 => Some(false),
        _ => None,
    }
}

fn is_sealed4(frame: &[u8], layout: Layout) -> Option<bool> {
    // Without options, and no fragment but the first.
    let plain =
        *frame.get(14)? == 0x45 && u16::from_be_bytes([*frame.get(20)?, *frame.get(21)?]) & 0x1fff == 0;
    let (ports, ends) = (frame.get(34..38)?, [frame.get(26..30)?, frame.get(30..34)?]);
    let with_gateway = ends.iter().any(|end| is_gateway(end, layout));
    match (*frame.get(23)?, ports) {
        (17, ports) if plain && with_gateway && is_ike(ports) => Some(true),
        (17, [0, 67, 0, 68] | [0, 68, 0, 67]) if plain => Some(false),
        // An error of ICMP quotes what it is about, behind eight octets of its own.
        (1, [3 | 11, ..]) if plain => is_sealed4(frame.get(28..)?, layout).map(|_| false),
        _ => None,
    }
}

fn is_gateway(end: &[u8], layout: Layout) -> bool {
    match layout.gateway().parse() {
        Ok(IpAddr::V4(gateway)) => *end == gateway.octets(),
        Ok(IpAddr::V6(gateway)) => *end == gateway.octets(),
        Err(_) => false,
    }
}

fn is_ike(ports: &[u8]) -> bool {
    ports.chunks_exact(2).any(|port| [500, 4500].contains(&u16::from_be_bytes([port[0], port[1]])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Line, Wiring};

    fn of(wiring: Wiring) -> Layout {
        Layout::of(Line::Ipsec, wiring).unwrap()
    }

    fn frame(next: u8, from: u16, to: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, next, 64]);
        frame.extend([1; 16]);
        frame.extend(of(Wiring::New).gateway().parse::<std::net::Ipv6Addr>().unwrap().octets());
        frame.extend(from.to_be_bytes());
        frame.extend(to.to_be_bytes());
        frame.extend([0; 4]);
        frame
    }

    fn frame4(protocol: u8, from: u16, to: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, protocol, 0, 0, 203, 0, 113, 226]);
        frame.extend(of(Wiring::Behind).gateway().parse::<std::net::Ipv4Addr>().unwrap().octets());
        frame.extend(from.to_be_bytes());
        frame.extend(to.to_be_bytes());
        frame.extend([0; 4]);
        frame
    }

    #[test]
    fn only_ike_with_the_gateway_and_what_the_link_needs_is_not_in_the_clear() {
        let is_sealed = |frame: &[u8]| super::is_sealed(frame, of(Wiring::New));
        assert_eq!(is_sealed(&frame(17, 41_000, 4500)), Some(true));
        assert_eq!(is_sealed(&frame(58, 0, 0)), Some(false));
        assert_eq!(is_sealed(&frame(17, 41_000, 123)), None);
        assert_eq!(is_sealed(&frame(6, 41_000, 443)), None);
        assert_eq!(is_sealed(&frame4(17, 41_000, 4500)), None, "IPv4 has no business on a line of IPv6");
        let mut heard = Heard::default();
        heard.take(&[frame(17, 41_000, 4500), CANARY.to_vec()].concat(), of(Wiring::New));
        assert_eq!((heard.sealed, heard.clear.len()), (0, 1), "sealed in name only");
    }

    #[test]
    fn behind_a_home_gateway_it_is_ike_arp_and_dhcp_and_nothing_of_ipv6() {
        let is_sealed = |frame: &[u8]| super::is_sealed(frame, of(Wiring::Behind));
        assert_eq!(is_sealed(&frame4(17, 41_000, 4500)), Some(true));
        assert_eq!(is_sealed(&frame4(17, 68, 67)), Some(false));
        assert_eq!(is_sealed(&frame4(17, 41_000, 53)), None);
        assert_eq!(is_sealed(&frame4(6, 41_000, 4500)), None);
        assert_eq!(is_sealed(&frame4(1, 0, 0)), None);
        let about = |quoted: &[u8]| [&frame4(1, 0x0303, 0), &quoted[14..]].concat();
        assert_eq!(is_sealed(&about(&frame4(17, 41_000, 4500))), Some(false));
        assert_eq!(is_sealed(&about(&frame4(6, 41_000, 443))), None, "it was in the clear");
        assert_eq!(is_sealed(&frame(58, 0, 0)), None);
        let mut arp = frame4(0, 0, 0);
        arp[13] = 6;
        assert_eq!(is_sealed(&arp), Some(false));
        let mut elsewhere = frame4(17, 41_000, 4500);
        elsewhere[33] = 1;
        assert_eq!(is_sealed(&elsewhere), None);
        let mut fragment = frame4(17, 41_000, 4500);
        fragment[21] = 9;
        assert_eq!(is_sealed(&fragment), None);
    }
}
