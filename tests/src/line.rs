//! The line: the closed network's router and resolvers, and the centre behind it.

pub mod cloud;
pub mod delegation;
pub mod gateway;
mod home;
pub mod internet;
pub mod maintainer;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready, Starting};
use crate::error::Error;
use crate::fault::{Centre, Certificate, Names, World};
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{LINE, Layout, Line, PREFIXES};
use crate::plan::{Host, TheBox};
use crate::process::{self, Process};
use crate::tools::in_a_host;
use crate::watch;

/// The router's name among the daemons.
pub const ROUTER: &str = "radvd";
/// The centre's.
pub const CENTRE: &str = "faux-centre";

/// An advertisement's lifetime (9 s), the second until the kernel drops the route, and slack.
const PATIENCE: Duration = Duration::from_secs(20);
/// Who asks by DHCP before anybody lends asks again after 4, 8, 16 and 32 s (RFC 2131 section 4.1).
const LENDING: Duration = Duration::from_secs(70);

const RESOLVERS: [(&str, &str); 2] = [("unbound-1", "1"), ("unbound-2", "2")];

/// Starts everything on the line but the centre, and waits until the box feels it.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    let mut starting = Vec::new();
    for ((name, number), address) in RESOLVERS.into_iter().zip(ground.layout.resolver_addresses()) {
        starting.push((name, resolver(ground, name, number, address)?));
    }
    let time = time(ground)?;
    let mut daemons = delegation::start(ground, world)?;
    if world.router && ground.layout.advertises() {
        daemons.insert(ROUTER.into(), router(ground, world)?);
    }
    daemons.extend(home::start(ground, world)?);
    for (name, daemon) in starting {
        daemons.insert(name.into(), daemon.wait()?);
    }
    daemons.extend(gateway::start(ground, world.gateway)?);
    daemons.extend(internet::start(ground)?);
    daemons.extend(cloud::start(ground, world)?);
    rename(ground, Names::Own, world.names)?;
    // The process that started is not the daemon it left, which no fault ever stops: nothing to remember.
    time.wait()?;
    settle(ground, world)?;
    Ok(daemons)
}

/// Starts the router's advertisements. The first goes out at once.
pub fn router(ground: &Ground, world: &World) -> Result<Process, Error> {
    let template = match (ground.layout.line, world.other_kind) {
        (Line::Pd, false) | (Line::Ra, true) => include_str!("../lab/pd-radvd.conf"),
        (Line::Pd, true) | (Line::Ra, false) | (Line::Ipsec, _) => include_str!("../lab/radvd.conf"),
    };
    let [own, other] = PREFIXES;
    let (prefix, gone) = if world.renumbered { (other, own) } else { (own, other) };
    let router = ground.layout.router();
    let config = ground.write(router, "radvd.conf", template, &[("prefix", prefix), ("gone", gone)])?;
    advertise(ground, router, ROUTER, &config)
}

/// The line gives another prefix from now on, or its own again. Comes back when the box has an address of it.
pub fn renumber(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    match ground.layout.line {
        Line::Pd => delegation::renumber(ground, daemons, to)?,
        Line::Ipsec if ground.layout.is_lent() => home::renumber(ground, daemons, to)?,
        Line::Ra | Line::Ipsec if to.router => {
            stop_router(daemons, Signal::SIGKILL);
            daemons.insert(ROUTER.into(), router(ground, to)?);
        }
        Line::Ra | Line::Ipsec => {}
    }
    let asks = match ground.layout.line {
        Line::Pd => ground.the_box.runs_sekisho(),
        Line::Ipsec if ground.layout.is_lent() => ground.the_box.runs_sekisho(),
        Line::Ra | Line::Ipsec => ground.the_box != TheBox::None,
    };
    if !asks || !to.router_is_heard() {
        return Ok(());
    }
    let given = ground.layout.gives(to.renumbered);
    if ground.layout.is_lent() {
        return watch::until(
            ground.door(Host::Box),
            "wan0 be lent an address of the other network",
            LENDING,
            || watch::addresses4("wan0").iter().any(|address| address.to_string().starts_with(given)),
        );
    }
    watch::until(ground.door(Host::Box), "wan0 have an address of the other prefix", PATIENCE, || {
        watch::global_addresses("wan0").iter().any(|(address, ..)| address.to_string().starts_with(given))
    })
}

