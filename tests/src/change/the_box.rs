//! What happens on the box itself: its clock, its ruleset, and a role that does not stay alive.

use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, doing};
use crate::fault::World;
use crate::ground::{Daemons, Ground, args};
use crate::plan::{Host, TheBox};
use crate::{line, process, roles, the_box};

/// The name among the daemons of what kills a role.
const KILLER: &str = "killer";

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    if from.clock != to.clock {
        restart(ground, daemons, None)?;
    }
    if from.tampered != to.tampered {
        tamper(ground, daemons, to.tampered)?;
    }
    if from.crashing.is_some() && from.crashing != to.crashing {
        revive(ground, daemons, from.crashing)?;
    }
    match to.crashing {
        Some(role) if from.crashing != to.crashing => crash(ground, daemons, role),
        _ => Ok(()),
    }
}

/// As systemd would, with the clock it has now.
fn restart(ground: &Ground, daemons: &mut Daemons, role: Option<&str>) -> Result<(), Error> {
    let sekisho = ours(ground)?;
    for name in the_box::runs(ground.the_box, role)? {
        line::stop(daemons, name, Signal::SIGKILL);
    }
    daemons.extend(the_box::sekisho_itself(ground, sekisho, role)?);
    Ok(())
}

fn ours(ground: &Ground) -> Result<&std::path::Path, Error> {
    let nobody = || Error::Usage("make a fault of the box itself: nothing of ours runs on it".into());
    ground.sekisho.as_deref().ok_or_else(nobody)
}

/// A rule that lets everything through, first in the chain of what is forwarded. It is taken out by a restart, which is
/// what the box asks for: that it was there is said until then.
fn tamper(ground: &Ground, daemons: &mut Daemons, on: bool) -> Result<(), Error> {
    ours(ground)?;
    if on {
        let rule = ["nft", "insert", "rule", "inet", "sekisho", "forward", "accept"];
        return ground.door(Host::Box).run(&rule, "").map(drop);
    }
    restart(ground, daemons, (ground.the_box == TheBox::Split).then_some("netd"))
}

/// Hands the role over to what kills it: [`roles::ROLES`] are processes of their own in a split box only.
fn crash(ground: &Ground, daemons: &mut Daemons, role: &'static str) -> Result<(), Error> {
    if ground.the_box != TheBox::Split {
        return Err(Error::Usage("make one role crash: `clinic up --split` makes each a process".into()));
    }
    line::stop(daemons, role, Signal::SIGKILL);
    let daemon = Daemon {
        name: KILLER,
        program: std::env::current_exe().map_err(doing("find this program"))?,
        args: args(["crash", &ground.place.name, role]),
        ready: Ready::Said,
        environment: Vec::new(),
    };
    daemons.insert(KILLER.into(), daemon.start(&ground.place, ground.door(Host::Box))?.wait()?);
    Ok(())
}

fn revive(ground: &Ground, daemons: &mut Daemons, role: Option<&str>) -> Result<(), Error> {
    line::stop(daemons, KILLER, Signal::SIGKILL);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    process::kill_all(deadline, || roles::running_as(&ground.place, role.as_slice()));
    restart(ground, daemons, role)
}
