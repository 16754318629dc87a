//! What the control socket understands: one line, one order.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::faux::forms::Form;

/// What an answer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A document of the link application's own.
    Made(Form),
    /// The request's bytes, so that an outsider can compare.
    Echo,
}

/// How the link application behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Between taking a request and beginning its answer.
    pub delay: Duration,
    /// What the answer is.
    pub answer: Answer,
    /// Whether the answer is written in pieces over half a second, under its final name.
    pub slow: bool,
    /// Requests are taken and never answered.
    pub mute: bool,
    /// The application does not run: requests stay where they are.
    pub stopped: bool,
    /// Least size of an answer of its own, bytes.
    pub size: usize,
    /// The resolver the terminal asks for the centre's name, again and again; while it does not say it nothing is answered.
    pub asks: Option<IpAddr>,
    /// Whom the application calls, again and again.
    pub calls: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(50),
            answer: Answer::Made(Form::Xml),
            slow: false,
            mute: false,
            stopped: false,
            size: 0,
            asks: None,
            calls: None,
        }
    }
}

/// What one line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Behave like this from now on.
    Set(Settings),
    /// Leave, or take away, a deletion marker in `res`.
    Stale(bool),
    /// Write so many face results.
    PushFace(u32),
    /// Say the tally.
    Counts,
    /// Say how often the request of this name was taken.
    Seen(u64),
}

/// The largest answer, bytes: the largest file the field is known to pass.
const LARGEST: usize = 200 * 1024 * 1024;

/// Reads a line. Settings are taken over from `now`, one of them changed.
///
/// # Errors
/// One sentence that says what would be right.
pub fn read(line: &str, now: Settings) -> Result<Order, String> {
    let line = line.trim();
    if line == "counts" {
        return Ok(Order::Counts);
    }
    let (key, value) = line.split_once('=').ok_or("want KEY=VALUE or counts")?;
    Ok(match key {
        "stale" => Order::Stale(switch(value)?),
        "push-face" => Order::PushFace(number(value, 10_000)?),
        "seen" => Order::Seen(super::tally::hash(value)),
        _ => Order::Set(set(key, value, now)?),
    })
}

fn set(key: &str, value: &str, now: Settings) -> Result<Settings, String> {
    Ok(match key {
        "delay-ms" => Settings { delay: Duration::from_millis(number(value, 3_600_000)?), ..now },
        "answer" => Settings { answer: answer(value)?, ..now },
        "write" => Settings { slow: one_of(value, &[("at-once", false), ("slow", true)])?, ..now },
        "mute" => Settings { mute: switch(value)?, ..now },
        "stopped" => Settings { stopped: switch(value)?, ..now },
        "size" => Settings { size: number(value, LARGEST)?, ..now },
        "asks" => Settings { asks: place(value)?, ..now },
        "calls" => Settings { calls: place(value)?, ..now },
        _ => {
            return Err(
                "unknown key; want delay-ms, answer, write, mute, stopped, stale, size, asks, calls, push-face, seen or counts"
                    .into(),
            );
        }
    })
}

fn answer(value: &str) -> Result<Answer, String> {
    one_of(
        value,
        &[
            ("xml", Answer::Made(Form::Xml)),
            ("sjis", Answer::Made(Form::Sjis)),
            ("pdf", Answer::Made(Form::Pdf)),
            ("zip", Answer::Made(Form::Zip)),
            ("error", Answer::Made(Form::Error)),
            ("refused", Answer::Made(Form::Refused)),
            ("echo", Answer::Echo),
        ],
    )
}

/// An address, or nobody.
fn place<T: std::str::FromStr>(value: &str) -> Result<Option<T>, String> {
    if value == "nobody" {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| "want an address (asks), one with its port (calls), or nobody".into())
}

fn switch(value: &str) -> Result<bool, String> {
    one_of(value, &[("on", true), ("off", false)])
}

fn one_of<T: Copy>(value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        format!("want one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))
    })
}

fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display>(value: &str, most: T) -> Result<T, String> {
    let number = value.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("want a whole number up to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_changes_its_own_key_only() {
        let now = Settings { mute: true, ..Settings::default() };
        let Ok(Order::Set(then)) = read("delay-ms=7", now) else { panic!("not a setting") };
        assert_eq!(then, Settings { delay: Duration::from_millis(7), ..now });
        assert_eq!(
            read(" answer=echo\n", now),
            Ok(Order::Set(Settings { answer: Answer::Echo, ..now })),
            "white space around a line is no part of it"
        );
    }

    #[test]
    fn a_line_that_means_nothing_is_refused_with_what_would_be_right() {
        for line in [
            "",
            "answer",
            "asks=x",
            "calls=192.0.2.1",
            "answer=doc",
            "delay-ms=-1",
            "delay-ms=x",
            "mute=yes",
            "size=99999999999",
        ] {
            assert!(read(line, Settings::default()).is_err(), "{line}");
        }
        assert_eq!(read("mute=yes", Settings::default()).unwrap_err(), "want one of on, off");
    }
}
