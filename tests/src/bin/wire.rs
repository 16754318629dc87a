//! `wire`: carries frames between two ports that it makes, and does to them what it is told. Prints `ready` when both
//! ports are there. SIGUSR1 takes the cable out, and puts it in again.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clinic::wire::{Habits, Wire};

/// A wire with habits between two new TAPs of this network.
#[derive(Parser)]
struct Call {
    /// One port.
    one: String,
    /// The other.
    other: String,
    #[command(flatten)]
    habits: Habits,
    /// Decides what is lost.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let wire = Wire::open([&call.one, &call.other], call.habits, call.seed);
    let carried = match wire {
        Ok(wire) => {
            // Nobody reading our stdout is no reason to leave.
            let _ = writeln!(std::io::stdout(), "ready");
            wire.carry()
        }
        Err(error) => Err(error),
    };
    match carried {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "wire: failed to carry frames: {error}");
            ExitCode::from(69)
        }
    }
}
