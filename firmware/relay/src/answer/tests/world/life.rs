//! The relay in the small world, as the lane lives: turn by turn, several files at a time, each effect for all of them
//! that want it, with one flush. What it forgets with its life is in no field of the world.

use std::time::Instant;

use super::{Act, Answer, CONSUMERS, Consumer, Copy, Ended, Fate, File, Flush, NAMES, Name, Over, World};
use crate::answer::{Effect, Event, State};
use crate::whole::{End, Look, Ripeness, Writer, ripen};

/// A file on its way in.
struct Coming {
    name: Name,
    file: File,
    number: u64,
    state: State,
    event: Option<Event>,
    effect: Option<Effect>,
}

/// Recorded copies that could not be shown yet.
type Blocked = Vec<(u64, Consumer, Name)>;

impl World {
    /// Lives through the schedule and then long enough in peace.
    pub fn live(&mut self) {
        for _ in 0..200 {
            let left = self.fates.len();
            let lived = self.run().is_ok();
            // Nothing is done any more: no schedule can change that. Everybody finishes what he began.
            if lived && self.fates.len() == left {
                (0..NAMES).for_each(|name| self.act(Act::Close(name)));
                for _ in 0..NAMES + 1 {
                    (0..CONSUMERS).for_each(|consumer| self.collect(consumer));
                    if self.run().is_err() {
                        return;
                    }
                }
                (0..CONSUMERS).for_each(|consumer| self.collect(consumer));
                return;
            }
        }
    }

    /// One life of the process, turn by turn, until nothing is left to be done.
    fn run(&mut self) -> Result<(), Over> {
        self.connected = false;
        if std::mem::take(&mut self.jumped) && self.road.forgets {
            self.change(|disk| disk.recorded.clear());
        }
        for flush in [Flush::Log, Flush::Found] {
            if self.flush(flush)? != Ended::Done {
                return Err(Over);
            }
        }
        self.showing = false;
        let mut blocked = self.recover()?;
        for _ in 0..30 {
            let before = (self.fates.len(), self.numbers, self.terminal.len(), blocked.len());
            if !self.connected {
                self.connected = true;
                self.connected = self.remote(|_| ())? == Ended::Done && self.connected;
            }
            self.look(&mut blocked)?;
            self.unblock(&mut blocked)?;
            if before == (self.fates.len(), self.numbers, self.terminal.len(), blocked.len()) {
                break;
            }
        }
        Ok(())
    }

    /// Takes up the copies a former run left: recorded ones are shown, the others were nobody's yet.
    fn recover(&mut self) -> Result<Blocked, Over> {
        let mut blocked = Vec::new();
        for ((number, consumer), copy) in self.now().arriving.clone() {
            if self.now().recorded.values().any(|recorded| *recorded == number) {
                blocked.push((number, consumer, copy.answer.name));
            } else {
                self.local(|disk| _ = disk.arriving.remove(&(number, consumer)))?;
            }
        }
        Ok(blocked)
    }

    fn look(&mut self, blocked: &mut Blocked) -> Result<(), Over> {
        let mut coming = Vec::new();
        for (name, file) in self.terminal.clone() {
            let look = Look {
                size: 1,
                stamp: file.answer.version,
                writer: if file.open { Writer::Open } else { Writer::None },
                end: if file.whole { End::Right } else { End::Wrong },
            };
            let ripe = ripen(None, look, u64::MAX, Instant::now()).1 == Ripeness::Ripe;
            if !ripe || self.remote(|_| ())? != Ended::Done {
                continue;
            }
            let seen = self.now().recorded.get(&file.answer).copied();
            let waits = seen.is_some_and(|seen| blocked.iter().any(|(number, ..)| *number == seen));
            let (state, event) = (self.road.begin)(seen.is_some(), waits);
            self.numbers += u64::from(seen.is_none());
            coming.push(Coming { name, file, number: self.numbers, state, event, effect: None });
        }
        self.walk(&mut coming, blocked)?;
        for one in coming.iter_mut().filter(|one| one.effect == Some(Effect::Remove)) {
            one.event = Some(self.remove(one.name, one.file)?);
            (one.state, one.effect) = (self.road.step)(one.state, one.event.take().unwrap_or(Event::Failed));
        }
        Ok(())
    }

    fn walk(&mut self, coming: &mut [Coming], blocked: &mut Blocked) -> Result<(), Over> {
        loop {
            for one in coming.iter_mut() {
                if let Some(event) = one.event.take() {
                    (one.state, one.effect) = (self.road.step)(one.state, event);
                }
            }
            let next = coming.iter().filter_map(|one| one.effect).filter(|effect| *effect != Effect::Remove);
            let Some(next) = next.min_by_key(|effect| effect.rank()) else { return Ok(()) };
            let mut group: Vec<&mut Coming> =
                coming.iter_mut().filter(|one| one.effect == Some(next)).collect();
            match next {
                Effect::Copy => self.copy(&mut group)?,
                Effect::Record => self.record(&mut group)?,
                Effect::Show => self.show_all(&mut group, blocked)?,
                Effect::Remove => {}
            }
            group.into_iter().for_each(|one| one.effect = None);
        }
    }

