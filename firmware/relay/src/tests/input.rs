//! Bad input, by whoever puts it. Each has its reason, nothing of it is lost, and the newest good request passes.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use model::kind::Kind;
use model::parcel::{HeldReason, Outcomes, WaitReason};
use model::part::RelayPart;

use super::{ANSWER, REQUEST, WHOLE, held};
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears, kinds, names, vanishes};

/// So soon a good request passes, whatever lies there. A second is wished for and tens of milliseconds are usual; while
/// 100,000 files are taken in, a build without optimisation on a machine with much to do needs a little more than that.
const NEWEST: Duration = Duration::from_secs(3);

/// A good request put now passes, whatever lies there.
async fn the_newest_passes(ends: &Ends, n: u32) {
    let name = format!("OQSsiquc01req_good{n}.xml");
    fs::write(ends.clinic("req").join(&name), WHOLE).unwrap();
    let path = ends.terminal("req").join(&name);
    assert_eq!(tokio::time::timeout(NEWEST, appears(&path)).await.expect("it passes in time"), WHOLE);
    fs::remove_file(ends.terminal("req").join(&name)).unwrap();
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn all(part: &RelayPart, reason: HeldReason, count: usize) -> bool {
    part.held.len() == count && held(part).iter().all(|held| *held == reason)
}

#[tokio::test]
async fn names_no_side_may_use_are_held() {
    let mut ends = Ends::new().start();
    // The longest name a file system of ours takes; one of 300 bytes or with a NUL cannot even be put.
    let longest = format!("OQSsiquc01req_{}.xml", "x".repeat(255 - 18));
    let bad: [&[u8]; 11] = [
        b"OQSsiquc01req_a..b.xml",
        b"..OQSsiquc01req_1.xml",
        b"OQSsiquc01req_1.xml:stream",
        b"OQSsiquc01req_1.xml.",
        b"OQSsiquc01req_1.xml ",
        b"OQSsiquc01req_\\1.xml",
        b"OQSsiquc01req_\xff.xml",
        b"OQSsiquc01req_\x07.xml",
        b"CON.xml",
        b"lpt1.OQSsiquc01req_1.xml",
        longest.as_bytes(),
    ];
    for name in bad {
        fs::write(ends.clinic("req").join(OsStr::from_bytes(name)), WHOLE).unwrap();
    }
    ends.says(|part| all(part, HeldReason::BadName, bad.len())).await;
    the_newest_passes(&ends, 1).await;
    assert_eq!(count(&ends.clinic("req")), bad.len(), "nothing was lost");
    assert_eq!(count(&ends.terminal("req")), 0);
}

#[tokio::test]
async fn another_case_is_the_same_kind_and_keeps_its_own() {
    let ends = Ends::new().start();
    let name = "oqsSIQUC01REQ_A1.XML";
    fs::write(ends.clinic("req").join(name), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(name)).await, WHOLE);
    let answer = "OQSSIQUC01RES_a1.Xml";
    fs::write(ends.terminal("res").join(answer), WHOLE).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(answer)).await, WHOLE);
}

#[tokio::test]
async fn a_file_with_a_second_name_is_handed_over_as_a_copy_of_its_own() {
    let ends = Ends::new().start();
    let outside = ends.folder.path().join("state/share/OQS/other-name");
    fs::write(&outside, WHOLE).unwrap();
    fs::hard_link(&outside, ends.clinic("req").join(REQUEST)).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    fs::write(&outside, b"<XmlMsg>changed</XmlMsg>").unwrap();
    assert_eq!(fs::read(ends.terminal("req").join(REQUEST)).unwrap(), WHOLE);
    the_newest_passes(&ends, 1).await;
}

#[tokio::test]
async fn links_folders_and_pipes_on_the_terminal_are_left_alone() {
    let ends = Ends::new();
    let res = ends.terminal("res");
    let secret = ends.folder.path().join("state/secret");
    fs::write(&secret, WHOLE).unwrap();
    std::os::unix::fs::symlink(&secret, res.join("OQSsiquc01res_1.xml")).unwrap();
    fs::create_dir(res.join("OQSsiquc01res_2.xml")).unwrap();
    nix::unistd::mkfifo(&res.join("OQSsiquc01res_3.xml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ends = ends.start();
    fs::write(res.join(ANSWER), WHOLE).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, WHOLE);
    vanishes(&res.join(ANSWER)).await;
    assert_eq!(count(&res), 3);
    assert_eq!(names(&ends.clinic("res")), [ANSWER]);
}

#[tokio::test]
async fn five_gigabytes_are_held_unread_on_both_sides() {
    const SIZE: u64 = 5 << 30;
    let mut ends = Ends::new().start();
    let (request, answer) = (ends.clinic("req").join(REQUEST), ends.terminal("res").join(ANSWER));
    for path in [&request, &answer] {
        File::create(path).unwrap().set_len(SIZE).unwrap();
    }
    ends.says(|part| all(part, HeldReason::TooLarge, 2)).await;
    the_newest_passes(&ends, 1).await;
    let other = ends.terminal("res").join("OQSsiquc01res_2.xml");
    fs::write(&other, WHOLE).unwrap();
    vanishes(&other).await;
    assert_eq!((fs::metadata(request).unwrap().len(), fs::metadata(answer).unwrap().len()), (SIZE, SIZE));
}

#[tokio::test]
async fn a_file_that_grows_waits_until_it_is_whole_and_keeps_nobody_back() {
    let mut ends = Ends::new().start();
    let path = ends.clinic("req").join(REQUEST);
    let append = |bytes: &[u8]| {
        // Closed after every piece: each time it could be whole.
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(bytes).unwrap();
    };
    for n in 0..5 {
        append(b"<XmlMsg>more");
        the_newest_passes(&ends, n).await;
        // On a machine with much to do it may rest long enough to be held meanwhile, and is taken all the same.
        let waits = |part: &RelayPart| part.waiting.iter().any(|one| one.reason == WaitReason::BeingWritten);
        ends.says(|part| waits(part) || held(part) == [HeldReason::HalfWritten]).await;
        assert!(path.exists());
    }
    append(b"</XmlMsg>");
    let whole = [b"<XmlMsg>more".repeat(5), b"</XmlMsg>".to_vec()].concat();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, whole);
}

