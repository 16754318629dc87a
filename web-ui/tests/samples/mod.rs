//! Made-up snapshots of one clinic at 09:05 on a November morning, for goldens and the gallery.

use std::sync::Arc;

use model::boot::{BootPart, Setup, Situation};
use model::decision::{Actor, Reason};
use model::drops::{self, Drops, Refusal};
use model::maintenance::{
    End, Ended, Further, Giver, MaintenancePart, Open, Reached, Reviewed, Session, Tunnel, Used,
};
use model::parcel::{
    Held, HeldReason, Outcomes, Pair, ParcelView, Unanswered, Uncollected, WaitReason, Waiting,
};
use model::part::{BoardPart, FirewallPart, LinePart, RelayPart, RulesetState, Snapshot, Stamped};
use model::part::{Promise, Proof};
use model::past::{self, Hop, Look, Past, Story, Strip};
use model::policy::{Answer, Does, Explanation, Line, Matrix, Mistake, Policy, Said, Stop};
use model::ruleset::{Drift, Repair};
use model::scene::{Scene, Sign};
use model::tunnel::Trouble;
use model::verdict::{Certainty, Fault};
use model::{
    FaultCode, Notice, Observation, Outcome, Party, Profile, Rung, Site, Symptom, Timestamp, Usability,
    Verdict, Zone,
};

const PROFILE: &str = include_str!("../../../firmware/model/tests/data/profile.toml");
const SITE: &str = include_str!("../../../firmware/model/tests/data/site.toml");
const CONTACTS: &str = r#"
[[contact]]
party = "centre"
name = "接続サポート窓口"
phone = "0120-000-111"

[[contact]]
party = "terminal"
name = "端末保守センター"
phone = "0120-000-222"

[[contact]]
party = "receipt-computer"
name = "レセコン保守"
phone = "0120-000-333"

[[contact]]
party = "box"
name = "設置会社"
phone = "03-0000-0000"
"#;

/// The clinic.
pub fn site() -> Arc<Site> {
    let profile = Profile::parse("profile.toml", PROFILE);
    Arc::new(
        Site::parse("site.toml", &format!("{SITE}{CONTACTS}"), profile)
            .expect("invariant: the sample site is right"),
    )
}

/// The time on the wall: 18:20 in Japan, when a day has been seen.
pub fn now() -> Timestamp {
    "2026-11-24T09:20:00Z".parse().expect("invariant: a time")
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).expect("invariant: this century")
}

fn stamped<T>(part: T) -> Option<Stamped<T>> {
    Some(Stamped { generation: 7, at: ago(5), part })
}

/// Everything is well.
pub fn clean() -> Snapshot {
    let mut verdict = Verdict::unknown(ago(3 * 86400 + 7000));
    verdict.usability = Usability::Usable;
    let ladder = Rung::ALL.map(|rung| seen(rung, Outcome::Good)).to_vec();
    let mut relay =
        RelayPart { pairs: pairs(), requests_today: 63, answers_today: 63, ..RelayPart::default() };
    relay
        .shares
        .push(Observation { terminal: Some("t1".into()), ..seen(Rung::TerminalShare, Outcome::Good) });
    relay.waiting.push(Waiting { parcel: parcel(412, 4), reason: WaitReason::AwaitingAnswer });
    relay.waiting_count = 1;
    Snapshot {
        line: stamped(LinePart {
            ladder,
            sweep_ms: 84.0,
            swept_at: Some(ago(5)),
            ..LinePart::judged(verdict)
        }),
        relay: stamped(relay),
        firewall: stamped(FirewallPart {
            state: RulesetState::Proved,
            promises: Vec::new(),
            proved_at: Some(ago(30)),
            ..FirewallPart::dropping(None)
        }),
        maintenance: stamped(MaintenancePart { planned: true, pin_set: true, ..MaintenancePart::default() }),
        board: board([Sign::BoxWell, Sign::LineWell, Sign::RelayWell, Sign::Calm]),
        boot: None,
        past: None,
    }
}

/// A session that began so many seconds ago.
fn session(number: u64, began_s: i64, reason: &str, by: Giver) -> Session {
    Session {
        number,
        maintainer: "sato".into(),
        reason: Reason::new(reason).expect("invariant: a reason"),
        by,
        at: ago(began_s),
        until: ago(began_s - 3600),
        further: Vec::new(),
        ended: None,
        reviewed: None,
    }
}

