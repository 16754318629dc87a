//! What an answer says about itself, for counting: two elements by name, wherever they stand. Only where the site file
//! wants it, and only after the answer is on the box: nothing is routed by it, and no value is kept.
//!
//! UTF-8 and Shift_JIS are read, as the declaration says; other encodings are not. A DTD is refused, and no entity is
//! ever expanded.

use std::borrow::Cow;

use model::parcel::Outcome;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// Larger ones are not looked into.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Deeper than any answer is.
const DEEPEST: usize = 64;

/// What these bytes say.
pub fn outcome(bytes: &[u8]) -> Outcome {
    said(bytes).map_or(Outcome::Unread, |said| said.outcome())
}

/// The values of the two elements. A batch has several of the second: an error among them counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    segment: Option<u8>,
    status: Option<u8>,
}

impl Said {
    const fn outcome(self) -> Outcome {
        match (self.segment, self.status) {
            (Some(b'9'), _) => Outcome::Failed,
            (Some(b'2'), _) => Outcome::Pending,
            // A whole that ended well may hold a refusal: success needs both.
            (Some(b'1') | None, Some(b'2')) => Outcome::Refused,
            (Some(b'1'), Some(b'1') | None) | (None, Some(b'1')) => Outcome::Normal,
            _ => Outcome::Unread,
        }
    }
}

/// None if it is not to be understood, or not to be trusted.
fn said(bytes: &[u8]) -> Option<Said> {
    if bytes.len() > LARGEST {
        return None;
    }
    let markup = markup(bytes)?;
    let mut reader = Reader::from_str(&markup);
    let (mut found, mut here, mut depth) = (Said::default(), Element::Other, 0_usize);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                here = Element::of(start.local_name().as_ref());
                if depth > DEEPEST {
                    return None;
                }
            }
            Event::Text(text) => found.take(here, text.as_ref())?,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                here = Element::Other;
            }
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0).then_some(found),
            // A reference in one of the two values is none of the values.
            Event::GeneralRef(_) | Event::CData(_) if here != Element::Other => return None,
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Segment,
    Status,
    Other,
}

impl Element {
    fn of(name: &str) -> Self {
        match name {
            "SegmentOfResult" => Self::Segment,
            "ProcessingResultStatus" => Self::Status,
            _ => Self::Other,
        }
    }
}

impl Said {
    fn take(&mut self, here: Element, text: &str) -> Option<()> {
        let place = match here {
            Element::Segment => &mut self.segment,
            Element::Status => &mut self.status,
            Element::Other => return Some(()),
        };
        let [digit @ b'0'..=b'9'] = text.trim_ascii().as_bytes() else { return None };
        // Of several the worst: 9 before 2 before 1.
        *place = (*place).max(Some(*digit));
        Some(())
    }
}

/// The markup as text. In Shift_JIS what is not ASCII becomes a question mark: no value is wanted, and a second byte may
/// look like a bracket. None for other encodings: UTF-16 has noughts, ISO-2022-JP an escape.
fn markup(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.iter().any(|byte| matches!(byte, 0 | 0x1b)) {
        return None;
    }
    let named =
        |names: &[&str], name: &[u8]| names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()));
    match declared(bytes) {
        Some(name) if named(&SHIFT_JIS, name) => Some(Cow::Owned(ascii(bytes))),
        Some(name) if !named(&["utf-8"], name) => None,
        _ => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
    }
}

/// The names Shift_JIS goes by, with Microsoft's additions and without.
const SHIFT_JIS: [&str; 6] = ["shift_jis", "shift-jis", "sjis", "windows-31j", "cp932", "ms932"];

fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            0..=0x7f => text.push(char::from(*byte)),
            // The first of two.
            0x81..=0x9f | 0xe0..=0xfc => {
                rest.next();
                text.push('?');
            }
            _ => text.push('?'),
        }
    }
    text
}

