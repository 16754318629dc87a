//! Today's pairs: how many, how long they took, the plot, and the same by the hour for who reads no plot.

use std::collections::BTreeMap;

use model::Language;
use model::parcel::Pair;
use model::part::RelayPart;

use super::plot::{self, Plot};
use super::{Look, Seen};
use crate::{jst, words};

/// Today's pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// How many; none if that is not known.
    pub count: Option<usize>,
    /// Whether older ones of today are left out.
    pub cut: bool,
    /// The median.
    pub p50: Option<String>,
    /// The 95th percentile.
    pub p95: Option<String>,
    /// The plot, if there is a pair.
    pub plot: Option<Plot>,
    /// What the plot shows, in words.
    pub spoken: String,
    /// The hours that had pairs.
    pub hours: Vec<Hour>,
    /// When the relay last looked.
    pub looked: String,
}

/// The pairs of one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// The hour: `9時`, `9:00`.
    pub name: String,
    /// How many.
    pub count: usize,
    /// The median.
    pub p50: String,
    /// The 95th percentile.
    pub p95: String,
}

pub(super) fn pairs(seen: &Seen<'_>) -> Pairs {
    let looked = seen.last_look(seen.relay.at());
    let Look::Fresh(relay, _) = seen.relay else { return unknown(looked) };
    let seconds = |q| relay.quantile_ms(q).map(|ms| jst::seconds(ms, seen.language));
    let count = relay.pairs.len();
    let (p50, p95) = (seconds(0.5), seconds(0.95));
    Pairs {
        count: Some(count),
        cut: count >= RelayPart::PAIRS_KEPT,
        spoken: spoken(seen, count, p50.as_deref(), p95.as_deref()),
        p50,
        p95,
        plot: plot::plot(relay, seen.language),
        hours: hours(seen, relay),
        looked,
    }
}

fn unknown(looked: String) -> Pairs {
    Pairs {
        count: None,
        cut: false,
        p50: None,
        p95: None,
        plot: None,
        spoken: String::new(),
        hours: Vec::new(),
        looked,
    }
}

fn spoken(seen: &Seen<'_>, count: usize, p50: Option<&str>, p95: Option<&str>) -> String {
    let [title, unit, median, slow] =
        [words::PLOT, words::PAIRS, words::P50, words::P95].map(|text| seen.say(text));
    let (p50, p95) = (p50.unwrap_or_default(), p95.unwrap_or_default());
    format!("{title}: {count} {unit}, {median} {p50}, {slow} {p95}")
}

fn hours(seen: &Seen<'_>, relay: &RelayPart) -> Vec<Hour> {
    let mut hours: BTreeMap<i8, Vec<Pair>> = BTreeMap::new();
    for pair in &relay.pairs {
        hours.entry(jst::wall(pair.at).hour()).or_default().push(*pair);
    }
    hours.into_iter().map(|(hour, pairs)| of_hour(seen, hour, pairs)).collect()
}

/// An hour is counted as a day with these pairs only, so that both have the same figures.
fn of_hour(seen: &Seen<'_>, hour: i8, pairs: Vec<Pair>) -> Hour {
    let part = RelayPart { pairs, ..RelayPart::default() };
    let seconds = |q| jst::seconds(part.quantile_ms(q).unwrap_or_default(), seen.language);
    let name = match seen.language {
        Language::Ja => format!("{hour}時"),
        Language::En => format!("{hour}:00"),
    };
    Hour { name, count: part.pairs.len(), p50: seconds(0.5), p95: seconds(0.95) }
}
