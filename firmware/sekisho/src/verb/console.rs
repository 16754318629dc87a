//! `sekisho console`: what the serial console says, in Japanese and English: what this box is, what a person is told
//! about how it came up, and then one line at each change of the headline. No patient's data, and no secret but the
//! claim code, which is for whoever stands in front of the box.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use model::boot::{BootPart, Situation};
use model::part::{Role, RulesetState, Snapshot};
use model::{Language, Notice, Text, Timestamp};
use serde::Deserialize;

use crate::boot::{self, claim};
use crate::failure::Failure;
use crate::output::clock;
use crate::socket::client;
use crate::{cli, output, snapshot};

/// How long the label waits for the page to know its certificate.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to leave the page alone while it does not answer.
const AGAIN: Duration = Duration::from_millis(500);
/// How often the headline is looked at though nothing changed: what grows too old becomes unknown by itself.
const EVERY: Duration = Duration::from_secs(5);

/// Says the label, the notices and the headline, and goes on until it is ended.
///
/// # Errors
/// [`Failure::Read`] if nothing says how the box came up.
pub async fn run(args: &cli::Console) -> Result<ExitCode, Failure> {
    let file = boot::part::path(&args.socket);
    let Some(part) = boot::part::read(&file) else {
        let source = std::io::Error::other("it does not say how the box came up");
        return Err(Failure::Read { path: file, source });
    };
    let facts = Facts {
        page: page(&part, &args.socket),
        known: fingerprints(&args.socket).await.unwrap_or_default(),
        code: std::fs::read_to_string(claim::code(&args.socket)).ok().map(|text| text.trim().to_owned()),
    };
    output::print(&label(&part, &facts));
    follow(&args.socket).await
}

