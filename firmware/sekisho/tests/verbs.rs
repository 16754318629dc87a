//! The verbs from outside: their exit codes, and what they say when something is wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sekisho(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(args)
        .env_remove("SEKISHO_SOCKET")
        .output()
        .expect("the binary runs")
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/data").join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a right site file, its profile and its authorities.
fn site() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder to write in");
    for name in ["site.toml", "profile.toml"] {
        std::fs::copy(data(name), folder.path().join(name)).expect("a folder to write in");
    }
    std::fs::write(folder.path().join("ca.pem"), "").expect("a folder to write in");
    let site = folder.path().join("site.toml").display().to_string();
    (folder, site)
}

#[test]
fn a_right_site_file_is_said_to_be_right() {
    let (_folder, site) = site();
    let said = sekisho(&["site", "check", &site]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
}

#[test]
fn ten_mistakes_are_ten_lines_and_exit_65_and_open_nothing() {
    let (folder, _) = site();
    std::fs::copy(data("ten-mistakes.toml"), folder.path().join("site.toml")).unwrap();
    let site = folder.path().join("site.toml").display().to_string();
    let (state, sockets) = (folder.path().join("state"), folder.path().join("sockets"));
    let arguments = [
        "daemon",
        "--site",
        &site,
        "--state",
        state.to_str().unwrap(),
        "--socket",
        sockets.to_str().unwrap(),
    ];
    for verb in [&["site", "check", &site][..], &arguments[..]] {
        let said = sekisho(verb);
        assert_eq!(said.status.code(), Some(65), "{}", text(&said.stderr));
        let lines: Vec<String> = text(&said.stderr).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 11, "one sentence and ten mistakes: {lines:#?}");
        assert!(lines[1..].iter().all(|line| line.contains("site.toml:")), "{lines:#?}");
    }
    assert!(!state.exists() && !sockets.exists(), "nothing was opened");
}

/// The file is right, so its ruleset is compiled and proved; only starting with it is refused, table by table.
#[test]
fn what_this_build_does_not_bring_up_is_one_sentence_a_table_and_exit_69() {
    let (folder, site) = site();
    let more = "\n[internet]\nkind = \"pppoe\"\nresolvers = [\"203.0.113.130\"]\n[update]\nservers = [\"203.0.113.140/32\"]\nuplink = \"internet\"\n";
    let kept = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&site, kept + more).unwrap();
    let (state, sockets) = (folder.path().join("state"), folder.path().join("sockets"));
    let (state, sockets) = (state.to_str().unwrap(), sockets.to_str().unwrap());
    let daemon = ["daemon", "--site", &site, "--state", state, "--socket", sockets];
    let generate = ["generate", "--site", &site, "--state", state, "--to", sockets];
    for verb in [&["site", "check", &site][..], &daemon[..], &generate[..]] {
        let said = sekisho(verb);
        assert_eq!(said.status.code(), Some(69), "{verb:?}: {}", text(&said.stderr));
        let lines: Vec<String> = text(&said.stderr).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3, "{lines:#?}");
        for (line, table) in lines[1..].iter().zip(["[internet]", "[update]"]) {
            assert!(line.starts_with(table) && line.contains("does not bring up"), "{line}");
        }
    }
    assert!(!Path::new(state).exists() && !Path::new(sockets).exists(), "something was opened");
    for verb in [&["policy", "compile", "--site", &site][..], &["policy", "prove", "--site", &site][..]] {
        let said = sekisho(verb);
        assert_eq!(said.status.code(), Some(0), "{verb:?}: {}{}", text(&said.stderr), text(&said.stdout));
    }
}

#[test]
fn a_file_that_is_not_there_is_one_sentence() {
    let said = sekisho(&["site", "check", "/nowhere/site.toml"]);
    assert_eq!(said.status.code(), Some(66));
    assert_eq!(text(&said.stderr).lines().count(), 1);
}

