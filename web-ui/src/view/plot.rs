//! The plot of a day's pairs in its own coordinates: one dot a pair over the hours, and two lines with their numbers.
//! It reads without colour: the median's line is whole, the other one dashed, and each has its number beside it.

use std::collections::BTreeMap;

use model::parcel::Pair;
use model::part::RelayPart;
use model::{Language, Timestamp};

use crate::jst;

/// The plot in its own coordinates, y downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// One dot a pair, while there are not too many.
    pub dots: Vec<Dot>,
    /// Marks of the hours.
    pub hours: Vec<Tick>,
    /// Marks of the seconds.
    pub seconds: Vec<Tick>,
    /// The median.
    pub p50: Level,
    /// The 95th percentile.
    pub p95: Level,
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

/// A line across the plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Where it lies, from the top.
    pub y: f64,
    /// Where its number is written, which keeps clear of the other one.
    pub label_y: f64,
    /// Its number.
    pub label: String,
}

/// Room for the labels left of the dots.
const LEFT: f64 = 44.0;
/// Where the dots' area ends; the numbers of the lines stand right of it.
const RIGHT: f64 = 568.0;
/// Where the dots' area ends below.
const BOTTOM: f64 = 150.0;
/// Free space above the highest dot.
const TOP: f64 = 8.0;
/// The least distance of two numbers: the labels' size on the narrowest screen.
const APART: f64 = 22.0;

/// The most dots of a plot: more would be one blot, and make each refresh heavy.
const DOTS: usize = COLUMNS * EACH;
/// Where there are more pairs, time is cut into so many columns …
const COLUMNS: usize = 150;
/// … and each keeps so many: its fastest, its slowest, and what lies evenly between.
const EACH: usize = 4;

/// The plot of a day; none without a pair.
pub(super) fn plot(relay: &RelayPart, language: Language) -> Option<Plot> {
    let (p50, p95) = (relay.quantile_ms(0.5)?, relay.quantile_ms(0.95)?);
    let scale = Scale::of(relay)?;
    let (y50, y95) = (scale.y(p50 / 1000.0), scale.y(p95 / 1000.0));
    let label95 = y95.clamp(TOP, BOTTOM - APART);
    let level = |y, label_y, ms| Level { y, label_y: tenth(label_y), label: jst::seconds(ms, language) };
    Some(Plot {
        dots: thinned(relay.pairs.iter().map(|pair| scale.dot(*pair)).collect()),
        hours: scale.hours(),
        seconds: scale.seconds(),
        p50: level(y50, y50.max(label95 + APART), p50),
        p95: level(y95, label95, p95),
    })
}

/// Where an hour and a second lie.
struct Scale {
    first: f64,
    last: f64,
    top: f64,
}

impl Scale {
    fn of(relay: &RelayPart) -> Option<Self> {
        let of_day = || relay.pairs.iter().map(|pair| hour_of(pair.at));
        Some(Self {
            // A clinic's day, wider if a pair lies outside, so that the picture is the same every day.
            first: of_day().fold(8.0, f64::min).floor(),
            last: of_day().fold(19.0, f64::max).ceil(),
            top: step(relay.quantile_ms(1.0)? / 1000.0 / 3.0) * 3.0,
        })
    }

    fn x(&self, hour: f64) -> f64 {
        tenth(LEFT + (hour - self.first) / (self.last - self.first) * (RIGHT - LEFT))
    }

    fn y(&self, s: f64) -> f64 {
        tenth(TOP + (1.0 - s / self.top) * (BOTTOM - TOP))
    }

    fn dot(&self, pair: Pair) -> Dot {
        Dot { x: self.x(hour_of(pair.at)), y: self.y(pair.took_ms / 1000.0) }
    }

    fn hours(&self) -> Vec<Tick> {
        let every = if self.last - self.first > 12.0 { 3 } else { 1 };
        #[expect(clippy::cast_possible_truncation, reason = "whole hours of one day")]
        let marks = (self.first as i32..=self.last as i32).filter(|hour| hour % every == 0);
        marks.map(|hour| Tick { at: self.x(f64::from(hour)), label: hour.to_string() }).collect()
    }

    fn seconds(&self) -> Vec<Tick> {
        let marks = [0.0, 1.0, 2.0, 3.0].map(|n| n * self.top / 3.0);
        marks.map(|s| Tick { at: self.y(s), label: label(s) }).into()
    }
}

fn hour_of(at: Timestamp) -> f64 {
    let wall = jst::wall(at);
    f64::from(wall.hour()) + f64::from(wall.minute()) / 60.0 + f64::from(wall.second()) / 3600.0
}

