//! A small world for the request's road: a box whose folders forget what was not flushed, a client that puts, grows,
//! locks, renames and takes away files, and a terminal whose link application takes what it sees. Whatever comes may
//! come between any two operations. How the relay lives in it is in [`life`].

mod life;

use std::collections::{BTreeMap, BTreeSet};

use crate::request::{Effect, Event, Found, Mark, State};

/// What happens at one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It is carried out.
    Fine,
    /// It is refused without a consequence: a full disk, a read-only one, a permission lost.
    Refused,
    /// It is carried out, and the reply is lost with the connection.
    ReplyLost,
    /// The connection ends before it.
    Disconnect,
    /// The process is killed before it.
    Kill,
    /// The box's power is cut before it; the number chooses how much of what was not flushed survived.
    Cut(usize),
    /// The terminal restarts, as it does at night: nothing of it is lost but the connection.
    TerminalRestarts,
    /// The terminal's power is cut: bytes that were not flushed are torn.
    TerminalCut,
    /// The terminal comes back without its state, as from a backup: the staging folder is another one.
    TerminalReplaced,
    /// The link application looks into its folder first.
    AppLooks,
    /// The clock jumps: everything that is there is past its time to live.
    ClockJumps,
    /// The client does something first.
    Client(Act),
}

/// What a client does to a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Opens it again and writes.
    Grow(Name),
    /// Opens it again and does not write.
    Lock(Name),
    /// Ends what it began.
    Close(Name),
    /// Takes the file away.
    Vanish(Name),
    /// Gives it the next name, if that one is free.
    Rename(Name),
    /// Puts a file of this name, with other bytes or with the same ones: a new request either way.
    Put(Name),
}

/// A file's name.
pub type Name = usize;
/// How many there are.
pub const NAMES: Name = 3;

/// What the end is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Another machine's share. Its staging folder stays the same over a restart and a cut, and a rename it said yes
    /// to stays done.
    Smb,
    /// A folder of this machine: its power is the box's, a rename holds once it is flushed, and the boot tells.
    Local,
}

/// A flush of the road.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flush {
    /// Of the staged bytes.
    Staged,
    /// Of the decision.
    Decision,
    /// Of what a former run or a flush that failed left, before a doubt is ended by it.
    Doubtful,
    /// Of what was noted, before the end is known as another one or rid of what nobody owns.
    Noted,
    /// Of what a former run published, where the end is a folder of this machine.
    There,
}

/// The road that is walked: the product's own, or one that is wrong in one place.
#[derive(Clone, Copy)]
pub struct Road {
    /// Decides every step.
    pub step: fn(State, Event) -> (State, Option<Effect>),
    /// Says what a look at the staging folder means.
    pub found: fn(State, Found) -> Option<Event>,
    /// A flush that is left out.
    pub without: Option<Flush>,
    /// Whether a file is moved whatever became of it since it was looked at.
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

/// One request as it was put: its number, and how often it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Put {
    /// Its number.
    pub number: usize,
    /// Changes with every write.
    pub version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct File {
    put: Put,
    open: bool,
    whole: bool,
}

/// What a name in `attempted` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The request.
    pub put: Put,
    /// Its name.
    pub name: Name,
    /// What is certain.
    pub mark: Mark,
}

/// The box's folders, on one journalling file system: a rename between them is done or not, a cut keeps what was done
/// up to some moment, and a flush of any of them keeps all that was done before it.
#[derive(Clone, Debug, Default)]
struct Disk {
    req: BTreeMap<Name, File>,
    attempted: BTreeMap<u64, Entry>,
}

/// Bytes on the terminal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bytes {
    /// Flushed.
    Whole,
    /// A cut would tear them.
    Unflushed,
    /// A cut has.
    Torn,
}

/// The terminal's folders.
#[derive(Clone, Debug, Default)]
struct Terminal {
    identity: u64,
    staging: BTreeMap<u64, (Put, Bytes)>,
    req: BTreeMap<Name, (Put, Bytes)>,
}

