//! Question and answer on the wire: one datagram there and back, one connection. Both with patience, no longer.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use model::Symptom;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use crate::finding::Finding;

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
    mut read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Finding> {
    let failed = |error: &std::io::Error| Finding::of_error(error, peer);
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await.map_err(|error| failed(&error))?;
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
