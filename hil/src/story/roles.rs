//! Roles that are killed, roles that hang, and a whole system that hangs.

use std::time::{Duration, Instant};

use clinic::check::{Outcome, Wrong, must};
use model::part::Snapshot;
use model::{FaultCode, Usability};

use super::{For, Story};
use crate::machine::ask;
use crate::stage::{BOOT, INSIDE, Stage};

const ROLES: [&str; 5] = ["netd", "reachd", "relayd", "webd", "boardd"];
/// How long a role may take to come back after it was killed.
const BACK: Duration = Duration::from_secs(120);
/// How long a role that hangs may go unnoticed, its restart included.
const NOTICED: Duration = Duration::from_secs(240);
/// How long a system that hangs may go unnoticed.
const FROZEN: Duration = Duration::from_secs(300);
const BREATH: Duration = Duration::from_millis(500);

/// A crashed PID 1 starts the system anew by itself; the machine's watchdog is for what does not even do that.
const FREEZES: &str = "mkdir -p /run/systemd/system.conf.d && \
    printf '[Manager]\\nCrashAction=freeze\\n' >/run/systemd/system.conf.d/zz-hil.conf && systemctl daemon-reload";

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "roles_that_are_killed_come_back_and_nobody_is_accused_meanwhile",
            "A crash must be a gap of seconds, and never a telephone call to the wrong company.",
            &[
                "a clean box in service",
                "kill -9 one role after the other",
                "look at the page all the time until all is well again: nobody is accused on the way",
            ],
            killed,
        )
        .only(For::Development)
        .smoke(),
        Story::new(
            "a_fault_is_still_named_after_the_role_that_judges_it_was_killed",
            "A restart must not turn a broken line green.",
            &[
                "make DNS-01 and wait for it",
                "kill -9 reachd",
                "the page never says usable, and names DNS-01 again",
            ],
            honest,
        )
        .only(For::Development),
        Story::new(
            "roles_that_hang_are_restarted_by_their_watchdog",
            "A role that lives and does nothing is worse than a dead one: nobody sees it.",
            &["stop every role with SIGSTOP", "systemd restarts each of them", "all is well again"],
            hung,
        )
        .only(For::Development),
        Story::new(
            "a_system_that_hangs_is_restarted_by_the_machines_watchdog",
            "Nobody at a reception pulls a plug behind a cupboard.",
            &[
                "freeze PID 1, which would else start the system anew when it crashes",
                "the machine's watchdog resets the board",
                "the box comes back into service by itself",
            ],
            frozen,
        )
        .only(For::Development),
    ]
}

/// Looks at the page until `is` likes it; every picture on the way must be one that `may` likes. A page that does not
/// answer says nothing wrong.
fn watch(
    stage: &Stage,
    what: &str,
    patience: Duration,
    may: impl Fn(&Snapshot) -> Outcome,
    is: impl Fn(&Snapshot) -> bool,
) -> Outcome {
    let end = Instant::now() + patience;
    loop {
        if let Ok(snapshot) = ask(stage.lab.clinic()) {
            may(&snapshot)?;
            if is(&snapshot) {
                return Ok(());
            }
        }
        must(Instant::now() < end, || format!("{what}: not within {patience:?}"))?;
        std::thread::park_timeout(BREATH);
    }
}

fn accused(snapshot: &Snapshot) -> Option<FaultCode> {
    let verdict = &snapshot.line.as_ref()?.part.verdict;
    verdict.alarms().next().map(|fault| fault.code)
}

/// Everybody is there and nothing is wrong.
fn is_well(snapshot: &Snapshot) -> bool {
    let usable = snapshot.line.as_ref().is_some_and(|line| line.part.verdict.usability == Usability::Usable);
    usable && snapshot.relay.is_some() && snapshot.firewall.is_some() && snapshot.board.is_some()
}

fn restarts(stage: &Stage, role: &str) -> Result<u32, Wrong> {
    let said = stage.must(&format!("systemctl show -P NRestarts sekisho-{role}.service"))?;
    said.trim().parse().map_err(|_| Wrong(format!("systemd says of {role}: {}", said.trim())))
}

