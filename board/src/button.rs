//! The front button: what a press means by how long it was held. Pure; who reads the button is the board's adapter.
//!
//! Short shows the box's address, three seconds mean consent to maintenance, ten are for a factory reset, which needs
//! more than that. While maintenance is open any press closes it: one touch.

use std::time::Duration;

/// What a press asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Close what is open; else show the box's address.
    Touch,
    /// Consent to maintenance, or close what is open.
    Consent,
    /// It was held for so long that it means neither.
    Long,
}

impl Press {
    /// Held so long it is a consent.
    pub const CONSENT: Duration = Duration::from_secs(3);
    /// Held so long it is none any more.
    pub const LONG: Duration = Duration::from_secs(10);

    /// What a press of this length asks for. Whoever leans against it consents to nothing.
    pub fn of(held: Duration) -> Self {
        match held {
            held if held < Self::CONSENT => Self::Touch,
            held if held < Self::LONG => Self::Consent,
            _ => Self::Long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_seconds_are_a_consent_and_ten_are_none() {
        let of = |milliseconds| Press::of(Duration::from_millis(milliseconds));
        assert_eq!([of(0), of(2_999)], [Press::Touch; 2]);
        assert_eq!([of(3_000), of(9_999)], [Press::Consent; 2]);
        assert_eq!(of(10_000), Press::Long);
    }
}