#[test]
fn without_a_daemon_every_verb_that_needs_one_exits_69() {
    let folder = tempfile::tempdir().unwrap();
    let sockets = folder.path().display().to_string();
    for verb in [
        &["status"][..],
        &["status", "--json"],
        &["policy", "explain", "--live"],
        &["check"],
        &["relay", "list"],
        &["relay", "list", "--held"],
        &["relay", "selftest", "--terminal"],
        &["relay", "selftest", "--terminal", "t1", "--json"],
        &["policy", "prove", "--live"],
        &["history"],
        &["history", "--json", "--cell", "10"],
    ] {
        let mut arguments = verb.to_vec();
        arguments.extend(["--socket", &sockets]);
        let said = sekisho(&arguments);
        assert_eq!(said.status.code(), Some(69), "{verb:?}: {}", text(&said.stderr));
        assert_eq!(text(&said.stderr).lines().count(), 1, "{verb:?}");
    }
}

#[test]
fn a_wrong_command_line_exits_64_and_help_exits_0() {
    assert_eq!(sekisho(&["guess"]).status.code(), Some(64));
    assert_eq!(sekisho(&["policy", "prove"]).status.code(), Some(64));
    assert_eq!(sekisho(&["history", "--cell", "10"]).status.code(), Some(64));
    assert_eq!(sekisho(&["history", "--json", "--cell", "9"]).status.code(), Some(64));
    assert_eq!(sekisho(&["--help"]).status.code(), Some(0));
    assert_eq!(sekisho(&["--version"]).status.code(), Some(0));
}

