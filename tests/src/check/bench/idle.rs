//! What `relayd` does while there is nothing to do.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::time::Duration;

use super::super::Wrong;
use super::super::lab::Lab;

/// How long it is looked at.
const TIME: Duration = Duration::from_secs(30);
/// How long it gets to come to rest.
const REST: Duration = Duration::from_secs(15);

/// Counts how often each thread wakes up by itself; what wakes it is named in docs/relay.md.
pub fn measure(lab: &Lab, out: &mut dyn Write) -> Result<(), Wrong> {
    std::thread::sleep(REST);
    let before = switches(lab)?;
    std::thread::sleep(TIME);
    let after = switches(lab)?;
    writeln!(out, "relayd at rest, wake-ups in {} s, by thread:", TIME.as_secs())?;
    for (thread, count) in &after {
        let woke = count - before.get(thread).copied().unwrap_or(0);
        if woke > 0 {
            writeln!(out, "  {:<24} {woke:>6}", thread.1)?;
        }
    }
    Ok(())
}

/// Voluntary context switches by thread, with its name.
fn switches(lab: &Lab) -> Result<BTreeMap<(String, String), u64>, Wrong> {
    let pid = lab.status()?.the_box.pids.get("relayd").copied();
    let pid = pid.ok_or_else(|| Wrong::new("nothing runs relayd"))?;
    let mut found = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?;
        let text = fs::read_to_string(thread.path().join("status"))?;
        let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let count = field("voluntary_ctxt_switches:").and_then(|count| count.parse().ok()).unwrap_or(0);
        let name = field("Name:").unwrap_or_default().to_owned();
        found.insert((thread.file_name().to_string_lossy().into_owned(), name), count);
    }
    Ok(found)
}