/// The dots, or of each column the outermost and some between: what was slow stays to be seen.
fn thinned(dots: Vec<Dot>) -> Vec<Dot> {
    if dots.len() <= DOTS {
        return dots;
    }
    let mut columns: BTreeMap<usize, Vec<Dot>> = BTreeMap::new();
    for dot in dots {
        columns.entry(column(dot)).or_default().push(dot);
    }
    columns.into_values().flat_map(some_of).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a dot lies between left and right"
)]
fn column(dot: Dot) -> usize {
    (((dot.x - LEFT) / (RIGHT - LEFT) * COLUMNS as f64) as usize).min(COLUMNS - 1)
}

fn some_of(mut column: Vec<Dot>) -> Vec<Dot> {
    if column.len() <= EACH {
        return column;
    }
    column.sort_by(|a, b| a.y.total_cmp(&b.y));
    (0..EACH).filter_map(|n| column.get(n * (column.len() - 1) / (EACH - 1)).copied()).collect()
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

    /// Pairs from nine in the morning on, `apart_s` between them.
    fn day(times_ms: impl IntoIterator<Item = f64>, apart_s: i64) -> RelayPart {
        let nine: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let at = |n: i64| Timestamp::from_second(nine.as_second() + n * apart_s).unwrap();
        let pairs = (0..).zip(times_ms).map(|(n, took_ms)| Pair { at: at(n), took_ms }).collect();
        RelayPart { pairs, ..RelayPart::default() }
    }

    fn drawn(times_ms: impl IntoIterator<Item = f64>, apart_s: i64) -> Plot {
        plot(&day(times_ms, apart_s), Language::Ja).unwrap()
    }

    #[test]
    fn a_day_without_a_pair_has_no_plot() {
        assert_eq!(plot(&RelayPart::default(), Language::Ja), None);
    }

    #[test]
    fn one_pair_is_one_dot_on_both_lines_whose_numbers_keep_apart() {
        let plot = drawn([1500.0], 0);
        let [dot] = plot.dots[..] else { panic!("{:?}", plot.dots) };
        assert!((dot.y - plot.p50.y).abs() < 0.1 && (dot.y - plot.p95.y).abs() < 0.1);
        assert_eq!((plot.p50.label.as_str(), plot.p95.label.as_str()), ("1.5 秒", "1.5 秒"));
        assert!(plot.p50.label_y - plot.p95.label_y >= APART);
        let labels: Vec<&str> = plot.hours.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!((labels.first(), labels.last()), (Some(&"8"), Some(&"19")));
    }

    #[test]
    fn ten_thousand_pairs_are_a_bounded_number_of_dots_and_the_slowest_is_among_them() {
        let wobble = |n: u32| 1000.0 + f64::from(n * 37 % 1000);
        let times = (0..10_000).map(|n| if n == 6789 { 9000.0 } else { wobble(n) });
        let plot = drawn(times, 3);
        assert!(plot.dots.len() <= DOTS, "{}", plot.dots.len());
        assert!(plot.dots.len() > DOTS / 2, "{}", plot.dots.len());
        let highest = plot.dots.iter().map(|dot| dot.y).fold(f64::MAX, f64::min);
        let slowest = Scale::of(&day([9000.0], 0)).unwrap().y(9.0);
        assert!((highest - slowest).abs() < 0.1, "{highest} {slowest}");
    }

    #[test]
    fn a_few_more_pairs_than_dots_do_not_empty_the_plot() {
        let plot = drawn((0..601).map(|_| 1000.0), 36);
        assert!(plot.dots.len() > DOTS / 2, "{}", plot.dots.len());
    }

    #[test]
    fn every_dot_and_number_lies_in_the_picture() {
        for times in [vec![0.0], vec![0.0, 86_400_000.0], vec![10.0; 50], vec![1.0, 1.0, 1.0, 60_000.0]] {
            let plot = drawn(times.clone(), 86_399 / 50);
            let inside = |dot: &Dot| (LEFT..=RIGHT).contains(&dot.x) && (TOP..=BOTTOM).contains(&dot.y);
            assert!(plot.dots.iter().all(inside), "{times:?} {:?}", plot.dots);
            for level in [&plot.p50, &plot.p95] {
                assert!((TOP..=BOTTOM).contains(&level.label_y), "{times:?} {level:?}");
            }
        }
    }

    #[test]
    fn the_axis_ends_at_a_round_number_and_always_ends() {
        for (s, expected) in [(0.0, 0.1), (0.1, 0.1), (0.11, 0.2), (0.9, 1.0), (4.2, 5.0), (5.1, 10.0)] {
            assert!((step(s) - expected).abs() < 1e-9, "{s}");
        }
        assert!(step(f64::NAN).is_finite() && step(f64::INFINITY).is_finite());
    }
}
