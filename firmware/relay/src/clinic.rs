//! The clinic's end: the folders of the share the box itself exports, and our own folders beside them on the same
//! file system. Everything here is plain system calls; the roads are decided in `request` and `answer`.
//!
//! ```text
//! STATE/share/OQS/{req,res,face,returned}  exported to the clinic
//! STATE/relay/attempted/                   requests after the decision, see [`Attempt`]
//! STATE/relay/arriving/                    answers before they are shown, see [`Arrival`]
//! STATE/relay/log/                         append log: number, time and keyed hash of every answer recorded
//! STATE/relay/number                       up to where journal numbers are reserved
//! STATE/relay/key                          the key of all hashes, this box's own
//! STATE/relay/terminal-NAME                by what the terminal's staging folder is known
//! ```
//!
//! What is held before the decision stays in `req` under its own name, where a person finds it; what is held after
//! it stays in `attempted` and is never sent again by itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::folder::{Facts, Folder, facts_of, read_all};
use crate::lease;
use crate::request::Mark;
use crate::whole::{End, Look, Writer, end};

/// An entry of `attempted`. Its name says everything a restart has to know:
/// `MARK.NUMBER.STAGE.TERMINAL~NAME`, number and stage in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What is certain.
    pub mark: Mark,
    /// Journal number.
    pub number: u64,
    /// What its staged file on the terminal is called by.
    pub stage: u64,
    /// The terminal it was staged on.
    pub terminal: String,
    /// Its own name.
    pub name: String,
}

impl Attempt {
    fn entry(&self) -> OsString {
        let Self { mark, number, stage, terminal, name } = self;
        format!("{}.{number:x}.{stage:016x}.{terminal}~{name}", mark.letter()).into()
    }

    fn parse(entry: &OsStr) -> Option<Self> {
        let mut parts = entry.to_str()?.splitn(4, '.');
        let mark = Mark::from_letter(parts.next()?.parse().ok()?)?;
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        let stage = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (terminal, name) = parts.next()?.split_once('~')?;
        Some(Self { mark, number, stage, terminal: terminal.to_owned(), name: name.to_owned() })
    }
}

/// An entry of `arriving`: `NUMBER.FOLDER~NAME`, the number in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Journal number.
    pub number: u64,
    /// `res` or `face`.
    pub folder: String,
    /// Its own name.
    pub name: String,
}

impl Arrival {
    fn entry(&self) -> OsString {
        format!("{:x}.{}~{}", self.number, self.folder, self.name).into()
    }

    fn parse(entry: &OsStr) -> Option<Self> {
        let (number, rest) = entry.to_str()?.split_once('.')?;
        let (folder, name) = rest.split_once('~')?;
        let number = u64::from_str_radix(number, 16).ok()?;
        Some(Self { number, folder: folder.to_owned(), name: name.to_owned() })
    }
}

/// A request as it was read: the bytes are a private copy.
#[derive(Debug)]
pub struct Taken {
    /// What was seen of it.
    pub look: Look,
    /// Its bytes; empty unless nobody writes and the size is allowed.
    pub bytes: Vec<u8>,
}

/// The clinic's end.
#[derive(Debug)]
pub struct Clinic {
    share_path: PathBuf,
    share: Folder,
    attempted: Folder,
    arriving: Folder,
    relay_path: PathBuf,
}

/// The folders of the share.
pub const FOLDERS: [&str; 4] = ["req", "res", "face", "returned"];

impl Clinic {
    /// Opens the folders below the state folder; what is missing is made.
    ///
    /// # Errors
    /// If the system refuses one of them.
    pub fn open(state: &Path) -> Result<Self, Error> {
        let (share_path, relay_path) = (state.join("share").join("OQS"), state.join("relay"));
        for path in [&share_path, &relay_path] {
            std::fs::create_dir_all(path).map_err(Error::io("create", path))?;
        }
        let share = Folder::open(&share_path).map_err(Error::io("open", &share_path))?;
        let relay = Folder::open(&relay_path).map_err(Error::io("open", &relay_path))?;
        for name in FOLDERS {
            share.below(name).map_err(Error::io("open", &share_path.join(name)))?;
        }
        let own = |name: &str| relay.below(name).map_err(Error::io("open", &relay_path.join(name)));
        Ok(Self { attempted: own("attempted")?, arriving: own("arriving")?, share_path, share, relay_path })
    }

