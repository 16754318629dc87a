//! A hundred thousand files that wait, and somebody at the counter.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use super::super::Wrong;
use super::super::event::{Eye, Happening, until_every};
use super::super::lab::Lab;
use super::local::{Local, Way, put};
use super::{Limit, Line, Times, memory, print, verdict};
use crate::faux::forms::Form;

const WAITING: usize = 100_000;
const REQUESTS: usize = 20;
/// The longest that one at the counter may wait, ms.
const LIMIT: Limit = Limit { median: 1000.0, p99: 1000.0 };
/// The most memory that `relayd` may take, KiB, with its history.
const MEMORY: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(120);
/// What is younger than this is somebody at the counter, and a little more.
const AGE: Duration = Duration::from_secs(31);

/// Fills the folder while the terminal is away, lets it grow old, brings the terminal back, and puts new ones of the same
/// kind while the old ones go.
pub fn measure(lab: &Lab, local: &Local, out: &mut dyn Write) -> Result<bool, Wrong> {
    let (ready, request) = (local.ready()?, local.consumer.join("req"));
    let bytes = Form::Xml.request("backlog", 0);
    let terminal = |mode| fs::set_permissions(&local.terminal, fs::Permissions::from_mode(mode));
    // Nobody but us gets in any more.
    terminal(0o000)?;
    for number in 0..WAITING {
        let name = format!("OQSsiquc01req_W{number:06}.xml");
        put(&ready.join(&name), &bytes)?;
        fs::rename(ready.join(&name), request.join(&name))?;
    }
    until_every(Duration::from_secs(1), "the relay has seen all that waits", PATIENCE, || {
        let relay = lab.snapshot()?.relay.map(|relay| relay.part);
        let waiting = relay.map_or(0, |part| part.waiting_count);
        Ok((waiting + 2000 > WAITING as u64).then_some(()))
    })?;
    std::thread::sleep(AGE);
    let pid = lab.status()?.the_box.pids.get("relayd").copied();
    let memory = memory(pid.ok_or_else(|| Wrong::new("nothing runs relayd"))?)?;
    let (way, mut times) = (Way { from: request, to: local.terminal.join("req") }, Times::default());
    // The relay tries a terminal that is away every four seconds at the latest: until then nothing goes, and it is not the
    // backlog that a new one waits for.
    let old = Eye::on(&way.to, Happening::MovedIn)?;
    terminal(0o777)?;
    let back = Instant::now();
    old.see(PATIENCE, |_| true)?;
    let back = back.elapsed().as_secs_f64();
    for number in 0..REQUESTS {
        times.add(way.walk(&format!("OQSsiquc01req_C{number}.xml"), &Form::Xml.request("counter", 2048))?);
    }
    let line = Line::new("folders, 100,000 old ones going: a new one", times).within(LIMIT);
    let left = fs::read_dir(local.consumer.join("req"))?.count();
    let small = memory <= MEMORY;
    let good = line.is_within() && small;
    print(&[line], None, out)?;
    writeln!(out, "the terminal was back for {back:.1} s when the first of the old ones went")?;
    writeln!(out, "{left} of the old ones still waited when the last of the new had gone")?;
    writeln!(out, "relayd and its history: {memory} KiB (PSS); at most {MEMORY}: {}", verdict(small))?;
    Ok(good)
}
