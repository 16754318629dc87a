//! Every fault of the catalogue is made, judged, undone, and judged clean again. A wrong accusation on the way, even for
//! one sweep, is wrong.

use std::time::{Duration, Instant};

use model::part::LinePart;
use model::{Certainty, FaultCode, Party, Usability};

use super::super::lab::{Lab, Wish};
use super::super::{Case, Outcome, Wrong, must};

/// What must be judged.
struct Judged {
    code: FaultCode,
    owner: Party,
    certainty: &'static [Certainty],
}

struct Made {
    case: &'static str,
    code: &'static str,
    judged: Option<Judged>,
}

const ANY: &[Certainty] = &[Certainty::Sure, Certainty::Likely, Certainty::Open];
const NEVER_SURE: &[Certainty] = &[Certainty::Likely, Certainty::Open];

const fn judged(code: FaultCode, owner: Party, certainty: &'static [Certainty]) -> Option<Judged> {
    Some(Judged { code, owner, certainty })
}

/// On a site where everything was good before. `check faults` has every fault; these are a release's.
static MADE: [Made; 16] = [
    Made {
        case: "a_line_cable_that_is_out_is_the_clinics",
        code: "WAN-01",
        judged: judged(FaultCode::Wan01, Party::Clinic, NEVER_SURE),
    },
    Made {
        case: "a_line_without_router_that_once_had_one_is_likely_the_lines",
        code: "WAN-02",
        judged: judged(FaultCode::Wan02, Party::Line, &[Certainty::Likely]),
    },
    Made {
        case: "a_router_that_said_goodbye_is_the_lines",
        code: "WAN-03",
        judged: judged(FaultCode::Wan03, Party::Line, ANY),
    },
    Made {
        case: "two_silent_resolvers_are_the_lines",
        code: "DNS-01",
        judged: judged(FaultCode::Dns01, Party::Line, ANY),
    },
    Made {
        case: "line_authentication_that_is_lost_is_the_lines_and_never_sure",
        code: "AUTH-01",
        judged: judged(FaultCode::Auth01, Party::Line, NEVER_SURE),
    },
    Made {
        case: "a_centre_that_refuses_is_the_centres",
        code: "CTR-01",
        judged: judged(FaultCode::Ctr01, Party::Centre, ANY),
    },
    Made {
        case: "a_centre_that_is_silent_is_the_centres",
        code: "CTR-02",
        judged: judged(FaultCode::Ctr02, Party::Centre, ANY),
    },
    Made {
        case: "a_centre_whose_certificate_expired_is_the_centres",
        code: "CTR-03",
        judged: judged(FaultCode::Ctr03, Party::Centre, ANY),
    },
    Made {
        case: "a_terminal_that_is_off_is_the_terminals",
        code: "TERM-01",
        judged: judged(FaultCode::Term01, Party::Terminal, ANY),
    },
    Made {
        case: "a_terminal_cable_that_is_out_is_the_clinics",
        code: "TERM-01:cable",
        judged: judged(FaultCode::Term01, Party::Clinic, ANY),
    },
    Made {
        case: "a_terminal_that_stopped_sharing_is_the_terminals",
        code: "TERM-02",
        judged: judged(FaultCode::Term02, Party::Terminal, ANY),
    },
    Made {
        case: "a_terminal_that_refuses_the_login_is_the_terminals",
        code: "TERM-03",
        judged: judged(FaultCode::Term03, Party::Terminal, ANY),
    },
    Made {
        case: "an_alert_for_want_of_a_client_certificate_is_no_fault",
        code: "CTR-05:alert",
        judged: None,
    },
    Made {
        case: "http_400_for_want_of_a_client_certificate_is_no_fault",
        code: "CTR-05:http400",
        judged: None,
    },
    Made { case: "a_distribution_host_that_is_down_is_no_alarm", code: "CTR-07", judged: None },
    Made { case: "one_resolver_of_two_is_recorded_and_no_alarm", code: "DNS-02", judged: None },
];

/// From the making of a fault until it is judged: the router's patience, and a little.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a clinic that must stay clean is looked at.
const LOOKS: u32 = 5;

