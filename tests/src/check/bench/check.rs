//! `bench check`: a clean full check, as an operator asks for it, beside what else asks hosts whether they are there.

use std::io::Write;
use std::time::{Duration, Instant};

use model::Rung;
use model::part::LinePart;

use super::super::Wrong;
use super::super::lab::Lab;
use super::probers::{Blackbox, fping};
use super::{Limit, Line, Times, memory, print, verdict};

/// Pairs of the A/A run; at least 15.
const PAIRS: usize = 25;
/// A clean full check in the lab.
const LIMIT_MS: f64 = 300.0;
/// A whole check may take so much longer than the slowest of its probes, ms.
const BEYOND_MS: f64 = 100.0;
/// Of blackbox_exporter's memory, at most.
const OF_MEMORY: f64 = 0.5;

/// The rungs that ask the same hosts as the peers, each with what else is waited for before it is asked.
const HOSTS: [&[Rung]; 5] = [
    &[Rung::ResolverOne],
    &[Rung::ResolverTwo],
    &[Rung::LineAuth],
    &[Rung::Distribution],
    &[Rung::CentreTcp, Rung::CentreTls],
];

/// Measures and prints; says whether every limit was kept. The lab's wiring has a home gateway beside the box.
///
/// # Errors
/// The clinic is not clean, a check fails, a peer is not installed or finds somebody away.
pub fn measure(lab: &Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.settle()?;
    let blackbox = Blackbox::start(lab)?;
    let [mut asked, mut swept, mut beyond, mut hosts, mut exporter, mut pings] =
        std::array::from_fn(|_| Times::default());
    for _ in 0..2 * PAIRS {
        let begun = Instant::now();
        let line = lab.check()?;
        asked.add(begun.elapsed());
        swept.add(ms(line.sweep_ms));
        beyond.add(ms((line.sweep_ms - slowest(&line)).max(0.0)));
        hosts.add(ms(HOSTS.iter().map(|rungs| took(&line, rungs)).fold(0.0, f64::max)));
        exporter.add(blackbox.all(lab)?);
        pings.add(fping(lab)?);
        if line.verdict.foremost.is_some() {
            return Err(Wrong::new("the clinic is not clean"));
        }
    }
    let limit = |median| Limit { median, p99: f64::INFINITY };
    let own = [
        Line::new("sekisho check, clean, as a process", asked).within(limit(LIMIT_MS)),
        Line::new("  of which the sweep itself", swept),
        Line::new("  and what of it is longer than its slowest probe", beyond).within(limit(BEYOND_MS)),
    ];
    print(&own, None, out)?;
    let as_good = limit(exporter.median());
    let peers = [
        Line::new("the hosts of ten targets, as the sweep asks them", hosts).within(as_good),
        Line::new("blackbox_exporter, the ten at once", exporter),
        Line::new("fping -c1 -i1, their hosts, as a process", pings),
    ];
    print(&peers, None, out)?;
    let kept = of_memory(lab, &blackbox, out)?;
    Ok(kept && own.iter().chain(&peers).all(Line::is_within))
}

fn of_memory(lab: &Lab, blackbox: &Blackbox, out: &mut dyn Write) -> Result<bool, Wrong> {
    let pid = lab.status()?.the_box.pids.get("reachd").copied();
    let own = memory(pid.ok_or_else(|| Wrong::new("nothing runs reachd"))?)?;
    let exporter = blackbox.memory()?;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let ratio = own as f64 / exporter as f64;
    let kept = ratio <= OF_MEMORY;
    writeln!(
        out,
        "reachd: {own} KiB (PSS), blackbox_exporter: {exporter} KiB: {ratio:.2} of it (at most {OF_MEMORY}): {}",
        verdict(kept)
    )?;
    Ok(kept)
}

fn ms(milliseconds: f64) -> Duration {
    Duration::from_secs_f64(milliseconds / 1e3)
}

fn slowest(line: &LinePart) -> f64 {
    line.ladder.iter().map(|seen| seen.took_ms).fold(0.0, f64::max)
}

/// How long these took, one after the other.
fn took(line: &LinePart, rungs: &[Rung]) -> f64 {
    line.ladder.iter().filter(|seen| rungs.contains(&seen.rung)).map(|seen| seen.took_ms).sum()
}
