//! Whether a part may still be believed.

use model::Timestamp;
use model::part::Stamped;

/// How old the line's part may be, seconds: two full sweeps of 60 s, and ten for the sweep itself.
pub const LINE_PATIENCE_S: i64 = 130;

/// How old the other parts may be, seconds: two intervals of 30 s, in which each role looks at least once.
pub const PATIENCE_S: i64 = 60;

/// A part as the page may use it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look<'a, T> {
    /// Fresh enough to be believed, and when the role looked.
    Fresh(&'a T, Timestamp),
    /// Too old, or from the future of a clock that was set back: only its time may be told.
    Stale(Timestamp),
    /// The role said nothing.
    Absent,
}

impl<'a, T> Look<'a, T> {
    /// Sorts a part by its age.
    pub fn new(part: Option<&'a Stamped<T>>, patience_s: i64, now: Timestamp) -> Self {
        let Some(stamped) = part else { return Self::Absent };
        let age_s = now.as_second() - stamped.at.as_second();
        if age_s.abs() > patience_s {
            Self::Stale(stamped.at)
        } else {
            Self::Fresh(&stamped.part, stamped.at)
        }
    }

    /// The part, while it may be believed.
    pub const fn fresh(&self) -> Option<&'a T> {
        match self {
            Self::Fresh(part, _) => Some(part),
            Self::Stale(_) | Self::Absent => None,
        }
    }

    /// When the role last looked.
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Fresh(_, at) | Self::Stale(at) => Some(*at),
            Self::Absent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_believed_for_its_patience_and_not_a_second_longer() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let look = |age_s: i64| {
            let at = Timestamp::from_second(1_000_000 - age_s).unwrap();
            let part = Stamped { generation: 1, at, part: () };
            Look::new(Some(&part), PATIENCE_S, now).fresh().is_some()
        };
        assert_eq!([0, 60, 61, -60, -61].map(look), [true, true, false, true, false]);
        assert!(Look::<()>::new(None, PATIENCE_S, now).at().is_none());
    }
}
