use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::boot::BootPart;
use model::decision::Reason;
use model::maintenance::{End, Ended, Giver, MaintenancePart, Open, Session};
use model::notice::Stick;
use model::parcel::{Held, HeldReason, ParcelView};
use model::part::{FirewallPart, LinePart, RelayPart, Stamped};
use model::scene::{Blink, Lamp};
use model::verdict::{Certainty, Fault};
use model::{Party, Timestamp};

use super::*;

/// At the time at which everything is made here.
fn scene(snapshot: &Snapshot) -> Scene {
    super::scene(snapshot, Timestamp::UNIX_EPOCH)
}

fn stamped<T>(part: T) -> Option<Stamped<T>> {
    Some(Stamped { generation: 1, at: Timestamp::UNIX_EPOCH, part })
}

fn fault(code: FaultCode) -> Fault {
    Fault { code, owner: Party::Unknown, certainty: Certainty::Open, evidence: Vec::new(), terminal: None }
}

fn firewall(state: RulesetState) -> Option<Stamped<FirewallPart>> {
    stamped(FirewallPart { state, ..FirewallPart::dropping(None) })
}

fn snapshot(usability: Usability, faults: &[FaultCode]) -> Snapshot {
    let mut verdict = Verdict::unknown(Timestamp::UNIX_EPOCH);
    verdict.usability = usability;
    let mut alarms = faults.iter().copied().filter(|code| code.is_alarm()).map(fault);
    verdict.foremost = alarms.next();
    verdict.others = alarms.collect();
    verdict.recorded = faults.iter().copied().filter(|code| !code.is_alarm()).map(fault).collect();
    Snapshot {
        line: stamped(LinePart::judged(verdict)),
        relay: stamped(RelayPart::default()),
        firewall: firewall(RulesetState::Proved),
        maintenance: stamped(MaintenancePart::default()),
        board: None,
        boot: None,
        past: None,
    }
}

fn broken(code: FaultCode) -> Snapshot {
    let usability = if code.place() == Place::Terminal { Usability::Partly } else { Usability::Unusable };
    snapshot(if code.is_alarm() { usability } else { Usability::Usable }, &[code])
}

fn holding(mut snapshot: Snapshot) -> Snapshot {
    let parcel = ParcelView {
        number: 1,
        kind: "unknown".into(),
        hash: "00000000".into(),
        bytes: 1,
        since: Timestamp::UNIX_EPOCH,
    };
    let held = Held { parcel, reason: HeldReason::BadName };
    snapshot.relay.as_mut().unwrap().part.held.push(held);
    snapshot
}

/// A box without a site: the roles of line and files do not run.
fn booted(situation: Situation, notices: &[Notice]) -> Snapshot {
    let boot = BootPart {
        version: "0.1.0".into(),
        board: "virtual".into(),
        serial: String::new(),
        situation,
        notices: notices.to_vec(),
        setup: None,
    };
    let maintenance = stamped(MaintenancePart::default());
    let firewall = firewall(RulesetState::Proved);
    Snapshot { firewall, maintenance, boot: Some(boot), ..Snapshot::default() }
}

/// The situations a person in front of the box has to tell apart.
fn situations() -> Vec<(&'static str, Snapshot)> {
    let clean = snapshot(Usability::Usable, &[]);
    let with = |change: fn(&mut Snapshot)| {
        let mut snapshot = snapshot(Usability::Usable, &[]);
        change(&mut snapshot);
        snapshot
    };
    vec![
        ("clean", clean.clone()),
        ("checking", snapshot(Usability::Unknown, &[])),
        ("cable out", broken(FaultCode::Wan01)),
        ("line dead", broken(FaultCode::Wan02)),
        ("centre dead", broken(FaultCode::Ctr02)),
        ("terminal dead", broken(FaultCode::Term01)),
        ("files held", holding(clean)),
        ("firewall drops all", with(|snapshot| snapshot.firewall = firewall(RulesetState::DropAll))),
        ("line part absent", with(|snapshot| snapshot.line = None)),
        ("relay part absent", with(|snapshot| snapshot.relay = None)),
        ("carton", booted(Situation::Carton, &[])),
        ("carton, stick", booted(Situation::Carton, &[Notice::StickRefused { why: Stick::NoSiteFile }])),
        ("closed", booted(Situation::Closed, &[Notice::DataFull])),
    ]
}

fn without_colour(scene: &Scene) -> Vec<(Lamp, Blink)> {
    scene.0.iter().map(|light| (light.lamp, light.blink)).collect()
}

#[test]
fn every_situation_differs_by_lamp_and_blink_alone() {
    let mut seen = BTreeMap::new();
    for (name, snapshot) in situations() {
        if let Some(twin) = seen.insert(without_colour(&scene(&snapshot)), name) {
            panic!("{name} looks like {twin}");
        }
    }
}

#[test]
fn every_light_of_every_situation_has_its_meaning_on_the_card() {
    for (name, snapshot) in situations() {
        let scene = scene(&snapshot);
        assert_eq!(scene.0.iter().map(|light| light.lamp).collect::<Vec<_>>(), Lamp::ALL, "{name}");
        assert!(scene.0.iter().all(|light| Sign::of(light.lamp, light.blink).is_some()), "{name}");
    }
}

