//! The daemon from outside: what keeps it from starting, who may speak to it, and what it never says.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use clinic::Clinic;

/// The sekisho beside the clinic program.
fn sekisho() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_clinic")).with_file_name("sekisho")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Starts a daemon in the box and waits for its end, which must come by itself.
fn daemon(clinic: &Clinic, site: &str) -> Output {
    let program = sekisho();
    let (state, sockets) = (clinic.state().join("second"), clinic.socket_dir().with_file_name("second"));
    let argv = [
        "timeout",
        "20",
        program.to_str().expect("the clinic works"),
        "daemon",
        "--site",
        site,
        "--state",
        state.to_str().expect("the clinic works"),
        "--socket",
        sockets.to_str().expect("the clinic works"),
    ];
    clinic.exec("box", &argv).expect("the clinic works")
}

fn ruleset(clinic: &Clinic) -> String {
    text(&clinic.exec("box", &["nft", "list", "ruleset"]).expect("the clinic works").stdout)
}

/// What the daemon said to the person who started it: one sentence beside its log lines.
fn sentences(said: &Output) -> Vec<String> {
    text(&said.stderr).lines().filter(|line| line.starts_with("sekisho: ")).map(str::to_owned).collect()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_busy_port_of_the_page_is_one_sentence_and_loads_nothing() {
    let clinic = Clinic::up_with("d-busy", &["--box", "bare"]).unwrap();
    let taken = clinic.inside("box", || std::net::TcpListener::bind("198.51.100.1:80").unwrap()).unwrap();
    let said = daemon(&clinic, clinic.site().to_str().unwrap());
    drop(taken);
    assert_eq!(said.status.code(), Some(69), "{}", text(&said.stderr));
    let sentences = sentences(&said);
    assert_eq!(sentences.len(), 1, "{sentences:?}");
    assert!(sentences[0].contains("198.51.100.1:80"), "{sentences:?}");
    assert_eq!(ruleset(&clinic), "");
}

#[test]
fn ports_that_are_not_there_are_all_named_and_nothing_is_loaded() {
    let clinic = Clinic::up_with("d-ports", &["--box", "bare"]).unwrap();
    let site = std::fs::read_to_string(clinic.site()).unwrap();
    let wrong = clinic.site().with_file_name("wrong.toml");
    std::fs::write(&wrong, site.replace("\"wan0\"", "\"wan7\"").replace("\"lan0\"", "\"lan7\"")).unwrap();
    let said = daemon(&clinic, wrong.to_str().unwrap());
    assert_eq!(said.status.code(), Some(65), "{}", text(&said.stderr));
    let said = sentences(&said).join("\n");
    assert!(said.contains("wan7") && said.contains("lan7"), "{said}");
    assert_eq!(ruleset(&clinic), "");
}

#[test]
fn a_stranger_is_turned_away_from_the_roles_sockets() {
    let clinic = Clinic::up("d-stranger").unwrap();
    let sockets = clinic.socket_dir();
    // As open as files can be: the kernel's word on the peer must suffice.
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    open(&sockets);
    for role in std::fs::read_dir(&sockets).unwrap() {
        let role = role.unwrap().path();
        open(&role);
        std::fs::read_dir(&role).unwrap().for_each(|socket| open(&socket.unwrap().path()));
    }
    let (parent, copy) = (sockets.parent().unwrap(), tempfile::tempdir().unwrap());
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(copy.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy.path().join("sekisho");
    std::fs::copy(sekisho(), &program).unwrap();
    let status = |uid: u32| {
        let mut command = Command::new(&program);
        command.args(["status", "--socket"]).arg(&sockets).uid(uid);
        command.output().unwrap()
    };
    assert_eq!(status(0).status.code(), Some(0));
    let stranger = status(65_534);
    assert_eq!(stranger.status.code(), Some(69), "{}", text(&stranger.stdout));
}

/// The page as reception sees it.
fn page() -> String {
    let mut stream = std::net::TcpStream::connect("198.51.100.1:80").expect("the clinic works");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: 198.51.100.1\r\nConnection: close\r\n\r\n")
        .expect("the clinic works");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).expect("the clinic works");
    text(&said)
}

/// The journal numbers of what is held.
fn numbers(list: &str) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(list).expect("the list is JSON");
    let held = list["held"].as_array().into_iter().flatten();
    held.map(|held| held["parcel"]["number"].to_string()).collect()
}

