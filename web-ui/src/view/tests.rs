//! What reception reads: golden texts of every kind of morning, and what may never be said.

use std::sync::Arc;

use askama::Template;
use model::boot::Situation;
use model::part::{RulesetState, Snapshot, Sweep};
use model::past;
use model::policy::{Answer, Policy, Question};
use model::verdict::{Certainty, Fault};
use model::{FaultCode, Language, Notice, Observation, Outcome, Party, Site, Symptom, Timestamp, Usability};

use super::*;
use crate::identity::Fingerprints;
use crate::render::{Fragment, LineFragment, RelayFragment, SetupFragment, Whole};
use crate::render::{
    MaintenanceFragment, RulesFragment, WholeLine, WholeMaintenance, WholeRelay, WholeRules, WholeSetup,
};
use crate::room::Room;
use crate::state::State;

#[path = "../../tests/samples/mod.rs"]
mod samples;

const BOTH: [(Language, &str); 2] = [(Language::Ja, "ja"), (Language::En, "en")];

fn overview(snapshot: &Snapshot) -> Overview {
    Overview::new(snapshot, &samples::site(), samples::now(), Language::Ja)
}

fn fragment(view: &Overview) -> String {
    Fragment { view }.render().unwrap()
}

fn whole(view: &Overview) -> String {
    Whole { view, room: Room::First, rooms: &[], patience_s: 35 }.render().unwrap()
}

/// The text between the tags, a line each: what is read, without how it looks.
fn text(html: &str) -> String {
    let pieces = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text).trim());
    pieces.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_overview_reads_as_agreed_in_both_languages() {
    for (name, snapshot) in samples::all() {
        for (language, code) in BOTH {
            let view = Overview::new(&snapshot, &samples::site(), samples::now(), language);
            let read = format!("{}\n{}", view.title(), text(&fragment(&view)));
            insta::assert_snapshot!(format!("{name}-{code}"), read);
        }
    }
}

#[test]
fn the_whole_page_is_laid_out_as_agreed() {
    let view = overview(&samples::two_faults());
    insta::assert_snapshot!("page", whole(&view));
}

/// Nothing but the first sentence of usability counts here: old or missing parts must not leave 正常 anywhere.
#[test]
fn what_is_old_or_absent_is_never_called_normal() {
    for snapshot in [samples::stale(), samples::absent()] {
        let view = overview(&snapshot);
        assert_eq!(view.headline.state, State::Unknown);
        assert_eq!(view.headline.word, "確認中です");
        assert!(!fragment(&view).contains("正常"));
    }
}

#[test]
fn each_part_grows_old_by_itself() {
    let at = |seconds| Timestamp::from_second(samples::now().as_second() + seconds).unwrap();
    let view = |seconds| Overview::new(&samples::clean(), &samples::site(), at(seconds), Language::Ja);
    // The samples are five seconds old.
    assert_eq!(view(55).headline.state, State::Normal);
    assert_eq!(view(55).firewall.state, State::Normal);
    assert_eq!(view(56).firewall.state, State::Unknown);
    assert_eq!(view(56).path.line.state, Some(State::Normal));
    assert_eq!(view(125).path.line.state, Some(State::Normal));
    assert_eq!(view(126).path.line.state, Some(State::Unknown));
    assert_eq!(view(126).headline.state, State::Unknown);
}

#[test]
fn a_good_line_is_not_called_usable_while_the_box_stands_in_the_way() {
    let mut dropping = samples::clean();
    dropping.firewall.as_mut().unwrap().part.state = RulesetState::DropAll;
    let mut silent = samples::clean();
    silent.relay = None;
    for snapshot in [dropping, silent] {
        assert_eq!(overview(&snapshot).headline.state, State::Checking);
    }
}

