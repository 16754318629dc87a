//! All that is asked by ARP in one look, asked at once over the one socket and heard together.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use pnet_base::MacAddr;
use tokio::time::{Instant, timeout_at};

use crate::arp;
use crate::exchange::AGAIN;
use crate::finding::Finding;
use crate::kernel::Port;
use crate::sockets::Arp;

/// How long those are listened for whose answer would be one too many; who has it to give does so at once.
const LISTENED: Duration = Duration::from_millis(160);
/// They are asked twice in that time.
const TWICE: Duration = Duration::from_millis(80);

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Out of which port.
    pub port: Port,
    /// The address asked for.
    pub target: Ipv4Addr,
    /// Our own address there; the unspecified one in a probe that changes nobody's tables (RFC 5227 section 1.1).
    pub from: Ipv4Addr,
    /// Whether somebody should answer. Else silence is as it should be.
    pub expected: bool,
}

/// Who answered a question; a finding if it could not be asked.
pub type Answer = Result<BTreeSet<MacAddr>, Finding>;

/// Asks everything until all that is expected is answered, or `patience` is over; an answer for each question, in order.
pub async fn ask(socket: &Arp, questions: &[Question], patience: Duration) -> Vec<Answer> {
    socket.forget();
    let mut answers = vec![Ok(BTreeSet::new()); questions.len()];
    let (begun, listens) = (Instant::now(), questions.iter().any(|question| !question.expected));
    let listened = begun + if listens { LISTENED } else { Duration::ZERO };
    let end = listened.max(begun + patience);
    while Instant::now() < end && !enough(questions, &answers, listened) {
        let quiet = Instant::now() < listened;
        send(socket, questions, &mut answers, quiet);
        let again = end.min(Instant::now() + if quiet { TWICE } else { AGAIN });
        while !enough(questions, &answers, listened) {
            match timeout_at(again, socket.receive()).await {
                Ok(Ok((bytes, port))) => hear(&bytes, port, questions, &mut answers),
                // Our own trouble is nobody's silence.
                Ok(Err(error)) => return vec![Err(Finding::open(error.to_string())); questions.len()],
                Err(_) => break,
            }
        }
    }
    answers
}

fn enough(questions: &[Question], answers: &[Answer], listened: Instant) -> bool {
    let said = |answer: &Answer| answer.as_ref().map_or(true, |who| !who.is_empty());
    let all = questions.iter().zip(answers).all(|(question, answer)| !question.expected || said(answer));
    all && Instant::now() >= listened
}

/// Asks what nobody has answered yet; those who should be silent only while they are listened for.
fn send(socket: &Arp, questions: &[Question], answers: &mut [Answer], quiet: bool) {
    for (question, answer) in questions.iter().zip(answers) {
        if (question.expected || quiet) && answer.as_ref().is_ok_and(BTreeSet::is_empty) {
            let message = arp::request(question.target, question.port.own, question.from);
            if let Err(error) = socket.broadcast(&message, question.port.index) {
                *answer = Err(Finding::of_error(&error, question.target));
            }
        }
    }
}

fn hear(bytes: &[u8], port: u32, questions: &[Question], answers: &mut [Answer]) {
    for (question, answer) in questions.iter().zip(answers) {
        if let (true, Some(holder)) = (question.port.index == port, arp::holder(bytes, question.target))
            && let Ok(who) = answer
        {
            who.insert(holder);
        }
    }
}
