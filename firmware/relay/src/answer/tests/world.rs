//! A small world for the answer's road: a terminal on which files come, grow, are locked, renamed, taken away and
//! written again, a box whose folders and log forget what was not flushed, and two consumers who collect what they see.
//! Whatever comes may come between any two operations. How the relay lives in it is in [`life`].

mod life;

pub use life::each;

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Effect, Event, State};

/// What happens at one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It is carried out.
    Fine,
    /// It is refused without a consequence: a full disk, a read-only one, a permission lost.
    Refused,
    /// It is carried out, and the reply is lost with the connection.
    ReplyLost,
    /// The connection ends before it: so does a terminal that restarts at night.
    Disconnect,
    /// The process is killed before it.
    Kill,
    /// The box's power is cut before it; the number chooses how much of what was not flushed survived.
    Cut(usize),
    /// The terminal's power is cut: what was removed there is back.
    TerminalCut,
    /// A consumer collects what it sees.
    Collects(Consumer),
    /// The clock jumps by more than anything is remembered.
    ClockJumps,
    /// The link application does something first.
    App(Act),
}

/// What the link application, or another client of the terminal's share, does to a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Leaves a file of this name, with other bytes than any before.
    Put(Name),
    /// Leaves the very file again that had this name last.
    Again(Name),
    /// Opens it again and writes.
    Grow(Name),
    /// Opens it without sharing its deletion.
    Lock(Name),
    /// Ends what it began.
    Close(Name),
    /// Takes the file away.
    Vanish(Name),
    /// Gives it the next name, if that one is free.
    Rename(Name),
}

/// A file's name.
pub type Name = usize;
/// How many there are.
pub const NAMES: Name = 3;
/// Who gets a copy.
pub type Consumer = usize;
/// How many they are.
pub const CONSUMERS: Consumer = 2;

/// A flush of the road.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flush {
    /// Of the copies.
    Copies,
    /// Of the record.
    Record,
    /// Of what a former run recorded, when the log is opened.
    Log,
    /// Of what was shown.
    Shown,
    /// Of what a former run showed, before anything is removed for it.
    Found,
}

/// The road that is walked: the product's own, or one that is wrong in one place.
#[derive(Clone, Copy)]
pub struct Road {
    /// Decides every step.
    pub step: fn(State, Event) -> (State, Option<Effect>),
    /// How a file begins whose bytes may have been recorded before.
    pub begin: fn(bool, bool) -> (State, Option<Event>),
    /// A flush that is left out.
    pub without: Option<Flush>,
    /// Whether the log forgets by the clock alone.
    pub forgets: bool,
    /// Whether a file is removed whatever became of it since it was read.
    pub blind: bool,
}

/// The process is over; everything in memory is gone.
pub struct Over;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    Done,
    Refused,
    Lost,
}

/// Bytes: which ones, and of which writing. The same again are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// Which.
    pub number: usize,
    /// Changes with every write.
    pub version: u64,
    /// Under which name: that belongs to what is recognised.
    pub name: Name,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct File {
    answer: Answer,
    open: bool,
    whole: bool,
}

/// A copy on the box.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Copy {
    answer: Answer,
    whole: bool,
}

/// The box's folders and its log, on one journalling file system: of the folders a cut keeps what was done up to some
/// moment, and a flush of any of them keeps all of that. What was appended to the log is bytes, and has its own.
#[derive(Clone, Debug, Default)]
struct Disk {
    arriving: BTreeMap<(u64, Consumer), Copy>,
    shown: BTreeMap<(Consumer, Name), Copy>,
    recorded: BTreeMap<Answer, u64>,
}

/// The world, and the schedule of what happens in it.
pub struct World {
    road: Road,
    fates: std::vec::IntoIter<Fate>,
    /// The newest state last, the durable one first.
    disk: Vec<Disk>,
    /// What the log holds for certain.
    logged: BTreeMap<Answer, u64>,
    terminal: BTreeMap<Name, File>,
    /// What was removed on the terminal and may come back.
    removed: BTreeMap<Name, File>,
    last: BTreeMap<Name, Answer>,
    jumped: bool,
    connected: bool,
    /// A rename into the consumers' folders waits for its flush.
    showing: bool,
    answers: usize,
    numbers: u64,
    /// What each consumer collected, and whether it was whole.
    pub seen: Vec<(Consumer, Answer, bool)>,
    /// What was whole and closed on the terminal at some time.
    pub finished: BTreeSet<Answer>,
    /// What the application itself took away, replaced or went on writing.
    pub withdrawn: BTreeSet<Answer>,
}

impl World {
    /// Two answers lie there.
    pub fn new(road: Road, fates: Vec<Fate>) -> Self {
        let mut world = Self {
            road,
            fates: fates.into_iter(),
            disk: vec![Disk::default()],
            logged: BTreeMap::new(),
            terminal: BTreeMap::new(),
            removed: BTreeMap::new(),
            last: BTreeMap::new(),
            jumped: false,
            connected: false,
            showing: false,
            answers: 0,
            numbers: 0,
            seen: Vec::new(),
            finished: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
        };
        [0, 1].into_iter().for_each(|name| world.act(Act::Put(name)));
        world
    }

    /// How many files are left on the terminal.
    pub fn left(&self) -> usize {
        self.terminal.len()
    }

