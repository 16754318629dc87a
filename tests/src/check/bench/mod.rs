//! Measurements. A machine's milliseconds mean nothing from one hour to the next, so everything is a ratio of things
//! measured in turns within one run, beside an A/A run that shows how far two equal things lie apart.

pub mod check;
pub mod relay;

use std::fmt;
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
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
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

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// Its times.
    pub times: Times,
    /// The largest median that is good, milliseconds.
    pub limit: Option<f64>,
}

impl Line {
    /// Whether the median is within its limit.
    pub fn is_within(&self) -> bool {
        self.limit.is_none_or(|limit| self.times.median() <= limit)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = &self.times;
        let (median, p99) = (times.median(), times.quantile(0.99));
        write!(
            f,
            "{:<56} {:>5} {median:>10.3} {p99:>10.3} {:>6.2}",
            self.what,
            times.count(),
            times.spread()
        )?;
        match self.limit {
            Some(limit) => {
                write!(f, "  limit {limit} ms: {}", if self.is_within() { "kept" } else { "MISSED" })
            }
            None => Ok(()),
        }
    }
}

/// Prints the table, then the ratios of medians that are asked for: each line over another, by index.
///
/// # Errors
/// Nobody can be told any more.
pub fn print(lines: &[Line], ratios: &[(usize, usize)], out: &mut dyn Write) -> std::io::Result<()> {
    let head = "what";
    writeln!(out, "{head:<56} {:>5} {:>10} {:>10} {:>6}", "n", "median ms", "p99 ms", "A/A")?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    for (over, under) in ratios {
        let (over, under) = (&lines[*over], &lines[*under]);
        let ratio = over.times.median() / under.times.median();
        writeln!(out, "ratio {ratio:8.2}   {} / {}", over.what, under.what)?;
    }
    Ok(())
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
    fn a_limit_is_missed_by_the_median() {
        let line = |limit| Line { what: "x".into(), times: Times(vec![1.0, 5.0, 9.0]), limit: Some(limit) };
        assert!(line(5.0).is_within() && !line(4.9).is_within());
    }
}