fn killed(stage: &mut Stage) -> Outcome {
    stage.service()?;
    stage.clean(BACK)?;
    let mut seconds = Vec::new();
    for role in ROLES {
        let before = restarts(stage, role)?;
        let begun = Instant::now();
        stage.must(&format!("systemctl kill --signal=KILL sekisho-{role}.service"))?;
        let calm = |snapshot: &Snapshot| {
            let accused = accused(snapshot);
            must(accused.is_none(), || format!("{accused:?} is accused after {role} was killed"))
        };
        // Back is who was started again; the picture may be the old one for a moment.
        while restarts(stage, role)? == before {
            must(begun.elapsed() < BACK, || format!("{role} does not come back"))?;
            ask(stage.lab.clinic()).map_or(Ok(()), |snapshot| calm(&snapshot))?;
        }
        watch(stage, &format!("all is well after {role} was killed"), BACK, calm, is_well)?;
        seconds.push(format!("{role} {:.1}", begun.elapsed().as_secs_f64()));
    }
    stage.figure("from kill -9 to all well, s", seconds.join(", "));
    Ok(())
}

fn honest(stage: &mut Stage) -> Outcome {
    stage.service()?;
    stage.lab.fault("DNS-01", true)?;
    let outcome = honest_on(stage);
    stage.lab.fault("DNS-01", false)?;
    outcome?;
    stage.clean(BACK).map(drop)
}

fn honest_on(stage: &Stage) -> Outcome {
    let named = |snapshot: &Snapshot| accused(snapshot) == Some(FaultCode::Dns01);
    stage.until("DNS-01 is named", BACK, named)?;
    let before = restarts(stage, "reachd")?;
    stage.must("systemctl kill --signal=KILL sekisho-reachd.service")?;
    let begun = Instant::now();
    while restarts(stage, "reachd")? == before {
        must(begun.elapsed() < BACK, || "reachd does not come back".into())?;
    }
    let never_green = |snapshot: &Snapshot| {
        let verdict = snapshot.line.as_ref().map(|line| &line.part.verdict);
        let green = verdict.is_some_and(|verdict| verdict.usability == Usability::Usable);
        let other = accused(snapshot).filter(|code| *code != FaultCode::Dns01);
        must(!green && other.is_none(), || format!("the page says usable={green}, accused {other:?}"))
    };
    watch(stage, "DNS-01 is named again", BACK, never_green, named)
}

fn hung(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let before = ROLES.map(|role| restarts(stage, role));
    for role in ROLES {
        stage.must(&format!("systemctl kill --signal=STOP sekisho-{role}.service"))?;
    }
    let begun = Instant::now();
    let mut seconds = Vec::new();
    for (role, before) in ROLES.into_iter().zip(before) {
        let before = before?;
        while restarts(stage, role)? == before {
            must(begun.elapsed() < NOTICED, || format!("{role} hangs and is not restarted"))?;
            std::thread::park_timeout(BREATH);
        }
        seconds.push(format!("{role} {:.0}", begun.elapsed().as_secs_f64()));
    }
    stage.figure("from SIGSTOP to the restart, s", seconds.join(", "));
    stage.clean(BACK).map(drop)
}

fn frozen(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let begun = Instant::now();
    let mark = stage.place.with(|board| {
        let mark = board.event_mark();
        board.inside(BOOT)?.must(FREEZES, INSIDE)?;
        // The answer may never come.
        board.inside(BOOT)?.tell("kill -SEGV 1")?;
        board.begin_anew();
        Ok(mark)
    })?;
    stage.lab.leave_share();
    stage.place.with(|board| board.event(mark, "WATCHDOG", FROZEN, |data| data["action"] == "reset"))?;
    stage.figure(
        "from a frozen PID 1 to the machine's reset, s",
        format!("{:.0}", begun.elapsed().as_secs_f64()),
    );
    stage.situation(model::boot::Situation::Site, BOOT)?;
    stage.clean(BACK).map(drop)
}