    /// The path of a folder of the share, for watching it.
    pub fn path(&self, folder: &str) -> PathBuf {
        self.share_path.join(folder)
    }

    /// Where is kept by what a terminal's staging folder is known.
    pub fn terminal_path(&self, terminal: &str) -> PathBuf {
        self.relay_path.join(format!("terminal-{terminal}"))
    }

    /// What lies in a folder of the share. It is opened anew: a client may have removed and made it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn list(&self, folder: &str) -> Result<Vec<(OsString, Facts)>, Error> {
        let opened = self.folder(folder)?;
        let names = opened.names().map_err(Error::io("list", &self.path(folder)))?;
        // What vanished between the two looks is not there.
        Ok(names.into_iter().filter_map(|name| opened.facts(&name).ok().map(|facts| (name, facts))).collect())
    }

    /// Looks into a request. None if it vanished or is no file any more.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn take(&self, name: &str, extension: &str, largest: u64) -> Result<Option<Taken>, Error> {
        let place = self.path("req");
        let error = Error::io("read", &place);
        match self.read(name, extension, largest) {
            Ok(taken) => Ok(taken),
            Err(found) if is_gone(&found) => Ok(None),
            Err(found) => Err(error(found)),
        }
    }

    fn read(&self, name: &str, extension: &str, largest: u64) -> io::Result<Option<Taken>> {
        let file = self.share.open_below("req")?.file(OsStr::new(name))?;
        let facts = facts_of(&file)?;
        if !facts.is_file {
            return Ok(None);
        }
        let mut look =
            Look { size: facts.size, stamp: facts.stamp, writer: lease::writer(&file), end: End::Wrong };
        let mut bytes = Vec::new();
        if look.writer != Writer::Open && look.size <= largest {
            bytes = read_all(&file, largest)?;
            look.end = end(extension, &bytes);
            // Somebody may have come while we read; then these bytes are nobody's.
            if facts_of(&file)? != facts || lease::writer(&file) == Writer::Open {
                look.writer = Writer::Open;
            }
        }
        Ok(Some(Taken { look, bytes }))
    }

    /// Decides: moves the request into `attempted`, durably, if it still is what was read. `Ok(false)` if it is not.
    ///
    /// Flushed are first `attempted`, which must hold the entry before anything is published, then `req`, so that
    /// a cut cannot leave the file in both.
    ///
    /// # Errors
    /// If the system refuses or the flush fails; the file then is back in `req`, or in `attempted` with its staged
    /// file untouched, and both are safe to begin from.
    pub fn decide(&self, attempt: &Attempt, stamp: u64) -> Result<bool, Error> {
        let place = self.path("req");
        let request = self.folder("req")?;
        let (name, entry) = (OsStr::new(&attempt.name), attempt.entry());
        let Ok(file) = request.file(name) else { return Ok(false) };
        let same = |facts: io::Result<Facts>| facts.is_ok_and(|facts| facts.stamp == stamp);
        if !same(facts_of(&file)) || lease::writer(&file) == Writer::Open {
            return Ok(false);
        }
        request.move_to(name, &self.attempted, &entry).map_err(Error::io("move out of", &place))?;
        let moved = self.attempted.file(&entry).and_then(|moved| identity(&moved));
        let right = moved.is_ok_and(|moved| identity(&file).is_ok_and(|file| file == moved));
        let flushed = self.attempted.sync().and_then(|()| request.sync());
        if right && flushed.is_ok() {
            return Ok(true);
        }
        self.attempted.move_to(&entry, &request, name).map_err(Error::io("move back into", &place))?;
        flushed.map(|()| false).map_err(Error::io("fsync", &place))
    }

    /// Makes durable what a former run left: nothing may be built on a move that a cut could still take back.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn flush(&self) -> Result<(), Error> {
        for own in [&self.attempted, &self.arriving] {
            own.sync().map_err(Error::io("fsync a folder of", &self.relay_path))?;
        }
        for name in FOLDERS {
            self.folder(name)?.sync().map_err(Error::io("fsync", &self.path(name)))?;
        }
        Ok(())
    }

    /// Every attempt on a terminal.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn attempts(&self, terminal: &str) -> Result<Vec<(Attempt, Facts)>, Error> {
        let place = self.relay_path.join("attempted");
        let names = self.attempted.names().map_err(Error::io("list", &place))?;
        let parsed = names
            .iter()
            .filter_map(|entry| Some((Attempt::parse(entry)?, self.attempted.facts(entry).ok()?)));
        Ok(parsed.filter(|(attempt, _)| attempt.terminal == terminal).collect())
    }

    /// Notes what became certain in the entry's name, durably.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn note(&self, attempt: &Attempt, mark: Mark) -> Result<Attempt, Error> {
        let noted = Attempt { mark, ..attempt.clone() };
        let moved = self.attempted.move_to(&attempt.entry(), &self.attempted, &noted.entry());
        moved
            .and_then(|()| self.attempted.sync())
            .map_err(Error::io("note in", &self.relay_path.join("attempted")))?;
        Ok(noted)
    }

    /// Removes an entry of `attempted`. Not flushed: an entry that comes back after a cut is settled again.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn settle(&self, attempt: &Attempt) -> Result<(), Error> {
        let removed = self.attempted.remove(&attempt.entry());
        gone_is_fine(removed).map_err(Error::io("remove from", &self.relay_path.join("attempted")))
    }

    /// Copies an answer into `arriving`: bytes flushed and read back, then its name flushed.
    ///
    /// # Errors
    /// If the system refuses; what was begun is abandoned.
    pub fn copy(&self, arrival: &Arrival, bytes: &[u8]) -> Result<(), Error> {
        let entry = arrival.entry();
        let written = self.arriving.write(&entry, bytes).and_then(|()| self.arriving.sync());
        written.map_err(|error| {
            // After a failed flush its pages cannot be trusted; the terminal still has the file.
            let _ = self.arriving.remove(&entry);
            Error::io("write to", &self.relay_path.join("arriving"))(error)
        })
    }

    /// Every copy that has not been shown.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn arrivals(&self) -> Result<Vec<Arrival>, Error> {
        let names = self.arriving.names().map_err(Error::io("list", &self.relay_path.join("arriving")))?;
        Ok(names.iter().filter_map(|entry| Arrival::parse(entry)).collect())
    }

    /// Abandons a copy.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn abandon(&self, arrival: &Arrival) -> Result<(), Error> {
        let removed = self.arriving.remove(&arrival.entry());
        gone_is_fine(removed).map_err(Error::io("remove from", &self.relay_path.join("arriving")))
    }

    /// Shows a copy under its own name, replacing nothing; durable when this returns, so that what is removed on
    /// the terminal next cannot be lost. `Ok(false)` if the name is taken.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn show(&self, arrival: &Arrival) -> Result<bool, Error> {
        let to = self.folder(&arrival.folder)?;
        match self.arriving.move_to(&arrival.entry(), &to, OsStr::new(&arrival.name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            // Not in `arriving` any more: an earlier try moved it and only its flush failed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved
                .and_then(|()| to.sync())
                .and_then(|()| self.arriving.sync())
                .map_err(Error::io("show in", &self.path(&arrival.folder)))?,
        }
        Ok(true)
    }

    fn folder(&self, name: &str) -> Result<Folder, Error> {
        self.share.below(name).map_err(Error::io("open", &self.path(name)))
    }
}

/// A name as bytes, for hashing.
pub fn name_bytes(name: &OsStr) -> &[u8] {
    name.as_bytes()
}

fn identity(file: &std::fs::File) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}

fn is_gone(error: &io::Error) -> bool {
    // A link or a folder that took the place of the file is no file.
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ELOOP | libc::ENXIO | libc::EISDIR))
}

fn gone_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
