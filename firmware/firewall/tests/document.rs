//! docs/security.md, read: every row is asked of [`firewall::answer`] as a person would ask it, and has to be right; every
//! line of every ruleset stands in it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod examples;
mod site;

use std::collections::BTreeSet;

use firewall::Plan;
use model::Site;
use model::policy::{Answer, Explanation, Question};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/security.md");

/// A row of a table, with what stands above it.
#[derive(Debug)]
struct Row {
    example: String,
    from: String,
    to: String,
    mark: String,
    id: String,
    instances: Vec<String>,
}

/// Every row below a heading `### FROM → TO` of a section that says what it is tried on.
fn rows() -> Vec<Row> {
    let (mut example, mut pair) = (None, None);
    let mut rows = Vec::new();
    for line in DOCUMENT.lines() {
        if line.starts_with("## ") {
            (example, pair) = (None, None);
        } else if let Some(name) = line.strip_prefix("Tried on the example `") {
            example = name.strip_suffix("`.").map(str::to_owned);
            assert!(example.is_some(), "{line}");
        } else if let Some(ends) = line.strip_prefix("### ") {
            let (from, to) = ends.split_once(" → ").unwrap_or_else(|| panic!("no pair of zones: {line}"));
            pair = Some((from.to_owned(), to.to_owned()));
        } else if let (Some(example), Some((from, to)), true) = (&example, &pair, line.starts_with("| ")) {
            rows.extend(row(example, from, to, line));
        }
    }
    rows
}

fn row(example: &str, from: &str, to: &str, line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [_, mark, id, instances] = cells.as_slice() else { panic!("not four cells: {line}") };
    if *id == "line" {
        return None;
    }
    let own = |text: &str| text.to_owned();
    let instances: Vec<String> = code(instances);
    // Of a line that no single packet shows there is none to try.
    assert_eq!(instances.is_empty(), *mark == "○", "packets to try: {line}");
    let [id] = code(id).try_into().unwrap_or_else(|_| panic!("not one line: {line}"));
    Some(Row { example: own(example), from: own(from), to: own(to), mark: own(mark), id, instances })
}

/// What stands in backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// An instance is what one types behind `--from` and `--to`.
fn question(row: &Row, instance: &str) -> Question {
    let zone = |name: &str| if name == "setup" { "clinic".to_owned() } else { name.to_owned() };
    let mut typed = serde_json::json!({"from": zone(&row.from), "to": zone(&row.to)});
    let words: Vec<&str> = instance.split_whitespace().collect();
    for pair in words.chunks(2) {
        let [name, said] = pair else { panic!("an option without a value: {instance}") };
        let name = name.strip_prefix("--").unwrap_or_else(|| panic!("no option: {instance}"));
        let known = Question::default().fields().iter().any(|(field, _)| *field == name);
        assert!(known, "there is no option --{name}: {instance}");
        typed[name] = Value::from(*said);
    }
    serde_json::from_value(typed).unwrap()
}

fn asked(document: &Value, site: &Site, row: &Row, instance: &str) -> Explanation {
    match firewall::answer(site, document, &question(row, instance), false) {
        Answer::Told(told) => *told,
        other => panic!("{} → {} {instance}: {other:?}", row.from, row.to),
    }
}

/// Whether a line led the packet on.
fn led(told: &Explanation, id: &str) -> bool {
    told.way.iter().any(|stop| stop.by.as_deref() == Some(id))
}

/// The ruleset for a packet of which the rest is so: its sender has many flows, and this line's card.
fn met(mut document: Value, id: &str) -> Value {
    for item in document["nftables"].as_array_mut().unwrap() {
        let comment = item["add"]["rule"]["comment"].as_str().unwrap_or_default();
        let own =
            comment.split_once(": ").is_some_and(|(own, _)| own.strip_suffix("-case").unwrap_or(own) == id);
        let more = |step: &Value| {
            let card = step["match"]["left"]["payload"]["protocol"] == "ether";
            step.get("set").is_some() || (own && card)
        };
        if let Some(steps) = item.pointer_mut("/add/rule/expr").and_then(Value::as_array_mut) {
            steps.retain(|step| !more(step));
        }
    }
    document
}