/// A session that ended so many seconds ago, with what was reached.
fn ended(session: Session, ended_s: i64, why: End) -> Session {
    let reached = Reached { bytes_in: 48_211, bytes_out: 903_144, management: 12, further: 0 };
    let used = vec![Used { verb: "/explain".into(), times: 2 }];
    let trouble = (why == End::NoTunnel).then_some(Trouble::Silent);
    Session { ended: Some(Ended { at: ago(ended_s), why, reached: Some(reached), trouble, used }), ..session }
}

fn root() -> Actor {
    Actor { name: "root".into(), uid: 0 }
}

/// Mornings of maintenance: closed, open with and without its tunnel, a late review, none at all.
pub fn maintenance() -> Vec<(&'static str, Snapshot)> {
    let pin = || Giver::Pin { user: root() };
    let day = 86_400;
    let reviewed = Session {
        reviewed: Some(Reviewed { at: ago(9 * day), user: root() }),
        ..ended(session(3, 10 * day, "ひかり回線の切替", pin()), 10 * day - 1500, End::Closed)
    };
    let late = ended(session(9, 5 * day, "定期点検", Giver::Button), 5 * day - 3600, End::Time);
    let new = ended(session(14, 7200, "更新の確認", pin()), 3900, End::NoTunnel);
    let mut open = session(21, 1130, "資格確認が遅い件の調査", pin());
    open.further.push(Further { host: [198, 51, 100, 20].into(), port: 5432 });
    let part = |open: Option<Tunnel>, sessions: Vec<Session>, trouble| {
        let open = open.map(|tunnel| Open { session: 21, tunnel });
        let part = MaintenancePart { planned: true, open, sessions, pin_set: true, trouble };
        Snapshot { maintenance: stamped(part), ..clean() }
    };
    let down = Tunnel::Down { since: ago(60) };
    vec![
        ("closed", part(None, vec![new.clone(), reviewed.clone()], None)),
        ("open", part(Some(Tunnel::Up), vec![open.clone(), new, reviewed.clone()], None)),
        ("not-reached", part(Some(down), vec![open], Some(Trouble::Silent))),
        ("late", part(None, vec![late, reviewed], None)),
        ("none", Snapshot { maintenance: stamped(MaintenancePart::default()), ..clean() }),
        ("silent", Snapshot { maintenance: None, ..clean() }),
    ]
}

/// A fault: `broken` is the rung that tells it, and what stands on it is skipped.
fn faulty(fault: Fault, usability: Usability, broken: Rung, symptom: Symptom, signs: [Sign; 4]) -> Snapshot {
    let mut snapshot = clean();
    let line = &mut snapshot.line.as_mut().expect("invariant: a clean sample has all parts").part;
    line.verdict = Verdict::unknown(ago(12 * 60));
    line.verdict.usability = usability;
    line.verdict.foremost = Some(fault);
    let mut down = vec![broken];
    for rung in Rung::ALL {
        let on = rung.stands_on();
        if !on.is_empty() && on.iter().all(|rung| down.contains(rung)) {
            down.push(rung);
        }
    }
    for one in &mut line.ladder {
        match one.rung {
            rung if rung == broken => one.outcome = Outcome::Bad(symptom),
            rung if down.contains(&rung) => one.outcome = Outcome::Skipped,
            _ => {}
        }
    }
    snapshot.board = board(signs);
    snapshot
}

/// The cable is out.
pub fn wan_01() -> Snapshot {
    let fault = fault(FaultCode::Wan01, Party::Clinic, Certainty::Likely, Rung::Link);
    let signs = [Sign::BoxWell, Sign::CableOut, Sign::RelayWell, Sign::Act];
    faulty(fault, Usability::Unusable, Rung::Link, Symptom::NoCarrier, signs)
}

/// The centre is silent.
pub fn ctr_02() -> Snapshot {
    let fault = fault(FaultCode::Ctr02, Party::Centre, Certainty::Sure, Rung::CentreTcp);
    let signs = [Sign::BoxWell, Sign::CentreDead, Sign::RelayWell, Sign::Act];
    faulty(fault, Usability::Unusable, Rung::CentreTcp, Symptom::Silent, signs)
}

/// The terminal is off.
pub fn term_01() -> Snapshot {
    let fault = fault(FaultCode::Term01, Party::Terminal, Certainty::Sure, Rung::TerminalNeighbour);
    let signs = [Sign::BoxWell, Sign::LineWell, Sign::TerminalDead, Sign::Act];
    let mut snapshot = faulty(fault, Usability::Partly, Rung::TerminalNeighbour, Symptom::Silent, signs);
    let waiting = (0..11)
        .map(|n| Waiting { parcel: parcel(413 + n, 60 * n.cast_signed()), reason: WaitReason::TerminalAway });
    let relay = &mut snapshot.relay.as_mut().expect("invariant: a clean sample has all parts").part;
    relay.waiting = waiting.collect();
    relay.waiting_count = 11;
    relay.shares[0].outcome = Outcome::Bad(Symptom::Silent);
    snapshot
}

