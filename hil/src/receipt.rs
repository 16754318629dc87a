//! A receipt computer that sends without pause, collects, and counts what is lost, doubled or torn, whatever is done to the
//! box meanwhile.

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

use crate::machine::OnBoard;
use crate::stage::{BOOT, Stage};

/// The longest that files move before some moment.
const LONGEST: Duration = Duration::from_secs(4);
/// How long the last files may take once the box is left alone.
const LAST: Duration = Duration::from_secs(180);
/// How often the sender tries to reach a box that is off.
const AGAIN: Duration = Duration::from_millis(200);

/// Lets the box in service be worked with while files move: `trouble` is told of each request whose writing was
/// confirmed. Then every confirmed request must have its answer once, and the terminal must have seen none twice and none
/// torn. Gives how many were confirmed. Each run of a series of its own has names of its own.
///
/// # Errors
/// What went wrong, and with which files.
pub fn while_files_move(
    stage: &mut Stage,
    series: u8,
    trouble: impl FnOnce(&mut Stage, &Receiver<()>) -> Outcome,
) -> Result<usize, Wrong> {
    stage.lab.oqs("answer=echo")?;
    let (doubled, torn) = (stage.lab.count("doubled")?, stage.lab.count("torn")?);
    let (sender, tally, news, orders) = sender(stage, series)?;
    let working = std::thread::spawn(move || sender.work());
    let done = trouble(stage, &news);
    let _ = orders.send(Order::OnlyCollect);
    if done.is_ok() {
        settle(&tally);
    }
    let _ = orders.send(Order::End);
    working.join().map_err(|_| Wrong::new("the sender panicked"))?;
    done?;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.judge()?;
    let now = (stage.lab.count("doubled")?, stage.lab.count("torn")?);
    must(now == (doubled, torn), || {
        format!("the terminal saw doubled and torn {now:?}, before {doubled} and {torn}")
    })?;
    let held = stage.lab.snapshot()?.relay.map(|relay| relay.part.held);
    must(held.as_ref().is_some_and(Vec::is_empty), || format!("held: {held:?}"))?;
    Ok(tally.sent.values().filter(|sent| sent.confirmed).count())
}

/// Waits for files to move, and lets them for a random time.
///
/// # Errors
/// None moves.
pub fn some_moment(news: &Receiver<()>) -> Outcome {
    while news.try_recv().is_ok() {}
    news.recv_timeout(BOOT).map_err(|_| Wrong::new("no file moves"))?;
    let until = Instant::now() + random(LONGEST)?;
    while let Ok(()) = news.recv_timeout(until.saturating_duration_since(Instant::now())) {}
    Ok(())
}

fn random(most: Duration) -> Result<Duration, Wrong> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| Wrong(error.to_string()))?;
    Ok(most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)))
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

impl Tally {
    fn judge(&self) -> Outcome {
        self.none("answers are not what was sent", |sent| sent.torn)?;
        self.none("answers came again after they were removed", |sent| sent.doubled)?;
        self.none("confirmed requests are lost", |sent| sent.confirmed && !sent.answered)
    }

    fn none(&self, what: &str, is: impl Fn(&Sent) -> bool) -> Outcome {
        let wrong = self.sent.iter().filter(|(_, sent)| is(sent));
        let names: Vec<&str> = wrong.map(|(name, _)| name.as_str()).collect();
        must(names.is_empty(), || format!("{} {what}: {}", names.len(), names.join(" ")))
    }
}

/// Sends and collects until told to stop sending, then collects until told to end.
struct Receipt {
    series: u8,
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

/// Waits until every confirmed request has its answer, but not for ever.
fn settle(tally: &Mutex<Tally>) {
    let end = Instant::now() + LAST;
    loop {
        let open = {
            let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.sent.values().filter(|sent| sent.confirmed && !sent.answered).count()
        };
        if open == 0 || Instant::now() > end {
            return;
        }
        std::thread::park_timeout(AGAIN);
    }
}

type Parts = (Receipt, Arc<Mutex<Tally>>, Receiver<()>, Sender<Order>);

fn sender(stage: &Stage, series: u8) -> Result<Parts, Wrong> {
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
    Ok((
        Receipt { series, share, before, folder, tally: Arc::clone(&tally), news, orders },
        tally,
        heard,
        say,
    ))
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
        let name = format!("OQSsiquc01req_9{}{number:010}.xml", self.series);
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