/// The line gives prefixes in another way from now on, or as ever again. Its kind changes with the contract, and with it what
/// stands at the wall: the cable is out for a moment.
pub fn give_otherwise(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    let out = World { line_plugged: false, ..to.clone() };
    crate::change::plug(ground, ground.layout.near(), LINE, false)?;
    settle(ground, &out)?;
    delegation::stop(daemons);
    stop_router(daemons, Signal::SIGKILL);
    if to.line_plugged {
        crate::change::plug(ground, ground.layout.near(), LINE, true)?;
    }
    daemons.extend(delegation::start(ground, to)?);
    if to.router {
        daemons.insert(ROUTER.into(), router(ground, to)?);
    }
    settle(ground, to)
}

/// Starts a host's advertisements.
pub fn advertise(ground: &Ground, host: Host, name: &'static str, config: &str) -> Result<Process, Error> {
    let pid = text(&ground.place.run(host).join("radvd.pid"));
    let list = args(["-n", "-C", config, "-m", "stderr", "-p", &pid, "-u", "root"]);
    let program = in_a_host(&ground.tools.radvd);
    let daemon = Daemon { name, program, args: list, ready: Ready::AtOnce, environment: Vec::new() };
    daemon.start(&ground.place, ground.door(host))?.wait()
}

fn resolver(ground: &Ground, name: &'static str, number: &str, address: &str) -> Result<Starting, Error> {
    let host = ground.layout.resolvers();
    let run = text(&ground.place.run(host));
    let values = [("run", run.as_str()), ("number", number), ("address", address)];
    let template = match ground.layout.line {
        Line::Ipsec => include_str!("../lab/ipsec-unbound.conf"),
        Line::Ra | Line::Pd => include_str!("../lab/unbound.conf"),
    };
    let config = ground.write(host, &format!("{name}.conf"), template, &values)?;
    let program = in_a_host(&ground.tools.unbound);
    let daemon = Daemon {
        name,
        program,
        args: args(["-d", "-p", "-c", &config]),
        ready: Ready::Notified,
        environment: Vec::new(),
    };
    daemon.start(&ground.place, ground.door(host))
}

/// The address of a name, for resolvers that know so much.
fn known(layout: Layout, names: Names, name: &str) -> Option<String> {
    let own = NAMES.iter().find(|(own, _)| *own == name).map(|(_, host)| host);
    match names {
        Names::Own => own,
        Names::OtherArea | Names::OtherAreaOnly if name == EAST => None,
        Names::OtherArea | Names::OtherAreaOnly if name == WEST => Some(&DISTRIBUTION),
        Names::NoCentre | Names::OtherAreaOnly if name == CENTRES => None,
        Names::Stranger => return own.map(|host| format!("fd00:0:0:bad::{host}")),
        _ => own,
    }
    .map(|host| layout.of_the_centre(host))
}

const CENTRES: &str = "hweb.onshikaku.test";
const EAST: &str = "assv.east.test";
const WEST: &str = "assv.west.test";
const DISTRIBUTION: &str = "30";
/// What unbound.conf has, and the host in the centre's network.
const NAMES: [(&str, &str); 6] = [
    (CENTRES, "10"),
    ("www.lineauth.test", "20"),
    (EAST, DISTRIBUTION),
    ("ntp.base.test", "40"),
    ("crl.pki.test", "50"),
    ("proxy.base.test", "60"),
];

/// Tells both resolvers what they know from now on.
pub fn rename(ground: &Ground, from: Names, to: Names) -> Result<(), Error> {
    for name in NAMES.map(|(name, _)| name).into_iter().chain([WEST]) {
        let (before, after) = (known(ground.layout, from, name), known(ground.layout, to, name));
        if before == after {
            continue;
        }
        for (resolver, ..) in RESOLVERS {
            let host = ground.layout.resolvers();
            let config = text(&ground.place.run(host).join(format!("{resolver}.conf")));
            let tell = |order: &[&str]| {
                let argv = [&["unbound-control", "-q", "-c", &config], order].concat();
                ground.door(host).run(&argv, "").map(drop)
            };
            tell(&["local_data_remove", name])?;
            if let Some(address) = &after {
                tell(&["local_data", &format!("{name}. 60 IN AAAA {address}")])?;
            }
        }
    }
    Ok(())
}

fn time(ground: &Ground) -> Result<Starting, Error> {
    let run = text(&ground.place.run(Host::Centre));
    let template = include_str!("../lab/chrony.conf");
    let config = ground.write(
        Host::Centre,
        "chrony.conf",
        template,
        &[("run", &run), ("address", &ground.layout.of_the_centre("40"))],
    )?;
    let log = text(&ground.place.log("chronyd-daemon"));
    let daemon = Daemon {
        name: "chronyd",
        program: in_a_host(&ground.tools.chronyd),
        // -x: it serves the host's clock and never touches it.
        args: args(["-x", "-u", "root", "-l", &log, "-f", &config]),
        ready: Ready::Forked,
        environment: Vec::new(),
    };
    daemon.start(&ground.place, ground.door(Host::Centre))
}