/// Line and terminal are broken at once.
pub fn two_faults() -> Snapshot {
    let mut snapshot = wan_01();
    let line = &mut snapshot.line.as_mut().expect("invariant: a clean sample has all parts").part;
    line.verdict.others = vec![fault(FaultCode::Term02, Party::Terminal, Certainty::Sure, Rung::TerminalSmb)];
    snapshot.board = board([Sign::BoxWell, Sign::CableOut, Sign::TerminalDead, Sign::Act]);
    snapshot
}

/// The centre is silent, as it was yesterday; 60 hours are remembered.
pub fn remembered() -> Snapshot {
    let mut snapshot = ctr_02();
    let ladder = &snapshot.line.as_ref().expect("invariant: a clean sample has all parts").part.ladder;
    let look =
        |second, is: &str, detail: &str| Look { at: ago(second), is: is.into(), detail: detail.into() };
    let strip = |seen: &Observation| {
        let broken = if seen.rung == Rung::CentreTcp { 2 } else { 1 };
        Strip {
            rung: past::key(&seen.rung),
            terminal: seen.terminal.clone(),
            last_good: Some(look(730, "good", "")),
            first_bad: match seen.rung {
                Rung::CentreTcp => Some(look(720, "silent", "no answer")),
                Rung::Link => Some(look(61_000, "no-carrier", "no carrier on wan0")),
                _ => None,
            },
            runs: vec![(70, 0), (260, 1), (1, broken), (100, 1), (1, broken)],
        }
    };
    let story = |number, start, end: Option<i64>, count| Story {
        number,
        code: FaultCode::Ctr02.key().into(),
        terminal: None,
        owner: Party::Centre.key().into(),
        certainty: past::key(&Certainty::Likely),
        start: ago(start),
        end: end.map(ago),
        seen: ago(end.unwrap_or(5)),
        again: ago(start),
        count,
        end_unseen: end.is_some(),
        evidence: vec![Hop {
            rung: past::key(&Rung::CentreTcp),
            last_good: Some(look(start + 10, "good", "")),
            first_bad: Some(look(start, "silent", "no answer")),
        }],
    };
    snapshot.past = Some(Arc::new(Past {
        to: Some(now()),
        cell_s: 600,
        words: ["unknown", "good", "silent"].map(str::to_owned).into(),
        strips: ladder.iter().map(strip).collect(),
        stories: vec![story(2, 720, None, 1), story(1, 61_000, Some(60_500), 17)],
    }));
    snapshot
}

/// Files are held.
pub fn held() -> Snapshot {
    let mut snapshot = clean();
    let reasons = [(398, 9000, HeldReason::UnknownKind), (405, 4500, HeldReason::Uncertain)];
    let held = reasons.map(|(number, age, reason)| Held { parcel: parcel(number, age), reason });
    let relay = &mut snapshot.relay.as_mut().expect("invariant: a clean sample has all parts").part;
    relay.held = held.into();
    relay.held_count = 2;
    snapshot.board = board([Sign::BoxWell, Sign::LineWell, Sign::Held, Sign::Look]);
    snapshot
}

/// A hundred thousand wait, something is held for every reason, and the other sides are late.
pub fn backlog() -> Snapshot {
    let mut snapshot = held();
    let relay = &mut snapshot.relay.as_mut().expect("invariant: a clean sample has all parts").part;
    let waiting = (0..RelayPart::LISTED as u64)
        .map(|n| Waiting { parcel: parcel(500 + n, 7200 - n.cast_signed()), reason: WaitReason::InTurn });
    relay.waiting = waiting.collect();
    relay.waiting_count = 100_000;
    let held = (0..).zip(HeldReason::ALL).map(|(n, reason)| {
        let mut parcel = parcel(390 + n, 90_000 - 9000 * n.cast_signed());
        if matches!(reason, HeldReason::UnknownKind | HeldReason::BadName) {
            parcel.kind = "unknown".into();
        }
        Held { parcel, reason }
    });
    relay.held = held.collect();
    relay.held_count = HeldReason::ALL.len() as u64;
    relay.unanswered.push(Unanswered {
        terminal: "t1".into(),
        kind: "OQSsiquc01req".into(),
        count: 3,
        since: ago(130),
        patience_s: 60,
        untaken: Some(3),
        answered_at: Some(ago(300)),
        since_answer: Some(ago(130)),
    });
    relay.uncollected.push(Uncollected {
        consumer: "receipt".into(),
        count: 12,
        since: ago(2400),
        nearing: 0,
    });
    relay.outcomes =
        Some(Outcomes { normal: 55, pending: 4, failed: 2, refused: 1, unread: 1, ..Outcomes::default() });
    snapshot
}

