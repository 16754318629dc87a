//! The clinic's end: for each consumer a tree of folders, and our own folders beside them on the same file system.
//! Everything here is plain system calls; the roads are decided in `request` and `answer`.
//!
//! ```text
//! STATE/share/SHARE/{req,res,face,…,returned}  exported to a consumer
//! STATE/relay/consumer/NAME/{req,res,…}        the same for a consumer whose folders are on another machine
//! STATE/relay/attempted/END/                   what was decided to go to an end, see [`Attempt`]
//! STATE/relay/arriving/END/                    what came from an end and is not shown yet, see [`Arrival`]
//! STATE/relay/log/                             append log: number, time and keyed hash of every answer recorded
//! STATE/relay/number                           up to where journal numbers are reserved
//! STATE/relay/key, STATE/relay/log/key         the key of all hashes, this box's own, twice
//! STATE/relay/known/END                        by what the end's staging folder is known
//! ```
//!
//! What is held before the decision stays where it was put, under its own name, where a person finds it; what is
//! held after it stays in `attempted` and is never sent again by itself, unless a person decides (`held`).

mod held;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::entry::{Arrival, Attempt};
use crate::folder::{Facts, Folder, facts_of, read_tail};
use crate::lease;
use crate::request::Mark;
use crate::sabotage::{self, FLUSH_DECIDE, FLUSH_FOUND, FLUSH_SHOW, KEEP_REMOVALS, unless};
use crate::whole::{End, Look, TAIL, Writer, end};

/// Where what a person returns is put.
pub const RETURNED: &str = "returned";

/// A file of the clinic's as it was looked at. It is held open: what is carried is what was seen.
#[derive(Debug)]
pub struct Taken {
    /// What was seen of it.
    pub look: Look,
    /// The file, open for reading.
    pub file: File,
}

/// Which folders a consumer has on this box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeatFolders {
    /// What the relay empties: requests, by path.
    pub emptied: Vec<String>,
    /// What the consumer empties: answers, and what a person returned.
    pub shown: Vec<String>,
}

/// One consumer's folders on this box.
#[derive(Debug)]
pub struct Seat {
    /// The consumer's name.
    pub name: String,
    /// Whether the consumer sees these folders: they lie on a share of the box.
    pub exported: bool,
    root: Folder,
    path: PathBuf,
    shown: Vec<String>,
}

impl Seat {
    /// Opens the tree at `path`; what is missing is made.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(name: &str, exported: bool, path: PathBuf, folders: &SeatFolders) -> Result<Self, Error> {
        journal::make_folder(&path)?;
        let root = Folder::open(&path).map_err(Error::io("open", &path))?;
        let seat = Self { name: name.to_owned(), exported, root, path, shown: folders.shown.clone() };
        for folder in folders.shown.iter().chain(&folders.emptied) {
            let opened = seat.root.keep_path(folder).map_err(Error::io("open", &seat.path(folder)))?;
            seat.set_flags(folder, &opened)?;
        }
        Ok(seat)
    }

    /// What a client has collected and removed would else be there again after a power cut.
    fn set_flags(&self, path: &str, folder: &Folder) -> Result<(), Error> {
        if !self.shown.iter().any(|shown| shown == path) {
            return Ok(());
        }
        let set = unless(KEEP_REMOVALS, || folder.keep_removals());
        set.map_err(Error::io("set the flags of", &self.path(path)))
    }

    /// The path of a folder, for watching it.
    pub fn path(&self, folder: &str) -> PathBuf {
        self.path.join(folder)
    }

    /// A folder, opened anew: a client may have removed and made it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn folder(&self, folder: &str) -> Result<Folder, Error> {
        match self.root.open_below(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = self.root.below_path(folder).map_err(Error::io("open", &self.path(folder)))?;
                self.set_flags(folder, &made).map(|()| made)
            }
            opened => opened.map_err(Error::io("open", &self.path(folder))),
        }
    }

    /// Makes durable what was moved out of a folder. By this name the flush can be left out.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn flush(&self, folder: &str, flush: &'static str) -> Result<(), Error> {
        let opened = self.folder(folder)?;
        unless(flush, || opened.sync()).map_err(Error::io("fsync", &self.path(folder)))
    }

    /// What lies in a folder, in pieces: a hundred thousand files must not fill the memory. Ends when `told` has
    /// heard enough.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn list(
        &self,
        folder: &str,
        mut told: impl FnMut(Vec<(OsString, Facts)>) -> bool,
    ) -> Result<(), Error> {
        const PIECE: usize = 1024;
        let opened = self.folder(folder)?;
        let mut piece = Vec::new();
        let listed = opened.each_name(|name| {
            // What vanished between the two looks is not there.
            piece.extend(opened.facts(name).ok().map(|facts| (name.to_owned(), facts)));
            piece.len() < PIECE || told(std::mem::take(&mut piece))
        });
        told(piece);
        listed.map_err(Error::io("list", &self.path(folder)))
    }

    /// What is known of one entry. None if it is not there.
    pub fn facts(&self, folder: &str, name: &OsStr) -> Option<Facts> {
        self.folder(folder).ok()?.facts(name).ok()
    }

    /// Looks into a file. None if it vanished or is no file any more.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn take(
        &self,
        folder: &str,
        name: &str,
        extension: &str,
        largest: u64,
    ) -> Result<Option<Taken>, Error> {
        let place = self.path(folder);
        let taken = self.folder(folder).and_then(|folder| {
            look_into(&folder, name, extension, largest).map_err(Error::io("read", &place))
        });
        match taken {
            Err(Error::Io { source, .. }) if is_gone(&source) => Ok(None),
            taken => taken,
        }
    }
}

