//! `sekisho policy diff` and `matrix`: what rulesets mean, in sentences.

use std::path::Path;
use std::process::ExitCode;

use firewall::Names;
use firewall::prove::meaning::{Change, Difference};
use model::policy::{Cell, Matrix};
use serde_json::json;

use crate::failure::{Failure, code};
use crate::{output, site_file};

/// Says what changes.
///
/// # Errors
/// A file that is not right.
pub fn diff(old: &Path, new: &Path, rulesets: bool, json: bool) -> Result<ExitCode, Failure> {
    let difference = if rulesets {
        firewall::diff(&super::read(old)?, &super::read(new)?, &Names::default())
    } else {
        let [old, new] = [site_file::load(old)?.site, site_file::load(new)?.site];
        let names = Names::common(&Names::of_site(&old), &Names::of_site(&new));
        firewall::diff(&firewall::compile_json(&old), &firewall::compile_json(&new), &names)
    };
    output::print(&if json { output::json(&difference) } else { changes(&difference) });
    Ok(if difference.is_nothing() { ExitCode::SUCCESS } else { ExitCode::from(code::NO) })
}

fn changes(difference: &Difference) -> String {
    if difference.is_nothing() {
        return "nothing changes".into();
    }
    let unclear = difference.unclear.iter().map(|what| format!("? not understood: {what}"));
    let said = |mark: &'static str, changes: &[Change]| {
        changes.iter().map(|change| format!("{mark} {}", change.sentence)).collect::<Vec<_>>()
    };
    let [gained, lost] = [said("+", &difference.gained), said("-", &difference.lost)];
    let lines: Vec<String> = unclear.chain(gained).chain(lost).map(|line| output::plain(&line)).collect();
    lines.join("\n")
}

/// Says what may be opened.
///
/// # Errors
/// A file that is not right.
pub fn matrix(site: &Path, ruleset: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let (site, document) = super::planned(site, ruleset)?;
    let matrix = firewall::matrix(&document, &site);
    output::print(&if json { output::json(&json!(matrix)) } else { table(&matrix) });
    Ok(if matrix.unclear.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(code::TEMPFAIL) })
}

fn table(matrix: &Matrix) -> String {
    let unclear = matrix.unclear.iter().map(|what| format!("? not understood: {what}"));
    let lines: Vec<String> = unclear.chain(matrix.cells.iter().map(cell)).map(|line| plain(&line)).collect();
    lines.join("\n")
}

fn cell(cell: &Cell) -> String {
    let head = format!("{} → {}:", cell.from, cell.to);
    match (cell.may.is_empty(), cell.answers) {
        (true, false) => format!("{head} never"),
        (true, true) => format!("{head} opens nothing; answers to open flows pass"),
        (false, _) => {
            let each = cell.may.iter().map(|may| format!("\n    {}", may.en));
            format!("{head}{}", each.collect::<String>())
        }
    }
}

/// Line by line, so that the ends of lines stay.
fn plain(text: &str) -> String {
    text.lines().map(output::plain).collect::<Vec<_>>().join("\n")
}