/// Any line fault together with any terminal fault, any box state and held files: each lamp still tells its own.
#[test]
fn independent_faults_are_read_from_their_own_lamps() {
    let lines = [FaultCode::Wan01, FaultCode::Wan03, FaultCode::Dns01, FaultCode::Auth01, FaultCode::Ctr03];
    let terminals = [FaultCode::Term01, FaultCode::Term02, FaultCode::Term03];
    for (first, second) in lines.into_iter().flat_map(|line| terminals.map(|terminal| (line, terminal))) {
        for state in [RulesetState::Proved, RulesetState::DropAll, RulesetState::Drifted] {
            let mut snapshot = holding(snapshot(Usability::Unusable, &[first, second]));
            snapshot.firewall = firewall(state);
            let blink = |lamp| scene(&snapshot).light(lamp).unwrap().blink;
            let alone = scene(&broken(first)).light(Lamp::Line).unwrap().blink;
            assert_eq!(blink(Lamp::Line), alone);
            assert_eq!(blink(Lamp::Relay), Blink::Fast);
            assert_eq!(blink(Lamp::Status) == Blink::Steady, state == RulesetState::Proved);
            assert_eq!(blink(Lamp::Alarm), Blink::Fast);
        }
    }
}

/// With a session that began at the epoch and is over in so many seconds, and its tunnel if it is open.
fn maintained(until_s: i64, tunnel: Option<Tunnel>) -> Snapshot {
    let at = |second| Timestamp::from_second(second).unwrap();
    let ended = Ended { at: at(until_s), why: End::Time, reached: None, trouble: None, used: Vec::new() };
    let session = Session {
        number: 1,
        maintainer: "sato".into(),
        reason: Reason::new("定期点検").unwrap(),
        by: Giver::Button,
        at: at(0),
        until: at(until_s),
        further: Vec::new(),
        ended: tunnel.is_none().then_some(ended),
        reviewed: None,
    };
    let open = tunnel.map(|tunnel| Open { session: 1, tunnel });
    let part = MaintenancePart { planned: true, open, sessions: vec![session], ..MaintenancePart::default() };
    Snapshot { maintenance: stamped(part), ..snapshot(Usability::Usable, &[]) }
}

#[test]
fn maintenance_is_told_by_its_lamp_and_a_review_that_is_late_by_the_alarm() {
    let sign =
        |snapshot: &Snapshot, lamp| Sign::of(lamp, scene(snapshot).light(lamp).unwrap().blink).unwrap();
    let down = Some(Tunnel::Down { since: Timestamp::UNIX_EPOCH });
    for (snapshot, wanted) in [
        (snapshot(Usability::Usable, &[]), Sign::NoMaintainer),
        (maintained(3600, down), Sign::MaintainerAwaited),
        (maintained(3600, Some(Tunnel::Up)), Sign::MaintainerIn),
        (maintained(300, Some(Tunnel::Up)), Sign::MaintainerLeaves),
        (maintained(0, None), Sign::NoMaintainer),
        (Snapshot { maintenance: None, ..maintained(0, None) }, Sign::MaintainerUnknown),
    ] {
        assert_eq!(sign(&snapshot, Lamp::Maint), wanted);
        assert_eq!(sign(&snapshot, Lamp::Alarm), Sign::Calm, "{wanted:?}");
    }
    let late = maintained(-3 * 86_400 - 1, None);
    assert_eq!((sign(&late, Lamp::Maint), sign(&late, Lamp::Alarm)), (Sign::NoMaintainer, Sign::Look));
    assert_eq!(sign(&maintained(-3 * 86_400, None), Lamp::Alarm), Sign::Calm);
}

#[test]
fn what_staff_cannot_feel_changes_no_lamp() {
    assert_eq!(scene(&broken(FaultCode::Dns02)), scene(&snapshot(Usability::Usable, &[])));
}

#[test]
fn the_table_of_scenes_is_the_known_one() {
    let faults = FaultCode::ALL.map(|code| (code.key(), broken(code)));
    let mut table = String::new();
    for (name, snapshot) in situations().into_iter().chain(faults) {
        write!(table, "{name:20}").unwrap();
        for light in &scene(&snapshot).0 {
            let shown = format!("{} {:?} {:?}", light.lamp.label(), light.blink, light.colour);
            write!(table, "{shown:22}").unwrap();
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_judged_fault_of_the_box_is_shown_as_the_box_s_and_a_warning_is_for_later() {
    for (code, usability, act) in
        [(FaultCode::Box05, Usability::Partly, Sign::Act), (FaultCode::Box03, Usability::Usable, Sign::Look)]
    {
        let shown = scene(&snapshot(usability, &[code]));
        let sign = |lamp| Sign::of(lamp, shown.light(lamp).unwrap().blink);
        assert_eq!(sign(Lamp::Status), Some(Sign::BoxFault), "{code:?}");
        assert_eq!(sign(Lamp::Line), Some(Sign::LineWell), "{code:?}");
        assert_eq!(sign(Lamp::Relay), Some(Sign::RelayWell), "{code:?}");
        assert_eq!(sign(Lamp::Alarm), Some(act), "{code:?}");
    }
    let mut tampered = snapshot(Usability::Usable, &[FaultCode::Box02]);
    tampered.firewall = firewall(RulesetState::Drifted);
    let shown = scene(&tampered);
    assert_eq!(Sign::of(Lamp::Alarm, shown.light(Lamp::Alarm).unwrap().blink), Some(Sign::Act));
}

#[test]
fn a_date_of_the_terminal_is_for_later_and_takes_nothing_away() {
    let shown = scene(&snapshot(Usability::Usable, &[FaultCode::Cal01]));
    let sign = |lamp| Sign::of(lamp, shown.light(lamp).unwrap().blink);
    assert_eq!(sign(Lamp::Relay), Some(Sign::RelayWell));
    assert_eq!(sign(Lamp::Status), Some(Sign::BoxWell));
    assert_eq!(sign(Lamp::Alarm), Some(Sign::Look));
    let with_more = scene(&snapshot(Usability::Partly, &[FaultCode::Term02, FaultCode::Cal01]));
    assert_eq!(with_more, scene(&snapshot(Usability::Partly, &[FaultCode::Term02])));
}
