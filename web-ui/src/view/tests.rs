//! What reception reads: golden texts of every kind of morning, and what may never be said.

use std::sync::Arc;

use askama::Template;
use model::boot::Situation;
use model::part::{RulesetState, Snapshot};
use model::verdict::{Certainty, Fault};
use model::{FaultCode, Language, Notice, Party, Site, Timestamp, Usability};

use super::*;
use crate::identity::Fingerprints;
use crate::render::{Fragment, SetupFragment, Whole, WholeSetup};
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
    insta::assert_snapshot!("page", Whole { view: &view, patience_s: 35 }.render().unwrap());
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
            let stops = [&path.line, &path.auth, &path.centre, &path.terminal, &path.own];
            let broken = stops.iter().filter(|stop| stop.state == Some(State::Fault)).count();
            assert_eq!(broken, 1, "{}", code.key());
            assert!(view.headline.calls.iter().any(|call| call.contact.is_some()), "{}", code.key());
            assert!(view.title().starts_with("【異常】使えません"), "{}", view.title());
        }
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
    let page = Whole { view: &view, patience_s: 35 }.render().unwrap();
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
        let page = Whole { view: &overview(&snapshot), patience_s: 35 }.render().unwrap();
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
    let page = WholeSetup { view: &view, patience_s: 35 }.render().unwrap();
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
    for forbidden in ["style=", "<style", "onclick", "http:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
