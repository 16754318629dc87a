//! Counts what a cut cost, by what everybody outside remembers and what lies in the folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use clinic::check::Wrong;
use model::decision::Verb;
use relay::audit::Entry;

use super::outside::{body, names, stem};
use super::place::{ANSWERS, Place, REQUESTS, Terminal};

/// The letters by which an entry of `attempted` says that it is held.
const HELD: [&str; 3] = ["u.", "n.", "o."];
/// The letter of one whose publication is not known yet.
const DECIDED: &str = "d.";

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Confirmed and never submitted, or answered and never seen.
    pub lost: usize,
    /// Submitted or seen more often than once; a journal number given twice.
    pub doubled: usize,
    /// Not the bytes that were put.
    pub torn: usize,
    /// A person has to look at it.
    pub held: usize,
}

impl Tally {
    /// Counts. The relay has come to rest.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn of(place: &Place) -> Result<Self, Wrong> {
        let outside = |folder: &str| names(&place.outside(folder));
        let (taken, seen) = (names(&place.application("taken"))?, outside("seen")?);
        let held = held(place)?;
        let missing = |wanted: Vec<String>, found: &[String]| {
            let found: BTreeSet<&str> = found.iter().map(|name| stem(name)).collect();
            wanted.iter().filter(|name| !found.contains(name.as_str()) && !held.contains(*name)).count()
        };
        let torn = taken.iter().filter(|name| {
            fs::read(place.application("taken").join(name)).is_ok_and(|bytes| bytes != body(stem(name)))
        });
        let torn = torn.count() + outside("torn")?.len();
        let lost = missing(outside("put")?, &taken) + missing(outside("answered")?, &seen);
        let doubled = again(&taken) + again(&seen) + numbers_given_twice(place)?;
        let mut tally = Self { lost, doubled, torn, held: held.len() };
        tally.add(&Self::of_decisions(place)?);
        Ok(tally)
    }

    /// Of what a person decided. A file that is no request lies where it was put, or is held, or was given back or
    /// discarded; and what the record says was done is done.
    fn of_decisions(place: &Place) -> Result<Self, Wrong> {
        let put = names(&place.outside("odd"))?;
        let lying = names(&place.clinic(REQUESTS))?.into_iter().filter(|name| put.contains(name)).count();
        let held = names(&place.own("attempted/t1"))?;
        let held = held.iter().filter(|entry| put.iter().any(|name| entry.ends_with(&format!("~{name}"))));
        let returned = names(&place.clinic("returned"))?;
        let done = outcomes(place)?.into_iter().filter_map(|(verb, done)| done.then_some(verb));
        let (back, gone): (Vec<Verb>, Vec<Verb>) = done.partition(|verb| *verb == Verb::Return);
        let (kept, done) = (lying + held.count(), back.len() + gone.len());
        let torn = returned.iter().filter(|name| {
            let bytes = |folder: PathBuf| fs::read(folder.join(name)).ok();
            bytes(place.clinic("returned")) != bytes(place.outside("odd"))
        });
        let flaws = journal::chain::verify(&relay::audit::folder(&place.state));
        let flaws = flaws.map_or(0, |found| found.flaws.len());
        Ok(Self {
            lost: put.len().saturating_sub(kept + returned.len() + gone.len()),
            // What the record says was done and is not could be decided again.
            doubled: (kept + done).saturating_sub(put.len()) + returned.len().abs_diff(back.len()),
            torn: torn.count() + flaws,
            held: 0,
        })
    }

    /// Whether nothing is wrong. Held may be what was uncertain to a terminal that lost its state with the box.
    pub fn is_right(&self, terminal: Terminal) -> bool {
        let held = if terminal == Terminal::Near { 0 } else { self.held };
        (self.lost, self.doubled, self.torn, held) == (0, 0, 0, 0)
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.torn += other.torn;
        self.held += other.held;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { lost, doubled, torn, held } = self;
        write!(f, "lost={lost} doubled={doubled} torn={torn} held={held}")
    }
}

/// What is still on its way; none if the relay has come to rest. Listed in the order files travel in, so that nothing
/// slips through from where was not looked yet to where was.
///
/// # Errors
/// A folder cannot be read.
pub fn under_way(place: &Place) -> io::Result<Option<String>> {
    let lying = names(&place.clinic(REQUESTS))?;
    // What a cut left of a file that was being put is left alone, and shown.
    let whole = |name: &&String| {
        let confirmed = place.outside("put").join(name).exists();
        confirmed || fs::read(place.clinic(REQUESTS).join(name)).is_ok_and(|bytes| bytes == body(name))
    };
    if let Some(name) = lying.iter().find(whole) {
        return Ok(Some(format!("{name} in the clinic's folder")));
    }
    // An entry that is no more than remembered or held does not move.
    let moves = |name: &&String| name.starts_with(DECIDED);
    if let Some(name) = names(&place.own("attempted/t1"))?.iter().find(moves) {
        return Ok(Some(format!("{name} in attempted")));
    }
    let staged = place.share("sekisho-staging");
    let rest = [
        staged,
        place.share(REQUESTS),
        place.share(ANSWERS),
        place.own("arriving/t1"),
        place.clinic(ANSWERS),
    ];
    for folder in rest {
        if let Some(name) = names(&folder)?.first() {
            return Ok(Some(format!("{name} in {}", folder.display())));
        }
    }
    Ok(None)
}

