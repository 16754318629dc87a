//! The product at work: the relay of the site file, with both its ends as folders.

use std::convert::Infallible;
use std::path::Path;

use clinic::check::Wrong;
use model::decision::{Actor, Decision, Reason, Verb};
use model::parcel::HeldReason;
use model::part::RelayPart;
use model::{Profile, Site};
use relay::{Command, Config, HistoryBy};
use tokio::sync::{mpsc, oneshot, watch};

use super::place::{Place, SITE};

const PROFILE: &str = include_str!("../../../firmware/sekisho/profiles/ntt-east.toml");
/// Says what a person decides about every file that is no request.
pub const PERSON: &str = "POWERCUT_PERSON";

/// Runs the relay until it is killed.
///
/// # Errors
/// It does not start.
pub fn run() -> Result<Infallible, Wrong> {
    let profile = Profile::parse("ntt-east", PROFILE);
    let site = Site::parse("site.toml", SITE, profile).map_err(|wrong| Wrong(format!("{wrong:?}")))?;
    let (mut config, ends) = Config::from_site(&site, &Place::default().state);
    // As relayd has it: a runtime of its own, and the history in a process of its own.
    config.history = HistoryBy::Program(std::env::current_exe()?, vec![super::HISTORY.into()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (part, seen) = watch::channel(RelayPart::default());
    let (commands, asked) = mpsc::channel(1);
    let word = std::env::var(PERSON).unwrap_or_default();
    let verb = Verb::ALL.into_iter().find(|verb| verb.key() == word);
    let ended = runtime.block_on(async {
        let person = async {
            if let Some(verb) = verb {
                decides(verb, seen, &commands).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = relay::run(&config, ends, part, asked) => ended,
            () = person => Ok(()),
        }
    });
    Err(Wrong(format!("the relay ended: {ended:?}")))
}

/// A person who looks at what is held, and decides about what no kind matches.
async fn decides(verb: Verb, mut seen: watch::Receiver<RelayPart>, commands: &mpsc::Sender<Command>) {
    let Ok(reason) = Reason::new("no request") else { return };
    while seen.changed().await.is_ok() {
        let part = seen.borrow_and_update().clone();
        for held in part.held.iter().filter(|held| held.reason == HeldReason::UnknownKind) {
            let decision = Decision { number: held.parcel.number, reason: reason.clone() };
            let actor = Actor { name: "root".into(), uid: 0 };
            let (reply, answer) = oneshot::channel();
            // Whatever is said: the record tells what was done.
            let _ = commands.send(Command::Decide { verb, decision, actor, reply }).await;
            let _ = answer.await;
        }
    }
}

/// Answers one question about the history.
///
/// # Errors
/// There is none, or nobody hears the answer.
pub fn history(folder: &Path) -> Result<(), Wrong> {
    Ok(relay::answer_about_history(folder, std::io::stdin().lock(), std::io::stdout().lock())?)
}
