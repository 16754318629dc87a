//! Up and down, side by side, killed, refused: and nothing left each time.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use clinic::Clinic;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::scene::{bare, clinic, connect, left, processes, sentence};

const NGN_RESOLVER: &str = "[2001:db8:0:53::1]:53";

#[test]
fn a_clinic_that_was_taken_down_leaves_nothing() {
    let held = bare("life-down");
    assert_eq!(held.status().unwrap().hosts.len(), 6);
    assert_ne!(left("life-down"), [""; 0]);
    drop(held);
    assert_eq!(left("life-down"), [""; 0]);
    assert!(clinic(&["down", "--name", "life-down"]).status.success());
}

#[test]
fn a_clinic_whose_keepers_were_killed_is_cleared_away_by_the_next_up() {
    let held = bare("life-killed");
    let before = processes();
    for host in held.status().unwrap().hosts.values() {
        kill(Pid::from_raw(host.pid), Signal::SIGKILL).unwrap();
    }
    let again = clinic(&["up", "--name", "life-killed", "--box", "bare"]);
    assert!(again.status.success(), "{again:?}");
    let old = before.iter().filter(|(_, line)| line.contains("/run/clinic-life-killed"));
    let now = processes();
    let survivors: Vec<_> = old.filter(|process| now.contains(process)).collect();
    assert!(survivors.is_empty(), "{survivors:?}");
    connect(&held, "box", NGN_RESOLVER).unwrap();
}

#[test]
fn an_up_that_was_killed_half_way_is_cleared_away_by_the_next_down() {
    for moment in ["clinic-life-half", "netns/life-half-centre"] {
        let (folder, file) = moment.rsplit_once('/').unwrap_or(("", moment));
        let events = Inotify::init(InitFlags::IN_CLOEXEC).unwrap();
        let watched = format!("/run/{folder}");
        events.add_watch(watched.as_str(), AddWatchFlags::IN_CREATE).unwrap();
        let mut up = Command::new(env!("CARGO_BIN_EXE_clinic"))
            .args(["up", "--name", "life-half", "--box", "bare"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let came = || {
            events
                .read_events()
                .unwrap()
                .into_iter()
                .any(|event| event.name.as_deref() == Some(file.as_ref()))
        };
        while !came() {}
        up.kill().unwrap();
        up.wait().unwrap();
        assert_ne!(left("life-half"), [""; 0]);
        let down = clinic(&["down", "--name", "life-half"]);
        assert!(down.status.success(), "{down:?}");
        assert_eq!(left("life-half"), [""; 0]);
    }
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_disturbed() {
    let held = bare("life-taken");
    let before = held.status().unwrap();
    let (said, code) = sentence(&clinic(&["up", "--name", "life-taken", "--box", "bare"]));
    assert_eq!(code, 75);
    assert!(said.contains("up already"), "{said}");
    assert_eq!(held.status().unwrap(), before);
    connect(&held, "box", NGN_RESOLVER).unwrap();
}

#[test]
fn two_clinics_stand_side_by_side_and_do_not_know_each_other() {
    let (one, other) = (bare("life-one"), bare("life-other"));
    one.fault("WAN-01", true).unwrap();
    connect(&other, "box", NGN_RESOLVER).unwrap();
    drop(one);
    assert_eq!(left("life-one"), [""; 0]);
    connect(&other, "box", NGN_RESOLVER).unwrap();
}

#[test]
fn without_root_one_sentence_says_so() {
    let folder =
        tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir();
    let folder = folder.unwrap();
    let program = folder.path().join("clinic");
    std::fs::copy(env!("CARGO_BIN_EXE_clinic"), &program).unwrap();
    for verb in ["up", "down", "status"] {
        let output = Command::new(&program).arg(verb).uid(65534).gid(65534).output().unwrap();
        let (said, code) = sentence(&output);
        assert_eq!(code, 77, "{said}");
        assert!(said.contains("root"), "{said}");
    }
}

#[test]
fn a_missing_package_is_named_and_nothing_is_left() {
    let hide = "mount --bind /dev/null \"$(command -v radvd)\" && exec \"$0\" \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", hide])
        .args([env!("CARGO_BIN_EXE_clinic"), "up", "--name", "life-missing", "--box", "bare"])
        .output()
        .unwrap();
    let (said, code) = sentence(&output);
    assert_eq!(code, 69);
    assert!(said.contains("package radvd"), "{said}");
    assert_eq!(left("life-missing"), [""; 0]);
}

#[test]
fn a_busy_port_is_named_and_nothing_is_left() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (said, code) = sentence(&clinic(&["up", "--name", "life-busy", "--box", "bare", "--http", &port]));
    assert_eq!(code, 69);
    assert!(said.contains(&port), "{said}");
    assert_eq!(left("life-busy"), [""; 0]);
}

