//! The room at work: what somebody changes behind its back, what it refuses, and a change that has to be confirmed, on
//! the real kernel in a network namespace of its own.
//! Needs root and nftables; the namespaces end with the threads that made them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod lab;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::Path as FilePath;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use firewall::explain::explain;
use firewall::packet::{Packet, Path, State};
use firewall::{Asker, Command, Memory};
use model::decision::Actor;
use model::drops::Drops;
use model::part::{FirewallPart, RulesetState};
use model::ruleset::{Applied, Apply, Candidate, Repair, Settled};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use lab::{Lab, run};

/// Longer than anything here takes, and shorter than the room waits before it looks unasked.
const PATIENCE: Duration = Duration::from_secs(20);

/// The same where the kernel tells of hundreds of thousands of elements first.
const AMONG_MANY: Duration = Duration::from_secs(120);

/// A room that runs.
struct Room {
    seen: watch::Receiver<FirewallPart>,
    commands: mpsc::Sender<Command>,
}

impl Room {
    async fn wait(&mut self, what: &str, is_so: impl FnMut(&FirewallPart) -> bool) -> FirewallPart {
        self.wait_at_most(PATIENCE, what, is_so).await
    }

    async fn wait_at_most(
        &mut self,
        patience: Duration,
        what: &str,
        is_so: impl FnMut(&FirewallPart) -> bool,
    ) -> FirewallPart {
        let found = timeout(patience, self.seen.wait_for(is_so)).await.map(|part| part.unwrap().clone());
        found.unwrap_or_else(|_| panic!("not {what}: {:?}", self.seen.borrow()))
    }

    async fn ask<A>(&self, command: impl FnOnce(oneshot::Sender<A>) -> Command) -> A {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.unwrap();
        timeout(PATIENCE, answer).await.unwrap().unwrap()
    }

    async fn drops(&self) -> Drops {
        self.ask(|reply| Command::Drops { reply }).await
    }

    async fn apply(&self, candidate: Candidate, within_s: u32) -> Applied {
        let (ask, by) = (Apply { candidate, within_s }, somebody(0));
        self.ask(|reply| Command::Apply { ask, by, reply }).await
    }

    async fn confirm(&self, word: &str, by: Asker) -> Settled {
        let word = word.to_owned();
        self.ask(|reply| Command::Confirm { word, by, reply }).await
    }
}

fn somebody(uid: u32) -> Asker {
    Asker { actor: Actor { name: String::new(), uid }, since: std::time::Instant::now() }
}

/// Runs the room of the sample site in the namespace of this thread until `story` has ended.
fn with_room(memory: Option<&FilePath>, story: impl AsyncFnOnce(&mut Room)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (part, seen) = watch::channel(FirewallPart::dropping(None));
        let (commands, mut waiting) = mpsc::channel(4);
        let mut room = Room { seen, commands };
        let site = candidate(|text| text).site().unwrap();
        let running = async {
            match memory {
                Some(folder) => {
                    let memory = Memory::of(folder.to_owned(), &candidate(|text| text));
                    firewall::run_with_changes(&site, memory, part, &mut waiting).await
                }
                None => firewall::run(&site, part, &mut waiting).await,
            }
        };
        let told = async {
            room.wait("in force", FirewallPart::is_in_force).await;
            // It answers as soon as it listens.
            room.drops().await;
            story(&mut room).await;
        };
        tokio::select! {
            ended = running => panic!("the room ended: {ended:?}"),
            () = told => {}
        }
    });
}

fn nft(line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    run("nft", &words);
}

fn listing() -> Value {
    serde_json::from_slice(&run("nft", &["-j", "list", "ruleset"])).unwrap()
}

/// The ruleset without handles and counts.
fn held() -> Value {
    fn plain(value: Value) -> Value {
        match value {
            Value::Object(map) => {
                let kept = map.into_iter();
                let kept = kept.filter(|(key, _)| !["handle", "packets", "bytes"].contains(&key.as_str()));
                kept.map(|(key, value)| (key, plain(value))).collect()
            }
            Value::Array(list) => list.into_iter().map(plain).collect(),
            other => other,
        }
    }
    plain(listing())
}