fn look_into(folder: &Folder, name: &str, extension: &str, largest: u64) -> io::Result<Option<Taken>> {
    let file = folder.file(OsStr::new(name))?;
    let facts = facts_of(&file)?;
    if !facts.is_file {
        return Ok(None);
    }
    let mut look =
        Look { size: facts.size, stamp: facts.stamp, writer: lease::writer(&file), end: End::Wrong };
    if look.writer != Writer::Open && look.size <= largest {
        let tail = read_tail(&file, facts.size, TAIL)?;
        look.end = end(extension, &tail, facts.size);
        // Somebody may have come while we read; then this is nobody's.
        if facts_of(&file)? != facts {
            look.writer = Writer::Open;
        }
    }
    Ok(Some(Taken { look, file }))
}

/// What was looked at, on its way to being decided.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The entry it becomes.
    pub attempt: &'a Attempt,
    /// In whose folders it lies.
    pub seat: &'a Seat,
    /// In which one.
    pub path: &'a str,
    /// The stamp it was seen with.
    pub stamp: u64,
}

/// Our own folders for one end.
#[derive(Debug)]
pub struct Own {
    attempted: Folder,
    arriving: Folder,
    relay: PathBuf,
    end: String,
}

impl Own {
    /// Opens them in `STATE/relay`, and makes durable what a former run showed: nothing may be removed on the end for
    /// a move that a cut could still take back. What it decided is made durable when it is judged.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(relay: &Path, end: &str) -> Result<Self, Error> {
        journal::make_folder(relay)?;
        let folder = Folder::open(relay).map_err(Error::io("open", relay))?;
        let own = |name: &str| {
            let made = folder.keep_path(&format!("{name}/{end}"));
            made.map_err(Error::io("open", &relay.join(name)))
        };
        let (attempted, arriving) = (own("attempted")?, own("arriving")?);
        let flushed = unless(FLUSH_FOUND, || arriving.sync());
        flushed.map_err(Error::io("fsync", &relay.join("arriving")))?;
        Ok(Self { attempted, arriving, relay: relay.to_owned(), end: end.to_owned() })
    }

    /// Where is kept by what the end's staging folder is known.
    pub fn known_path(&self) -> PathBuf {
        self.relay.join("known").join(&self.end)
    }

    fn attempted_path(&self) -> PathBuf {
        self.relay.join("attempted").join(&self.end)
    }

    fn arriving_path(&self) -> PathBuf {
        self.relay.join("arriving").join(&self.end)
    }

    /// Decides: moves each file into `attempted`, if it still is what was read, and flushes that for all of them.
    /// Gives of each whether it was moved, and how the flush went.
    ///
    /// What was moved stays moved also if the flush fails: a move back could fail as well, or hold where the first
    /// did not, and in either case the next run would take the entry for a request whose staged file went out.
    ///
    /// # Errors
    /// If the system refuses one or the flush fails.
    pub fn decide(&self, sources: &[Source<'_>]) -> (Vec<Result<bool, Error>>, Result<(), Error>) {
        let mut folders: Vec<(&Path, &str, Folder)> = Vec::new();
        let mut moved: Vec<Result<bool, Error>> = Vec::new();
        for source in sources {
            let known =
                folders.iter().position(|(seat, path, _)| *seat == source.seat.path && *path == source.path);
            let at = match known {
                Some(at) => Ok(at),
                None => source.seat.folder(source.path).map(|folder| {
                    folders.push((&source.seat.path, source.path, folder));
                    folders.len() - 1
                }),
            };
            moved.push(at.and_then(|at| {
                let (seat, path, folder) = &folders[at];
                self.move_in(folder, source).map_err(Error::io("move out of", &seat.join(path)))
            }));
        }
        sabotage::step("deciding");
        let flushed = unless(FLUSH_DECIDE, || folders.iter().try_for_each(|(_, _, folder)| folder.sync()));
        (moved, flushed.map_err(Error::io("fsync", &self.attempted_path())))
    }

    /// Moves one file, if it still is what was read and nobody writes it. Moves it back if another one came between.
    fn move_in(&self, folder: &Folder, source: &Source<'_>) -> io::Result<bool> {
        let (name, entry) = (OsStr::new(&source.attempt.name), source.attempt.entry());
        let Ok(file) = folder.file(name) else { return Ok(false) };
        if facts_of(&file)?.stamp != source.stamp || lease::writer(&file) == Writer::Open {
            return Ok(false);
        }
        folder.move_to(name, &self.attempted, &entry)?;
        if matches!(self.attempted.is_same(&entry, &file), Ok(true)) {
            return Ok(true);
        }
        self.attempted.move_to(&entry, folder, name).map(|()| false)
    }

    /// Every attempt.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn attempts(&self) -> Result<Vec<(Attempt, Facts)>, Error> {
        let names = self.attempted.names().map_err(Error::io("list", &self.attempted_path()))?;
        let parsed = names
            .iter()
            .filter_map(|entry| Some((Attempt::parse(entry)?, self.attempted.facts(entry).ok()?)));
        Ok(parsed.collect())
    }

    /// Notes what became certain in the entries' names. None: this one's name could not be changed. Not flushed
    /// here: without the note a restart looks and finds the same.
    pub fn note(&self, noted: &[(Attempt, Mark)]) -> Vec<Option<Attempt>> {
        let note = |(attempt, mark): &(Attempt, Mark)| {
            let noted = Attempt { mark: *mark, ..attempt.clone() };
            self.attempted.move_to(&attempt.entry(), &self.attempted, &noted.entry()).ok().map(|()| noted)
        };
        noted.iter().map(note).collect()
    }

    /// Makes durable what was noted in `attempted` and removed from it. By this name the flush can be left out.
    ///
    /// # Errors
    /// If the flush fails.
    pub fn flush_attempted(&self, flush: &'static str) -> Result<(), Error> {
        unless(flush, || self.attempted.sync()).map_err(Error::io("fsync", &self.attempted_path()))
    }

    /// Removes an entry of `attempted`. Not flushed: an entry that comes back after a cut is settled again.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn settle(&self, attempt: &Attempt) -> Result<(), Error> {
        let removed = self.attempted.remove_if_there(&attempt.entry());
        removed.map_err(Error::io("remove from", &self.attempted_path()))
    }

    /// The folder of what arrives, and its path: copies are written into it.
    pub fn arriving(&self) -> (&Folder, PathBuf) {
        (&self.arriving, self.arriving_path())
    }

    /// Every copy that has not been shown.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn arrivals(&self) -> Result<Vec<(Arrival, Facts)>, Error> {
        let names = self.arriving.names().map_err(Error::io("list", &self.arriving_path()))?;
        let parsed =
            names.iter().filter_map(|entry| Some((Arrival::parse(entry)?, self.arriving.facts(entry).ok()?)));
        Ok(parsed.collect())
    }

    /// Abandons a copy.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn abandon(&self, arrival: &Arrival) -> Result<(), Error> {
        let removed = self.arriving.remove_if_there(&arrival.entry());
        removed.map_err(Error::io("remove from", &self.arriving_path()))
    }

    /// Shows copies under their own names, replacing nothing; durable when this returns, so that what is removed on
    /// the end next cannot be lost. `Ok(false)` if the name is taken.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn show(&self, arrivals: &[(Arrival, &Seat)]) -> Vec<Result<bool, Error>> {
        let mut folders: Vec<(&Path, &str, Folder)> = Vec::new();
        let shown: Vec<Result<bool, Error>> = arrivals
            .iter()
            .map(|(arrival, seat)| {
                let known =
                    folders.iter().position(|(at, path, _)| *at == seat.path && *path == arrival.path);
                if known.is_none() {
                    folders.push((&seat.path, &arrival.path, seat.folder(&arrival.path)?));
                }
                let at = known.unwrap_or(folders.len() - 1);
                self.show_one(arrival, &folders[at].2)
                    .map_err(Error::io("show in", &seat.path(&arrival.path)))
            })
            .collect();
        sabotage::step("showing");
        match unless(FLUSH_SHOW, || self.arriving.sync()) {
            Ok(()) => shown,
            Err(error) => {
                let failed = || {
                    Error::io("fsync", &self.arriving_path())(io::Error::new(error.kind(), error.to_string()))
                };
                shown
                    .into_iter()
                    .map(|shown| if matches!(shown, Ok(true)) { Err(failed()) } else { shown })
                    .collect()
            }
        }
    }

    fn show_one(&self, arrival: &Arrival, to: &Folder) -> io::Result<bool> {
        match self.arriving.move_to(&arrival.entry(), to, OsStr::new(&arrival.name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            // Not in `arriving` any more: an earlier try moved it and only its flush failed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            moved => moved.map(|()| true),
        }
    }
}

/// The consumers' folders on this box.
#[derive(Debug)]
pub struct Clinic {
    seats: Vec<Seat>,
}

impl Clinic {
    /// Of these.
    pub const fn new(seats: Vec<Seat>) -> Self {
        Self { seats }
    }

    /// Every consumer's.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// The one at this place.
    pub fn seat(&self, at: usize) -> Option<&Seat> {
        self.seats.get(at)
    }

    /// The one of this consumer.
    pub fn of(&self, consumer: &str) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.name == consumer)
    }
}

/// A name as bytes, for hashing.
pub fn name_bytes(name: &OsStr) -> &[u8] {
    name.as_bytes()
}

fn is_gone(error: &io::Error) -> bool {
    // A link or a folder that took the place of the file is no file.
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ELOOP | libc::ENXIO | libc::EISDIR))
}
