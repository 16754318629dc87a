//! Lends open sockets to the roles that may not open them: the only way from a role without a capability to a port or
//! to a raw socket.
//!
//! A borrower connects to `netd/lend.sock` (SOCK_SEQPACKET) and sends its role's name; the kernel's word says whether
//! it is that role. The answer is one message: the names as a JSON list, and the sockets in that order (SCM_RIGHTS).
//! The connection then stays, so that the borrower sees the lender go.

use std::collections::HashMap;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::part::Role;
use nix::sys::socket::{
    self, AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
};
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::peers::{self, Peer};
use super::server;
use crate::failure::Failure;

/// Sockets with the names by which they are asked for.
pub type Named = Vec<(&'static str, OwnedFd)>;

/// How long a borrower may take to say who it is.
const TO_ASK: Duration = Duration::from_secs(5);

/// Connections of one user at once: a role needs one, and one more while it starts anew.
const CONNECTIONS_EACH: usize = 4;

/// How long a borrower waits for the lender before it says so and ends; who started it does so again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a borrower leaves a lender alone that does not lend.
const AGAIN: Duration = Duration::from_millis(100);

/// The longest message, either way.
const LONGEST: usize = 512;

/// The most sockets in one loan.
const MOST: usize = 8;

/// Where the lender is found.
fn path(folder: &Path) -> PathBuf {
    super::own_folder(folder, Role::Netd).join("lend.sock")
}

/// The lender's open door.
#[derive(Debug)]
pub struct Lender(UnixListener);

impl Lender {
    /// Opens the door. Borrowers wait at it until [`Self::serve`].
    ///
    /// # Errors
    /// [`Failure::Write`] if the socket cannot be made.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = path(folder);
        let listener = listen(&path).map_err(|source| Failure::Write { path, source })?;
        Ok(Self(listener))
    }

    /// Lends what `lend` gives each role, for as long as the process runs.
    ///
    /// # Errors
    /// [`Failure::Read`] if the door itself breaks.
    pub async fn serve<L>(self, lend: L) -> Result<(), Failure>
    where
        L: Fn(Role) -> Result<Named, Failure> + Send + Sync + 'static,
    {
        let lend = Arc::new(lend);
        let (mut loans, mut open) = (JoinSet::new(), HashMap::<u32, usize>::new());
        loop {
            tokio::select! {
                Some(ended) = loans.join_next() => {
                    // A loan that panicked leaves its place taken; there are enough.
                    if let Ok(uid) = ended && let Some(count) = open.get_mut(&uid) {
                        *count -= 1;
                    }
                }
                came = self.0.accept() => {
                    let came = came.and_then(|(stream, _)| Ok((stream.peer_cred()?.uid(), stream)));
                    let (uid, stream) =
                        came.map_err(|source| Failure::Read { path: "lend.sock".into(), source })?;
                    let Some(peer) = peers::known(uid) else {
                        tracing::warn!(uid, "turned a stranger away who wanted to borrow sockets");
                        continue;
                    };
                    let count = open.entry(uid).or_default();
                    if *count < CONNECTIONS_EACH {
                        *count += 1;
                        let lend = Arc::clone(&lend);
                        loans.spawn(async move { loan(stream, peer, lend.as_ref()).await; uid });
                    }
                }
            }
        }
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    server::clear(path)?;
    let socket = seqpacket()?;
    socket::bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    socket::listen(&socket, Backlog::new(16)?)?;
    server::open_to_all(path)?;
    UnixListener::from_std(StdListener::from(socket))
}

fn seqpacket() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket::socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)
}

/// One loan, from the question to the end of the connection.
async fn loan(stream: UnixStream, peer: Peer, lend: &impl Fn(Role) -> Result<Named, Failure>) {
    let Ok(Ok((said, _))) = timeout(TO_ASK, receive(&stream)).await else { return };
    let asked = str::from_utf8(&said).ok().and_then(Role::from_key);
    let Some(role) = asked.filter(|role| peer == Peer::Own || peer == Peer::Role(*role)) else {
        tracing::warn!(?peer, "refused to lend sockets to a role that this peer is not");
        return;
    };
    let sent = match lend(role) {
        Ok(sockets) => send(&stream, &sockets).await.map_err(|error| error.to_string()),
        Err(failure) => Err(failure.to_string()),
    };
    match sent {
        Ok(()) => gone(&stream).await,
        Err(error) => tracing::warn!(role = role.key(), %error, "lent no sockets"),
    }
}

