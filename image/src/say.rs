//! The one place that writes to the terminal. A reader that went away is no reason to fail.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// One text on standard output, with a line end.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// One text on standard error, with a line end.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A line that the next one of its kind writes over; only where a person looks at a terminal.
pub fn over(text: &str) {
    let mut out = std::io::stderr().lock();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K{text}");
        let _ = out.flush();
    }
}

/// Runs a step with its seconds counting on the terminal, and gives how long it took.
pub fn counting<T>(name: &str, step: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let (over_now, waits) = mpsc::channel::<()>();
    let done = std::thread::scope(|scope| {
        scope.spawn(move || {
            while waits.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
                over(&format!("   {name}: {} s", begin.elapsed().as_secs()));
            }
            over("");
        });
        let done = step();
        drop(over_now);
        done
    });
    (done, begin.elapsed())
}
