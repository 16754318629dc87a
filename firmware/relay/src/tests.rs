//! The relay as a whole, between two folders of this machine.

mod damaged;
mod ends;
mod facts;
mod input;
mod moody;
mod person;
mod stray;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use model::parcel::{HeldReason, WaitReason};
use model::part::RelayPart;

use crate::share::local::{LocalShare, LocalTerminal};
use crate::share::{Occasion, Terminal, Trouble, Wanted};
use crate::testing::{Ends, appears, names, vanishes};

const REQUEST: &str = "OQSsiquc01req_202502030001.xml";
const ANSWER: &str = "OQSsiquc01res_202502030001.xml";
const WHOLE: &[u8] = b"<XmlMsg>\x8a\xb3\x8e\xd2</XmlMsg>\r\n";

fn held(part: &RelayPart) -> Vec<HeldReason> {
    part.held.iter().map(|held| held.reason).collect()
}

#[tokio::test]
async fn a_request_is_answered_and_the_terminal_keeps_nothing() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    assert!(names(&ends.clinic("req")).is_empty(), "taken");
    let part =
        ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::AwaitingAnswer)).await;
    assert_eq!(part.requests_today, 1);
    fs::remove_file(ends.terminal("req").join(REQUEST)).unwrap();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, WHOLE);
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    let part = ends.says(|part| part.pairs.len() == 1).await;
    assert_eq!(part.answers_today, 1);
    assert!(names(&ends.own("attempted/t1")).is_empty(), "settled");
    assert!(names(&ends.terminal("sekisho-staging")).is_empty());
}

#[tokio::test]
async fn a_face_result_arrives_by_itself_and_foreign_files_are_left_alone() {
    let ends = Ends::new().start();
    fs::write(ends.terminal("res").join("del1.txt"), b"x").unwrap();
    let face = "OQSsiquc01res_face_1312345678_20250203101530.xml";
    fs::write(ends.terminal("face").join(face), WHOLE).unwrap();
    assert_eq!(appears(&ends.clinic("face").join(face)).await, WHOLE);
    vanishes(&ends.terminal("face").join(face)).await;
    assert_eq!(names(&ends.terminal("res")), ["del1.txt"]);
}

#[tokio::test]
async fn bad_files_are_held_with_a_reason_and_stay_where_they_were_put() {
    let mut ends = Ends::new().start();
    let put = |name: &str, bytes: &[u8]| fs::write(ends.clinic("req").join(name), bytes).unwrap();
    put("OQSsiquc01req_1.xml:x", WHOLE);
    put("OQSsiquc01req_2.xml", b"");
    put("OQSsiquc01req_3.xml", b"<XmlMsg>");
    put("notes.txt", WHOLE);
    put("OQSsiquc01req_4.xml", &vec![b' '; 4 * 1024 * 1024 + 1]);
    symlink(ends.clinic("req/notes.txt"), ends.clinic("req/OQSsiquc01req_5.xml")).unwrap();
    fs::create_dir(ends.clinic("req/OQSsiquc01req_6.xml")).unwrap();
    nix::unistd::mkfifo(&ends.clinic("req/OQSsiquc01req_7.xml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let before = names(&ends.clinic("req"));
    let part = ends.says(|part| part.held.len() == 8).await;
    let mut found = held(&part);
    found.sort();
    assert_eq!(
        found,
        [
            HeldReason::UnknownKind,
            HeldReason::BadName,
            HeldReason::Empty,
            HeldReason::TooLarge,
            HeldReason::HalfWritten,
            HeldReason::NotAFile,
            HeldReason::NotAFile,
            HeldReason::NotAFile
        ]
    );
    assert_eq!(names(&ends.clinic("req")), before);
    assert!(names(&ends.terminal("req")).is_empty());
}

#[tokio::test]
async fn a_held_file_that_is_made_good_is_carried() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req").join(REQUEST), b"<XmlMsg>").unwrap();
    ends.says(|part| held(part) == [HeldReason::HalfWritten]).await;
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    ends.says(|part| part.held.is_empty()).await;
}

#[tokio::test]
async fn a_file_that_is_open_for_writing_is_not_taken_though_it_ends_right() {
    let mut ends = Ends::new().start();
    let mut writing = fs::File::create(ends.clinic("req").join(REQUEST)).unwrap();
    writing.write_all(WHOLE).unwrap();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::BeingWritten)).await;
    writing.write_all(WHOLE).unwrap();
    assert!(names(&ends.terminal("req")).is_empty());
    drop(writing);
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, [WHOLE, WHOLE].concat());
}