#[test]
fn every_row_is_right_of_every_packet_it_names() {
    let rows = rows();
    assert!(rows.len() > 90, "only {} rows were found", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let (document, site) =
            examples::ruleset(&row.example).unwrap_or_else(|| panic!("there is no example {}", row.example));
        for instance in &row.instances {
            let told = asked(&document, &site, row, instance);
            let by = told.line.as_ref().map_or("", |line| line.id.as_str());
            let right = match row.mark.as_str() {
                "✓" => told.passes && by == row.id,
                "✗" => !told.passes && by == row.id,
                "→" => led(&told, &row.id),
                "#" => {
                    let told = asked(&met(document.clone(), &row.id), &site, row, instance);
                    led(&told, &row.id) || told.line.is_some_and(|line| line.id == row.id)
                }
                other => panic!("what is {other}? {row:?}"),
            };
            if !right {
                let (from, to, mark, id) = (&row.from, &row.to, &row.mark, &row.id);
                wrong.push(format!(
                    "{from} → {to} {instance}: {mark} {id}, but passes: {}, by {by}",
                    told.passes
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The ids of an example's rules. What only logs, and what only leads to the refusal, belongs to the line that refuses.
fn ids(document: &Value) -> BTreeSet<String> {
    let rules = document["nftables"].as_array().unwrap().iter().map(|item| &item["add"]["rule"]["comment"]);
    let ids = rules.filter_map(Value::as_str).map(|comment| comment.split_once(": ").unwrap().0);
    ids.filter(|id| !["-log", "-case"].iter().any(|part| id.ends_with(part))).map(str::to_owned).collect()
}

#[test]
fn every_line_of_every_ruleset_stands_in_the_document_and_no_other_does() {
    let plans = examples::ALL.map(|name| ids(&examples::ruleset(name).unwrap().0));
    let planned: BTreeSet<String> = plans.into_iter().flatten().collect();
    let told: BTreeSet<String> = rows().into_iter().map(|row| row.id).collect();
    let missing: Vec<_> = planned.difference(&told).collect();
    let strange: Vec<_> = told.difference(&planned).collect();
    assert!(missing.is_empty() && strange.is_empty(), "missing: {missing:?}; in no ruleset: {strange:?}");
}

/// A row stands where its packets are: a line of the pair's own, by what can be reached between its ports.
#[test]
fn a_row_stands_under_the_pair_whose_matrix_has_its_line() {
    let (document, site) = examples::ruleset("site").unwrap();
    let matrix = firewall::matrix(&document, &site);
    for row in rows().iter().filter(|row| row.example == "site") {
        let cell = matrix.cell(&row.from, &row.to).unwrap_or_else(|| panic!("no cell: {row:?}"));
        assert!(cell.lines.iter().any(|line| line.id == row.id), "{row:?}: {:?}", cell.lines);
    }
}

#[test]
fn every_line_of_every_plan_is_said_in_japanese() {
    let sites = site::every().into_iter().map(|(_, site, now)| Plan::compile(&site, &now));
    let before = [true, false].map(|lends| Plan::before_a_site(Some(&site::setup()), lends));
    let plans: Vec<Plan> = sites.chain(before).collect();
    let rules = plans.iter().flat_map(|plan| &plan.chains).flat_map(|chain| &chain.rules);
    let missing: BTreeSet<&str> =
        rules.map(|rule| rule.says).filter(|says| firewall::plan::words::japanese(says).is_none()).collect();
    assert!(missing.is_empty(), "no Japanese for {missing:#?}");
}

/// The page shows it of every site: nothing of a plan of ours may be unclear, and no pair of zones is without its lines.
#[test]
fn the_matrix_of_every_kind_of_site_is_clear() {
    for (name, site, now) in site::every() {
        let document = Plan::compile(&site, &now).document();
        let matrix = firewall::matrix(&document, &site);
        assert!(matrix.unclear.is_empty(), "{name}: {:?}", matrix.unclear);
        assert!(matrix.cells.iter().all(|cell| !cell.lines.is_empty()), "{name}");
        for (from, to) in
            [("clinic", "terminal"), ("terminal", "clinic"), ("clinic", "wan"), ("other", "box")]
        {
            let cell = matrix.cell(from, to).unwrap();
            assert!(cell.may.is_empty() && !cell.answers, "{name}: {from} → {to}: {:?}", cell.may);
        }
        let names = firewall::Names::of_site(&site);
        let difference = firewall::diff(&document, &document, &names);
        assert!(difference.is_nothing(), "{name}: {difference:?}");
    }
}