/// What somebody does, what is said of it, and whether a promise was broken by it.
const CHANGES: &[(&[&str], &str, bool)] = &[
    (
        &["insert rule inet sekisho forward accept"],
        r#"the rule [{"accept":null}] of the chain forward was added"#,
        true,
    ),
    (
        &["insert rule inet sekisho input_clinic tcp dport 22 accept comment \"door:x\""],
        "the rule door:x of the chain input_clinic was added",
        true,
    ),
    (
        &["flush chain inet sekisho input_clinic"],
        "the rule clinic-input-source4-case of the chain input_clinic is gone",
        true,
    ),
    (&["delete table inet sekisho"], "our table is gone", true),
    (
        &["add chain inet sekisho forward { policy accept; }"],
        "the chain forward has the policy accept, not drop",
        true,
    ),
    (
        &["add element inet sekisho terminal_services { 192.0.2.1 . tcp . 445 }"],
        "the set terminal_services also holds 192.0.2.1 . tcp . 445",
        true,
    ),
    (
        &["delete element inet sekisho icmp6_errors { packet-too-big }"],
        "the set icmp6_errors does not hold packet-too-big",
        false,
    ),
    (
        &["add element inet sekisho input_by_port { \"eth9\" : accept }"],
        "the map input_by_port also holds eth9 : accept",
        true,
    ),
    (
        &[
            "add table ip nat",
            "add chain ip nat in { type nat hook prerouting priority -100; }",
            "add rule ip nat in tcp dport 8080 dnat to 192.0.2.2:445",
        ],
        "another table, ip nat, has chains at prerouting",
        // What it leads elsewhere our own chains refuse there.
        false,
    ),
    (
        &[
            "add table inet other",
            "add chain inet other in { type filter hook input priority -10; policy drop; }",
        ],
        "another table, inet other, has chains at input",
        true,
    ),
    (&["add table inet sekisho { flags dormant; }"], "the table sekisho is another one", true),
    (&["add set inet sekisho extra { type ipv4_addr; }"], "the set extra was added", false),
];

#[test]
fn what_somebody_changes_is_named_put_right_and_told_without_being_asked() {
    for (commands, words, breaks) in CHANGES {
        lab::alone(|| {
            with_room(None, async |room| {
                let ours = held();
                commands.iter().for_each(|command| nft(command));
                let told = |part: &FirewallPart| {
                    part.drift.as_ref().is_some_and(|drift| drift.repair == Repair::Done)
                };
                let part = room.wait(words, told).await;
                let drift = part.drift.unwrap();
                assert!(drift.changes.iter().any(|change| change == words), "{words}: {drift:?}");
                assert_eq!(part.state, RulesetState::Drifted, "{words}");
                assert_eq!(drift.broke.is_some(), *breaks, "{words}: {:?}", drift.broke);
                assert!(drift.by.is_some_and(|by| by.starts_with("nft (process ")), "{words}");
                assert_eq!(held(), ours, "{words}");
                assert!(room.ask(|reply| Command::Seen { reply }).await);
                room.wait("content", |part| part.state == RulesetState::Proved && part.drift.is_none()).await;
            })
        });
    }
}

#[test]
fn somebody_who_changes_the_rules_again_and_again_is_answered_ever_later_and_it_is_said() {
    lab::alone(|| {
        with_room(None, async |room| {
            let ours = held();
            let mut repairs = 0;
            // Each time it is put right somebody changes it again, until it is said that the next repair waits.
            loop {
                nft("insert rule inet sekisho forward accept");
                let answered = |part: &FirewallPart| {
                    part.drift.as_ref().is_some_and(|drift| drift.times > repairs)
                        && part
                            .drift
                            .as_ref()
                            .is_some_and(|drift| drift.repair == Repair::Waits || part.is_in_force())
                };
                let part = room.wait("answered", answered).await;
                let drift = part.drift.clone().unwrap();
                repairs = drift.times;
                if drift.repair == Repair::Waits && held() != ours {
                    assert!(!part.is_in_force(), "nobody relies on it meanwhile");
                    break;
                }
                assert!(repairs < 20, "it never waited");
            }
            assert!(repairs >= 3, "the first few are put right at once: {repairs}");
            room.wait("put right in the end", FirewallPart::is_in_force).await;
            assert_eq!(held(), ours);
        });
    });
}

