//! `sekisho history`: what is remembered of the line: a strip of 72 hours a rung, and the stories of faults.

use std::process::ExitCode;

use model::part::Role;
use model::past::{CELL_S, CELLS, Hop, Look, Mark, Past, Story, Strip, rung_name};
use model::{Language, Text, Timestamp};

use super::words;
use crate::failure::Failure;
use crate::output::clock;
use crate::socket::client;
use crate::{cli, output};

/// A letter an hour.
const HOUR: u32 = 3600;

/// Says what is remembered; `--json` prints it in cells of the width that was asked for.
///
/// # Errors
/// [`Failure::NoDaemon`] if `reachd` does not answer.
pub async fn run(args: &cli::History) -> Result<ExitCode, Failure> {
    let cell = if args.json { args.cell } else { HOUR };
    let past: Past = client::ask(&args.socket, Role::Reachd, &format!("/past?cell={cell}")).await?;
    if args.json {
        output::print(&output::json(&past));
    } else {
        output::print(&said(&past, Timestamp::now(), words::language()));
    }
    Ok(ExitCode::SUCCESS)
}

const HOURS: Text =
    Text::new("72時間（1文字が1時間、右端が今）", "72 hours, a letter an hour, the newest at the right");
const NONE: Text = Text::new("障害の記録はありません", "no fault is remembered");
const STANDS: Text = Text::new("継続中", "still there");
const UNSEEN: Text = Text::new("終わりは見ていません", "its end was not seen");
const LAST_GOOD: Text = Text::new("最後の正常", "last good");
const FIRST_BAD: Text = Text::new("最初の異常", "first bad");

/// The strips, then the stories.
fn said(past: &Past, now: Timestamp, language: Language) -> String {
    let mut lines = Vec::new();
    if past.to.is_some() {
        lines.push(format!("{}: {}", HOURS.get(language), legend(language)));
    }
    lines.extend(past.strips.iter().map(|strip| line(past, strip, language)));
    if past.stories.is_empty() {
        lines.push(NONE.get(language).to_owned());
    }
    lines.extend(past.stories.iter().map(|one| story(one, now, language)));
    lines.join("\n")
}

fn legend(language: Language) -> String {
    let one = |mark: Mark| format!("'{}' {}", mark.letter(), mark.name().get(language));
    Mark::ALL.map(one).join(", ")
}

fn line(past: &Past, strip: &Strip, language: Language) -> String {
    let hours = usize::try_from(CELLS * CELL_S / HOUR).unwrap_or(0);
    let letters: String = past.marks(strip).map(Mark::letter).take(hours).collect();
    let place = strip.terminal.as_ref().map(|name| format!(" [{}]", plain(name))).unwrap_or_default();
    format!("|{letters}| {}{place}", rung(&strip.rung, language))
}

/// What a rung is called; one that this firmware does not know by its own name.
fn rung(key: &str, language: Language) -> String {
    rung_name(key).map_or_else(|| plain(key), |name| name.get(language).to_owned())
}

fn story(story: &Story, now: Timestamp, language: Language) -> String {
    let title = story.known().map(|code| format!(" {}", code.title().get(language))).unwrap_or_default();
    let place = story.terminal.as_ref().map(|name| format!(" [{}]", plain(name))).unwrap_or_default();
    let lasted = output::age(story.start, story.end.unwrap_or(now));
    let end = match story.end {
        None => STANDS.get(language).to_owned(),
        Some(end) if story.end_unseen => format!("{} ({})", clock(end), UNSEEN.get(language)),
        Some(end) => clock(end),
    };
    let times = if story.count > 1 { format!(" ×{}", story.count) } else { String::new() };
    let (code, certainty) = (plain(&story.code), plain(&story.certainty));
    let owner = story.party().name().get(language);
    let mut lines = vec![format!(
        "{} – {end}, {lasted}{times}: {code}{place}{title} → {owner} ({certainty})",
        clock(story.start)
    )];
    lines.extend(story.evidence.iter().map(|one| hop(one, language)));
    lines.join("\n")
}

fn hop(hop: &Hop, language: Language) -> String {
    let good = hop.last_good.iter().map(|look| looked(LAST_GOOD, look, language));
    let bad = hop.first_bad.iter().map(|look| looked(FIRST_BAD, look, language));
    let looks: Vec<String> = good.chain(bad).collect();
    format!("    {}: {}", rung(&hop.rung, language), looks.join("; "))
}

/// What comes from a file or a stranger: nothing in it moves a terminal's cursor or turns the reading direction.
fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}

fn looked(which: Text, look: &Look, language: Language) -> String {
    let detail =
        if look.detail.is_empty() { String::new() } else { format!(" ({})", look.detail.escape_debug()) };
    let word = if Mark::of(&look.is) == Mark::Bad { format!(" {}", plain(&look.is)) } else { String::new() };
    format!("{} {}{word}{detail}", which.get(language), clock(look.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn past() -> Past {
        let look = |second, is: &str, detail: &str| {
            Some(Look { at: at(second), is: is.into(), detail: detail.into() })
        };
        let standing = Story {
            number: 2,
            code: "TERM-02".into(),
            terminal: Some("t1".into()),
            owner: "terminal".into(),
            certainty: "sure".into(),
            start: at(0),
            end: None,
            seen: at(60),
            again: at(0),
            count: 1,
            end_unseen: false,
            evidence: vec![Hop {
                rung: "terminal-smb".into(),
                last_good: look(-10, "good", "10.0.0.2:445"),
                first_bad: look(0, "refused", "10.0.0.2:445: \u{1b}[2J\u{202e}refused"),
            }],
        };
        let flapped = Story {
            number: 1,
            code: "WAN-99".into(),
            terminal: None,
            owner: "moon".into(),
            start: at(-9000),
            end: Some(at(-1800)),
            count: 17,
            end_unseen: true,
            evidence: vec![Hop {
                rung: "tunnel\u{7}".into(),
                last_good: None,
                first_bad: look(-9000, "melted", ""),
            }],
            ..standing.clone()
        };
        let strip = |rung: &str, terminal: Option<&str>, runs| Strip {
            rung: rung.into(),
            terminal: terminal.map(str::to_owned),
            last_good: None,
            first_bad: None,
            runs,
        };
        Past {
            to: Some(at(60)),
            cell_s: HOUR,
            words: ["unknown", "good", "silent", "skipped", "open"].map(str::to_owned).into(),
            strips: vec![
                strip("link", None, vec![(60, 0), (9, 1), (1, 2), (2, 1)]),
                strip("terminal-smb", Some("t1"), vec![(60, 0), (10, 3), (1, 4), (1, 2)]),
            ],
            stories: vec![standing, flapped],
        }
    }

    #[test]
    fn what_is_remembered_in_words() {
        let texts = [Language::Ja, Language::En].map(|language| said(&past(), at(125), language));
        insta::assert_snapshot!("history", texts.join("\n\n"));
        assert_eq!(said(&Past::default(), at(0), Language::En), "no fault is remembered");
    }

    #[test]
    fn nothing_a_terminal_would_act_on_is_printed() {
        let text = said(&past(), at(125), Language::En);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
}
