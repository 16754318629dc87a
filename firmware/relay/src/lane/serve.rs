//! Answers what others ask of the relay while its lanes run.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use model::Observation;
use model::selftest::{Ask, SelfTest};
use tokio::sync::mpsc;

use crate::Command;
use crate::lane::look::Looker;
use crate::lane::order::{self, Orders};
use crate::lane::word::Word;
use crate::report::Report;
use crate::share::{Occasion, Terminal};

/// Answers commands until nobody can send any more.
pub async fn serve<T: Terminal>(
    mut commands: mpsc::Receiver<Command>,
    lookers: Vec<Looker<T>>,
    orders: Vec<Arc<Orders>>,
    report: Arc<Report>,
) {
    let terminals = lookers.iter().filter(|looker| looker.is_terminal);
    let words: Arc<Vec<_>> = Arc::new(terminals.map(|looker| (looker.clone(), Word::default())).collect());
    let (lookers, orders) = (Arc::new(lookers), Arc::new(orders));
    // They share a folder on the terminal.
    let one_at_a_time = Arc::new(tokio::sync::Mutex::new(()));
    let mut asked = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Decide { verb, decision, actor, reply }) => {
                    let orders = orders.clone();
                    asked.spawn(async move {
                        let _ = reply.send(order::put(&orders, verb, decision, actor).await);
                    });
                }
                Some(Command::Passed { number, reply }) => {
                    let report = report.clone();
                    asked.spawn(async move {
                        let passed = match report.history() {
                            Some(history) => history.passed(number).await,
                            None => None,
                        };
                        let _ = reply.send(passed);
                    });
                }
                Some(Command::Days { reply }) => {
                    let report = report.clone();
                    asked.spawn(async move {
                        let days = match report.history() {
                            Some(history) => history.days().await,
                            None => Vec::new(),
                        };
                        let _ = reply.send(days);
                    });
                }
                Some(Command::SelfTest { ask, reply }) => {
                    let (lookers, one_at_a_time) = (lookers.clone(), one_at_a_time.clone());
                    asked.spawn(async move {
                        let _turn = one_at_a_time.lock().await;
                        let _ = reply.send(selftest(&lookers, &ask).await);
                    });
                }
                Some(Command::Look { asked: by_person, reply }) => {
                    let words = words.clone();
                    let occasion = if by_person { Occasion::Asked } else { Occasion::Routine };
                    asked.spawn(async move {
                        let seen = join_all(words.iter().map(|(looker, word)| word_of(looker, word, occasion)));
                        // Whoever asked may have gone.
                        let _ = reply.send(seen.await);
                    });
                }
                None => break,
            },
            Some(_) = asked.join_next() => {}
        }
    }
    while asked.join_next().await.is_some() {}
}

/// Tries the shares of the terminals that are asked for, one after the other.
async fn selftest<T: Terminal>(lookers: &[Looker<T>], ask: &Ask) -> Vec<SelfTest> {
    let wanted = |looker: &&Looker<T>| {
        looker.is_terminal && ask.terminal.as_ref().is_none_or(|name| *name == looker.name)
    };
    let mut tested = Vec::new();
    for looker in lookers.iter().filter(wanted) {
        let checks = looker.terminal.selftest(Duration::from_secs(ask.attended_s.into())).await;
        tested.push(SelfTest { terminal: looker.name.clone(), checks });
    }
    tested
}

async fn word_of<T: Terminal>(looker: &Looker<T>, word: &Word, occasion: Occasion) -> Observation {
    let look = || {
        let looker = looker.clone();
        async move { looker.look(occasion).await }
    };
    word.get(&looker.name, look).await
}
