//! Whether a part may still be believed.

use model::Timestamp;
use model::part::Stamped;

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