#[test]
fn the_compiled_ruleset_proves_itself_and_a_hole_in_it_is_shown_with_a_packet() {
    let (folder, site) = site();
    let compiled = sekisho(&["policy", "compile", "--site", &site]);
    assert_eq!(compiled.status.code(), Some(0));
    let proved = sekisho(&["policy", "prove", "--site", &site]);
    assert_eq!(proved.status.code(), Some(0), "{}", text(&proved.stdout));
    let holed = text(&compiled.stdout).replace("\"drop\": null", "\"accept\": null");
    let ruleset = folder.path().join("holed.json");
    std::fs::write(&ruleset, holed).unwrap();
    let refused = sekisho(&["policy", "prove", "--site", &site, "--ruleset", ruleset.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(text(&refused.stdout).contains("BROKEN by"), "{}", text(&refused.stdout));
}

#[test]
fn what_breaks_a_promise_is_a_packet_in_json_too() {
    let (folder, site) = site();
    let ruleset = folder.path().join("open.json");
    std::fs::write(&ruleset, r#"{"nftables": []}"#).unwrap();
    let said =
        sekisho(&["policy", "prove", "--site", &site, "--ruleset", ruleset.to_str().unwrap(), "--json"]);
    assert_eq!(said.status.code(), Some(1));
    let promises: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let broken = promises.as_array().unwrap().iter().filter(|promise| promise["proof"]["is"] == "broken");
    let packets: Vec<&serde_json::Value> = broken.map(|promise| &promise["proof"]["packet"]).collect();
    assert_eq!(packets.len(), 10, "{promises}");
    let is_whole = |packet: &&serde_json::Value| {
        ["path", "source", "destination", "protocol", "state"].iter().all(|key| !packet[*key].is_null())
    };
    assert!(packets.iter().all(is_whole), "{packets:?}");
}

/// Nothing of it reaches a ruleset in force: the verb reads a file and prints.
#[test]
fn a_ruleset_that_is_none_exits_65_and_says_why() {
    let (folder, site) = site();
    let long = "[".to_owned() + &"{},".repeat(20_000_000);
    let deep = "[".repeat(100_000);
    let binary: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    let texts: [(&str, &[u8], &str); 6] = [
        ("of nft", b"table inet x {", "expected ident"),
        ("cut", br#"{"nftables": [{"add""#, "EOF"),
        ("binary", &binary, "expected value"),
        ("deep", deep.as_bytes(), "recursion"),
        ("empty", b"", "EOF"),
        ("60 MB", long.as_bytes(), "at most 8388608 bytes"),
    ];
    for (name, content, words) in texts {
        let ruleset = folder.path().join("garbage.json");
        std::fs::write(&ruleset, content).unwrap();
        let said = sekisho(&["policy", "prove", "--site", &site, "--ruleset", ruleset.to_str().unwrap()]);
        assert_eq!(said.status.code(), Some(65), "{name}");
        assert!(text(&said.stderr).contains(words), "{name}: {}", text(&said.stderr));
    }
    // Nor is what does not end read to its end.
    let said = sekisho(&["policy", "prove", "--site", &site, "--ruleset", "/dev/zero"]);
    assert_eq!(said.status.code(), Some(65));
    assert!(text(&said.stderr).contains("at most"), "{}", text(&said.stderr));
}

/// `policy explain` of the sample site.
fn explained(site: &str, packet: &str) -> Output {
    let mut arguments = vec!["policy", "explain", "--site", site];
    arguments.extend(packet.split_whitespace());
    sekisho(&arguments)
}

#[test]
fn a_packet_is_explained_by_the_line_and_the_rule_that_decide_it() {
    let (_folder, site) = site();
    let said =
        explained(&site, "--from clinic --src 198.51.100.20 --dst 198.51.100.1 --proto tcp --dport 443");
    assert_eq!(said.status.code(), Some(0), "{}{}", text(&said.stdout), text(&said.stderr));
    for wanted in [
        "verdict passes, by what is planned",
        "line    the page and the shares (6)",
        "rule    clinic-input-service: meta nfproto ipv4 tcp dport @clinic_services counter accept",
        "way     input → bypass (by input-bypass-case) → input_clinic (by input-port)",
    ] {
        assert!(text(&said.stdout).contains(wanted), "{wanted}: {}", text(&said.stdout));
    }
    let said =
        explained(&site, "--from clinic --src 198.51.100.20 --dst 192.0.2.2 --proto tcp --dport 445 --json");
    assert_eq!(said.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&told["answer"], &told["passes"]), (&"told".into(), &false.into()));
    assert_eq!(told["line"]["id"], "bypass-share");
}

#[test]
fn a_wrong_question_is_told_all_its_mistakes_at_once_and_exits_64() {
    let (_folder, site) = site();
    let packet = "--from cellar --in lan0 --src 192.0.2.1 --dst ::1 --proto tcp --dport 70000 --icmp-type 8 --state fresh";
    let said = explained(&site, packet);
    assert_eq!(said.status.code(), Some(64));
    let told = text(&said.stderr);
    for field in ["from", "dst", "dport", "icmp-type", "state"] {
        assert_eq!(told.matches(&format!("--{field}: ")).count(), 1, "{field}: {told}");
    }
    assert!(told.starts_with("sekisho: 5 mistakes\n"), "{told}");
    let said = explained(&site, "");
    assert_eq!(text(&said.stderr).lines().count(), 5, "all that is missing: {}", text(&said.stderr));
    let said = explained(
        &site,
        "--from clinic --in wan0 --src 198.51.100.20 --dst 192.0.2.2 --proto tcp --dport 445",
    );
    assert!(
        text(&said.stderr).contains("--in: wan0 is no port of clinic (allowed: lan0)"),
        "{}",
        text(&said.stderr)
    );
}

#[test]
fn a_changed_site_file_is_said_in_packets_and_an_equal_one_is_nothing() {
    let (folder, site) = site();
    let other = folder.path().join("other.toml").display().to_string();
    let same = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&other, format!("# another line\n{same}")).unwrap();
    let said = sekisho(&["policy", "diff", &site, &other]);
    assert_eq!((said.status.code(), text(&said.stdout)), (Some(0), "nothing changes\n".into()));
    std::fs::write(&other, format!("{same}\n[page]\nhttps = 8443\n")).unwrap();
    let said = sekisho(&["policy", "diff", &site, &other]);
    assert_eq!(said.status.code(), Some(1));
    assert_eq!(
        text(&said.stdout),
        "+ clinic may now reach the box's 8443/TCP at 198.51.100.1 from 198.51.100.0/24\n\
         - clinic may no longer reach the box's 443/TCP at 198.51.100.1 from 198.51.100.0/24\n"
    );
    let said = sekisho(&["policy", "diff", "--json", &site, &other]);
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&told["gained"][0]["from"], &told["lost"][0]["to"]), (&"clinic".into(), &"box".into()));
    let compiled = [&site, &other].map(|site| {
        let path = format!("{site}.json");
        std::fs::write(&path, sekisho(&["policy", "compile", "--site", site]).stdout).unwrap();
        path
    });
    let said = sekisho(&["policy", "diff", "--ruleset", &compiled[0], &compiled[1]]);
    assert!(
        text(&said.stdout).starts_with("+ port lan0 may now reach the box's 8443/TCP"),
        "{}",
        text(&said.stdout)
    );
}

