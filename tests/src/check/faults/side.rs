//! Clinics side by side: each takes the next case from one queue.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::super::lab::{Lab, Wish};
use super::super::{Outcome, Row, Wrong};
use super::case::{Case, made};
use super::walk::{self, Judged};
use crate::layout::Layout;

/// What is still to be done.
#[derive(Debug)]
pub struct Queue(Mutex<VecDeque<Case>>);

impl Queue {
    /// A queue of cases. Those that want a clinic of their own come first: they take longest.
    pub fn of(mut cases: Vec<Case>) -> Self {
        let beside = |case: &Case| case.layout(Layout::default()) != Layout::default();
        cases.sort_by_key(|case| (!(case.born || case.split), !beside(case)));
        Self(Mutex::new(cases.into()))
    }

    fn next(&self) -> Option<Case> {
        locked(&self.0).pop_front()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the rows go, as they come.
struct Report<'o> {
    out: Mutex<(&'o mut (dyn Write + Send), Vec<Row>)>,
}

impl Report<'_> {
    fn add(&self, row: Row) {
        let mut out = locked(&self.out);
        // A reader who has left still gets the exit code.
        let _ = writeln!(out.0, "{row}").and_then(|()| out.0.flush());
        out.1.push(row);
    }
}

/// Plays the queue with so many clinics; gives a row for each case.
///
/// # Errors
/// None at present; a clinic that does not come up is the case's failure.
pub fn play(
    wish: &Wish,
    sides: &[String],
    queue: Queue,
    out: &mut (dyn Write + Send),
) -> Result<Vec<Row>, Wrong> {
    let report = Report { out: Mutex::new((out, Vec::new())) };
    let (queue, told) = (&queue, &report);
    std::thread::scope(|scope| {
        for side in sides {
            scope.spawn(move || work(&Wish { name: side.clone(), ..wish.clone() }, queue, told));
        }
    });
    Ok(report.out.into_inner().unwrap_or_else(PoisonError::into_inner).1)
}

/// One clinic's work. It stays up from case to case while all goes well.
fn work(wish: &Wish, queue: &Queue, report: &Report<'_>) {
    let mut standing: Option<Lab> = None;
    while let Some(case) = queue.next() {
        let begun = Instant::now();
        let played = lab(wish, &case, standing.take()).and_then(|mut lab| {
            let judged = walk::play(&mut lab, &case);
            let sound = judged.is_ok() && !case.leaves_marks();
            let same = lab.wish().is_ok_and(|own| (own.split, own.layout) == (wish.split, wish.layout));
            standing = (sound && same).then_some(lab);
            judged
        });
        report.add(row(&case, played, begun));
    }
}

/// The clinic for a case: the one that stands, a fresh one, or one that is born with the case's faults.
fn lab(wish: &Wish, case: &Case, standing: Option<Lab>) -> Result<Lab, Wrong> {
    let (split, layout) = (wish.split || case.split, case.layout(wish.layout));
    if case.born {
        drop(standing);
        return Lab::up(Wish { faults: case.makes.clone(), split, layout, ..wish.clone() });
    }
    if let Some(lab) =
        standing.filter(|lab| lab.wish().is_ok_and(|own| (own.split, own.layout) == (split, layout)))
    {
        return Ok(lab);
    }
    let mut lab = Lab::up(Wish { split, layout, ..wish.clone() })?;
    walk::settle(&mut lab, &made(""))?;
    Ok(lab)
}

fn row(case: &Case, played: Result<Judged, Wrong>, begun: Instant) -> Row {
    let (name, made, took) = (case.name.clone(), case.made(), begun.elapsed());
    match played {
        Ok(Judged { said, after, clean }) => {
            let (after, clean) = (after.as_secs_f64(), clean.as_secs_f64());
            let made = format!("{made}: {said} after {after:.1} s, clean after {clean:.1} s");
            Row { name, made, wrong: None, took }
        }
        Err(wrong) => Row { name, made, wrong: Some(wrong.to_string()), took },
    }
}

/// So many sweeps of clean clinics, without a word from any of them.
///
/// # Errors
/// Nobody can be told any more.
pub fn clean(
    wish: &Wish,
    sides: &[String],
    sweeps: u32,
    out: &mut (dyn Write + Send),
) -> Result<(Vec<Row>, bool), Wrong> {
    let left = Mutex::new(sweeps);
    let report = Report { out: Mutex::new((out, Vec::new())) };
    let total = Mutex::new(0);
    let (left, total_so_far, told) = (&left, &total, &report);
    std::thread::scope(|scope| {
        for side in sides {
            scope.spawn(move || {
                let begun = Instant::now();
                let mut right = 0;
                let wish = Wish { name: side.clone(), ..wish.clone() };
                let quiet = sweep(&wish, left, &mut right);
                *locked(total_so_far) += right;
                let name = format!("{side}: {right} sweeps of a clean clinic");
                let wrong = quiet.err().map(|wrong| wrong.to_string());
                told.add(Row { name, made: "nothing".into(), wrong, took: begun.elapsed() });
            });
        }
    });
    let (out, rows) = report.out.into_inner().unwrap_or_else(PoisonError::into_inner);
    let right = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    writeln!(out, "right={right} of {sweeps}")?;
    Ok((rows, right == sweeps))
}

fn sweep(wish: &Wish, left: &Mutex<u32>, right: &mut u32) -> Outcome {
    let mut lab = Lab::up(wish.clone())?;
    walk::settle(&mut lab, &made(""))?;
    let quiet = walk::Quiet::on(&lab)?;
    while take_one(left) {
        quiet.sweep(&lab)?;
        *right += 1;
    }
    Ok(())
}

fn take_one(left: &Mutex<u32>) -> bool {
    let mut left = locked(left);
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_born_comes_first_and_everything_once() {
        let queue = Queue::of(vec![made("WAN-01"), made("WAN-02").born(), made("WAN-03")]);
        let names: Vec<String> = std::iter::from_fn(|| queue.next()).map(|case| case.name).collect();
        assert_eq!(names, ["WAN-02/born", "WAN-01", "WAN-03"]);
    }
}
