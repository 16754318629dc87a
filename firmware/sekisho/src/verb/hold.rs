//! `sekisho hold PROGRAM`: runs a program for as long as whoever is on standard input stays. In the image that is `netd`, which
//! opens a socket of systemd's and so has a charon, in a unit of its own, that ends with the consent and with `netd`,
//! however that ends: the kernel closes what a process held. Nothing is read from it but its end.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::Failure;

/// How long the program may take to end in good order: charon says goodbye and takes the kernel's policies with it.
const ORDERLY: Duration = Duration::from_millis(300);

/// Runs it to its end.
///
/// # Errors
/// [`Failure::Read`] if it cannot be started.
pub fn run(program: &Path) -> Result<ExitCode, Failure> {
    let failed = |source| Failure::Read { path: program.to_owned(), source };
    let mut child = Command::new(program).stdin(Stdio::null()).spawn().map_err(failed)?;
    let pid = Pid::from_raw(child.id().cast_signed());
    std::thread::spawn(move || {
        wait_for_the_end();
        // It may have ended by itself.
        let _ = kill(pid, Signal::SIGTERM);
        std::thread::park_timeout(ORDERLY);
        let _ = kill(pid, Signal::SIGKILL);
    });
    let ended = child.wait().map_err(failed)?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Comes back when nobody is on standard input any more.
fn wait_for_the_end() {
    let mut nothing = [0; 64];
    let mut input = std::io::stdin().lock();
    while input.read(&mut nothing).is_ok_and(|length| length > 0) {}
}
