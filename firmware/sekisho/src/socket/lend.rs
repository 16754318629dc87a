//! Lends open sockets to the roles that may not open them: the only way from a role without a capability to a port or
//! to a raw socket.
//!
//! A borrower connects to `netd/lend.sock` (SOCK_SEQPACKET) and sends its role's name; the kernel's word says whether
//! it is that role. The answer is one message: the names as a JSON list, and the sockets in that order (SCM_RIGHTS);
//! or, if they cannot be opened, why not, as a JSON text. The lender opens them for this answer and keeps none.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::part::Role;
use nix::sys::socket::{
    self, AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
};
use serde::Deserialize;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::peers::{self, Peer};
use super::server;
use crate::failure::Failure;

/// Sockets with the names by which they are asked for.
pub type Named = Vec<(&'static str, OwnedFd)>;

/// How long a borrower may take to say who it is, and to take the answer.
const TO_ASK: Duration = Duration::from_secs(1);

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

    /// Lends what `lend` gives each role, until it is dropped. A borrower that dawdles keeps nobody waiting but the
    /// others of its own user, and no longer than a second.
    pub async fn serve<L>(self, lend: L)
    where
        L: Fn(Role) -> Result<Named, Failure> + Send + Sync + 'static,
    {
        let (lend, busy) = (Arc::new(lend), Arc::new(Mutex::new(HashSet::new())));
        let mut answers = JoinSet::new();
        loop {
            let stream = match self.0.accept().await {
                Ok((stream, _)) => stream,
                // Most likely no descriptor is free: who holds them is answered or given up within a second.
                Err(error) => {
                    tracing::warn!(%error, "cannot hear who wants to borrow sockets");
                    sleep(AGAIN).await;
                    continue;
                }
            };
            while answers.try_join_next().is_some() {}
            let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
            let Some((uid, peer)) = uid.and_then(|uid| Some((uid, peers::known(uid)?))) else {
                tracing::warn!(?uid, "turned a stranger away who wanted to borrow sockets");
                continue;
            };
            // One at a time for each user; who is hung up on asks again.
            let Some(turn) = Turn::of(uid, &busy) else { continue };
            let lend = Arc::clone(&lend);
            answers.spawn(async move {
                let _turn = turn;
                // What a borrower does not do in time is its own loss.
                let _ = timeout(TO_ASK, answer(&stream, peer, &*lend)).await;
            });
        }
    }
}

/// The users that are being answered.
type Busy = Arc<Mutex<HashSet<u32>>>;

/// A user's turn at the door, given back when dropped.
struct Turn(u32, Busy);

