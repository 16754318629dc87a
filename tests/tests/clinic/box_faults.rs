//! The faults of the box itself, seen from outside of it: what it says the time is, what its kernel holds, who dies.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clinic::Clinic;

use crate::scene::{on_the_box, processes};

/// The year in which a role of the box lives, by the date of an answer.
fn year(clinic: &Clinic) -> i32 {
    let mut socket = UnixStream::connect(clinic.socket_dir().join("netd/netd.sock")).unwrap();
    write!(socket, "GET /part HTTP/1.1\r\nHost: sekisho\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let date = text.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
    date.split(' ').nth(3).unwrap().parse().unwrap()
}

#[test]
fn a_box_with_another_clock_lives_in_another_year_and_comes_back() {
    let clinic = Clinic::up("box-clock").unwrap();
    let now = year(&clinic);
    clinic.fault("TIME-01", true).unwrap();
    assert!(year(&clinic) < now);
    // It is the clock that is wrong, not the start that was: a restart does not mend it.
    clinic.start_daemon(&[]).unwrap();
    assert!(year(&clinic) < now);
    clinic.fault("TIME-01", false).unwrap();
    assert!(year(&clinic) >= now);
    clinic.fault("TIME-01:ahead", true).unwrap();
    assert!(year(&clinic) > now);
}

#[test]
fn a_rule_by_hand_is_in_the_kernel_and_gone_when_it_is_undone() {
    let clinic = Clinic::up("box-rule").unwrap();
    let forward = || on_the_box(&clinic, &["nft", "list", "chain", "inet", "sekisho", "forward"]);
    let before = forward();
    clinic.fault("BOX-02", true).unwrap();
    assert_ne!(forward(), before);
    clinic.fault("BOX-02", false).unwrap();
    assert_eq!(forward(), before);
}

#[test]
fn a_role_that_crashes_is_another_process_again_and_again_until_it_is_left_alone() {
    let clinic = Clinic::up_with("box-crash", &["--split"]).unwrap();
    let folder = clinic.socket_dir();
    let relays = || {
        let is = |line: &str| line.contains("--role relayd") && line.contains(folder.to_str().unwrap());
        processes().into_iter().filter(|(_, line)| is(line)).map(|(pid, _)| pid).collect::<Vec<_>>()
    };
    let healthy = relays();
    clinic.fault("BOX-05", true).unwrap();
    let (mut seen, end) = (BTreeSet::new(), Instant::now() + Duration::from_secs(30));
    while seen.len() < 3 {
        assert!(Instant::now() < end, "{seen:?}");
        seen.extend(relays());
    }
    assert!(healthy.iter().all(|pid| !seen.contains(pid)));
    clinic.fault("BOX-05", false).unwrap();
    let relayd = clinic.status().unwrap().the_box.pids["relayd"];
    assert_eq!(relays(), [relayd]);
}

#[test]
fn one_role_of_a_box_that_is_one_process_cannot_crash_alone() {
    let clinic = Clinic::up("box-whole").unwrap();
    let refused = clinic.fault("BOX-05", true).unwrap_err().to_string();
    assert!(refused.contains("--split"), "{refused}");
}

#[test]
fn a_disk_without_room_says_so_and_keeps_what_lies_on_it() {
    let clinic = Clinic::up("box-disk").unwrap();
    let state = clinic.state();
    let state = state.to_str().unwrap();
    let room = || on_the_box(&clinic, &["stat", "--file-system", "--format=%b", state]);
    let lies = || on_the_box(&clinic, &["find", state, "-maxdepth", "2", "-type", "d"]);
    let before = (room(), lies());
    clinic.fault("BOX-01", true).unwrap();
    assert_ne!(room(), before.0);
    assert_eq!(sorted(&lies()), sorted(&before.1));
    clinic.fault("BOX-01", false).unwrap();
    assert_eq!(room(), before.0);
}

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn sensors_are_covered_and_uncovered_again() {
    let clinic = Clinic::up("box-heat").unwrap();
    let zones = || on_the_box(&clinic, &["ls", "/sys/class/thermal", "/sys/block"]);
    let before = zones();
    clinic.fault("BOX-08", true).unwrap();
    assert!(zones().contains("thermal_zone0"));
    clinic.fault("BOX-08:worn", true).unwrap();
    assert!(zones().contains("mmcblk0"));
    clinic.fault("BOX-08:worn", false).unwrap();
    clinic.fault("BOX-08", false).unwrap();
    assert_eq!(zones(), before);
}
