//! 72 hours of every rung in cells of ten seconds, but for the box's own: what is wrong with the box is a story, and ten
//! more strips would cost flash every hour. Pure: looks go in, cells come out.
//!
//! A cell shows the greatest mark ([`Mark`]) of the looks that fell into it; one without a look shows what the look
//! before it saw, for a minute at most. Where nobody looked longer than that, nothing is known.
//!
//! Cells are numbered by the box's own clock, which may be wrong. One that goes back, or forward beyond all that is
//! remembered, is believed once a time server confirms it or after ten minutes; until then no cell is written. When one
//! that went back is believed, the cells after it were those of a wrong clock, and go.

use std::time::Duration;

use model::observation::Branch;
use model::past::{CELL_S, CELLS, Mark, Strip, UNKNOWN, word};
use model::{Observation, Outcome, Rung, Timestamp};

use super::Moment;
use super::columns::{Columns, Place};
use super::record::Cells;
use super::runs::Runs;

/// Carried on for so many cells without a look.
const CARRIED: i64 = 6;
/// So many cells back are a clock that is put right a little.
const SLACK: i64 = 6;
/// How long a clock that jumped is not believed without a time server's word.
const DOUBT: Duration = Duration::from_secs(600);
/// What a record's cells may be made of; a record has an end.
const RECORD_RUNS: usize = 1000;
const RECORD_BYTES: usize = 4096;
/// So many records are written at once.
const RECORDS: usize = 4;

/// The cell that is being looked at.
#[derive(Clone, Debug)]
struct Now {
    shown: Vec<u8>,
    newest: Vec<u8>,
    looked: i64,
}

/// A clock that jumped.
#[derive(Clone, Copy, Debug)]
struct Jump {
    since: Duration,
    ahead: i64,
}

/// The strips of all rungs.
#[derive(Clone, Debug, Default)]
pub struct Strips {
    columns: Columns,
    runs: Runs,
    /// The number of the cell after `runs`: that of `now`, if there is one.
    next: i64,
    now: Option<Now>,
    jump: Option<Jump>,
    /// The first cell that is not durable.
    pending: i64,
    /// What the newest durable cell showed.
    kept: Vec<u8>,
    news: bool,
}

impl Strips {
    /// Takes in what is seen now.
    pub fn take(&mut self, ladder: &[Observation], moment: Moment) {
        let seen = self.column_of(ladder);
        let number = number(moment.wall);
        if self.is_odd(number) {
            let confirmed = ladder.iter().any(|one| one.rung == Rung::Time && one.outcome == Outcome::Good);
            if !confirmed && !self.is_believed(moment) {
                return;
            }
            self.cut(number);
        }
        self.jump = None;
        self.put(seen, number);
    }

    fn put(&mut self, seen: Vec<u8>, number: i64) {
        let marks: Vec<Mark> = self.columns.words().iter().map(|word| Mark::of(word)).collect();
        match &mut self.now {
            Some(now) if number <= self.next => {
                now.shown = merged(&now.shown, &seen, &marks);
                now.newest = seen;
            }
            _ => {
                self.advance(number);
                self.now = Some(Now { shown: seen.clone(), newest: seen, looked: number });
            }
        }
        let Some(now) = &self.now else { return };
        self.news |= !alike(&now.shown, &self.kept);
    }

    /// Closes the cell that was looked at, and fills up to the one with this number.
    fn advance(&mut self, number: i64) {
        if self.is_empty() {
            (self.next, self.pending) = (number, number);
        }
        let carried = self.now.take().and_then(|now| {
            self.push(&now.shown, 1);
            (number - now.looked <= CARRIED).then_some(now.newest)
        });
        let gap = u32::try_from(number - self.next).unwrap_or(0).min(CELLS);
        self.push(&carried.unwrap_or_default(), gap);
        self.next = self.next.max(number);
    }

    fn is_empty(&self) -> bool {
        self.runs.total() == 0 && self.now.is_none()
    }

    fn is_odd(&self, number: i64) -> bool {
        !self.is_empty() && (number < self.next - SLACK || number > self.next + i64::from(CELLS))
    }

    fn is_believed(&mut self, moment: Moment) -> bool {
        let ahead = moment.wall.as_second() - i64::try_from(moment.up.as_secs()).unwrap_or(i64::MAX);
        let same = self.jump.filter(|jump| (jump.ahead - ahead).abs() <= 60);
        let jump = same.unwrap_or(Jump { since: moment.up, ahead });
        self.jump = Some(jump);
        moment.up.saturating_sub(jump.since) >= DOUBT
    }

    /// Forgets every cell from this one on.
    fn cut(&mut self, number: i64) {
        if number > self.next {
            return;
        }
        let gone = u32::try_from(self.next - number).unwrap_or(u32::MAX);
        self.runs.truncate(self.runs.total().saturating_sub(gone));
        self.now = None;
        (self.next, self.pending) = (number, self.pending.min(number));
        self.news = true;
    }

