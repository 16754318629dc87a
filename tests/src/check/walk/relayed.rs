//! A request walks to the terminal and its answer back, byte for byte, and nothing stays behind.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use crate::faux::forms::{self, Form};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::outside("a_request_in_utf_8_comes_back_byte_for_byte", "echo, UTF-8", |lab| {
            echo(lab, Form::Xml, "xml", 0)
        }),
        Case::outside("a_request_in_shift_jis_comes_back_byte_for_byte", "echo, Shift_JIS", |lab| {
            echo(lab, Form::Sjis, "xml", 0)
        }),
        Case::outside("an_encrypted_zip_comes_back_byte_for_byte", "echo, ZIP", |lab| {
            echo(lab, Form::Zip, "zip", 0)
        }),
        Case::outside("a_request_of_three_megabytes_comes_back_byte_for_byte", "echo, 3 MB", |lab| {
            echo(lab, Form::Zip, "zip", 3_000_000)
        }),
        Case::outside("an_answer_in_pdf_arrives_byte_for_byte", "answer=pdf", |lab| {
            made(lab, "pdf", Form::Pdf)
        }),
        Case::outside("an_answer_in_shift_jis_arrives_byte_for_byte", "answer=sjis", |lab| {
            made(lab, "sjis", Form::Sjis)
        }),
        Case::outside("an_encrypted_answer_arrives_byte_for_byte", "answer=zip", |lab| {
            made(lab, "zip", Form::Zip)
        }),
        Case::outside("an_answer_that_says_error_arrives_like_any_other", "answer=error", |lab| {
            made(lab, "error", Form::Error)
        }),
        Case::outside("an_answer_written_slowly_is_shown_when_it_is_whole", "write=slow, 200 kB", slowly),
        Case::outside("every_kind_of_the_table_has_its_walk", "YZK and TKK requests", every_kind),
        Case::outside("face_results_arrive_byte_for_byte", "push-face=5", faces),
        Case::outside("twenty_requests_at_once_come_back_once_each", "20 requests", at_once),
        Case::outside(
            "a_request_is_shown_to_the_terminal_by_a_rename_only",
            "10 requests of 100 kB",
            by_rename,
        ),
        Case::outside("the_terminal_keeps_nothing", "its folders", |lab| {
            ["req", "res", "face"].iter().try_for_each(|folder| lab.empties(&lab.on_terminal(folder)))
        }),
        Case::outside("the_box_keeps_nothing_in_req", "its folder", |lab| lab.empties_on_box("req")),
        Case::outside("the_days_pairs_are_timed", "sekisho status", timed),
    ]
}

/// Cases that need the terminal to have been away.
pub fn after_an_absence() -> Vec<Case> {
    ABSENCES.iter().map(|(case, code)| Case::outside(case, code, move |lab| away(lab, code))).collect()
}

static ABSENCES: [(&str, &str); 4] = [
    ("a_request_put_while_the_terminal_is_off_arrives_when_it_is_on", "TERM-01"),
    ("a_request_put_while_the_terminals_cable_is_out_arrives_when_it_is_in", "TERM-01:cable"),
    ("a_request_put_while_the_terminal_shares_nothing_arrives_when_it_does", "TERM-02"),
    ("a_request_put_while_the_terminal_refuses_the_login_arrives_when_it_does_not", "TERM-03"),
];

/// After it is undone staff ask: a refused login is tried again by itself after minutes only.
const ASKED: Duration = Duration::from_secs(60);

/// The check in between is the proof that the box has noticed.
fn away(lab: &mut Lab, code: &str) -> Outcome {
    lab.oqs("answer=echo")?;
    let name = lab.fresh("OQSsiquc01", "xml");
    let bytes = Form::Xml.request(&name, 0);
    lab.fault(code, true)?;
    let noticed =
        lab.until("the terminal's absence is judged", PATIENCE, || Ok(lab.check()?.verdict.foremost));
    let put = lab.put(&format!("req/{name}"), &bytes);
    lab.fault(code, false)?;
    noticed?;
    put?;
    lab.until("the terminal is judged well again", ASKED, || {
        Ok(lab.check()?.verdict.foremost.is_none().then_some(()))
    })?;
    let (_, answer) = lab.answer(&name)?;
    same(&answer, &bytes)?;
    let seen = lab.oqs(&format!("seen={name}"))?;
    must(seen.trim() == "ok seen=1", || format!("the terminal's tally says {}", seen.trim()))
}

