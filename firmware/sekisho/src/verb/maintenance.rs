//! `sekisho maintenance`: what the clinic's responsible person says at the box. Who may do what is decided by `netd`; a
//! PIN is typed without being shown, and is in no argument.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use model::maintenance::{
    Answer, Further, Giver, MaintenancePart, Opening, Pin, PinChange, Refusal, Reviewing, Session, Tunnel,
    Wanted, Widening,
};
use model::part::{Role, Stamped};
use model::{Language, Timestamp};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde::Serialize;

use super::words;
use crate::cli::{Maintenance, MaintenanceVerb};
use crate::failure::{Failure, code};
use crate::output;
use crate::role::certificate;
use crate::socket::{client, part};

/// Asks, or tells.
///
/// # Errors
/// [`Failure::NoDaemon`]; a PIN that cannot be read.
pub async fn run(args: Maintenance) -> Result<ExitCode, Failure> {
    let socket = args.socket.as_path();
    match args.verb {
        MaintenanceVerb::Open { maintainer, reason, minutes, again } => {
            let wanted = Wanted { maintainer, reason, minutes };
            say(order(socket, "open", &Opening { wanted, pin: typed("PIN: ")?, again }).await?)
        }
        MaintenanceVerb::Further { host, port, reason } => {
            let further = Further { host, port };
            say(order(socket, "further", &Widening { further, reason, pin: typed("PIN: ")? }).await?)
        }
        MaintenanceVerb::Close => say(order(socket, "close", &()).await?),
        MaintenanceVerb::List { json } => list(socket, json).await,
        MaintenanceVerb::Review { session } => {
            say(order(socket, "review", &Reviewing { session, pin: typed("PIN: ")? }).await?)
        }
        MaintenanceVerb::Pin => pin(socket).await,
        MaintenanceVerb::Certificate { state } => {
            output::print(certificate(&state)?.trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn order(socket: &Path, verb: &str, ask: &impl Serialize) -> Result<Answer, Failure> {
    client::order(socket, Role::Netd, &format!("/maintenance/{verb}"), ask).await
}

fn say(answer: Answer) -> Result<ExitCode, Failure> {
    let sentence = answer.sentence(words::language());
    let exit = match &answer {
        Answer::Refused { why: Refusal::WrongPin | Refusal::NoPin } => code::NOPERM,
        Answer::Refused { why: Refusal::TooSoon { .. } } => code::TEMPFAIL,
        Answer::Refused { why: Refusal::Failed } => code::CANTCREAT,
        Answer::Refused { .. } => code::NO,
        Answer::Opened { until, .. } => {
            output::print(&format!("{sentence} (— {})", output::clock(*until)));
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            output::print(&sentence);
            return Ok(ExitCode::SUCCESS);
        }
    };
    output::error(&sentence);
    Ok(ExitCode::from(exit))
}

async fn told(socket: &Path) -> Result<MaintenancePart, Failure> {
    let told: Stamped<MaintenancePart> = client::part_of(socket, Role::Netd, part::MAINTENANCE, 0).await?;
    Ok(told.part)
}

async fn pin(socket: &Path) -> Result<ExitCode, Failure> {
    let old = if told(socket).await?.pin_set { Some(typed("PIN: ")?) } else { None };
    let new = typed("new PIN (6-12 digits): ")?;
    if std::io::stdin().is_terminal() && typed("new PIN, again: ")? != new {
        output::error("The two are not the same; nothing was changed.");
        return Ok(ExitCode::from(code::NO));
    }
    say(order(socket, "pin", &PinChange { old, new }).await?)
}

/// A line of standard input; on a terminal nobody sees it.
fn typed(prompt: &str) -> Result<Pin, Failure> {
    let failed = |source| Failure::Read { path: "standard input".into(), source };
    let stdin = std::io::stdin();
    let shown = if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None };
    if let Some(shown) = &shown {
        let mut hidden = shown.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden).map_err(|error| failed(error.into()))?;
        output::error(prompt);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(shown) = &shown {
        let _ = tcsetattr(&stdin, SetArg::TCSANOW, shown);
    }
    read.map_err(failed)?;
    Ok(Pin::typed(&line))
}

async fn list(socket: &Path, json: bool) -> Result<ExitCode, Failure> {
    let part = told(socket).await?;
    if json {
        output::print(&output::json(&part));
        return Ok(ExitCode::SUCCESS);
    }
    let (now, language) = (Timestamp::now(), words::language());
    lines(&part, now, language).iter().for_each(|line| output::print(line));
    Ok(ExitCode::SUCCESS)
}

fn lines(part: &MaintenancePart, now: Timestamp, language: Language) -> Vec<String> {
    let mut lines = vec![match part.open() {
        Some((session, tunnel)) => open(session, tunnel, part, now, language),
        None => "closed".to_owned(),
    }];
    let past = part.sessions.iter().filter(|session| session.ended.is_some());
    lines.extend(past.map(|session| ended(session, now, language)));
    lines
}

fn open(
    session: &Session,
    tunnel: Tunnel,
    part: &MaintenancePart,
    now: Timestamp,
    language: Language,
) -> String {
    let left = (session.until.as_second() - now.as_second()).max(0);
    let stands = match (tunnel, part.why_not()) {
        (Tunnel::Up, _) => "the tunnel stands".to_owned(),
        (Tunnel::Down { .. }, Some(why)) => format!("no tunnel: {}", why.get(language)),
        (Tunnel::Down { .. }, None) => "no tunnel yet".to_owned(),
    };
    format!("OPEN {} — {}:{:02} left, {stands}", head(session), left / 60, left % 60)
}

fn head(session: &Session) -> String {
    let by = match &session.by {
        Giver::Pin { .. } => "PIN",
        Giver::Button => "button",
    };
    let further = session.further.iter().map(|one| format!(" +{}:{}", one.host, one.port));
    let further: String = further.collect();
    let (number, name) = (session.number, output::plain(&session.maintainer));
    let (at, reason) = (output::clock(session.at), output::plain(session.reason.as_str()));
    format!("#{number} {at} {name}{further} ({by}): {reason}")
}

fn ended(session: &Session, now: Timestamp, language: Language) -> String {
    let Some(ended) = &session.ended else { return head(session) };
    let lasted = output::age(session.at, ended.at);
    let reached = ended.reached.map_or_else(String::new, |reached| {
        let (took, gave) = (reached.bytes_in, reached.bytes_out);
        format!(", {} connections, {took} bytes in, {gave} out", reached.management + reached.further)
    });
    let verbs: String = ended.used.iter().map(|used| format!(", {}×{}", used.verb, used.times)).collect();
    let review = match (&session.reviewed, session.is_overdue(now)) {
        (Some(_), _) => "reviewed",
        (None, true) => "REVIEW OVERDUE",
        (None, false) => "awaits its review",
    };
    let trouble = ended.why_not().map_or_else(String::new, |why| format!(", MNT-01: {}", why.get(language)));
    format!(
        "{} — {lasted}, {}{trouble}{reached}{verbs}; {review}",
        head(session),
        ended.why.word().get(language)
    )
}
