//! What the relay lives through until the power goes: some requests, and what else happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use clinic::check::Wrong;

use super::seen::Seen;
use super::trace::Done;
use super::traced::Traced;
use super::{Odd, Way};
use crate::powercut::cut::Chance;
use crate::powercut::outside::{names, partner, request};
use crate::powercut::place::{ANSWERS, HOME, Place, REQUESTS};
use crate::powercut::replay::{LOOK, PATIENCE};
use crate::powercut::tally;

/// So many numbers of requests are a point's own.
pub const RESERVED: u64 = 8;
/// How many requests it carries.
const ROUNDS: u64 = 3;
/// How many things may be seen at most before the power goes.
const SEEN: usize = 9;
/// How large a number by chance is at most.
const NTH: usize = 10;
/// A log's segment is full at once, so that new ones are begun.
const SEGMENT: &str = "segment=bytes:40";

/// One life after another.
pub struct Life<'a> {
    /// Where.
    pub place: &'a Place,
    /// The relay.
    pub program: &'a Path,
    /// How.
    pub way: &'a Way,
    /// The flush that is left out.
    pub flush: Option<&'a str>,
    /// Whether it can die by itself.
    pub dies: bool,
    /// The number of the first request.
    pub first: u64,
}

impl Life<'_> {
    /// Lives until the power goes. Returns all that was done on the box's disk.
    pub fn live(&self, chance: &mut Chance) -> Result<Vec<Done>, Wrong> {
        let mut world = World {
            seen: Seen::at(self.place),
            gone: BTreeSet::new(),
            put: 0,
            odd: false,
            decided: tally::outcomes(self.place)?.len(),
            replaced: None,
            events: 0,
        };
        for (nth, dies) in self.way.dies.iter().enumerate() {
            let relay = self.start(Some(dies), chance)?;
            let enough = self.enough(&world, true, chance);
            self.run(&mut world, relay, enough)?;
            if nth == 0 && self.way.odd == Odd::Replaced {
                self.replace()?;
                world.replaced = Some(self.known().unwrap_or_default());
            }
        }
        let relay = self.start(self.way.ends, chance)?;
        let enough = self.enough(&world, self.way.ends.is_some(), chance);
        self.run(&mut world, relay, enough)?;
        let mut done = world.seen.done;
        done.sort_by_key(|done| done.at);
        Ok(done)
    }

    /// How much has to be seen before the relay is killed, if it does not die by itself.
    fn enough(&self, world: &World<'_>, by_itself: bool, chance: &mut Chance) -> usize {
        let some = world.events + chance.below(SEEN) + 1;
        if by_itself && self.dies { usize::MAX } else { some }
    }

    /// Until the relay dies, or so much was seen, or there is nothing more to be seen.
    fn run(&self, world: &mut World<'_>, mut relay: Traced, enough: usize) -> Result<(), Wrong> {
        let end = Instant::now() + PATIENCE;
        while !relay.died()? && world.events < enough && Instant::now() < end {
            let before = world.events;
            self.turn(world)?;
            if self.is_over(world)? {
                break;
            }
            if world.events == before {
                std::thread::park_timeout(LOOK);
            }
        }
        world.seen.done.extend(relay.end()?);
        Ok(())
    }

    fn turn(&self, world: &mut World<'_>) -> Result<(), Wrong> {
        let outside = world.seen.outside.clone();
        if !self.place.clinic(REQUESTS).is_dir() {
            return Ok(());
        }
        if matches!(self.way.odd, Odd::Returned | Odd::Discarded) && !std::mem::replace(&mut world.odd, true)
        {
            world.seen.put_odd(self.first)?;
        }
        let collected = outside.collected()?;
        let own = (0..world.put).filter(|n| collected.contains(&answer(self.first + n)));
        // A decision is looked for before anything else is done that would make it durable.
        if own.count() as u64 == world.put && world.put < ROUNDS && self.is_decided()? {
            world.seen.put(self.first + world.put)?;
            world.put += 1;
        }
        if world.seen.submit()? {
            world.events += 1;
            if self.way.odd == Odd::Removed {
                world.seen.remove_folder()?;
            }
        }
        world.seen.answer()?;
        world.collect()?;
        let decided = tally::outcomes(self.place)?.len();
        world.events += decided.saturating_sub(std::mem::replace(&mut world.decided, decided));
        Ok(())
    }

    fn is_decided(&self) -> Result<bool, Wrong> {
        let decides = matches!(self.way.odd, Odd::Returned | Odd::Discarded);
        Ok(!decides || tally::odd_are_decided(self.place)?)
    }

    fn is_over(&self, world: &World<'_>) -> Result<bool, Wrong> {
        if world.replaced.is_some() {
            // What was under way is held now, and nothing else moves.
            return Ok(self.known() != world.replaced);
        }
        let collected = world.seen.outside.collected()?;
        let all = world.put == ROUNDS && (0..ROUNDS).all(|n| collected.contains(&answer(self.first + n)));
        Ok(all && self.is_decided()?)
    }

    /// The terminal has another folder for what is staged, and nothing in it.
    fn replace(&self) -> Result<(), Wrong> {
        let staging = self.place.share("sekisho-staging");
        if staging.is_dir() {
            fs::rename(&staging, self.place.application("staged-before"))?;
            fs::create_dir(&staging)?;
        }
        Ok(())
    }

    /// As what the relay knows the terminal.
    fn known(&self) -> Option<Vec<u8>> {
        fs::read(self.place.own("known/t1")).ok()
    }

    fn start(&self, dies: Option<&str>, chance: &mut Chance) -> Result<Traced, Wrong> {
        let dies = dies.map(|dies| dies.replace('*', &(chance.below(NTH) + 1).to_string()));
        let words = [self.flush.map(str::to_owned), dies, Some(SEGMENT.to_owned())];
        let verb = match self.way.odd {
            Odd::Returned => "return",
            Odd::Discarded => "discard",
            _ => "",
        };
        Traced::start(
            Path::new(HOME),
            self.program,
            &words.into_iter().flatten().collect::<Vec<_>>().join(","),
            verb,
        )
    }
}

fn answer(n: u64) -> String {
    partner(&request(n))
}

/// Everybody outside, in the course of some lives.
struct World<'a> {
    seen: Seen<'a>,
    /// Answers that are not on the terminal any more.
    gone: BTreeSet<String>,
    put: u64,
    /// Whether what is no request was put.
    odd: bool,
    /// How many decisions have an outcome.
    decided: usize,
    /// As what the terminal was known when it came up without what it had staged.
    replaced: Option<Vec<u8>>,
    /// How much was seen.
    events: usize,
}

impl World<'_> {
    /// Collects what the terminal does not have any more. What is collected between its rename into the clinic's folder
    /// and the flush of that may be seen twice: known, and not looked for here.
    fn collect(&mut self) -> Result<(), Wrong> {
        for name in names(&self.seen.place.clinic(ANSWERS))? {
            if self.seen.place.share(ANSWERS).join(&name).exists() {
                continue;
            }
            self.events += 1;
            if !self.gone.insert(name.clone()) {
                self.seen.collect(&name)?;
            }
            // The power may go after each of them.
            break;
        }
        Ok(())
    }
}
