//! Listed defects for checks that must be seen to fail. Only a build with the feature `sabotage` has any; no
//! shipped build does. `SEKISHO_SABOTAGE` names them, as `journal::sabotage` reads it.

/// `admit` takes any name as the first kind of its direction.
pub const NO_NAME_CHECK: &str = "no-name-check";
/// A delivery is written under its final name, without a temporary one and without a rename.
pub const NO_RENAME: &str = "no-rename";
/// What was seen is remembered for as long as the process runs.
pub const NO_RECORD: &str = "no-record";
/// After a restart what was decided counts as submitted.
pub const NO_DOUBT: &str = "no-doubt";
/// The move of a request into `attempted` is not made durable.
pub const FLUSH_DECIDE: &str = "flush-decide";
/// The bytes and names of copies are not made durable.
pub const FLUSH_COPY: &str = "flush-copy";
/// A publication on an end that is a folder of this machine is not made durable.
pub const FLUSH_PUBLISH: &str = "flush-publish";
/// What a folder of this machine is found to hold is not made durable before it is believed.
pub const FLUSH_STAGED: &str = "flush-staged";
/// What the clinic removes from its folders is not made durable at once.
pub const KEEP_REMOVALS: &str = "keep-removals";

pub use journal::sabotage::{is, unless};

/// A step of a file's road was taken. `die-at=STEP:N` asks for the process to be killed at the Nth one of this name:
/// as by `kill -9`, with nothing said and nothing tidied up but one line in the log.
#[cfg(feature = "sabotage")]
pub fn step(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static DEATH: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let asked = || {
        let (step, nth) = journal::sabotage::asked("die-at")?;
        Some((step.to_owned(), AtomicU32::new(nth.parse().ok()?)))
    };
    let Some((step, left)) = DEATH.get_or_init(asked) else { return };
    if step == name && left.fetch_sub(1, Ordering::Relaxed) == 1 {
        tracing::error!(step, "dies here, as it was asked to");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    }
}

/// A step of a file's road was taken; nothing hangs on it in this build.
#[cfg(not(feature = "sabotage"))]
pub const fn step(_name: &'static str) {}
