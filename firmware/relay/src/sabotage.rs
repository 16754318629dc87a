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
/// What a former run decided, or a flush that failed left, is not made durable before a doubt is ended by it.
pub const FLUSH_DOUBT: &str = "flush-doubt";
/// What was noted is not made durable before the end is known as another one or rid of what nobody owns.
pub const FLUSH_NOTED: &str = "flush-noted";
/// The bytes of copies are not made durable.
pub const FLUSH_COPY: &str = "flush-copy";
/// The names of copies are not made durable.
pub const FLUSH_COPY_NAME: &str = "flush-copy-name";
/// What was sent to another machine's share is not made durable there before it is published.
pub const FLUSH_REMOTE: &str = "flush-remote";
/// A publication on an end that is a folder of this machine is not made durable.
pub const FLUSH_PUBLISH: &str = "flush-publish";
/// What a folder of this machine is found to hold is not made durable before it is believed.
pub const FLUSH_STAGED: &str = "flush-staged";
/// What is shown is not made durable before it is removed on the end.
pub const FLUSH_SHOW: &str = "flush-show";
/// What a former run showed is not made durable before anything is removed on the end.
pub const FLUSH_FOUND: &str = "flush-found";
/// That a held file was taken in hand is not made durable.
pub const FLUSH_HOLD: &str = "flush-hold";
/// The bytes of a file that a person gives back are not made durable.
pub const FLUSH_RETURN: &str = "flush-return";
/// That a person gave a file back is not made durable.
pub const FLUSH_RETURN_NAME: &str = "flush-return-name";
/// That a person discarded a file is not made durable.
pub const FLUSH_DISCARD: &str = "flush-discard";
/// What became of a decision that a crash cut off is not made durable before it is recorded.
pub const FLUSH_SETTLE: &str = "flush-settle";
/// The name of a folder that was made is not made durable.
pub const FLUSH_FOLDER_MADE: &str = "flush-folder-made";
/// The names of folders that a former run made are not made durable.
pub const FLUSH_FOLDER_FOUND: &str = "flush-folder-found";
/// What the clinic removes from its folders is not made durable at once.
pub const KEEP_REMOVALS: &str = "keep-removals";

/// Every flush of this crate; `journal` has its own.
pub const FLUSHES: [&str; 18] = [
    FLUSH_DECIDE,
    FLUSH_DOUBT,
    FLUSH_NOTED,
    FLUSH_COPY,
    FLUSH_COPY_NAME,
    FLUSH_REMOTE,
    FLUSH_PUBLISH,
    FLUSH_STAGED,
    FLUSH_SHOW,
    FLUSH_FOUND,
    FLUSH_HOLD,
    FLUSH_RETURN,
    FLUSH_RETURN_NAME,
    FLUSH_DISCARD,
    FLUSH_SETTLE,
    FLUSH_FOLDER_MADE,
    FLUSH_FOLDER_FOUND,
    KEEP_REMOVALS,
];

pub use journal::sabotage::{is, unless, unless_awaited};

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
