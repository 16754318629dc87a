//! `sekisho hold` from outside: what it runs ends with whoever is on standard input, and says so when it ends by itself.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn hold(program: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    let child = command.args(["hold", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    child.expect("the binary runs")
}

#[test]
fn a_held_program_ends_when_its_holder_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (program, mark) = (folder.path().join("program"), folder.path().join("mark"));
    let script = format!("#!/bin/sh\necho $$ >{}\nexec sleep 600\n", mark.display());
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let mut held = hold(program.to_str().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&mark).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < deadline, "it does not start");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    drop(held.stdin.take());
    assert!(!held.wait().unwrap().success(), "it was ended");
    let pid = std::fs::read_to_string(&mark).unwrap();
    let left = std::path::Path::new("/proc").join(pid.trim()).join("exe");
    assert!(std::fs::read_link(left).is_err(), "nothing of it is left");
}

#[test]
fn a_held_program_that_ends_by_itself_ends_the_hold() {
    for (program, well) in [("/bin/true", true), ("/bin/false", false)] {
        let mut held = hold(program);
        // To wait for a child closes its input: the holder stays until it has ended.
        let holder = held.stdin.take();
        assert_eq!(held.wait().unwrap().success(), well, "{program}");
        drop(holder);
    }
}
