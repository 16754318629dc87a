//! `bench`: measures what the reception waits on, beside peers and in ratios taken in one run.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use clinic::check::Wrong;
use clinic::check::bench::{check, relay, rest, wall};
use clinic::check::lab::{Lab, Wish};
use clinic::{Layout, Wiring};

/// Measures on a virtual clinic of its own, with the programs beside this one.
///
/// Exit codes: 0 every limit kept; 1 one missed; 64 usage; 69 it could not be measured.
#[derive(Parser)]
struct Call {
    /// What is measured; everything without one
    what: Vec<What>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// What the relay adds, beside lsyncd, syncthing and a loop of inotifywait
    Relay,
    /// A clean full check
    Check,
    /// What the whole box takes at rest
    Rest,
    /// The firewall's proof, changes and way through, beside bare nft, firewalld and ufw
    Firewall,
}

fn main() -> ExitCode {
    let call = match Call::try_parse() {
        Ok(call) => call,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match measure(&call) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(wrong) => {
            let _ = writeln!(std::io::stderr(), "bench: {wrong}");
            ExitCode::from(69)
        }
    }
}

fn measure(call: &Call) -> Result<bool, Wrong> {
    let wanted = |what| call.what.is_empty() || call.what.contains(&what);
    let mut out = std::io::stdout();
    let mut kept = true;
    if wanted(What::Firewall) {
        kept &= wall::measure(&mut out)?;
    }
    if wanted(What::Check) {
        // The peers look from a home gateway, which hangs on the box's wire.
        let shared = Layout { wiring: Wiring::Shared, ..Layout::default() };
        kept &= check::measure(&lab(shared, true)?, &mut out)?;
    }
    if wanted(What::Rest) {
        kept &= rest::measure(&lab(Layout::default(), false)?, &mut out)?;
    }
    if wanted(What::Relay) {
        kept &= relay::measure(&mut lab(Layout::default(), true)?, &mut out)?;
    }
    Ok(kept)
}

fn lab(layout: Layout, split: bool) -> Result<Lab, Wrong> {
    let own = std::env::current_exe()?;
    let beside = own.parent().unwrap_or(Path::new("."));
    Lab::up(Wish {
        name: "bench".into(),
        layout,
        sekisho: beside.join("sekisho"),
        sabotage: None,
        faults: Vec::new(),
        split,
    })
}
