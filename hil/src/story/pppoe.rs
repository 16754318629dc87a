//! A line by PPPoE on a board: pppd of the image with the kernel's PPP, which no machine that plays the stories has, and a
//! real concentrator in a machine of its own.

use std::time::{Duration, Instant};

use clinic::check::lines::ipsec::{comes, goes, reaches};
use clinic::check::{Outcome, Wrong, must};
use clinic::{Layout, Line, Wiring};

use super::{For, Story};
use crate::concentrator::{CONTRACT, Concentrator};
use crate::stage::{BOOT, Scene, Stage};

/// How long what is gone may take to be noticed: three echoes of five seconds, the hold-off of ten, two questions of six
/// together, and a look; under emulation.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a connection that is refused is tried.
const REFUSED: Duration = Duration::from_millis(300);

/// The stories; the board is put into a clinic with such a line.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_line_by_pppoe_carries_the_terminal",
            "In parts of the country claims and qualification go by a PPPoE session over IPv4, and by nothing else.",
            &[
                "a concentrator (pppoe-server) at the end of the line, and a box in service there: all is well",
                "the terminal reaches a listed port of the centre by it, and no other",
                "the session has the contract's MTU, brought no resolver, and its secret is in no log",
            ],
            carries,
        )
        .only(For::Development),
        Story::new(
            "a_concentrator_that_is_gone_is_the_lines_and_the_session_comes_back_by_itself",
            "PPP-01: whom to call, and nobody has to touch the box afterwards.",
            &[
                "a box in service on a line by PPPoE; the concentrator dies without a goodbye",
                "the box says PPP-01, the line's; the terminal reaches nothing",
                "the concentrator is back: all is well, and the terminal reaches the centre",
            ],
            |stage| trouble(stage, "PPP-01", &["line"], Concentrator::stop),
        ),
        Story::new(
            "a_refused_password_is_the_contracts",
            "PPP-02: restarting the ONU all day does not help against a wrong password.",
            &[
                "a box in service on a line by PPPoE; the concentrator is started anew with another password",
                "the box says PPP-02, the clinic's",
                "it has the contract's password again: all is well",
            ],
            |stage| {
                trouble(stage, "PPP-02", &["clinic"], |concentrator| {
                    concentrator.stop()?;
                    concentrator.serve(false)
                })
            },
        ),
        Story::new(
            "a_concentrator_that_has_no_room_for_anybody_is_no_contract_s_fault",
            "It says an error of its own (AC-System-Error): whose session fills it is not said, so nobody is accused of one.",
            &[
                "a box in service on a line by PPPoE; the concentrator is started anew",
                "another device takes the one session there is",
                "the box says that an offered session was not given, and names nobody",
                "the device is gone: all is well",
            ],
            full,
        ),
    ]
}

/// A box in service on such a line is on the bench.
fn service(stage: &mut Stage) -> Outcome {
    let layout = Layout::of(Line::Ipsec, Wiring::New)?;
    let came = stage.service_in(&Scene { layout, more: String::new(), contract: Some(CONTRACT) });
    came.map_err(|wrong| stage.with_logs(&wrong, &["sekisho-pppoe", "pppd", "sekisho-reachd"]))
}

fn concentrator(stage: &mut Stage) -> Result<&mut Concentrator, Wrong> {
    stage.concentrator.as_mut().ok_or_else(|| Wrong::new("no concentrator is on the line"))
}

fn carries(stage: &mut Stage) -> Outcome {
    let begun = Instant::now();
    service(stage)?;
    stage.figure("from the carton into service by PPPoE, s", seconds(begun));
    reaches(&mut stage.lab)?;
    let link = stage.must("ip link show dev ppp-line")?;
    must(link.contains("mtu 1454"), || format!("the session is {link}"))?;
    let names = stage.must("cat /run/sekisho/resolv.conf /etc/resolv.conf")?;
    must(!names.contains("203.0.113.193"), || format!("the line's own resolvers: {names}"))?;
    let password = CONTRACT.lines().nth(1).unwrap_or_default();
    let order = format!(
        "! journalctl -b --no-pager | grep -qF '{password}' && ! grep -rqsF '{password}' /proc/[0-9]*/cmdline"
    );
    stage.must(&order)?;
    let mode = stage.must("stat -c '%U %a' /run/sekisho/ppp/chap-secrets /run/sekisho/ppp/peers/line")?;
    must(mode.lines().all(|line| line == "root 600"), || mode.clone())?;
    let said = stage.must("systemd-analyze security --no-pager sekisho-pppoe.service | tail -1")?;
    stage.figure("systemd-analyze security of pppd", said.trim());
    Ok(())
}

/// The concentrator's house is full: the box sees it, and accuses nobody.
fn full(stage: &mut Stage) -> Outcome {
    service(stage)?;
    comes(&stage.lab)?;
    let line = concentrator(stage)?;
    line.stop()?;
    line.serve(true)?;
    line.call_from_another_device()?;
    let said = stage.until("an offered session was not given", PATIENCE, |snapshot| {
        let seen = snapshot.line.iter().flat_map(|line| &line.part.ladder);
        seen.into_iter().any(|seen| {
            seen.rung == model::Rung::Session && seen.outcome == model::Outcome::Bad(model::Symptom::Silent)
        })
    });
    let said = said.map_err(|wrong| stage.with_logs(&wrong, &["sekisho-pppoe"]));
    let line = concentrator(stage)?;
    line.stop()?;
    line.serve(true)?;
    let verdict = said?.line.map(|line| line.part.verdict);
    let named = verdict.and_then(|verdict| verdict.foremost);
    must(named.is_none(), || format!("somebody is accused: {named:?}"))?;
    stage.clean(BOOT)?;
    comes(&stage.lab)
}

/// The line has a fault, the box says so, and afterwards all is well.
fn trouble(
    stage: &mut Stage,
    code: &'static str,
    owners: &[&str],
    make: impl Fn(&mut Concentrator) -> Outcome,
) -> Outcome {
    service(stage)?;
    comes(&stage.lab)?;
    make(concentrator(stage)?)?;
    let begun = Instant::now();
    let said = stage.until(&format!("the box says {code}"), PATIENCE, |snapshot| {
        let verdict = snapshot.line.as_ref().map(|line| &line.part.verdict);
        verdict.and_then(|verdict| verdict.foremost.as_ref()).is_some_and(|fault| fault.code.key() == code)
    });
    let said = said.map_err(|wrong| stage.with_logs(&wrong, &["sekisho-pppoe"]));
    let reached = goes(&stage.lab, REFUSED);
    if said.is_ok() {
        stage.figure(&format!("from the fault until {code}, s"), seconds(begun));
    }
    let line = concentrator(stage)?;
    line.stop()?;
    line.serve(true)?;
    let back = Instant::now();
    let owner = said?.line.and_then(|line| line.part.verdict.foremost).map(|fault| fault.owner.key());
    must(owner.is_some_and(|owner| owners.contains(&owner)), || format!("{code} is given to {owner:?}"))?;
    must(!reached?, || "the terminal reaches the centre without a session".into())?;
    stage.clean(BOOT)?;
    stage.figure(&format!("from the end of {code} until all is well, s"), seconds(back));
    comes(&stage.lab)
}

fn seconds(since: Instant) -> String {
    format!("{:.1}", since.elapsed().as_secs_f64())
}
