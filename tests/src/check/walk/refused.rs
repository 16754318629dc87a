//! What must not pass does not: it never reaches the terminal, is explained, and is still there.

use std::time::Duration;

use model::parcel::{Held, HeldReason};

use super::super::lab::Lab;
use super::super::{Case, Outcome, Wrong, must};
use crate::faux::forms::Form;

/// A file that may still be in its writer's hands is left alone for 30 s first.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bad {
    case: &'static str,
    made: &'static str,
    file: &'static str,
    bytes: fn() -> Vec<u8>,
    reason: HeldReason,
}

static BAD: [Bad; 6] = [
    Bad {
        case: "a_file_of_an_unknown_kind_is_held_and_kept",
        made: "a request named XYZsiquc01req_1.xml",
        file: "XYZsiquc01req_1.xml",
        bytes: || Form::Xml.request("1", 0),
        reason: HeldReason::UnknownKind,
    },
    Bad {
        case: "a_file_with_another_extension_is_held_and_kept",
        made: "a request ending in .exe",
        file: "OQSsiquc01req_bad1.exe",
        bytes: || Form::Xml.request("1", 0),
        reason: HeldReason::UnknownKind,
    },
    Bad {
        case: "a_file_with_a_bad_name_is_held_and_kept",
        made: "a request with two dots in its name",
        file: "OQSsiquc01req_a..b.xml",
        bytes: || Form::Xml.request("1", 0),
        reason: HeldReason::BadName,
    },
    Bad {
        case: "an_empty_file_is_held_and_kept",
        made: "a request of 0 bytes",
        file: "OQSsiquc01req_bad2.xml",
        bytes: Vec::new,
        reason: HeldReason::Empty,
    },
    Bad {
        case: "a_file_that_is_too_large_is_held_and_kept",
        made: "a request of 5 MB",
        file: "OQSsiquc01req_bad3.xml",
        bytes: || Form::Xml.request("1", 5_000_000),
        reason: HeldReason::TooLarge,
    },
    Bad {
        case: "a_half_written_file_is_held_and_kept",
        made: "a request without its end",
        file: "OQSsiquc01req_bad4.xml",
        bytes: || {
            let mut bytes = Form::Xml.request("1", 0);
            bytes.truncate(bytes.len() / 2);
            bytes
        },
        reason: HeldReason::HalfWritten,
    },
];

/// The cases.
pub fn cases() -> Vec<Case> {
    let held = BAD.iter().map(|bad| Case::outside(bad.case, bad.made, move |lab| refuse(lab, bad)));
    let others = [
        Case::outside("good_requests_pass_while_others_are_held", "a good request", |lab| {
            lab.oqs("answer=echo")?;
            let name = lab.fresh("OQSsiquc01", "xml");
            lab.exchange(&name, &Form::Xml.request(&name, 0)).map(drop)
        }),
        Case::outside(
            "what_is_held_leaves_the_list_when_it_is_taken_away",
            "the held files deleted",
            take_away,
        ),
    ];
    held.chain(others).collect()
}

fn held(lab: &Lab) -> Result<Vec<Held>, Wrong> {
    let relay = lab.snapshot()?.relay.ok_or_else(|| Wrong::new("nothing is known of the relay"))?;
    Ok(relay.part.held)
}

fn refuse(lab: &mut Lab, bad: &Bad) -> Outcome {
    let before: Vec<u64> = held(lab)?.iter().map(|held| held.parcel.number).collect();
    let (taken, created) = (lab.count("taken")?, lab.count("created")?);
    let path = format!("req/{}", bad.file);
    let bytes = (bad.bytes)();
    lab.put(&path, &bytes)?;
    let new = lab.until(&format!("{} is held", bad.made), PATIENCE, || {
        Ok(held(lab)?.into_iter().find(|held| !before.contains(&held.parcel.number)))
    })?;
    must(new.reason == bad.reason, || format!("held as {:?}", new.reason))?;
    passed_nothing(lab, bad, taken, created)?;
    let back = lab.scratch().join("back");
    lab.session()?.get(&path, &back)?;
    must(std::fs::read(&back)? == bytes, || "the file is no longer what was put".into())
}

/// A good request that came after it has been answered: what was to pass has passed by now.
fn passed_nothing(lab: &mut Lab, bad: &Bad, taken: u64, created: u64) -> Outcome {
    lab.oqs("answer=echo")?;
    let good = lab.fresh("OQSsiquc01", "xml");
    lab.exchange(&good, &Form::Xml.request(&good, 0))?;
    let now = (lab.count("taken")?, lab.count("created")?);
    must(now == (taken + 1, created), || {
        format!("the terminal saw it: {:?} before, {now:?} after", (taken, created))
    })?;
    must(!lab.on_terminal("req").join(bad.file).exists(), || "it lies on the terminal".into())
}

fn take_away(lab: &mut Lab) -> Outcome {
    for bad in &BAD {
        lab.session()?.delete(&format!("req/{}", bad.file))?;
    }
    lab.until("nothing is held any more", Duration::from_secs(20), || Ok(held(lab)?.is_empty().then_some(())))
}