/// The requests a person has to look at.
fn held(place: &Place) -> io::Result<BTreeSet<String>> {
    let entries = names(&place.own("attempted/t1"))?.into_iter();
    let held = entries.filter(|entry| HELD.iter().any(|letter| entry.starts_with(letter)));
    Ok(held.filter_map(|entry| Some(entry.split_once('~')?.1.to_owned())).collect())
}

fn again(numbered: &[String]) -> usize {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    numbered.iter().for_each(|name| *times.entry(stem(name)).or_default() += 1);
    times.values().map(|times| times - 1).sum()
}

/// Answers that were recorded under the number of another one: a copy that was never recorded could pass for it.
fn numbers_given_twice(place: &Place) -> Result<usize, Wrong> {
    let folder = place.own("log");
    if !folder.exists() {
        return Ok(0);
    }
    let opened = journal::Log::open(&folder).map_err(|error| Wrong(format!("failed to {error}")))?;
    let mut hashes: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for record in opened.records {
        // Number, time, hash.
        if let (Some(number), Some(hash)) = (record.payload.get(..8), record.payload.get(16..)) {
            hashes.entry(number.to_vec()).or_default().insert(hash.to_vec());
        }
    }
    Ok(hashes.values().map(|hashes| hashes.len() - 1).sum())
}

/// What became of each decision: the verb, and whether it was done. None yet if there is no record.
///
/// # Errors
/// The record cannot be read.
pub fn outcomes(place: &Place) -> Result<Vec<(Verb, bool)>, Wrong> {
    let folder = relay::audit::folder(&place.state);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let found = journal::chain::verify(&folder).map_err(|error| Wrong(format!("failed to {error}")))?;
    let (mut verbs, mut outcomes) = (BTreeMap::new(), Vec::new());
    for link in &found.links {
        match relay::audit::entry(link) {
            Some(Entry::Intent(intent)) => _ = verbs.insert(link.seq, intent.verb),
            Some(Entry::Outcome(outcome)) => {
                outcomes.extend(verbs.remove(&outcome.of).map(|verb| (verb, outcome.done)));
            }
            None => {}
        }
    }
    Ok(outcomes)
}

/// Whether a decision about every file that is no request was carried out.
///
/// # Errors
/// A folder cannot be read.
pub fn odd_are_decided(place: &Place) -> Result<bool, Wrong> {
    let done = outcomes(place)?.iter().filter(|(_, done)| *done).count();
    Ok(done >= names(&place.outside("odd"))?.len())
}

