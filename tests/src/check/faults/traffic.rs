//! The receipt computer's part in a case: some faults show only when something is on its way.

use std::fs;
use std::time::Duration;

use super::super::Outcome;
use super::super::lab::Lab;
use super::case::{Case, Traffic};
use crate::faux::forms::Form;

/// The kind that is asked.
const KIND: &str = "OQSsiquc01";
/// So many requests, one after the other: one error is nobody's fault yet.
const REQUESTS: usize = 5;
/// How long an answer may take when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Before the fault is made.
///
/// # Errors
/// No answer comes.
pub fn before(lab: &mut Lab, case: &Case) -> Outcome {
    if case.traffic != Traffic::Answered {
        return Ok(());
    }
    ask(lab)?;
    let answers = lab.on_box("res");
    let lies = || Ok(fs::read_dir(&answers)?.next().is_some().then_some(()));
    lab.until("an answer lies in the clinic's share", PATIENCE, lies)?;
    // From now on nobody comes.
    lab.leave_share();
    Ok(())
}

/// While it stands.
///
/// # Errors
/// The box's share refuses.
pub fn meanwhile(lab: &mut Lab, case: &Case) -> Outcome {
    if case.traffic == Traffic::Asking { (0..REQUESTS).try_for_each(|_| ask(lab)) } else { Ok(()) }
}

/// When it is undone: what comes is collected, and one more request is answered as it should be.
///
/// # Errors
/// There is no answer.
pub fn after(lab: &mut Lab, case: &Case) -> Outcome {
    if case.traffic == Traffic::None {
        return Ok(());
    }
    let request = lab.fresh(KIND, "xml");
    lab.exchange(&request, &Form::Xml.request(&request, 0))?;
    collect(lab, case)
}

/// Takes what lies in the share, as the receipt computer does all day, unless the case is that it does not.
///
/// # Errors
/// The box's share refuses.
pub fn collect(lab: &mut Lab, case: &Case) -> Outcome {
    if case.traffic == Traffic::None || case.traffic == Traffic::Answered && !lab.has_share() {
        return Ok(());
    }
    let into = lab.scratch().to_owned();
    lab.session()?.collect("res", &into, |_| true)?;
    Ok(())
}

fn ask(lab: &mut Lab) -> Outcome {
    let request = lab.fresh(KIND, "xml");
    lab.put(&format!("req/{request}"), &Form::Xml.request(&request, 0))
}
