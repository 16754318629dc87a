//! Both ends by SMB: the receipt computer's client, the box's share, the relay, and the terminal's share.

use std::io::Write;
use std::time::{Duration, Instant};

use super::super::Wrong;
use super::super::event::{Eye, Happening};
use super::super::lab::Lab;
use super::local::put;
use super::{Limit, Line, Times, flush, rate, verdict};
use crate::faux::forms::Form;

/// Files relayed one by one; at least 200.
const FILES: usize = 300;
/// Size of a file, bytes: a request of the field.
const SIZE: usize = 2048;
const LIMIT: Limit = Limit { median: 20.0, p99: 80.0 };
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Files relayed at once, and how many a second are good.
const MANY: usize = 3000;
const A_SECOND: f64 = 300.0;

/// One file after the other, from its close in the box's share until the terminal's Samba shows it; and F beside it.
pub fn one_by_one(lab: &mut Lab) -> Result<(Vec<Line>, f64), Wrong> {
    let (mut relayed, mut flushed) = (Times::default(), Times::default());
    for _ in 0..FILES {
        let name = lab.fresh("OQSsiquc01", "xml");
        relayed.add(walk(lab, &name)?);
        lab.answer(&name)?;
        flush(&lab.clinic().state(), &mut flushed)?;
    }
    let f = flushed.median();
    let relayed = Line::new("SMB to SMB: close in the clinic's share -> terminal", relayed).within(LIMIT);
    Ok((vec![relayed, Line::new("F: one fdatasync of 2 KB beside the share", flushed)], f))
}

fn walk(lab: &mut Lab, name: &str) -> Result<Duration, Wrong> {
    let (from, to) = (lab.on_box("req"), lab.on_terminal("req"));
    let (closed, stands) = (Eye::on(&from, Happening::Closed)?, Eye::on(&to, Happening::MovedIn)?);
    let watch = |eye: Eye| {
        let name = name.to_owned();
        std::thread::spawn(move || eye.see(PATIENCE, |seen| seen == name).map(|(_, at)| at))
    };
    let (closed, stands) = (watch(closed), watch(stands));
    lab.put(&format!("req/{name}"), &Form::Xml.request(name, SIZE))?;
    let joined = |thread: std::thread::JoinHandle<Result<Instant, Wrong>>| {
        thread.join().map_err(|_| Wrong::new("a watcher panicked"))?
    };
    let (closed, stands) = (joined(closed)?, joined(stands)?);
    Ok(stands.saturating_duration_since(closed))
}

/// Many that lie ready while the terminal shares nothing: from the first to the last that it gets.
pub fn many(lab: &mut Lab, out: &mut dyn Write) -> Result<bool, Wrong> {
    lab.oqs("stopped=on")?;
    lab.fault("TERM-02", true)?;
    // What is put before the relay has noticed would go at once, and not be counted.
    let judged = || Ok(lab.check()?.verdict.foremost);
    lab.until("the terminal's absence is judged", PATIENCE, judged)?;
    let bytes = Form::Xml.request("many", SIZE);
    for _ in 0..MANY {
        let name = lab.fresh("OQSsiquc01", "xml");
        put(&lab.on_box("req").join(&name), &bytes)?;
    }
    let eye = Eye::on(&lab.on_terminal("req"), Happening::MovedIn)?;
    lab.fault("TERM-02", false)?;
    let (_, took) = eye.count(PATIENCE, MANY)?;
    let rate = rate(MANY, took);
    let good = rate >= A_SECOND;
    writeln!(
        out,
        "SMB, {MANY} at once: {rate:.0} a second; at least {A_SECOND} are good: {}",
        verdict(good)
    )?;
    Ok(good)
}
