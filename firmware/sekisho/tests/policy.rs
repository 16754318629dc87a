//! A change of the rules from outside: `netd` as a process, killed without warning, and the verbs of `sekisho policy`.
//! Needs root and nftables; the namespaces end with the threads that made them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use model::drops::Drops;
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A box of three ports in a namespace of its own, in which `netd` alone runs.
struct TheBox {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Drop for TheBox {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let said = Command::new(program).args(arguments).output().unwrap();
    assert!(said.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    said
}

/// Runs a case on a thread with a box of its own.
fn with_box(case: impl FnOnce(&mut TheBox) + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace can only be made as root");
            run("ip", &["link", "set", "dev", "lo", "up"]);
            for port in ["wan0", "term0", "lan0"] {
                run(
                    "ip",
                    &["link", "add", "dev", port, "type", "veth", "peer", "name", &format!("o-{port}")],
                );
                run("ip", &["link", "set", "dev", port, "up"]);
            }
            let mut the_box = TheBox { folder: tempfile::tempdir().unwrap(), daemon: None };
            the_box.write("old.toml", "192.0.2.1/24");
            the_box.write("new.toml", "192.0.2.3/24");
            let profile = include_str!("../../firewall/tests/data/profile.toml");
            std::fs::write(the_box.path("profile.toml"), profile).unwrap();
            case(&mut the_box);
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

impl TheBox {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, terminals: &str) {
        let site = include_str!("../../firewall/tests/data/site.toml");
        std::fs::write(self.path(name), site.replace("192.0.2.1/24", terminals)).unwrap();
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.args(["daemon", "--role", "netd", "--site"]).arg(self.path("old.toml"));
        command.arg("--state").arg(self.path("state")).arg("--socket").arg(self.path("run"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.daemon = Some(command.spawn().unwrap());
        self.until("in force", |the_box| the_box.verb(&["prove", "--live"]).status.code() == Some(0));
    }

    /// SIGKILL: nothing is tidied up.
    fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.arg("policy").args(verb).arg("--socket").arg(self.path("run"));
        command
    }

    fn verb(&self, verb: &[&str]) -> Output {
        self.command(verb).output().unwrap()
    }

    /// The verb's exit code and what it printed.
    fn said(&self, verb: &[&str]) -> (Option<i32>, String) {
        let said = self.verb(verb);
        (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned())
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "never {what}");
        }
    }

    fn apply(&self) -> (Option<i32>, String) {
        self.said(&["apply", self.path("new.toml").to_str().unwrap()])
    }
}

/// What the kernel holds, without handles and counts.
fn held() -> Value {
    fn plain(value: Value) -> Value {
        const KERNELS: [&str; 3] = ["handle", "packets", "bytes"];
        match value {
            Value::Object(map) => {
                let kept = map.into_iter().filter(|(key, _)| !KERNELS.contains(&key.as_str()));
                kept.map(|(key, value)| (key, plain(value))).collect()
            }
            Value::Array(list) => list.into_iter().map(plain).collect(),
            other => other,
        }
    }
    plain(serde_json::from_slice(&run("nft", &["-j", "list", "ruleset"]).stdout).unwrap())
}

fn word(said: &str) -> &str {
    said.lines().find_map(|line| line.trim().strip_prefix("sekisho policy confirm ")).unwrap()
}

#[test]
fn a_change_is_applied_waits_is_confirmed_and_stays() {
    with_box(|the_box| {
        the_box.start();
        let old = held();
        assert_eq!(the_box.said(&["pending"]).0, Some(1));
        let (code, said) = the_box.apply();
        assert_eq!(code, Some(0), "{said}");
        let new = held();
        assert_ne!(new, old);
        assert_eq!(the_box.said(&["pending"]).0, Some(0));
        assert_eq!(the_box.apply().0, Some(75), "one change at a time");
        assert_eq!(the_box.said(&["confirm", "nonsense"]).0, Some(1));
        assert_eq!(the_box.said(&["revert"]).0, Some(0));
        assert_eq!(held(), old);
        assert_eq!(the_box.said(&["revert"]).0, Some(1));
        let (_, said) = the_box.apply();
        assert_eq!(the_box.said(&["confirm", word(&said)]), (Some(0), "Confirmed.\n".to_owned()));
        the_box.kill();
        the_box.start();
        assert_eq!(held(), new, "it stays");
        assert_eq!(
            the_box.apply(),
            (Some(0), "This ruleset is in force already; nothing was done.\n".to_owned())
        );
        // The site file itself is another one now: it rules, and what was confirmed is of no use any more.
        the_box.write("old.toml", "192.0.2.4/24");
        the_box.kill();
        the_box.start();
        assert!(held() != new && held() != old);
        let drops: Drops = serde_json::from_slice(&the_box.verb(&["drops", "--json"]).stdout).unwrap();
        assert!(drops.lines.len() > 30 && drops.deaf.is_none(), "{drops:?}");
    });
}

/// One HTTP exchange on a connection that stays open.
fn exchange(socket: &mut UnixStream, path: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
    write!(socket, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
    let mut said = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&said).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.parse().unwrap() {
                return body.to_owned();
            }
        }
        let mut more = [0; 4096];
        let read = socket.read(&mut more).unwrap();
        assert!(read > 0, "{text}");
        said.extend(&more[..read]);
    }
}

