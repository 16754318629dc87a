//! The home gateway of an internet line in IPv4: NAT, and addresses by DHCP for its own network. How it reaches the internet
//! itself is its own matter.

use nix::sys::signal::Signal;

use crate::error::{Error, at};
use crate::fault::World;
use crate::ground::{Daemons, Ground};
use crate::layout::{HOME, INTERNET_RESOLVER};
use crate::networkd;
use crate::plan::{Host, fill};

/// Who lends addresses there.
const LENDS: &str = "home-networkd";

/// Starts what this line has of it.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    if !ground.layout.is_lent() {
        return Ok(Daemons::new());
    }
    ground.door(Host::Home).run(&["nft", "-f", "-"], include_str!("../../lab/home.nft"))?;
    lend(ground, world)
}

/// Its own network has other addresses from now on. It starts anew, and everybody's plug is out for a moment.
pub fn renumber(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    super::stop(daemons, LENDS, Signal::SIGKILL);
    ground.door(Host::Home).run(&["ip", "-4", "address", "flush", "dev", "w0"], "")?;
    daemons.extend(lend(ground, to)?);
    Ok(())
}

fn lend(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    let path = networkd::folder(ground, Host::Home)?.join("20-w0.network");
    let own = HOME[usize::from(world.renumbered)];
    let config =
        fill(include_str!("../../lab/home.network"), &[("own", own), ("resolver", INTERNET_RESOLVER)]);
    std::fs::write(&path, config).map_err(at(&path))?;
    Ok(Daemons::from([(LENDS.into(), networkd::serve(ground, Host::Home, LENDS)?)]))
}
