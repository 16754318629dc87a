//! The internet line beside the closed network: the provider lends an address and has a resolver, and somebody is there.

use std::time::Duration;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::fault::{Internet, World};
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{INTERNET, INTERNET_RESOLVER, SOMEBODY};
use crate::plan::{Host, fill};
use crate::tools::in_a_host;
use crate::{change, networkd, watch};

/// Who lends addresses there.
const LENDS: &str = "isp-networkd";
/// The provider's resolver.
const RESOLVER: &str = "isp-unbound";

/// Starts what this clinic has of it.
pub fn start(ground: &Ground) -> Result<Daemons, Error> {
    if !ground.layout.has_internet() {
        return Ok(Daemons::new());
    }
    let path = networkd::folder(ground, Host::Isp)?.join("20-i0.network");
    let config = fill(include_str!("../../lab/internet.network"), &[("resolver", INTERNET_RESOLVER)]);
    std::fs::write(&path, config).map_err(at(&path))?;
    let lends = networkd::serve(ground, Host::Isp, LENDS)?;
    let run = text(&ground.place.run(Host::Isp));
    let values = [("run", run.as_str()), ("address", INTERNET_RESOLVER), ("somebody", SOMEBODY)];
    let template = include_str!("../../lab/internet-unbound.conf");
    let config = ground.write(Host::Isp, "internet-unbound.conf", template, &values)?;
    let resolver = Daemon {
        name: RESOLVER,
        program: in_a_host(&ground.tools.unbound),
        args: args(["-d", "-p", "-c", &config]),
        ready: Ready::Notified,
        environment: Vec::new(),
    };
    let resolver = resolver.start(&ground.place, ground.door(Host::Isp))?.wait()?;
    Ok(Daemons::from([(LENDS.into(), lends), (RESOLVER.into(), resolver)]))
}

/// How long the box may take to feel what the line is like: its client of DHCP asks at once when the cable comes in.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes `to` out of `from`; what is lost on it are tables, which stand already.
pub fn change(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    if from.internet == to.internet {
        return Ok(());
    }
    let plugged = |world: &World| world.internet != Internet::Unplugged;
    let anew = [from, to].iter().any(|world| world.internet == Internet::Unlent);
    if plugged(from) && (anew || !plugged(to)) {
        change::plug(ground, Host::Isp, "i0", false)?;
        carrier(ground, false)?;
    }
    if plugged(to) && (anew || !plugged(from)) {
        change::plug(ground, Host::Isp, "i0", true)?;
        carrier(ground, true)?;
    }
    settle(ground, to)
}

fn carrier(ground: &Ground, there: bool) -> Result<(), Error> {
    let port = ground.the_box.end_of(INTERNET);
    let felt = || watch::has_carrier(&port) == there;
    watch::until(ground.door(Host::Box), "isp0's carrier change", PATIENCE, felt)
}

/// Waits until the box has an address and a way out there, or none. Who asks for one is configured by sekisho, and a board's own
/// kernel is not ours to ask.
pub fn settle(ground: &Ground, world: &World) -> Result<(), Error> {
    if !ground.layout.has_internet() || !ground.the_box.runs_sekisho() {
        return Ok(());
    }
    let lent = matches!(world.internet, Internet::Well | Internet::Dead);
    let what = if lent { "an address and a router on isp0" } else { "isp0 lose its router" };
    watch::until(ground.door(Host::Box), what, PATIENCE, || watch::has_router4(INTERNET) == lent)
}
