//! A clean clinic: usable, nobody accused, lamps and exit codes agree.

use std::time::Duration;

use model::observation::Branch;
use model::part::RulesetState;
use model::scene::{Blink, Lamp};
use model::{Rung, Usability};

use super::super::lab::Lab;
use super::super::{Case, Outcome, Wrong, must};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::outside("a_clean_clinic_is_usable_and_nobody_is_accused", "nothing", usable),
        Case::outside("every_rung_of_a_clean_clinic_is_good", "nothing", every_rung),
        Case::new("check_exits_0_on_a_clean_clinic", "sekisho check", |lab| {
            let code = lab.exit(&["check"])?;
            must(code == 0, || format!("exit {code}"))
        }),
        Case::outside("status_says_what_check_says", "sekisho status", status_agrees),
        Case::outside("the_lamps_of_a_clean_clinic_are_calm", "sekisho status", lamps),
        Case::new("a_verb_without_a_daemon_exits_69", "an empty socket folder", |lab| {
            let nobody = lab.scratch().join("nobody");
            let argv = ["check", "--socket", &nobody.to_string_lossy()].map(str::to_owned);
            let code = std::process::Command::new(&lab.wish()?.sekisho).args(argv).output()?.status.code();
            must(code == Some(69), || format!("exit {code:?}"))
        }),
    ]
}

/// The lab's clinic may have come up a moment ago: until the first router advertisement nothing can be said, but
/// nobody may be accused either.
fn usable(lab: &mut Lab) -> Outcome {
    lab.until("the clinic is usable", Duration::from_secs(20), || {
        let verdict = lab.check()?.verdict;
        let accused = verdict.alarms().next().map(|fault| fault.code.key());
        must(accused.is_none(), || format!("{accused:?} on a clean clinic"))?;
        must(verdict.recorded.is_empty(), || format!("recorded {:?}", verdict.recorded))?;
        Ok((verdict.usability == Usability::Usable).then_some(()))
    })
}

fn every_rung(lab: &mut Lab) -> Outcome {
    // A box that has just started may still be setting its clock.
    let mut last = String::new();
    let all = lab.until("every rung is good", Duration::from_secs(20), || {
        let ladder = lab.check()?.ladder;
        let seen = |rung| ladder.iter().find(|seen| seen.rung == rung);
        let mut needed = Rung::ALL.into_iter().filter(|rung| !may_lack(*rung) || seen(*rung).is_some());
        let bad = needed.find(|rung| !seen(*rung).is_some_and(|seen| seen.outcome.is_good()));
        last = bad.map(|rung| format!("{rung:?} is {:?}", seen(rung))).unwrap_or_default();
        Ok(bad.is_none().then_some(()))
    });
    all.map_err(|wrong| Wrong(format!("{wrong}; {last}")))
}

/// A machine need not have sensors, and not every line has a tunnel, nor every clinic what lies beside the line.
const fn may_lack(rung: Rung) -> bool {
    matches!(rung, Rung::Hardware | Rung::Ike | Rung::IkeNat | Rung::Tunnel | Rung::Discovery | Rung::Session)
        || matches!(rung.branch(), Branch::Internet | Branch::Cloud | Branch::Maintenance)
}

fn status_agrees(lab: &mut Lab) -> Outcome {
    let checked = lab.check()?.verdict;
    let snapshot = lab.snapshot()?;
    let verdict = snapshot.line.map(|line| line.part.verdict);
    let agrees = verdict.as_ref().is_some_and(|verdict| verdict.same_finding(&checked));
    must(agrees, || format!("check {checked:?}, status {verdict:?}"))?;
    let state = snapshot.firewall.map(|wall| wall.part.state);
    must(state == Some(RulesetState::Proved), || format!("the firewall is {state:?}"))?;
    let held = snapshot.relay.map(|relay| relay.part.held.len());
    must(held == Some(0), || format!("{held:?} parcels are held"))
}

fn lamps(lab: &mut Lab) -> Outcome {
    lab.until("the lamps are calm", Duration::from_secs(5), || {
        let Some(board) = lab.snapshot()?.board else { return Ok(None) };
        let blink = |lamp| board.part.scene.light(lamp).map(|light| light.blink);
        let calm = blink(Lamp::Alarm) == Some(Blink::Off)
            && [Lamp::Power, Lamp::Line, Lamp::Relay].iter().all(|lamp| blink(*lamp) == Some(Blink::Steady));
        Ok(calm.then_some(()))
    })
}
