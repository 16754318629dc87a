//! Loss and delay: a short train of questions to each resolver. One that suffers alone is its own trouble; the line
//! suffers at every host alike.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::Symptom;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::dns::{Answer, Question};
use crate::exchange;
use crate::finding::Finding;
use crate::names::DNS;
use crate::plan::Plan;

/// How many questions a train has.
const TRAIN: usize = 10;
/// The time between two of them.
const APART: Duration = Duration::from_millis(20);
/// What has not come back by then is lost.
const PATIENCE: Duration = Duration::from_millis(1000);
/// The time between a bad train and the one that confirms it.
const BETWEEN: Duration = Duration::from_millis(500);
/// So many lost of a train are too many.
const LOST: usize = 2;
/// Half of the answers later than this are too late.
const LATE: Duration = Duration::from_millis(300);
const LONGEST: usize = 4096;

/// What came of one train.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Train {
    lost: usize,
    median: Option<Duration>,
}

/// Sends a train to each resolver at once, and a second one where the first fared badly: one burst of the clinic's own
/// traffic, or one moment of the line, is no bad line.
pub async fn probe(plan: &Plan) -> Finding {
    let first = trains(plan).await;
    if first.outcome.symptom().is_none() {
        return first;
    }
    sleep_until(Instant::now() + BETWEEN).await;
    trains(plan).await
}

async fn trains(plan: &Plan) -> Finding {
    let [one, two] = plan.resolvers;
    let (one, two) = tokio::join!(train(plan, one), train(plan, two));
    judge(&[one, two].into_iter().flatten().collect::<Vec<_>>())
}

/// None of a host that answers nothing at all: that is another rung's word.
fn judge(trains: &[Train]) -> Finding {
    let trains: Vec<&Train> = trains.iter().filter(|train| train.lost < TRAIN).collect();
    let each = |train: &&Train| match train.median {
        Some(median) => {
            format!("{} of {TRAIN} lost, median {:.1} ms", train.lost, median.as_secs_f64() * 1e3)
        }
        None => format!("{} of {TRAIN} lost", train.lost),
    };
    let detail = trains.iter().map(each).collect::<Vec<_>>().join("; ");
    let all = |bad: fn(&Train) -> bool| trains.iter().all(|train| bad(train));
    match () {
        () if trains.is_empty() => Finding::open("no train came back"),
        () if all(|train| train.lost >= LOST) => Finding::bad(Symptom::Lossy, detail),
        () if all(|train| train.median.is_some_and(|median| median > LATE)) => {
            Finding::bad(Symptom::Slow, detail)
        }
        () => Finding::good(detail),
    }
}

/// None if it could not be sent.
async fn train(plan: &Plan, resolver: IpAddr) -> Option<Train> {
    let peer = SocketAddr::from((resolver, DNS));
    let socket = UdpSocket::bind((exchange::unspecified(peer), 0)).await.ok()?;
    socket.connect(peer).await.ok()?;
    let begun = Instant::now();
    let mut sent: Vec<(Question, Instant, Option<Duration>)> = Vec::new();
    while sent.len() < TRAIN {
        let question = Question::new(&plan.centre.name, plan.ipv4).ok()?;
        // What the kernel or a host on the way refuses is lost as well.
        let _ = socket.send(&question.bytes).await;
        sent.push((question, Instant::now(), None));
        let next = begun + APART * u32::try_from(sent.len()).unwrap_or(u32::MAX);
        hear(&socket, &mut sent, next).await;
        sleep_until(next).await;
    }
    hear(&socket, &mut sent, Instant::now() + PATIENCE).await;
    let mut times: Vec<Duration> = sent.iter().filter_map(|(.., took)| *took).collect();
    times.sort_unstable();
    Some(Train { lost: TRAIN - times.len(), median: times.get(times.len() / 2).copied() })
}

/// Notes which answers come, until all have come or the time is over.
async fn hear(socket: &UdpSocket, sent: &mut [(Question, Instant, Option<Duration>)], end: Instant) {
    let mut bytes = vec![0; LONGEST];
    while sent.iter().any(|(.., took)| took.is_none()) {
        let Ok(received) = timeout_at(end, socket.recv(&mut bytes)).await else { return };
        // An error is one host's word about one of them; it is not heard any more.
        let Some(answer) = received.ok().and_then(|length| bytes.get(..length)) else { continue };
        let own = |(question, ..): &&mut (Question, Instant, Option<Duration>)| {
            !matches!(question.answer(answer), Answer::Foreign | Answer::Malformed(_))
        };
        if let Some((_, at, took)) = sent.iter_mut().find(own) {
            took.get_or_insert(at.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(lost: usize, median_ms: u64) -> Train {
        Train { lost, median: Some(Duration::from_millis(median_ms)) }
    }

    fn symptom(trains: &[Train]) -> Option<Symptom> {
        judge(trains).outcome.symptom()
    }

    #[test]
    fn the_line_suffers_only_where_every_host_does() {
        assert_eq!(symptom(&[came(0, 4), came(1, 5)]), None);
        assert_eq!(symptom(&[came(5, 4), came(0, 5)]), None);
        assert_eq!(symptom(&[came(2, 4), came(5, 5)]), Some(Symptom::Lossy));
        assert_eq!(symptom(&[came(0, 400), came(0, 301)]), Some(Symptom::Slow));
        assert_eq!(symptom(&[came(0, 400), came(0, 5)]), None);
    }

    #[test]
    fn a_host_that_answers_nothing_says_nothing_of_the_line() {
        let dead = Train { lost: TRAIN, median: None };
        assert_eq!(symptom(&[dead.clone(), came(0, 5)]), None);
        assert_eq!(symptom(&[dead.clone(), came(4, 5)]), Some(Symptom::Lossy));
        assert_eq!(judge(&[dead.clone(), dead]).outcome, model::Outcome::Open);
        assert_eq!(judge(&[]).outcome, model::Outcome::Open);
    }
}
