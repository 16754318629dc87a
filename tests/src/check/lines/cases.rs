//! The cases of a pair.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use model::{Observation, Rung, Symptom, Usability};

use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use super::addresses;
use crate::layout::{Layout, Line, Wiring};

/// A listed port of the centre, and one beside it.
const LISTED: &str = "[2001:db8:0:cc::10]:443";
const NOT_LISTED: &str = "[2001:db8:0:cc::10]:444";
/// How long a refused connection is tried: a listed one is there in milliseconds, or after one lost packet in a second.
pub(super) const REFUSED: Duration = Duration::from_millis(1_500);
/// What a first packet may take.
const FIRST: Duration = Duration::from_secs(1);
/// New addresses of the terminal, one after the other.
const NEW: u16 = 60;

/// The cases of a line and a wiring that are told from outside alone, whatever the box is.
pub fn from_outside(layout: Layout) -> Vec<Case> {
    vec![
        Case::new("the_terminal_has_what_the_line_gives", "nothing", move |lab| has(lab, layout, false)),
        Case::new("the_terminal_reaches_a_listed_port_and_no_other", "connections of the terminal", reaches),
        Case::new(
            "a_name_is_reached_once_the_resolver_has_answered_it",
            "the terminal asks for a name",
            named,
        ),
        Case::new("nothing_opens_a_connection_to_the_terminal", "connections from the line", closed),
    ]
}

/// The cases of a line and a wiring.
pub fn of(layout: Layout) -> Vec<Case> {
    if layout.has_internet() {
        return super::internet::of();
    }
    if layout.line == Line::Ipsec {
        return super::ipsec::of(layout);
    }
    let mut all = vec![Case::new("every_rung_is_green", "nothing", every_rung)];
    all.extend(from_outside(layout));
    all.push(Case::new("the_box_says_nothing_of_routes_on_the_line", "the line is listened to", silent));
    if layout.line == Line::Ra {
        all.push(Case::new(
            "sixty_new_addresses_of_the_terminal_are_found_from_the_line",
            "60 addresses, one after the other",
            move |lab| found(lab, layout),
        ));
        all.push(Case::new("a_restart_forgets_no_terminal", "the daemon is killed and started", restarted));
        all.push(Case::new(
            "after_a_reboot_of_the_box_the_terminal_is_found_again",
            "the box forgets everything",
            move |lab| rebooted(lab, layout),
        ));
    }
    all.push(Case::new("a_renumbering_is_followed", "WAN-05 on and off", move |lab| renumbered(lab, layout)));
    if layout.wiring == Wiring::New {
        all.push(Case::new(
            "a_strangers_advertisement_is_named_and_not_followed",
            "WAN-06 on and off",
            stranger,
        ));
    }
    all.push(Case::new("in_the_end_every_rung_is_green", "nothing", every_rung));
    all
}

pub(super) fn every_rung(lab: &mut Lab) -> Outcome {
    let mut last = String::new();
    let all = lab.until("every rung is good", PATIENCE, || {
        let part = lab.check()?;
        // A machine of the lab has no sensors, and a renumbering that was followed is told, and harms nothing.
        let told = |seen: &Observation| seen.outcome == model::Outcome::Bad(Symptom::Renumbered);
        let wanted = |seen: &&Observation| seen.rung != Rung::Hardware && !told(seen);
        let bad = part.ladder.iter().filter(wanted).find(|seen| !seen.outcome.is_good());
        last = bad.map(|seen| format!("{seen:?}")).unwrap_or_default();
        Ok((bad.is_none() && part.verdict.usability == Usability::Usable).then_some(()))
    });
    all.map_err(|wrong| Wrong(format!("{wrong}; {last}")))
}

/// The terminal's good addresses are all of the prefix that the line gives now, and there is one.
fn has(lab: &Lab, layout: Layout, renumbered: bool) -> Outcome {
    let given = layout.gives(renumbered);
    let mut last = Vec::new();
    let so = lab.until("the terminal has an address of the line's prefix, and of no other", PATIENCE, || {
        last = addresses::of(lab, "terminal", "e0")?;
        let mut good = last.iter().filter(|one| one.good).peekable();
        let any = good.peek().is_some();
        Ok((any && good.all(|one| one.address.to_string().starts_with(given))).then_some(()))
    });
    so.map_err(|wrong| Wrong(format!("{wrong}; it has {last:?}")))
}