/// One line a change. A notice that comes later (a stick) is said with what stands behind it.
async fn follow(sockets: &Path) -> Result<ExitCode, Failure> {
    let mut pictures = snapshot::follow(sockets, &[Role::Netd, Role::Relayd, Role::Reachd]);
    let mut told = Told::default();
    // The first picture is empty; what nobody has looked at yet is no headline.
    let begun = |picture: &std::sync::Arc<Snapshot>| picture.boot.is_some() && picture.firewall.is_some();
    let _ = tokio::time::timeout(EVERY, pictures.wait_for(begun)).await;
    loop {
        let seen = pictures.borrow_and_update().as_ref().clone();
        for line in told.news(&seen.fresh(Timestamp::now()), Timestamp::now()) {
            output::print(&line);
        }
        if let Ok(Err(_)) = tokio::time::timeout(EVERY, pictures.changed()).await {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// What the page says of its certificates.
#[derive(Clone, Debug, Default, Deserialize)]
struct Known {
    page: String,
    authority: String,
}

/// Asks the page for its certificates' fingerprints; none if it does not come up.
async fn fingerprints(sockets: &Path) -> Option<Known> {
    let asked = async {
        loop {
            if let Ok(found) = client::ask(sockets, Role::Webd, "/fingerprints").await {
                return found;
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.ok()
}

/// Where the page is: of the site in force, or of the setup port.
fn page(part: &BootPart, own: &Path) -> Option<String> {
    if let Some(setup) = &part.setup {
        return Some(setup.url());
    }
    let site = crate::site_file::load(&boot::site_file(&own.join("site"))).ok()?.site;
    Some(model::boot::url(site.clinic.address, site.page.https))
}

/// What stands on the label beside how the box came up.
#[derive(Clone, Debug, Default)]
struct Facts {
    page: Option<String>,
    known: Known,
    code: Option<String>,
}

/// The label: fixed names in both languages, values behind them.
fn label(part: &BootPart, facts: &Facts) -> String {
    let mut lines = vec![RULE.to_owned(), format!("関所 Sekisho {}", part.version)];
    let mut fact = |name: Text, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("  {} / {}: {value}", name.ja, name.en));
        }
    };
    fact(Text::new("状態", "situation"), Some(&both(part.situation.name())));
    fact(Text::new("機種", "board"), Some(&part.board));
    fact(Text::new("製造番号", "serial number"), Some(&part.serial));
    fact(Text::new("差し込み口", "port"), part.setup.as_ref().map(|setup| setup.label.as_str()));
    fact(
        Text::new("本機の番地", "address"),
        part.setup.as_ref().map(|setup| setup.address.to_string()).as_deref(),
    );
    fact(Text::new("ページ", "page"), facts.page.as_deref());
    fact(Text::new("証明書の指紋", "certificate SHA-256"), Some(&facts.known.page));
    fact(Text::new("認証局の指紋", "authority SHA-256"), Some(&facts.known.authority));
    fact(Text::new("確認コード", "claim code"), facts.code.as_deref());
    if part.situation == Situation::Closed && part.setup.is_some() {
        lines.push(both_lines(BY_HAND, "  "));
    }
    if part.situation == Situation::Carton {
        lines.push(both_lines(PLUG_IN, "  "));
    }
    lines.extend(part.notices.iter().map(notice));
    lines.push(RULE.to_owned());
    lines.join("\n")
}

const RULE: &str = "----------------------------------------------------------------";

/// A closed box hands out no addresses: on a clinic's network that would be a second DHCP server.
const BY_HAND: Text = Text::new(
    "ページを見るには、パソコンに同じ網の番地を手で入れてください。",
    "To see the page, give your computer an address of the same network by hand.",
);

const PLUG_IN: Text =
    Text::new("設定ファイルを入れたメモリーを差し込んでください。", "Plug in the stick with the site file.");

fn notice(notice: &Notice) -> String {
    let words = notice.words();
    let mut lines = vec![both_lines(words.happened, "! ")];
    lines.extend(notice.details().iter().map(|detail| format!("    {}", output::plain(detail))));
    lines.push(both_lines(words.next, "  "));
    lines.join("\n")
}

fn both(text: Text) -> String {
    format!("{} / {}", text.ja, text.en)
}

fn both_lines(text: Text, before: &str) -> String {
    let indent = " ".repeat(before.len());
    format!("{before}{}\n{indent}{}", text.ja, text.en)
}

/// What was said already.
#[derive(Clone, Debug, Default)]
struct Told {
    headline: Option<String>,
    notices: Option<Vec<Notice>>,
}

impl Told {
    /// What is new in a snapshot, a text each. The notices the label has told are not told again.
    fn news(&mut self, snapshot: &Snapshot, now: Timestamp) -> Vec<String> {
        let mut news = Vec::new();
        if let Some(boot) = &snapshot.boot {
            let known = self.notices.replace(boot.notices.clone());
            let fresh = known.map_or_else(Vec::new, |known| {
                boot.notices.iter().filter(|one| !known.contains(one)).collect::<Vec<_>>()
            });
            news.extend(fresh.into_iter().map(|one| format!("{} {}", clock(now), notice(one).trim_start())));
        }
        let headline = headline(snapshot);
        if self.headline.as_ref() != Some(&headline) {
            news.push(format!("{} {headline}", clock(now)));
            self.headline = Some(headline);
        }
        news
    }
}

/// The headline of a picture in one line, without its time.
fn headline(snapshot: &Snapshot) -> String {
    let wall = snapshot.firewall.as_ref().map(|wall| wall.part.state);
    let situation = snapshot.boot.as_ref().map_or(Situation::Site, |boot| boot.situation);
    let Some(line) = snapshot.line.as_ref().filter(|_| situation == Situation::Site) else {
        let word = if situation == Situation::Site { NOT_KNOWN } else { situation.name() };
        return join(word, wall);
    };
    let verdict = &line.part.verdict;
    let mut said = join(verdict.usability.word(), wall);
    for fault in verdict.alarms() {
        let (title, owner) = (fault.code.title(), fault.owner.name());
        let named = |language: Language| format!("{} → {}", title.get(language), owner.get(language));
        let place = fault.terminal.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
        let code = fault.code.key();
        said.push_str(&format!("; {code}{place} {} / {}", named(Language::Ja), named(Language::En)));
    }
    said
}

const NOT_KNOWN: Text = Text::new("まだ分かりません", "not known yet");

/// The word, and the firewall's state where it is not as it should be.
fn join(word: Text, wall: Option<RulesetState>) -> String {
    let wall = match wall {
        Some(RulesetState::Proved) => return both(word),
        Some(RulesetState::DropAll) => Text::new("通信を全て止めています", "all traffic is stopped"),
        Some(RulesetState::Drifted) => {
            Text::new("通信の設定が変えられ、直しました", "the firewall was changed and put right")
        }
        None => Text::new("守りは確認中です", "the firewall is being checked"),
    };
    format!("{}; {}", both(word), both(wall))
}

#[cfg(test)]
mod tests {
    use model::boot::Setup;
    use model::notice::{Stick, examples};
    use model::part::{FirewallPart, LinePart, Stamped};
    use model::verdict::{Certainty, Fault};
    use model::{FaultCode, Party, Usability, Verdict};

    use super::*;

    fn part(situation: Situation, notices: Vec<Notice>) -> BootPart {
        let address = "198.51.100.1/24".parse().unwrap();
        let setup = Setup { port: "lan0".into(), label: "SETUP".into(), address };
        BootPart {
            version: "0.1.0".into(),
            board: "virtual".into(),
            serial: "S-0001".into(),
            situation,
            notices,
            setup: (situation != Situation::Site).then_some(setup),
        }
    }

    fn stamped<T>(part: T) -> Option<Stamped<T>> {
        Some(Stamped { generation: 1, at: Timestamp::UNIX_EPOCH, part })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_label_of_each_situation() {
        let facts = Facts {
            page: Some("https://198.51.100.1/".into()),
            known: Known { page: "AB:CD".into(), authority: "EF:01".into() },
            code: Some("abcd-efgh-2345".into()),
        };
        let without = Facts { code: None, ..facts.clone() };
        let mut text = String::new();
        for (situation, facts, notices) in [
            (Situation::Site, &without, Vec::new()),
            (Situation::Carton, &facts, Vec::new()),
            (Situation::Closed, &without, examples()),
        ] {
            text.push_str(&label(&part(situation, notices), facts));
            text.push_str("\n\n");
        }
        insta::assert_snapshot!("label", text);
    }

    fn line(usability: Usability, code: Option<FaultCode>) -> Snapshot {
        let mut verdict = Verdict::unknown(Timestamp::UNIX_EPOCH);
        verdict.usability = usability;
        verdict.foremost = code.map(|code| Fault {
            code,
            owner: Party::Line,
            certainty: Certainty::Sure,
            evidence: Vec::new(),
            terminal: None,
        });
        let wall = FirewallPart { state: RulesetState::Proved, ..FirewallPart::dropping(None) };
        Snapshot {
            line: stamped(LinePart::judged(verdict)),
            firewall: stamped(wall),
            boot: Some(part(Situation::Site, Vec::new())),
            ..Snapshot::default()
        }
    }

    #[test]
    fn each_change_of_the_headline_is_one_line_with_its_time() {
        let mut told = Told::default();
        let mut lines = Vec::new();
        for (second, snapshot) in [
            (0, Snapshot { boot: Some(part(Situation::Site, Vec::new())), ..Snapshot::default() }),
            (1, line(Usability::Usable, None)),
            (2, line(Usability::Usable, None)),
            (3, line(Usability::Unusable, Some(FaultCode::Wan01))),
            (4, Snapshot { line: None, ..line(Usability::Usable, None) }),
        ] {
            lines.extend(told.news(&snapshot, at(second)));
        }
        assert_eq!(
            lines,
            [
                "1970-01-01 09:00:00 まだ分かりません / not known yet; 守りは確認中です / the firewall is being checked",
                "1970-01-01 09:00:01 使えます / Usable",
                "1970-01-01 09:00:03 使えません / Not usable; WAN-01 回線の信号なし → 回線事業者 / no signal on the line → the line's carrier",
                "1970-01-01 09:00:04 まだ分かりません / not known yet",
            ]
        );
    }

    #[test]
    fn a_stick_that_is_refused_is_said_when_it_happens_and_once() {
        let mut told = Told::default();
        let carton =
            |notices| Snapshot { boot: Some(part(Situation::Carton, notices)), ..Snapshot::default() };
        told.news(&carton(Vec::new()), at(0));
        let refused = vec![Notice::StickRefused { why: Stick::SeveralSiteFiles { count: 10 } }];
        let news = told.news(&carton(refused.clone()), at(1));
        assert_eq!(news.len(), 1);
        assert!(news[0].starts_with("1970-01-01 09:00:01 ! メモリーに設定ファイルがいくつも"), "{news:?}");
        assert!(told.news(&carton(refused), at(2)).is_empty());
    }

    /// What comes from a stick's site file may hold anything: no control character reaches the terminal.
    #[test]
    fn nothing_a_terminal_would_act_on_is_printed() {
        let hostile = "\u{1b}[2J\r\nroot#".to_owned();
        let notices = vec![Notice::SiteUnreadable { mistakes: vec![hostile] }];
        let text = label(&part(Situation::Closed, notices), &Facts::default());
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
}
