//! The append log against cuts and damage: whatever the bytes, opening never panics, and what it returns was
//! appended once.

use proptest::prelude::*;

use super::*;

fn payloads(folder: &Path) -> (Vec<Vec<u8>>, Vec<Fact>) {
    let opened = Log::open(folder).unwrap();
    (opened.records.into_iter().map(|record| record.payload).collect(), opened.facts)
}

fn filled(folder: &Path, records: &[Vec<u8>]) {
    let mut log = Log::open(folder).unwrap().log;
    for record in records {
        log.append(&[record]).unwrap();
    }
}

fn segment(folder: &Path) -> PathBuf {
    folder.join(format!("{:020}.log", 1))
}

#[test]
fn a_group_is_appended_in_order_and_numbers_go_on_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::open(folder.path()).unwrap().log;
    assert_eq!(log.append(&[b"a", b"b"]).unwrap(), 2);
    drop(log);
    let mut opened = Log::open(folder.path()).unwrap();
    assert_eq!(opened.facts, []);
    assert_eq!(opened.log.append(&[b"c"]).unwrap(), 3);
    assert_eq!(payloads(folder.path()).0, [b"a", b"b", b"c"]);
}

#[test]
fn damage_in_the_middle_sets_the_segment_aside_and_keeps_what_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), &[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    let mut bytes = fs::read(segment(folder.path())).unwrap();
    bytes[16 + 3 + 16] ^= 1;
    fs::write(segment(folder.path()), &bytes).unwrap();
    let (found, facts) = payloads(folder.path());
    assert_eq!(found, [b"one".to_vec(), b"three".to_vec()]);
    let [Fact::SetAside { path, kept: 2 }] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!(fs::read(path).unwrap(), bytes, "the damaged bytes are kept as they were");
    assert_eq!(payloads(folder.path()), (found, Vec::new()), "said once, and nothing more is lost");
}

#[test]
fn a_log_grows_over_several_segments_and_old_ones_can_be_retired() {
    let folder = tempfile::tempdir().unwrap();
    let record = vec![7; MAX_PAYLOAD];
    filled(folder.path(), &vec![record; 40]);
    let count = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(count(), 3);
    let mut opened = Log::open(folder.path()).unwrap();
    assert_eq!(opened.records.len(), 40);
    opened.log.retire(1000).unwrap();
    assert_eq!(count(), 1, "the newest segment stays");
    assert_eq!(opened.log.append(&[b"x"]).unwrap(), 41);
    assert_eq!(Log::open(folder.path()).unwrap().log.next(), 42);
}

#[test]
fn after_a_failed_write_the_log_is_poisoned_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::open(folder.path()).unwrap().log;
    log.append(&[b"a"]).unwrap();
    let writable = std::mem::replace(&mut log.file, File::open(&log.path).unwrap());
    assert!(matches!(log.append(&[b"b"]), Err(Error::Io { action: "write", .. })));
    log.file = writable;
    assert!(matches!(log.append(&[b"b"]), Err(Error::Poisoned(_))));
    drop(log);
    assert_eq!(Log::open(folder.path()).unwrap().log.append(&[b"b"]).unwrap(), 2);
}

#[test]
fn a_payload_beyond_the_limit_is_refused_and_the_log_stays_usable() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::open(folder.path()).unwrap().log;
    assert!(matches!(log.append(&[&vec![0; MAX_PAYLOAD + 1]]), Err(Error::TooLarge { .. })));
    assert_eq!(log.append(&[b"a"]).unwrap(), 1);
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_bytes_a_cut_left_at_the_tail_every_acknowledged_record_is_there(
        records in records(), tail in prop::collection::vec(any::<u8>(), 0..60)
    ) {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), &records);
        OpenOptions::new().append(true).open(segment(folder.path())).unwrap().write_all(&tail).unwrap();
        let (found, facts) = payloads(folder.path());
        prop_assert_eq!(&found, &records);
        prop_assert_eq!(facts.is_empty(), tail.is_empty());
        filled(folder.path(), &[b"after".to_vec()]);
        prop_assert_eq!(payloads(folder.path()).0.len(), records.len() + 1);
    }

    #[test]
    fn a_log_cut_anywhere_holds_a_prefix_of_its_records(records in records(), cut in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), &records);
        let bytes = fs::read(segment(folder.path())).unwrap();
        fs::write(segment(folder.path()), &bytes[..cut.index(bytes.len() + 1)]).unwrap();
        let found = payloads(folder.path()).0;
        prop_assert_eq!(&found[..], &records[..found.len()]);
    }

    #[test]
    fn a_flipped_bit_costs_at_most_its_own_record(
        records in records(), at in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), &records);
        let mut bytes = fs::read(segment(folder.path())).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(segment(folder.path()), &bytes).unwrap();
        let (found, facts) = payloads(folder.path());
        prop_assert_eq!(found.len(), records.len() - 1);
        prop_assert!(!facts.is_empty());
        let mut left = records.iter();
        prop_assert!(found.iter().all(|one| left.any(|other| other == one)), "in order, and nothing invented");
    }
}