#[test]
fn somebody_who_changes_the_rules_while_ours_are_loaded_is_not_overlooked() {
    lab::alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let namespace = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
        with_room(Some(folder.path()), async |room| {
            let before = held();
            for _ in 0..8 {
                // Ours is loaded, read and proved while his rule comes: before it, in between, or behind it.
                let other = namespace.try_clone().unwrap();
                let meddling = std::thread::spawn(move || {
                    nix::sched::setns(other, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
                    nft("insert rule inet sekisho forward accept");
                });
                let applied = room.apply(moved(), 100).await;
                meddling.join().unwrap();
                match applied {
                    Applied::Armed { .. } => drop(room.ask(|reply| Command::Revert { reply }).await),
                    // His rule was in what was read back, or was found before ours came.
                    Applied::Refused { why, .. } => {
                        assert!(!why.concat().contains("site"), "{why:?}");
                    }
                    other => panic!("{other:?}"),
                }
                // Word of it leads to a look that nobody asked for, however often it is put right.
                room.wait("in force", FirewallPart::is_in_force).await;
                let end = tokio::time::Instant::now() + PATIENCE;
                while held() != before {
                    assert!(tokio::time::Instant::now() < end, "his rule stayed");
                    room.drops().await;
                }
            }
        });
    });
}

/// Sends one question after the other, each when the one before has come, until it is stopped; says how many came, and how
/// many never did.
fn ask_without_a_pause(
    lab: &Lab,
    box_s: &UdpSocket,
    stopped: &std::sync::mpsc::Receiver<()>,
) -> (usize, usize) {
    let question = udp("term0", TERMINAL, AMONG_TERMINALS, [5000, 53]);
    let (mut came, mut lost) = (0, 0);
    while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
        lab.send(&question);
        match box_s.recv(&mut [0; 64]) {
            Ok(_) => came += 1,
            Err(_) => lost += 1,
        }
    }
    (came, lost)
}

#[test]
fn what_may_pass_is_not_dropped_in_the_moment_in_which_other_rules_come_in_force() {
    lab::alone(|| {
        let lab = Lab::build();
        let folder = tempfile::tempdir().unwrap();
        let box_s = UdpSocket::bind((AMONG_TERMINALS, 53)).unwrap();
        // What has not come by then was dropped: it has nowhere to wait.
        box_s.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let (stop, stopped) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            with_room(Some(folder.path()), async |room| {
                let (lab, box_s) = (&lab, &box_s);
                let asking = scope.spawn(move || ask_without_a_pause(lab, box_s, &stopped));
                for _ in 0..20 {
                    let other = candidate(|site| site + "\n[page]\nhttp = 8081\n");
                    armed(room.apply(other, 100).await);
                    assert_eq!(room.ask(|reply| Command::Revert { reply }).await, Settled::Done);
                }
                drop(stop);
                let (came, lost) = asking.join().unwrap();
                assert_eq!(lost, 0, "{came} came");
                assert!(came > 20, "{came} came");
            });
        });
    });
}

/// Our table alone, without handles and counts.
fn ours() -> String {
    let text = String::from_utf8(run("nft", &["-s", "list", "table", "inet", "sekisho"])).unwrap();
    text.lines().map(|line| line.split(" # handle").next().unwrap().trim()).collect::<Vec<_>>().join("\n")
}

