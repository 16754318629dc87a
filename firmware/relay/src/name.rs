//! Names and kinds: what may pass is decided by a file's folder and name alone, against the table of kinds.

use model::kind::Kind;
use model::parcel::{Direction, HeldReason};

use crate::sabotage;

/// The longest name, bytes. Our own folders put up to 75 before it, and a file system's limit is 255.
pub const LONGEST: usize = 180;

/// Which kind: its place in the table.
pub type KindId = u16;

/// The table of kinds, ready for looking up.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    kind: Kind,
    /// The prefix in lower case.
    prefix: Box<[u8]>,
}

impl Table {
    /// The table of these kinds; those that are off are not in it.
    pub fn new(kinds: &[Kind]) -> Self {
        let row = |kind: &Kind| {
            let prefix = kind.prefix.to_ascii_lowercase().into_bytes().into();
            Row { kind: kind.clone(), prefix }
        };
        Self { rows: kinds.iter().filter(|kind| kind.enabled).map(row).collect() }
    }

    /// How many kinds there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The kind at this place.
    pub fn kind(&self, id: KindId) -> Option<&Kind> {
        self.rows.get(usize::from(id)).map(|row| &row.kind)
    }

    /// What people call it.
    pub fn key(&self, id: Option<KindId>) -> &str {
        id.and_then(|id| self.kind(id)).map_or("unknown", |kind| kind.key.as_str())
    }

    /// The folders of a direction, in the table's order, and whether an end without it is nevertheless well.
    pub fn folders(&self, direction: Direction) -> Vec<(String, bool)> {
        let mut found: Vec<(String, bool)> = Vec::new();
        for kind in self.rows.iter().map(|row| &row.kind).filter(|kind| kind.direction == direction) {
            match found.iter_mut().find(|(folder, _)| *folder == kind.folder) {
                Some((_, may_lack)) => *may_lack &= kind.folder_may_lack,
                None => found.push((kind.folder.clone(), kind.folder_may_lack)),
            }
        }
        found
    }

    /// Finds the kind a file of this name in this folder is: the one with the longest prefix.
    ///
    /// # Errors
    /// [`HeldReason::BadName`] for a name no side may use, [`HeldReason::UnknownKind`] if no kind matches.
    pub fn admit(&self, name: &[u8], folder: &str, direction: Direction) -> Result<KindId, HeldReason> {
        let here = self.rows.iter().enumerate();
        let mut here = here.filter(|(_, row)| row.kind.direction == direction && row.kind.folder == folder);
        let id = |at: usize| KindId::try_from(at).map_err(|_| HeldReason::UnknownKind);
        if sabotage::is(sabotage::NO_NAME_CHECK) {
            return here.next().ok_or(HeldReason::UnknownKind).and_then(|(at, _)| id(at));
        }
        let name =
            std::str::from_utf8(name).ok().filter(|name| is_usable(name)).ok_or(HeldReason::BadName)?;
        let found = here.filter(|(_, row)| row.names(name)).max_by_key(|(_, row)| row.prefix.len());
        found.ok_or(HeldReason::UnknownKind).and_then(|(at, _)| id(at))
    }

    /// What a request has in common with its answer: the name in lower case without its extension, and without the
    /// `req`, `res` or `err` its prefix ends with. Where a prefix ends otherwise, what follows it.
    pub fn stem(&self, id: KindId, name: &str) -> Option<String> {
        let row = self.rows.get(usize::from(id))?;
        let stem = name.rsplit_once('.')?.0.to_ascii_lowercase();
        let (prefix, free) = stem.split_at_checked(row.prefix.len())?;
        let token = ["req_", "res_", "err_"].iter().find_map(|token| prefix.strip_suffix(token));
        Some(token.map_or_else(|| free.to_owned(), |before| format!("{before}_{free}")))
    }

    /// Whether an answer of this kind may belong to a request of that kind.
    pub fn answers(&self, answer: KindId, request: KindId) -> bool {
        let key = self.key(Some(answer));
        self.kind(request).is_some_and(|request| request.answered_by.iter().any(|known| known == key))
    }
}

impl Row {
    /// Whether a usable name is of this kind: its prefix, something behind it, and one of its extensions.
    fn names(&self, name: &str) -> bool {
        let Some((stem, extension)) = name.rsplit_once('.') else { return false };
        let stem = stem.as_bytes();
        let is_prefix = self.prefix.iter().zip(stem).all(|(wanted, found)| match wanted {
            b'?' => found.is_ascii_alphanumeric(),
            wanted => found.eq_ignore_ascii_case(wanted),
        });
        let has_extension = || self.kind.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
        stem.len() > self.prefix.len() && is_prefix && has_extension()
    }
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

    fn table() -> Table {
        Table::new(&kinds())
    }

    fn request(name: &[u8]) -> Result<String, HeldReason> {
        let table = table();
        table.admit(name, "req", Direction::Request).map(|id| table.key(Some(id)).to_owned())
    }

    #[test]
    fn a_known_name_is_its_kind_whatever_its_case() {
        for name in ["OQSsiquc01req_202502030001.xml", "oqsSIQUC01REQ_1.XML", "OQSsiquc01req_患者.zip"] {
            assert_eq!(request(name.as_bytes()).as_deref(), Ok("OQSsiquc01req"), "{name}");
        }
    }

    #[test]
    fn the_same_name_in_another_folder_is_unknown() {
        let table = table();
        let name = b"OQSsiquc01res_face_1.xml";
        let kind = |folder| table.admit(name, folder, Direction::Answer).map(|id| table.key(Some(id)));
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
        let long = format!("OQSsiquc01req_{}.xml", "x".repeat(300));
        let bad: [&[u8]; 16] = [
            b"OQSsiquc01req_/1.xml",
            b"OQSsiquc01req_\\1.xml",
            b"OQSsiquc01req_..xml",
            b"OQSsiquc01req_\0.xml",
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
    fn any_letter_or_digit_stands_for_a_question_mark_and_nothing_else_does() {
        let mut kinds = kinds();
        kinds[0].prefix = "EPSsi?????req_".into();
        let table = Table::new(&kinds);
        let kind = |name: &[u8]| table.admit(name, "req", Direction::Request);
        assert_eq!(kind(b"EPSsiDMP01req_1.xml"), Ok(0));
        assert_eq!(kind(b"EPSsi_DMP0req_1.xml"), Err(HeldReason::UnknownKind));
        assert_eq!(kind(b"EPSsiDMP1req_1.xml"), Err(HeldReason::UnknownKind));
    }

    #[test]
    fn a_request_and_its_answers_share_their_stem() {
        let table = table();
        let [request, answer, face] = [0, 1, 2];
        assert_eq!(table.stem(request, "OQSsiquc01req_A1.xml"), Some("oqssiquc01_a1".into()));
        assert_eq!(table.stem(answer, "oqssiquc01RES_a1.pdf"), Some("oqssiquc01_a1".into()));
        assert!(table.answers(answer, request) && !table.answers(face, request));
    }

    #[test]
    fn a_kind_that_is_off_is_unknown() {
        let mut kinds = kinds();
        kinds[0].enabled = false;
        let found = Table::new(&kinds).admit(b"OQSsiquc01req_1.xml", "req", Direction::Request);
        assert_eq!(found, Err(HeldReason::UnknownKind));
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