#[test]
fn what_staff_cannot_feel_is_no_alarm() {
    let mut snapshot = samples::clean();
    let recorded = fault(FaultCode::Dns02, Party::Line);
    snapshot.line.as_mut().unwrap().part.verdict.recorded.push(recorded);
    let view = overview(&snapshot);
    assert_eq!(view, overview(&samples::clean()));
    assert_eq!(view.headline.state, State::Normal);
}

fn fault(code: FaultCode, owner: Party) -> Fault {
    Fault { code, owner, certainty: Certainty::Likely, evidence: Vec::new(), terminal: None }
}

/// Every fault, whoever owns it: three sentences, an owner, exactly one broken stop, and somebody to call.
#[test]
fn every_fault_has_its_place_in_the_picture_and_somebody_to_call() {
    for code in FaultCode::ALL.into_iter().filter(|code| code.is_alarm()) {
        for owner in Party::ALL {
            let mut snapshot = samples::clean();
            let verdict = &mut snapshot.line.as_mut().unwrap().part.verdict;
            verdict.usability = Usability::Unusable;
            verdict.foremost = Some(fault(code, owner));
            let view = overview(&snapshot);
            let path = &view.path;
            let stops = [&path.receipt, &path.line, &path.auth, &path.centre, &path.terminal, &path.own];
            let stops = stops.into_iter().chain(&path.internet);
            let shown = if code.is_warning() { State::Attention } else { State::Fault };
            let marked: Vec<State> = stops.filter_map(|stop| stop.state).collect();
            let marked: Vec<State> = marked.into_iter().filter(|state| *state != State::Normal).collect();
            assert_eq!(marked, [shown], "{}", code.key());
            assert!(view.headline.calls.iter().any(|call| call.contact.is_some()), "{}", code.key());
            assert!(view.title().starts_with("【異常】使えません"), "{}", view.title());
        }
    }
}

#[test]
fn a_warning_asks_for_attention_and_takes_nothing_of_the_service_away() {
    for code in FaultCode::ALL.into_iter().filter(|code| code.is_warning()) {
        let mut snapshot = samples::clean();
        let verdict = &mut snapshot.line.as_mut().unwrap().part.verdict;
        verdict.foremost = Some(fault(code, Party::Box));
        let view = overview(&snapshot);
        assert_eq!(view.headline.state, State::Attention, "{}", code.key());
        assert!(view.title().starts_with("【注意】使えます"), "{}", view.title());
        // It does not hide that nobody knows how the files are.
        snapshot.relay = None;
        assert_eq!(overview(&snapshot).headline.state, State::Checking, "{}", code.key());
    }
}

#[test]
fn a_number_that_is_not_on_file_is_said_to_be_missing() {
    let site = Site { contacts: Vec::new(), ..(*samples::site()).clone() };
    let view = Overview::new(&samples::ctr_02(), &site, samples::now(), Language::Ja);
    assert!(text(&fragment(&view)).contains("電話番号は登録されていません。"));
}

/// The site file is an installer's, the parts are the roles': neither may put markup into the page.
#[test]
fn markup_from_outside_is_shown_and_never_obeyed() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    let mut site = (*samples::site()).clone();
    for contact in &mut site.contacts {
        HOSTILE.clone_into(&mut contact.name);
        HOSTILE.clone_into(&mut contact.phone);
    }
    let mut snapshot = samples::two_faults();
    let line = &mut snapshot.line.as_mut().unwrap().part;
    line.ladder.iter_mut().for_each(|seen| HOSTILE.clone_into(&mut seen.detail));
    let relay = &mut snapshot.relay.as_mut().unwrap().part;
    relay.waiting.iter_mut().for_each(|one| HOSTILE.clone_into(&mut one.parcel.kind));
    snapshot.board.as_mut().unwrap().part.board = HOSTILE.into();
    let view = Overview::new(&snapshot, &Arc::new(site), samples::now(), Language::Ja);
    let page = whole(&view);
    assert!(page.contains("&#60;script&#62;alert(1)"), "the name itself is shown");
    assert!(!page.contains("<script>") && !page.contains("<img"));
}

