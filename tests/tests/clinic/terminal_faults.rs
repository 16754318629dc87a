//! What the terminal itself says to the outside, felt where it ends: at the box's rules, and on the line. Who gives a terminal the
//! way out is sekisho, so a box of ours runs.

use std::time::{Duration, Instant};

use clinic::Clinic;

use crate::scene::on_the_box;

/// How many packets the box's last line for what terminals send out has refused.
fn refused(clinic: &Clinic) -> u64 {
    let chain = on_the_box(clinic, &["nft", "list", "chain", "inet", "sekisho", "forward_out"]);
    counted(chain.lines().rev().filter(|line| line.contains("forward-out-rest:")))
}

/// How many of the terminal's calls were lost on the line.
fn lost(clinic: &Clinic) -> u64 {
    let listed = clinic.exec("ngn", &["nft", "list", "table", "inet", "TERM_08_way"]).unwrap();
    counted(String::from_utf8(listed.stdout).unwrap().lines())
}

fn counted<'l>(lines: impl Iterator<Item = &'l str>) -> u64 {
    let number = |line: &str| line.split("counter packets ").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    lines.filter_map(number).sum()
}

/// Whether it becomes so soon.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    true
}

#[test]
fn what_the_terminal_asks_elsewhere_is_refused_by_the_box_and_what_it_calls_is_lost_on_the_line() {
    let clinic = Clinic::up_with("faults-term", &[]).unwrap();
    clinic.fault("TERM-12", true).unwrap();
    assert!(soon(|| refused(&clinic) > 3), "questions of the terminal come to the box");
    clinic.fault("TERM-12", false).unwrap();
    assert!(clinic.oqs("asks=nobody").is_ok());
    let before = refused(&clinic);
    clinic.fault("TERM-08:way", true).unwrap();
    assert!(soon(|| lost(&clinic) > 3), "calls of the terminal come to the line");
    clinic.fault("TERM-08:way", false).unwrap();
    assert!(refused(&clinic) <= before + 1, "nothing of it was refused by the box");
    let tables = clinic.exec("ngn", &["nft", "list", "ruleset"]).unwrap();
    assert_eq!(String::from_utf8(tables.stdout).unwrap(), "");
}
