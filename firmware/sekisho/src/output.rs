//! The one place that writes to the terminal. A reader that went away is no reason to fail.

use std::io::Write as _;

/// One text on standard output, with a line end.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// One text on standard error, with a line end.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A text without anything a terminal would act on.
pub fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// A value as indented JSON.
pub fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("invariant: our types have only text keys")
}

/// A value as JSON in one line.
pub fn json_line<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: our types have only text keys")
}

/// An instant as Japan's clocks have it: there is one zone without summer time.
pub fn clock(at: model::Timestamp) -> String {
    const JST_S: i64 = 9 * 3600;
    let wall = model::Timestamp::from_second(at.as_second().saturating_add(JST_S)).unwrap_or(at);
    wall.to_string().trim_end_matches('Z').replace('T', " ")
}

/// How long something has lasted, for a person: `12 s`, `3 min`, `2 h`, `4 d`.
pub fn age(since: model::Timestamp, now: model::Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