/// A kind nobody waits for at a counter, whose rate lets one through.
fn backlog() -> Kind {
    let (key, prefix) = ("OQSmutokusiquc01req".into(), "OQSmutokusiquc01req_".into());
    Kind { key, prefix, per_minute: Some(1), answered_by: Vec::new(), ..kinds().remove(0) }
}

#[tokio::test]
async fn a_hundred_thousand_files_at_once_wait_for_their_turn_and_the_newest_good_one_passes() {
    const FILES: usize = 100_000;
    let mut ends = Ends::new();
    let kinds = [kinds(), vec![backlog()]].concat();
    let root = ends.folder.path().join("terminal");
    ends.start_site(crate::Config { kinds: kinds.into(), ..ends.config() }, vec![LocalTerminal { root }]);
    let req = ends.clinic("req");
    for n in 0..FILES {
        fs::write(req.join(format!("OQSmutokusiquc01req_{n}.xml")), WHOLE).unwrap();
    }
    the_newest_passes(&ends, 1).await;
    let all = ends.part.wait_for(|part| part.waiting_count >= FILES as u64);
    let part = tokio::time::timeout(Duration::from_secs(120), all).await.unwrap().unwrap().clone();
    assert!(part.waiting.iter().any(|one| one.reason == WaitReason::InTurn));
    assert_eq!(part.held_count, 0);
    the_newest_passes(&ends, 2).await;
    assert_eq!(count(&req) + count(&ends.terminal("req")), FILES, "nothing was lost");
}

/// A kilobyte that claims to hold four gigabytes, and entities that would unfold to as much.
fn bombs() -> [(&'static str, Vec<u8>); 2] {
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    zip.extend([0_u32, 512, u32::MAX].map(u32::to_le_bytes).concat());
    zip.extend(b"\x05\0\0\0a.xml");
    zip.extend([0; 512]);
    let directory = zip.len();
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0");
    zip.extend([0_u32, 512, u32::MAX].map(u32::to_le_bytes).concat());
    zip.extend([b"\x05\0".as_slice(), &[0; 16], b"a.xml"].concat());
    let length = zip.len() - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend([length, directory].map(|number| u32::try_from(number).unwrap().to_le_bytes()).concat());
    zip.extend([0; 2]);
    let entity = |n: u32| format!("<!ENTITY e{} \"{}\">", n + 1, format!("&e{n};").repeat(10));
    let entities: String = (0..9).map(entity).collect();
    let xml = format!("<?xml version=\"1.0\"?><!DOCTYPE XmlMsg [<!ENTITY e0 \"ten bytes.\">{entities}]>");
    [("zip", zip), ("xml", format!("{xml}<XmlMsg>&e9;</XmlMsg>").into_bytes())]
}

#[tokio::test]
async fn bombs_pass_as_the_bytes_they_are_and_nothing_unfolds_them() {
    let mut ends = Ends::new();
    // Answers are looked into as well.
    let config = crate::Config { count_outcomes: true, ..ends.config() };
    let root = ends.folder.path().join("terminal");
    ends.start_site(config, vec![LocalTerminal { root }]);
    for (extension, bytes) in bombs() {
        let (request, answer) =
            (format!("OQSsiquc01req_bomb.{extension}"), format!("OQSsiquc01res_bomb.{extension}"));
        fs::write(ends.clinic("req").join(&request), &bytes).unwrap();
        assert!(appears(&ends.terminal("req").join(&request)).await == bytes);
        fs::write(ends.terminal("res").join(&answer), &bytes).unwrap();
        assert!(appears(&ends.clinic("res").join(&answer)).await == bytes);
        vanishes(&ends.terminal("res").join(&answer)).await;
    }
    the_newest_passes(&ends, 1).await;
    let part = ends.says(|part| part.held.is_empty() && part.answers_today == 2).await;
    // Of a ZIP nothing is counted.
    assert_eq!(part.outcomes, Some(Outcomes { unread: 1, ..Outcomes::default() }));
}

#[tokio::test]
async fn the_same_name_twice_with_other_bytes_never_replaces_the_first() {
    let mut ends = Ends::new().start();
    let other = [WHOLE, WHOLE].concat();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    vanishes(&ends.clinic("req").join(REQUEST)).await;
    fs::write(ends.clinic("req").join(REQUEST), &other).unwrap();
    ends.says(|part| held(part) == [HeldReason::NameTaken]).await;
    assert_eq!(fs::read(ends.terminal("req").join(REQUEST)).unwrap(), WHOLE);
    let kept = names(&ends.own("attempted/t1"));
    let kept = kept.iter().find(|entry| entry.starts_with("n.")).unwrap();
    assert_eq!(fs::read(ends.own("attempted/t1").join(kept)).unwrap(), other, "nothing was lost");
    the_newest_passes(&ends, 1).await;
    // Two answers of one name, the second before the first was collected: each is seen.
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    fs::write(ends.terminal("res").join(ANSWER), &other).unwrap();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked)).await;
    assert_eq!(fs::read(ends.clinic("res").join(ANSWER)).unwrap(), WHOLE);
    fs::remove_file(ends.clinic("res").join(ANSWER)).unwrap();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, other);
}
