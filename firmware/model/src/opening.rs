//! The days a clinic is open. A time to live counts only those: what came on Saturday evening is not old on Monday
//! because of Sunday.

use jiff::civil::Date;
use jiff::tz::{self, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::site::spec::{Key, Shape};
use crate::site::walk::Node;

/// The words for the days of a week.
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Beyond so many days nothing is counted any more: it is old in any calendar.
const FAR_DAYS: i64 = 400;

const DAY_S: i64 = 86400;

/// The keys of a clinic's opening days.
pub(crate) const SPEC: &[Key] = &[
    Key::optional("days", Shape::Words(DAYS), "the days of the week it is open, all if absent"),
    Key::optional("closed", Shape::Dates, "single days it is closed"),
];

/// The days a clinic is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// By weekday, Monday first.
    days: [bool; 7],
    closed: Vec<Date>,
}

impl Default for Opening {
    /// Open every day.
    fn default() -> Self {
        Self { days: [true; 7], closed: Vec::new() }
    }
}

impl Opening {
    pub(crate) fn read(node: Option<&Node>) -> Self {
        let (days, closed) =
            node.map_or_else(Default::default, |node| (node.texts("days"), node.texts("closed")));
        let is_open = |day: &str| days.is_empty() || days.iter().any(|open| open == day);
        let mut open = [true; 7];
        for (slot, day) in open.iter_mut().zip(DAYS) {
            *slot = is_open(day);
        }
        Self { days: open, closed: closed.iter().filter_map(|day| day.parse().ok()).collect() }
    }

    /// Whether the clinic is open on this day.
    pub fn is_open(&self, day: Date) -> bool {
        let index = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        self.days.get(index).copied().unwrap_or(true) && !self.closed.contains(&day)
    }

    /// The seconds on open days between two instants; negative times are none.
    pub fn age_s(&self, since: Timestamp, now: Timestamp) -> i64 {
        let whole = now.as_second().saturating_sub(since.as_second()).max(0);
        if *self == Self::default() || whole > FAR_DAYS * DAY_S {
            return whole;
        }
        let (from, to) = (since.to_zoned(clinic_time()), now.to_zoned(clinic_time()));
        let (mut day, mut closed) = (from.date(), 0);
        while day <= to.date() {
            if !self.is_open(day) {
                closed += overlap(day, since, now);
            }
            match day.checked_add(1.day()) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        (whole - closed).max(0)
    }
}

/// How many seconds of a day lie between two instants.
fn overlap(day: Date, since: Timestamp, now: Timestamp) -> i64 {
    let Ok(begin) = day.to_zoned(clinic_time()) else { return 0 };
    let begin = begin.timestamp().as_second();
    (now.as_second().min(begin + DAY_S) - since.as_second().max(begin)).max(0)
}

/// The clinic's day is Japan's, which has one offset all year.
pub fn clinic_time() -> TimeZone {
    TimeZone::fixed(tz::offset(9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_closed_day_does_not_age_what_waits() {
        let every = Opening::default();
        let mut weekdays = Opening::default();
        weekdays.days[6] = false;
        let (saturday, monday) = (at("2026-11-21T18:00:00+09:00"), at("2026-11-23T09:00:00+09:00"));
        assert_eq!(every.age_s(saturday, monday), 39 * 3600);
        assert_eq!(weekdays.age_s(saturday, monday), 15 * 3600);
        weekdays.closed.push("2026-11-23".parse().unwrap());
        assert_eq!(weekdays.age_s(saturday, monday), 6 * 3600);
        assert_eq!(weekdays.age_s(monday, saturday), 0, "a clock that was set back");
    }

    #[test]
    fn what_is_ages_old_is_old_in_any_calendar() {
        let never = Opening { days: [false; 7], ..Opening::default() };
        assert!(never.age_s(at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")) > 0);
    }
}
