//! The relay in the small world, as the lane lives: turn by turn, several files at a time, each effect for all of them
//! that want it, with one flush. What it forgets with its life is in no field of the world.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Act, Bytes, Ended, Entry, Flush, Kind, NAMES, Over, World};
use crate::request::{Effect, Event, Found, Mark, State};
use crate::whole::{End, Look, Ripeness, Writer, ripen};

/// An attempt, as a life knows it.
#[derive(Clone, Copy, Debug)]
struct Open {
    stage: u64,
    entry: Entry,
    state: State,
    again: bool,
}

impl World {
    /// Lives through the schedule and then long enough in peace.
    pub fn live(&mut self) {
        for _ in 0..200 {
            let left = self.fates.len();
            let lived = self.run().is_ok();
            // Nothing is done any more: no schedule can change that. The client and the application finish.
            if lived && self.fates.len() == left {
                (0..NAMES).for_each(|name| self.act(Act::Close(name)));
                self.app_looks();
                if self.run().is_ok() {
                    self.app_looks();
                    return;
                }
            }
        }
    }

    /// One life of the process, turn by turn, until nothing is left to be done.
    fn run(&mut self) -> Result<(), Over> {
        self.connected = false;
        let reopen = |(stage, entry): (&u64, &Entry)| {
            (*stage, Open { stage: *stage, entry: *entry, state: entry.mark.state(), again: false })
        };
        let mut open: BTreeMap<u64, Open> = self.now().attempted.iter().map(reopen).collect();
        for _ in 0..30 {
            let before = (self.fates.len(), self.stages, self.connected);
            self.turn(&mut open)?;
            let doubts = open.values().any(|open| open.state == State::Doubtful);
            if before == (self.fates.len(), self.stages, self.connected) && !doubts {
                break;
            }
        }
        Ok(())
    }

    /// One turn, as the lane takes it.
    fn turn(&mut self, open: &mut BTreeMap<u64, Open>) -> Result<(), Over> {
        if self.connected {
            self.judge(open, |open| open.again)?;
        } else {
            self.connect(open)?;
        }
        self.carry(open)?;
        self.answer(open)
    }

    /// Connects, and sees how everything stands. Nothing is begun before that has succeeded.
    fn connect(&mut self, open: &mut BTreeMap<u64, Open>) -> Result<(), Over> {
        self.connected = true;
        self.connected = self.remote(|_| ())? == Ended::Done && self.settle_doubts(open)? && self.connected;
        Ok(())
    }

    fn settle_doubts(&mut self, open: &mut BTreeMap<u64, Open>) -> Result<bool, Over> {
        let identity = self.there().identity;
        self.judge(open, |_| true)?;
        // Another folder is not known before everything it puts in doubt is noted.
        if self.known != Some(identity) && open.values().any(|open| open.entry.mark == Mark::Decided) {
            return Ok(false);
        }
        let owned = |stage: &u64| open.get(stage).is_some_and(|open| open.entry.mark == Mark::Decided);
        let swept: Vec<u64> = self.there().staging.keys().filter(|stage| !owned(stage)).copied().collect();
        if self.known == Some(identity) && swept.is_empty() {
            return Ok(true);
        }
        // What was noted comes first: the next life would judge by what it finds there.
        if self.road.without != Some(Flush::Noted) && self.flush()? != Ended::Done {
            return Ok(false);
        }
        if self.known != Some(identity) && self.local(|world| world.known = Some(identity))? != Ended::Done {
            return Ok(false);
        }
        swept.into_iter().try_for_each(|stage| self.discard(stage))?;
        Ok(true)
    }