/// The cases.
pub fn cases() -> Vec<Case> {
    let made = MADE.iter().map(|made| {
        Case::outside(made.case, made.code, move |lab| {
            let judged = switch(lab, made);
            lab.fault(made.code, false)?;
            let clean = clean_again(lab, made);
            judged.and(clean)
        })
    });
    let others = [
        Case::new("check_exits_1_while_a_fault_is_judged", "CTR-01 and sekisho check", exits),
        Case::new(
            "line_authentication_that_was_never_good_is_the_clinics_and_never_sure",
            "AUTH-01 from birth",
            |lab| born(lab, "AUTH-01", FaultCode::Auth01, Party::Clinic, NEVER_SURE),
        ),
        Case::new(
            "a_line_that_never_had_a_router_is_open_and_the_clinics_to_check",
            "WAN-02 from birth",
            |lab| born(lab, "WAN-02", FaultCode::Wan02, Party::Clinic, &[Certainty::Open]),
        ),
    ];
    made.chain(others).collect()
}

fn switch(lab: &Lab, made: &Made) -> Outcome {
    lab.fault(made.code, true)?;
    match &made.judged {
        Some(judged) => until_judged(lab, judged),
        None => (0..LOOKS).try_for_each(|_| stays_clean(&lab.check()?, made.code)),
    }
}

fn until_judged(lab: &Lab, judged: &Judged) -> Outcome {
    let line = lab.until(&format!("{} is judged", judged.code.key()), PATIENCE, || {
        let line = lab.check()?;
        accuses_no_other(&line, judged.code)?;
        Ok(line.verdict.foremost.is_some().then_some(line))
    })?;
    let Some(fault) = line.verdict.foremost else { return Err(Wrong::new("nothing is judged")) };
    must(fault.owner == judged.owner, || format!("{} has the owner {:?}", fault.code.key(), fault.owner))?;
    must(judged.certainty.contains(&fault.certainty), || format!("it is {:?}", fault.certainty))
}

fn accuses_no_other(line: &LinePart, code: FaultCode) -> Outcome {
    let other = line.verdict.alarms().find(|fault| fault.code != code);
    must(other.is_none(), || format!("accused of {other:?} while {} is made", code.key()))
}

fn stays_clean(line: &LinePart, code: &str) -> Outcome {
    let verdict = &line.verdict;
    let accused = verdict.alarms().next();
    must(accused.is_none(), || format!("accused of {accused:?} while {code} is made"))?;
    must(verdict.usability == Usability::Usable, || format!("{:?} while {code} is made", verdict.usability))?;
    let recorded: Vec<&str> = verdict.recorded.iter().map(|fault| fault.code.key()).collect();
    let own = FaultCode::from_key(code).filter(|code| !code.is_alarm()).map(FaultCode::key);
    must(recorded == own.as_slice(), || format!("recorded {recorded:?}"))
}

fn clean_again(lab: &Lab, made: &Made) -> Outcome {
    lab.until(&format!("clean again after {}", made.code), PATIENCE, || {
        let verdict = lab.check()?.verdict;
        let allowed = made.judged.as_ref().map(|judged| judged.code);
        let other = verdict.alarms().find(|fault| Some(fault.code) != allowed);
        must(other.is_none(), || format!("accused of {other:?} after {} was undone", made.code))?;
        let clean = verdict.usability == Usability::Usable && verdict.recorded.is_empty();
        Ok((clean && verdict.foremost.is_none()).then_some(()))
    })
}

fn exits(lab: &mut Lab) -> Outcome {
    lab.fault("CTR-01", true)?;
    let code = lab.exit(&["check"]);
    lab.fault("CTR-01", false)?;
    let code = code?;
    must(code == 1, || format!("exit {code}"))?;
    lab.until("check exits 0 again", PATIENCE, || Ok((lab.exit(&["check"])? == 0).then_some(())))
}

/// A clinic of its own that has had the fault from its first moment.
fn born(
    lab: &mut Lab,
    fault: &'static str,
    code: FaultCode,
    owner: Party,
    certainty: &'static [Certainty],
) -> Outcome {
    let wish = lab.wish()?;
    let name = format!("{}-born", wish.name);
    let other = Lab::up(Wish { name, faults: vec![fault], ..wish.clone() })?;
    let begun = Instant::now();
    let judged = until_judged(&other, &Judged { code, owner, certainty });
    drop(other);
    judged.map_err(|wrong| Wrong(format!("{wrong} ({:.0} s after its birth)", begun.elapsed().as_secs_f64())))
}
