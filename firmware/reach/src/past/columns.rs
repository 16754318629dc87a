//! The different pictures of the ladder that were seen, each once: a column is a word for every place.
//!
//! Rungs fall and rise together, so that a line which flaps for days shows a few dozen pictures; kept once and run by
//! number ([`super::runs`]), all rungs together take what one of them would.

/// A rung by its name, and the terminal for a terminal's rungs.
pub type Place = (String, Option<String>);

/// The places, the words, and the columns made of them.
#[derive(Clone, Debug)]
pub struct Columns {
    places: Vec<Place>,
    words: Vec<String>,
    /// One column after the other, a byte a place: the number of its word.
    cells: Vec<u8>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { places: Vec::new(), words: vec![model::past::UNKNOWN.to_owned()], cells: Vec::new() }
    }
}

impl Columns {
    /// The most places: no site has so many rungs, however many terminals.
    const PLACES: usize = 64;
    /// The most bytes of columns.
    const BYTES: usize = 54 * 1024;
    /// So many are asked for at a time at most: doubling would hold up to as much again for nothing.
    const STEP: usize = 4 * 1024;
    /// Longest name taken in: one that is longer is none of ours.
    const NAME: usize = 60;

    /// The places, in the order of a column.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The words, by number; the first is that nothing is known.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How many columns there are.
    pub fn count(&self) -> usize {
        self.cells.len().checked_div(self.places.len()).unwrap_or(0)
    }

    /// The number of a place, which is made if it is new. None if there is no room for it: then nothing is known of it.
    pub fn place(&mut self, rung: &str, terminal: Option<&str>) -> Option<usize> {
        let same = |(a, b): &Place| a == rung && b.as_deref() == terminal;
        if let Some(at) = self.places.iter().position(same) {
            return Some(at);
        }
        let long = rung.len().max(terminal.map_or(0, str::len)) > Self::NAME;
        if long || self.places.len() >= Self::PLACES {
            return None;
        }
        let old = self.places.len();
        self.places.push((rung.to_owned(), terminal.map(str::to_owned)));
        if old > 0 {
            self.cells =
                self.cells.chunks(old).flat_map(|column| column.iter().copied().chain([0])).collect();
            self.cells.shrink_to_fit();
        }
        Some(old)
    }

    /// The number of a word, which is made if it is new; that of the unknown if there is no room for it.
    pub fn word(&mut self, word: &str) -> u8 {
        let found = self.words.iter().position(|known| known == word);
        if let Some(index) = found.and_then(|at| u8::try_from(at).ok()) {
            return index;
        }
        match u8::try_from(self.words.len()) {
            Ok(index) if word.len() <= Self::NAME => {
                self.words.push(word.to_owned());
                index
            }
            _ => 0,
        }
    }

    /// The words of a column, a number each; nothing is known of a place behind its end.
    pub fn get(&self, column: u16) -> &[u8] {
        let width = self.places.len();
        let at = usize::from(column) * width;
        self.cells.get(at..at + width).unwrap_or_default()
    }

    /// The number of a column, which is made if it is new. None if there is no room: then [`Columns::keep`] some.
    pub fn find(&mut self, column: &[u8]) -> Option<u16> {
        let width = self.places.len();
        if width == 0 {
            return Some(0);
        }
        let mut whole = column.to_vec();
        whole.resize(width, 0);
        let known = self.cells.chunks_exact(width).position(|known| known == whole);
        if let Some(at) = known {
            return u16::try_from(at).ok();
        }
        if self.cells.len() + width > Self::BYTES || self.count() >= super::runs::Runs::COLUMNS {
            return None;
        }
        let at = u16::try_from(self.count()).ok()?;
        if self.cells.capacity() < self.cells.len() + width {
            let more = (self.cells.len() / 4).clamp(4 * width, Self::STEP);
            self.cells.reserve_exact(more.min(Self::BYTES - self.cells.len()));
        }
        self.cells.extend(whole);
        Some(at)
    }

    /// Keeps only the columns that are used. Returns their new numbers, by the old ones.
    pub fn keep(&mut self, used: impl Fn(u16) -> bool) -> Vec<u16> {
        let (width, mut kept, mut numbers) = (self.places.len(), Vec::new(), Vec::new());
        for (old, column) in (0_u16..).zip(self.cells.chunks(width.max(1))) {
            let new = kept.len().checked_div(width).and_then(|new| u16::try_from(new).ok()).unwrap_or(0);
            numbers.push(new);
            if used(old) {
                kept.extend_from_slice(column);
            }
        }
        kept.shrink_to_fit();
        self.cells = kept;
        numbers
    }

    /// The bytes in memory.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let names =
            self.places.iter().map(|(rung, terminal)| rung.len() + terminal.as_ref().map_or(0, String::len));
        let places: usize = names.map(|name| name + size_of::<Place>()).sum();
        let words: usize = self.words.iter().map(|word| word.len() + size_of::<String>()).sum();
        self.cells.capacity() + places + words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_comes_later_was_unknown_before() {
        let mut columns = Columns::default();
        assert_eq!(columns.place("link", None), Some(0));
        let good = columns.word("good");
        let one = columns.find(&[good]).unwrap();
        assert_eq!(columns.place("tunnel", Some("t1")), Some(1));
        assert_eq!(columns.get(one), [good, 0]);
        assert_eq!(columns.find(&[good, good]), Some(1));
        assert_eq!(columns.find(&[good]), Some(one), "what is not said is unknown");
    }

    #[test]
    fn places_words_and_columns_have_an_end() {
        let mut columns = Columns::default();
        let places = (0..100).filter_map(|n| columns.place(&format!("rung-{n}"), None)).count();
        let words = (0..400).map(|n| columns.word(&format!("symptom-{n}"))).filter(|word| *word == 0).count();
        assert_eq!((places, words), (Columns::PLACES, 400 - 255));
        let made = (0..u16::MAX).map_while(|n| columns.find(&n.to_le_bytes())).count();
        assert_eq!(made, Columns::BYTES / Columns::PLACES);
        assert_eq!(columns.place(&"x".repeat(1000), None), None);
    }
}
