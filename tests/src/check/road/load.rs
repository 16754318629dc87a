//! The receipt computer's part: one client that puts requests as fast as it may, and one that collects what comes.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::Wrong;
use super::super::event::until;
use super::super::lab::Lab;
use crate::faux::forms::{self, Form};
use crate::faux::receipt::Session;

/// Between two looks of the collecting client.
const LOOK: Duration = Duration::from_millis(20);

/// A request, known by its number; its bytes follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(pub u32);

impl Asked {
    const fn form(self) -> Form {
        match self.0 % 3 {
            0 => Form::Zip,
            1 => Form::Xml,
            _ => Form::Sjis,
        }
    }

    /// Most are as small as in the field; some take several writes.
    const fn size(self) -> usize {
        match self.0 {
            n if n.is_multiple_of(50) => 600_000,
            n if n.is_multiple_of(7) => 80_000,
            _ => 0,
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        format!("OQSsiquc01req_{:012}.{}", self.0, self.form().extension())
    }

    /// Its bytes, which are its answer's too.
    pub fn bytes(self) -> Vec<u8> {
        self.form().request(&self.name(), self.size())
    }

    /// The request whose answer has this name.
    fn of_answer(name: &str) -> Option<Self> {
        let number = name.strip_prefix("OQSsiquc01res_")?.split_once('.')?.0.parse().ok()?;
        Some(Self(number)).filter(|asked| asked.name().replacen("req_", "res_", 1) == name)
    }
}

/// What came, by name: how often, and what was not as it was sent.
#[derive(Debug, Default)]
pub struct Came {
    /// How often each request's answer was collected.
    pub answers: HashMap<u32, u32>,
    /// How often each face result was.
    pub faces: HashMap<String, u32>,
    /// What came with other bytes, or was never sent.
    pub torn: Vec<String>,
}

/// What was put, and what came of it.
#[derive(Debug)]
pub struct Sent {
    /// So many requests, numbered from 1.
    pub requests: u32,
    /// So many face results.
    pub faces: u32,
    /// What came.
    pub came: Came,
}

/// Both clients at work.
#[derive(Debug)]
pub struct Load {
    /// How many face results the terminal was asked for.
    pub faces: u32,
    asked: u32,
    orders: Option<Sender<u32>>,
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Result<(), Wrong>>>,
}

#[derive(Debug, Default)]
struct Shared {
    put: AtomicU32,
    over: AtomicBool,
    came: Mutex<Came>,
}

impl Load {
    /// Opens the box's share twice and lets the clients begin.
    ///
    /// # Errors
    /// The share refuses.
    pub fn begin(lab: &Lab) -> Result<Self, Wrong> {
        let (orders, hear) = channel();
        let shared = Arc::new(Shared::default());
        let put = Putting { session: lab.open_share()?, scratch: lab.scratch().join("asked"), hear };
        let into = lab.scratch().join("collected");
        fs::create_dir_all(&into)?;
        let collect = Collecting { session: lab.open_share()?, into };
        let (one, other) = (shared.clone(), shared.clone());
        let clients =
            vec![std::thread::spawn(move || put.run(&one)), std::thread::spawn(move || collect.run(&other))];
        Ok(Self { faces: 0, asked: 0, orders: Some(orders), shared, clients })
    }

    /// Has so many more requests put.
    ///
    /// # Errors
    /// The client has ended.
    pub fn put(&mut self, count: u32) -> Result<(), Wrong> {
        self.asked += count;
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(count).is_ok());
        if sent { Ok(()) } else { self.still_well().and(Err(Wrong::new("the client has ended"))) }
    }

    /// How many parcels that makes: a request is answered.
    pub const fn parcels(&self) -> u32 {
        2 * self.asked + self.faces
    }

    /// How many requests have no answer.
    pub fn unanswered(&self) -> u32 {
        let answered = u32::try_from(self.shared.came().answers.len()).unwrap_or(u32::MAX);
        self.asked.saturating_sub(answered)
    }

