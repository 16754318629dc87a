//! The memory of the line: 72 hours of every rung, and the stories of faults, over restarts and pulled plugs.
//!
//! [`Past::take`] is told of every look. [`strips`] keeps the cells, [`stories`] the faults, [`trace`] the last good and
//! the first bad look of each rung; all three are pure and have an end in memory. [`keep`] writes them to an append log:
//! a new fault, and the end of one that stood, at once; cells ten minutes after a change and hourly in calm; and never
//! more than [`ink`] lets flow, which is 1 MiB a day.

mod columns;
mod ink;
mod keep;
pub(crate) mod record;
mod runs;
mod stories;
mod strips;
mod trace;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::past::{CELL_S, CELLS};
use model::{Observation, Timestamp, Verdict};

use keep::{Keeper, Wanted};
use record::{Cells, Record};
use stories::{Seen, Stories};
use strips::Strips;
use trace::Traces;

/// A moment by both clocks: the one that may be set, and the one that only goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    wall: Timestamp,
    up: Duration,
}

/// The memory of the line, for who writes it and who asks.
#[derive(Clone, Debug)]
pub struct Past {
    memory: Arc<Mutex<Memory>>,
    began: Instant,
}

impl Past {
    /// Reads what is kept in a folder of `state_dir`, and keeps it there from now on. Whatever is wrong with it is said
    /// in the log and keeps nobody from anything.
    pub fn load(state_dir: &Path) -> Self {
        let memory = Memory::load(&state_dir.join("past"), Timestamp::now());
        Self { memory: Arc::new(Mutex::new(memory)), began: Instant::now() }
    }

    /// Takes in what was seen and what follows from it.
    pub fn take(&self, ladder: &[Observation], verdict: &Verdict, now: Timestamp) {
        let moment = Moment { wall: now, up: self.began.elapsed() };
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).take(ladder, verdict, moment);
    }

    /// What is remembered, in cells of about so many seconds: a whole number of ours, and a part of 72 hours.
    pub fn tell(&self, cell_s: u32) -> model::past::Past {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).tell(cell_s)
    }
}

/// All that is remembered.
#[derive(Debug)]
struct Memory {
    strips: Strips,
    stories: Stories,
    traces: Traces,
    keeper: Keeper,
}

impl Memory {
    fn load(folder: &Path, now: Timestamp) -> Self {
        let (keeper, records) = Keeper::open(folder, now);
        let (strips, stories, traces) = (Strips::default(), Stories::default(), Traces::default());
        let mut memory = Self { strips, stories, traces, keeper };
        for record in records {
            memory.restore(record);
        }
        memory.join();
        memory
    }

    fn restore(&mut self, record: Record) {
        match record {
            Record::Cells(cells) => self.strips.restore(&cells),
            Record::Story(story) => self.stories.restore(story),
            Record::Trace(trace) => self.traces.restore(trace),
            Record::Ink { .. } | Record::Base { .. } | Record::Unknown => {}
        }
    }

    /// The strips were written more often than the rest, and know to the cell what that knows to the second.
    fn join(&mut self) {
        if let Some(until) = self.strips.end() {
            self.stories.were_seen(until);
        }
        for place in self.strips.places() {
            if let Some(at) = self.strips.last_good(&place) {
                self.traces.was_good(&place, at);
            }
        }
    }

    fn take(&mut self, ladder: &[Observation], verdict: &Verdict, moment: Moment) {
        self.strips.take(ladder, moment);
        self.traces.take(ladder);
        self.stories.take(verdict, Seen { ladder, traces: &self.traces, now: moment.wall });
        let wanted = Wanted {
            urgent: self.stories.is_urgent(),
            news: self.stories.has_news() || self.strips.has_news(),
        };
        if self.keeper.is_due(wanted, moment.up) {
            self.write(moment);
        }
    }

    fn write(&mut self, moment: Moment) {
        let anew = self.keeper.reopen();
        if anew {
            self.strips.unwrite();
        }
        let base = anew || self.keeper.wants_base();
        let cells = self.strips.unwritten(base);
        let records = self.records(&cells, base);
        if self.keeper.write(&records, base, moment) {
            self.strips.written(&cells);
            self.stories.written();
            self.traces.written();
        }
    }

    fn records(&self, cells: &[Cells], everything: bool) -> Vec<Record> {
        let stories = self.stories.unwritten(everything).into_iter().map(Record::Story);
        let traces = self.traces.unwritten(everything).into_iter().map(Record::Trace);
        stories.chain(traces).chain(cells.iter().cloned().map(Record::Cells)).collect()
    }

    fn tell(&self, cell_s: u32) -> model::past::Past {
        let mut of = (cell_s / CELL_S).clamp(1, CELLS);
        while !CELLS.is_multiple_of(of) {
            of -= 1;
        }
        let (words, mut strips) = self.strips.tell(of);
        for strip in &mut strips {
            if let Some(trace) = self.traces.get(&(strip.rung.clone(), strip.terminal.clone())) {
                (strip.last_good, strip.first_bad) = (trace.good.clone(), trace.bad.clone());
            }
        }
        let (to, stories) = (self.strips.end(), self.stories.newest_first());
        model::past::Past { to, cell_s: of * CELL_S, words, strips, stories }
    }

    /// The bytes in memory, about.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.strips.bytes() + self.stories.bytes() + self.traces.bytes()
    }
}

#[cfg(test)]
mod tests;