/// The world, and the schedule of what happens in it.
pub struct World {
    road: Road,
    kind: Kind,
    fates: std::vec::IntoIter<Fate>,
    /// The box's folders: the newest state last, the durable one first.
    disk: Vec<Disk>,
    /// The terminal's: the newest state last, the durable one first.
    terminal: Vec<Terminal>,
    known: Option<u64>,
    connected: bool,
    stages: u64,
    puts: usize,
    /// What the link application took.
    pub submitted: Vec<(Put, Bytes)>,
    /// What the client itself took away or replaced.
    pub withdrawn: BTreeSet<usize>,
    /// What the clock made old.
    pub old: BTreeSet<usize>,
    /// Whether two requests ever had one name.
    pub twice: bool,
    /// Whether the terminal ever lost its state.
    pub loss: bool,
}

impl World {
    /// Two requests lie there.
    pub fn new(road: Road, kind: Kind, fates: Vec<Fate>) -> Self {
        let mut world = Self {
            road,
            kind,
            fates: fates.into_iter(),
            disk: vec![Disk::default()],
            terminal: vec![Terminal { identity: 1, ..Terminal::default() }],
            known: None,
            connected: false,
            stages: 0,
            puts: 0,
            submitted: Vec::new(),
            withdrawn: BTreeSet::new(),
            old: BTreeSet::new(),
            twice: false,
            loss: false,
        };
        for name in [0, 1] {
            world.act(Act::Put(name));
            world.act(Act::Close(name));
        }
        world.twice = false;
        world
    }

    /// How many requests were put.
    pub fn puts(&self) -> usize {
        self.puts
    }

    /// What lies in `attempted` of a request.
    pub fn attempted(&self, put: usize) -> Option<Entry> {
        self.now().attempted.values().find(|entry| entry.put.number == put).copied()
    }

    /// Whether a request lies where it was put.
    pub fn lies(&self, put: usize) -> bool {
        self.now().req.values().any(|file| file.put.number == put)
    }

    fn flush_staged(&mut self, stage: u64) {
        self.change_there(|there| {
            if let Some((_, bytes)) = there.staging.get_mut(&stage)
                && *bytes == Bytes::Unflushed
            {
                *bytes = Bytes::Whole;
            }
        });
        self.terminal = vec![self.there().clone()];
    }

    /// An operation on the terminal. Without a connection it is not even begun.
    fn remote(&mut self, change: impl FnOnce(&mut Self)) -> Result<Ended, Over> {
        if !self.connected {
            return Ok(Ended::Lost);
        }
        match self.fates.next().unwrap_or(Fate::Fine) {
            Fate::ReplyLost => {
                change(self);
                self.connected = false;
                Ok(Ended::Lost)
            }
            Fate::Refused => Ok(Ended::Refused),
            fate => {
                self.befall(fate)?;
                if !self.connected {
                    return Ok(Ended::Lost);
                }
                change(self);
                Ok(Ended::Done)
            }
        }
    }

    /// An operation on the box.
    fn local(&mut self, change: impl FnOnce(&mut Self)) -> Result<Ended, Over> {
        match self.fates.next().unwrap_or(Fate::Fine) {
            Fate::Refused => return Ok(Ended::Refused),
            fate => self.befall(fate)?,
        }
        change(self);
        Ok(Ended::Done)
    }

    fn flush(&mut self) -> Result<Ended, Over> {
        self.local(|world| world.disk = vec![world.now().clone()])
    }

