//! A network namespace for a case.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

/// Runs a program in the namespace of this thread and gives what it printed.
pub fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    output.stdout
}

/// A command as one types it.
pub fn run_line(line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    run(words[0], &words[1..]);
}

/// Runs a case on a thread with a network namespace of its own, in which only the loopback is.
pub fn alone(case: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace can only be made as root");
            run_line("ip link set dev lo up");
            case();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}
