//! Ten thousand small files at once, from folder to folder.

use std::fs;
use std::io::Write;
use std::time::Duration;

use super::super::Wrong;
use super::super::event::{Eye, Happening};
use super::local::{Local, put};
use super::{Times, flush, rate, verdict};
use crate::faux::forms::Form;

const FILES: usize = 10_000;
/// So many a second are good while F is below this, milliseconds.
const A_SECOND: f64 = 2000.0;
const F: f64 = 0.2;
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts them there by a rename each, as fast as it goes, and takes the time from the first to the last that arrives. The
/// order in which they arrive must be that in which they came. That each is durable before it is shown is the relay's own
/// order of effects, which `check relay` and `check powercut` try.
pub fn measure(local: &Local, out: &mut dyn Write) -> Result<bool, Wrong> {
    let mut flushed = Times::default();
    for _ in 0..50 {
        flush(&local.consumer, &mut flushed)?;
    }
    let (ready, request) = (local.ready()?, local.consumer.join("req"));
    let names: Vec<String> = (0..FILES).map(|number| format!("OQSsiquc01req_M{number:05}.xml")).collect();
    let bytes = Form::Xml.request("many", 0);
    names.iter().try_for_each(|name| put(&ready.join(name), &bytes))?;
    let eye = Eye::on(&local.terminal.join("req"), Happening::MovedIn)?;
    let counting = std::thread::spawn(move || eye.count(PATIENCE, FILES));
    for name in &names {
        fs::rename(ready.join(name), request.join(name))?;
    }
    let (arrived, took) = counting.join().map_err(|_| Wrong::new("a watcher panicked"))??;
    let (rate, f, ordered) = (rate(FILES, took), flushed.median(), arrived == names);
    let good = ordered && (rate >= A_SECOND || f >= F);
    writeln!(
        out,
        "folders, {FILES} at once: {rate:.0} a second, in order: {ordered}, F {f:.3} ms; at least {A_SECOND} where F is \
         below {F} ms: {}",
        verdict(good)
    )?;
    Ok(good)
}
