//! What a run has come to so far, its rows and its last line.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::compare::{self, Compared, Difference};
use super::mutate::Mutant;
use super::reading::{Line, lines};
use super::trial::{Outcome, Tried};
use super::world::World;
use super::{Order, Played};
use crate::check::Row;

/// Counts, and a row for each thing that was tried.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Which part of the run it is, in the names of files.
    part: &'static str,
    rows: Vec<Row>,
    pub(super) packets: u64,
    unroutable: u64,
    pub(super) differences: usize,
    lines: BTreeMap<String, compare::Tally>,
    sites: usize,
    mutants: usize,
    refused: usize,
    unknown: usize,
    promises: BTreeMap<u8, usize>,
    /// Changed rulesets that break nothing, by what the prover says of them.
    harmless: usize,
    doubted: usize,
    no_ruleset: usize,
    rewrites: usize,
    proved: usize,
}

/// More differences than this are not kept.
const KEPT: usize = 20;

/// Who was met so often has been tried at the borders, too.
const OFTEN: u64 = 50;

impl Tally {
    /// Of one part of a run.
    pub(super) fn of(part: &'static str) -> Self {
        Self { part, ..Self::default() }
    }

    /// Whether a line that accepts was met too seldom.
    pub(super) fn scarce(&self, least: u64) -> bool {
        self.lines.values().any(|line| line.hits < least)
    }

    /// Whether this box has such a line.
    pub(super) fn is_scarce_in(&self, world: &World, least: u64) -> bool {
        let met = |line: &Line| self.lines.get(&line.comment).map_or(0, |line| line.hits);
        lines(&world.document).iter().any(|line| line.accepts && met(line) < least)
    }

    /// What was wrong first, if anything was.
    pub(super) fn first_wrong(&self) -> Option<String> {
        self.rows.iter().find(|row| row.wrong.is_some()).map(|row| row.name.clone())
    }

    pub(super) fn compared(&mut self, world: &World, compared: Compared, took: Duration) {
        self.packets += compared.packets;
        self.unroutable += compared.unroutable;
        self.sites += 1;
        for (line, more) in compared.lines {
            let line = self.lines.entry(line).or_default();
            line.hits += more.hits;
            line.inside += more.inside;
            line.outside += more.outside;
        }
        let kept: Vec<String> =
            compared.differences.iter().map(|one| self.keep(one, &world.files, &world.document)).collect();
        self.rows.push(Row {
            name: format!("the_kernel_does_what_the_plan_says_on_{}", world.name.replace('-', "_")),
            made: format!(
                "{} packets, {} that no kernel brings there",
                compared.packets, compared.unroutable
            ),
            wrong: (!kept.is_empty()).then(|| kept.join("; ")),
            took,
        });
    }