    fn column_of(&mut self, ladder: &[Observation]) -> Vec<u8> {
        let mut column = Vec::new();
        for seen in ladder.iter().filter(|seen| seen.rung.branch() != Branch::Box) {
            let rung = model::past::key(&seen.rung);
            let Some(at) = self.columns.place(&rung, seen.terminal.as_deref()) else { continue };
            let word = self.columns.word(&word(seen.outcome));
            set(&mut column, at, word);
        }
        column
    }

    /// Adds cells after `next`.
    fn push(&mut self, column: &[u8], cells: u32) {
        if cells == 0 {
            return;
        }
        let column = self.room_for(column);
        self.runs.push(column, cells);
        self.next += i64::from(cells);
        self.runs.forget(self.runs.total().saturating_sub(CELLS));
    }

    /// The number of a column. Where there are too many different ones, the oldest cells go.
    fn room_for(&mut self, column: &[u8]) -> u16 {
        loop {
            if let Some(found) = self.columns.find(column) {
                return found;
            }
            let (before, total) = (self.columns.count(), self.runs.total());
            self.tidy();
            if self.columns.count() > before / 4 * 3 {
                self.runs.forget((total / 4).max(1));
                self.tidy();
            }
            if before == 0 {
                return 0;
            }
        }
    }

    /// Forgets the columns that no run shows.
    fn tidy(&mut self) {
        let mut used = vec![false; Runs::COLUMNS];
        for (column, _) in self.runs.iter() {
            set(&mut used, column.into(), true);
        }
        let numbers = self.columns.keep(|column| used.get(usize::from(column)) == Some(&true));
        let mut runs = Runs::default();
        for (column, cells) in self.runs.iter() {
            runs.push(numbers.get(usize::from(column)).copied().unwrap_or(0), cells.into());
        }
        self.runs = runs;
    }

    /// Whether a cell differs from the newest durable one.
    pub const fn has_news(&self) -> bool {
        self.news
    }

    /// The cells that are not durable yet, the one that is being looked at with them; the oldest of them if they are
    /// more than are written at once.
    pub fn unwritten(&self) -> Vec<Cells> {
        let mut found: Vec<Cells> = Vec::new();
        let mut at = self.next - i64::from(self.runs.total());
        for (column, cells) in self.runs.iter() {
            let end = at + i64::from(cells);
            let fresh = u32::try_from((end - at.max(self.pending)).max(0)).unwrap_or(0);
            if fresh > 0 {
                self.write(&mut found, end - i64::from(fresh), self.columns.get(column), fresh);
            }
            at = end;
        }
        if let Some(now) = &self.now {
            self.write(&mut found, self.next, &now.shown, 1);
        }
        found.truncate(RECORDS);
        found
    }

    fn write(&self, found: &mut Vec<Cells>, from: i64, column: &[u8], cells: u32) {
        let full = |record: &Cells| {
            record.runs.len() >= RECORD_RUNS
                || (record.columns.len() + 1) * self.columns.places().len() > RECORD_BYTES
        };
        if found.last().is_none_or(full) {
            let (places, words) = (self.columns.places().to_vec(), self.columns.words().to_vec());
            found.push(Cells { from, places, words, ..Cells::default() });
        }
        if let Some(record) = found.last_mut() {
            record.push(column, cells);
        }
    }

    /// These cells are durable now.
    pub fn written(&mut self, records: &[Cells]) {
        let Some(last) = records.last() else { return };
        let end = last.from + last.runs.iter().map(|(_, cells)| i64::from(*cells)).sum::<i64>();
        // The cell that is being looked at may still get worse.
        self.pending = end.min(self.next);
        if end >= self.next {
            self.kept = self.now.as_ref().map(|now| now.shown.clone()).unwrap_or_default();
            self.news = false;
        }
    }

    /// Nothing is durable any more.
    pub fn unwrite(&mut self) {
        self.pending = self.next - i64::from(self.runs.total());
        self.news = true;
    }

    /// Puts back what was durable; a later record stands over an earlier one.
    pub fn restore(&mut self, record: &Cells) {
        if record.from.abs() > number(Timestamp::MAX) {
            return;
        }
        let gap = record.from - self.next;
        if gap < 0 {
            self.cut(record.from);
        }
        if self.is_empty() {
            self.next = record.from;
        } else {
            self.push(&[], u32::try_from(gap).unwrap_or(0).min(CELLS));
            self.next = record.from;
        }
        for (column, cells) in record.run_columns() {
            let column = self.translated(record, column);
            self.push(&column, cells.min(CELLS));
            self.kept = column;
        }
        (self.pending, self.news) = (self.next, false);
    }

    fn translated(&mut self, record: &Cells, column: &[u8]) -> Vec<u8> {
        let mut ours = Vec::new();
        for ((rung, terminal), index) in record.places.iter().zip(column) {
            let word = record.words.get(usize::from(*index)).map_or(UNKNOWN, String::as_str);
            let word = self.columns.word(word);
            if let Some(at) = self.columns.place(rung, terminal.as_deref()) {
                set(&mut ours, at, word);
            }
        }
        ours
    }

    /// Where the newest cell ends.
    pub fn end(&self) -> Option<Timestamp> {
        let last = if self.now.is_some() { self.next + 1 } else { self.next };
        (!self.is_empty()).then(|| Timestamp::from_second(last * i64::from(CELL_S)).ok()).flatten()
    }

