//! Dates that approach: when they are spoken of. Pure.

use model::opening::clinic_time;
use model::{Date, Symptom, Timestamp};

use crate::finding::Finding;

/// A step is told for so many days: a clinic that is closed over a week-end still hears of it.
const TOLD_DAYS: i32 = 3;

/// What is to be said of something that is good until the end of `until`. It is told at each of the steps (days before
/// the end), and every day from the last step on; in between it is only noted.
pub fn finding(until: Date, steps: &[i32], now: Timestamp) -> Finding {
    let left = days_left(until, now);
    let last = steps.iter().copied().min().unwrap_or(0);
    let told = left <= last || steps.iter().any(|step| (0..TOLD_DAYS).contains(&(step - left)));
    let noted = steps.iter().any(|step| left <= *step);
    let detail = format!("until {until}, {left} days left");
    match (left < 0, told, noted) {
        (true, ..) => Finding::bad(Symptom::Ended, detail),
        (_, true, _) => Finding::bad(Symptom::EndsSoon, detail),
        (.., true) => Finding::bad(Symptom::Ends, detail),
        _ => Finding::good(format!("until {until}")),
    }
}

/// Whole days of the clinic until it ends; negative after that.
fn days_left(until: Date, now: Timestamp) -> i32 {
    let today = now.to_zoned(clinic_time()).date();
    (until - today).get_days()
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    fn of(until: &str, now: &str) -> Outcome {
        finding(until.parse().unwrap(), &[90, 60, 30, 15, 7], now.parse().unwrap()).outcome
    }

    const NOON: &str = "2026-12-01T12:00:00+09:00";

    #[test]
    fn a_date_is_told_at_each_step_noted_between_them_and_told_daily_in_its_last_week() {
        let soon = Outcome::Bad(Symptom::EndsSoon);
        let noted = Outcome::Bad(Symptom::Ends);
        for (until, outcome) in [
            ("2027-03-02", Outcome::Good), // 91 days
            ("2027-03-01", soon),
            ("2027-02-27", soon),
            ("2027-02-26", noted),
            ("2027-01-30", soon), // 60
            ("2027-01-27", noted),
            ("2026-12-31", soon), // 30
            ("2026-12-16", soon), // 15
            ("2026-12-13", noted),
            ("2026-12-09", noted),
            ("2026-12-08", soon),
            ("2026-12-01", soon),
            ("2026-11-30", Outcome::Bad(Symptom::Ended)),
        ] {
            assert_eq!(of(until, NOON), outcome, "{until}");
        }
    }

    #[test]
    fn the_day_ends_at_the_clinic_s_midnight() {
        assert_eq!(of("2026-12-01", "2026-12-01T23:59:59+09:00"), Outcome::Bad(Symptom::EndsSoon));
        assert_eq!(of("2026-12-01", "2026-12-02T00:00:00+09:00"), Outcome::Bad(Symptom::Ended));
    }
}
