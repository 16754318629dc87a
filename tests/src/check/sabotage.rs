//! Showing that a verification can fail: listed defects, each of which must make some of its cases wrong.
//! The defects exist only in a sekisho built with `--features sabotage`.

use std::io::Write;
use std::time::Instant;

use super::lab::{Lab, Wish};
use super::{Case, Row, Wrong, run};

/// A defect, and the cases that look for it.
#[derive(Debug)]
pub struct Defect {
    /// Its name in `SEKISHO_SABOTAGE`.
    pub name: &'static str,
    /// Cases that a sekisho without it gets right; with it at least one must be wrong.
    pub cases: &'static [&'static str],
}

/// The listed defects.
pub const DEFECTS: [Defect; 5] = [
    Defect {
        name: "probe-always-ok",
        cases: &["a_centre_that_refuses_is_the_centres", "two_silent_resolvers_are_the_lines"],
    },
    Defect {
        name: "constant-judge",
        cases: &["a_centre_that_refuses_is_the_centres", "a_terminal_that_stopped_sharing_is_the_terminals"],
    },
    Defect {
        name: "dropped-rule",
        cases: &["the_clinic_cannot_reach_the_boxs_address_on_the_terminals_side"],
    },
    Defect {
        name: "no-name-check",
        cases: &["a_file_of_an_unknown_kind_is_held_and_kept", "a_file_with_a_bad_name_is_held_and_kept"],
    },
    Defect { name: "no-rename", cases: &["a_request_is_shown_to_the_terminal_by_a_rename_only"] },
];

/// Plays every defect's cases on a clinic with the defect, after all of them on one without any. Gives a row for each;
/// the first is the run without a defect, which must be right.
///
/// # Errors
/// Nobody can be told any more.
pub fn play(wish: &Wish, cases: &[Case], out: &mut dyn Write) -> std::io::Result<Vec<Row>> {
    let all: Vec<&str> = DEFECTS.iter().flat_map(|defect| defect.cases).copied().collect();
    let mut rows = vec![one(wish, None, &all, cases, out)?];
    for defect in &DEFECTS {
        rows.push(one(wish, Some(defect.name), defect.cases, cases, out)?);
    }
    Ok(rows)
}

fn one(
    wish: &Wish,
    sabotage: Option<&'static str>,
    names: &[&str],
    cases: &[Case],
    out: &mut dyn Write,
) -> std::io::Result<Row> {
    let begun = Instant::now();
    let what = sabotage.unwrap_or("no defect");
    writeln!(out, "-- {what}")?;
    let ready = Lab::up(Wish { sabotage, ..wish.clone() }).and_then(|lab| lab.settle().map(|()| lab));
    let (wrong, of) = match ready {
        Ok(mut lab) => played(&mut lab, names, cases, out)?,
        // A sekisho that refuses to start with its defect has found it itself.
        Err(refused) => (vec![format!("the clinic does not come up: {refused}")], names.len()),
    };
    let right = if sabotage.is_some() { !wrong.is_empty() } else { wrong.is_empty() };
    let said = Wrong(if wrong.is_empty() { "no case saw it".into() } else { wrong.join("; ") });
    let row = Row {
        name: if sabotage.is_some() {
            format!("{what}_is_caught")
        } else {
            "the_cases_are_right_without_a_defect".into()
        },
        made: format!("{} of {of} cases wrong", wrong.len()),
        wrong: (!right).then(|| said.to_string()),
        took: begun.elapsed(),
    };
    writeln!(out, "{row}")?;
    Ok(row)
}

/// Plays the named cases, in the list's order; gives the names of the wrong ones and how many were played.
fn played(
    lab: &mut Lab,
    names: &[&str],
    cases: &[Case],
    out: &mut dyn Write,
) -> std::io::Result<(Vec<String>, usize)> {
    let mut rows = Vec::new();
    for case in cases.iter().filter(|case| names.contains(&case.name)) {
        rows.extend(run(lab, std::slice::from_ref(case), out)?);
    }
    let wrong = rows.iter().filter(|row| row.wrong.is_some()).map(|row| row.name.clone()).collect();
    Ok((wrong, rows.len()))
}