#[tokio::test]
async fn a_name_that_is_taken_on_the_terminal_is_held_and_nothing_is_overwritten() {
    let mut ends = Ends::new();
    fs::write(ends.terminal("req").join(REQUEST), b"another").unwrap();
    ends.start_again();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    ends.says(|part| held(part) == [HeldReason::NameTaken]).await;
    assert_eq!(fs::read(ends.terminal("req").join(REQUEST)).unwrap(), b"another");
    ends.stop().await;
    fs::remove_file(ends.terminal("req").join(REQUEST)).unwrap();
    ends.start_again();
    ends.says(|part| held(part) == [HeldReason::NameTaken] && part.shares.len() == 1).await;
    assert!(names(&ends.terminal("req")).is_empty(), "never sent by itself");
    let kept = names(&ends.own("attempted/t1"));
    assert_eq!(fs::read(ends.own("attempted/t1").join(&kept[0])).unwrap(), WHOLE, "the file is still there");
}

#[tokio::test]
async fn an_answer_never_overwrites_an_uncollected_one_and_follows_when_it_is_collected() {
    let mut ends = Ends::new();
    fs::write(ends.clinic("res").join(ANSWER), b"older").unwrap();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    ends.start_again();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked)).await;
    assert_eq!(fs::read(ends.clinic("res").join(ANSWER)).unwrap(), b"older");
    ends.stop().await;
    ends.start_again();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked)).await;
    fs::remove_file(ends.clinic("res").join(ANSWER)).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, WHOLE);
    vanishes(&ends.terminal("res").join(ANSWER)).await;
}

#[tokio::test]
async fn an_answer_that_comes_twice_is_seen_once_also_when_it_was_collected() {
    let mut ends = Ends::new().start();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    appears(&ends.clinic("res").join(ANSWER)).await;
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    fs::remove_file(ends.clinic("res").join(ANSWER)).unwrap();
    ends.stop().await;
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    ends.start_again();
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    assert!(names(&ends.clinic("res")).is_empty());
    // The same name with other bytes is another answer.
    fs::write(ends.terminal("res").join(ANSWER), [WHOLE, WHOLE].concat()).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, [WHOLE, WHOLE].concat());
}

#[tokio::test]
async fn a_terminal_that_is_away_is_said_and_its_requests_wait() {
    let mut ends = Ends::new();
    fs::rename(ends.terminal("res"), ends.terminal("gone")).unwrap();
    ends.start_again();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    let part = ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::TerminalAway)).await;
    assert_eq!(part.shares[0].outcome.symptom(), Some(model::Symptom::ShareMissing));
    let (reply, seen) = tokio::sync::oneshot::channel();
    ends.commands.send(crate::Command::Look { asked: true, reply }).await.unwrap();
    assert_eq!(seen.await.unwrap()[0].outcome.symptom(), Some(model::Symptom::ShareMissing));
    fs::rename(ends.terminal("gone"), ends.terminal("res")).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    ends.says(|part| part.shares[0].outcome.is_good()).await;
}

#[tokio::test]
async fn a_request_opened_again_while_the_terminal_was_away_is_not_taken() {
    let mut ends = Ends::new();
    fs::rename(ends.terminal("res"), ends.terminal("gone")).unwrap();
    ends.start_again();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::TerminalAway)).await;
    let mut writing = fs::OpenOptions::new().append(true).open(ends.clinic("req").join(REQUEST)).unwrap();
    fs::rename(ends.terminal("gone"), ends.terminal("res")).unwrap();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::BeingWritten)).await;
    writing.write_all(WHOLE).unwrap();
    drop(writing);
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, [WHOLE, WHOLE].concat());
}

#[tokio::test]
async fn what_waits_for_a_terminal_does_not_fill_the_memory() {
    const FILES: usize = 100;
    let mut ends = Ends::new();
    fs::rename(ends.terminal("res"), ends.terminal("gone")).unwrap();
    for n in 0..FILES {
        let file = fs::File::create(ends.clinic("req").join(format!("OQSsiquc01req_{n}.xml"))).unwrap();
        file.write_all_at(WHOLE, 4_000_000).unwrap();
    }
    let before = resident_kb();
    ends.start_again();
    let away =
        |part: &RelayPart| part.waiting.iter().filter(|one| one.reason == WaitReason::TerminalAway).count();
    ends.says(|part| away(part) == FILES).await;
    let more = resident_kb().saturating_sub(before);
    assert!(more < 200_000, "{more} kB for {FILES} files of 4000 kB");
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A terminal whose first answer brings its client down.
struct Stumbling(LocalTerminal, AtomicBool);

impl Terminal for Stumbling {
    type Share = LocalShare;

    async fn connect(&self, wanted: &Wanted, occasion: Occasion) -> Result<LocalShare, Trouble> {
        assert!(self.1.swap(true, Ordering::Relaxed), "the client came down");
        self.0.connect(wanted, occasion).await
    }
}

#[tokio::test]
async fn a_client_that_comes_down_ends_nothing() {
    let mut ends = Ends::new();
    let terminal = LocalTerminal { root: ends.folder.path().join("terminal") };
    ends.start_with(Stumbling(terminal, AtomicBool::new(false)));
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
}

#[tokio::test]
async fn what_the_relay_says_names_nobody() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req/OQSsiquc01req_canary4711.xml"), WHOLE).unwrap();
    let part = ends.says(|part| !part.waiting.is_empty()).await;
    assert!(!format!("{part:?}").contains("canary4711"));
}
