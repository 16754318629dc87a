//! What is done with a held file when a person has decided. It lies in `attempted` then, under a name with its journal
//! number: as long as the entry is there nothing was done, and when it is gone it was.

use std::ffi::OsStr;
use std::io;

use super::{Own, Seat, Source};
use crate::Error;
use crate::entry::Attempt;
use crate::sabotage::{FLUSH_DISCARD, FLUSH_HOLD, FLUSH_RETURN, FLUSH_RETURN_NAME, unless};

impl Own {
    /// Takes a file that is held in the clinic's folder in hand: moves it into `attempted`, durably, where no client
    /// can change it any more. `Ok(false)` if it is not what was seen, or somebody writes it.
    ///
    /// # Errors
    /// If the system refuses or the flush fails.
    pub fn hold(&self, source: &Source<'_>, is_file: bool) -> Result<bool, Error> {
        let (folder, path) = (source.seat.folder(source.path)?, source.seat.path(source.path));
        let (name, entry) = (OsStr::new(&source.attempt.name), source.attempt.entry());
        let moved = if is_file {
            self.move_in(&folder, source)
        } else {
            // A link or a folder has no bytes anybody could write into: the name is all that was seen.
            folder.move_to(name, &self.attempted, &entry).map(|()| true)
        };
        match moved {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Ok(false) => return Ok(false),
            moved => moved.map_err(Error::io("move out of", &path))?,
        };
        let flushed = unless(FLUSH_HOLD, || folder.sync()).inspect_err(|_| {
            // Held here or there: it was never staged, so either is safe.
            let _ = self.attempted.move_to(&entry, &folder, name);
        });
        flushed.map(|()| true).map_err(Error::io("fsync", &path))
    }

    /// Moves a held file back to its consumer, under its own name into this folder; durable when this returns, bytes
    /// and names. `Ok(false)` if the name is taken.
    ///
    /// # Errors
    /// If the system refuses or the flush fails; the file then is still held.
    pub fn give_back(&self, attempt: &Attempt, seat: &Seat, path: &str) -> Result<bool, Error> {
        let to = seat.folder(path)?;
        let (entry, name) = (attempt.entry(), OsStr::new(&attempt.name));
        let facts = self.attempted.facts(&entry).map_err(Error::io("see", &self.attempted_path()))?;
        if facts.is_file {
            // Whoever wrote it may never have flushed it.
            let file = self.attempted.file(&entry);
            let flushed = file.and_then(|file| unless(FLUSH_RETURN, || file.sync_all()));
            flushed.map_err(Error::io("fsync a file in", &self.attempted_path()))?;
        }
        match self.attempted.move_to(&entry, &to, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            moved => moved.map_err(Error::io("move into", &seat.path(path)))?,
        }
        let flushed = self.flush_attempted(FLUSH_RETURN_NAME).inspect_err(|_| {
            // Back where it was held, as far as one can tell; if not even that, it was given back.
            let _ = to.move_to(name, &self.attempted, &entry);
        });
        flushed.map(|()| true)
    }

    /// Removes a held file for good, durably.
    ///
    /// # Errors
    /// If the system refuses: a folder is not removed, it may be full.
    pub fn discard(&self, attempt: &Attempt) -> Result<(), Error> {
        self.settle(attempt)?;
        self.flush_attempted(FLUSH_DISCARD)
    }

    /// Whether there is an entry of this number.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn has(&self, number: u64) -> Result<bool, Error> {
        let names = self.attempted.names().map_err(Error::io("list", &self.attempted_path()))?;
        Ok(names.iter().filter_map(|entry| Attempt::parse(entry)).any(|attempt| attempt.number == number))
    }
}
