//! What is done with a held file when a person has decided. It lies in `attempted` then, under a name with its journal
//! number: as long as the entry is there nothing was done, and when it is gone it was.

use std::ffi::OsStr;
use std::io;

use super::{Own, Seat, Source, flush_all};
use crate::Error;
use crate::entry::Attempt;

impl Own {
    /// Takes a file that is held in the clinic's folder in hand: moves it into `attempted`, durably, where no client
    /// can change it any more. `Ok(false)` if it is not what was seen, or somebody writes it.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn hold(&self, source: &Source<'_>, is_file: bool) -> Result<bool, Error> {
        let folder = source.seat.folder(source.path)?;
        let (name, entry) = (OsStr::new(&source.attempt.name), source.attempt.entry());
        if is_file {
            let (mut moved, flushed) = self.decide(std::slice::from_ref(source));
            let moved = moved.pop().unwrap_or(Ok(false))?;
            return flushed.map(|()| moved).inspect_err(|_| {
                // Held here or there: it was never staged, so either is safe.
                let _ = self.attempted.move_to(&entry, &folder, name);
            });
        }
        // A link or a folder has no bytes anybody could write into: the name is all that was seen.
        let moved = folder.move_to(name, &self.attempted, &entry).and_then(|()| {
            let flushed = flush_all(&self.attempted, &[(&source.seat.path, source.path, folder)]);
            flushed.map(|()| true)
        });
        match moved {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            moved => moved.map_err(Error::io("move out of", &source.seat.path(source.path))),
        }
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
            let flushed = self.attempted.file(&entry).and_then(|file| file.sync_all());
            flushed.map_err(Error::io("fsync a file in", &self.attempted_path()))?;
        }
        match self.attempted.move_to(&entry, &to, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            moved => moved.map_err(Error::io("move into", &seat.path(path)))?,
        }
        let to = [(seat.path.as_path(), path, to)];
        flush_all(&self.attempted, &to).map(|()| true).map_err(|error| {
            // Back where it was held, as far as one can tell; if not even that, it was given back.
            let _ = to[0].2.move_to(name, &self.attempted, &entry);
            Error::io("fsync", &seat.path(path))(error)
        })
    }

    /// Removes a held file for good, durably.
    ///
    /// # Errors
    /// If the system refuses: a folder is not removed, it may be full.
    pub fn discard(&self, attempt: &Attempt) -> Result<(), Error> {
        self.settle(attempt)?;
        self.flush_notes()
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