/// Every part is old.
pub fn stale() -> Snapshot {
    let mut snapshot = clean();
    snapshot.line.as_mut().expect("invariant: a clean sample has all parts").at = ago(131);
    snapshot.relay.as_mut().expect("invariant: a clean sample has all parts").at = ago(61);
    snapshot.firewall.as_mut().expect("invariant: a clean sample has all parts").at = ago(61);
    snapshot.board.as_mut().expect("invariant: a clean sample has all parts").at = ago(61);
    snapshot
}

/// The first seconds: the firewall still drops everything and nothing is known.
pub fn starting() -> Snapshot {
    let mut snapshot = clean();
    let line = &mut snapshot.line.as_mut().expect("invariant: a clean sample has all parts").part;
    line.verdict = Verdict::unknown(ago(5));
    line.ladder.iter_mut().for_each(|one| one.outcome = Outcome::Open);
    snapshot.relay = stamped(RelayPart::default());
    snapshot.firewall.as_mut().expect("invariant: a clean sample has all parts").part.state =
        RulesetState::DropAll;
    snapshot.board = board([Sign::BoxFault, Sign::LineOpen, Sign::RelayOpen, Sign::Act]);
    snapshot
}

/// No role has spoken.
pub fn absent() -> Snapshot {
    Snapshot::default()
}

/// Every sample with its name.
pub fn all() -> Vec<(&'static str, Snapshot)> {
    vec![
        ("clean", clean()),
        ("wan-01", wan_01()),
        ("ctr-02", ctr_02()),
        ("term-01", term_01()),
        ("two-faults", two_faults()),
        ("held", held()),
        ("backlog", backlog()),
        ("stale", stale()),
        ("starting", starting()),
        ("absent", absent()),
    ]
}

fn seen(rung: Rung, outcome: Outcome) -> Observation {
    Observation { rung, terminal: None, outcome, at: ago(5), took_ms: 3.0, detail: String::new() }
}

fn fault(code: FaultCode, owner: Party, certainty: Certainty, rung: Rung) -> Fault {
    Fault { code, owner, certainty, evidence: vec![rung], terminal: None }
}

fn parcel(number: u64, age_s: i64) -> ParcelView {
    let hash = format!("{:08x}", number * 2_654_435_761 % (1 << 32));
    ParcelView { number, kind: "OQSsiquc01req".into(), hash, bytes: 1800, since: ago(age_s) }
}

fn board([status, line, relay, alarm]: [Sign; 4]) -> Option<Stamped<BoardPart>> {
    let signs = [Sign::PowerOn, status, line, relay, Sign::NoMaintainer, alarm];
    stamped(BoardPart { board: "simulated".into(), scene: Scene(signs.map(Sign::light).to_vec()) })
}

/// A day from nine to one and from three to six; a pair takes a second or two, now and then longer.
fn pairs() -> Vec<Pair> {
    let of_minute = |n: i64| n * 7 + (n * n * 13) % 5;
    let minutes = (0..63).map(of_minute).map(|minute| if minute < 240 { minute } else { minute + 110 });
    minutes
        .enumerate()
        .map(|(n, minute)| {
            let wobble = (n * 37 + n * n * 11) % 100;
            let slow = if n % 17 == 5 { 2400.0 } else { 0.0 };
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let took_ms = 900.0 + 14.0 * wobble as f64 + slow;
            Pair { at: ago(9 * 3600 + 1200 - minute * 60), took_ms }
        })
        .collect()
}

/// A box without a site: the roles of line and files do not run.
pub fn booted(situation: Situation, notices: Vec<Notice>) -> Snapshot {
    let status = if situation == Situation::Carton { Sign::Carton } else { Sign::Closed };
    let alarm = if situation == Situation::Carton { Sign::Calm } else { Sign::Act };
    let address = "198.51.100.1/24".parse().expect("invariant: an address");
    let boot = BootPart {
        version: "0.1.0".into(),
        board: "virtual".into(),
        serial: "S-0001".into(),
        situation,
        notices,
        setup: Some(Setup { port: "lan0".into(), label: "SETUP".into(), address }),
    };
    Snapshot {
        firewall: clean().firewall,
        board: board([status, Sign::LineOpen, Sign::RelayOpen, alarm]),
        boot: Some(boot),
        ..Snapshot::default()
    }
}