#[test]
fn the_matrix_says_of_every_pair_what_may_be_opened() {
    let (_folder, site) = site();
    let said = sekisho(&["policy", "matrix", "--site", &site]);
    assert_eq!(said.status.code(), Some(0));
    let told = text(&said.stdout);
    for wanted in [
        "clinic → terminal: never\n",
        "clinic → wan: never\n",
        "wan → terminal: opens nothing; answers to open flows pass\n",
        "clinic → box:\n",
        "    80, 443, 445/TCP at 198.51.100.1 from 198.51.100.0/24\n",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let said = sekisho(&["policy", "matrix", "--json", "--site", &site]);
    let matrix: model::policy::Matrix = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(matrix.zones.len(), 5);
    assert!(matrix.cell("box", "box").is_none() && matrix.cells.len() == 24);
}

#[test]
fn generated_configuration_holds_no_password() {
    let (folder, site) = site();
    let (state, to) = (folder.path().join("state"), folder.path().join("generated"));
    let said = sekisho(&[
        "generate",
        "--site",
        &site,
        "--state",
        state.to_str().unwrap(),
        "--to",
        to.to_str().unwrap(),
    ]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let secret = std::fs::read_to_string(state.join("secrets/share-receipt")).unwrap();
    let password = secret.lines().nth(1).unwrap();
    for name in ["samba/smb.conf", "samba/smb.users", "samba/passwd", "unbound-terminals.conf", "chrony.conf"]
    {
        let written = std::fs::read_to_string(to.join(name)).unwrap();
        assert!(!written.contains(password), "{name}");
    }
    assert!(!text(&said.stdout).contains(password));
}

/// A record of two decisions, as the relay writes it.
fn record() -> (tempfile::TempDir, PathBuf) {
    let state = tempfile::tempdir().expect("a folder to write in");
    let folder = state.path().join("relay/audit");
    let mut chain = journal::chain::Chain::open(&folder).expect("a record").chain;
    for entry in [r#"{"entry":"intent"}"#, r#"{"entry":"outcome"}"#] {
        chain.append(entry.as_bytes()).expect("an entry");
    }
    (state, folder)
}

#[test]
fn a_record_that_is_whole_is_said_to_be_and_one_that_was_changed_is_named_and_exits_1() {
    let (state, folder) = record();
    let audit = |verb| sekisho(&["audit", verb, "--state", state.path().to_str().unwrap()]);
    let said = audit("verify");
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(text(&said.stdout).starts_with("whole: 2 records, the last is 2 "), "{}", text(&said.stdout));
    let lines = text(&audit("export").stdout);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["seq"], &first["entry"]["entry"]), (&1.into(), &"intent".into()));
    assert_eq!(lines.lines().count(), 2);
    let segment = folder.join(format!("{:020}.log", 1));
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let said = audit("verify");
    assert_eq!((said.status.code(), text(&said.stdout)), (Some(1), "record 1 was changed (relay)\n".into()));
    let said = sekisho(&["audit", "verify", "--state", "/nowhere"]);
    assert_eq!(said.status.code(), Some(66));
}

#[test]
fn a_decision_needs_a_reason_without_a_number_and_a_daemon() {
    let (state, _) = record();
    let socket = state.path().to_str().unwrap();
    let code = |args: &[&str]| sekisho(args).status.code();
    assert_eq!(code(&["relay", "return", "7", "--socket", socket]), Some(64));
    assert_eq!(code(&["relay", "return", "7", "--reason", "12345678", "--socket", socket]), Some(64));
    for verb in ["retry", "return", "discard"] {
        assert_eq!(code(&["relay", verb, "7", "--reason", "twice", "--socket", socket]), Some(69));
    }
}
