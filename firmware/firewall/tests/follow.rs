//! Every kind of site in the kernel, and sets that follow what is told without a reload of the rules, seen from
//! outside: by the kernel's listing, its handles and counters, and by the packets that pass.
//! Needs root and nftables; the namespaces end with the threads that made them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod lab;
mod site;

use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use firewall::now::{Answer, Now};
use firewall::packet::{Packet, Path, State};
use firewall::{Command, News, Refused};
use model::Site;
use model::part::{FirewallPart, Promise, Proof, RulesetState};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use lab::{Lab, run};

/// A room at work, and who speaks with it.
struct Room {
    commands: mpsc::Sender<Command>,
    part: watch::Receiver<FirewallPart>,
}

impl Room {
    async fn tell(&self, news: News) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Tell { news, reply }).await.unwrap();
        answer.await.unwrap()
    }

    async fn proofs(&self) -> Vec<Promise> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::ProveLive { reply }).await.unwrap();
        answer.await.unwrap()
    }

    fn state(&self) -> RulesetState {
        self.part.borrow().state
    }
}

/// Brings a site's room up in the namespace of this thread for as long as the case lasts.
fn with_room(site: &Site, case: impl AsyncFnOnce(Room)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (part, mut seen) = watch::channel(FirewallPart::dropping(None));
        let (commands, mut waiting) = mpsc::channel(1);
        let case = async {
            seen.wait_for(|part| part.state == RulesetState::Proved).await.unwrap();
            case(Room { commands, part: seen }).await;
        };
        tokio::select! {
            outcome = firewall::run(site, part, &mut waiting) => panic!("the room ended: {outcome:?}"),
            () = case => {}
        }
    });
}

fn listing() -> Value {
    serde_json::from_slice(&run("nft", &["-j", "list", "ruleset"])).unwrap()
}

/// The handles of all rules: a reload gives others.
fn handles() -> Vec<Value> {
    let listing = listing();
    let rules = listing["nftables"].as_array().unwrap().iter().filter_map(|object| object.get("rule"));
    rules.map(|rule| rule["handle"].clone()).collect()
}

/// What a rule has counted.
fn count(rule: &str) -> u64 {
    let listing = listing();
    let mut rules = listing["nftables"].as_array().unwrap().iter().filter_map(|object| object.get("rule"));
    let rule = rules.find(|one| one["comment"].as_str().is_some_and(|comment| comment.starts_with(rule)));
    let steps = rule.unwrap_or_else(|| panic!("no such rule"))["expr"].as_array().unwrap().clone();
    steps.iter().find_map(|step| step["counter"]["packets"].as_u64()).unwrap()
}

/// Waits until a rule has counted so many.
fn counted(rule: &str, times: u64) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while count(rule) != times {
        assert!(Instant::now() < deadline, "{rule} counted {} and not {times}", count(rule));
    }
}

/// The news that lead to what was told.
fn news(now: &Now) -> Vec<News> {
    let answers = now.learned.iter().map(|one| {
        let name = if one.protocol == "udp" { "ntp.base.test" } else { "hweb.onshikaku.test" };
        News::Answered(Answer { name: name.into(), addresses: vec![one.address], ttl: one.seconds })
    });
    let lists = [
        News::Terminals(now.terminals6.clone()),
        News::Claims(now.claims6.clone()),
        News::Maintenance(now.consent.clone()),
    ];
    lists.into_iter().chain(answers).collect()
}

#[test]
fn every_kind_of_site_is_held_as_it_was_compiled_and_follows_what_is_told() {
    for (name, site, now) in site::every() {
        // What is not proved of such a site, no room loads.
        if site.pppoe_through.is_some() {
            continue;
        }
        lab::alone(|| {
            with_room(&site, async |room| {
                for news in news(&now) {
                    assert_eq!(room.tell(news.clone()).await, Ok(()), "{name}: {news:?}");
                    let proofs = room.proofs().await;
                    assert!(
                        proofs.iter().all(|one| one.proof == Proof::Proved),
                        "{name}, {news:?}: {proofs:?}"
                    );
                    // Anything in the kernel that differs from what was compiled would be a change by hand.
                    assert_eq!(room.state(), RulesetState::Proved, "{name}: {news:?}");
                }
            });
        });
    }
}

