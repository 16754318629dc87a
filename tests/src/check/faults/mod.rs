//! `faults`: every fault the lab can make is made on a running clinic, judged, undone, and judged clean again. Up to four
//! clinics stand side by side and share the work. A wrong accusation on the way, even in one published verdict, is wrong.

mod case;
mod ear;
mod pairs;
mod side;
mod table;
mod traffic;
mod walk;

use std::io::Write;
use std::time::Duration;

pub use self::case::Case;
use self::side::Queue;
pub use self::walk::play as play_one;
use super::lab::Wish;
use super::{Row, Wrong};
use crate::layout::Layout;

/// What is wished for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Names, faults or codes; all cases that this build judges if there are none.
    pub codes: Vec<String>,
    /// Two faults at once instead of one.
    pub pairs: bool,
    /// Nobody asks for a sweep: it is measured how soon the box says it by itself. One fault of each kind, if none is named.
    pub passive: bool,
    /// So many sweeps of a clean clinic instead of any fault.
    pub clean: Option<u32>,
    /// The line they hang on, and how.
    pub layout: Layout,
    /// The clinics that stand side by side.
    pub sides: Vec<String>,
}

impl Order {
    /// The cases, in the order of the table.
    ///
    /// # Errors
    /// A word means none of them.
    pub fn cases(&self) -> Result<Vec<Case>, Wrong> {
        let all = if self.pairs { pairs::cases() } else { table::cases() };
        if let Some(unknown) = self.codes.iter().find(|word| !all.iter().any(|case| case.is(word))) {
            let names: Vec<&str> = all.iter().map(|case| case.name.as_str()).collect();
            return Err(Wrong(format!("there is no {unknown}; there are {}", names.join(" "))));
        }
        let not_here = |word: &&String| {
            let mut named = all.iter().filter(|case| case.is(word));
            named.all(|case| !case.is_on(self.layout))
        };
        if let Some(word) = self.codes.iter().find(not_here) {
            return Err(Wrong(format!(
                "{word} cannot be made on a line of kind {}",
                self.layout.line.word()
            )));
        }
        let meant = |case: &Case| match self.codes.as_slice() {
            _ if !case.is_on(self.layout) => false,
            [] => case.is_judged(),
            words => words.iter().any(|word| case.is(word)),
        };
        let cases = all.into_iter().filter(meant);
        Ok(match (self.passive, self.codes.as_slice()) {
            (false, _) => cases.collect(),
            (true, []) => {
                cases.filter(|case| ONE_A_KIND.contains(&case.name.as_str())).map(unasked).collect()
            }
            (true, _) => cases.map(unasked).collect(),
        })
    }
}

/// Plays what is wished for, and says whether all of it was right.
///
/// # Errors
/// A word means no case, or nobody can be told any more.
pub fn play(wish: &Wish, order: &Order, out: &mut (dyn Write + Send)) -> Result<(Vec<Row>, bool), Wrong> {
    if let Some(sweeps) = order.clean {
        return side::clean(wish, &order.sides, sweeps, out);
    }
    let (judged, not): (Vec<Case>, Vec<Case>) = order.cases()?.into_iter().partition(Case::is_judged);
    let mut rows: Vec<Row> = not.iter().map(not_judged).collect();
    rows.iter().try_for_each(|row| writeln!(out, "{row}"))?;
    rows.extend(side::play(wish, &order.sides, Queue::of(judged), out)?);
    let right = rows.iter().filter(|row| row.wrong.is_none()).count();
    writeln!(out, "right={right} of {}", rows.len())?;
    let all = right == rows.len() && right > 0;
    Ok((rows, all))
}

/// A fault of each kind that the box finds in another way: an event, its own look nearby, its look at other people's
/// hosts, the relay's word, the patience with an answer.
const ONE_A_KIND: [&str; 6] = ["WAN-01", "WAN-03", "CTR-01", "TERM-01", "TERM-03", "TERM-07"];

/// Faults made outside the box, one of each kind that a board could see otherwise than the lab's own box: those that an
/// image's story plays. Not the receipt computer's own: a board is asked from where it stands.
///
/// # Panics
/// Never: the names are those of the table, see the test.
pub fn on_a_board() -> Vec<Case> {
    const NAMES: [&str; 12] = [
        "WAN-03",
        "WAN-08",
        "WAN-11",
        "WAN-12",
        "DNS-03:centre",
        "DNS-04",
        "DNS-05",
        "CTR-03",
        "CTR-04",
        "CTR-07",
        "TERM-04",
        "TERM-06",
    ];
    table::cases().into_iter().filter(|case| NAMES.contains(&case.name.as_str())).collect()
}

fn unasked(case: Case) -> Case {
    Case { passive: true, ..case }
}

fn not_judged(case: &Case) -> Row {
    let wrong = Some("not judged by this build".into());
    Row { name: case.name.clone(), made: case.made(), wrong, took: Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(codes: &[&str], pairs: bool) -> Result<Vec<String>, String> {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        let cases = Order { codes, pairs, ..Order::default() }.cases().map_err(|wrong| wrong.to_string())?;
        Ok(cases.into_iter().map(|case| case.name).collect())
    }

    #[test]
    fn a_code_means_all_its_cases_and_a_word_that_means_none_is_refused_with_those_there_are() {
        assert_eq!(names(&["TERM-01"], false).unwrap(), ["TERM-01", "TERM-01/born", "TERM-01:cable"]);
        assert_eq!(names(&["TERM-01:cable", "WAN-03"], false).unwrap(), ["WAN-03", "TERM-01:cable"]);
        let refused = names(&["WAN-03", "WAN-99"], false).unwrap_err();
        assert!(refused.contains("no WAN-99") && refused.contains("CTR-02/one-neighbour"), "{refused}");
    }

    #[test]
    fn without_words_all_that_this_build_judges_is_played_and_no_more() {
        let cases = Order::default().cases().unwrap();
        assert!(cases.iter().all(Case::is_judged));
        assert!(cases.len() > 20, "{}", cases.len());
    }
}
