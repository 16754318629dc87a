//! Defects and flushes left out by name, to show that a check sees it; the relay's own list builds on it. Only a build with the feature `sabotage` can;
//! no shipped build has it. `SEKISHO_SABOTAGE` names them, separated by commas.

/// What is appended to a log is not made durable.
pub const FLUSH_RECORD: &str = "flush-record";
/// What a log is found to hold is not made durable before it is built on.
pub const FLUSH_LOG_OPEN: &str = "flush-log-open";
/// A replaced file is not made durable.
pub const FLUSH_REPLACE: &str = "flush-replace";

/// Flushes, unless this flush is to be left out. `die-before=FLUSH:N` asks for the process to end right before the Nth
/// one of this name, with nothing tidied up.
///
/// # Errors
/// What the flush says.
pub fn unless<E>(left_out: &str, flush: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    die_before(left_out);
    if is(left_out) { Ok(()) } else { flush() }
}

/// Whether a defect was asked for.
#[cfg(feature = "sabotage")]
pub fn is(defect: &str) -> bool {
    chosen().any(|name| name == defect)
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

#[cfg(not(feature = "sabotage"))]
const fn die_before(_flush: &str) {}
