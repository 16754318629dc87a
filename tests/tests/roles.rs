//! The roles as processes: each its own user with no more than it needs, each honest about the others when one dies.
//! Needs root.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clinic::Clinic;
use model::drops::{Drops, Refusal};
use model::part::{RulesetState, Snapshot};
use model::ruleset::Repair;
use model::{FaultCode, Usability};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, connect, recvmsg, send,
    socket,
};

const ROLES: [(&str, u32); 5] =
    [("netd", 971), ("reachd", 972), ("relayd", 973), ("webd", 974), ("boardd", 975)];
const NOBODY: u32 = 65_534;

fn sekisho() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_clinic")).with_file_name("sekisho")
}

fn verb(clinic: &Clinic, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(sekisho());
    command.args(arguments).arg("--socket").arg(clinic.socket_dir());
    command.env("LC_ALL", "C").output().expect("the clinic works")
}

fn snapshot(clinic: &Clinic) -> Snapshot {
    serde_json::from_slice(&verb(clinic, &["status", "--json"]).stdout).expect("the clinic works")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Runs `work` in the box as this user, on a thread of its own: the kernel's word on a peer is about the thread.
fn as_user<T: Send>(clinic: &Clinic, uid: u32, work: impl FnOnce() -> T + Send) -> T {
    let visit = clinic.inside("box", || {
        for call in [libc::SYS_setresgid, libc::SYS_setresuid] {
            // SAFETY: plain system calls without pointers; unlike libc's own they change this thread only.
            #[expect(unsafe_code, reason = "libc's setresuid changes all threads of the process")]
            let done = unsafe { libc::syscall(call, uid, uid, uid) };
            assert_eq!(done, 0);
        }
        work()
    });
    visit.expect("the clinic works")
}

/// The code of a role's answer; none if it hangs up.
fn ask(folder: &Path, role: &str, request: &str) -> Option<u16> {
    let mut stream = UnixStream::connect(folder.join(role).join(format!("{role}.sock"))).ok()?;
    let text = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// How many sockets `netd` lends to who says that it is this role; none if it hangs up.
fn borrow(folder: &Path, role: &str) -> Option<usize> {
    let lender: OwnedFd =
        socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).ok()?;
    connect(lender.as_raw_fd(), &UnixAddr::new(&folder.join("netd/lend.sock")).ok()?).ok()?;
    send(lender.as_raw_fd(), role.as_bytes(), MsgFlags::MSG_NOSIGNAL).ok()?;
    let (mut bytes, mut control) = ([0; 512], nix::cmsg_space!([RawFd; 8]));
    let mut text = [std::io::IoSliceMut::new(&mut bytes)];
    let message = recvmsg::<()>(lender.as_raw_fd(), &mut text, Some(&mut control), MsgFlags::empty()).ok()?;
    let rights = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::ScmRights(numbers) => Some(numbers),
        _ => None,
    });
    if message.bytes == 0 {
        return None;
    }
    let rights = rights.unwrap_or_default();
    for number in &rights {
        let _ = nix::unistd::close(*number);
    }
    Some(rights.len())
}

/// What the page says.
fn page(clinic: &Clinic) -> Option<String> {
    let visit = clinic.inside("clinic", || {
        let to: SocketAddr = ([198, 51, 100, 1], 80).into();
        let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2)).ok()?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 198.51.100.1\r\nConnection: close\r\n\r\n").ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        Some(said)
    });
    visit.expect("the clinic works")
}