    fn befall(&mut self, fate: Fate) -> Result<(), Over> {
        match fate {
            Fate::Fine | Fate::Refused => {}
            Fate::ReplyLost | Fate::Disconnect => self.connected = false,
            Fate::Kill => return Err(Over),
            Fate::Cut(kept) => return self.cut(kept),
            Fate::TerminalCut if self.kind == Kind::Local => return self.cut(0),
            Fate::TerminalRestarts if self.kind == Kind::Local => return Err(Over),
            Fate::TerminalCut => {
                self.change_there(tear);
                self.terminal = vec![self.there().clone()];
                self.connected = false;
            }
            Fate::TerminalRestarts => self.connected = false,
            Fate::TerminalReplaced => {
                self.loss = true;
                let identity = self.there().identity + 1;
                let req = self.there().req.clone();
                self.terminal = vec![Terminal { identity, req, ..Terminal::default() }];
                self.connected = false;
            }
            Fate::AppLooks => self.app_looks(),
            Fate::ClockJumps => self.old.extend(0..self.puts),
            Fate::Client(act) => self.act(act),
        }
        Ok(())
    }

    /// The box's power is cut, and with it that of a folder of this machine.
    fn cut(&mut self, kept: usize) -> Result<(), Over> {
        let survived = self.disk[kept % self.disk.len()].clone();
        self.disk = vec![survived];
        if self.kind == Kind::Local {
            self.loss = true;
            let mut survived = self.terminal[kept % self.terminal.len()].clone();
            survived.identity = self.there().identity + 1;
            tear(&mut survived);
            self.terminal = vec![survived];
        }
        Err(Over)
    }

    /// The client's own acts are durable: what it puts and a cut takes is not the relay's to keep.
    fn act(&mut self, act: Act) {
        let mut disk = self.now().clone();
        match act {
            Act::Grow(name) => {
                if let Some(file) = disk.req.get_mut(&name) {
                    file.put.version += 1;
                    (file.open, file.whole) = (true, false);
                }
            }
            Act::Lock(name) => {
                if let Some(file) = disk.req.get_mut(&name) {
                    file.open = true;
                }
            }
            Act::Close(name) => {
                if let Some(file) = disk.req.get_mut(&name) {
                    (file.open, file.whole) = (false, true);
                }
            }
            Act::Vanish(name) => self.withdrawn.extend(disk.req.remove(&name).map(|file| file.put.number)),
            Act::Rename(name) => {
                let next = (name + 1) % NAMES;
                if !disk.req.contains_key(&next)
                    && let Some(file) = disk.req.remove(&name)
                {
                    disk.req.insert(next, file);
                    self.twice = true;
                }
            }
            Act::Put(name) => {
                let put = Put { number: self.puts, version: 0 };
                self.puts += 1;
                self.twice = true;
                let before = disk.req.insert(name, File { put, open: false, whole: true });
                self.withdrawn.extend(before.map(|file| file.put.number));
            }
        }
        self.disk = vec![disk];
    }

    /// What the application takes it does not take again, if only the rename before that holds: the latter is ours.
    fn app_looks(&mut self) {
        let taken: Vec<(Put, Bytes)> = self.there().req.values().copied().collect();
        let is_taken = |put: &Put| taken.iter().any(|(own, _)| own == put);
        for there in &mut self.terminal {
            there.req.retain(|_, (put, _)| !is_taken(put));
        }
        self.submitted.extend(taken);
    }

    fn change(&mut self, change: impl FnOnce(&mut Disk)) {
        let mut changed = self.now().clone();
        change(&mut changed);
        self.disk.push(changed);
    }

    /// Of another machine's share everything it said yes to is done, but bytes that were not flushed.
    fn change_there(&mut self, change: impl FnOnce(&mut Terminal)) {
        let mut changed = self.there().clone();
        change(&mut changed);
        match self.kind {
            Kind::Smb => self.terminal = vec![changed],
            Kind::Local => self.terminal.push(changed),
        }
    }

    fn now(&self) -> &Disk {
        self.disk.last().expect("there is always a state")
    }

    fn there(&self) -> &Terminal {
        self.terminal.last().expect("there is always a state")
    }
}

fn tear(there: &mut Terminal) {
    let all = there.staging.values_mut().chain(there.req.values_mut());
    all.filter(|(_, bytes)| *bytes == Bytes::Unflushed).for_each(|(_, bytes)| *bytes = Bytes::Torn);
}