/// The newest answers that were collected: what the application may give again.
pub fn newest(mut answers: Vec<String>, most: usize) -> Vec<String> {
    answers.sort();
    answers.split_off(answers.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::powercut::outside::{Outside, partner, request};

    /// Two requests that went their whole way, without any relay.
    fn whole() -> (tempfile::TempDir, Outside) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::below(folder.path());
        place.furnish().unwrap();
        for path in [place.clinic(REQUESTS), place.clinic(ANSWERS), place.own("attempted/t1")] {
            fs::create_dir_all(path).unwrap();
        }
        let outside = Outside { place };
        for n in 0..2 {
            outside.put(n).unwrap();
            carry(&outside, n);
        }
        (folder, outside)
    }

    fn carry(outside: &Outside, n: u64) {
        let (place, request) = (&outside.place, request(n));
        let to = place.share(REQUESTS).join(&request);
        fs::rename(place.clinic(REQUESTS).join(&request), to).unwrap();
        assert!(outside.turn().unwrap());
        let answer = partner(&request);
        let to = place.clinic(ANSWERS).join(&answer);
        fs::rename(place.share(ANSWERS).join(&answer), to).unwrap();
        assert!(outside.turn().unwrap());
        assert!(!outside.turn().unwrap());
    }

    #[test]
    fn what_went_its_way_once_is_right() {
        let (_folder, outside) = whole();
        assert_eq!(Tally::of(&outside.place).unwrap(), Tally::default());
        assert_eq!(under_way(&outside.place).unwrap(), None);
    }

    #[test]
    fn a_confirmed_request_that_is_nowhere_and_an_answer_nobody_saw_are_lost() {
        let (_folder, outside) = whole();
        outside.put(2).unwrap();
        assert!(under_way(&outside.place).unwrap().is_some());
        fs::remove_file(outside.place.clinic(REQUESTS).join(request(2))).unwrap();
        assert_eq!(Tally::of(&outside.place).unwrap(), Tally { lost: 1, ..Tally::default() });
        fs::remove_file(outside.place.outside("seen").join(format!("{}.0", partner(&request(1))))).unwrap();
        assert_eq!(Tally::of(&outside.place).unwrap(), Tally { lost: 2, ..Tally::default() });
    }

    #[test]
    fn a_request_taken_twice_and_an_answer_seen_after_it_was_collected_are_doubled() {
        let (_folder, outside) = whole();
        let place = &outside.place;
        fs::write(place.share(REQUESTS).join(request(0)), body(&request(0))).unwrap();
        let answer = partner(&request(1));
        fs::write(place.clinic(ANSWERS).join(&answer), body(&answer)).unwrap();
        assert!(outside.turn().unwrap());
        assert_eq!(Tally::of(place).unwrap(), Tally { doubled: 2, ..Tally::default() });
    }

    #[test]
    fn an_answer_seen_and_not_collected_before_the_cut_is_seen_once() {
        let (_folder, outside) = whole();
        let answer = partner(&request(1));
        fs::remove_file(outside.place.outside("collected").join(&answer)).unwrap();
        fs::write(outside.place.clinic(ANSWERS).join(&answer), body(&answer)).unwrap();
        assert!(outside.turn().unwrap());
        assert_eq!(Tally::of(&outside.place).unwrap(), Tally::default());
    }

    #[test]
    fn other_bytes_than_were_put_are_torn_both_ways() {
        let (_folder, outside) = whole();
        let place = &outside.place;
        fs::write(place.application("taken").join(format!("{}.0", request(0))), b"").unwrap();
        let answer = partner(&request(7));
        fs::write(place.clinic(ANSWERS).join(&answer), b"<XmlMsg>").unwrap();
        assert!(outside.turn().unwrap());
        assert_eq!(Tally::of(place).unwrap(), Tally { torn: 2, ..Tally::default() });
    }

    #[test]
    fn a_held_request_is_not_lost_and_its_unfinished_put_is_nobodys() {
        let (_folder, outside) = whole();
        let place = &outside.place;
        outside.put(2).unwrap();
        let entry = format!("u.5.0123456789abcdef.receipt.req~{}", request(2));
        fs::rename(place.clinic(REQUESTS).join(request(2)), place.own("attempted/t1").join(entry)).unwrap();
        fs::write(place.clinic(REQUESTS).join(request(3)), b"<Xml").unwrap();
        assert_eq!(Tally::of(place).unwrap(), Tally { held: 1, ..Tally::default() });
        assert_eq!(under_way(place).unwrap(), None);
    }

    #[test]
    fn what_a_person_decided_is_done_if_and_only_if_the_record_says_so() {
        let (_folder, outside) = whole();
        let (place, name) = (&outside.place, "memo-7.txt");
        fs::create_dir_all(place.clinic("returned")).unwrap();
        fs::write(place.outside("odd").join(name), b"memo").unwrap();
        let (lying, returned) = (place.clinic(REQUESTS).join(name), place.clinic("returned").join(name));
        let tally = || Tally::of(place).unwrap();
        assert_eq!(tally(), Tally { lost: 1, ..Tally::default() }, "it is nowhere");
        fs::write(&lying, b"memo").unwrap();
        assert_eq!(tally(), Tally::default());
        assert!(!odd_are_decided(place).unwrap());
        let audit = relay::audit::Audit::open(&place.state, "2026-11-25T03:00:00Z".parse().unwrap()).unwrap();
        let of = audit.intend(intent()).unwrap();
        assert_eq!(tally(), Tally::default(), "that is no outcome yet");
        audit.end(of, true, false).unwrap();
        assert!(odd_are_decided(place).unwrap());
        assert!(tally().doubled > 0, "it lies there still");
        fs::rename(&lying, &returned).unwrap();
        assert_eq!(tally(), Tally::default());
        fs::write(&returned, b"me").unwrap();
        assert_eq!(tally(), Tally { torn: 1, ..Tally::default() });
    }

    fn intent() -> relay::audit::Intent {
        relay::audit::Intent {
            at: "2026-11-25T03:00:00Z".parse().unwrap(),
            actor: model::decision::Actor { name: "root".into(), uid: 0 },
            verb: Verb::Return,
            end: "t1".into(),
            kind: "unknown".into(),
            number: 7,
            hash: "0123abcd".into(),
            held: model::parcel::HeldReason::UnknownKind,
            reason: model::decision::Reason::new("no request").unwrap(),
        }
    }

    #[test]
    fn a_number_given_to_two_answers_is_doubled() {
        let (_folder, outside) = whole();
        let mut log = journal::Log::open(&outside.place.own("log")).unwrap().log;
        let record = |number: u64, hash: u8| [number.to_le_bytes().as_slice(), &[0; 8], &[hash; 32]].concat();
        log.append(&[&record(1, 1), &record(2, 2), &record(2, 2), &record(2, 3)]).unwrap();
        drop(log);
        assert_eq!(Tally::of(&outside.place).unwrap(), Tally { doubled: 1, ..Tally::default() });
    }
}