#[test]
fn nothing_of_a_parcel_is_shown_but_its_number_its_sentence_and_its_age() {
    let snapshot = samples::held();
    let shown = fragment(&overview(&snapshot));
    for held in &snapshot.relay.as_ref().unwrap().part.held {
        assert!(shown.contains(&format!("記録番号 {}", held.parcel.number)));
        assert!(!shown.contains(&held.parcel.hash) && !shown.contains(&held.parcel.kind));
    }
}

/// The strict policy would block it silently, so nobody would see a style or a handler is missing.
#[test]
fn the_page_brings_no_inline_code_and_nothing_from_outside() {
    for (_, snapshot) in samples::all() {
        let page = whole(&overview(&snapshot));
        for forbidden in ["style=", "<style", "onclick", "onload", "http:", "https:", "href=\"//", "src=\"//"]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("<script src=\"/enhance.js\" defer></script>"));
        assert!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>"));
    }
}

#[test]
fn a_day_of_strange_pairs_still_draws() {
    let mut snapshot = samples::clean();
    let relay = &mut snapshot.relay.as_mut().unwrap().part;
    relay.pairs.truncate(2);
    relay.pairs[0].took_ms = 0.0;
    relay.pairs[1].took_ms = f64::MAX;
    let plot = overview(&snapshot).pairs.plot.unwrap();
    assert!(plot.dots.iter().all(|dot| dot.x.is_finite() && dot.y.is_finite()));
}

fn relay(snapshot: &Snapshot, language: Language) -> Relay {
    Relay::new(snapshot, &samples::site(), samples::now(), language)
}

fn relay_page(snapshot: &Snapshot) -> String {
    let view = &relay(snapshot, Language::Ja);
    WholeRelay { view, room: Room::Relay, rooms: &Room::ALL, patience_s: 35 }.render().unwrap()
}

#[test]
fn the_relay_s_view_reads_as_agreed_in_both_languages() {
    // The line's faults are nothing to the relay.
    let of_line = ["wan-01", "ctr-02", "two-faults"];
    for (name, snapshot) in samples::all().into_iter().filter(|(name, _)| !of_line.contains(name)) {
        for (language, code) in BOTH {
            let view = relay(&snapshot, language);
            let read =
                format!("{}\n{}", view.title(), text(&RelayFragment { view: &view }.render().unwrap()));
            insta::assert_snapshot!(format!("relay-{name}-{code}"), read);
        }
    }
}

#[test]
fn the_relay_s_page_is_laid_out_as_agreed() {
    insta::assert_snapshot!("relay-page", relay_page(&samples::held()));
}

#[test]
fn an_old_or_silent_relay_is_unknown_and_nothing_of_it_is_told_as_so() {
    for snapshot in [samples::stale(), samples::absent()] {
        let view = relay(&snapshot, Language::Ja);
        assert_eq!(view.state(), State::Unknown);
        assert!(view.folders.is_empty() && view.shares.is_empty() && view.today.is_empty());
        let page = relay_page(&snapshot);
        assert!(!page.contains("正常") && !page.contains("<svg"), "{page}");
    }
}

#[test]
fn a_dead_terminal_is_a_fault_and_does_not_hide_what_is_held() {
    let mut snapshot = samples::term_01();
    let part = &mut snapshot.relay.as_mut().unwrap().part;
    part.held = samples::held().relay.unwrap().part.held;
    part.held_count = 2;
    let view = relay(&snapshot, Language::Ja);
    assert_eq!(view.state(), State::Fault);
    assert_eq!(
        view.sentence,
        "端末とやり取りできません。送らずに残したファイルがあります。あとで確認が必要です。"
    );
    assert!(view.call.is_some());
}

