//! `lines`: every pair of line and wiring that exists in the field comes up from nothing, clean; its terminal has what the line
//! gives and reaches what is listed, and follows what changes. A clinic of its own for each pair, and a row for each case.

mod addresses;
mod cases;
mod internet;
pub mod ipsec;

use std::io::Write;

use clap::ValueEnum as _;

pub use cases::{from_outside, is_renumbered};

use super::lab::{Lab, Wish};
use super::{Row, Wrong, run};
use crate::layout::{Layout, Line, Uplink, Wiring};

/// The pairs that exist in the field and that the lab has, and each line with an internet line beside it.
pub fn pairs() -> Vec<Layout> {
    let of = |line| move |wiring: &Wiring| Layout::of(line, *wiring).ok();
    let lines = Line::value_variants().iter();
    let pairs = lines.clone().flat_map(|line| Wiring::value_variants().iter().filter_map(of(*line)));
    let beside = lines.filter_map(|line| Some(Layout::of(*line, Wiring::New).ok()?.beside(Uplink::Isp)));
    pairs.chain(beside).collect()
}

/// How many cases there are.
pub fn count() -> usize {
    pairs().into_iter().map(|layout| cases::of(layout).len()).sum()
}

/// The cases by pair and name.
pub fn list() -> Vec<String> {
    pairs()
        .into_iter()
        .flat_map(|layout| cases::of(layout).into_iter().map(move |case| named(layout, case.name)))
        .collect()
}

fn named(layout: Layout, case: &str) -> String {
    let beside = if layout.has_internet() { "-isp" } else { "" };
    format!("{}-{}{beside}:{case}", layout.line.word(), layout.wiring.word())
}

/// Plays the pairs whose name, or the name of one of whose cases, is asked for; all of them if none is. Says whether all was
/// right.
///
/// # Errors
/// A word means nothing here, or nobody can be told any more.
pub fn play(wish: &Wish, only: &[String], out: &mut dyn Write) -> Result<(Vec<Row>, bool), Wrong> {
    let meant = |name: &str| only.is_empty() || only.iter().any(|word| name.starts_with(word.as_str()));
    if let Some(word) = only.iter().find(|word| !list().iter().any(|name| name.starts_with(word.as_str()))) {
        return Err(Wrong(format!("there is no {word}; --list names the cases there are")));
    }
    let mut rows = Vec::new();
    for layout in pairs() {
        let mut cases = cases::of(layout);
        cases.retain(|case| meant(&named(layout, case.name)));
        if cases.is_empty() {
            continue;
        }
        let mut lab = match Lab::up(Wish { layout, ..wish.clone() }) {
            Ok(lab) => lab,
            Err(wrong) => {
                rows.push(Row { wrong: Some(wrong.to_string()), ..Row::of(named(layout, "it_comes_up")) });
                continue;
            }
        };
        writeln!(
            out,
            "line {}, wiring {}, uplink {}",
            layout.line.word(),
            layout.wiring.word(),
            layout.uplink.word()
        )?;
        let played = run(&mut lab, &cases, out)?;
        rows.extend(played.into_iter().map(|row| Row { name: named(layout, &row.name), ..row }));
    }
    let right = rows.iter().filter(|row| row.wrong.is_none()).count();
    writeln!(out, "cases={} right={right}", rows.len())?;
    let all = right == rows.len() && right > 0;
    Ok((rows, all))
}
