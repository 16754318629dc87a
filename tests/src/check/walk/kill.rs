//! `kill -9` of the daemon at every step of the relay: nothing is lost, nothing is doubled, nothing is held.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::super::event::{Eye, Happening};
use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use crate::faux::forms::Form;

/// A moment of a parcel's walk that can be seen from outside.
struct Step {
    case: &'static str,
    made: &'static str,
    folder: fn(&Lab) -> PathBuf,
    happening: Happening,
}

static STEPS: [Step; 8] = [
    Step {
        case: "killed_when_a_request_is_closed_nothing_is_lost_or_doubled",
        made: "kill -9 when the request is closed in the box's req",
        folder: |lab| lab.on_box("req"),
        happening: Happening::Closed,
    },
    Step {
        case: "killed_when_a_request_is_being_staged_nothing_is_lost_or_doubled",
        made: "kill -9 when the staged file comes into being",
        folder: |lab| lab.on_terminal("sekisho-staging"),
        happening: Happening::Created,
    },
    Step {
        case: "killed_when_a_request_is_staged_nothing_is_lost_or_doubled",
        made: "kill -9 when the staged file is closed",
        folder: |lab| lab.on_terminal("sekisho-staging"),
        happening: Happening::Closed,
    },
    Step {
        case: "killed_when_a_request_is_decided_nothing_is_lost_or_doubled",
        made: "kill -9 when the request arrives in attempted",
        folder: |lab| lab.clinic().state().join("relay/attempted/t1"),
        happening: Happening::MovedIn,
    },
    Step {
        case: "killed_when_a_request_is_published_nothing_is_lost_or_doubled",
        made: "kill -9 when the request stands on the terminal",
        folder: |lab| lab.on_terminal("req"),
        happening: Happening::MovedIn,
    },
    Step {
        case: "killed_when_an_answer_is_written_nothing_is_lost_or_doubled",
        made: "kill -9 when the terminal closes the answer",
        folder: |lab| lab.on_terminal("res"),
        happening: Happening::Closed,
    },
    Step {
        case: "killed_when_an_answer_is_delivered_nothing_is_lost_or_doubled",
        made: "kill -9 when the answer stands in the box's res",
        folder: |lab| lab.on_box("res"),
        happening: Happening::MovedIn,
    },
    Step {
        case: "killed_when_an_answer_is_settled_nothing_is_lost_or_doubled",
        made: "kill -9 when the answer is removed from the terminal",
        folder: |lab| lab.on_terminal("res"),
        happening: Happening::Deleted,
    },
];

/// How long the moment may be in coming.
const SEEN: Duration = Duration::from_secs(10);

/// The cases.
pub fn cases() -> Vec<Case> {
    STEPS.iter().map(|step| Case::new(step.case, step.made, move |lab| kill_at(lab, step))).collect()
}

fn kill_at(lab: &mut Lab, step: &Step) -> Outcome {
    lab.oqs("answer=echo")?;
    let name = lab.fresh("OQSsiquc01", "xml");
    let bytes = Form::Xml.request(&name, 20_000);
    let (eye, hold) = (Eye::on(&(step.folder)(lab), step.happening)?, lab.hold("relayd")?);
    // The eye kills on its own thread: by the time the client says that the file is put, the step may be over.
    let killer = std::thread::spawn(move || {
        let seen = eye.see(SEEN, |_| true);
        hold.signal(Signal::SIGKILL);
        must(hold.ended(Instant::now() + SEEN), || "the daemon does not die".into())?;
        seen
    });
    let put = lab.put(&format!("req/{name}"), &bytes);
    let seen = killer.join().map_err(|_| Wrong::new("the killer panicked"))?;
    lab.revive("relayd")?;
    put?;
    seen?;
    arrives_once(lab, &name, &bytes)
}

fn arrives_once(lab: &mut Lab, name: &str, bytes: &[u8]) -> Outcome {
    let (_, answer) = lab.answer(name)?;
    must(answer == bytes, || "the answer's bytes are not the request's".into())?;
    let seen = lab.oqs(&format!("seen={name}"))?;
    must(seen.trim() == "ok seen=1", || format!("the terminal's tally says {}", seen.trim()))?;
    for folder in ["req", "res", "sekisho-staging"] {
        lab.empties(&lab.on_terminal(folder))?;
    }
    for folder in ["req", "res"] {
        lab.empties(&lab.on_box(folder))?;
    }
    lab.until("the relay has settled", PATIENCE, || {
        let Some(relay) = lab.snapshot()?.relay else { return Ok(None) };
        must(relay.part.held.is_empty(), || format!("held: {:?}", relay.part.held))?;
        Ok(relay.part.waiting.is_empty().then_some(()))
    })
}