#[test]
fn a_long_list_ends_with_how_many_more_there_are() {
    let view = relay(&samples::backlog(), Language::En);
    assert_eq!((view.waiting.rows.len(), view.waiting.count), (20, Some(100_000)));
    assert_eq!(view.waiting.more.as_deref(), Some("99980 more"));
    assert_eq!(view.held.rows.len(), model::parcel::HeldReason::ALL.len());
    assert_eq!(view.held.more, None);
    let few = overview(&samples::backlog());
    assert_eq!((few.waiting.rows.len(), few.waiting.count), (4, Some(100_000)));
}

/// The relay names five hundred of a hundred thousand: a folder's number is then no more than what is known.
#[test]
fn a_folder_s_number_is_a_least_one_where_not_all_are_named() {
    let count = |snapshot| relay(&snapshot, Language::En).folders[0].waiting.count.clone();
    assert_eq!(count(samples::clean()), "1");
    assert_eq!(count(samples::backlog()), "500 or more");
}

#[test]
fn what_belongs_to_no_kind_has_a_row_of_its_own_only_while_there_is_such() {
    let last = |snapshot: &Snapshot| relay(snapshot, Language::En).folders.last().unwrap().clone();
    assert!(last(&samples::clean()).name.is_some());
    let strange = last(&samples::backlog());
    assert_eq!((strange.name, strange.held.count.as_str()), (None, "2"));
}

#[test]
fn every_reason_is_told_in_its_sentence_with_kind_number_and_hash() {
    let snapshot = samples::backlog();
    let page = relay_page(&snapshot);
    for held in &snapshot.relay.as_ref().unwrap().part.held {
        let parcel = &held.parcel;
        let kind = if parcel.kind == "unknown" { "不明" } else { &parcel.kind };
        for told in [held.reason.sentence().ja, kind, &parcel.hash, &format!("<b>{}</b>", parcel.number)] {
            assert!(page.contains(told), "{told}");
        }
    }
}

#[test]
fn a_parcel_s_kind_and_a_terminal_s_name_are_shown_and_never_obeyed() {
    const HOSTILE: &str = "<script>alert(1)</script>";
    let mut snapshot = samples::backlog();
    let part = &mut snapshot.relay.as_mut().unwrap().part;
    part.held.iter_mut().for_each(|one| HOSTILE.clone_into(&mut one.parcel.kind));
    part.unanswered.iter_mut().for_each(|one| HOSTILE.clone_into(&mut one.kind));
    part.uncollected.iter_mut().for_each(|one| HOSTILE.clone_into(&mut one.consumer));
    part.shares.iter_mut().for_each(|one| one.terminal = Some(HOSTILE.to_owned()));
    part.shares.iter_mut().for_each(|one| HOSTILE.clone_into(&mut one.detail));
    let page = relay_page(&snapshot);
    assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<script>"), "{page}");
}

/// The plot has a name that says its figures, and every hour is a row of a table.
#[test]
fn who_cannot_see_the_plot_is_told_what_it_shows() {
    let snapshot = samples::clean();
    let view = relay(&snapshot, Language::Ja);
    let (p50, p95) = (view.pairs.p50.clone().unwrap(), view.pairs.p95.clone().unwrap());
    let named = format!("63 組, ふつう（中央値） {p50}, 遅いとき（95%） {p95}\"");
    assert!(relay_page(&snapshot).contains(&named), "{named}");
    assert_eq!(view.pairs.hours.iter().map(|hour| hour.count).sum::<usize>(), 63);
    assert!(relay_page(&snapshot).contains("<th scope=\"row\">9時</th>"));
}