#[test]
fn a_part_that_fails_half_way_takes_everything_down_again() {
    let (said, code) = sentence(&clinic(&["up", "--name", "life-fails", "--sekisho", "/bin/false"]));
    assert_eq!(code, 70);
    assert!(said.contains("/bin/false"), "{said}");
    assert_eq!(left("life-fails"), [""; 0]);
}

#[test]
fn a_namespace_that_is_somebody_elses_is_left_alone() {
    let ip = |verb| Command::new("ip").args(["netns", verb, "life-foreign-box"]).status().unwrap().success();
    assert!(ip("add"));
    let (said, code) = sentence(&clinic(&["up", "--name", "life-foreign", "--box", "bare"]));
    assert!(ip("delete"), "the namespace is gone");
    assert_eq!(code, 75, "{said}");
    assert_eq!(left("life-foreign"), [""; 0]);
}

#[test]
fn a_namespace_made_by_somebody_else_meanwhile_does_not_bury_ours() {
    // In mounts of its own, where nobody has made a namespace yet.
    let story = format!(
        "mount -t tmpfs none /run && {clinic} up --name life-buried --box bare >/dev/null && \
         ip netns add life-other && ip netns delete life-other && {clinic} down --name life-buried && ls -A /run/netns",
        clinic = env!("CARGO_BIN_EXE_clinic"),
    );
    let told =
        Command::new("unshare").args(["--mount", "--propagation", "private", "sh", "-c", &story]).output();
    let told = told.unwrap();
    assert!(told.status.success(), "{told:?}");
    assert_eq!(String::from_utf8_lossy(&told.stdout), "", "names are left");
}

#[test]
fn what_does_not_exist_and_what_nobody_knows_is_usage() {
    for arguments in [
        &["up", "--line", "pd", "--wiring", "shared"][..],
        &["up", "--fault", "WAN-99"],
        &["up", "--name", "../sk"],
        &["fault", "WAN-99", "on"],
    ] {
        let (said, code) = sentence(&clinic(arguments));
        assert_eq!(code, 64, "{said}");
    }
}

#[test]
fn a_command_in_a_host_has_its_network_its_run_and_our_exit_code() {
    let held = bare("life-exec");
    let output = held.exec("terminal", &["sh", "-c", "ls /sys/class/net /run; exit 7"]).unwrap();
    assert_eq!(output.status.code(), Some(7));
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>(),
        ["/run:", "bin", "clinic-life-exec", "/sys/class/net:", "e0", "lo"]
    );
    let same = Command::new("ip")
        .args(["netns", "exec", "life-exec-terminal", "ip", "-4", "address"])
        .output()
        .unwrap();
    assert!(String::from_utf8(same.stdout).unwrap().contains("192.0.2.2/24"));
    let (_, code) = sentence(&clinic(&["exec", "--name", "life-exec", "moon", "--", "true"]));
    assert_eq!(code, 64);
}

#[test]
fn a_clinic_that_is_not_up_is_said_to_be_so() {
    let _ = Clinic::up_with("life-none", &["--line", "pd", "--wiring", "shared"]).unwrap_err();
    for arguments in
        [&["status", "--name", "life-none"][..], &["fault", "--name", "life-none", "WAN-01", "on"]]
    {
        let (said, code) = sentence(&clinic(arguments));
        assert_eq!(code, 69, "{said}");
    }
}
