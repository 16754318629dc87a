//! `sekisho check`: looks at every rung now, together, and says the verdict. The exit code is the verdict.
//!
//! Somebody at a terminal sees each rung as it is looked at; with `--watch` the verdict is said again whenever it changes.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use model::part::{LinePart, Role, Stamped};
use model::{Language, Observation, Timestamp, Usability, Verdict};

use super::words;
use crate::failure::{Failure, code};
use crate::socket::client;
use crate::{cli, output};

/// How long a role that does not answer is left alone.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs a full check; with `--watch` until it is interrupted.
///
/// # Errors
/// [`Failure::NoDaemon`] if `reachd` does not answer the check.
pub async fn run(args: &cli::Check) -> Result<ExitCode, Failure> {
    let line = if !args.json && std::io::stdout().is_terminal() {
        live(args, words::language()).await?
    } else {
        client::intent(&args.socket, Role::Reachd, "/sweep").await?
    };
    if !args.json && !std::io::stdout().is_terminal() {
        output::print(&words::ladder(&line, words::language()));
    }
    say(&line, args);
    if args.watch {
        return Ok(watch(args, line.verdict).await);
    }
    Ok(ExitCode::from(match line.verdict.usability {
        Usability::Usable => 0,
        Usability::Partly | Usability::Unusable => code::NO,
        Usability::Unknown => code::TEMPFAIL,
    }))
}

/// The verdict in words; as JSON the part, in one line if more follow.
fn say(line: &LinePart, args: &cli::Check) {
    match (args.json, args.watch) {
        (true, true) => output::print(&output::json_line(line)),
        (true, false) => output::print(&output::json(line)),
        (false, _) => output::print(&words::verdict(&line.verdict, Timestamp::now(), words::language())),
    }
}

/// A check whose rungs are printed as they are looked at, then those that nothing could be said of.
async fn live(args: &cli::Check, language: Language) -> Result<LinePart, Failure> {
    let mut told = Told::default();
    let asked = client::intent(&args.socket, Role::Reachd, "/sweep");
    tokio::pin!(asked);
    let mut after = 0;
    let line: LinePart = loop {
        tokio::select! {
            line = &mut asked => break line?,
            part = client::part::<Stamped<LinePart>>(&args.socket, Role::Reachd, after) => match part {
                Ok(part) => {
                    after = part.generation;
                    told.lines(&part.part, language).iter().for_each(|line| output::print(line));
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            },
        }
    };
    told.rest(&line, language).iter().for_each(|line| output::print(line));
    Ok(line)
}

/// Which rungs have been printed.
#[derive(Debug, Default)]
struct Told(Vec<Observation>);

impl Told {
    /// What has come since the last part, a line each with its number.
    fn lines(&mut self, line: &LinePart, language: Language) -> Vec<String> {
        let Some(sweep) = &line.sweep else { return Vec::new() };
        // Somebody else's sweep may have ended before ours began.
        if !sweep.seen.starts_with(&self.0) {
            self.0.clear();
        }
        let first = self.0.len();
        let new = sweep.seen.iter().enumerate().skip(first);
        let width = sweep.of.to_string().len();
        let lines = new.map(|(index, seen)| {
            format!("[{:>width$}/{}] {}", index + 1, sweep.of, words::rung(seen, language))
        });
        let lines = lines.collect();
        self.0.clone_from(&sweep.seen);
        lines
    }

    /// What the ladder has beside them: rungs that nobody looked at, and what came with the end.
    fn rest(&self, line: &LinePart, language: Language) -> Vec<String> {
        let told = |seen: &&Observation| {
            !self.0.iter().any(|one| {
                (one.rung, &one.terminal, one.outcome) == (seen.rung, &seen.terminal, seen.outcome)
            })
        };
        line.ladder.iter().filter(told).map(|seen| words::rung(seen, language)).collect()
    }
}

/// Says every other verdict from here on. A daemon that goes away is waited for.
async fn watch(args: &cli::Check, mut verdict: Verdict) -> ExitCode {
    let (mut after, mut there) = (0, true);
    loop {
        let part: Result<Stamped<LinePart>, Failure> = client::part(&args.socket, Role::Reachd, after).await;
        match part {
            Ok(part) => {
                (after, there) = (part.generation, true);
                if !part.part.verdict.same_finding(&verdict) {
                    if !args.json {
                        output::print(&output::clock(part.at));
                    }
                    say(&part.part, args);
                    verdict = part.part.verdict;
                }
            }
            Err(error) => {
                if std::mem::replace(&mut there, false) {
                    output::error(&format!("{error}; waiting for it"));
                }
                after = 0;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::part::Sweep;
    use model::{Outcome, Rung};

    use super::*;

    fn seen(rung: Rung) -> Observation {
        let at = Timestamp::UNIX_EPOCH;
        Observation { rung, terminal: None, outcome: Outcome::Good, at, took_ms: 1.0, detail: String::new() }
    }

    fn part(rungs: &[Rung]) -> LinePart {
        let sweep = Sweep { seen: rungs.iter().copied().map(seen).collect(), of: 12 };
        LinePart { sweep: Some(sweep), ..LinePart::judged(Verdict::unknown(Timestamp::UNIX_EPOCH)) }
    }

    #[test]
    fn each_rung_is_told_once_and_a_sweep_that_begins_anew_is_told_anew() {
        let mut told = Told::default();
        let first = told.lines(&part(&[Rung::Link]), Language::En);
        assert_eq!(first, ["[ 1/12] ● line port carrier good 1.0 ms"]);
        assert_eq!(told.lines(&part(&[Rung::Link]), Language::En), [""; 0]);
        let next = told.lines(&part(&[Rung::Link, Rung::Address]), Language::En);
        assert_eq!(next, ["[ 2/12] ● address good 1.0 ms"]);
        assert_eq!(told.lines(&part(&[Rung::Address]), Language::En).len(), 1);
    }

    #[test]
    fn what_nobody_looked_at_is_told_at_the_end() {
        let mut told = Told::default();
        told.lines(&part(&[Rung::Link]), Language::En);
        let skipped = Observation { outcome: Outcome::Skipped, ..seen(Rung::Address) };
        let ladder = vec![seen(Rung::Link), skipped];
        let line = LinePart { ladder, ..part(&[]) };
        assert_eq!(told.rest(&line, Language::En), ["○ address not looked at 1.0 ms"]);
    }
}