#[test]
fn the_relay_s_page_brings_no_inline_code_and_nothing_from_outside() {
    for (_, snapshot) in samples::all() {
        let page = relay_page(&snapshot);
        for forbidden in ["style=", "<style", "onclick", "onload", "http:", "https:", "<form", "<button"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}

fn line(snapshot: &Snapshot, language: Language) -> Line {
    Line::new(snapshot, &samples::site(), samples::now(), language)
}

fn line_page(snapshot: &Snapshot) -> String {
    let view = line(snapshot, Language::Ja);
    WholeLine { view: &view, room: Room::Line, rooms: &Room::ALL, patience_s: 35 }.render().unwrap()
}

#[test]
fn the_line_s_view_reads_as_agreed_in_both_languages() {
    let stale = Snapshot { past: samples::remembered().past, ..samples::stale() };
    for (name, snapshot) in
        [("remembered", samples::remembered()), ("clean", samples::clean()), ("stale", stale)]
    {
        for (language, code) in BOTH {
            let view = line(&snapshot, language);
            let read = format!("{}\n{}", view.title(), text(&LineFragment { view: &view }.render().unwrap()));
            insta::assert_snapshot!(format!("line-{name}-{code}"), read);
        }
    }
}

#[test]
fn a_look_under_way_shows_how_far_it_has_come_and_what_it_has_not_come_to() {
    let mut snapshot = samples::remembered();
    let part = &mut snapshot.line.as_mut().unwrap().part;
    let broken = Observation { outcome: Outcome::Bad(Symptom::Silent), ..part.ladder[0].clone() };
    let of = part.ladder.len();
    part.sweep = Some(Sweep { seen: vec![broken], of });
    let view = line(&snapshot, Language::Ja);
    assert_eq!(view.under_way, Some(format!("確認しています 1/{of}")));
    assert_eq!(view.rungs[0].state, State::Fault);
    assert!(view.rungs[1..].iter().all(|rung| rung.state == State::Checking));
    assert!(line_page(&snapshot).contains("<button disabled>"));
    assert!(!line_page(&samples::remembered()).contains("<button disabled>"));
}

#[test]
fn the_line_s_page_is_laid_out_as_agreed() {
    insta::assert_snapshot!("line-page", line_page(&samples::remembered()));
}

/// What is remembered stays when nobody looks, and nothing of it is told as so.
#[test]
fn without_a_fresh_look_the_rungs_are_unknown_and_their_strips_stay() {
    let snapshot = Snapshot { past: samples::remembered().past, ..samples::stale() };
    let view = line(&snapshot, Language::Ja);
    assert!(view.rungs.iter().all(|rung| rung.state == State::Unknown && rung.strip.is_some()));
    assert!(!view.rungs.is_empty() && !view.stories.is_empty());
}

#[test]
fn who_cannot_see_a_strip_is_told_what_it_shows() {
    let page = line_page(&samples::remembered());
    assert!(
        page.contains("aria-label=\"センターへの接続: 正常 60.0 時間, 異常 0.3 時間, 記録なし 11.7 時間\""),
        "{page}"
    );
}

#[test]
fn a_symptom_a_rung_and_a_fault_of_next_year_are_told_by_their_names() {
    let mut snapshot = samples::remembered();
    let mut past = (*snapshot.past.unwrap()).clone();
    past.strips[0].rung = "teleporter".into();
    past.strips[0].first_bad.as_mut().unwrap().is = "melted".into();
    past.stories[0].code = "WAN-99".into();
    snapshot.past = Some(Arc::new(past));
    let gone = Snapshot { line: None, ..snapshot.clone() };
    let read = line_page(&gone);
    assert!(read.contains("teleporter") && read.contains("melted") && read.contains("WAN-99"), "{read}");
    let ladder = &snapshot.line.as_ref().unwrap().part.ladder;
    assert_eq!(
        line(&snapshot, Language::Ja).rungs.len(),
        ladder.len(),
        "the ladder's rungs are those of now"
    );
}

#[test]
fn what_strangers_said_is_shown_on_the_line_s_page_and_never_obeyed() {
    const HOSTILE: &str = "\"><script>alert(1)</script>";
    let mut snapshot = samples::remembered();
    let part = &mut snapshot.line.as_mut().unwrap().part;
    part.ladder.iter_mut().for_each(|seen| HOSTILE.clone_into(&mut seen.detail));
    let mut past = (*snapshot.past.unwrap()).clone();
    for strip in &mut past.strips {
        strip.first_bad = strip.last_good.clone().map(|look| past::Look { is: HOSTILE.into(), ..look });
    }
    HOSTILE.clone_into(&mut past.stories[0].code);
    past.stories[0].terminal = Some(HOSTILE.into());
    snapshot.past = Some(Arc::new(past));
    for page in [line_page(&snapshot), line_page(&Snapshot { line: None, ..snapshot.clone() })] {
        assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<script>"), "{page}");
        for forbidden in ["style=", "<style", "onclick", "onload", "http:", "https:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let forms = ["<form", "<button", "<input"].map(|form| page.matches(form).count());
        assert_eq!(forms, [1, 1, 0], "the one that asks for a look");
    }
}

fn fingerprints() -> Fingerprints {
    Fingerprints { page: "AB:CD:EF".into(), authority: "01:23:45".into() }
}

fn setup(snapshot: &Snapshot, language: Language) -> String {
    let view = Setup::new(snapshot, &fingerprints(), samples::now(), language);
    format!("{}\n{}", view.title(), text(&SetupFragment { view: &view }.render().unwrap()))
}

#[test]
fn the_setup_page_reads_as_agreed_in_both_languages() {
    let closed = vec![Notice::SiteUnreadable { mistakes: vec!["site.toml:6: line.kind: …".into()] }];
    for (name, snapshot) in [
        ("carton", samples::booted(Situation::Carton, Vec::new())),
        ("closed", samples::booted(Situation::Closed, closed)),
        ("not-booted", Snapshot::default()),
    ] {
        for (language, code) in BOTH {
            insta::assert_snapshot!(format!("setup-{name}-{code}"), setup(&snapshot, language));
        }
    }
}

#[test]
fn every_notice_is_told_in_both_languages_with_what_stands_behind_it() {
    for notice in model::notice::examples() {
        let situation = if notice.is_of_a_stick() { Situation::Carton } else { Situation::Closed };
        let snapshot = samples::booted(situation, vec![notice.clone()]);
        for (language, _) in BOTH {
            let read = setup(&snapshot, language);
            let words = notice.words();
            let written = |text: &str| text.replace('"', "&#34;").replace('\'', "&#39;");
            let details = notice.details();
            let said = [words.happened, words.next].map(|text| text.get(language));
            for text in said.into_iter().chain(details.iter().map(String::as_str)) {
                assert!(read.contains(&written(text)), "{text}: {read}");
            }
        }
    }
}

#[test]
fn the_setup_page_brings_no_inline_code_and_shows_markup_without_obeying_it() {
    let hostile = "<script>alert(1)</script>".to_owned();
    let notice = Notice::SiteUnreadable { mistakes: vec![hostile] };
    let snapshot = samples::booted(Situation::Closed, vec![notice]);
    let view = Setup::new(&snapshot, &fingerprints(), samples::now(), Language::Ja);
    let page = WholeSetup { view: &view, room: Room::First, rooms: &[], patience_s: 35 }.render().unwrap();
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
    for forbidden in ["style=", "<style", "onclick", "http:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

fn rules(snapshot: &Snapshot, policy: Option<&Policy>, language: Language) -> Rules {
    Rules::new(snapshot, policy, "clinic-box", &samples::site(), samples::now(), language)
}

fn rules_page(snapshot: &Snapshot, policy: Option<&Policy>, would: &Would) -> String {
    let view = &rules(snapshot, policy, Language::Ja);
    WholeRules { view, would, room: Room::Firewall, rooms: &Room::ALL, patience_s: 35 }.render().unwrap()
}

fn would(question: Question, answer: Option<Answer>, language: Language) -> Would {
    let asked = question != Question::default();
    Would::new(question, asked, answer, &samples::site(), language)
}

/// From the clinic to a terminal's share.
fn question() -> Question {
    let text = |text: &str| text.to_owned();
    Question {
        from: text("clinic"),
        src: text("198.51.100.20"),
        dst: text("192.0.2.2"),
        proto: text("tcp"),
        dport: text("445"),
        ..Question::default()
    }
}

#[test]
fn the_firewall_s_view_reads_as_agreed_in_both_languages() {
    let told = samples::policy();
    for (name, snapshot, policy) in [
        ("proved", samples::proved(), Some(&told)),
        ("drifted", samples::drifted(), Some(&told)),
        ("silent", samples::proved(), None),
        ("stale", samples::stale(), Some(&told)),
    ] {
        for (language, code) in BOTH {
            let view = rules(&snapshot, policy, language);
            let read =
                format!("{}\n{}", view.title(), text(&RulesFragment { view: &view }.render().unwrap()));
            insta::assert_snapshot!(format!("rules-{name}-{code}"), read);
        }
    }
}

#[test]
fn the_firewall_s_page_is_laid_out_as_agreed() {
    let asked = would(question(), Some(samples::explained()), Language::Ja);
    insta::assert_snapshot!("rules-page", rules_page(&samples::proved(), Some(&samples::policy()), &asked));
}

#[test]
fn every_answer_reads_as_agreed_in_both_languages() {
    let unclear = Answer::Unclear { reason: "not understood: the statement queue".into() };
    let answers = [
        ("told", Some(samples::explained())),
        ("wrong", Some(samples::mistaken())),
        ("unclear", Some(unclear)),
        ("silent", None),
    ];
    for (name, answer) in answers {
        for (language, code) in BOTH {
            let view = rules(&samples::proved(), None, language);
            let would = &would(question(), answer.clone(), language);
            let page = WholeRules { view: &view, would, room: Room::Firewall, rooms: &[], patience_s: 35 };
            let page = page.render().unwrap();
            let answer = &page[page.find("id=\"answer\"").unwrap()..page.find("</main>").unwrap()];
            insta::assert_snapshot!(format!("would-{name}-{code}"), text(answer));
        }
    }
}

/// Nothing of what may pass is told while nobody knows how the firewall is.
#[test]
fn an_old_or_silent_firewall_is_unknown_and_has_no_matrix() {
    let told = samples::policy();
    for snapshot in [samples::stale(), samples::absent()] {
        let view = rules(&snapshot, Some(&told), Language::Ja);
        assert_eq!(view.state(), State::Unknown);
        assert!(view.rows.is_empty() && view.pairs.is_empty() && view.promises.is_empty());
    }
    let view = rules(&samples::proved(), None, Language::Ja);
    assert!(view.rows.is_empty() && view.promises.len() == 11);
    assert_eq!(view.state(), State::Normal);
}

#[test]
fn a_field_of_the_matrix_leads_to_its_pair_which_is_open_then() {
    let page = rules_page(
        &samples::proved(),
        Some(&samples::policy()),
        &would(Question::default(), None, Language::Ja),
    );
    let view = rules(&samples::proved(), Some(&samples::policy()), Language::Ja);
    for field in view.rows.iter().flat_map(|row| &row.cells).flatten() {
        let id = &field.id;
        assert!(
            page.contains(&format!("cell={id}#{id}\"")) && page.contains(&format!("<details id=\"{id}\"")),
            "{id}"
        );
    }
    assert_eq!(page.matches("<details").count(), page.matches("<details id").count());
    assert_eq!(page.matches(" open>").count(), 1);
    assert!(page.contains("<details id=\"clinic-box\" open>"));
    let folded = Rules::new(
        &samples::proved(),
        Some(&samples::policy()),
        "clinic-terminal",
        &samples::site(),
        samples::now(),
        Language::Ja,
    );
    let page = RulesFragment { view: &folded }.render().unwrap();
    assert!(
        page.contains("<details id=\"never\" open>")
            && page.contains("<details id=\"clinic-terminal\" open>")
    );
}

#[test]
fn a_refusal_stands_with_its_pair_and_is_told_by_its_line() {
    let view = rules(&samples::proved(), Some(&samples::policy()), Language::Ja);
    let pair = |id: &str| view.pairs.iter().chain(&view.never).find(|pair| pair.id == id).unwrap();
    let refused = pair("terminal-box").refused.as_ref().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].says, "端末は本機のほかのものに届かない (5)");
    assert_eq!(pair("clinic-terminal").refused, Some(Vec::new()));
    assert_eq!(pair("other-box").refused.as_ref().unwrap()[0].way, "その他のポート usb0 → 本機");
    assert_eq!(view.refusals.as_ref().unwrap().len(), 3);
}

#[test]
fn what_was_typed_and_what_strangers_sent_is_shown_on_the_firewall_s_page_and_never_obeyed() {
    const HOSTILE: &str = "\"><script>alert(1)</script>";
    let mut told = samples::policy();
    told.matrix.zones[0].name.ja = HOSTILE.into();
    told.matrix.unclear.push(HOSTILE.into());
    let drops = told.drops.as_mut().unwrap();
    drops.newest.iter_mut().for_each(|one| {
        HOSTILE.clone_into(&mut one.rule);
        HOSTILE.clone_into(&mut one.says);
        HOSTILE.clone_into(&mut one.from.port);
    });
    let mut snapshot = samples::drifted();
    let part = &mut snapshot.firewall.as_mut().unwrap().part;
    part.hindrance = Some(HOSTILE.into());
    part.drift.as_mut().unwrap().changes.push(HOSTILE.into());
    let typed = Question { src: HOSTILE.into(), dport: HOSTILE.into(), port: HOSTILE.into(), ..question() };
    let page = rules_page(&snapshot, Some(&told), &would(typed, Some(samples::explained()), Language::Ja));
    assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<script>"), "{page}");
    for forbidden in ["style=", "<style", "onclick", "onload", "http:", "https:", "method=\"post\""] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1);
}

/// The view is replaced while somebody types: the form and its answer stand outside of it.
#[test]
fn the_form_is_no_part_of_what_is_replaced() {
    let view = rules(&samples::proved(), Some(&samples::policy()), Language::Ja);
    assert!(!RulesFragment { view: &view }.render().unwrap().contains("<form"));
    let page = rules_page(&samples::proved(), None, &would(question(), None, Language::Ja));
    assert!(page.contains("value=\"198.51.100.20\"") && page.contains("<option value=\"clinic\" selected>"));
    let labels = page.matches("<label>").count();
    assert_eq!(
        labels,
        ["<input name", "<select name"].map(|field| page.matches(field).count()).iter().sum::<usize>()
    );
}

fn maintenance(snapshot: &Snapshot, language: Language) -> Maintenance {
    Maintenance::new(snapshot, &samples::site(), samples::now(), language)
}

#[test]
fn the_maintenance_view_reads_as_agreed_in_both_languages() {
    for (name, snapshot) in samples::maintenance() {
        for (language, code) in BOTH {
            let view = maintenance(&snapshot, language);
            let html = MaintenanceFragment { view: &view }.render().unwrap();
            let read = format!("{}\n{}", view.title(), text(&html));
            insta::assert_snapshot!(format!("maintenance-{name}-{code}"), read);
        }
    }
}

#[test]
fn a_maintainers_name_and_words_are_text_and_an_old_part_says_nothing() {
    let mut snapshot = samples::maintenance().remove(1).1;
    let part = &mut snapshot.maintenance.as_mut().unwrap().part;
    part.sessions[0].maintainer = "<script>alert(1)".into();
    let view = maintenance(&snapshot, Language::Ja);
    let page = WholeMaintenance { view: &view, room: Room::Maintenance, rooms: &Room::ALL, patience_s: 35 };
    let page = page.render().unwrap();
    assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<script>"), "{page}");
    snapshot.maintenance.as_mut().unwrap().at = Timestamp::UNIX_EPOCH;
    let view = maintenance(&snapshot, Language::Ja);
    assert_eq!((view.state, view.open, view.past), (State::Unknown, None, None));
}