#[test]
fn what_passes_unseen_is_loaded_and_proved_as_it_was_compiled() {
    for (name, site, now) in site::every() {
        if site.pppoe_through.is_none() {
            continue;
        }
        lab::alone(|| {
            let document = firewall::Plan::compile(&site, &now).document();
            let file = std::env::temp_dir().join(format!("follow-{}.json", std::process::id()));
            std::fs::write(&file, document.to_string()).unwrap();
            run("nft", &["-j", "-f", file.to_str().unwrap()]);
            std::fs::remove_file(&file).unwrap();
            let intent = firewall::Intent::of(&site, &now);
            assert_eq!(firewall::prove(&listing(), &intent), firewall::prove(&document, &intent), "{name}");
            assert!(listing().to_string().contains(r#""family":"bridge""#), "{name}");
        });
    }
}

const TERMINAL6: &str = "2001:db8:0:1::2";
const CENTRE: &str = "2001:db8:0:cc::10";

fn from_terminal(source: &str, destination: &str, protocol: u8, port: u16) -> Packet {
    Packet {
        path: Path::Forward,
        from_port: "term0".into(),
        to_port: "wan0".into(),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol,
        readable: true,
        source_service: 40_000,
        destination_service: port,
        icmp_type: 0,
        icmp_code: 0,
        hop_limit: 64,
        state: State::New,
    }
}

fn prefix(text: &str) -> model::site::prefix::Prefix {
    text.parse().unwrap()
}

/// A resolver that knows one name; it tells the room what it answers before it answers.
async fn resolver(socket: UdpSocket, told: &Room, answer: Answer) {
    socket.set_nonblocking(true).unwrap();
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    let mut question = [0; 64];
    let (length, asker) = socket.recv_from(&mut question).await.unwrap();
    assert_eq!(&question[..length], answer.name.as_bytes());
    let IpAddr::V6(address) = answer.addresses[0] else { panic!("an AAAA record") };
    told.tell(News::Answered(answer)).await.unwrap();
    socket.send_to(&address.octets(), asker).await.unwrap();
}

/// The terminal's side: it asks, and opens a connection as soon as it has an answer.
async fn ask(resolver: SocketAddr, name: &str) -> Ipv6Addr {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(name.as_bytes(), resolver).await.unwrap();
    let mut answer = [0; 16];
    tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut answer)).await.unwrap().unwrap();
    answer.into()
}

#[test]
fn the_first_packet_after_an_answer_passes_and_none_before_it() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(&site::with("kind = \"ra\"", ""), async |room| {
            room.tell(News::Terminals(vec![prefix("2001:db8:0:1::2/128")])).await.unwrap();
            let rules = handles();
            lab.send(&from_terminal(TERMINAL6, "2001:db8:0:53::77", 6, 8080));
            counted("forward-out-rest:", 1);
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let at = socket.local_addr().unwrap();
            let name = "www.onshikaku.test";
            let addresses = vec!["2001:db8:0:53::77".parse().unwrap()];
            let answer = Answer { name: name.into(), addresses, ttl: 60 };
            let (_, address) = tokio::join!(resolver(socket, &room, answer), ask(at, name));
            lab.send(&from_terminal(TERMINAL6, &address.to_string(), 6, 8080));
            counted("forward-out-named:", 1);
            // Not its other ports, and not its neighbours.
            lab.send(&from_terminal(TERMINAL6, &address.to_string(), 6, 8443));
            lab.send(&from_terminal(TERMINAL6, "2001:db8:0:53::78", 6, 8080));
            counted("forward-out-rest:", 3);
            assert_eq!(handles(), rules, "the rules were loaded again");
        });
    });
}

#[test]
fn answers_outside_what_is_expected_or_for_other_names_admit_nothing() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(&site::with("kind = \"ra\"", ""), async |room| {
            room.tell(News::Terminals(vec![prefix("2001:db8:0:1::2/128")])).await.unwrap();
            let tell = async |name: &str, address: &str| {
                let addresses = vec![address.parse().unwrap()];
                room.tell(News::Answered(Answer { name: name.into(), addresses, ttl: 60 })).await.unwrap();
            };
            for name in
                ["evil.test", "onshikaku.test", "notonshikaku.test", "", ".", "@learned", "a\"; accept\n\0"]
            {
                tell(name, "2001:db8:0:53::77").await;
            }
            tell("www.onshikaku.test", "2001:db8:ffff::1").await;
            tell("www.onshikaku.test", "198.51.100.7").await;
            lab.send(&from_terminal(TERMINAL6, "2001:db8:0:53::77", 6, 443));
            lab.send(&from_terminal(TERMINAL6, "2001:db8:ffff::1", 6, 443));
            counted("forward-out-rest:", 2);
            // Put there by hand, it is found; and it would not pass, whatever the set says.
            let element = "{ 2001:db8:ffff::1 . tcp . 443 timeout 300s }";
            run("nft", &["add", "element", "inet", "sekisho", "learned", element]);
            lab.send(&Packet {
                source_service: 40_001,
                ..from_terminal(TERMINAL6, "2001:db8:ffff::1", 6, 443)
            });
            counted("forward-out-rest:", 3);
            let proofs = room.proofs().await;
            assert!(proofs.iter().all(|one| one.proof == Proof::Proved), "{proofs:?}");
            assert_eq!(room.state(), RulesetState::Drifted);
            assert!(!listing().to_string().contains("2001:db8:ffff::1"), "it is still there");
        });
    });
}

