//! `bench firewall`: what the proof, the change of a ruleset and the way through it cost, beside bare nft, firewalld and ufw.

mod own;
mod paper;
mod reload;
mod road;
mod room;

use std::io::Write;

use super::super::Wrong;

/// Measures and prints; says whether every limit was kept.
///
/// # Errors
/// A ruleset is not taken; a peer is not installed or does not work.
pub fn measure(out: &mut dyn Write) -> Result<bool, Wrong> {
    let mut kept = paper::measure(out)?;
    kept &= reload::measure(out)?;
    kept &= road::measure(out)?;
    Ok(kept)
}
