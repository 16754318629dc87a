//! The views and their addresses. Each has a whole page, a fragment that is fetched again, and a stream that says when.

use model::Text;

use crate::words;

/// A view of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The first view: the overview, or how the box came up.
    First,
    /// The line's.
    Line,
    /// The relay's.
    Relay,
    /// The firewall's.
    Firewall,
    /// Remote maintenance.
    Maintenance,
}

impl Room {
    /// Every view.
    pub const ALL: [Self; 5] = [Self::First, Self::Line, Self::Relay, Self::Firewall, Self::Maintenance];

    /// Where the whole page is.
    pub const fn address(self) -> &'static str {
        match self {
            Self::First => "/",
            Self::Line => "/line",
            Self::Relay => "/relay",
            Self::Firewall => "/firewall",
            Self::Maintenance => "/maintenance",
        }
    }

    /// Where its fragment is.
    pub const fn part(self) -> &'static str {
        match self {
            Self::First => "/part/overview",
            Self::Line => "/part/line",
            Self::Relay => "/part/relay",
            Self::Firewall => "/part/firewall",
            Self::Maintenance => "/part/maintenance",
        }
    }

    /// Where its events are.
    pub const fn events(self) -> &'static str {
        match self {
            Self::First => "/events",
            Self::Line => "/events/line",
            Self::Relay => "/events/relay",
            Self::Firewall => "/events/firewall",
            Self::Maintenance => "/events/maintenance",
        }
    }

    /// Its name.
    pub const fn name(self) -> Text {
        match self {
            Self::First => words::OVERVIEW,
            Self::Line => words::LINE_VIEW,
            Self::Relay => words::RELAY,
            Self::Firewall => words::RULES,
            Self::Maintenance => words::MAINTENANCE,
        }
    }
}