/// What `sekisho policy matrix --json` says of this site.
const MATRIX: &str = include_str!("matrix.json");

/// What the firewall says when it is asked: counts, and a few refusals.
pub fn policy() -> Policy {
    let matrix: Matrix = serde_json::from_str(MATRIX).expect("invariant: the committed matrix is one");
    let lines = matrix.cells.iter().flat_map(|cell| &cell.lines).filter(|line| line.does != Does::Leads);
    let counted = lines.enumerate().map(|(n, line)| drops::Line {
        rule: line.id.clone(),
        says: line.says.en.clone(),
        accepts: line.does == Does::Passes,
        packets: (n as u64 * 7919) % 5000,
        bytes: 0,
    });
    let place = |port: &str, zone| drops::Place { port: port.into(), zone };
    let refusal = |age, times, rule: &str, from: drops::Place, ends: [[u8; 4]; 2], to: u16| Refusal {
        at: ago(age),
        times,
        rule: rule.into(),
        says: String::new(),
        from,
        to: place("", None),
        packet: drops::Seen {
            source: ends[0].into(),
            destination: ends[1].into(),
            protocol: 6,
            services: Some([50_000, to]),
            icmp: None,
        },
    };
    let (terminal, clinic) = (place("term0", Some(Zone::Terminal)), place("lan0", Some(Zone::Clinic)));
    let newest = vec![
        refusal(40, 12, "terminal-input-rest", terminal, [[192, 0, 2, 2], [192, 0, 2, 1]], 445),
        refusal(5000, 1, "clinic-input-rest", clinic, [[198, 51, 100, 20], [198, 51, 100, 1]], 22),
        refusal(90_000, 3, "input-rest", place("usb0", None), [[203, 0, 113, 9], [198, 51, 100, 1]], 443),
    ];
    let drops =
        Drops { counted_since: Some(ago(90_000)), lines: counted.collect(), newest, lost: 0, deaf: None };
    Policy { matrix, drops: Some(drops) }
}

/// Every promise is proved.
pub fn proved() -> Snapshot {
    let mut snapshot = clean();
    let part = &mut snapshot.firewall.as_mut().expect("invariant: a clean sample has all parts").part;
    part.promises =
        [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12].map(|number| Promise { number, proof: Proof::Proved }).into();
    snapshot
}

/// Somebody opened a hole behind the box's back, and one promise is not understood.
pub fn drifted() -> Snapshot {
    let mut snapshot = proved();
    let part = &mut snapshot.firewall.as_mut().expect("invariant: a clean sample has all parts").part;
    part.state = RulesetState::Drifted;
    let example = "a new IPv4 packet (TCP from port 50000 to port 445) from 198.51.100.10 at lan0 to 192.0.2.2 at term0";
    part.promises[0].proof = Proof::broken(example);
    part.promises[1].proof =
        Proof::Unproved { reason: "not understood: the statement {\"queue\":{}}".into() };
    part.drift = Some(Drift {
        since: ago(700),
        at: ago(20),
        times: 3,
        changes: vec!["rule 1 of chain forward of table inet sekisho: accept".into()],
        broke: None,
        by: Some("nft".into()),
        repair: Repair::Done,
    });
    snapshot
}

/// The clinic's question about a terminal's share, answered.
pub fn explained() -> Answer {
    let stop = |chain: &str, by: Option<&str>| Stop { chain: chain.into(), by: by.map(str::to_owned) };
    Answer::Told(Box::new(Explanation {
        packet: Said::new(
            "TCP 50000 → 445, 新しい接続, 198.51.100.20 (院内 lan0) → 192.0.2.2 (資格確認端末 term0)",
            "TCP 50000 → 445, new, 198.51.100.20 (clinic lan0) → 192.0.2.2 (terminal term0)",
        ),
        passes: false,
        line: Some(Line {
            id: "forward-rest".into(),
            says: Said::new("ほかのゾーンどうしはつながない (1, 3)", "no other zones are joined (1, 3)"),
            does: Does::Refuses,
        }),
        rule: "counter drop".into(),
        way: vec![stop("forward", None)],
        live: true,
    }))
}

/// A question with mistakes.
pub fn mistaken() -> Answer {
    let mistake = |field: &str, ja: &str, en: &str| Mistake { field: field.into(), says: Said::new(ja, en) };
    Answer::Wrong {
        mistakes: vec![
            mistake(
                "src",
                "IPv4 か IPv6 のアドレスを 1 つ書いてください。",
                "x is no address (allowed: one IPv4 or IPv6 address)",
            ),
            mistake("dport", "0 から 65535 の番号を書いてください。", "is missing (allowed: 0 to 65535)"),
        ],
    }
}
