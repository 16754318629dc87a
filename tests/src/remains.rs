//! The name of a clinic: taking it, and clearing away what a killed one left.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, umount2};

use crate::error::{Error, at};
use crate::plan::{Host, Place};
use crate::process;
use crate::record::Record;
use crate::roles;

/// How long what is left may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The right to work on a name: a lock on the clinic's folder, gone with whoever holds it.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for its lock")] File);

/// Takes the name for a new clinic; the remains of a dead one are cleared away first.
pub fn claim_new(place: &Place) -> Result<Claim, Error> {
    loop {
        let new = match fs::create_dir(&place.root) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(at(&place.root)(error)),
        };
        let Some(claim) = lock(place, false)? else { continue };
        if new {
            return refuse_foreign(place).map(|()| claim);
        }
        if Record::read(place).is_ok_and(|record| record.is_alive()) {
            return Err(Error::NameTaken(place.name.clone()));
        }
        sweep(place)?;
    }
}

/// Takes the name of a clinic that is there, waiting for whoever works on it; `None` if there is none.
pub fn claim(place: &Place) -> Result<Option<Claim>, Error> {
    loop {
        if !place.root.exists() {
            return Ok(None);
        }
        if let Some(claim) = lock(place, true)? {
            return Ok(Some(claim));
        }
    }
}

/// Locks the clinic's folder; `None` if it went away meanwhile.
fn lock(place: &Place, wait: bool) -> Result<Option<Claim>, Error> {
    let folder = match File::open(&place.root) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(&place.root)(error)),
    };
    let locked = if wait { folder.lock().map_err(TryLockError::Error) } else { folder.try_lock() };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::Busy(place.name.clone())),
        Err(TryLockError::Error(error)) => return Err(at(&place.root)(error)),
    }
    let held = folder.metadata().map_err(at(&place.root))?.ino();
    let same = fs::metadata(&place.root).is_ok_and(|there| there.ino() == held);
    Ok(same.then_some(Claim(folder)))
}

/// A namespace of our name without our folder is somebody else's: it is left alone.
fn refuse_foreign(place: &Place) -> Result<(), Error> {
    for host in Host::ALL {
        if place.netns(host).exists() {
            fs::remove_dir(&place.root).map_err(at(&place.root))?;
            return Err(Error::Foreign(place.namespace(host)));
        }
    }
    Ok(())
}

/// Clears everything of a clinic away: processes, namespaces, folder.
pub fn sweep(place: &Place) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let record = Record::read(place).ok();
    process::kill_all(deadline, || {
        let inside = Host::ALL.into_iter().filter_map(|host| process::namespace(&place.netns(host)));
        let inside = inside.flat_map(process::in_namespace);
        let known = record.iter().flat_map(Record::processes).chain(roles::running(place));
        inside.chain(known).filter(|process| process.is_alive()).collect()
    });
    for host in Host::ALL {
        let path = place.netns(host);
        // Not mounted is as good; the file is what counts.
        let _ = umount2(&path, MntFlags::MNT_DETACH);
        gone(fs::remove_file(&path), &path)?;
    }
    gone(fs::remove_dir_all(&place.root), &place.root)
}

fn gone(result: std::io::Result<()>, path: &Path) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}