/// A line of proc_pid_status(5).
fn status_of(pid: i32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the role runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn each_role_has_its_own_process_and_user_and_only_netd_a_capability() {
    let clinic = Clinic::up_with("r-users", &["--split"]).unwrap();
    let pids = clinic.status().unwrap().the_box.pids;
    for (role, uid) in ROLES {
        let pid = pids[role];
        assert!(pids.iter().all(|(other, number)| other == role || *number != pid), "{role} is alone");
        assert_eq!(status_of(pid, "Uid"), uid.to_string(), "{role}");
        assert_eq!(status_of(pid, "NoNewPrivs"), "1", "{role}");
        let held = u64::from_str_radix(&status_of(pid, "CapPrm"), 16).unwrap();
        let wanted = if role == "netd" { 1 << 10 | 1 << 12 | 1 << 13 } else { 0 };
        assert_eq!(held, wanted, "{role}");
    }
    let box_network = fs::read_link(format!("/proc/{}/ns/net", pids["netd"])).unwrap();
    let page_network = fs::read_link(format!("/proc/{}/ns/net", pids["webd"])).unwrap();
    assert_ne!(box_network, page_network, "the page has no network but what it is lent");
    assert!(page(&clinic).unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_split_clinic_that_nobody_remembers_is_cleared_away_with_every_role() {
    let clinic = Clinic::up_with("r-sweep", &["--split"]).unwrap();
    let pids = clinic.status().unwrap().the_box.pids;
    let record = clinic.socket_dir().with_file_name("clinic.json");
    fs::remove_file(record).unwrap();
    drop(clinic);
    for (role, pid) in pids {
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "{role} still runs");
    }
}

#[test]
fn a_split_box_carries_a_file_and_judges_a_fault() {
    let clinic = Clinic::up_with("r-walk", &["--split"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.xml");
    fs::write(&file, "<XmlMsg><MessageBody/></XmlMsg>").unwrap();
    let put = clinic.smbclient(&format!("put {} req/OQSsiquc01req_1.xml", file.display())).unwrap();
    assert!(put.status.success(), "{put:?}");
    let answer = clinic.clinic_folder().join("res/OQSsiquc01res_1.xml");
    until("the answer is there", || answer.exists());
    until("the line is usable", || verb(&clinic, &["check"]).status.code() == Some(0));
    clinic.fault("CTR-01", true).unwrap();
    assert_eq!(verb(&clinic, &["check"]).status.code(), Some(1));
    let verdict = snapshot(&clinic).line.unwrap().part.verdict;
    assert_eq!(verdict.foremost.map(|fault| fault.code), Some(FaultCode::Ctr01));
}

#[test]
fn a_role_that_was_killed_is_unknown_while_it_is_gone_and_known_again_when_it_is_back() {
    let clinic = Clinic::up_with("r-kill", &["--split"]).unwrap();
    let known = |clinic: &Clinic| {
        let seen = snapshot(clinic);
        [
            ("reachd", seen.line.is_some_and(|line| line.part.verdict.usability == Usability::Usable)),
            ("relayd", seen.relay.is_some()),
            ("netd", seen.firewall.is_some_and(|wall| wall.part.is_in_force())),
            ("boardd", seen.board.is_some()),
            ("webd", page(clinic).is_some()),
        ]
    };
    let all = |clinic: &Clinic| known(clinic).iter().all(|(_, known)| *known);
    until("everything is known", || all(&clinic));
    let rules = || clinic.exec("box", &["nft", "-a", "list", "ruleset"]).unwrap().stdout;
    let before = rules();
    for (role, _) in ROLES {
        clinic.kill_role(role).unwrap();
        for (other, known) in known(&clinic) {
            assert_eq!(known, other != role, "{other} while {role} is gone");
        }
        assert!(!clinic.status().unwrap().the_box.pids.contains_key(role));
        clinic.start_role(role, &[]).unwrap();
        until(&format!("everything is known after {role} is back"), || all(&clinic));
    }
    let handles = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text);
        text.lines().filter_map(|line| Some(line.rsplit_once("# handle ")?.1.to_owned())).collect()
    };
    assert_eq!(handles(&rules()), handles(&before), "a new netd cut no flow");
}

#[test]
fn the_page_says_what_is_not_known_while_a_role_is_gone() {
    let clinic = Clinic::up_with("r-page", &["--split"]).unwrap();
    until("the page says usable", || page(&clinic).is_some_and(|page| page.contains("使えます")));
    // Its last word is old at once when nothing new can come: the clock alone would take two minutes.
    clinic.kill_role("reachd").unwrap();
    clinic.kill_role("webd").unwrap();
    clinic.start_role("webd", &[]).unwrap();
    let said = page(&clinic).unwrap();
    assert!(said.contains("不明") || said.contains("確認中"), "{said}");
    assert!(!said.contains("使えます</"), "{said}");
}

#[test]
fn a_split_netd_tells_what_was_changed_and_what_it_refused_and_takes_a_change_back() {
    let clinic = Clinic::up_with("r-rules", &["--split"]).unwrap();
    let wall = || snapshot(&clinic).firewall.unwrap().part;
    let judged = || {
        let verdict = snapshot(&clinic).line.unwrap().part.verdict;
        verdict.alarms().any(|fault| fault.code == FaultCode::Box02)
    };
    until("in force", || wall().is_in_force());
    let rule = ["nft", "insert", "rule", "inet", "sekisho", "forward", "accept"];
    assert!(clinic.exec("box", &rule).unwrap().status.success());
    until("put right and told", || {
        wall().drift.is_some_and(|drift| drift.repair == Repair::Done && drift.broke.is_some())
    });
    until("judged", judged);
    assert_eq!(verb(&clinic, &["policy", "seen"]).status.code(), Some(0));
    until("told no more", || wall().state == RulesetState::Proved && !judged());

    let knocked = clinic.inside("clinic", || {
        let to: SocketAddr = ([198, 51, 100, 1], 22).into();
        TcpStream::connect_timeout(&to, Duration::from_millis(300)).is_ok()
    });
    assert!(!knocked.unwrap());
    until("the refusal is told", || {
        let said = verb(&clinic, &["policy", "drops", "--json"]).stdout;
        let drops: Drops = serde_json::from_slice(&said).unwrap();
        assert_eq!(drops.deaf, None);
        let is_it = |refusal: &Refusal| refusal.rule == "clinic-input-rest" && refusal.from.port == "lan0";
        drops.newest.iter().any(is_it)
    });
    let folder = clinic.socket_dir();
    assert_eq!(as_user(&clinic, 974, || ask(&folder, "netd", "GET /drops")), Some(200));
    assert_eq!(as_user(&clinic, 974, || ask(&folder, "netd", "POST /seen")), Some(403));

    let site = clinic.site();
    assert_eq!(verb(&clinic, &["policy", "apply", site.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(verb(&clinic, &["policy", "pending"]).status.code(), Some(1), "it is in force already");
    let other = site.with_file_name("other.toml");
    let text = fs::read_to_string(&site).unwrap();
    let moved = text.replace("192.0.2.1/24", "192.0.2.9/24");
    assert_ne!(text, moved);
    fs::write(&other, moved).unwrap();
    let said = verb(&clinic, &["policy", "apply", other.to_str().unwrap()]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(wall().pending.is_some() && wall().is_in_force());
    assert!(clinic.state().join("firewall/waiting").exists());
    assert_eq!(verb(&clinic, &["policy", "revert"]).status.code(), Some(0));
    assert!(wall().pending.is_none() && wall().is_in_force());
}

#[test]
fn nobody_does_at_a_roles_socket_what_is_not_its_business() {
    let clinic = Clinic::up_with("r-peers", &["--split"]).unwrap();
    let folder = clinic.socket_dir();
    let asks = |uid, role, request| as_user(&clinic, uid, || ask(&folder, role, request));
    for (role, _) in ROLES {
        assert_eq!(asks(NOBODY, role, "GET /part"), None, "a stranger at {role}");
    }
    let [netd, reachd, relayd, webd, boardd] = ROLES.map(|(_, uid)| uid);
    for (uid, role, request, answer) in [
        (webd, "netd", "GET /part", Some(200)),
        (webd, "netd", "POST /prove", Some(403)),
        (webd, "relayd", "GET /part", Some(200)),
        (webd, "relayd", "POST /look", Some(403)),
        (reachd, "relayd", "POST /look", Some(200)),
        (reachd, "relayd", "GET /part", Some(403)),
        (boardd, "reachd", "POST /sweep", Some(403)),
        (relayd, "reachd", "GET /part", None),
        (relayd, "boardd", "GET /part", None),
        (netd, "relayd", "GET /part", None),
        (relayd, "netd", "GET /part", Some(200)),
        (0, "netd", "POST /prove", Some(200)),
    ] {
        assert_eq!(asks(uid, role, request), answer, "{uid}: {request} at {role}");
    }
}

#[test]
fn sockets_are_lent_to_the_role_they_are_for_and_to_nobody_else() {
    let clinic = Clinic::up_with("r-lend", &["--split"]).unwrap();
    let folder = clinic.socket_dir();
    let borrows = |uid, role| as_user(&clinic, uid, || borrow(&folder, role));
    assert_eq!(borrows(972, "reachd"), Some(5), "its raw sockets");
    for uid in [973, 974, 975, NOBODY] {
        assert_eq!(borrows(uid, "reachd"), None, "raw sockets for {uid}");
    }
    for uid in [972, 973, 975, NOBODY] {
        assert_eq!(borrows(uid, "webd"), None, "the page's ports for {uid}");
    }
    // While the page has them nobody gets them twice, not even the page.
    assert_eq!(borrows(974, "webd"), Some(0));
    clinic.kill_role("webd").unwrap();
    assert_eq!(borrows(974, "webd"), Some(2), "the page's ports");
    assert_eq!(borrows(973, "relayd"), Some(0), "it needs none");
}

#[test]
fn a_login_is_read_by_the_role_that_logs_in_and_by_no_other() {
    let clinic = Clinic::up_with("r-secret", &["--split"]).unwrap();
    let secrets = clinic.state().join("secrets");
    let reads = |uid, name: &str| {
        let path = secrets.join(name);
        as_user(&clinic, uid, || fs::read(path).is_ok())
    };
    assert!(reads(973, "t1"));
    for uid in [971, 972, 974, 975, NOBODY] {
        assert!(!reads(uid, "t1"), "{uid}");
    }
    for (_, uid) in ROLES {
        assert!(!reads(uid, "share-receipt"), "{uid}");
        assert!(as_user(&clinic, uid, || fs::read_dir(&secrets).is_err()), "{uid} lists no names");
    }
}

#[test]
fn netd_without_a_capability_says_which_and_loads_nothing() {
    let clinic = Clinic::up_with("r-lacks", &["--box", "bare"]).unwrap();
    let program = sekisho();
    let confined = ["--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin"];
    let mut argv = vec!["setpriv", "--reuid", "971", "--regid", "971", "--clear-groups"];
    argv.extend(confined);
    let (site, socket) = (clinic.site(), clinic.socket_dir());
    argv.extend(["--", program.to_str().unwrap(), "daemon", "--role", "netd", "--site"]);
    argv.extend([site.to_str().unwrap(), "--socket", socket.to_str().unwrap()]);
    let said = clinic.exec("box", &argv).unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(77), "{text}");
    assert!(text.contains("netd lacks CAP_NET_RAW, CAP_NET_BIND_SERVICE"), "{text}");
    assert_eq!(clinic.exec("box", &["nft", "list", "ruleset"]).unwrap().stdout, b"");
}

#[test]
fn netd_that_cannot_prove_drops_everything_says_why_and_comes_back_by_itself() {
    let clinic = Clinic::up_with("r-hindered", &["--box", "bare"]).unwrap();
    let nft = |commands: &str| {
        let argv = ["sh", "-c", &format!("echo '{commands}' | nft -f -")];
        assert!(clinic.exec("box", &argv).unwrap().status.success(), "{commands}");
    };
    // Somebody else's table, with a statement that the prover does not know.
    nft("table ip other { chain pre { type filter hook prerouting priority -100; ct zone set 1; }; }");
    let site = clinic.site();
    let _daemon = daemon(&clinic, &["--role", "netd", "--site", site.to_str().unwrap()], &[]);
    let wall = || {
        let said = verb(&clinic, &["status", "--json"]).stdout;
        let seen: Option<Snapshot> = serde_json::from_slice(&said).ok();
        seen.and_then(|seen| seen.firewall).map(|wall| wall.part)
    };
    until("it says what stands in the way", || wall().is_some_and(|wall| wall.hindrance.is_some()));
    assert!(wall().is_some_and(|wall| wall.state == RulesetState::DropAll && !wall.is_in_force()));
    nft("delete table ip other");
    until("the firewall is proved", || {
        wall().is_some_and(|wall| wall.is_in_force() && wall.hindrance.is_none())
    });
}

/// A daemon of a test's own; it ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn daemon(clinic: &Clinic, arguments: &[&str], environment: &[(&str, &str)]) -> Daemon {
    let program = sekisho();
    let (state, socket) = (clinic.state(), clinic.socket_dir());
    let mut argv = vec![program.to_str().expect("the clinic works"), "daemon"];
    argv.extend(["--state", state.to_str().expect("the clinic works")]);
    argv.extend(["--socket", socket.to_str().expect("the clinic works")]);
    argv.extend(arguments);
    let mut command = clinic.command("box", &argv);
    command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
    Daemon(command.spawn().expect("the clinic works"))
}

#[test]
fn the_service_manager_hears_that_it_serves_and_goes_on_hearing_that_it_lives() {
    let clinic = Clinic::up_with("r-notify", &["--box", "bare"]).unwrap();
    let path = clinic.socket_dir().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let site = clinic.site();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "600000")];
    let _daemon = daemon(&clinic, &["--site", site.to_str().unwrap()], &environment);
    let heard = || {
        let mut message = [0; 256];
        let length = manager.recv(&mut message).expect("a sign of life");
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    assert_eq!(heard(), "READY=1");
    assert!(snapshot(&clinic).firewall.is_some_and(|wall| wall.part.is_in_force()), "ready means proved");
    let begun = Instant::now();
    assert_eq!([heard(), heard(), heard()], ["WATCHDOG=1"; 3]);
    assert!(begun.elapsed() < Duration::from_secs(2), "three within the time of one");
}

#[test]
fn before_a_site_is_in_force_there_is_the_setup_page_and_nothing_else() {
    let clinic = Clinic::up_with("r-carton", &["--box", "bare"]).unwrap();
    let boot = clinic.socket_dir().join("boot.json");
    let came_up = serde_json::json!({
        "version": "0.1.0", "board": "virtual", "situation": "carton",
        "setup": { "port": "lan0", "label": "SETUP", "address": "198.51.100.1/24" },
    });
    fs::write(&boot, came_up.to_string()).unwrap();
    let nowhere = ["--boot", boot.to_str().unwrap(), "--site", "/nowhere/site.toml"];
    let _daemon = daemon(&clinic, &nowhere, &[]);
    until("the firewall is proved", || {
        let said = verb(&clinic, &["status", "--json"]).stdout;
        let seen: Option<Snapshot> = serde_json::from_slice(&said).ok();
        seen.and_then(|seen| seen.firewall).is_some_and(|wall| wall.part.is_in_force())
    });
    let opens = |from: &str, port: u16| {
        let to: SocketAddr = ([198, 51, 100, 1], port).into();
        let visit = clinic.inside(from, || TcpStream::connect_timeout(&to, Duration::from_millis(700)));
        visit.unwrap().is_ok()
    };
    until("the setup page is there", || opens("clinic", 443));
    assert!(!opens("clinic", 80), "no plain HTTP");
    let seen = snapshot(&clinic);
    assert!(seen.line.is_none() && seen.relay.is_none(), "nobody probes and nobody carries");
    assert_eq!(seen.board.unwrap().part.board, "virtual");
}