#[test]
fn an_answer_ends_with_its_time_and_what_is_open_then_goes_on() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(&site::with("kind = \"ra\"", ""), async |room| {
            room.tell(News::Terminals(vec![prefix("2001:db8:0:1::2/128")])).await.unwrap();
            let addresses = vec!["2001:db8:0:53::77".parse().unwrap()];
            let answer = Answer { name: "ntp.base.test".into(), addresses, ttl: 60 };
            room.tell(News::Answered(answer.clone())).await.unwrap();
            let question = from_terminal(TERMINAL6, "2001:db8:0:53::77", 17, 123);
            lab.send(&question);
            counted("forward-out-named:", 1);
            // The same answer again leaves one element, with a time of the answer's and no longer.
            room.tell(News::Answered(Answer { ttl: 600, ..answer })).await.unwrap();
            let listing = listing();
            let sets = listing["nftables"].as_array().unwrap().iter().filter_map(|object| object.get("set"));
            let learned: Vec<&Value> = sets.filter(|set| set["name"] == "learned").collect();
            let elements = learned[0]["elem"].as_array().unwrap();
            assert_eq!(elements.len(), 1, "{elements:?}");
            let seconds = elements[0]["elem"]["timeout"].as_u64().unwrap();
            assert!((600..=660).contains(&seconds), "{seconds}");
            // What time does to it is no change by hand.
            let element = "{ 2001:db8:0:53::77 . udp . 123 }";
            run("nft", &["delete", "element", "inet", "sekisho", "learned", element]);
            let answered = Packet {
                from_port: "wan0".into(),
                to_port: "term0".into(),
                source: question.destination,
                destination: question.source,
                source_service: 123,
                destination_service: 40_000,
                state: State::Established,
                ..question.clone()
            };
            lab.send(&answered);
            lab.send(&question);
            lab.send(&Packet { source_service: 40_001, ..question });
            counted("forward-out-rest:", 1);
        });
    });
}

#[test]
fn a_restart_reloads_nothing_and_goes_on_with_what_was_told() {
    lab::alone(|| {
        let site = site::with("kind = \"ra\"", "");
        let mut before = Vec::new();
        with_room(&site, async |room| {
            let terminals = ["2001:db8:0:1::2/128", "2001:db8:0:1::3/128"].map(prefix);
            room.tell(News::Terminals(terminals.into())).await.unwrap();
            let addresses = vec!["2001:db8:0:53::77".parse().unwrap()];
            let answer = Answer { name: "ntp.base.test".into(), addresses, ttl: 600 };
            room.tell(News::Answered(answer)).await.unwrap();
            before = handles();
        });
        with_room(&site, async |room| {
            assert!(room.proofs().await.iter().all(|one| one.proof == Proof::Proved));
            assert_eq!(handles(), before);
            // It is known, and can be taken back.
            room.tell(News::Terminals(Vec::new())).await.unwrap();
            assert!(room.proofs().await.iter().all(|one| one.proof == Proof::Proved));
            assert_eq!(handles(), before);
        });
    });
}

/// A table that only counts what leaves, made before the room comes.
fn spy() {
    run("nft", &["add", "table", "inet", "spy"]);
    run("nft", &["add", "chain", "inet", "spy", "leaves", "{ type filter hook postrouting priority 200; }"]);
    let rule = [
        "add",
        "rule",
        "inet",
        "spy",
        "leaves",
        "udp",
        "dport",
        "123",
        "counter",
        "comment",
        "\"spy: it left\"",
    ];
    run("nft", &rule);
}

#[test]
fn a_renumbering_swaps_the_addresses_at_once_and_cuts_no_other_flow() {
    lab::alone(|| {
        let lab = Lab::build();
        spy();
        with_room(&site::sample(), async |room| {
            let (kept, old, new) = ("2001:db8:0:1::2", "2001:db8:0:1::3", "2001:db8:0:7::3");
            let list = |addresses: [&str; 2]| addresses.map(|one| prefix(&format!("{one}/128"))).to_vec();
            room.tell(News::Terminals(list([kept, old]))).await.unwrap();
            let rules = handles();
            let flow = |source: &str| from_terminal(source, CENTRE, 17, 123);
            lab.send(&flow(kept));
            lab.send(&flow(old));
            counted("spy:", 2);
            let answered = Packet {
                from_port: "wan0".into(),
                to_port: "term0".into(),
                source: CENTRE.parse().unwrap(),
                destination: kept.parse().unwrap(),
                source_service: 123,
                destination_service: 40_000,
                ..flow(kept)
            };
            lab.send(&answered);
            room.tell(News::Terminals(list([kept, new]))).await.unwrap();
            assert_eq!(handles(), rules, "the rules were loaded again");
            let proofs = room.proofs().await;
            assert!(proofs.iter().all(|one| one.proof == Proof::Proved), "{proofs:?}");
            assert_eq!(room.state(), RulesetState::Proved);
            lab.send(&flow(kept));
            lab.send(&flow(new));
            counted("spy:", 4);
            lab.send(&flow(old));
            counted("forward-out-source:", 1);
        });
    });
}

