//! The key of all hashes. By it alone an answer is known again that was shown and still lies on the terminal, so it is
//! kept twice, and each copy says by a hash of itself whether it is whole.

use std::path::{Path, PathBuf};

use super::{Key, whole};
use crate::Error;

/// The key, and whether it is a new one. What is damaged is set aside; the copy that is lost is made again of the other.
pub fn open(relay: &Path) -> Result<(Key, bool), Error> {
    let places: [PathBuf; 2] = [relay.join("key"), relay.join("log").join("key")];
    let found = [whole(&places[0], parse)?, whole(&places[1], parse)?];
    let known = found[0].or(found[1]);
    let key = known.map_or_else(draw, Ok)?;
    for (place, found) in places.iter().zip(found) {
        if found != Some(key) {
            keep(place, key, known.is_some())?;
        }
    }
    Ok((key, known.is_none()))
}

fn keep(place: &Path, key: Key, again: bool) -> Result<(), Error> {
    if again {
        tracing::warn!(place = %place.display(), "a copy of the key of seen answers was missing and is made again");
    }
    Ok(journal::replace(place, &bytes(key))?)
}

fn draw() -> Result<Key, Error> {
    let mut key = Key::default();
    getrandom::fill(&mut key).map_err(|source| Error::Random(source.to_string()))?;
    Ok(key)
}

fn bytes(key: Key) -> Vec<u8> {
    [key, *blake3::hash(&key).as_bytes()].concat()
}

/// Earlier versions kept the bare key.
fn parse(found: Vec<u8>) -> Option<Key> {
    let key = *found.first_chunk()?;
    (found == key || found == bytes(key)).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PLACES: [&str; 2] = ["key", "log/key"];

    fn store() -> (tempfile::TempDir, Key) {
        let relay = tempfile::tempdir().unwrap();
        fs::create_dir(relay.path().join("log")).unwrap();
        let (key, is_new) = open(relay.path()).unwrap();
        assert!(is_new);
        assert_eq!(open(relay.path()).unwrap(), (key, false));
        (relay, key)
    }

    #[test]
    fn either_copy_may_be_lost_cut_short_or_garbled_and_the_key_stays() {
        for place in PLACES {
            for length in [None, Some(0), Some(31), Some(40)] {
                let (relay, key) = store();
                let path = relay.path().join(place);
                match length {
                    None => fs::remove_file(&path).unwrap(),
                    Some(length) => {
                        fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap()
                    }
                }
                assert_eq!(open(relay.path()).unwrap(), (key, false), "{place} {length:?}");
                assert_eq!(fs::read(&path).unwrap(), bytes(key), "made again");
                assert_eq!(path.with_extension("damaged-0").exists(), length.is_some());
            }
            let (relay, key) = store();
            let path = relay.path().join(place);
            let mut garbled = fs::read(&path).unwrap();
            garbled[3] ^= 1;
            fs::write(&path, garbled).unwrap();
            assert_eq!(open(relay.path()).unwrap(), (key, false));
        }
    }

    #[test]
    fn a_bare_key_of_an_earlier_version_stays_the_key() {
        let (relay, key) = store();
        PLACES.iter().for_each(|place| fs::remove_file(relay.path().join(place)).unwrap());
        fs::write(relay.path().join("key"), key).unwrap();
        assert_eq!(open(relay.path()).unwrap(), (key, false));
        fs::remove_file(relay.path().join("key")).unwrap();
        assert_eq!(open(relay.path()).unwrap(), (key, false));
    }

    #[test]
    fn a_key_that_is_lost_twice_is_a_new_one_and_says_so() {
        let (relay, key) = store();
        PLACES.iter().for_each(|place| fs::write(relay.path().join(place), b"short").unwrap());
        let (other, is_new) = open(relay.path()).unwrap();
        assert!(is_new && other != key);
        assert_eq!(fs::read(relay.path().join("log/key.damaged-0")).unwrap(), b"short");
    }
}