/// A table that sees no packet, and is longer than anything that is read.
fn add_a_long_table() {
    let elements = (0..900_000).map(|n| format!("{}.{}.{}.1", 1 + n / 65_536, n / 256 % 256, n % 256));
    let elements = elements.collect::<Vec<_>>().join(",");
    let file = tempfile::NamedTempFile::new().unwrap();
    let table = format!("table inet z {{ set s {{ type ipv4_addr; elements = {{ {elements} }}; }}; }}");
    std::fs::write(file.path(), table).unwrap();
    run("nft", &["-f", file.path().to_str().unwrap()]);
}

#[test]
fn what_hides_behind_more_than_can_be_read_is_found_and_what_cannot_be_read_at_all_is_closed() {
    lab::alone(|| {
        with_room(None, async |room| {
            let before = ours();
            add_a_long_table();
            nft("insert rule inet sekisho forward counter accept");
            let told =
                |part: &FirewallPart| part.drift.as_ref().is_some_and(|drift| drift.repair == Repair::Done);
            room.wait_at_most(AMONG_MANY, "put right", told).await;
            assert_eq!(ours(), before);
            // It sees packets now, so that it would have to be read.
            nft("add chain inet z in { type filter hook input priority 0; }");
            room.wait_at_most(AMONG_MANY, "told as unread", |part| !part.is_in_force()).await;
            room.wait_at_most(AMONG_MANY, "closed", |part| part.state == RulesetState::DropAll).await;
            assert!(!ours().contains("jump"), "{}", ours());
            nft("delete table inet z");
            room.wait_at_most(AMONG_MANY, "in force", FirewallPart::is_in_force).await;
            assert_eq!(ours(), before);
        });
    });
}

#[test]
fn an_empty_table_of_one_of_our_names_stands_in_nobody_s_way() {
    lab::alone(|| {
        nft("add table bridge sekisho");
        with_room(None, async |room| {
            let empty = ["table bridge sekisho_closed", "table bridge sekisho"];
            empty.iter().for_each(|table| nft(&format!("add {table}")));
            nft("insert rule inet sekisho forward accept");
            room.wait("told", |part| part.drift.as_ref().is_some_and(|drift| drift.repair == Repair::Done))
                .await;
            assert_eq!(run("nft", &["list", "tables"]), b"table inet sekisho\n");
        });
    });
}

#[test]
fn somebody_who_takes_our_table_s_name_for_himself_closes_the_box_until_he_goes() {
    lab::alone(|| {
        with_room(None, async |room| {
            let before = held();
            let mut owner = Program::new("nft")
                .arg("-i")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let lines = "delete table inet sekisho\nadd table inet sekisho { flags owner; }\n\
                         add chain inet sekisho f { type filter hook forward priority 0; policy accept; }\n";
            owner.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
            room.wait("closed", |part| part.state == RulesetState::DropAll).await;
            let closed = String::from_utf8(run("nft", &["list", "table", "inet", "sekisho_closed"])).unwrap();
            assert_eq!(closed.matches("policy drop").count(), 3, "{closed}");
            drop(owner.stdin.take());
            owner.wait().unwrap();
            room.wait("in force", FirewallPart::is_in_force).await;
            assert_eq!(held(), before);
        });
    });
}

const TERMINAL: &str = "192.0.2.2";
const STATION: &str = "198.51.100.10";
const AMONG_TERMINALS: &str = "192.0.2.1";
const IN_CLINIC: &str = "198.51.100.1";

fn udp(port: &str, source: &str, destination: &str, services: [u16; 2]) -> Packet {
    Packet {
        path: Path::Input,
        from_port: port.into(),
        to_port: String::new(),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: 17,
        readable: true,
        source_service: services[0],
        destination_service: services[1],
        icmp_type: 0,
        icmp_code: 0,
        hop_limit: 64,
        state: State::New,
    }
}

/// Waits until it is so of the drops.
async fn until(room: &Room, is_so: impl Fn(&Drops) -> bool) -> Drops {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let drops = room.drops().await;
        if is_so(&drops) {
            return drops;
        }
        assert!(tokio::time::Instant::now() < end, "never so: {drops:#?}");
    }
}