impl Turn {
    fn of(uid: u32, busy: &Busy) -> Option<Self> {
        let free = busy.lock().unwrap_or_else(PoisonError::into_inner).insert(uid);
        free.then(|| Self(uid, Arc::clone(busy)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
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

/// Hears who asks, and lends or says why not.
async fn answer(stream: &UnixStream, peer: Peer, lend: &impl Fn(Role) -> Result<Named, Failure>) {
    let Ok((said, _)) = receive(stream).await else { return };
    let asked = str::from_utf8(&said).ok().and_then(Role::from_key);
    let Some(role) = asked.filter(|role| peer == Peer::Own || peer == Peer::Role(*role)) else {
        tracing::warn!(?peer, "refused to lend sockets to a role that this peer is not");
        return;
    };
    let (answer, sockets) = match lend(role) {
        Ok(named) => {
            let (names, sockets): (Vec<&str>, Vec<OwnedFd>) = named.into_iter().unzip();
            (serde_json::json!(names), sockets)
        }
        Err(failure) => (serde_json::json!(failure.to_string()), Vec::new()),
    };
    if let Err(error) = send(stream, answer.to_string().as_bytes(), &sockets).await {
        tracing::warn!(role = role.key(), %error, "a borrower went away");
    }
}

async fn send(stream: &UnixStream, text: &[u8], sockets: &[OwnedFd]) -> io::Result<()> {
    let numbers: Vec<RawFd> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
    let once = || {
        let text = [IoSlice::new(text)];
        Ok(socket::sendmsg::<()>(stream.as_raw_fd(), &text, rights, MsgFlags::MSG_NOSIGNAL, None)?)
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

/// What was lent.
#[derive(Debug)]
pub struct Loan {
    lender: PathBuf,
    sockets: BTreeMap<String, OwnedFd>,
}

impl Loan {
    /// Waits for the lender and borrows what a role is lent.
    ///
    /// # Errors
    /// [`Failure::NotLent`]: the lender says why not, or is not there in time.
    pub async fn of(folder: &Path, role: Role) -> Result<Self, Failure> {
        let path = path(folder);
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let patiently = async {
            loop {
                match ask(&path, role).await {
                    Ok(answer) => return answer,
                    Err(error) => last = error,
                }
                sleep(AGAIN).await;
            }
        };
        let lent = match timeout(PATIENCE, patiently).await {
            Ok(answer) => take_apart(answer),
            Err(_) => Err(last.to_string()),
        };
        match lent {
            Ok(sockets) => Ok(Self { lender: path, sockets }),
            Err(reason) => Err(Failure::NotLent { path, reason }),
        }
    }

    /// The socket of this name.
    ///
    /// # Errors
    /// [`Failure::NotLent`] if there is none, or it was taken before.
    pub fn take(&mut self, name: &str) -> Result<OwnedFd, Failure> {
        self.sockets.remove(name).ok_or_else(|| Failure::NotLent {
            path: self.lender.clone(),
            reason: format!("there is no {name} among what came"),
        })
    }
}

/// What the lender may answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Names(Vec<String>),
    Refused(String),
}

async fn ask(path: &Path, role: Role) -> io::Result<(Said, Vec<OwnedFd>)> {
    let socket = seqpacket()?;
    socket::connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    let lender = UnixStream::from_std(StdStream::from(socket))?;
    send(&lender, role.key().as_bytes(), &[]).await?;
    let (said, sockets) = receive(&lender).await?;
    Ok((serde_json::from_slice(&said)?, sockets))
}

fn take_apart((said, sockets): (Said, Vec<OwnedFd>)) -> Result<BTreeMap<String, OwnedFd>, String> {
    match said {
        Said::Refused(reason) => Err(reason),
        Said::Names(names) if names.len() == sockets.len() => Ok(names.into_iter().zip(sockets).collect()),
        Said::Names(names) => Err(format!("{} sockets came for {} names", sockets.len(), names.len())),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::*;

    /// Lends `webd` a listener on this address, opened for it.
    fn page(address: SocketAddr) -> impl Fn(Role) -> Result<Named, Failure> + Send + Sync {
        move |role| match role {
            Role::Webd => {
                let listener =
                    TcpListener::bind(address).map_err(|source| Failure::Listen { address, source })?;
                Ok(vec![("http", listener.into())])
            }
            _ => Ok(Vec::new()),
        }
    }

    #[tokio::test]
    async fn a_lent_listener_serves_and_the_next_borrower_gets_the_same_port() {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(page(address)));
        for _ in 0..2 {
            let mut loan = Loan::of(folder.path(), Role::Webd).await.unwrap();
            let lent = TcpListener::from(loan.take("http").unwrap());
            assert!(matches!(loan.take("http"), Err(Failure::NotLent { .. })), "it was taken");
            TcpStream::connect(address).unwrap();
            lent.accept().unwrap();
        }
    }

    #[tokio::test]
    async fn a_busy_port_is_said_to_the_borrower_at_once_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(page(address)));
        let refused = timeout(Duration::from_secs(5), Loan::of(folder.path(), Role::Webd)).await.unwrap();
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(&format!("listen on {address}")), "{said}");
    }

    #[tokio::test]
    async fn a_borrower_waits_for_the_lender() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let borrower = tokio::spawn(async move { Loan::of(&path, Role::Reachd).await });
        tokio::task::yield_now().await;
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(|_| Ok(Vec::new())));
        borrower.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_second_borrower_of_a_user_is_hung_up_on_and_asks_again() {
        let folder = tempfile::tempdir().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(|_| Ok(Vec::new())));
        let silent = || {
            let socket = seqpacket().unwrap();
            socket::connect(socket.as_raw_fd(), &UnixAddr::new(&path(folder.path())).unwrap()).unwrap();
            UnixStream::from_std(StdStream::from(socket)).unwrap()
        };
        let (first, second) = (silent(), silent());
        let ends = |stream| async move { receive(stream).await.unwrap_err().kind() };
        // The second one's end comes first: it does not wait for the patience with the first.
        tokio::select! {
            biased;
            kind = ends(&first) => panic!("the first was hung up on before the second: {kind}"),
            kind = ends(&second) => assert_eq!(kind, io::ErrorKind::UnexpectedEof),
        }
        Loan::of(folder.path(), Role::Reachd).await.unwrap();
    }

    #[tokio::test]
    async fn who_names_no_role_is_lent_nothing() {
        let folder = tempfile::tempdir().unwrap();
        tokio::spawn(Lender::open(folder.path()).unwrap().serve(|_| Ok(Vec::new())));
        let socket = seqpacket().unwrap();
        socket::connect(socket.as_raw_fd(), &UnixAddr::new(&path(folder.path())).unwrap()).unwrap();
        let stream = UnixStream::from_std(StdStream::from(socket)).unwrap();
        send(&stream, b"root", &[]).await.unwrap();
        let answer = timeout(Duration::from_secs(5), receive(&stream)).await.unwrap();
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