    /// Sees what became of attempts that are not certain.
    fn judge(&mut self, open: &mut BTreeMap<u64, Open>, which: fn(&Open) -> bool) -> Result<(), Over> {
        if !open.values().any(which) {
            return Ok(());
        }
        // As the box's own folders, where a flush can be asked for at all.
        let there = |world: &mut Self| world.terminal = vec![world.there().clone()];
        if self.kind == Kind::Local
            && self.road.without != Some(Flush::There)
            && self.remote(there)? != Ended::Done
        {
            return Ok(());
        }
        let other = self.known != Some(self.there().identity);
        let mut going = Vec::new();
        for one in open.values().filter(|one| which(one)) {
            let found = Found {
                staged: self.there().staging.contains_key(&one.stage),
                other_folder: other,
                over: self.old.contains(&one.entry.put.number),
            };
            going.extend((self.road.found)(one.state, found).map(|event| (*one, event)));
        }
        if going.is_empty() {
            return Ok(());
        }
        if self.road.without != Some(Flush::Doubtful) && self.flush()? != Ended::Done {
            return Ok(());
        }
        self.walk(open, going)
    }

    /// Carries what is ripe.
    fn carry(&mut self, open: &mut BTreeMap<u64, Open>) -> Result<(), Over> {
        let mut going = Vec::new();
        for (name, file) in self.now().req.clone() {
            let look = Look {
                size: 1,
                stamp: file.put.version,
                writer: if file.open { Writer::Open } else { Writer::None },
                end: if file.whole { End::Right } else { End::Wrong },
            };
            let ripe = ripen(None, look, u64::MAX, Instant::now()).1 == Ripeness::Ripe;
            if !ripe || self.old.contains(&file.put.number) || !self.connected {
                continue;
            }
            self.stages += 1;
            let entry = Entry { put: file.put, name, mark: Mark::Decided };
            let open = Open { stage: self.stages, entry, state: State::Lying, again: false };
            going.push((open, Event::Ripe));
        }
        if going.is_empty() { Ok(()) } else { self.walk(open, going) }
    }

    /// The link application answers what it took: that settles it.
    fn answer(&mut self, open: &mut BTreeMap<u64, Open>) -> Result<(), Over> {
        for one in open.values().copied().collect::<Vec<_>>() {
            let taken = self.submitted.iter().any(|(put, _)| put.number == one.entry.put.number);
            let over = self.old.contains(&one.entry.put.number);
            let event = match (taken, over) {
                (true, _) => Event::Answered,
                (_, true) => Event::TimeOver,
                _ => continue,
            };
            if one.state == State::Submitted && (self.road.step)(one.state, event).1 == Some(Effect::Settle) {
                open.remove(&one.stage);
                self.local(|world| world.change(|disk| _ = disk.attempted.remove(&one.stage)))?;
            }
        }
        Ok(())
    }

    /// Walks several as far as they go now, each effect for all of them that want it.
    fn walk(&mut self, open: &mut BTreeMap<u64, Open>, mut going: Vec<(Open, Event)>) -> Result<(), Over> {
        let mut ended = Vec::new();
        let mut events: Vec<Option<Event>> = going.iter().map(|(_, event)| Some(*event)).collect();
        let mut effects: Vec<Option<Effect>> = vec![None; going.len()];
        loop {
            for (at, event) in events.iter_mut().enumerate() {
                if let Some(event) = event.take() {
                    (going[at].0.state, effects[at]) = (self.road.step)(going[at].0.state, event);
                }
            }
            let Some(next) = effects.iter().flatten().map(|effect| effect.rank()).min() else { break };
            let group: Vec<usize> = (0..going.len())
                .filter(|at| effects[*at].is_some_and(|effect| effect.rank() == next))
                .collect();
            for at in &group {
                let effect = effects[*at].take();
                events[*at] = effect.map(|effect| self.perform(effect, &mut going[*at].0)).transpose()?;
            }
            if next == Effect::Decide.rank() {
                self.flush_decisions(&group, &mut events)?;
            }
        }
        for (one, _) in going {
            if one.state == State::Lying {
                ended.push(one.stage);
                open.remove(&one.stage);
            } else {
                open.insert(one.stage, Open { again: one.state == State::Doubtful, ..one });
            }
        }
        // Nothing speaks of them.
        ended.into_iter().try_for_each(|stage| self.discard(stage))
    }

