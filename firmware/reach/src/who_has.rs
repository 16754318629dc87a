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

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Out of which port.
    pub port: Port,
    /// The address asked for.
    pub target: Ipv4Addr,
    /// Our own address there.
    pub from: Ipv4Addr,
}

/// Who answered a question; a finding if it could not be asked.
pub type Answer = Result<BTreeSet<MacAddr>, Finding>;

/// Asks everything until everything is answered, or `patience` is over; an answer for each question, in order.
pub async fn ask(socket: &Arp, questions: &[Question], patience: Duration) -> Vec<Answer> {
    socket.forget();
    let mut answers = vec![Ok(BTreeSet::new()); questions.len()];
    let end = Instant::now() + patience;
    while Instant::now() < end && !questions.is_empty() {
        send(socket, questions, &mut answers);
        let again = end.min(Instant::now() + AGAIN);
        while !all_said(&answers) {
            match timeout_at(again, socket.receive()).await {
                Ok(Ok((bytes, port))) => hear(&bytes, port, questions, &mut answers),
                // Our own trouble is nobody's silence.
                Ok(Err(error)) => return vec![Err(Finding::open(error.to_string())); questions.len()],
                Err(_) => break,
            }
        }
        if all_said(&answers) {
            break;
        }
    }
    answers
}

fn all_said(answers: &[Answer]) -> bool {
    answers.iter().all(|answer| answer.as_ref().map_or(true, |who| !who.is_empty()))
}

/// Asks what nobody has answered yet.
fn send(socket: &Arp, questions: &[Question], answers: &mut [Answer]) {
    for (question, answer) in questions.iter().zip(answers) {
        if answer.as_ref().is_ok_and(BTreeSet::is_empty) {
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
