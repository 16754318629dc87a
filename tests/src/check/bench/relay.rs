//! `bench relay`: what the relay costs between the close of a file and its final name, beside its peers, in one run.

use std::io::Write;

use super::super::Wrong;
use super::super::lab::Lab;
use super::local::Local;
use super::{backlog, idle, many, plot, print, smb};

/// Measures and prints; says whether every limit was kept.
///
/// # Errors
/// A file does not arrive; a peer is not installed or does not work.
pub fn measure(lab: &mut Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.settle()?;
    for order in ["answer=echo", "delay-ms=0"] {
        lab.oqs(order)?;
    }
    let (by_smb, f) = smb::one_by_one(lab)?;
    print(&by_smb, Some(f), out)?;
    let mut kept = by_smb.iter().all(super::Line::is_within);
    kept &= smb::many(lab, out)?;
    let local = Local::begin(lab)?;
    idle::measure(lab, out)?;
    let (lines, f) = local.one_by_one(lab)?;
    print(&lines, Some(f), out)?;
    kept &= lines.iter().all(super::Line::is_within);
    let place = plot::keep(&lines)?;
    writeln!(out, "plot: {}", place.display())?;
    kept &= many::measure(&local, out)?;
    kept &= backlog::measure(lab, &local, out)?;
    Ok(kept)
}
