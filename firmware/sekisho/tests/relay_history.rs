//! The relay's history over restarts, with this program as the one that holds it open.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::kind::Kind;
use model::parcel::{Direction, Passed};
use model::part::RelayPart;
use relay::share::local::LocalTerminal;
use relay::{Command, Config, ConsumerConfig, HistoryBy, TerminalConfig};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

const UNCERTAIN: &str = "u.7.0000000000000001.receipt.req~OQSsiquc01req_7.xml";

struct Running {
    part: watch::Receiver<RelayPart>,
    commands: mpsc::Sender<Command>,
    relay: JoinHandle<()>,
}

fn config(folder: &Path, history: HistoryBy) -> Config {
    let kind = Kind {
        key: "OQSsiquc01req".into(),
        direction: Direction::Request,
        folder: "req".into(),
        prefix: "OQSsiquc01req_".into(),
        extensions: vec!["xml".into()],
        max_bytes: 4096,
        time_to_live_s: 1800,
        per_minute: None,
        answered_by: Vec::new(),
        answered_within_s: 60,
        folder_may_lack: false,
        enabled: true,
    };
    Config {
        state: folder.join("state"),
        kinds: [kind].into(),
        opening: model::Opening::default(),
        count_outcomes: false,
        history,
        terminals: vec![TerminalConfig { name: "t1".into(), requests_below: None }],
        consumers: vec![ConsumerConfig {
            name: "receipt".into(),
            share: Some("OQS".into()),
            takes: Vec::new(),
        }],
    }
}

fn start(folder: &Path, history: HistoryBy) -> Running {
    let (tell, part) = watch::channel(RelayPart::default());
    let (commands, receive) = mpsc::channel(1);
    let (config, terminal) = (config(folder, history), LocalTerminal { root: folder.join("terminal") });
    let relay = tokio::spawn(async move {
        relay::run(&config, vec![terminal], tell, receive).await.expect("the relay opens its folders");
    });
    Running { part, commands, relay }
}

impl Running {
    async fn says(&mut self, wanted: impl Fn(&RelayPart) -> bool) -> RelayPart {
        let heard = tokio::time::timeout(Duration::from_secs(20), self.part.wait_for(|part| wanted(part)));
        heard.await.expect("it is said within 20 s").expect("the relay runs").clone()
    }

    async fn passed(&self, number: u64) -> Option<Passed> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Passed { number, reply }).await.expect("the relay runs");
        answer.await.expect("the relay answers")
    }

    async fn stop(self) {
        self.relay.abort();
        let _ = self.relay.await;
    }
}

fn program() -> HistoryBy {
    HistoryBy::Program(env!("CARGO_BIN_EXE_sekisho").into(), vec!["relay-history".into()])
}

/// The folders, and a request of which nobody knows whether it was sent.
fn folders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder to write in");
    for path in ["state/share/OQS/req", "state/relay/attempted/t1", "terminal/req"] {
        fs::create_dir_all(folder.path().join(path)).expect("a folder to write in");
    }
    fs::write(folder.path().join("state/relay/attempted/t1").join(UNCERTAIN), "<XmlMsg></XmlMsg>")
        .expect("a folder to write in");
    folder
}

/// A request goes; returns its number.
async fn send(folder: &Path, running: &mut Running, n: u32, already: u64) -> u64 {
    let name = format!("OQSsiquc01req_new{n}.xml");
    fs::write(folder.join("state/share/OQS/req").join(name), "<XmlMsg></XmlMsg>")
        .expect("a folder to write in");
    let part = running.says(|part| part.requests_today == already + 1).await;
    part.waiting.iter().map(|waiting| waiting.parcel.number).max().expect("it waits for its answer")
}

/// Nothing uncertain was sent, whatever became of the history.
fn is_held(folder: &Path, part: &RelayPart) {
    assert_eq!(part.held.iter().map(|held| held.parcel.number).collect::<Vec<_>>(), [7]);
    assert!(!folder.join("terminal/req/OQSsiquc01req_7.xml").exists());
}

#[tokio::test]
async fn the_counts_go_on_after_a_restart_and_a_garbled_history_costs_them_and_nothing_else() {
    let folder = folders();
    let folder = folder.path();
    let mut running = start(folder, program());
    let first = send(folder, &mut running, 1, 0).await;
    let passed = running.passed(first).await.expect("it is remembered");
    assert_eq!((passed.direction, passed.kind.as_deref()), (Some(Direction::Request), Some("OQSsiquc01req")));
    running.stop().await;

    let mut running = start(folder, program());
    let part = running.says(|part| part.requests_today == 1 && part.held_count == 1).await;
    is_held(folder, &part);
    assert_eq!(running.passed(first).await, Some(passed));
    running.stop().await;

    let all = |path: &PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    for file in all(&folder.join("state/relay/history")).filter(|path| path.is_file()) {
        let size = fs::metadata(&file).unwrap().len();
        fs::write(&file, vec![0x5a; usize::try_from(size).unwrap()]).unwrap();
    }
    let mut running = start(folder, program());
    let second = send(folder, &mut running, 2, 0).await;
    is_held(folder, &running.says(|part| part.held_count == 1).await);
    assert!(running.passed(second).await.is_some(), "a new one");
    assert!(folder.join("state/relay/history.damaged").exists());
    running.stop().await;
}

#[tokio::test]
async fn a_program_that_only_ends_or_is_not_there_keeps_no_parcel() {
    for program in ["/bin/false", "/nowhere/program"] {
        let folder = folders();
        let mut running = start(folder.path(), HistoryBy::Program(program.into(), Vec::new()));
        let number = send(folder.path(), &mut running, 1, 0).await;
        assert_eq!(running.passed(number).await, None);
        is_held(folder.path(), &running.says(|part| part.held_count == 1).await);
        running.stop().await;
    }
}