/// Starts the centre and waits until it listens; its authority then lies beside the profile.
pub fn centre(ground: &Ground, how: Centre) -> Result<Process, Error> {
    let pki = ground.place.at("pki");
    let at = |host: &str, port: u16| match ground.layout.of_the_centre(host) {
        address if address.contains(':') => format!("[{address}]:{port}"),
        address => format!("{address}:{port}"),
    };
    let mut list = args(["--pki", &text(&pki), "--name", "hweb.onshikaku.test"]);
    for (what, host, port) in [
        ("--service", "10", 443),
        ("--line-auth", "20", 443),
        ("--distribution", "30", 80),
        ("--certificates", "50", 80),
        ("--proxy", "60", 8080),
    ] {
        list.extend(args([what, &at(host, port)]));
    }
    if let Some(refusal) = how.refusal {
        list.extend(args(["--refusal", refusal]));
    }
    let shown: &[&str] = match how.shows {
        Certificate::Own => &[],
        Certificate::Expired => &["--expired"],
        Certificate::OtherName => &["--stranger", "name"],
        Certificate::OtherIssuer => &["--stranger", "issuer"],
    };
    list.extend(args(shown));
    let program = ground.tools.centre.clone();
    let daemon = Daemon { name: CENTRE, program, args: list, ready: Ready::Said, environment: Vec::new() };
    let process = daemon.start(&ground.place, ground.door(Host::Centre))?.wait()?;
    let (from, to) = (pki.join("ca.pem"), ground.place.at("ca.pem"));
    std::fs::copy(&from, &to).map_err(crate::error::at(&from))?;
    Ok(process)
}

/// Stops the router's advertisements: politely it says goodbye, killed it falls silent.
pub fn stop_router(daemons: &mut Daemons, signal: Signal) {
    stop(daemons, ROUTER, signal);
}

/// Stops a daemon that may be running.
pub fn stop(daemons: &mut Daemons, name: &str, signal: Signal) {
    if let Some(process) = daemons.remove(name) {
        process::stop(process, signal, Instant::now() + PATIENCE);
    }
}

/// Waits until the box's port feels what the line is like.
pub fn settle(ground: &Ground, world: &World) -> Result<(), Error> {
    let door = ground.door(Host::Box);
    if world.line_plugged && world.wire.is_none() {
        // The bridge hears of a carrier up to a second after the box, and loses what comes before.
        let takes = || watch::forwards(LINE);
        watch::until(ground.door(ground.layout.near()), "the router's end take frames", PATIENCE, takes)?;
    }
    if ground.the_box == TheBox::None {
        // A board's own kernel is not ours to ask: what can be seen is whether its cable is in.
        let (port, plugged) = (ground.the_box.end_of("wan0"), world.line_plugged);
        return watch::until(door, "the line's cable", PATIENCE, || watch::has_carrier(&port) == plugged);
    }
    if !world.line_plugged {
        return watch::until(door, "wan0 lose its carrier", PATIENCE, || !watch::has_carrier("wan0"));
    }
    let asks = ground.layout.line == Line::Pd || ground.layout.is_lent();
    if asks && !ground.the_box.runs_sekisho() {
        // Who would ask is configured by sekisho.
        return Ok(());
    }
    if ground.layout.is_lent() {
        return settle_lent(ground, world);
    }
    if world.router_is_heard() {
        let ever = world.gives_as_ever();
        return watch::until(door, "an address and a router on wan0", PATIENCE, || {
            let address = !ever || watch::has_global_address("wan0");
            watch::has_carrier("wan0") && address && watch::has_router("wan0")
        });
    }
    watch::until(door, "wan0 lose its router", PATIENCE, || {
        watch::has_carrier("wan0") && !watch::has_router("wan0")
    })
}

fn settle_lent(ground: &Ground, world: &World) -> Result<(), Error> {
    let (door, lends) = (ground.door(Host::Box), world.router_is_heard());
    let what = if lends { "an address and a way on wan0" } else { "wan0 lose its address" };
    watch::until(door, what, LENDING, || {
        let all = !watch::addresses4("wan0").is_empty() && watch::has_router4("wan0");
        watch::has_carrier("wan0") && all == lends
    })
}
