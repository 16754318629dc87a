//! A shared key that another site has too lets either site be the other. The installer keeps a list of fingerprints,
//! keyed with a key that never leaves his desk, so that the list tells nobody a key; a key whose fingerprint is in it
//! is refused.

/// The fingerprint of a shared key under the list's key: 32 hexadecimal digits.
pub fn fingerprint(list_key: &[u8; 32], psk: &str) -> String {
    let hash = blake3::keyed_hash(list_key, psk.as_bytes());
    hash.to_hex()[..32].to_owned()
}

/// The key of a list, of a sentence that the installer keeps.
pub fn list_key(sentence: &str) -> [u8; 32] {
    blake3::derive_key("sekisho 2026-11-30 fingerprints of shared keys", sentence.as_bytes())
}

/// The site that has this key already, by a list with a line `FINGERPRINT SITE` for each.
pub fn whose<'l>(list: &'l str, fingerprint: &str) -> Option<&'l str> {
    let mut lines = list.lines().filter_map(|line| line.trim().split_once(' '));
    lines.find(|(known, _)| *known == fingerprint).map(|(_, site)| site.trim())
}

/// What is wrong with a shared key by itself; none: nothing. RFC 7296 section 2.15 wants as much randomness as the key
/// it protects, and a sentence somebody thought of has less.
pub fn weakness(psk: &str) -> Option<&'static str> {
    let mut letters: Vec<char> = psk.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    match (psk.chars().count(), letters.len()) {
        (0..20, _) => Some("it is shorter than 20 characters"),
        (_, 0..8) => Some("it has fewer than 8 different characters"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_another_site_has_is_found_and_the_list_without_its_key_tells_nothing() {
        let key = list_key("the installer's sentence");
        let print = fingerprint(&key, "kx7-Ru2!mm0q-hYc4-Ptz9");
        let list = format!("00000000000000000000000000000000 clinic-a\n{print} clinic-b\n");
        assert_eq!(whose(&list, &print), Some("clinic-b"));
        assert_eq!(whose(&list, &fingerprint(&key, "another")), None);
        assert_ne!(print, fingerprint(&list_key("another sentence"), "kx7-Ru2!mm0q-hYc4-Ptz9"));
        assert!(!list.contains("kx7"));
    }

    #[test]
    fn a_key_that_can_be_guessed_is_called_weak() {
        assert!(weakness("clinic123").is_some() && weakness("aaaaaaaaaaaaaaaaaaaaaaaa").is_some());
        assert_eq!(weakness("kx7-Ru2!mm0q-hYc4-Ptz9"), None);
    }
}