    /// Says what ended a client, if one has ended.
    ///
    /// # Errors
    /// What it said.
    pub fn still_well(&mut self) -> Result<(), Wrong> {
        let ended = self.clients.iter().position(JoinHandle::is_finished);
        ended.map_or(Ok(()), |at| joined(self.clients.swap_remove(at)))
    }

    /// Waits until all that was put has come back, or nothing came for so long.
    ///
    /// # Errors
    /// A client has ended.
    pub fn settle(&mut self, patience: Duration) -> Result<(), Wrong> {
        loop {
            let before = self.came();
            if before == self.asked + self.faces {
                return Ok(());
            }
            let more = until("more comes", patience, || Ok((self.came() > before).then_some(())));
            self.still_well()?;
            if more.is_err() {
                return Ok(());
            }
        }
    }

    fn came(&self) -> u32 {
        let came = self.shared.came();
        u32::try_from(came.answers.len() + came.faces.len()).unwrap_or(u32::MAX)
    }

    /// Ends the clients, after a last look; gives what they did.
    ///
    /// # Errors
    /// A client failed.
    pub fn end(mut self) -> Result<Sent, Wrong> {
        self.orders = None;
        self.shared.over.store(true, Ordering::Relaxed);
        self.clients.drain(..).try_for_each(joined)?;
        let came = std::mem::take(&mut *self.shared.came());
        Ok(Sent { requests: self.shared.put.load(Ordering::Relaxed), faces: self.faces, came })
    }
}

fn joined(client: JoinHandle<Result<(), Wrong>>) -> Result<(), Wrong> {
    client.join().map_err(|_| Wrong::new("a client panicked"))?
}

impl Shared {
    fn came(&self) -> std::sync::MutexGuard<'_, Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Putting {
    session: Session,
    scratch: PathBuf,
    hear: Receiver<u32>,
}

impl Putting {
    fn run(mut self, shared: &Shared) -> Result<(), Wrong> {
        while let Ok(count) = self.hear.recv() {
            for _ in 0..count {
                let asked = Asked(shared.put.load(Ordering::Relaxed) + 1);
                fs::write(&self.scratch, asked.bytes())?;
                self.session.put(&self.scratch, &format!("req/{}", asked.name()))?;
                shared.put.store(asked.0, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

struct Collecting {
    session: Session,
    into: PathBuf,
}

impl Collecting {
    fn run(mut self, shared: &Shared) -> Result<(), Wrong> {
        loop {
            let last = shared.over.load(Ordering::Relaxed);
            for folder in ["res", "face"] {
                for entry in self.session.collect(folder, &self.into, |_| true)? {
                    let path = self.into.join(&entry.name);
                    shared.came().take(folder, entry.name, &fs::read(&path)?);
                    fs::remove_file(&path)?;
                }
            }
            if last {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Came {
    fn take(&mut self, folder: &str, name: String, bytes: &[u8]) {
        let right = match (folder, Asked::of_answer(&name)) {
            ("res", Some(asked)) => {
                *self.answers.entry(asked.0).or_default() += 1;
                bytes == asked.bytes()
            }
            _ => {
                *self.faces.entry(name.clone()).or_default() += 1;
                let id = name.strip_prefix("OQSsiquc01res_face_").and_then(|rest| rest.split('_').next());
                id.is_some_and(|id| bytes == forms::face(id))
            }
        };
        if !right {
            self.torn.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_name_and_judged_by_its_bytes() {
        let mut came = Came::default();
        let answer = Asked(12).name().replacen("req_", "res_", 1);
        came.take("res", answer.clone(), &Asked(12).bytes());
        came.take("res", answer.clone(), &Asked(13).bytes());
        came.take(
            "face",
            "OQSsiquc01res_face_1312345678_20260401091500.xml".into(),
            &forms::face("1312345678"),
        );
        came.take("res", "OQSsiquc01res_000000000012.pdf".into(), b"");
        assert_eq!((came.answers[&12], came.faces.len()), (2, 2));
        assert_eq!(came.torn, [answer, "OQSsiquc01res_000000000012.pdf".to_owned()]);
    }
}