#[test]
fn the_connection_that_applied_a_change_cannot_confirm_it() {
    with_box(|the_box| {
        the_box.start();
        let text = |name: &str| std::fs::read_to_string(the_box.path(name)).unwrap();
        let candidate = serde_json::json!({
            "file": "new.toml", "site": text("new.toml"), "profile_name": "p", "profile": text("profile.toml"),
        });
        let ask = serde_json::json!({"candidate": candidate, "within_s": 120}).to_string();
        let mut old = UnixStream::connect(the_box.path("run/netd/netd.sock")).unwrap();
        old.set_read_timeout(Some(PATIENCE)).unwrap();
        let applied: Value = serde_json::from_str(&exchange(&mut old, "/apply", &ask)).unwrap();
        let word = serde_json::json!(applied["word"]).to_string();
        let refused = exchange(&mut old, "/confirm", &word);
        assert!(refused.contains(r#""is":"refused""#) && refused.contains("connection"), "{refused}");
        let mut new = UnixStream::connect(the_box.path("run/netd/netd.sock")).unwrap();
        assert_eq!(exchange(&mut new, "/confirm", &word), r#"{"is":"done"}"#);
    });
}

#[test]
fn netd_killed_at_any_moment_of_a_change_comes_back_proved_and_is_never_open() {
    const MOMENTS: u32 = 16;
    let (mut before, mut during) = (0, 0);
    let mut took = Duration::ZERO;
    for moment in 0..=MOMENTS {
        with_box(|the_box| {
            the_box.start();
            let old = held();
            let began = Instant::now();
            let mut apply = the_box.command(&["apply", the_box.path("new.toml").to_str().unwrap()]);
            let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            if moment == 0 {
                // A whole one first, to know how long it takes.
                assert!(apply.wait().unwrap().success());
                took = began.elapsed();
            } else {
                // The moment is what is tried here, so it is not an event that is waited for.
                while began.elapsed() < took * moment / MOMENTS {
                    std::hint::spin_loop();
                }
            }
            the_box.kill();
            let _ = apply.wait();
            let left = held();
            let waits = the_box.path("state/firewall/waiting").exists();
            the_box.start();
            let now = held();
            assert_eq!(the_box.said(&["prove", "--live"]).0, Some(0));
            let pending = the_box.said(&["pending"]).0 == Some(0);
            assert_eq!(pending, now != old, "what is new waits: moment {moment}");
            // What the kernel held when the process died is what it held before, or what came back.
            assert!(left == old || left == now, "moment {moment}");
            assert!(waits || now == old, "nothing new without its note: moment {moment}");
            if now == old { before += 1 } else { during += 1 }
        });
    }
    assert!(before > 0 && during > 0, "{before} before, {during} after the load");
}