/// The record of what was decided.
fn audit(clinic: &Clinic) -> String {
    let mut command = Command::new(sekisho());
    let said = command.args(["audit", "export", "--state"]).arg(clinic.state()).output();
    let said = said.expect("sekisho is built");
    assert!(said.status.success(), "{}", text(&said.stderr));
    text(&said.stdout)
}

/// Stands in names, contents and passwords; nobody's data.
const CANARY: &str = "CANARY73519";

#[test]
fn nothing_the_box_says_names_a_patient_or_a_password_even_at_trace() {
    let clinic = Clinic::up("d-canary").unwrap();
    clinic.start_daemon(&[("SEKISHO_LOG", "trace"), ("RUST_LOG", "trace")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.xml");
    std::fs::write(&file, format!("<XmlMsg><MessageBody>{CANARY}</MessageBody></XmlMsg>")).unwrap();
    let empty = folder.path().join("empty.xml");
    std::fs::write(&empty, "").unwrap();
    let (file, empty) = (file.display(), empty.display());
    let orders = format!(
        "put {file} req/OQSsiquc01req_{CANARY}.xml; put {file} req/unknown-{CANARY}.xml; \
         put {empty} req/OQSsiquc01req_{CANARY}2.xml"
    );
    let put = clinic.smbclient(&orders).unwrap();
    assert!(put.status.success(), "{}", text(&put.stdout));
    clinic.oqs("push-face=1").unwrap();
    let answer = clinic.clinic_folder().join(format!("res/OQSsiquc01res_{CANARY}.xml"));
    until("the answer is there", || answer.exists());
    let verb = |arguments: &[&str]| {
        let mut command = Command::new(sekisho());
        let said = command.args(arguments).arg("--socket").arg(clinic.socket_dir()).output().unwrap();
        text(&said.stdout) + &text(&said.stderr)
    };
    until("both bad files are held", || {
        let said: serde_json::Value = serde_json::from_str(&verb(&["relay", "list", "--json"])).unwrap();
        said["held"].as_array().is_some_and(|held| held.len() == 2)
    });
    let more: [&[&str]; 9] = [
        &["status"],
        &["status", "--json"],
        &["relay", "list"],
        &["relay", "list", "--json"],
        &["relay", "days"],
        &["relay", "days", "--json"],
        &["check"],
        &["history"],
        &["history", "--json"],
    ];
    let mut said = more.map(|arguments| ("verb", verb(arguments))).to_vec();
    said.push(("page", clinic.inside("clinic", page).unwrap()));
    let numbers = numbers(&verb(&["relay", "list", "--json"]));
    let reason = &["--reason", "seen to"][..];
    for (order, nth) in [("show", 0), ("return", 0), ("show", 1), ("discard", 1)] {
        let reason = if order == "show" { &[] } else { reason };
        said.push((order, verb(&[&["relay", order, &numbers[nth]], reason].concat())));
    }
    // It is gone: what the relay says then.
    said.push(("retry", verb(&[&["relay", "retry", &numbers[1]], reason].concat())));
    let log = std::fs::read_to_string(clinic.log("sekisho")).unwrap();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is as talkative as it gets");
    said.extend([("log", log), ("audit export", audit(&clinic))]);
    let mut secrets = vec![CANARY.to_owned()];
    for name in ["t1", "share-receipt"] {
        let secret = std::fs::read_to_string(clinic.state().join("secrets").join(name)).unwrap();
        secrets.push(secret.lines().nth(1).unwrap().to_owned());
    }
    for (place, text) in said {
        assert!(!text.is_empty(), "{place} says something");
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{place} gives it away: {line:?}");
        }
    }
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let clinic = Clinic::up("d-second").unwrap();
    let said = daemon(&clinic, clinic.site().to_str().unwrap());
    assert_eq!(said.status.code(), Some(69), "{}", text(&said.stderr));
    let status =
        Command::new(sekisho()).args(["check", "--socket"]).arg(clinic.socket_dir()).output().unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stdout));
}