    fn copy(&mut self, group: &mut [&mut Coming]) -> Result<(), Over> {
        for one in group {
            let (number, answer) = (one.number, one.file.answer);
            let mut copied = self.local(|disk| {
                let copy = Copy { answer, whole: false };
                disk.arriving.extend((0..CONSUMERS).map(|consumer| ((number, consumer), copy)));
            })?;
            if copied == Ended::Done {
                self.change(|disk| {
                    let own = disk.arriving.iter_mut().filter(|((own, _), _)| *own == number);
                    own.for_each(|(_, copy)| copy.whole = true);
                });
                copied = self.flush(Flush::Copies)?;
            }
            if copied != Ended::Done {
                self.abandon(number);
            }
            one.event = Some(if copied == Ended::Done { Event::Done } else { Event::Failed });
        }
        Ok(())
    }

    fn abandon(&mut self, number: u64) {
        self.change(|disk| disk.arriving.retain(|(own, _), _| *own != number));
    }

    /// One append and one flush for all of them. A flush that fails ends this life: its outcome is not known.
    fn record(&mut self, group: &mut [&mut Coming]) -> Result<(), Over> {
        let records: Vec<(Answer, u64)> = group.iter().map(|one| (one.file.answer, one.number)).collect();
        let recorded = self.local(|disk| disk.recorded.extend(records.iter().copied()))?;
        if recorded == Ended::Done && self.flush(Flush::Record)? != Ended::Done {
            return Err(Over);
        }
        for one in group {
            if recorded != Ended::Done {
                self.abandon(one.number);
            }
            one.event = Some(if recorded == Ended::Done { Event::Done } else { Event::Failed });
        }
        Ok(())
    }

    fn show_all(&mut self, group: &mut [&mut Coming], blocked: &mut Blocked) -> Result<(), Over> {
        let copies: Vec<(u64, Consumer, Name)> = group
            .iter()
            .flat_map(|one| (0..CONSUMERS).map(|consumer| (one.number, consumer, one.file.answer.name)))
            .collect();
        let waiting = self.show(copies)?;
        for one in group {
            let waits = waiting.iter().any(|(number, ..)| *number == one.number);
            one.event = Some(if waits { Event::Failed } else { Event::Done });
        }
        blocked.extend(waiting);
        Ok(())
    }

    /// Shows copies, with one flush; gives those that do not stand in their folder for certain.
    fn show(&mut self, copies: Blocked) -> Result<Blocked, Over> {
        self.showing = true;
        let mut waiting = Vec::new();
        for (number, consumer, name) in copies.iter().copied() {
            // What is not there any more was moved by an earlier try whose flush failed.
            let Some(copy) = self.now().arriving.get(&(number, consumer)).copied() else { continue };
            let taken = self.now().shown.contains_key(&(consumer, name));
            let moved = self.local(|disk| {
                if !disk.shown.contains_key(&(consumer, name)) {
                    disk.arriving.remove(&(number, consumer));
                    disk.shown.insert((consumer, name), copy);
                }
            })?;
            if taken || moved != Ended::Done {
                waiting.push((number, consumer, name));
            }
        }
        self.showing = self.flush(Flush::Shown)? != Ended::Done;
        Ok(if self.showing { copies } else { waiting })
    }

    fn unblock(&mut self, blocked: &mut Blocked) -> Result<(), Over> {
        if (self.road.step)(State::Blocked, Event::Again).1 == Some(Effect::Show) && !blocked.is_empty() {
            *blocked = self.show(std::mem::take(blocked))?;
        }
        Ok(())
    }

    /// Removes a file on the terminal, unless it changed since it was read or somebody holds it.
    fn remove(&mut self, name: Name, read: File) -> Result<Event, Over> {
        let (mut same, blind) = (false, self.road.blind);
        let ended = self.remote(|world| {
            let lies = world.terminal.get(&name).copied();
            same = lies.is_some_and(|lies| blind || (lies.answer == read.answer && !lies.open));
            if same {
                world.removed.extend(world.terminal.remove(&name).map(|file| (name, file)));
            }
        })?;
        Ok(if ended == Ended::Done && same { Event::Done } else { Event::Failed })
    }
}

/// Everything that may come at one operation.
pub fn each() -> Vec<Fate> {
    let acts = (0..2).flat_map(|name| {
        [
            Act::Put(name),
            Act::Again(name),
            Act::Grow(name),
            Act::Lock(name),
            Act::Close(name),
            Act::Vanish(name),
            Act::Rename(name),
        ]
        .map(Fate::App)
    });
    let others = [
        Fate::Refused,
        Fate::ReplyLost,
        Fate::Disconnect,
        Fate::Kill,
        Fate::TerminalCut,
        Fate::Collects(0),
        Fate::Collects(1),
        Fate::ClockJumps,
    ];
    others.into_iter().chain((0..6).map(Fate::Cut)).chain(acts).collect()
}
