//! QEMU's machine protocol: orders, answers and events, a JSON object a line.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clinic::check::Wrong;
use serde_json::{Value, json};

/// How long an order may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open conversation with a machine.
#[derive(Debug)]
pub struct Qmp {
    orders: UnixStream,
    answers: Receiver<Value>,
    events: Arc<Events>,
}

#[derive(Debug, Default)]
struct Events {
    seen: Mutex<Vec<Value>>,
    news: Condvar,
}

impl Qmp {
    /// Begins to speak.
    ///
    /// # Errors
    /// The machine does not answer as QEMU does.
    pub fn greet(stream: UnixStream) -> Result<Self, Wrong> {
        let ear = stream.try_clone()?;
        let (say, answers) = channel();
        let events = Arc::new(Events::default());
        let heard = Arc::clone(&events);
        std::thread::spawn(move || hear(ear, &say, &heard));
        let mut qmp = Self { orders: stream, answers, events };
        qmp.order("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Gives an order and waits for its answer.
    ///
    /// # Errors
    /// The machine refuses, or is gone.
    pub fn order(&mut self, what: &str, arguments: &Value) -> Result<Value, Wrong> {
        let order = json!({"execute": what, "arguments": arguments});
        writeln!(self.orders, "{order}").map_err(|error| Wrong(format!("order {what}: {error}")))?;
        let answer = self
            .answers
            .recv_timeout(PATIENCE)
            .map_err(|_| Wrong(format!("order {what}: the machine does not answer")))?;
        match answer.get("error") {
            Some(error) => {
                Err(Wrong(format!("order {what}: {}", error["desc"].as_str().unwrap_or("refused"))))
            }
            None => Ok(answer["return"].clone()),
        }
    }

    /// How many events came so far: later ones are found from here.
    pub fn mark(&self) -> usize {
        self.events.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits for an event, from the mark on.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn wait(
        &self,
        mark: usize,
        name: &str,
        patience: Duration,
        like: impl Fn(&Value) -> bool,
    ) -> Result<Value, Wrong> {
        let end = Instant::now() + patience;
        let mut seen = self.events.seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut new = seen.iter().skip(mark);
            if let Some(event) = new.find(|event| event["event"] == name && like(&event["data"])) {
                return Ok(event["data"].clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Wrong(format!("the machine's event {name}: not within {patience:?}")));
            }
            seen = self.events.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn hear(stream: UnixStream, answers: &Sender<Value>, events: &Events) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        if message.get("event").is_some() {
            events.seen.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            events.news.notify_all();
        } else if message.get("QMP").is_none() && answers.send(message).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_an_error_and_an_event_each_find_their_way() {
        let (ours, its) = UnixStream::pair().unwrap();
        let machine = std::thread::spawn(move || {
            let mut out = its.try_clone().unwrap();
            writeln!(out, r#"{{"QMP": {{"version": {{}}}}}}"#).unwrap();
            let mut lines = BufReader::new(its).lines();
            let mut next = || lines.next().unwrap().unwrap();
            assert!(next().contains("qmp_capabilities"));
            writeln!(out, r#"{{"return": {{}}}}"#).unwrap();
            assert!(next().contains("set_link"));
            writeln!(out, r#"{{"event": "RESET", "data": {{"guest": true}}}}"#).unwrap();
            writeln!(out, r#"{{"error": {{"desc": "Device 'x' not found"}}}}"#).unwrap();
        });
        let mut qmp = Qmp::greet(ours).unwrap();
        let refused = qmp.order("set_link", &json!({"name": "x", "up": false})).unwrap_err().to_string();
        assert_eq!(refused, "order set_link: Device 'x' not found");
        let soon = Duration::from_secs(5);
        assert_eq!(qmp.wait(0, "RESET", soon, |data| data["guest"] == true).unwrap()["guest"], true);
        assert!(qmp.wait(1, "RESET", Duration::from_millis(1), |_| true).is_err());
        machine.join().unwrap();
    }
}