/// The encoding the declaration names.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let rest = bytes.strip_prefix(b"<?xml")?;
    let declaration = &rest[..rest.windows(2).take(200).position(|end| end == b"?>")?];
    let at = declaration.windows(8).position(|word| word == b"encoding")?;
    let value = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    matches!(quote, b'"' | b'\'').then_some(())?;
    Some(&value[..value.iter().position(|byte| byte == quote)?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(head: &str, segment: &str, status: &str) -> Vec<u8> {
        format!("{head}<XmlMsg><MessageHeader>{segment}</MessageHeader><MessageBody>{status}</MessageBody></XmlMsg>")
            .into_bytes()
    }

    const UTF8: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>"#;

    fn segment(value: &str) -> String {
        format!("<SegmentOfResult>{value}</SegmentOfResult>")
    }

    fn status(value: &str) -> String {
        format!("<ProcessingResultStatus>{value}</ProcessingResultStatus>")
    }

    #[test]
    fn success_needs_both_elements_and_an_error_needs_one() {
        for (one, other, wanted) in [
            (segment("1"), status("1"), Outcome::Normal),
            (segment("1"), String::new(), Outcome::Normal),
            (String::new(), status("1"), Outcome::Normal),
            (segment("1"), status("2"), Outcome::Refused),
            (segment("1"), status("1") + &status("2") + &status("1"), Outcome::Refused),
            (segment("2"), String::new(), Outcome::Pending),
            (segment("9"), String::new(), Outcome::Failed),
            (segment(" 9\n"), status("1"), Outcome::Failed),
            (String::new(), String::new(), Outcome::Unread),
            (segment("7"), String::new(), Outcome::Unread),
            (segment("19"), String::new(), Outcome::Unread),
            (segment("&#49;"), String::new(), Outcome::Unread),
            (segment("<![CDATA[1]]>"), String::new(), Outcome::Unread),
        ] {
            assert_eq!(outcome(&answer(UTF8, &one, &other)), wanted, "{one}{other}");
        }
    }

    #[test]
    fn both_encodings_are_read_whatever_the_second_bytes_are_and_others_are_not() {
        // 見本, then characters whose second bytes are `\`, `]` and `|`.
        let kanji = b"\x8c\xa9\x96\x7b\x95\x5c\x8f\x5d\x8f\x7c";
        let mut bytes = br#"<?xml version="1.0" encoding='Shift_JIS'?><XmlMsg><Name>"#.to_vec();
        bytes.extend_from_slice(kanji);
        bytes.extend_from_slice(b"</Name><SegmentOfResult>1</SegmentOfResult></XmlMsg>");
        assert_eq!(outcome(&bytes), Outcome::Normal);
        let named =
            |name: &str| answer(&format!(r#"<?xml version="1.0" encoding="{name}"?>"#), &segment("1"), "");
        assert_eq!(outcome(&named("windows-31j")), Outcome::Normal);
        assert_eq!(outcome(&named("ISO-2022-JP")), Outcome::Unread);
        assert_eq!(outcome(&named("UTF-16")), Outcome::Unread);
        assert_eq!(outcome(&answer("\u{feff}", &segment("1"), "")), Outcome::Normal);
        let wide: Vec<u8> =
            "<SegmentOfResult>1</SegmentOfResult>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(outcome(&wide), Outcome::Unread);
    }

    #[test]
    fn a_dtd_a_bomb_what_is_broken_and_what_is_too_large_are_unread() {
        let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;&a;">]>"#;
        assert_eq!(outcome(&answer(bomb, &segment("&b;"), "")), Outcome::Unread);
        assert_eq!(outcome(&answer(bomb, &segment("1"), "")), Outcome::Unread);
        assert_eq!(outcome(b"<XmlMsg><SegmentOfResult>1</SegmentOfResult>"), Outcome::Unread);
        assert_eq!(outcome(b"<XmlMsg><SegmentOfResult>1</Other></XmlMsg>"), Outcome::Unread);
        assert_eq!(outcome(&answer(&"<a>".repeat(1000), "", "")), Outcome::Unread);
        let mut large = answer(UTF8, &segment("1"), "");
        large.resize(LARGEST, b' ');
        assert_eq!(outcome(&large), Outcome::Normal);
        large.push(b' ');
        assert_eq!(outcome(&large), Outcome::Unread);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            outcome(&bytes);
        }

        #[test]
        fn markup_of_any_sort_is_read_to_an_end(
            parts in prop::collection::vec(
                prop::sample::select(vec!["<a>", "</a>", "<", ">", "&x;", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>",
                    "<SegmentOfResult>", "</SegmentOfResult>", "1", "9", " ", "<!DOCTYPE", "\"", "'", "/"]), 0..30)
        ) {
            outcome(parts.concat().as_bytes());
        }
    }
}