fn echo(lab: &mut Lab, form: Form, extension: &str, size: usize) -> Outcome {
    lab.oqs("answer=echo")?;
    let name = lab.fresh("OQSsiquc01", extension);
    let bytes = form.request(&name, size);
    let (_, answer) = lab.exchange(&name, &bytes)?;
    same(&answer, &bytes)
}

fn made(lab: &mut Lab, order: &str, form: Form) -> Outcome {
    lab.oqs(&format!("answer={order}"))?;
    let name = lab.fresh("OQSsiquc01", "xml");
    let (answer, bytes) = lab.exchange(&name, &Form::Xml.request(&name, 0))?;
    lab.oqs("answer=echo")?;
    let (stem, extension) = answer.rsplit_once('.').unwrap_or_default();
    must(extension == form.extension(), || format!("the answer ends in {extension}"))?;
    same(&bytes, &form.answer(stem, 0))
}

fn same(got: &[u8], sent: &[u8]) -> Outcome {
    must(got == sent, || format!("{} bytes came, {} were sent, and they differ", got.len(), sent.len()))
}

fn slowly(lab: &mut Lab) -> Outcome {
    for order in ["answer=xml", "write=slow", "size=200000"] {
        lab.oqs(order)?;
    }
    let name = lab.fresh("OQSsiquc01", "xml");
    // The first that is seen of the answer is read at once: half of one would show here.
    let (answer, bytes) = lab.exchange(&name, &Form::Xml.request(&name, 0))?;
    for order in ["answer=echo", "write=at-once", "size=0"] {
        lab.oqs(order)?;
    }
    let stem = answer.rsplit_once('.').unwrap_or_default().0;
    same(&bytes, &Form::Xml.answer(stem, 200_000))
}

fn every_kind(lab: &mut Lab) -> Outcome {
    for kind in ["YZKsiquc01", "TKKsiquc01"] {
        let name = lab.fresh(kind, "xml");
        let bytes = Form::Sjis.request(&name, 0);
        let (answer, got) = lab.exchange(&name, &bytes)?;
        must(answer.starts_with(kind), || format!("{answer} answers {name}"))?;
        same(&got, &bytes)?;
    }
    Ok(())
}

fn faces(lab: &mut Lab) -> Outcome {
    lab.oqs("push-face=5")?;
    let into = lab.scratch().to_owned();
    let patience = lab.patience(PATIENCE);
    let got = lab.session()?.collect_count("face", &into, 5, patience, |_| true)?;
    must(got.len() == 5, || format!("{} face results came", got.len()))?;
    for entry in got {
        let id = entry.name.strip_prefix("OQSsiquc01res_face_").and_then(|rest| rest.split('_').next());
        let id = id.ok_or_else(|| Wrong(format!("{} is no face result", entry.name)))?;
        same(&fs::read(into.join(&entry.name))?, &forms::face(id))?;
    }
    Ok(())
}

fn at_once(lab: &mut Lab) -> Outcome {
    lab.oqs("answer=echo")?;
    let taken = lab.count("taken")?;
    let names: BTreeSet<String> = (0..20).map(|_| lab.fresh("OQSsiquc01", "xml")).collect();
    for name in &names {
        lab.put(&format!("req/{name}"), &Form::Xml.request(name, 0))?;
    }
    for name in &names {
        let (_, bytes) = lab.answer(name)?;
        same(&bytes, &Form::Xml.request(name, 0))?;
    }
    let now = lab.count("taken")?;
    must(now == taken + 20, || format!("the terminal took {} requests", now - taken))?;
    let doubled = lab.count("doubled")?;
    must(doubled == 0, || format!("{doubled} requests came twice"))
}

fn by_rename(lab: &mut Lab) -> Outcome {
    lab.oqs("answer=echo")?;
    let before = (lab.count("created")?, lab.count("torn")?);
    for _ in 0..10 {
        let name = lab.fresh("OQSsiquc01", "xml");
        lab.exchange(&name, &Form::Xml.request(&name, 100_000))?;
    }
    let after = (lab.count("created")?, lab.count("torn")?);
    let (created, torn) = (after.0 - before.0, after.1 - before.1);
    must(created == 0 && torn == 0, || {
        format!("{created} of 10 were created under their final name, {torn} were seen half-written")
    })
}

fn timed(lab: &mut Lab) -> Outcome {
    lab.until("pairs are timed", PATIENCE, || {
        let Some(relay) = lab.snapshot()?.relay else { return Ok(None) };
        let enough = relay.part.pairs.len() >= 20 && relay.part.quantile_ms(0.5).is_some_and(|ms| ms > 0.0);
        Ok(enough.then_some(()))
    })
}
