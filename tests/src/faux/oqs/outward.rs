//! What the terminal says to the outside: it asks a resolver for the centre's name, and calls the centre. Neither matters to
//! the files, but for a name that is not found: without it the application reaches nobody.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::net::{TcpSocket, UdpSocket};
use tokio::time::{interval, timeout};

use super::Oqs;

/// The centre, as the lab calls it.
const CENTRE: &str = "hweb.onshikaku.test.";
/// How often, and how long an answer is waited for.
const EVERY: Duration = Duration::from_secs(1);
/// Ports that the lab's kernels give to nobody else: a fault finds the application's calls by them.
const OWN_PORTS: (u16, u16) = (61_000, 1000);

impl Oqs {
    /// Asks and calls for ever, as it is told.
    pub async fn speak(self: Arc<Self>) {
        let mut turns = interval(EVERY);
        loop {
            turns.tick().await;
            let settings = self.state().settings;
            if let Some(resolver) = settings.asks {
                let answered = matches!(timeout(EVERY, ask(resolver)).await, Ok(Ok(())));
                let mut state = self.state();
                // Somebody may have told it otherwise meanwhile.
                if state.settings.asks == settings.asks {
                    state.nameless = !answered;
                }
            }
            if let Some(to) = settings.calls {
                // Nobody waits for it: the next one is tried beside it.
                tokio::spawn(timeout(10 * EVERY, call(to)));
            }
        }
    }
}

/// A question from a port of its own.
async fn ask(resolver: IpAddr) -> io::Result<()> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    let name = Name::from_ascii(CENTRE).map_err(io::Error::other)?;
    question.add_query(Query::query(name, RecordType::AAAA));
    let own: IpAddr =
        if resolver.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((own, 0)).await?;
    socket.connect((resolver, 53)).await?;
    socket.send(&question.to_vec().map_err(io::Error::other)?).await?;
    socket.recv(&mut [0; 1500]).await.map(drop)
}

async fn call(to: SocketAddr) -> io::Result<()> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, count) = OWN_PORTS;
    let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % count;
    let (socket, own): (TcpSocket, IpAddr) = match to {
        SocketAddr::V4(_) => (TcpSocket::new_v4()?, Ipv4Addr::UNSPECIFIED.into()),
        SocketAddr::V6(_) => (TcpSocket::new_v6()?, Ipv6Addr::UNSPECIFIED.into()),
    };
    socket.set_reuseaddr(true)?;
    socket.bind((own, port).into())?;
    socket.connect(to).await.map(drop)
}
