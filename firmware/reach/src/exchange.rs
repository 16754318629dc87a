//! Question and answer on the wire: one datagram there and back, one connection. Both with patience, no longer.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use model::{Outcome, Symptom};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use crate::finding::{self, Finding};

/// How long a datagram's answer is waited for, and how often the question is asked meanwhile: some lost packets are no
/// fault of who was asked, and of ten not all are lost even where every other one is.
pub const PATIENCE: Duration = Duration::from_millis(1500);
/// Between two times the same question is asked.
pub const AGAIN: Duration = Duration::from_millis(150);
/// How long a connection may take: a second try of the kernel, sent after one second, still counts.
pub const CONNECT_PATIENCE: Duration = Duration::from_millis(2000);
const LONGEST: usize = 4096;

/// Sends `question` to `peer` until `read` takes an answer. What it does not take is passed over: a stranger's packet
/// must not end the wait.
///
/// # Errors
/// What to say of the rung instead.
pub async fn ask<T>(
    peer: SocketAddr,
    question: &[u8],
    read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Finding> {
    ask_by(None, peer, question, read).await
}

/// The same, out of one port whatever other ways there are.
///
/// # Errors
/// What to say of the rung instead.
pub async fn ask_by<T>(
    port: Option<&str>,
    peer: SocketAddr,
    question: &[u8],
    mut read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Finding> {
    let failed = |error: &std::io::Error| Finding::of_error(error, peer);
    let socket = UdpSocket::bind((unspecified(peer), 0)).await.map_err(|error| failed(&error))?;
    if port.is_some() {
        // Since Linux 5.7 a socket that is bound to no port yet needs no capability for it.
        socket.bind_device(port.map(str::as_bytes)).map_err(|error| failed(&error))?;
    }
    socket.connect(peer).await.map_err(|error| failed(&error))?;
    let end = Instant::now() + PATIENCE;
    let mut bytes = vec![0; LONGEST];
    while Instant::now() < end {
        socket.send(question).await.map_err(|error| failed(&error))?;
        let again = end.min(Instant::now() + AGAIN);
        while let Ok(received) = timeout_at(again, socket.recv(&mut bytes)).await {
            let length = received.map_err(|error| failed(&error))?;
            if let Some(answer) = bytes.get(..length).and_then(&mut read) {
                return Ok(answer);
            }
        }
    }
    Err(Finding::bad(Symptom::Silent, format!("{peer}: no answer")))
}

/// The address to bind to for a peer of either family.
pub const fn unspecified(peer: SocketAddr) -> IpAddr {
    match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Connects to `peer`.
///
/// # Errors
/// What to say of the rung instead.
pub async fn connect(peer: SocketAddr) -> Result<TcpStream, Finding> {
    match timeout(CONNECT_PATIENCE, TcpStream::connect(peer)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Finding::of_error(&error, peer)),
        Err(_) => Err(Finding::bad(Symptom::Silent, format!("{peer}: no answer"))),
    }
}

/// So many of a host's addresses are tried at most.
const TRIED: usize = 4;
/// The next one is tried so long after the one before (RFC 8305 section 5), whether or not that has failed by then.
const NEXT_AFTER: Duration = Duration::from_millis(250);
/// What the first one may take beyond its own patience, so that it is the one to say why.
const SLACK: Duration = Duration::from_millis(50);

/// What a host gave, and which of its addresses were passed over for that.
#[derive(Debug)]
pub struct Given<T> {
    /// What it gave.
    pub by: T,
    /// The addresses tried before that gave nothing, or not yet.
    pub passed_over: Vec<IpAddr>,
}

impl<T> Given<T> {
    /// The detail, with those that were passed over.
    pub fn said(&self, detail: &str) -> String {
        let passed: Vec<String> = self.passed_over.iter().map(ToString::to_string).collect();
        if passed.is_empty() { detail.to_owned() } else { format!("{detail}; not {}", passed.join(", ")) }
    }
}

/// Tries a host's addresses, one a little after the other, until one gives something; within the first one's `patience`.
///
/// # Errors
/// What to say of the rung instead: of different words of several addresses the one that accuses least.
pub async fn first_of<T, F>(
    addresses: &[IpAddr],
    patience: Duration,
    attempt: impl Fn(IpAddr) -> F,
) -> Result<Given<T>, Finding>
where
    F: Future<Output = Result<T, Finding>>,
{
    let (begun, attempt) = (Instant::now(), &attempt);
    let tried = addresses.get(..TRIED).unwrap_or(addresses);
    let attempts = (0_u32..).zip(tried).map(|(nth, address)| async move {
        tokio::time::sleep_until(begun + NEXT_AFTER * nth).await;
        (nth, attempt(*address).await)
    });
    let mut attempts: FuturesUnordered<_> = attempts.collect();
    let mut failed = Vec::new();
    while let Ok(Some((nth, result))) = timeout_at(begun + patience + SLACK, attempts.next()).await {
        match result {
            Ok(by) => {
                let before = tried.iter().take(usize::try_from(nth).unwrap_or(0));
                return Ok(Given { by, passed_over: before.copied().collect() });
            }
            Err(finding) => failed.push(finding),
        }
    }
    Err(least(failed))
}

/// One word for several: never an accusation that only some of them bear.
fn least(findings: Vec<Finding>) -> Finding {
    let rank = |finding: &Finding| match finding.outcome {
        Outcome::Good | Outcome::Skipped | Outcome::Open => 0,
        Outcome::Bad(Symptom::Unreachable) => 1,
        Outcome::Bad(Symptom::Silent) => 2,
        Outcome::Bad(Symptom::Refused) => 4,
        Outcome::Bad(_) => 3,
    };
    let detail: Vec<&str> = findings.iter().map(|finding| finding.detail.as_str()).collect();
    let detail = finding::harmless(&detail.join("; "));
    let least = findings.iter().min_by_key(|finding| rank(finding)).map(|finding| finding.outcome);
    Finding { outcome: least.unwrap_or(Outcome::Bad(Symptom::Silent)), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));

    fn refused(address: IpAddr) -> Finding {
        Finding::bad(Symptom::Refused, address.to_string())
    }

    #[tokio::test]
    async fn the_second_address_counts_and_both_are_named() {
        let attempt = async |address| if address == TWO { Ok(()) } else { std::future::pending().await };
        let given = first_of(&[ONE, TWO], PATIENCE, attempt).await.unwrap();
        assert_eq!(given.said("open"), format!("open; not {ONE}"));
        let refuses = async |address| if address == TWO { Ok(()) } else { Err(refused(address)) };
        assert_eq!(first_of(&[ONE, TWO], PATIENCE, refuses).await.unwrap().passed_over, [ONE]);
        let both = async |_| Ok(());
        assert!(first_of(&[ONE, TWO], PATIENCE, both).await.unwrap().passed_over.is_empty());
    }

    #[tokio::test]
    async fn where_none_answers_the_word_that_accuses_least_is_said() {
        let silent = |address: IpAddr| Finding::bad(Symptom::Silent, address.to_string());
        let mixed = async |address| Err::<(), _>(if address == ONE { refused(ONE) } else { silent(address) });
        let said = first_of(&[ONE, TWO], PATIENCE, mixed).await.unwrap_err();
        assert_eq!(said, Finding::bad(Symptom::Silent, format!("{ONE}; {TWO}")));
        let all = async |address| Err::<(), _>(refused(address));
        assert_eq!(first_of(&[ONE, TWO], PATIENCE, all).await.unwrap_err().outcome, refused(ONE).outcome);
        let never = async |_| std::future::pending::<Result<(), Finding>>().await;
        let said = first_of(&[ONE; 9], Duration::ZERO, never).await.unwrap_err();
        assert_eq!(said.outcome, Outcome::Bad(Symptom::Silent));
    }
}
