//! The lives of what makes a fault that has no standstill: both go on until they are killed.

use std::io::Write as _;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::error::{Error, doing};
use crate::host;
use crate::plan::Place;
use crate::process;
use crate::record::Record;
use crate::the_box;

/// How long a cable that is pulled is out, and in.
const OUT: Duration = Duration::from_millis(1500);
const IN: Duration = Duration::from_millis(2500);
/// As long as systemd waits before it starts a service again that has died.
const AGAIN: Duration = Duration::from_secs(1);

/// Pulls a cable of this host and puts it in again. The first time is over when it says that it is ready.
pub fn flap(port: &str) -> Result<(), Error> {
    for round in 0_u64.. {
        for (word, time) in [("down", OUT), ("up", IN)] {
            host::run(&["ip", "link", "set", "dev", port, word], "")?;
            std::thread::sleep(time);
        }
        if round == 0 {
            ready()?;
        }
    }
    Ok(())
}

/// Starts a role on the box and kills it as soon as it serves, as if it crashed.
pub fn crash(place: &Place, role: &str) -> Result<(), Error> {
    let record = Record::read(place)?;
    let ground = record.ground(place.clone())?;
    let sekisho = record.sekisho.ok_or_else(|| Error::Usage("find a role: nothing of ours runs".into()))?;
    for round in 0_u64.. {
        // One that does not come up has crashed as well.
        let started = the_box::sekisho_itself(&ground, &sekisho, Some(role)).unwrap_or_default();
        for process in started.into_values() {
            process::stop(process, Signal::SIGKILL, Instant::now() + AGAIN);
        }
        if round == 0 {
            ready()?;
        }
        std::thread::sleep(AGAIN);
    }
    Ok(())
}

fn ready() -> Result<(), Error> {
    writeln!(std::io::stdout(), "ready").map_err(doing("say that it is so"))
}