    fn perform(&mut self, effect: Effect, one: &mut Open) -> Result<Event, Over> {
        let (stage, entry) = (one.stage, one.entry);
        match effect {
            Effect::Stage => {
                let staged = self.remote(move |world| {
                    world.change_there(move |there| {
                        _ = there.staging.insert(stage, (entry.put, Bytes::Unflushed));
                    });
                })?;
                if staged != Ended::Done || self.road.without == Some(Flush::Staged) {
                    return Ok(unclear(staged));
                }
                let flushed = self.remote(move |world| world.flush_staged(stage))?;
                Ok(unclear(flushed))
            }
            Effect::Decide => self.decide(one),
            Effect::Publish => self.publish(stage, entry),
            Effect::Note(mark) => {
                let noted = self.local(move |world| {
                    world.change(move |disk| {
                        if let Some(entry) = disk.attempted.get_mut(&stage) {
                            entry.mark = mark;
                        }
                    });
                })?;
                if noted == Ended::Done {
                    one.entry.mark = mark;
                }
                Ok(if noted == Ended::Done { Event::Done } else { Event::Failed })
            }
            Effect::Settle => Ok(Event::Done),
        }
    }

    /// Moves one, if it still is what was read and nobody writes it.
    fn decide(&mut self, one: &Open) -> Result<Event, Over> {
        let (stage, entry, blind) = (one.stage, one.entry, self.road.blind);
        let mut moved = false;
        let ended = self.local(|world| {
            let lies = world.now().req.get(&entry.name).copied();
            let Some(file) = lies.filter(|file| blind || (file.put == entry.put && !file.open)) else {
                return;
            };
            let entry = Entry { put: file.put, ..entry };
            world.change(|disk| {
                disk.req.remove(&entry.name);
                disk.attempted.insert(stage, entry);
            });
            moved = true;
        })?;
        Ok(if ended == Ended::Done && moved { Event::Done } else { Event::Failed })
    }

    /// One flush for all that were moved. If it fails, they lie in `attempted`, and a cut may take that back.
    fn flush_decisions(&mut self, group: &[usize], events: &mut [Option<Event>]) -> Result<(), Over> {
        if !group.iter().any(|at| events[*at] == Some(Event::Done)) {
            return Ok(());
        }
        if self.road.without != Some(Flush::Decision) && self.flush()? != Ended::Done {
            let moved =
                group.iter().filter(|at| events[**at] == Some(Event::Done)).copied().collect::<Vec<_>>();
            moved.into_iter().for_each(|at| events[at] = Some(Event::Unclear));
        }
        Ok(())
    }

    fn publish(&mut self, stage: u64, entry: Entry) -> Result<Event, Over> {
        let mut outcome = Event::Unclear;
        let ended = self.remote(|world| {
            outcome = match (world.there().staging.get(&stage), world.there().req.contains_key(&entry.name)) {
                (None, _) => Event::StagedIsGone,
                (Some(_), true) => Event::NameTaken,
                (Some(staged), false) => {
                    let staged = *staged;
                    world.change_there(|there| {
                        there.staging.remove(&stage);
                        there.req.insert(entry.name, staged);
                    });
                    Event::Done
                }
            };
        })?;
        if ended != Ended::Done {
            return Ok(Event::Unclear);
        }
        if self.kind == Kind::Local && outcome == Event::Done {
            let flushed = self.remote(|world| world.terminal = vec![world.there().clone()])?;
            return Ok(if flushed == Ended::Done { Event::Done } else { Event::Unclear });
        }
        Ok(outcome)
    }

    fn discard(&mut self, stage: u64) -> Result<(), Over> {
        self.remote(|world| world.change_there(|there| _ = there.staging.remove(&stage))).map(drop)
    }
}

const fn unclear(ended: Ended) -> Event {
    match ended {
        Ended::Done => Event::Done,
        Ended::Refused | Ended::Lost => Event::Unclear,
    }
}
