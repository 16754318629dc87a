//! `image flash`, from top to bottom: nothing is written before the signature is good, the disk is fit and a person has
//! said which one it is; everything is read back afterwards.

pub mod disk;
pub mod signed;
pub mod write;

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::time::Instant;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::{Error, calling};
use crate::say;
use disk::Disk;
use signed::Image;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The compressed image; its signature lies beside it.
    pub image: PathBuf,
    /// The disk to write.
    pub disk: PathBuf,
    /// The public key it must be signed with.
    pub key: PathBuf,
    /// Do not ask.
    pub yes: bool,
}

/// Writes an image to a disk.
pub fn run(wish: &Wish) -> Result<(), Error> {
    let image = Image::open(&wish.image, &wish.key)?;
    say::error(&format!(
        "the signature of {} is good ({} MiB unpacked)",
        wish.image.display(),
        image.size() >> 20
    ));
    let disk = Disk::look(&wish.disk)?;
    disk.fit(image.size())?;
    say::error(&format!("everything on this disk will be lost:\n{disk}"));
    if !wish.yes {
        ask(&disk)?;
    }
    let begin = Instant::now();
    let signals = interruptions()?;
    let interrupted = || matches!(signals.read_signal(), Ok(Some(_)));
    write::write(&image, &disk, &interrupted, &mut progress("written", image.size()))?;
    write::compare(&image, &disk, &interrupted, &mut progress("read back", image.size()))?;
    say::over("");
    say::print(&format!(
        "{} is written and reads back the same ({} s)",
        wish.disk.display(),
        begin.elapsed().as_secs()
    ));
    Ok(())
}

/// The person names the disk by what is printed on it, so that a slip of one letter in `/dev/sdX` writes nothing.
fn ask(disk: &Disk) -> Result<(), Error> {
    let refuse = |reason: &str| Error::Refused { disk: disk.path().to_owned(), reason: reason.to_owned() };
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(refuse("nobody is there to ask; say --yes if you are sure"));
    }
    say::error(&format!("Type {} `{}` to write it:", disk.word(), disk.name()));
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(crate::error::doing("read the answer"))?;
    if line.trim() == disk.name() {
        Ok(())
    } else {
        Err(refuse("that is not what it says on it; nothing was written"))
    }
}

/// Ctrl-C and its kin, from now on something that is asked for between two writes.
fn interruptions() -> Result<SignalFd, Error> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    signals.thread_block().map_err(calling("hold back signals"))?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .map_err(calling("hold back signals"))
}

fn progress(what: &'static str, of: u64) -> impl FnMut(u64) {
    let mut last = u64::MAX;
    move |done| {
        let percent = done * 100 / of.max(1);
        if percent != last {
            last = percent;
            say::over(&format!("   {what}: {percent} % of {} MiB", of >> 20));
        }
    }
}