fn logged(drops: &Drops) -> u64 {
    drops.newest.iter().map(|refusal| refusal.times).sum()
}

fn counted(drops: &Drops, rule: &str) -> u64 {
    drops.lines.iter().find(|line| line.rule == rule).unwrap().packets
}

#[test]
fn what_was_refused_is_recorded_with_its_line_and_what_was_not_is_not() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(None, async |room| {
            let ruleset = listing();
            let packets = [
                udp("term0", TERMINAL, AMONG_TERMINALS, [5000, 123]),
                udp("term0", TERMINAL, AMONG_TERMINALS, [5001, 137]),
                udp("term0", TERMINAL, AMONG_TERMINALS, [5002, 137]),
                udp("term0", STATION, AMONG_TERMINALS, [5003, 53]),
                udp("lan0", STATION, IN_CLINIC, [5004, 137]),
                udp("lan0", STATION, AMONG_TERMINALS, [5005, 53]),
                Packet {
                    path: Path::Forward,
                    to_port: "term0".into(),
                    ..udp("lan0", STATION, TERMINAL, [5006, 9])
                },
                udp("wan0", "2001:db8:0:cc::10", "2001:db8:0:1::5", [5007, 53]),
            ];
            let mut wanted: BTreeMap<(String, String), u64> = BTreeMap::new();
            for packet in &packets {
                lab.send(packet);
                let decision = explain(&ruleset, packet).unwrap();
                let (rule, says) = decision.by.split_once(": ").unwrap();
                if !decision.accepted {
                    *wanted.entry((rule.to_owned(), says.to_owned())).or_default() += 1;
                }
            }
            assert_eq!(wanted.len(), 6, "{wanted:?}");
            let all = wanted.values().sum();
            let drops = until(room, |drops| logged(drops) >= all).await;
            let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
            for refusal in &drops.newest {
                *seen.entry((refusal.rule.clone(), refusal.says.clone())).or_default() += refusal.times;
            }
            assert_eq!(seen, wanted);
            for ((rule, _), times) in &wanted {
                assert_eq!(counted(&drops, rule), *times, "{rule}");
            }
            assert_eq!(
                counted(&drops, "terminal-input-service"),
                1,
                "what was let pass is counted, not recorded"
            );
            let words: Vec<String> = drops.newest.iter().map(ToString::to_string).collect();
            let says =
                |line: &str| assert!(words.iter().any(|word| word == line), "{line} is not in {words:?}");
            says("UDP 192.0.2.2 port 5002 → 192.0.2.1 port 137, from terminal (term0) to the box");
            says("UDP 198.51.100.10 port 5006 → 192.0.2.2 port 9, from clinic (lan0) to terminal (term0)");
            says("UDP 2001:db8:0:cc::10 port 5007 → 2001:db8:0:1::5 port 53, from wan (wan0) to the box");
            assert_eq!((drops.lost, &drops.deaf), (0, &None));
        });
    });
}

#[test]
fn a_flood_is_counted_and_neither_grows_the_record_nor_hides_what_another_line_refused() {
    const FLOOD: u64 = 20_000;
    lab::alone(|| {
        let lab = Lab::build();
        with_room(None, async |room| {
            lab.send(&udp("lan0", STATION, AMONG_TERMINALS, [5000, 53]));
            until(room, |drops| logged(drops) == 1).await;
            for number in 0..FLOOD {
                let to = u16::try_from(1000 + number % 50_000).unwrap();
                lab.send(&udp("term0", TERMINAL, AMONG_TERMINALS, [6000, to]));
            }
            fn of(drops: &Drops, rule: &str) -> usize {
                drops.newest.iter().filter(|refusal| refusal.rule == rule).count()
            }
            let rest = "terminal-input-rest";
            let is_told = |drops: &Drops| counted(drops, rest) == FLOOD && of(drops, rest) > 0;
            let drops = until(room, is_told).await;
            assert!(of(&drops, rest) <= Drops::KEPT_OF_A_LINE);
            assert_eq!(of(&drops, "clinic-input-address"), 1);
            assert!(logged(&drops) + drops.lost < FLOOD / 10, "the kernel logs a few a second");
        });
    });
}

