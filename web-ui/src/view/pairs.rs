//! Today's pairs: how many, how long they took, and the plot.

use model::Timestamp;
use model::part::RelayPart;

use super::{Look, Seen};
use crate::jst;

/// Today's pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// How many; none if that is not known.
    pub count: Option<usize>,
    /// The median.
    pub p50: Option<String>,
    /// The 95th percentile.
    pub p95: Option<String>,
    /// The plot, if there is a pair.
    pub plot: Option<Plot>,
    /// When the relay last looked.
    pub looked: String,
}

/// The plot in its own coordinates: [`WIDTH`] by [`HEIGHT`], y downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// One dot a pair.
    pub dots: Vec<Dot>,
    /// Marks of the hours.
    pub hours: Vec<Tick>,
    /// Marks of the seconds.
    pub seconds: Vec<Tick>,
    /// Height of the median's line.
    pub p50_y: f64,
    /// Height of the 95th percentile's line.
    pub p95_y: f64,
}

/// A pair in the plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where on its axis.
    pub at: f64,
    /// Its label.
    pub label: String,
}

/// Room for the plot's labels: left of it and below it.
const LEFT: f64 = 44.0;
/// The width of the plot with its labels.
const WIDTH: f64 = 640.0;
/// The height of the dots' area.
const HEIGHT: f64 = 150.0;
/// Free space above the highest dot and right of the latest.
const MARGIN: f64 = 8.0;

pub(super) fn pairs(seen: &Seen<'_>) -> Pairs {
    let looked = seen.last_look(seen.relay.at());
    let Look::Fresh(relay, _) = seen.relay else {
        return Pairs { count: None, p50: None, p95: None, plot: None, looked };
    };
    let seconds = |q| relay.quantile_ms(q).map(|ms| jst::seconds(ms, seen.language));
    Pairs { count: Some(relay.pairs.len()), p50: seconds(0.5), p95: seconds(0.95), plot: plot(relay), looked }
}

fn plot(relay: &RelayPart) -> Option<Plot> {
    let (p50, p95) = (relay.quantile_ms(0.5)?, relay.quantile_ms(0.95)?);
    let top = step(relay.quantile_ms(1.0)? / 1000.0 / 3.0) * 3.0;
    let (first, last) = hours(relay);
    let x = |hour: f64| tenth(LEFT + (hour - first) / (last - first) * (WIDTH - LEFT - MARGIN));
    let y = |s: f64| tenth(MARGIN + (1.0 - s / top) * (HEIGHT - MARGIN));
    let dot = |at: Timestamp, ms: f64| Dot { x: x(hour_of(at)), y: y(ms / 1000.0) };
    let every = if last - first > 12.0 { 3 } else { 1 };
    #[expect(clippy::cast_possible_truncation, reason = "whole hours of one day")]
    let marks = (first as i32..=last as i32).filter(|hour| hour % every == 0);
    Some(Plot {
        dots: relay.pairs.iter().map(|pair| dot(pair.at, pair.took_ms)).collect(),
        hours: marks.map(|hour| Tick { at: x(f64::from(hour)), label: hour.to_string() }).collect(),
        seconds: [0.0, 1.0, 2.0, 3.0]
            .map(|n| n * top / 3.0)
            .map(|s| Tick { at: y(s), label: label(s) })
            .into(),
        p50_y: y(p50 / 1000.0),
        p95_y: y(p95 / 1000.0),
    })
}

/// The hours of the plot: a clinic's day, wider if a pair lies outside, so that the picture is the same every day.
fn hours(relay: &RelayPart) -> (f64, f64) {
    let of_day = || relay.pairs.iter().map(|pair| hour_of(pair.at));
    (of_day().fold(8.0, f64::min).floor(), of_day().fold(19.0, f64::max).ceil())
}

fn hour_of(at: Timestamp) -> f64 {
    let wall = jst::wall(at);
    f64::from(wall.hour()) + f64::from(wall.minute()) / 60.0 + f64::from(wall.second()) / 3600.0
}

/// The smallest of 1, 2, 5 × 10ⁿ that is not below `s`, at least a tenth of a second.
fn step(s: f64) -> f64 {
    let s = if s.is_finite() { s.max(0.1) } else { 1.0 };
    let decade = 10_f64.powf(s.log10().floor());
    let round = [1.0, 2.0, 5.0].map(|factor| decade * factor);
    // The slack keeps 0.1 itself, which has no exact binary form, from becoming 0.2.
    round.into_iter().find(|step| *step >= s * 0.999).unwrap_or(decade * 10.0)
}

fn label(s: f64) -> String {
    if (s - s.round()).abs() < 0.01 { format!("{s:.0}") } else { format!("{s:.1}") }
}

/// A tenth of a pixel is enough, and keeps the page small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_and_always_ends() {
        for (s, expected) in [(0.0, 0.1), (0.1, 0.1), (0.11, 0.2), (0.9, 1.0), (4.2, 5.0), (5.1, 10.0)] {
            assert!((step(s) - expected).abs() < 1e-9, "{s}");
        }
        assert!(step(f64::NAN).is_finite() && step(f64::INFINITY).is_finite());
    }
}