#[test]
fn what_no_host_behind_the_line_can_have_is_not_taken_and_by_hand_it_is_a_change() {
    lab::alone(|| {
        with_room(&site::sample(), async |room| {
            for wrong in [
                "::/0",
                "2000::/3",
                "2001:db8:0:1::/64",
                "fe80::1/128",
                "ff02::1/128",
                "192.0.2.9/32",
                "::1/128",
            ] {
                let said = room.tell(News::Terminals(vec![prefix(wrong)])).await;
                assert!(said.is_err(), "{wrong} was taken");
            }
            assert_eq!(room.state(), RulesetState::Proved);
            run("nft", &["add", "element", "inet", "sekisho", "terminal_addresses6", "{ 2001:db8:0:1::9 }"]);
            room.proofs().await;
            assert_eq!(room.state(), RulesetState::Drifted);
            assert!(!listing().to_string().contains("2001:db8:0:1::9"), "it is still there");
        });
    });
}

#[test]
fn a_maintainer_reaches_nothing_but_the_management_and_that_only_while_consent_is_open() {
    lab::alone(|| {
        let sites = site::every();
        let (_, site, now) = sites.iter().find(|(name, ..)| *name == "pd-internet-maintained").unwrap();
        with_room(site, async |room| {
            let maint = || listing().to_string().contains("maint0");
            assert!(!maint(), "there are rules without consent");
            room.tell(News::Maintenance(now.consent.clone())).await.unwrap();
            assert!(maint());
            let proofs = room.proofs().await;
            assert!(proofs.iter().all(|one| one.proof == Proof::Proved), "{proofs:?}");
            room.tell(News::Maintenance(None)).await.unwrap();
            assert!(!maint(), "there are rules after consent");
        });
    });
}

/// One sender opens more flows than it may have: it alone is refused then.
#[test]
fn a_sender_with_too_many_flows_is_refused_and_another_is_not() {
    lab::alone(|| {
        let lab = Lab::build();
        with_room(&site::sample(), async |room| {
            let (greedy, other) = ("2001:db8:0:1::2", "2001:db8:0:1::3");
            let both = vec![prefix(&format!("{greedy}/128")), prefix(&format!("{other}/128"))];
            room.tell(News::Terminals(both)).await.unwrap();
            let opens = |source: &str, port: u16| {
                lab.send(&Packet { source_service: port, ..from_terminal(source, CENTRE, 17, 123) });
            };
            (0..2_200).for_each(|place| opens(greedy, 1_024 + place));
            let deadline = Instant::now() + Duration::from_secs(10);
            while count("sender-flows:") + count("forward-out-listed:") < 2_200 {
                assert!(Instant::now() < deadline, "not all packets came");
            }
            let (refused, passed) = (count("sender-flows:"), count("forward-out-listed:"));
            assert!(refused >= 100 && passed <= 2_100, "{refused} refused, {passed} let pass");
            opens(other, 1_024);
            counted("forward-out-listed:", passed + 1);
        });
    });
}

/// A port may be called as a word of nft's is: it is a name, and nothing but that.
#[test]
fn ports_with_the_names_of_words_are_only_names() {
    for name in [
        "accept", "drop", "set", "ct", "0", "1234", "0x10", "eth0.100", "and", "inet", "a-b_c", "IP6", "true",
    ] {
        let text = include_str!("data/site.toml").replace("\"lan0\"", &format!("\"{name}\""));
        let profile = model::Profile::parse("profile.toml", include_str!("data/profile.toml"));
        let site = Site::parse("site.toml", &text, profile).unwrap();
        lab::alone(|| {
            with_room(&site, async |room| {
                let proofs = room.proofs().await;
                assert!(proofs.iter().all(|one| one.proof == Proof::Proved), "{name}: {proofs:?}");
                assert_eq!(room.state(), RulesetState::Proved, "{name}");
            });
        });
    }
}

#[test]
fn ten_thousand_destinations_are_held_as_they_were_compiled() {
    lab::alone(|| {
        with_room(&site::of_destinations(10_000), async |room| {
            let proofs = room.proofs().await;
            assert!(proofs.iter().all(|one| one.proof == Proof::Proved), "{proofs:?}");
            assert_eq!(room.state(), RulesetState::Proved);
        });
    });
}