    /// The rungs.
    pub fn places(&self) -> Vec<Place> {
        self.columns.places().to_vec()
    }

    /// The end of the newest cell in which a rung was good.
    pub fn last_good(&self, place: &Place) -> Option<Timestamp> {
        let at = self.columns.places().iter().position(|known| known == place)?;
        let (mut end, mut found) = (self.next - i64::from(self.runs.total()), None);
        for (column, cells) in self.runs.iter() {
            end += i64::from(cells);
            let index = self.columns.get(column).get(at).copied().unwrap_or(0);
            if self.columns.words().get(usize::from(index)).is_some_and(|word| word == model::past::GOOD) {
                found = Some(end);
            }
        }
        Timestamp::from_second(found? * i64::from(CELL_S)).ok()
    }

    /// The words, and the strips in cells of so many of ours; of what is wholly unknown there is none.
    pub fn tell(&self, of: u32) -> (Vec<String>, Vec<Strip>) {
        let mut strips: Vec<Strip> = self
            .columns
            .places()
            .iter()
            .enumerate()
            .filter_map(|(at, place)| self.strip(at, place, of))
            .collect();
        let order: Vec<String> = Rung::ALL.iter().map(model::past::key).collect();
        strips.sort_by_key(|strip| {
            (order.iter().position(|rung| *rung == strip.rung).unwrap_or(order.len()), strip.terminal.clone())
        });
        (self.columns.words().to_vec(), strips)
    }

    fn strip(&self, at: usize, (rung, terminal): &Place, of: u32) -> Option<Strip> {
        let marks: Vec<Mark> = self.columns.words().iter().map(|word| Mark::of(word)).collect();
        let mark = |index: u8| marks.get(usize::from(index)).copied().unwrap_or(Mark::Unknown);
        let open = self.now.iter().map(|now| (now.shown.as_slice(), 1));
        let closed = self.runs.iter().map(|(column, cells)| (self.columns.get(column), u32::from(cells)));
        let have = self.runs.total() + u32::from(self.now.is_some());
        let before = std::iter::once((&[] as &[u8], CELLS.saturating_sub(have)));
        let mut wide = Wide { of, filled: 0, index: 0, runs: Vec::new() };
        // With the cell that is being looked at there may be one too many.
        let mut surplus = have.saturating_sub(CELLS);
        for (column, cells) in before.chain(closed).chain(open) {
            let gone = surplus.min(cells);
            surplus -= gone;
            wide.add(column.get(at).copied().unwrap_or(0), cells - gone, mark);
        }
        let known = wide.runs.iter().any(|(_, index)| *index != 0);
        let (rung, terminal) = (rung.clone(), terminal.clone());
        known.then_some(Strip { rung, terminal, last_good: None, first_bad: None, runs: wide.runs })
    }

    /// The bytes in memory.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.runs.bytes() + self.columns.bytes()
    }
}

/// A strip in wider cells.
struct Wide {
    of: u32,
    filled: u32,
    index: u8,
    runs: Vec<(u32, u8)>,
}

impl Wide {
    fn add(&mut self, index: u8, mut cells: u32, mark: impl Fn(u8) -> Mark) {
        while cells > 0 {
            if self.filled == 0 || mark(index) > mark(self.index) {
                self.index = index;
            }
            let now = cells.min(self.of - self.filled);
            self.filled += now;
            cells -= now;
            if self.filled == self.of {
                self.filled = 0;
                self.close();
            }
        }
    }

    fn close(&mut self) {
        match self.runs.last_mut() {
            Some((cells, same)) if *same == self.index => *cells += 1,
            _ => self.runs.push((1, self.index)),
        }
    }
}

/// The number of the cell an instant falls into.
fn number(at: Timestamp) -> i64 {
    at.as_second().div_euclid(i64::from(CELL_S))
}

fn set<T: Clone + Default>(column: &mut Vec<T>, at: usize, value: T) {
    if column.len() <= at {
        column.resize(at + 1, T::default());
    }
    if let Some(slot) = column.get_mut(at) {
        *slot = value;
    }
}

/// For each place the word with the greater mark; of two equal ones the newer.
fn merged(shown: &[u8], seen: &[u8], marks: &[Mark]) -> Vec<u8> {
    let mark = |index: u8| marks.get(usize::from(index)).copied().unwrap_or(Mark::Unknown);
    let at = |column: &[u8], place: usize| column.get(place).copied().unwrap_or(0);
    (0..shown.len().max(seen.len()))
        .map(|place| (at(shown, place), at(seen, place)))
        .map(|(old, new)| if mark(new) >= mark(old) { new } else { old })
        .collect()
}

/// Whether two columns show the same; what is behind the end of one is unknown.
fn alike(one: &[u8], other: &[u8]) -> bool {
    let at = |column: &[u8], place: usize| column.get(place).copied().unwrap_or(0);
    (0..one.len().max(other.len())).all(|place| at(one, place) == at(other, place))
}

#[cfg(test)]
mod tests;