#[test]
fn what_is_logged_under_other_rules_than_ours_is_no_refusal() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(None, async |room| {
            // The line of the log stays, the one that refuses is gone, and all is let pass.
            let door =
                "insert rule inet sekisho input_terminal log prefix terminal-input-rest group 5 accept";
            nft(door);
            for port in 1000..1100 {
                lab.send(&udp("term0", TERMINAL, AMONG_TERMINALS, [5000, port]));
            }
            room.wait("put right", |part| {
                part.drift.as_ref().is_some_and(|drift| drift.repair == Repair::Done)
            })
            .await;
            // What is refused from then on is recorded in the end, and nothing of before.
            let sent = async {
                loop {
                    lab.send(&udp("lan0", STATION, AMONG_TERMINALS, [5000, 53]));
                    let drops = room.drops().await;
                    if drops.newest.iter().any(|refusal| refusal.rule == "clinic-input-address") {
                        return drops;
                    }
                }
            };
            let drops = timeout(PATIENCE, sent).await.unwrap();
            let passed = drops.newest.iter().filter(|refusal| refusal.rule == "terminal-input-rest").count();
            assert_eq!(passed, 0, "{:?}", drops.newest);
        });
    });
}

/// The sample site's texts, with the site file changed.
fn candidate(change: impl FnOnce(String) -> String) -> Candidate {
    Candidate {
        file: "site.toml".into(),
        site: change(include_str!("data/site.toml").to_owned()),
        profile_name: "profile.toml".into(),
        profile: include_str!("data/profile.toml").to_owned(),
    }
}

/// The terminals' zone of the box at another address.
fn moved() -> Candidate {
    candidate(|text| text.replace("192.0.2.1/24", "192.0.2.3/24"))
}

fn armed(applied: Applied) -> (String, Option<usize>) {
    let Applied::Armed { word, ended, .. } = applied else { panic!("{applied:?}") };
    (word, ended)
}

#[test]
fn a_change_is_in_force_until_it_is_taken_back_and_stays_once_the_same_person_confirms_it_anew() {
    lab::alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let memory = Some(folder.path());
        let ours = std::cell::RefCell::new(Value::Null);
        let theirs = std::cell::RefCell::new(Value::Null);
        with_room(memory, async |room| {
            ours.replace(held());
            let same = room.apply(candidate(|text| format!("# a word\n{text}")), 60).await;
            assert_eq!(same, Applied::Same);
            let early = somebody(0);
            let (word, _) = armed(room.apply(moved(), 60).await);
            theirs.replace(held());
            assert_ne!(*ours.borrow(), *theirs.borrow());
            let pending = room.wait("pending", |part| part.pending.is_some()).await.pending.unwrap();
            assert_eq!(room.apply(moved(), 60).await, Applied::Waits { pending });
            let why =
                |settled| if let Settled::Refused { why } = settled { why } else { panic!("{settled:?}") };
            assert!(why(room.confirm(&word, early).await).contains("connection"));
            assert!(why(room.confirm("wrong", somebody(0)).await).contains("word"));
            assert!(why(room.confirm(&word, somebody(1)).await).contains("who applied it"));
            assert_eq!(room.ask(|reply| Command::Revert { reply }).await, Settled::Done);
            assert_eq!(held(), *ours.borrow());
            assert_eq!(room.confirm(&word, somebody(0)).await, Settled::Nothing);
            let (word, _) = armed(room.apply(moved(), 60).await);
            assert_eq!(room.confirm(&word, somebody(0)).await, Settled::Done);
            assert_eq!(held(), *theirs.borrow());
        });
        with_room(memory, async |room| {
            assert_eq!(held(), *theirs.borrow(), "it stays over a restart");
            assert_eq!(room.seen.borrow().pending, None);
            armed(room.apply(candidate(|text| text), 5).await);
            assert_eq!(held(), *ours.borrow());
            room.wait("taken back in time", |part| part.pending.is_none()).await;
            assert_eq!(held(), *theirs.borrow());
        });
    });
}

