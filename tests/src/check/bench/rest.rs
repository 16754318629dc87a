//! `bench rest`: what the daemon takes while nothing happens and nobody looks: every role in one process, at the shipped
//! intervals, without Debian's daemons beside it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use super::super::Wrong;
use super::super::lab::Lab;
use super::{memory, verdict};

/// How long it gets to come to rest.
const REST: Duration = Duration::from_secs(20);
/// How long it is looked at: a dozen looks at what is near, two at what is distant.
const TIME: Duration = Duration::from_secs(120);
/// Of one core, at most.
const CORE: f64 = 0.003;
/// Memory, KiB (PSS).
const MEMORY: u64 = 20 * 1024;

/// Measures and prints; says whether both limits were kept.
///
/// # Errors
/// The clinic is not clean, or the box's processes cannot be looked at.
pub fn measure(lab: &Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.settle()?;
    std::thread::sleep(REST);
    let all = lab.status()?.the_box.pids;
    // What Debian's daemons take beside it is theirs.
    let ours = all.into_iter().filter(|(name, _)| name != "smbd");
    let pids: BTreeSet<i32> = ours.map(|(_, pid)| pid).collect();
    let (before, begun) = (processor(&pids)?, Instant::now());
    std::thread::sleep(TIME);
    let (spent, passed) = (processor(&pids)? - before, begun.elapsed());
    let part = spent.as_secs_f64() / passed.as_secs_f64();
    let kib: u64 = pids.iter().map(memory).sum::<Result<u64, Wrong>>()?;
    let kept = (part <= CORE, kib <= MEMORY);
    writeln!(
        out,
        "the box at rest, every role in {} process, {} s: {:.2} % of a core (at most {:.1}): {}; {kib} KiB (PSS, at most {MEMORY}): {}",
        pids.len(),
        passed.as_secs(),
        part * 100.0,
        CORE * 100.0,
        verdict(kept.0),
        verdict(kept.1)
    )?;
    Ok(kept.0 && kept.1)
}

/// What processes and what they have waited for have spent in user and system mode, proc_pid_stat(5).
fn processor(pids: &BTreeSet<i32>) -> Result<Duration, Wrong> {
    let spent = |pid: &i32| -> Result<u64, Wrong> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name, which may have spaces, is in brackets; utime, stime, cutime and cstime are the 14th to the 17th field.
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: Vec<u64> =
            fields.split_whitespace().skip(11).take(4).filter_map(|it| it.parse().ok()).collect();
        (ticks.len() == 4)
            .then(|| ticks.iter().sum())
            .ok_or_else(|| Wrong(format!("process {pid} tells no times")))
    };
    let ticks: u64 = pids.iter().map(spent).sum::<Result<u64, Wrong>>()?;
    // USER_HZ is 100 on every architecture Linux is built for here.
    Ok(Duration::from_millis(ticks * 10))
}