async fn send(stream: &UnixStream, sockets: &[(&'static str, OwnedFd)]) -> io::Result<()> {
    let names: Vec<&str> = sockets.iter().map(|(name, _)| *name).collect();
    let names = serde_json::to_vec(&names)?;
    let numbers: Vec<RawFd> = sockets.iter().map(|(_, socket)| socket.as_raw_fd()).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let once = || {
        let text = [IoSlice::new(&names)];
        Ok(socket::sendmsg::<()>(stream.as_raw_fd(), &text, &rights, MsgFlags::MSG_NOSIGNAL, None)?)
    };
    stream.async_io(Interest::WRITABLE, once).await.map(drop)
}

/// The next message, with the sockets in it. The end of the connection is an error.
async fn receive(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    stream
        .async_io(Interest::READABLE, || {
            let mut bytes = [0; LONGEST];
            let mut control = nix::cmsg_space!([RawFd; MOST]);
            let mut text = [IoSliceMut::new(&mut bytes)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let message = socket::recvmsg::<()>(stream.as_raw_fd(), &mut text, Some(&mut control), flags)?;
            let mut sockets = Vec::new();
            for control in message.cmsgs()? {
                if let ControlMessageOwned::ScmRights(numbers) = control {
                    sockets.extend(numbers.into_iter().map(owned));
                }
            }
            let length = message.bytes;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok((bytes[..length].to_vec(), sockets))
        })
        .await
}

fn owned(number: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    #[expect(unsafe_code, reason = "a descriptor that came in a message is ours from here on")]
    unsafe {
        OwnedFd::from_raw_fd(number)
    }
}

/// Ends when the other side has gone. Whatever it still says is not meant for anybody.
async fn gone(stream: &UnixStream) {
    while receive(stream).await.is_ok() {}
}

/// What was lent, and the connection it came by.
#[derive(Debug)]
pub struct Loan {
    folder: PathBuf,
    sockets: HashMap<String, OwnedFd>,
    lender: UnixStream,
}

impl Loan {
    /// Waits for the lender and borrows what a role is lent.
    ///
    /// # Errors
    /// [`Failure::NotLent`] with the last reason, if nothing is lent in time.
    pub async fn of(folder: &Path, role: Role) -> Result<Self, Failure> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let patiently = async {
            loop {
                match borrow(folder, role).await {
                    Ok(loan) => return loan,
                    Err(error) => last = error,
                }
                sleep(AGAIN).await;
            }
        };
        let lent = timeout(PATIENCE, patiently).await;
        lent.map_err(|_| Failure::NotLent { path: path(folder), reason: last.to_string() })
    }

    /// The socket of this name.
    ///
    /// # Errors
    /// [`Failure::NotLent`] if there is none, or it was taken before.
    pub fn take(&mut self, name: &str) -> Result<OwnedFd, Failure> {
        self.sockets.remove(name).ok_or_else(|| Failure::NotLent {
            path: path(&self.folder),
            reason: format!("there is no {name} among what came"),
        })
    }

    /// Ends when the lender has gone.
    pub async fn lender_gone(&self) {
        gone(&self.lender).await;
    }
}

async fn borrow(folder: &Path, role: Role) -> io::Result<Loan> {
    let socket = seqpacket()?;
    socket::connect(socket.as_raw_fd(), &UnixAddr::new(&path(folder))?)?;
    let lender = UnixStream::from_std(StdStream::from(socket))?;
    let key = role.key().as_bytes();
    let say = || Ok(socket::send(lender.as_raw_fd(), key, MsgFlags::MSG_NOSIGNAL)?);
    lender.async_io(Interest::WRITABLE, say).await?;
    let (said, sockets) = receive(&lender).await?;
    let names: Vec<String> = serde_json::from_slice(&said)?;
    if names.len() != sockets.len() {
        return Err(io::Error::other(format!("{} sockets for {} names", sockets.len(), names.len())));
    }
    Ok(Loan { folder: folder.to_owned(), sockets: names.into_iter().zip(sockets).collect(), lender })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn page(listener: &TcpListener) -> impl Fn(Role) -> Result<Named, Failure> + Send + Sync + use<> {
        let kept = listener.try_clone().unwrap();
        move |role| {
            let lent = kept.try_clone().unwrap();
            Ok(if role == Role::Webd { vec![("http", OwnedFd::from(lent))] } else { Vec::new() })
        }
    }

    #[tokio::test]
    async fn a_lent_listener_serves_and_outlives_its_borrower() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(page(&listener)));
        for word in ["first", "second"] {
            let mut loan = Loan::of(folder.path(), Role::Webd).await.unwrap();
            let lent = TcpListener::from(loan.take("http").unwrap());
            assert!(matches!(loan.take("http"), Err(Failure::NotLent { .. })), "it was taken");
            drop(loan);
            // Who comes while nobody serves waits, and is served by the next borrower.
            let mut visitor = TcpStream::connect(address).unwrap();
            let (mut visit, _) = lent.accept().unwrap();
            visit.write_all(word.as_bytes()).unwrap();
            drop((visit, lent));
            let mut heard = String::new();
            visitor.read_to_string(&mut heard).unwrap();
            assert_eq!(heard, word);
        }
    }

    #[tokio::test]
    async fn a_borrower_waits_for_the_lender_and_sees_it_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let borrower = tokio::spawn(async move { Loan::of(&path, Role::Reachd).await });
        tokio::task::yield_now().await;
        let lender = Lender::open(folder.path()).unwrap();
        let lender = tokio::spawn(lender.serve(|_| Ok(Vec::new())));
        let loan = borrower.await.unwrap().unwrap();
        assert!(timeout(Duration::from_millis(50), loan.lender_gone()).await.is_err(), "it is there");
        lender.abort();
        timeout(Duration::from_secs(5), loan.lender_gone()).await.unwrap();
    }

    #[tokio::test]
    async fn who_names_no_role_is_lent_nothing() {
        let folder = tempfile::tempdir().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(|_| Ok(Vec::new())));
        let socket = seqpacket().unwrap();
        socket::connect(socket.as_raw_fd(), &UnixAddr::new(&path(folder.path())).unwrap()).unwrap();
        let stream = UnixStream::from_std(StdStream::from(socket)).unwrap();
        socket::send(stream.as_raw_fd(), b"root", MsgFlags::empty()).unwrap();
        let answer = timeout(Duration::from_secs(5), receive(&stream)).await.unwrap();
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
