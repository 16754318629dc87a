//! The last good and the first bad look of every rung but the box's own, whose stories tell enough. Pure.

use std::collections::{BTreeMap, BTreeSet};

use model::observation::Branch;
use model::past::Look;
use model::{Observation, Outcome};

use super::columns::Place;
use super::record::Trace;

/// The most rungs remembered.
const TRACES: usize = 64;

/// One trace a rung.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    all: BTreeMap<Place, Trace>,
    fresh: BTreeSet<Place>,
}

impl Traces {
    /// Takes in what is seen now. What is skipped or open ends neither a good nor a bad time.
    pub fn take(&mut self, ladder: &[Observation]) {
        for seen in ladder.iter().filter(|seen| seen.rung.branch() != Branch::Box) {
            let place = (model::past::key(&seen.rung), seen.terminal.clone());
            let Some(trace) = self.of(&place) else { continue };
            match seen.outcome {
                Outcome::Good => {
                    trace.good = Some(Look::of(seen));
                    trace.stands = false;
                }
                Outcome::Bad(_) if !trace.stands => {
                    trace.bad = Some(Look::of(seen));
                    trace.stands = true;
                    self.fresh.insert(place);
                }
                Outcome::Bad(_) | Outcome::Skipped | Outcome::Open => {}
            }
        }
    }

    fn of(&mut self, place: &Place) -> Option<&mut Trace> {
        if self.all.len() >= TRACES && !self.all.contains_key(place) {
            return None;
        }
        let (rung, terminal) = place.clone();
        let new = || Trace { rung, terminal, ..Trace::default() };
        Some(self.all.entry(place.clone()).or_insert_with(new))
    }

    /// What is remembered of a rung.
    pub fn get(&self, place: &Place) -> Option<&Trace> {
        self.all.get(place)
    }

    /// What is not durable yet, or everything.
    pub fn unwritten(&self, everything: bool) -> Vec<Trace> {
        let wanted = |place: &Place| everything || self.fresh.contains(place);
        self.all.iter().filter(|(place, _)| wanted(place)).map(|(_, trace)| trace.clone()).collect()
    }

    /// Everything is durable now.
    pub fn written(&mut self) {
        self.fresh.clear();
    }

    /// Puts back what was durable.
    pub fn restore(&mut self, mut kept: Trace) {
        for look in [&mut kept.good, &mut kept.bad].into_iter().flatten() {
            look.detail = look.detail.chars().take(Look::DETAIL).collect();
        }
        let place = (kept.rung.clone(), kept.terminal.clone());
        if let Some(trace) = self.of(&place) {
            *trace = kept;
        }
    }

    /// Puts in what only the strips know: a rung was good until so late, in whatever words.
    pub fn was_good(&mut self, place: &Place, at: model::Timestamp) {
        let Some(trace) = self.of(place) else { return };
        if trace.good.as_ref().is_none_or(|good| good.at < at) {
            trace.good = Some(Look { at, is: model::past::GOOD.to_owned(), detail: String::new() });
        }
    }

    /// The bytes in memory, about.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let look = |look: &Option<Look>| look.as_ref().map_or(0, |look| look.is.len() + look.detail.len());
        let trace = |trace: &Trace| size_of::<Trace>() + 100 + look(&trace.good) + look(&trace.bad);
        self.all.values().map(trace).sum()
    }
}

#[cfg(test)]
mod tests {
    use model::{Rung, Symptom};

    use super::*;

    fn seen(outcome: Outcome, second: i64, detail: &str) -> [Observation; 1] {
        let at = model::Timestamp::from_second(second).unwrap();
        [Observation {
            rung: Rung::Gateway,
            terminal: None,
            outcome,
            at,
            took_ms: 1.0,
            detail: detail.into(),
        }]
    }

    #[test]
    fn the_last_good_and_the_first_bad_look_are_remembered_with_their_facts() {
        let mut traces = Traces::default();
        let silent = Outcome::Bad(Symptom::Silent);
        traces.take(&seen(Outcome::Good, 10, "fe80::1"));
        assert!(traces.unwritten(false).is_empty(), "a good look is no news");
        traces.take(&seen(Outcome::Good, 20, "fe80::2"));
        traces.take(&seen(silent, 30, "no answer"));
        traces.take(&seen(Outcome::Skipped, 40, ""));
        traces.take(&seen(silent, 50, "still none"));
        let [trace] = traces.unwritten(false).try_into().unwrap();
        let told = |look: Option<Look>| look.map(|look| (look.at.as_second(), look.is, look.detail)).unwrap();
        assert_eq!(told(trace.good), (20, "good".into(), "fe80::2".into()));
        assert_eq!(told(trace.bad), (30, "silent".into(), "no answer".into()));
        traces.written();
        traces.take(&seen(Outcome::Good, 60, ""));
        traces.take(&seen(silent, 70, "again"));
        assert_eq!(told(traces.unwritten(false)[0].bad.clone()).0, 70);
    }
}