pub(super) fn connects(lab: &Lab, host: &str, to: &str, patience: Duration) -> Result<bool, Wrong> {
    let to: SocketAddr = to.parse().map_err(|_| Wrong(format!("{to} is no address")))?;
    Ok(lab.clinic().inside(host, || TcpStream::connect_timeout(&to, patience).is_ok())?)
}

fn reaches(lab: &mut Lab) -> Outcome {
    lab.until("the terminal reaches the centre", PATIENCE, || {
        Ok(connects(lab, "terminal", LISTED, REFUSED)?.then_some(()))
    })?;
    for to in [NOT_LISTED, "[2001:db8:0:cc::1]:443", "198.51.100.1:443", "198.51.100.10:445"] {
        must(!connects(lab, "terminal", to, REFUSED)?, || format!("the terminal reaches {to}"))?;
    }
    Ok(())
}

/// The terminal has what the line gives after a renumbering, or after its end, and reaches the centre by it.
///
/// # Errors
/// It has something else, or does not reach it.
pub fn is_renumbered(lab: &mut Lab, layout: Layout, on: bool) -> Outcome {
    let word = if on { "the other" } else { "its own" };
    has(lab, layout, on).and_then(|()| reaches(lab)).map_err(|wrong| Wrong(format!("{word} prefix: {wrong}")))
}

/// A destination that the profile knows by name only. Nobody listens there: who is let through is refused by the host.
const BY_NAME: &str = "app.vendor.test.";
const LIES_AT: &str = "[2001:db8:0:cd::70]";

fn named(lab: &mut Lab) -> Outcome {
    let fate = |port: u16| {
        let to: SocketAddr = format!("{LIES_AT}:{port}").parse().map_err(|_| Wrong::new("no address"))?;
        let tried = lab
            .clinic()
            .inside("terminal", || TcpStream::connect_timeout(&to, REFUSED).map_err(|error| error.kind()));
        Ok::<bool, Wrong>(tried?.err() == Some(ErrorKind::ConnectionRefused))
    };
    must(!fate(443)?, || "the terminal reaches a destination by name before it has asked for it".into())?;
    let said = lab.clinic().inside("terminal", || ask_for(BY_NAME))??;
    must(said, || format!("the box's resolver does not know {BY_NAME}"))?;
    lab.until("the terminal reaches it", PATIENCE, || Ok(fate(443)?.then_some(())))?;
    must(!fate(444)?, || "the terminal reaches another port there".into())
}

/// Asks the box's resolver for a name's addresses, and whether there are any.
fn ask_for(name: &str) -> std::io::Result<bool> {
    let failed = |error: hickory_proto::ProtoError| std::io::Error::other(error);
    let mut query = Message::query();
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(Name::from_ascii(name).map_err(failed)?, RecordType::AAAA));
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(&query.to_vec().map_err(failed)?, "192.0.2.1:53")?;
    let mut bytes = [0; 1500];
    let length = socket.recv(&mut bytes)?;
    Ok(!Message::from_vec(&bytes[..length]).map_err(std::io::Error::other)?.answers.is_empty())
}

fn own(lab: &Lab) -> Result<Ipv6Addr, Wrong> {
    let found = addresses::of(lab, "terminal", "e0")?.into_iter().find(|one| one.good);
    found.map(|one| one.address).ok_or_else(|| Wrong::new("the terminal has no address"))
}

fn closed(lab: &mut Lab) -> Outcome {
    let own = own(lab)?;
    for port in [445, 80] {
        let to = format!("[{own}]:{port}");
        must(!connects(lab, "ngn", &to, REFUSED)?, || format!("the line reaches {to}"))?;
    }
    Ok(())
}

/// The box never advertises on the line, nor answers DHCPv6 there: nothing on it has a port for that, and its rules refuse it.
fn silent(lab: &mut Lab) -> Outcome {
    let counts = lab.exec("box", &["cat", "/proc/net/dev_snmp6/wan0"])?;
    let of = |name: &str| counts.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    must(of("Icmp6OutRouterAdvertisements") == Some(0), || "the box advertises itself on the line".into())?;
    let bridges = lab.exec("box", &["ip", "-brief", "link", "show", "type", "bridge"])?;
    must(bridges.trim().is_empty(), || format!("the box has a bridge: {bridges}"))
}

