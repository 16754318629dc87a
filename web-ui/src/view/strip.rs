//! The 72 hours of a rung as a strip in its own coordinates: a bar a stretch. It reads without colour, by the bars'
//! heights, and without eyes, by a sentence.

use model::past::{Mark, Past, Strip};
use model::{Language, Timestamp};

use crate::{jst, words};

/// The strip in its own coordinates, y downwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// How wide all of it is.
    pub width: u32,
    /// The bars, from the left.
    pub bars: Vec<Bar>,
    /// What it shows, in words.
    pub spoken: String,
}

/// A stretch of one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// From the left.
    pub x: u32,
    /// How wide.
    pub width: u32,
    /// From the top.
    pub y: u32,
    /// How high; all stand on one ground.
    pub height: u32,
    /// Its class.
    pub class: &'static str,
}

/// How high a strip is.
const HEIGHT: u32 = 20;

pub(super) fn drawn(past: &Past, strip: &Strip, language: Language) -> Drawn {
    let (mut bars, mut x) = (Vec::<Bar>::new(), 0);
    let mut cells = Mark::ALL.map(|mark| (mark, 0_u32));
    for (run, index) in &strip.runs {
        let mark = Mark::of(past.word(*index));
        let width = (*run).min(model::past::CELLS);
        if let Some((_, sum)) = cells.iter_mut().find(|(one, _)| *one == mark) {
            *sum = sum.saturating_add(width);
        }
        bars.extend(bar(mark, x, width));
        x = u32::saturating_add(x, width);
    }
    Drawn { width: x, bars: joined(bars), spoken: spoken(&cells, past.cell_s, language) }
}

/// Nothing is drawn where nothing is known.
const fn bar(mark: Mark, x: u32, width: u32) -> Option<Bar> {
    let (height, class) = match mark {
        Mark::Good => (8, "good"),
        Mark::Bad => (HEIGHT, "bad"),
        Mark::Skipped => (2, "skipped"),
        Mark::Open => (14, "open"),
        Mark::Unknown => return None,
    };
    Some(Bar { x, width, y: HEIGHT - height, height, class })
}

/// Two symptoms that follow each other are one bar.
fn joined(bars: Vec<Bar>) -> Vec<Bar> {
    let mut joined: Vec<Bar> = Vec::new();
    for bar in bars {
        match joined.last_mut() {
            Some(last) if last.class == bar.class && last.x + last.width == bar.x => last.width += bar.width,
            _ => joined.push(bar),
        }
    }
    joined
}

/// `正常 70.2 時間, 異常 1.8 時間`
fn spoken(cells: &[(Mark, u32)], cell_s: u32, language: Language) -> String {
    let said = cells.iter().filter(|(_, cells)| *cells > 0).map(|(mark, cells)| {
        let hours = f64::from(*cells) * f64::from(cell_s) / 3600.0;
        format!("{} {hours:.1} {}", mark.name().get(language), words::HOURS.get(language))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The midnights below the strips: how far from the left of one as wide as `width`, and the day.
pub(super) fn days(past: &Past, width: u32, language: Language) -> Vec<(u32, String)> {
    let (Some(to), true) = (past.to, past.cell_s > 0) else { return Vec::new() };
    let (day_s, cell_s) = (86_400, i64::from(past.cell_s));
    let begin = to.as_second().saturating_sub(i64::from(width).saturating_mul(cell_s));
    let midnight = jst::midnight(to);
    let marks = (0..4).rev().map(|back| midnight - back * day_s).filter(|at| *at >= begin);
    let mark = |at: i64| {
        let x = u32::try_from(at.saturating_sub(begin) / cell_s).ok()?;
        Some((x, jst::day(Timestamp::from_second(at).ok()?, language)))
    };
    marks.filter_map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(runs: Vec<(u32, u8)>) -> (Past, Strip) {
        let words = ["unknown", "good", "silent", "refused", "skipped", "open"].map(str::to_owned).into();
        let strip = Strip { rung: "link".into(), terminal: None, last_good: None, first_bad: None, runs };
        let to = Some("2026-11-24T09:20:00Z".parse().unwrap());
        (Past { to, cell_s: 600, words, ..Past::default() }, strip)
    }

    #[test]
    fn each_mark_has_a_height_of_its_own_and_two_symptoms_are_one_bar() {
        let (past, strip) = past(vec![(400, 0), (20, 1), (2, 2), (3, 3), (4, 4), (3, 5)]);
        let drawn = drawn(&past, &strip, Language::En);
        let bars: Vec<_> = drawn.bars.iter().map(|bar| (bar.x, bar.width, bar.height, bar.class)).collect();
        assert_eq!(
            bars,
            [(400, 20, 8, "good"), (420, 5, 20, "bad"), (425, 4, 2, "skipped"), (429, 3, 14, "open")]
        );
        assert!(drawn.bars.iter().all(|bar| bar.y + bar.height == HEIGHT));
        assert_eq!(drawn.width, 432);
        assert_eq!(
            drawn.spoken,
            "good 3.3 h, broken 0.8 h, not looked at 0.7 h, open 0.5 h, not known 66.7 h"
        );
    }

    #[test]
    fn the_days_begin_at_midnight_in_japan() {
        let (past, _) = past(Vec::new());
        // 18:20 in Japan; 72 hours before it was the 21st, 18:20.
        let days = days(&past, 432, Language::En);
        assert_eq!(days, [(34, "22 Nov".into()), (178, "23 Nov".into()), (322, "24 Nov".into())]);
    }

    #[test]
    fn an_answer_of_any_content_does_no_harm() {
        let (mut past, strip) = past(vec![(u32::MAX, 200), (u32::MAX, 1), (0, 2)]);
        drawn(&past, &strip, Language::Ja);
        for (to, cell_s) in [(Some(Timestamp::MIN), u32::MAX), (Some(Timestamp::MAX), 0), (None, 1)] {
            (past.to, past.cell_s) = (to, cell_s);
            days(&past, u32::MAX, Language::Ja);
        }
    }
}
