//! `bench check`: a clean full check, as an operator asks for it.

use std::io::Write;
use std::time::{Duration, Instant};

use super::super::Wrong;
use super::super::lab::Lab;
use super::{Limit, Line, Times, print};

/// Pairs of the A/A run; at least 15.
const PAIRS: usize = 25;
/// A clean full check in the lab.
const LIMIT_MS: f64 = 300.0;

/// Measures and prints; says whether every limit was kept.
///
/// # Errors
/// The clinic is not clean, or a check fails.
pub fn measure(lab: &Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.settle()?;
    let (mut asked, mut swept) = (Times::default(), Times::default());
    for _ in 0..2 * PAIRS {
        let begun = Instant::now();
        let line = lab.check()?;
        asked.add(begun.elapsed());
        swept.add(Duration::from_secs_f64(line.sweep_ms / 1e3));
        if line.verdict.foremost.is_some() {
            return Err(Wrong::new("the clinic is not clean"));
        }
    }
    let limit = Limit { median: LIMIT_MS, p99: f64::INFINITY };
    let lines = [
        Line::new("sekisho check, clean, as a process", asked).within(limit),
        Line::new("  of which the sweep itself", swept),
    ];
    print(&lines, None, out)?;
    Ok(lines.iter().all(Line::is_within))
}
