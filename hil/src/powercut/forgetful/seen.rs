//! What everybody outside does on the disks that forget, and when: strace does not see it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use clinic::check::Wrong;

use super::trace::{Done, Op};
use crate::powercut::outside::{Outside, body, names, request};
use crate::powercut::place::{ANSWERS, Place, REQUESTS};

/// Everybody outside.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Who does it.
    pub outside: Outside,
    /// Where.
    pub place: &'a Place,
    /// What was done.
    pub done: Vec<Done>,
}

impl<'a> Seen<'a> {
    fn did(&mut self, op: Op) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        self.done.push(Done { at, op, ended: true });
    }

    /// Nobody did anything yet.
    pub fn at(place: &'a Place) -> Self {
        Self { outside: Outside { place: place.clone() }, place, done: Vec::new() }
    }

    /// The receipt computer puts a request.
    pub fn put(&mut self, n: u64) -> Result<(), Wrong> {
        let name = request(n);
        self.did(Op::Put(self.place.clinic(REQUESTS).join(&name), body(&name)));
        Ok(self.outside.put(n)?)
    }

    /// The application takes what it sees. Whether there was anything.
    pub fn submit(&mut self) -> Result<bool, Wrong> {
        let requests = names(&self.place.share(REQUESTS))?;
        for name in &requests {
            let (lies, taken) = (self.outside.lies(name), self.outside.taken(name));
            self.did(Op::Move(lies.clone(), taken.clone()));
            fs::rename(lies, taken)?;
        }
        Ok(!requests.is_empty())
    }

    /// It answers what it took, and flushes that.
    pub fn answer(&mut self) -> Result<(), Wrong> {
        for answer in self.outside.unanswered()? {
            let making = self.place.application("making").join(&answer);
            let share = self.place.share(ANSWERS);
            self.did(Op::Put(making.clone(), body(&answer)));
            self.did(Op::Move(making, share.join(&answer)));
            self.did(Op::Flush(self.place.application("making")));
            self.outside.give(&answer)?;
            fs::File::create(self.place.outside("answered").join(answer))?;
        }
        Ok(())
    }

    /// What no kind matches: its name is durable, its bytes are not.
    pub fn put_odd(&mut self, n: u64) -> Result<(), Wrong> {
        let name = format!("memo-{n}.txt");
        let path = self.place.clinic(REQUESTS).join(&name);
        let mut bytes = b"no request: ".to_vec();
        bytes.extend(body(&name));
        self.did(Op::Put(path.clone(), Vec::new()));
        self.did(Op::Write(path.clone(), None, bytes.clone()));
        fs::write(self.place.outside("odd").join(&name), &bytes)?;
        Ok(fs::write(path, bytes)?)
    }

    /// The receipt computer removes the folder of answers, if nothing lies in it.
    pub fn remove_folder(&mut self) -> Result<(), Wrong> {
        let folder = self.place.clinic(ANSWERS);
        if names(&folder)?.is_empty() {
            self.did(Op::Remove(folder.clone()));
            // It may be gone or taken into use by now.
            if fs::remove_dir(folder).is_err() {
                self.done.pop();
            }
        }
        Ok(())
    }

    /// It collects an answer.
    pub fn collect(&mut self, name: &str) -> Result<(), Wrong> {
        self.did(Op::Remove(self.place.clinic(ANSWERS).join(name)));
        Ok(self.outside.collect_one(name)?)
    }
}
