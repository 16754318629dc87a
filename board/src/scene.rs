//! What the lamps show, from what the roles published. An absent part is never shown as well.

use model::boot::Situation;
use model::fault::Place;
use model::maintenance::Tunnel;
use model::part::{RulesetState, Snapshot};
use model::scene::{Scene, Sign};
use model::{FaultCode, Notice, Timestamp, Usability, Verdict};

/// The scene of a snapshot at a time: one sign for each lamp, in printed order.
pub fn scene(snapshot: &Snapshot, now: Timestamp) -> Scene {
    let verdict = snapshot.line.as_ref().map(|line| &line.part.verdict);
    let signs = [
        Sign::PowerOn,
        status(snapshot),
        line(verdict),
        relay(snapshot, verdict),
        maintenance(snapshot, now),
        alarm(snapshot, verdict, now),
    ];
    Scene(signs.map(Sign::light).to_vec())
}

/// The box itself is well while it stands and nothing that is judged is its own.
fn status(snapshot: &Snapshot) -> Sign {
    let own = |fault: &model::Fault| fault.code.place() == Place::Box;
    match stands(snapshot) {
        Sign::BoxWell if snapshot.line.as_ref().is_some_and(|line| line.part.verdict.alarms().any(own)) => {
            Sign::BoxFault
        }
        sign => sign,
    }
}

/// It stands while the proved ruleset does and every role speaks. Before a site is in force the line's and the relay's
/// roles do not run, and are not missed.
fn stands(snapshot: &Snapshot) -> Sign {
    let proved = snapshot.firewall.as_ref().is_some_and(|wall| wall.part.state == RulesetState::Proved);
    match situation(snapshot) {
        Situation::Closed => Sign::Closed,
        Situation::Carton if proved => Sign::Carton,
        Situation::Site if proved && snapshot.line.is_some() && snapshot.relay.is_some() => Sign::BoxWell,
        _ => Sign::BoxFault,
    }
}

/// Where nothing boots, in development, a site is in force.
fn situation(snapshot: &Snapshot) -> Situation {
    snapshot.boot.as_ref().map_or(Situation::Site, |boot| boot.situation)
}

fn refused_a_stick(snapshot: &Snapshot) -> bool {
    snapshot.boot.as_ref().is_some_and(|boot| boot.notices.iter().any(Notice::is_of_a_stick))
}

fn line(verdict: Option<&Verdict>) -> Sign {
    let Some(verdict) = verdict else { return Sign::LineOpen };
    match verdict.alarms().find_map(|fault| on_line(fault.code)) {
        Some(sign) => sign,
        None if verdict.usability == Usability::Unknown => Sign::LineOpen,
        None => Sign::LineWell,
    }
}

/// What a fault says on LINE; none where it is the terminal's or felt by nobody.
const fn on_line(code: FaultCode) -> Option<Sign> {
    if !code.is_alarm() {
        return None;
    }
    match (code, code.place()) {
        (FaultCode::Wan01, _) => Some(Sign::CableOut),
        (_, Place::Line | Place::Auth) => Some(Sign::LineDead),
        (_, Place::Centre) => Some(Sign::CentreDead),
        (_, Place::Terminal | Place::Box | Place::ReceiptComputer | Place::Internet) => None,
    }
}

fn relay(snapshot: &Snapshot, verdict: Option<&Verdict>) -> Sign {
    let terminal_dead = verdict.is_some_and(|verdict| {
        verdict.alarms().any(|fault| fault.code.place() == Place::Terminal && !fault.code.is_warning())
    });
    let open =
        verdict.is_none_or(|verdict| verdict.usability == Usability::Unknown) || snapshot.relay.is_none();
    match () {
        () if terminal_dead => Sign::TerminalDead,
        () if holds(snapshot) => Sign::Held,
        () if open => Sign::RelayOpen,
        () => Sign::RelayWell,
    }
}

/// Steady while somebody is in, fast when it is about to end.
fn maintenance(snapshot: &Snapshot, now: Timestamp) -> Sign {
    let Some(part) = &snapshot.maintenance else { return Sign::MaintainerUnknown };
    match part.part.open() {
        None => Sign::NoMaintainer,
        Some((session, _)) if session.until.as_second() - now.as_second() <= Sign::ENDING_S => {
            Sign::MaintainerLeaves
        }
        Some((_, Tunnel::Up)) => Sign::MaintainerIn,
        Some((_, Tunnel::Down { .. })) => Sign::MaintainerAwaited,
    }
}

/// A session that nobody has reviewed for too long waits for a person, as what is held does.
fn awaits_review(snapshot: &Snapshot, now: Timestamp) -> bool {
    snapshot.maintenance.as_ref().is_some_and(|part| part.part.is_overdue(now))
}

fn holds(snapshot: &Snapshot) -> bool {
    snapshot.relay.as_ref().is_some_and(|relay| !relay.part.held.is_empty())
}

fn alarm(snapshot: &Snapshot, verdict: Option<&Verdict>, now: Timestamp) -> Sign {
    let judged = |is_warning| {
        verdict.is_some_and(|verdict| verdict.alarms().any(|fault| fault.code.is_warning() == is_warning))
    };
    match () {
        () if judged(false) || matches!(stands(snapshot), Sign::BoxFault | Sign::Closed) => Sign::Act,
        () if refused_a_stick(snapshot) => Sign::StickRefused,
        () if holds(snapshot) || awaits_review(snapshot, now) || judged(true) => Sign::Look,
        () => Sign::Calm,
    }
}

#[cfg(test)]
mod tests;
