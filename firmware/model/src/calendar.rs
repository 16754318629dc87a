//! What is known beforehand: maintenance that the centre announced, and the hours in which terminals restart by
//! themselves. All times are the clinic's.

use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, tz::TimeZone};

use crate::opening::clinic_time;
use crate::site::spec::{Key, Shape};
use crate::site::walk::{Errors, Node};

/// The keys of an announced maintenance.
pub(crate) const MAINTENANCE: &[Key] = &[
    Key::required("from", Shape::Moment, "when it begins, by the clinic's time"),
    Key::required("until", Shape::Moment, "when it is over"),
];

/// What is known beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Announced maintenance of the centre: begin and end.
    maintenance: Vec<(Timestamp, Timestamp)>,
    /// The hours in which terminals restart by themselves; one that ends before it begins goes over midnight.
    quiet: Vec<(Time, Time)>,
}

impl Calendar {
    pub(crate) fn read(root: &Node) -> Self {
        let quiet = root.table("terminals").map(|node| node.texts("quiet")).unwrap_or_default();
        Self {
            maintenance: root.tables("maintenance").into_iter().filter_map(span).collect(),
            quiet: quiet.iter().filter_map(|text| hours(text)).collect(),
        }
    }

    /// Says what ends before it begins.
    pub(crate) fn check(root: &Node, errors: &mut Errors<'_>) {
        for node in root.tables("maintenance") {
            if span(node).is_some_and(|(from, until)| until <= from) {
                errors.add(node, "until", "it ends before it begins".into(), Some("later than from".into()));
            }
        }
    }

    /// Whether a maintenance that was announced is going on.
    pub fn is_maintenance(&self, now: Timestamp) -> bool {
        self.maintenance.iter().any(|(from, until)| (*from..*until).contains(&now))
    }

    /// Whether terminals may restart by themselves at this time of the day.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(clinic_time()).time();
        self.quiet.iter().any(|(from, until)| {
            if from <= until { (*from..*until).contains(&time) } else { time >= *from || time < *until }
        })
    }
}

fn span(node: &Node) -> Option<(Timestamp, Timestamp)> {
    Some((instant(&node.text("from")?, &clinic_time())?, instant(&node.text("until")?, &clinic_time())?))
}

fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(moment(text)?.to_zoned(zone.clone()).ok()?.timestamp())
}

/// `2026-12-05T22:00`: a day and a time to the minute, and nothing else.
pub(crate) fn moment(text: &str) -> Option<DateTime> {
    DateTime::strptime("%Y-%m-%dT%H:%M", text).ok()
}

/// `23:30-04:00`: two different times of the day.
pub(crate) fn hours(text: &str) -> Option<(Time, Time)> {
    let (from, until) = text.split_once('-')?;
    let time = |text: &str| Time::strptime("%H:%M", text).ok();
    let (from, until) = (time(from)?, time(until)?);
    (from != until).then_some((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_go_over_midnight_and_hold_their_first_minute_and_not_their_last() {
        let of = |text: &str, now: &str| {
            Calendar { quiet: vec![hours(text).unwrap()], ..Calendar::default() }.is_quiet(at(now))
        };
        assert!(of("03:00-04:30", "2026-11-30T03:00:00+09:00"));
        assert!(!of("03:00-04:30", "2026-11-30T04:30:00+09:00"));
        assert!(!of("03:00-04:30", "2026-11-30T03:00:00Z"), "it is the clinic's time");
        for (now, quiet) in [("23:29", false), ("23:30", true), ("00:10", true), ("04:00", false)] {
            assert_eq!(of("23:30-04:00", &format!("2026-11-30T{now}:00+09:00")), quiet, "{now}");
        }
        for wrong in ["3-4", "03:00", "03:00-03:00", "24:00-01:00", "03:00-04:30x", "03:00 - 04:30", ""] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_moment_is_a_day_and_a_minute() {
        assert_eq!(
            instant("2026-12-05T22:00", &clinic_time()).unwrap(),
            at("2026-12-05T13:00:00Z"),
            "by the clinic's time"
        );
        for wrong in ["2026-12-05", "2026-12-05T22", "2026-02-30T22:00", "2026-12-05T25:00", "tomorrow"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_maintenance_lasts_from_its_begin_to_its_end() {
        let span = (at("2026-12-05T13:00:00Z"), at("2026-12-05T21:00:00Z"));
        let calendar = Calendar { maintenance: vec![span], ..Calendar::default() };
        assert!(calendar.is_maintenance(at("2026-12-05T13:00:00Z")));
        assert!(!calendar.is_maintenance(at("2026-12-05T12:59:59Z")));
        assert!(!calendar.is_maintenance(at("2026-12-05T21:00:00Z")));
    }
}