    /// An operation on the terminal. Without a connection it is not even begun.
    fn remote(&mut self, change: impl FnOnce(&mut Self)) -> Result<Ended, Over> {
        if !self.connected {
            return Ok(Ended::Lost);
        }
        let fate = self.fates.next().unwrap_or(Fate::Fine);
        self.befall(fate)?;
        match fate {
            Fate::Refused => Ok(Ended::Refused),
            Fate::ReplyLost => {
                change(self);
                self.connected = false;
                Ok(Ended::Lost)
            }
            _ if !self.connected => Ok(Ended::Lost),
            _ => {
                change(self);
                Ok(Ended::Done)
            }
        }
    }

    /// An operation on the box.
    fn local(&mut self, change: impl FnOnce(&mut Disk)) -> Result<Ended, Over> {
        let fate = self.fates.next().unwrap_or(Fate::Fine);
        self.befall(fate)?;
        if fate == Fate::Refused {
            return Ok(Ended::Refused);
        }
        self.change(change);
        Ok(Ended::Done)
    }

    fn flush(&mut self, flush: Flush) -> Result<Ended, Over> {
        if self.road.without == Some(flush) {
            return Ok(Ended::Done);
        }
        let flushed = self.local(|_| ())?;
        match flush {
            _ if flushed != Ended::Done => {}
            Flush::Record | Flush::Log => self.logged = self.now().recorded.clone(),
            Flush::Copies | Flush::Shown | Flush::Found => self.disk = vec![self.now().clone()],
        }
        Ok(flushed)
    }

    fn befall(&mut self, fate: Fate) -> Result<(), Over> {
        match fate {
            Fate::Fine | Fate::Refused | Fate::ReplyLost => {}
            Fate::Disconnect => self.connected = false,
            Fate::Kill => return Err(Over),
            Fate::Cut(kept) => {
                let mut survived = self.disk[kept % self.disk.len()].clone();
                // Of bytes that were not flushed nobody knows what is there.
                survived.arriving.values_mut().for_each(|copy| copy.whole &= self.disk[0].holds(copy));
                if kept.is_multiple_of(2) {
                    survived.recorded = self.logged.clone();
                }
                self.disk = vec![survived];
                return Err(Over);
            }
            Fate::TerminalCut => {
                self.connected = false;
                for (name, file) in std::mem::take(&mut self.removed) {
                    self.terminal.entry(name).or_insert(file);
                }
            }
            Fate::Collects(consumer) => self.collect(consumer),
            Fate::ClockJumps => self.jumped = true,
            Fate::App(act) => self.act(act),
        }
        Ok(())
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Put(name) => {
                let answer = Answer { number: self.answers, version: 0, name };
                self.answers += 1;
                self.leave(answer);
            }
            Act::Again(name) => {
                if let Some(answer) =
                    self.last.get(&name).copied().filter(|_| !self.terminal.contains_key(&name))
                {
                    self.leave(answer);
                }
            }
            Act::Grow(name) => {
                if let Some(file) = self.terminal.get_mut(&name) {
                    self.withdrawn.insert(file.answer);
                    file.answer.version += 1;
                    (file.open, file.whole) = (true, false);
                }
            }
            Act::Lock(name) => {
                if let Some(file) = self.terminal.get_mut(&name) {
                    file.open = true;
                }
            }
            Act::Close(name) => {
                if let Some(file) = self.terminal.get_mut(&name) {
                    (file.open, file.whole) = (false, true);
                    self.finished.insert(file.answer);
                }
            }
            Act::Vanish(name) => {
                self.withdrawn.extend(self.terminal.remove(&name).map(|file| file.answer));
            }
            Act::Rename(name) => {
                let next = (name + 1) % NAMES;
                if !self.terminal.contains_key(&next)
                    && let Some(file) = self.terminal.remove(&name)
                {
                    self.withdrawn.insert(file.answer);
                    let answer = Answer { name: next, ..file.answer };
                    self.terminal.insert(next, File { answer, ..file });
                    self.finished.extend((!file.open).then_some(answer));
                }
            }
        }
    }

    fn leave(&mut self, answer: Answer) {
        self.last.insert(answer.name, answer);
        self.finished.insert(answer);
        let before = self.terminal.insert(answer.name, File { answer, open: false, whole: true });
        self.withdrawn.extend(before.map(|file| file.answer).filter(|before| *before != answer));
    }

    /// What is collected stays collected: a client's own removal is not the relay's to keep. One window is known and
    /// left: collected between the rename and the flush that makes it hold, and the power cut in that very moment.
    /// Nobody looks then.
    fn collect(&mut self, consumer: Consumer) {
        if self.showing {
            return;
        }
        let taken: Vec<(Name, Copy)> = self
            .now()
            .shown
            .iter()
            .filter(|((own, _), _)| *own == consumer)
            .map(|((_, n), c)| (*n, *c))
            .collect();
        for (name, copy) in taken {
            self.seen.push((consumer, copy.answer, copy.whole));
            for disk in &mut self.disk {
                if disk.shown.get(&(consumer, name)).is_some_and(|shown| shown.answer == copy.answer) {
                    disk.shown.remove(&(consumer, name));
                }
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Disk)) {
        let mut changed = self.now().clone();
        change(&mut changed);
        self.disk.push(changed);
    }

    fn now(&self) -> &Disk {
        self.disk.last().expect("there is always a state")
    }
}

impl Disk {
    /// Whether this state has such a copy, whole.
    fn holds(&self, copy: &Copy) -> bool {
        let mut all = self.arriving.values().chain(self.shown.values());
        all.any(|own| own.answer == copy.answer && own.whole)
    }
}
