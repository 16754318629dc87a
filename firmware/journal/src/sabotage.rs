//! Defects and flushes left out by name, to show that a check sees it; the relay's own list builds on it. Only a build
//! with the feature `sabotage` can; no shipped build has it. `SEKISHO_SABOTAGE` names them, separated by commas.

/// What is appended to a log is not made durable.
pub const FLUSH_RECORD: &str = "flush-record";
/// What a log is found to hold is not made durable before it is built on.
pub const FLUSH_LOG_OPEN: &str = "flush-log-open";
/// The name of a log's newest segment is not made durable.
pub const FLUSH_LOG_NAME: &str = "flush-log-name";
/// The bytes of a replaced file are not made durable before it has its name.
pub const FLUSH_REPLACE: &str = "flush-replace";
/// The name of a replaced file, or that a file is removed, is not made durable.
pub const FLUSH_REPLACE_NAME: &str = "flush-replace-name";
/// The name of a folder of our own is not made durable.
pub const FLUSH_FOLDER: &str = "flush-folder";

/// Every flush of this crate.
pub const FLUSHES: [&str; 6] =
    [FLUSH_RECORD, FLUSH_LOG_OPEN, FLUSH_LOG_NAME, FLUSH_REPLACE, FLUSH_REPLACE_NAME, FLUSH_FOLDER];

/// Flushes, unless this flush is to be left out. `die-before=FLUSH:N` asks for the process to end right before the Nth
/// one of this name, with nothing tidied up.
///
/// # Errors
/// What the flush says.
pub fn unless<E>(left_out: &str, flush: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    die_before(left_out);
    if is(left_out) { Ok(()) } else { flush() }
}

/// As [`unless`], of a flush that another machine does.
///
/// # Errors
/// What the flush says.
pub async fn unless_awaited<E>(
    left_out: &str,
    flush: impl Future<Output = Result<(), E>> + Send,
) -> Result<(), E> {
    die_before(left_out);
    if is(left_out) { Ok(()) } else { flush.await }
}

/// Whether a defect was asked for.
#[cfg(feature = "sabotage")]
pub fn is(defect: &str) -> bool {
    chosen().any(|name| name == defect)
}

/// A number of the product's, or the other one that `NAME=bytes:N` asks for.
#[cfg(feature = "sabotage")]
pub fn number(name: &str, own: u64) -> u64 {
    asked(name).and_then(|(_, number)| number.parse().ok()).unwrap_or(own)
}

/// What `VERB=NAME:N` asks for: the name, and the number as it was written.
#[cfg(feature = "sabotage")]
pub fn asked(verb: &str) -> Option<(&'static str, &'static str)> {
    chosen().find_map(|word| word.strip_prefix(verb)?.strip_prefix('=')?.split_once(':'))
}

#[cfg(feature = "sabotage")]
fn die_before(flush: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static BEFORE: AtomicU32 = AtomicU32::new(0);
    let Some((_, nth)) = asked("die-before").filter(|(asked, _)| *asked == flush) else { return };
    if nth.parse() == Ok(BEFORE.fetch_add(1, Ordering::Relaxed) + 1) {
        std::process::abort();
    }
}

#[cfg(feature = "sabotage")]
fn chosen() -> impl Iterator<Item = &'static str> {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("SEKISHO_SABOTAGE").unwrap_or_default());
    chosen.split(',').map(str::trim)
}

/// Whether a defect was asked for; never, in this build.
#[cfg(not(feature = "sabotage"))]
pub const fn is(_defect: &str) -> bool {
    false
}

/// A number of the product's, in this build.
#[cfg(not(feature = "sabotage"))]
pub const fn number(_name: &str, own: u64) -> u64 {
    own
}

#[cfg(not(feature = "sabotage"))]
const fn die_before(_flush: &str) {}