/// Sixty addresses, each asked for from the line as soon as it is there.
fn found(lab: &mut Lab, layout: Layout) -> Outcome {
    let prefix = layout.gives(false);
    let mut late = Vec::new();
    for nth in 1..=NEW {
        let address: Ipv6Addr =
            format!("{prefix}:5ec1:{nth:x}").parse().map_err(|_| Wrong::new("no address"))?;
        let text = format!("{address}/64");
        lab.exec("terminal", &["ip", "address", "add", &text, "dev", "e0", "nodad", "noprefixroute"])?;
        let asked = Instant::now();
        ask(lab, address)?;
        // The neighbour's answer is what lets the line's first packet go on its way.
        while !is_known(lab, address)? && asked.elapsed() < FIRST {
            std::thread::yield_now();
        }
        if asked.elapsed() >= FIRST {
            late.push(nth);
        }
        lab.exec("terminal", &["ip", "address", "delete", &text, "dev", "e0"])?;
    }
    must(late.is_empty(), || {
        format!("{} of {NEW} found within a second; not {late:?}", usize::from(NEW) - late.len())
    })
}

/// The line's router has something for this address.
fn ask(lab: &Lab, address: Ipv6Addr) -> Outcome {
    lab.clinic().inside("ngn", || {
        UdpSocket::bind("[::]:0").and_then(|socket| socket.send_to(b"?", (address, 9)).map(drop))
    })??;
    Ok(())
}

fn is_known(lab: &Lab, address: Ipv6Addr) -> Result<bool, Wrong> {
    let said = lab.exec("ngn", &["ip", "-6", "neighbour", "show", &address.to_string(), "dev", "w0"])?;
    Ok(["REACHABLE", "STALE", "DELAY", "PROBE"].iter().any(|state| said.contains(state)))
}

/// Its flows go on: neither the rules nor the routes are without it for a moment.
fn restarted(lab: &mut Lab) -> Outcome {
    let own = own(lab)?;
    ask(lab, own)?;
    let own = own.to_string();
    lab.until("the terminal is known", PATIENCE, || {
        Ok(addresses::in_the_set(lab)?.contains(&own).then_some(()))
    })?;
    lab.clinic().kill_daemon()?;
    lab.clinic().start_daemon(&[])?;
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        let (set, routes) =
            (addresses::in_the_set(lab)?, lab.exec("box", &["ip", "-6", "route", "show", "proto", "97"])?);
        must(set.contains(&own) && routes.contains(&own), || {
            format!("{own} is in neither {set} nor {routes}")
        })?;
    }
    Ok(())
}

/// All that the box has learned is gone, as after a reboot; the terminal has been up all the time and says nothing by itself.
fn rebooted(lab: &mut Lab, _: Layout) -> Outcome {
    let own = own(lab)?;
    lab.clinic().kill_daemon()?;
    for argv in [
        &["nft", "flush", "ruleset"][..],
        &["ip", "-6", "route", "flush", "proto", "97"],
        &["ip", "-6", "neighbour", "flush", "dev", "term0"],
    ] {
        lab.exec("box", argv)?;
    }
    lab.clinic().start_daemon(&[])?;
    lab.exec("ngn", &["ip", "-6", "neighbour", "flush", "dev", "w0"])?;
    let asked = Instant::now();
    ask(lab, own)?;
    while !is_known(lab, own)? && asked.elapsed() < FIRST {
        std::thread::yield_now();
    }
    must(asked.elapsed() < FIRST, || format!("{own} was not found within a second"))?;
    must(connects(lab, "terminal", LISTED, REFUSED)?, || "the terminal does not reach the centre".into())
}

fn renumbered(lab: &mut Lab, layout: Layout) -> Outcome {
    for on in [true, false] {
        lab.fault("WAN-05", on)?;
        is_renumbered(lab, layout, on)?;
        let (given, gone) = (layout.gives(on), layout.gives(!on));
        let set = addresses::in_the_set(lab)?;
        must(set.contains(given) && !set.contains(gone), || format!("the firewall's set is {set}"))?;
        every_rung(lab)?;
    }
    Ok(())
}

fn stranger(lab: &mut Lab) -> Outcome {
    lab.fault("WAN-06", true)?;
    let named = lab.until("WAN-06 is named", PATIENCE, || {
        let verdict = lab.check()?.verdict;
        // It does no harm where the line's own router answers all the same: then it is recorded, and nobody is accused.
        let mut said = verdict.recorded.iter().chain(verdict.foremost.iter());
        Ok(said.any(|fault| fault.code.key() == "WAN-06").then_some(()))
    });
    let followed = addresses::of(lab, "terminal", "e0")?;
    let reached = reaches(lab);
    lab.fault("WAN-06", false)?;
    named?;
    let strange = followed.iter().find(|one| one.address.segments()[3] == 0x666);
    must(strange.is_none(), || format!("the terminal follows the stranger: {strange:?}"))?;
    reached
}
