//! Every record changed, missing, moved or cut off is found and named, and a cut at any byte accuses nobody.

use std::fs;

use super::*;
use crate::record;

fn filled(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(folder.path()).unwrap().chain;
    for n in 1..=count {
        assert_eq!(chain.append(format!("entry {n}").as_bytes()).unwrap().seq, n);
    }
    folder
}

fn segment(folder: &Path) -> PathBuf {
    crate::log::segment_path(folder, 1)
}

/// The records of the only segment, framed.
fn frames(folder: &Path) -> Vec<Record> {
    let bytes = fs::read(segment(folder)).unwrap();
    record::places(&bytes).into_iter().map(Option::unwrap).collect()
}

fn write(folder: &Path, records: &[Record]) {
    let mut bytes = Vec::new();
    records.iter().for_each(|record| record::encode(&mut bytes, record.seq, &record.payload));
    fs::write(segment(folder), bytes).unwrap();
}

fn flaws(folder: &Path) -> Vec<Flaw> {
    verify(folder).unwrap().flaws
}

#[test]
fn what_was_appended_is_whole_also_over_restarts_and_none_at_all_is_whole_too() {
    assert_eq!(flaws(tempfile::tempdir().unwrap().path()), []);
    let folder = filled(3);
    let mut opened = Chain::open(folder.path()).unwrap();
    opened.chain.append(b"more").unwrap();
    let found = verify(folder.path()).unwrap();
    assert_eq!((found.flaws, found.links.len(), found.head.seq), (vec![], 4, 4));
    assert_eq!(found.links[3].previous, found.links[2].anchor().hash);
}

#[test]
fn the_form_of_a_hash_is_fixed() {
    let anchor = Link { seq: 1, previous: [0; 32], entry: b"abc".to_vec() }.anchor();
    assert_eq!(hex(&anchor.hash), "0c3b20c0ac3b8922642b2f3167dc85442e7e311453b932cb7f78d83e98a7bf7f");
}

#[test]
fn a_record_changed_with_its_checksum_made_right_is_found_wherever_it_is() {
    for at in 0..4 {
        let folder = filled(4);
        let mut records = frames(folder.path());
        *records[at].payload.last_mut().unwrap() ^= 1;
        write(folder.path(), &records);
        assert_eq!(flaws(folder.path()), [Flaw::Changed(at as u64 + 1)], "{at}");
    }
}

#[test]
fn a_record_with_one_bit_changed_is_found_wherever_it_is() {
    let whole = fs::read(segment(filled(4).path())).unwrap();
    for at in 0..whole.len() {
        let folder = filled(4);
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(segment(folder.path()), &bytes).unwrap();
        let found = flaws(folder.path());
        assert!(matches!(found[..], [Flaw::Changed(_)]), "byte {at}: {found:?}");
    }
}

#[test]
fn a_missing_record_is_found_wherever_it_is() {
    for at in 0..4 {
        let folder = filled(4);
        let mut records = frames(folder.path());
        records.remove(at);
        write(folder.path(), &records);
        let found = flaws(folder.path());
        let wanted = if at == 3 { Flaw::CutOff { last: 3, head: 4 } } else { Flaw::Missing(at as u64 + 1) };
        assert_eq!(found, [wanted]);
    }
}

#[test]
fn records_that_changed_places_are_found() {
    let folder = filled(4);
    let mut records = frames(folder.path());
    records.swap(1, 2);
    write(folder.path(), &records);
    assert_eq!(flaws(folder.path()), [Flaw::Moved(2)]);
}

#[test]
fn an_end_that_was_cut_off_is_found_and_is_still_after_the_chain_has_gone_on() {
    let folder = filled(4);
    let records = frames(folder.path());
    write(folder.path(), &records[..2]);
    assert_eq!(flaws(folder.path()), [Flaw::CutOff { last: 2, head: 4 }]);
    Chain::open(folder.path()).unwrap().chain.append(b"more").unwrap();
    assert_eq!(flaws(folder.path()), [Flaw::Missing(3), Flaw::Missing(4)]);
}

#[test]
fn without_its_ends_a_record_is_not_said_to_be_whole() {
    let folder = filled(2);
    fs::remove_file(ends_path(folder.path())).unwrap();
    assert_eq!(flaws(folder.path()), [Flaw::NoEnds]);
}

#[test]
fn a_cut_while_the_last_record_was_written_accuses_nobody() {
    let folder = filled(3);
    let before = fs::read(ends_path(folder.path())).unwrap();
    let size = fs::metadata(segment(folder.path())).unwrap().len();
    Chain::open(folder.path()).unwrap().chain.append(b"cut off").unwrap();
    let whole = fs::read(segment(folder.path())).unwrap();
    for length in usize::try_from(size).unwrap()..=whole.len() {
        fs::write(segment(folder.path()), &whole[..length]).unwrap();
        fs::write(ends_path(folder.path()), &before).unwrap();
        assert_eq!(flaws(folder.path()), [], "{length}");
        let mut again = Chain::open(folder.path()).unwrap().chain;
        again.append(b"and on").unwrap();
        assert_eq!(flaws(folder.path()), [], "{length}, opened again");
    }
}

#[test]
fn what_was_retired_is_not_missed_and_what_is_left_still_hangs_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(folder.path()).unwrap().chain;
    for _ in 0..40 {
        chain.append(&[7; 60_000]).unwrap();
    }
    let links = verify(folder.path()).unwrap().links;
    chain.retire(&links[29]).unwrap();
    let found = verify(folder.path()).unwrap();
    assert_eq!(found.flaws, []);
    assert!((18..=31).contains(&found.links[0].seq), "{}", found.links[0].seq);
    fs::remove_file(crate::log::segment_path(folder.path(), found.links[0].seq)).unwrap();
    assert_eq!(flaws(folder.path()).first(), Some(&Flaw::Missing(31)));
}
