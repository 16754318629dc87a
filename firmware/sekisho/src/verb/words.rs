//! A verdict and a ladder in words, for a terminal. The words are the catalogue's own.

use model::fault::Words;
use model::observation::{Observation, Outcome};
use model::part::{BootPart, LinePart, Snapshot};
use model::verdict::{Fault, Verdict};
use model::{Language, Notice, Symptom, Text, Timestamp};

use crate::output;

/// The language of a terminal: Japanese where its locale says so, English otherwise.
pub fn language() -> Language {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")).unwrap_or_default();
    if locale.starts_with("ja") { Language::Ja } else { Language::En }
}

/// The verdict: the word, since when, and each fault with its owner and next step.
pub fn verdict(verdict: &Verdict, now: Timestamp, language: Language) -> String {
    let mut lines =
        vec![format!("{} ({})", verdict.usability.word().get(language), output::age(verdict.since, now))];
    lines.extend(verdict.alarms().map(|found| fault(found, verdict.words(found), language)));
    for found in &verdict.recorded {
        lines.push(format!("  {} {}", found.code.key(), found.code.title().get(language)));
    }
    lines.join("\n")
}

fn fault(fault: &Fault, words: Words, language: Language) -> String {
    let place = fault.terminal.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
    format!(
        "  {}{place} {}\n    {}\n    {}\n    → {} ({})",
        fault.code.key(),
        words.happened.get(language),
        words.meaning.get(language),
        words.next.get(language),
        fault.owner.name().get(language),
        fault.certainty.word().get(language),
    )
}

/// The ladder, a line a rung.
pub fn ladder(line: &LinePart, language: Language) -> String {
    let rungs: Vec<String> = line.ladder.iter().map(|seen| rung(seen, language)).collect();
    rungs.join("\n")
}

/// One rung: its shape, its name, what was seen and how long that took.
pub fn rung(seen: &Observation, language: Language) -> String {
    let (shape, word) = match seen.outcome {
        Outcome::Good => ("●", GOOD.get(language).to_owned()),
        Outcome::Bad(symptom) => ("■", symptom_of(symptom, language)),
        Outcome::Skipped => ("○", NOT_LOOKED_AT.get(language).to_owned()),
        Outcome::Open => ("◌", OPEN.get(language).to_owned()),
    };
    let mut line = format!("{shape} {} {word} {:.1} ms", seen.rung.name().get(language), seen.took_ms);
    if let Some(terminal) = &seen.terminal {
        line = format!("{line} [{terminal}]");
    }
    if seen.detail.is_empty() { line } else { format!("{line} {}", seen.detail.escape_debug()) }
}

const GOOD: Text = Text::new("正常", "good");
const NOT_LOOKED_AT: Text = Text::new("未確認", "not looked at");
const OPEN: Text = Text::new("確認中", "open");

/// What went wrong: in English as JSON has it, so that it can be searched for.
fn symptom_of(symptom: Symptom, language: Language) -> String {
    let key = key(&symptom);
    match language {
        Language::Ja => model::past::symptom_name(&key).map_or(key, |name| name.ja.to_owned()),
        Language::En => key,
    }
}

/// The name a value has in JSON.
fn key<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// How the box came up: the situation, and what a person has to be told.
pub fn boot(part: &BootPart, language: Language) -> String {
    let board = if part.board.is_empty() { "-" } else { &part.board };
    let name = part.situation.name().get(language);
    let mut lines = vec![format!("sekisho {} [{board}]: {name}", part.version)];
    lines.extend(part.notices.iter().map(|told| notice(told, language)));
    lines.join("\n")
}

/// One notice with what stands behind it.
pub fn notice(notice: &Notice, language: Language) -> String {
    let words = notice.words();
    let mut lines = vec![format!("  {}", words.happened.get(language))];
    lines.extend(notice.details().iter().map(|detail| format!("    {}", output::plain(detail))));
    lines.push(format!("    → {}", words.next.get(language)));
    lines.join("\n")
}

/// The whole picture in a few lines.
pub fn snapshot(snapshot: &Snapshot, now: Timestamp, language: Language) -> String {
    let mut lines: Vec<String> = snapshot.boot.iter().map(|part| boot(part, language)).collect();
    match &snapshot.line {
        Some(line) => lines.push(verdict(&line.part.verdict, now, language)),
        None => lines.push("line: not known (reachd does not answer)".to_owned()),
    }
    match &snapshot.relay {
        Some(relay) => lines.push(format!(
            "relay: {} requests and {} answers today, {} waiting, {} held",
            relay.part.requests_today,
            relay.part.answers_today,
            relay.part.waiting.len(),
            relay.part.held.len()
        )),
        None => lines.push("relay: not known (relayd does not answer)".to_owned()),
    }
    match &snapshot.firewall {
        Some(firewall) => {
            let hindrance = firewall.part.hindrance.iter().map(|why| format!(" (failed to {why})"));
            lines.push(format!("firewall: {}{}", key(&firewall.part.state), hindrance.collect::<String>()));
        }
        None => lines.push("firewall: not known (netd does not answer)".to_owned()),
    }
    if let Some(board) = &snapshot.board {
        let lamps: Vec<String> = board
            .part
            .scene
            .0
            .iter()
            .map(|light| format!("{} {}", light.lamp.label(), light.blink.word().get(language)))
            .collect();
        lines.push(format!("lamps: {}", lamps.join(", ")));
    }
    lines.join("\n")
}
