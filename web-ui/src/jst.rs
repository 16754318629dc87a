//! Times as staff read them. Japan has one zone without summer time, so no zone database is needed.

use model::{Language, Timestamp};

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Japan Standard Time.
const JST: Offset = Offset::constant(9);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The clock on the wall.
pub fn wall(at: Timestamp) -> DateTime {
    JST.to_datetime(at)
}

/// Date and time: `11月22日 09時05分`, `22 Nov 09:05`.
pub fn moment(at: Timestamp, language: Language) -> String {
    let wall = wall(at);
    let (month, day, hour, minute) = (wall.month(), wall.day(), wall.hour(), wall.minute());
    match language {
        Language::Ja => format!("{month}月{day}日 {hour:02}時{minute:02}分"),
        Language::En => {
            let index = usize::try_from(month - 1).unwrap_or_default();
            format!("{day} {} {hour:02}:{minute:02}", MONTHS.get(index).copied().unwrap_or_default())
        }
    }
}

/// The newest midnight in Japan, seconds since 1970.
pub fn midnight(at: Timestamp) -> i64 {
    const OFFSET_S: i64 = 9 * 3600;
    (at.as_second() + OFFSET_S).div_euclid(86_400) * 86_400 - OFFSET_S
}

/// The day: `11月22日`, `22 Nov`.
pub fn day(at: Timestamp, language: Language) -> String {
    let moment = moment(at, language);
    moment.rsplit_once(' ').map_or_else(String::new, |(day, _)| day.to_owned())
}

/// How long ago, in the two largest units: `2時間5分前`, `2 h 5 min ago`. A time in the future is now.
pub fn age(since: Timestamp, now: Timestamp, language: Language) -> String {
    let minutes = (now.as_second() - since.as_second()).max(0) / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let ja = match (days, hours) {
        (0, 0) if rest == 0 => "1分以内".into(),
        (0, 0) => format!("{rest}分前"),
        (0, hours) => format!("{hours}時間{rest}分前"),
        (days, hours) => format!("{days}日{hours}時間前"),
    };
    let en = match (days, hours) {
        (0, 0) if rest == 0 => "just now".into(),
        (0, 0) => format!("{rest} min ago"),
        (0, hours) => format!("{hours} h {rest} min ago"),
        (days, hours) => format!("{days} d {hours} h ago"),
    };
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

/// A duration in seconds with one decimal: `1.2 秒`, `1.2 s`.
pub fn seconds(milliseconds: f64, language: Language) -> String {
    let unit = match language {
        Language::Ja => "秒",
        Language::En => "s",
    };
    format!("{:.1} {unit}", milliseconds / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_told_in_japan_s_time() {
        assert_eq!(moment(at("2026-11-22T00:05:59Z"), Language::Ja), "11月22日 09時05分");
        assert_eq!(moment(at("2026-12-31T15:00:00Z"), Language::En), "1 Jan 00:00");
    }

    #[test]
    fn an_age_is_told_in_its_two_largest_units_and_never_in_the_future() {
        let now = at("2026-11-22T00:00:00Z");
        for (since, ja, en) in [
            ("2026-11-22T00:00:30Z", "1分以内", "just now"),
            ("2026-11-21T23:57:00Z", "3分前", "3 min ago"),
            ("2026-11-21T21:55:00Z", "2時間5分前", "2 h 5 min ago"),
            ("2026-11-20T22:00:00Z", "1日2時間前", "1 d 2 h ago"),
        ] {
            assert_eq!(age(at(since), now, Language::Ja), ja);
            assert_eq!(age(at(since), now, Language::En), en);
        }
    }
}
