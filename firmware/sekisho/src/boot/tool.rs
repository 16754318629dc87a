//! Debian's own tools, run one at a time.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::data::Trouble;

/// Runs a tool with a text on its standard input; a key is never on a command line.
pub fn run(program: &str, arguments: &[&str], input: &str) -> Result<(), Trouble> {
    let name = Path::new(program).file_name().unwrap_or_default().display().to_string();
    let spawned = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        // The device mapper makes its nodes itself, so that nothing waits for udev, which may be at its first steps.
        .env("DM_DISABLE_UDEV", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| format!("{name}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that does not want it has closed it; what it says then is worth more than a broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    let said = child.wait_with_output().map_err(|error| format!("{name}: {error}"))?;
    if said.status.success() {
        return Ok(());
    }
    let word = if said.stderr.is_empty() { last_line(&said.stdout) } else { last_line(&said.stderr) };
    Err(format!("{name} says {}: {word}", said.status.code().unwrap_or(-1)))
}

/// The last line of what a tool said, short and without anything a terminal would act on.
pub fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.trim().lines().last().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}
