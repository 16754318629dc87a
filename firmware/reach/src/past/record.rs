//! What is kept, as it lies in the log: a line of JSON a record, everything by its name.
//!
//! A later record stands over an earlier one. What this firmware does not know is passed over, so that the file of an
//! older or a newer one can be read.

use model::past::{Look, Story};
use serde::{Deserialize, Serialize};

use super::columns::Place;

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Record {
    /// Cells of all rungs.
    Cells(Cells),
    /// A story as it is now.
    Story(Story),
    /// Last good and first bad of a rung.
    Trace(Trace),
    /// What may still be written.
    Ink {
        /// Bytes.
        left: i64,
        /// When, seconds since 1970.
        at: i64,
    },
    /// All stories and traces are told again from here on, so that what lies before holds only cells.
    Base {
        /// When, seconds since 1970.
        at: i64,
    },
    /// A newer firmware's.
    #[serde(other)]
    Unknown,
}

impl Record {
    /// The record's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: names and numbers are JSON")
    }

    /// The record of these bytes, if they are one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A stretch of cells of all rungs. They stand over every cell from `from` on that was kept before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cells {
    /// The number of the first cell: seconds since 1970, by ten.
    pub from: i64,
    /// The rungs. Without any they, and the words, are those of the record before: in calm times the names would be most
    /// of what is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// The words of the cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// The different columns, each the number of a word for every place.
    pub columns: Vec<Vec<u8>>,
    /// The number of a column, and how many cells show it.
    pub runs: Vec<(u32, u32)>,
}

impl Cells {
    /// Adds cells at the end.
    pub fn push(&mut self, column: &[u8], cells: u32) {
        let known = self.columns.iter().position(|known| known == column);
        let at = known.unwrap_or(self.columns.len());
        if known.is_none() {
            self.columns.push(column.to_vec());
        }
        self.runs.push((u32::try_from(at).unwrap_or(u32::MAX), cells));
    }

    /// The columns in their order, and how many cells show each; of a number without a column nothing is known.
    pub fn run_columns(&self) -> impl Iterator<Item = (&[u8], u32)> {
        let column = |at: u32| self.columns.get(usize::try_from(at).ok()?);
        self.runs.iter().map(move |(at, cells)| (column(*at).map_or(&[] as &[u8], Vec::as_slice), *cells))
    }
}

/// Last good and first bad of a rung.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Which rung.
    pub rung: String,
    /// Which terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The last good look.
    #[serde(default)]
    pub good: Option<Look>,
    /// The first bad look of the newest time it was broken.
    #[serde(default)]
    pub bad: Option<Look>,
    /// Whether it is broken now.
    #[serde(default)]
    pub stands: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_firmware_kept_is_passed_over_and_what_it_added_does_not_matter() {
        assert_eq!(Record::read(br#"{"is":"of-next-year","x":1}"#), Some(Record::Unknown));
        let ink = Record::read(br#"{"is":"ink","left":5,"at":7,"more":[]}"#);
        assert_eq!(ink, Some(Record::Ink { left: 5, at: 7 }));
        assert_eq!(Record::read(br#"{"is":"ink"}"#), None);
        assert_eq!(Record::read(b"\xff"), None);
    }

    #[test]
    fn the_form_of_cells_is_fixed() {
        let mut cells = Cells { from: 176_000_000, ..Cells::default() };
        cells.places = vec![("link".into(), None), ("terminal-smb".into(), Some("t1".into()))];
        cells.words = vec!["unknown".into(), "good".into(), "silent".into()];
        cells.push(&[1, 1], 300);
        cells.push(&[1, 2], 1);
        cells.push(&[1, 1], 1);
        let text = String::from_utf8(Record::Cells(cells.clone()).bytes()).unwrap();
        assert_eq!(
            text,
            r#"{"is":"cells","from":176000000,"places":[["link",null],["terminal-smb","t1"]],"words":["unknown","good","silent"],"columns":[[1,1],[1,2]],"runs":[[0,300],[1,1],[0,1]]}"#
        );
        assert_eq!(Record::read(text.as_bytes()), Some(Record::Cells(cells)));
    }
}
