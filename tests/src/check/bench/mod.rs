//! Measurements. A machine's milliseconds mean nothing from one hour to the next, so everything is a ratio of things
//! measured in turns within one run, beside an A/A run that shows how far two equal things lie apart.

mod backlog;
pub mod check;
mod idle;
mod local;
mod many;
mod peers;
mod plot;
mod probers;
pub mod relay;
pub mod rest;
mod smb;
pub mod wall;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Wrong;

/// Times of one thing, milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// Those of another as well.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All of them, the shortest first.
    pub fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time below which this part (0..=1) of them lies; not a number without any.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a few hundred times"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        let sorted = self.sorted();
        let index = (part.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64).round() as usize;
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }

    /// Half of them are shorter.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The times of the even turns and those of the odd ones: two equal things, measured in turns.
    pub fn halves(&self) -> (Self, Self) {
        let half = |start: usize| Self(self.0.iter().skip(start).step_by(2).copied().collect());
        (half(0), half(1))
    }

    /// How far two equal halves lie apart: the larger median over the smaller one.
    pub fn spread(&self) -> f64 {
        let (even, odd) = self.halves();
        let (a, b) = (even.median(), odd.median());
        a.max(b) / a.min(b)
    }
}

/// What is good: the largest median and the largest 99th percentile, milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Of the median.
    pub median: f64,
    /// Of the 99th percentile.
    pub p99: f64,
}

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// Its times.
    pub times: Times,
    /// What is good, where something is asked for.
    pub limit: Option<Limit>,
}

impl Line {
    /// A line of which nothing is asked.
    pub fn new(what: impl Into<String>, times: Times) -> Self {
        Self { what: what.into(), times, limit: None }
    }

    /// The same, with what is good.
    #[must_use]
    pub fn within(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Whether it is as good as is asked.
    pub fn is_within(&self) -> bool {
        let good =
            |limit: Limit| self.times.median() <= limit.median && self.times.quantile(0.99) <= limit.p99;
        self.limit.is_none_or(good)
    }
}

/// What is good or not, and in which words.
pub const fn verdict(good: bool) -> &'static str {
    if good { "kept" } else { "MISSED" }
}

/// So many in this time, a second.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
pub fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Prints the table, in milliseconds and in units of F, then how many times the median of the first line each of the
/// others takes.
///
/// # Errors
/// Nobody can be told any more.
pub fn print(lines: &[Line], f: Option<f64>, out: &mut dyn Write) -> std::io::Result<()> {
    let head = "what";
    writeln!(
        out,
        "{head:<58} {:>5} {:>9} {:>9} {:>8} {:>8} {:>6}",
        "n", "median ms", "p99 ms", "F", "p99 F", "A/A"
    )?;
    for line in lines {
        let times = &line.times;
        let (median, p99) = (times.median(), times.quantile(0.99));
        let in_f = |ms: f64| f.map_or_else(|| "-".to_owned(), |f| format!("{:.1}", ms / f));
        write!(out, "{:<58} {:>5} {median:>9.3} {p99:>9.3}", line.what, times.count())?;
        write!(out, " {:>8} {:>8} {:>6.2}", in_f(median), in_f(p99), times.spread())?;
        match line.limit {
            Some(limit) => {
                let word = verdict(line.is_within());
                writeln!(out, "  limit {:.3} and {:.3} ms: {word}", limit.median, limit.p99)?;
            }
            None => writeln!(out)?,
        }
    }
    if let Some((first, others)) = lines.split_first() {
        for line in others {
            writeln!(
                out,
                "ratio {:8.2}   {} / {}",
                line.times.median() / first.times.median(),
                line.what,
                first.what
            )?;
        }
    }
    Ok(())
}

/// The proportional set size of a process and its children, KiB.
///
/// # Errors
/// It has ended.
pub fn memory(pid: impl std::fmt::Display) -> Result<u64, Wrong> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let own = pid.to_string();
    let mut sum = 0;
    for pid in children.split_whitespace().chain([own.as_str()]) {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        sum += kib.ok_or_else(|| Wrong(format!("process {pid} tells no memory")))?;
    }
    Ok(sum)
}

/// F: one fdatasync of 2 KB on the medium of this folder, the unit that durable things cost in.
///
/// # Errors
/// The folder cannot be written.
pub fn flush(folder: &Path, times: &mut Times) -> Result<(), Wrong> {
    let path = folder.join("bench-flush");
    let mut file = File::create(&path)?;
    file.write_all(&[0x5a; 2048])?;
    let begun = Instant::now();
    file.sync_data()?;
    times.add(begun.elapsed());
    Ok(std::fs::remove_file(&path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_spread_are_those_of_the_times() {
        let times = Times((1..=101).map(f64::from).collect());
        assert_eq!((times.median(), times.quantile(0.99), times.quantile(1.0)), (51.0, 100.0, 101.0));
        assert!(Times::default().median().is_nan());
        assert_eq!(Times(vec![1.0, 2.0, 1.0, 2.0]).spread(), 2.0);
    }

    #[test]
    fn a_limit_is_missed_by_the_median_or_by_the_slowest() {
        let line = |median, p99| Line::new("x", Times(vec![1.0, 5.0, 9.0])).within(Limit { median, p99 });
        assert!(line(5.0, 9.0).is_within());
        assert!(!line(4.9, 9.0).is_within() && !line(5.0, 8.9).is_within());
    }
}
