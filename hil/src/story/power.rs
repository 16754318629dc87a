//! The plug is pulled while files are on their way, again and again. Whoever sent them counts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clinic::ShareStatus;
use clinic::check::machine::Machine as _;
use clinic::check::{Outcome, Wrong, must};
use clinic::faux::forms::Form;
use clinic::faux::receipt::{Session, Share, stem_of_answer};
use model::boot::Situation;

use super::{For, Story};
use crate::board::Board;
use crate::machine::OnBoard;
use crate::stage::{BOOT, Stage};

const CUTS: u32 = 10;
/// The longest the plug stays in after files have begun to move.
const LONGEST: Duration = Duration::from_secs(4);
/// How long the last files may take once the box stays on.
const LAST: Duration = Duration::from_secs(180);
/// How often the sender tries to reach a box that is off.
const AGAIN: Duration = Duration::from_millis(200);

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "ten_power_cuts_while_files_move_lose_double_and_tear_nothing",
            "A request that is lost is a patient who waits; one that comes twice is billed twice.",
            &[
                "a box in service, and a receipt computer that sends without pause",
                "pull the plug at a random moment while files move, ten times",
                "let the last files arrive",
                "every request whose writing was confirmed is answered; the terminal has seen none twice, none torn",
            ],
            cuts,
        )
        .only(For::Development),
    ]
}

/// What the sender knows of one request.
#[derive(Clone, Debug, Default)]
struct Sent {
    bytes: Vec<u8>,
    /// The share said that it is written.
    confirmed: bool,
    /// Its answer was read to its end.
    answered: bool,
    /// The share said that the answer is removed. (Where the plug came before it said so, it may be removed or not.)
    removed: bool,
    /// The answer was there again after that.
    doubled: bool,
    /// An answer came whose bytes are not the request's.
    torn: bool,
}

#[derive(Debug, Default)]
struct Tally {
    sent: BTreeMap<String, Sent>,
}

/// Sends and collects until told to stop sending, then collects until told to end.
struct Receipt {
    share: Share,
    before: Vec<OsString>,
    folder: PathBuf,
    tally: Arc<Mutex<Tally>>,
    news: Sender<()>,
    orders: Receiver<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    OnlyCollect,
    End,
}

fn cuts(stage: &mut Stage) -> Outcome {
    stage.service()?;
    stage.lab.oqs("answer=echo")?;
    let (doubled, torn) = (stage.lab.count("doubled")?, stage.lab.count("torn")?);
    let (sender, tally, news, orders) = sender(stage)?;
    let working = std::thread::spawn(move || sender.work());
    let cut = pull(stage, &news);
    let _ = orders.send(Order::OnlyCollect);
    let settled = cut.and_then(|()| settle(&tally));
    let _ = orders.send(Order::End);
    working.join().map_err(|_| Wrong::new("the sender panicked"))?;
    settled?;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    let confirmed = tally.sent.values().filter(|sent| sent.confirmed).count();
    stage.figure("requests confirmed over ten power cuts", confirmed.to_string());
    let wrong = |what: &str, is: &dyn Fn(&Sent) -> bool| {
        let names: Vec<&str> =
            tally.sent.iter().filter(|(_, sent)| is(sent)).map(|(name, _)| name.as_str()).collect();
        must(names.is_empty(), || format!("{} {what}: {}", names.len(), names.join(" ")))
    };
    wrong("answers are not what was sent", &|sent| sent.torn)?;
    wrong("answers came again after they were removed", &|sent| sent.doubled)?;
    wrong("confirmed requests are lost", &|sent| sent.confirmed && !sent.answered)?;
    let now = (stage.lab.count("doubled")?, stage.lab.count("torn")?);
    must(now == (doubled, torn), || {
        format!("the terminal saw doubled and torn {now:?}, before {doubled} and {torn}")
    })?;
    let held = stage.lab.snapshot()?.relay.map(|relay| relay.part.held);
    must(held.as_ref().is_some_and(Vec::is_empty), || format!("held: {held:?}"))
}