#[test]
fn a_change_that_waits_goes_on_waiting_over_a_restart_and_only_for_the_rest_of_its_time() {
    lab::alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let memory = Some(folder.path());
        let ours = std::cell::RefCell::new(Value::Null);
        let theirs = std::cell::RefCell::new(Value::Null);
        with_room(memory, async |room| {
            ours.replace(held());
            armed(room.apply(moved(), 8).await);
            theirs.replace(held());
        });
        with_room(memory, async |room| {
            assert!(room.seen.borrow().pending.is_some());
            assert_eq!(held(), *theirs.borrow());
            room.wait("taken back in time", |part| part.pending.is_none()).await;
            assert_eq!(held(), *ours.borrow());
            armed(room.apply(moved(), 60).await);
        });
        // What waits is the kernel's to say: a box whose power went holds something else.
        nft("flush ruleset");
        with_room(memory, async |room| {
            assert_eq!((held(), &room.seen.borrow().pending), (ours.borrow().clone(), &None));
        });
    });
}

#[test]
fn a_candidate_that_is_not_right_changes_nothing_and_every_mistake_is_said() {
    lab::alone(|| {
        let folder = tempfile::tempdir().unwrap();
        with_room(Some(folder.path()), async |room| {
            let before = listing();
            let wrong = candidate(|text| text.replace("192.0.2.1/24", "nowhere").replace("\"ra\"", "\"rb\""));
            let Applied::Refused { why, dropped: false } = room.apply(wrong, 60).await else {
                panic!("applied")
            };
            assert!(why.len() >= 2, "{why:?}");
            assert_eq!(listing(), before, "not even loaded again");
            assert_eq!(room.seen.borrow().pending, None);
        });
    });
}

#[test]
fn flows_that_a_new_ruleset_would_not_let_begin_are_ended_and_no_others() {
    lab::alone(|| {
        let lab = Lab::build();
        let folder = tempfile::tempdir().unwrap();
        with_room(Some(folder.path()), async |room| {
            let time = UdpSocket::bind((AMONG_TERMINALS, 123)).unwrap();
            time.set_read_timeout(Some(PATIENCE)).unwrap();
            let page = TcpListener::bind((IN_CLINIC, 443)).unwrap();
            // The terminal's frames come from this card; nobody answers questions for it.
            run("ip", &["neighbour", "add", TERMINAL, "lladdr", "02:00:00:00:00:02", "dev", "term0"]);
            run("ip", &["neighbour", "add", STATION, "lladdr", "02:00:00:00:00:02", "dev", "lan0"]);
            let question = udp("term0", TERMINAL, AMONG_TERMINALS, [5000, 123]);
            lab.send(&question);
            let (_, asker) = time.recv_from(&mut [0; 64]).unwrap();
            time.send_to(b"x", asker).unwrap();
            let opening = Packet { protocol: 6, ..udp("lan0", STATION, IN_CLINIC, [5001, 443]) };
            lab.send(&opening);
            until(room, |drops| counted(drops, "clinic-input-service") == 1).await;
            // Open flows pass whatever their line says: this is what has to end.
            let renamed = candidate(|text| text.replace("\"t1\"", "\"t2\""));
            assert_eq!(room.apply(renamed, 60).await, Applied::Same);
            let (_, ended) = armed(room.apply(moved(), 60).await);
            assert_eq!(ended, Some(1), "the flow to the page goes on");
            lab.send(&question);
            until(room, |drops| counted(drops, "terminal-input-rest") == 1).await;
            drop(page);
        });
    });
}
