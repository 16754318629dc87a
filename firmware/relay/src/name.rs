//! Names and kinds: what may pass is decided by a file's name alone, against the table of kinds of the profile.

use model::parcel::{Direction, HeldReason};
use model::profile::Kind;

use crate::sabotage;

/// The longest name, bytes. Our own folders put a number before it, and a file system's limit is 255.
pub const LONGEST: usize = 200;

/// Finds the kind a file of this name in this folder is.
///
/// # Errors
/// [`HeldReason::BadName`] for a name no side may use, [`HeldReason::UnknownKind`] if no kind matches.
pub fn admit<'k>(
    name: &[u8],
    folder: &str,
    direction: Direction,
    kinds: &'k [Kind],
) -> Result<&'k Kind, HeldReason> {
    let mut here = kinds.iter().filter(|kind| kind.direction == direction && kind.folder == folder);
    if sabotage::is(sabotage::NO_NAME_CHECK) {
        return here.next().ok_or(HeldReason::UnknownKind);
    }
    let name = std::str::from_utf8(name).ok().filter(|name| is_usable(name)).ok_or(HeldReason::BadName)?;
    here.filter(|kind| free_part(name, kind).is_some())
        .max_by_key(|kind| kind.prefix.len())
        .ok_or(HeldReason::UnknownKind)
}

/// What is left of a name without its kind's prefix and its extension: the part a request shares with its answer,
/// in lower case. None if the name is not of this kind.
pub fn free_part(name: &str, kind: &Kind) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix(&kind.prefix.to_ascii_lowercase())?;
    let (free, extension) = rest.rsplit_once('.')?;
    let known = kind.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
    (known && !free.is_empty()).then(|| free.to_owned())
}

/// The extension of a name, in lower case.
pub fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

/// Whether every side can use this name and means the same file by it (Windows' naming rules).
fn is_usable(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    !name.is_empty()
        && name.len() <= LONGEST
        && !name.contains(forbidden)
        && !name.contains("..")
        && !name.ends_with(['.', ' '])
        && !is_device(name)
}

/// Reserved DOS names are devices with any extension: `CON.xml` is the console.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        let digit = stem.strip_prefix(device).and_then(|rest| {
            let mut rest = rest.chars();
            rest.next().filter(|_| rest.next().is_none())
        });
        digit.is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c))
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || numbered("COM")
        || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::kinds;

    fn request(name: &[u8]) -> Result<String, HeldReason> {
        admit(name, "req", Direction::Request, &kinds()).map(|kind| kind.key.clone())
    }

    #[test]
    fn a_known_name_is_its_kind_whatever_its_case() {
        for name in ["OQSsiquc01req_202502030001.xml", "oqsSIQUC01REQ_1.XML", "OQSsiquc01req_患者.zip"] {
            assert_eq!(request(name.as_bytes()).as_deref(), Ok("OQSsiquc01req"), "{name}");
        }
    }

    #[test]
    fn the_same_name_in_another_folder_is_unknown() {
        let kinds = kinds();
        let name = b"OQSsiquc01res_face_1.xml";
        let kind = |folder| admit(name, folder, Direction::Answer, &kinds).map(|kind| kind.key.as_str());
        assert_eq!(kind("face"), Ok("OQSsiquc01face"));
        assert_eq!(kind("res"), Ok("OQSsiquc01res"));
        assert_eq!(kind("req"), Err(HeldReason::UnknownKind));
    }

    #[test]
    fn what_matches_no_kind_is_unknown() {
        for name in [
            "del1.txt",
            "OQSsiquc01req_1.exe",
            "OQSsiquc01req_.xml",
            "OQSsiquc01req_1",
            "xOQSsiquc01req_1.xml",
        ] {
            assert_eq!(request(name.as_bytes()), Err(HeldReason::UnknownKind), "{name}");
        }
    }

    #[test]
    fn names_no_side_may_use_are_bad_also_with_a_known_prefix() {
        let long = format!("OQSsiquc01req_{}.xml", "x".repeat(200));
        let bad: [&[u8]; 15] = [
            b"OQSsiquc01req_/1.xml",
            b"OQSsiquc01req_\\1.xml",
            b"OQSsiquc01req_..xml",
            b"OQSsiquc01req_1.xml:stream",
            b"OQSsiquc01req_1.xml.",
            b"OQSsiquc01req_1.xml ",
            b"OQSsiquc01req_\x07.xml",
            b"OQSsiquc01req_\xff.xml",
            b"OQSsiquc01req_\x8a\xb3.xml",
            b"OQSsiquc01req_?.xml",
            b"con.xml",
            b"COM1",
            "LPT².zip".as_bytes(),
            b"",
            long.as_bytes(),
        ];
        for name in bad {
            assert_eq!(request(name), Err(HeldReason::BadName), "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_request_and_its_answer_share_their_free_part() {
        let kinds = kinds();
        let (request, answer) = (&kinds[0], &kinds[1]);
        assert_eq!(free_part("OQSsiquc01req_A1.xml", request), Some("a1".into()));
        assert_eq!(free_part("oqssiquc01RES_a1.pdf", answer), Some("a1".into()));
    }

    proptest! {
        #[test]
        fn an_admitted_name_stays_in_its_folder(name in prop::collection::vec(any::<u8>(), 0..40)) {
            let name = [b"OQSsiquc01req_".as_slice(), &name, b".xml"].concat();
            if request(&name).is_ok() {
                let name = String::from_utf8(name).unwrap();
                prop_assert!(!name.contains(['/', '\\', ':', '\0']) && !name.contains(".."));
            }
        }
    }
}
