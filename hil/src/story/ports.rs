//! What each zone finds open, beside what docs/security.md says.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clinic::check::scan::{open, scan, scoped};
use clinic::check::{Outcome, Wrong, must};
use model::Usability;
use model::part::{LinePart, Snapshot, Stamped};

use super::{For, Story};
use crate::machine::{BOX, ask};
use crate::stage::{Stage, same};

/// More than the kernel remembers by itself on a box with 1 GiB.
const CONNECTIONS: u32 = 10_000;
/// How long one connection may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long until the line is looked at as a whole.
const PATIENCE: Duration = Duration::from_secs(120);
const BOX_TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "each_zone_finds_the_ports_open_that_the_documents_name_and_no_other",
            "An open port that nobody wrote down is a door that nobody watches.",
            &[
                "a box in service",
                "try every TCP port from the clinic, the terminal and the line",
                "compare with the table in docs/security.md",
            ],
            |stage| from_every_zone(stage, &(1..=u16::MAX).collect::<Vec<_>>()),
        ),
        Story::new(
            "the_well_known_ports_are_open_as_the_documents_say",
            "The same as the whole scan, in the time of a coffee.",
            &["a box in service", "try the first 1024 TCP ports from each zone"],
            |stage| from_every_zone(stage, &(1..=1024).collect::<Vec<_>>()),
        )
        .smoke(),
        Story::new(
            "a_pc_that_connects_ten_thousand_times_in_a_row_keeps_nobody_out",
            "A program that asks too often must not cost the clinic its line, its page and its terminal.",
            &[
                "a box in service",
                "open and close ten thousand connections to the page, one after the other",
                "the page still answers, and a whole look at the line finds nothing wrong",
            ],
            crowded,
        ),
        Story::new(
            "nothing_listens_but_what_the_documents_name",
            "What does not listen cannot be reached by a mistake in the rules.",
            &["a box in service", "read its listening sockets", "compare with docs/security.md"],
            listening,
        )
        .only(For::Development),
    ]
}

fn from_every_zone(stage: &mut Stage, ports: &[u16]) -> Outcome {
    stage.service()?;
    let line = line_addresses(stage)?;
    must(line.len() > 1, || format!("of the box's addresses the line has seen {line:?} only"))?;
    let clinic = stage.lab.clinic();
    let route = ["ip", "route", "replace", "198.51.100.0/24", "via", "192.0.2.1"];
    clinic.exec("terminal", &route)?;
    let route = ["ip", "route", "replace", "192.0.2.0/24", "via", "198.51.100.1"];
    clinic.exec("clinic", &route)?;
    let mut tries: Vec<(&str, &str, IpAddr, BTreeSet<u16>)> = vec![
        ("clinic", "clinic", BOX.into(), open("clinic", "tcp")?),
        ("clinic", "clinic", BOX_TERMINAL.into(), BTreeSet::new()),
        ("terminal", "terminal", BOX_TERMINAL.into(), open("terminal", "tcp")?),
        ("terminal", "terminal", BOX.into(), BTreeSet::new()),
    ];
    tries.extend(line.into_iter().map(|address| ("line", "ngn", address, BTreeSet::new())));
    for (zone, from, to, wanted) in tries {
        let wanted: BTreeSet<u16> = wanted.into_iter().filter(|port| ports.contains(port)).collect();
        let seen = scan(clinic, from, scoped(clinic, from, "w0", to)?, ports)?;
        same(&format!("what is open at {to} for the {zone}"), &seen.open, &wanted)?;
        same(&format!("what refuses at {to} for the {zone}"), &seen.refused, &BTreeSet::new())?;
    }
    Ok(())
}

fn crowded(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let before = stage.clean(PATIENCE)?.line.and_then(|line| line.part.swept_at);
    let page = SocketAddr::from((BOX, 80));
    stage.lab.clinic().inside("clinic", || {
        (0..CONNECTIONS).try_for_each(|number| {
            let opened = TcpStream::connect_timeout(&page, ANSWER);
            opened.map(drop).map_err(|error| Wrong(format!("connection {number}: {error}")))
        })
    })??;
    ask(stage.lab.clinic())?;
    let swept = |line: &Stamped<LinePart>| line.part.swept_at > before;
    let swept = |snapshot: &Snapshot| snapshot.line.as_ref().is_some_and(swept);
    let seen = stage.until("the line is looked at again", PATIENCE, swept)?;
    let line = seen.line.map(|line| line.part.verdict);
    must(line.as_ref().is_some_and(|line| line.usability == Usability::Usable), || format!("{line:?}"))
}

/// The box's own addresses on the line, as the line's router knows them, the link-local one among them.
fn line_addresses(stage: &Stage) -> Result<Vec<IpAddr>, Wrong> {
    let known = stage.lab.exec("ngn", &["ip", "-6", "neighbour", "show", "dev", "w0"])?;
    let own = known.lines().filter(|line| line.contains("52:54:00:5e:00:"));
    Ok(own.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect())
}

fn listening(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let text = stage.must("ss --no-header --listening --numeric --tcp --udp")?;
    let mut wanted = BTreeSet::new();
    for (zone, address) in [("clinic", BOX), ("terminal", BOX_TERMINAL)] {
        for kind in ["tcp", "udp"] {
            wanted.extend(
                open(zone, kind)?.into_iter().map(|port| (kind.to_owned(), address.to_string(), port)),
            );
        }
    }
    let (mut more, mut seen) = (Vec::new(), BTreeSet::new());
    for line in text.lines() {
        let [kind, _, _, _, own] = line.split_whitespace().take(5).collect::<Vec<_>>()[..] else { continue };
        let Some((address, port)) = own.rsplit_once(':') else { continue };
        let address = address.split('%').next().unwrap_or(address).trim_matches(['[', ']']);
        let inside = ["127.", "::1"].iter().any(|loopback| address.starts_with(loopback));
        let port = port.parse().unwrap_or(0);
        let door = (kind.to_owned(), address.to_owned(), port);
        if wanted.contains(&door) {
            seen.insert(door);
        } else if !inside {
            more.push(own.to_owned());
        }
    }
    must(more.is_empty(), || format!("also listening: {}", more.join(", ")))?;
    same("what listens", &seen, &wanted)
}