/// Waits for files to move, lets them for a random time, and pulls the plug; ten times.
fn pull(stage: &mut Stage, news: &Receiver<()>) -> Outcome {
    for _ in 0..CUTS {
        while news.try_recv().is_ok() {}
        news.recv_timeout(BOOT).map_err(|_| Wrong::new("no file moves"))?;
        let until = Instant::now() + random(LONGEST)?;
        while let Ok(()) = news.recv_timeout(until.saturating_duration_since(Instant::now())) {}
        stage.place.with(Board::cut)?;
        stage.lab.leave_share();
        stage.situation(Situation::Site, BOOT)?;
    }
    Ok(())
}

/// Waits until every confirmed request has its answer.
fn settle(tally: &Mutex<Tally>) -> Outcome {
    let end = Instant::now() + LAST;
    loop {
        let open = {
            let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.sent.values().filter(|sent| sent.confirmed && !sent.answered).count()
        };
        if open == 0 || Instant::now() > end {
            return Ok(());
        }
        std::thread::park_timeout(AGAIN);
    }
}

fn random(most: Duration) -> Result<Duration, Wrong> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| Wrong(error.to_string()))?;
    Ok(most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)))
}

type Parts = (Receipt, Arc<Mutex<Tally>>, Receiver<()>, Sender<Order>);

fn sender(stage: &Stage) -> Result<Parts, Wrong> {
    let machine = OnBoard { place: stage.place.clone(), work: stage.tools.work.clone() };
    let ShareStatus { unc, user, password_file } = machine.share(stage.lab.clinic())?;
    let enter = stage.lab.clinic().command("clinic", &[]);
    let before = [enter.get_program()].into_iter().chain(enter.get_args()).map(OsString::from).collect();
    let folder = stage.tools.work.join("receipt");
    std::fs::create_dir_all(&folder)?;
    let (news, heard) = channel();
    let (say, orders) = channel();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let share = Share { unc, user, password_file };
    Ok((Receipt { share, before, folder, tally: Arc::clone(&tally), news, orders }, tally, heard, say))
}

impl Receipt {
    fn work(self) {
        let mut session: Option<Session> = None;
        let (mut number, mut sends) = (0_u32, true);
        loop {
            match self.orders.try_recv() {
                Ok(Order::OnlyCollect) => sends = false,
                Ok(Order::End) => return,
                Err(_) => {}
            }
            let Some(open) = session.take().or_else(|| self.share.open(&self.before).ok()) else {
                std::thread::park_timeout(AGAIN);
                continue;
            };
            // Whatever fails, the connection is as good as gone.
            session = self.round(open, &mut number, sends);
        }
    }

    fn round(&self, mut session: Session, number: &mut u32, sends: bool) -> Option<Session> {
        if sends {
            *number += 1;
            self.send(&mut session, *number)?;
        }
        self.collect(&mut session)?;
        Some(session)
    }

    fn send(&self, session: &mut Session, number: u32) -> Option<()> {
        // A name of its own each time, and none of the walk's: who was cut off does not know whether the last one is used.
        let name = format!("OQSsiquc01req_9{number:011}.xml");
        let bytes = Form::Xml.request(&name, 20_000);
        let local = self.folder.join("put");
        std::fs::write(&local, &bytes).ok()?;
        self.with(&name, |sent| sent.bytes = bytes);
        let put = session.put(&local, &format!("req/{name}"));
        put.ok()?;
        self.with(&name, |sent| sent.confirmed = true);
        let _ = self.news.send(());
        Some(())
    }

    fn collect(&self, session: &mut Session) -> Option<()> {
        for entry in session.list("res").ok()? {
            let local = self.folder.join("got");
            session.get(&format!("res/{}", entry.name), &local).ok()?;
            let got = std::fs::read(&local).ok()?;
            let request = self.request(&entry.name);
            self.with(&request, |sent| {
                sent.answered = true;
                sent.doubled |= sent.removed;
                sent.torn |= got != sent.bytes;
            });
            session.delete(&format!("res/{}", entry.name)).ok()?;
            self.with(&request, |sent| sent.removed = true);
        }
        Some(())
    }

    fn request(&self, answer: &str) -> String {
        let stem = answer.rsplit_once('.').map_or(answer, |(stem, _)| stem);
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tally.sent.keys().find(|name| stem_of_answer(name) == stem);
        found.cloned().unwrap_or_else(|| answer.to_owned())
    }

    fn with(&self, name: &str, work: impl FnOnce(&mut Sent)) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        work(tally.sent.entry(name.to_owned()).or_default());
    }
}