    /// Writes a difference down, and says where.
    fn keep(
        &mut self,
        difference: &Difference,
        files: &[(&'static str, String)],
        document: &Value,
    ) -> String {
        self.differences += 1;
        let said = format!("the plan: {}; the kernel: {}", difference.plan, difference.kernel);
        if self.differences > KEPT {
            return said;
        }
        let path = format!("artifacts/firewall-difference-{}{}.txt", self.part, self.differences);
        let written = std::fs::create_dir_all("artifacts")
            .and_then(|()| std::fs::write(&path, difference.text(files, document)));
        let place = written.map_or_else(|error| format!("not written: {error}"), |()| path);
        format!("{said} ({place})")
    }

    pub(super) fn tried(&mut self, mutant: &Mutant, tried: Tried, took: Duration) {
        self.packets += tried.explained;
        let files = [("changed", mutant.name.clone())];
        let kept: Vec<String> =
            tried.differences.iter().map(|one| self.keep(one, &files, &mutant.document)).collect();
        if !kept.is_empty() {
            let name = format!("explained: {}", mutant.name);
            self.rows.push(Row { name, made: String::new(), wrong: Some(kept.join("; ")), took });
        }
        let (made, wrong) = match tried.outcome {
            Outcome::NoRuleset(_) => {
                self.no_ruleset += 1;
                return;
            }
            Outcome::Harmless => {
                self.harmless += 1;
                return;
            }
            Outcome::Doubted(_) => {
                self.doubted += 1;
                return;
            }
            Outcome::Refused { broken, unknown } => {
                self.refused += 1;
                self.unknown += usize::from(unknown);
                broken.iter().for_each(|(number, _)| *self.promises.entry(*number).or_default() += 1);
                let shown: Vec<String> =
                    broken.iter().map(|(number, packet)| format!("{number}: {packet}")).collect();
                let word = if unknown { "not understood, and broken: " } else { "" };
                (format!("{word}{}", shown.join("; ")), None)
            }
            Outcome::Disputed(disputes) => ("disputed".into(), Some(disputes.join("; "))),
        };
        self.mutants += 1;
        self.rows.push(Row { name: mutant.name.clone(), made, wrong, took });
    }

    /// What the plan itself breaks.
    pub(super) fn planned(&mut self, wrong: Vec<String>) {
        self.rows.push(Row {
            name: "the_plan_itself_keeps_what_is_promised".into(),
            made: String::new(),
            wrong: (!wrong.is_empty()).then(|| wrong.join("; ")),
            took: Duration::ZERO,
        });
    }

    pub(super) fn rewritten(&mut self, name: &str, wrong: Vec<String>, took: Duration) {
        self.rewrites += 1;
        self.proved += usize::from(wrong.is_empty());
        let wrong = (!wrong.is_empty()).then(|| wrong.join("; "));
        self.rows.push(Row {
            name: name.to_owned(),
            made: "the same, written another way".into(),
            wrong,
            took,
        });
    }

    pub(super) fn join(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.packets += other.packets;
        self.differences += other.differences;
        self.mutants += other.mutants;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.promises.extend(other.promises);
        self.harmless += other.harmless;
        self.doubted += other.doubted;
        self.no_ruleset += other.no_ruleset;
        self.rewrites += other.rewrites;
        self.proved += other.proved;
    }

    /// The rows, the last line, and whether it is right for this order.
    pub(super) fn played(mut self, order: Order) -> Played {
        let least = order.least();
        // A small run meets some lines too seldom to come to their borders; a whole one meets none so seldom.
        let one_sided = |met: &compare::Tally| met.hits >= OFTEN && met.inside > 0 && met.outside == 0;
        let seldom = |line: &(&String, &compare::Tally)| line.1.hits < least || one_sided(line.1);
        let seldom: Vec<String> =
            self.lines.iter().filter(seldom).map(|(line, met)| format!("{line}: {met:?}")).collect();
        self.rows.push(Row {
            name: "every_line_that_accepts_is_met_on_both_sides_of_its_borders".into(),
            made: format!("{} lines, each at least {least} times", self.lines.len()),
            wrong: (!seldom.is_empty()).then(|| seldom.join("; ")),
            took: Duration::ZERO,
        });
        let summary = format!(
            "mutants={} refused={} rewrites={} proved={} packets={} differences={}",
            self.mutants, self.refused, self.rewrites, self.proved, self.packets, self.differences
        );
        let enough =
            self.rewrites >= 40 && (order.mutants.is_some() || self.mutants >= 60) && self.mutants > 0;
        let right = enough && self.rows.iter().all(|row| row.wrong.is_none());
        Played { rows: self.rows, summary, right }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.rows.iter().filter(|row| row.wrong.is_some()) {
            writeln!(f, "{row}")?;
        }
        writeln!(
            f,
            "{:6} {:6} {:6}  lines that accept: met, and at border values inside and outside",
            "met", "in", "out"
        )?;
        for (line, met) in &self.lines {
            writeln!(f, "{:6} {:6} {:6}  {line}", met.hits, met.inside, met.outside)?;
        }
        let broken: Vec<String> =
            self.promises.iter().map(|(number, count)| format!("{number}: {count}")).collect();
        writeln!(
            f,
            "boxes: {}; packets no kernel brings where they should go: {}",
            self.sites, self.unroutable
        )?;
        writeln!(f, "broken rulesets by promise: {}", broken.join(", "))?;
        write!(
            f,
            "changed rulesets that are refused as not understood: {}; that break nothing: {} proved, {} doubted; that nft \
             does not take: {}",
            self.unknown, self.harmless, self.doubted, self.no_ruleset
        )
    }
}
