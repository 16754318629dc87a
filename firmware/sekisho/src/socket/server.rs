//! Serves one role's socket to peers the kernel vouches for. The socket file is open to all: who may speak is in
//! [`peers`], not in the file's mode.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use model::decision::Actor;
use model::part::Role;
use nix::unistd::User;
use tokio::net::{UnixListener, UnixStream, unix};

use super::peers::{self, Peer};
use crate::failure::Failure;

/// A role's open socket.
#[derive(Debug)]
pub struct Door {
    role: Role,
    listener: UnixListener,
}

impl Listener for Door {
    type Io = UnixStream;
    type Addr = unix::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            match peer_of(&stream) {
                Some(peer) if peers::may_enter(self.role, peer) => return (stream, address),
                _ => turned_away(self.role, &stream),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn peer_of(stream: &UnixStream) -> Option<Peer> {
    peers::known(stream.peer_cred().ok()?.uid())
}

fn turned_away(role: Role, stream: &UnixStream) {
    let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
    tracing::warn!(role = role.key(), ?uid, "turned somebody away who has no business at this role's socket");
}

/// Who made the connection a request came by, by the kernel's word.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    peer: Option<Peer>,
    uid: Option<u32>,
    /// When the connection was made.
    pub since: Instant,
}

impl Asker {
    /// The user, for the record; none if the kernel said nothing, and then nothing is done.
    pub fn actor(self) -> Option<Actor> {
        let uid = self.uid?;
        let name = User::from_uid(uid.into()).ok().flatten().map(|user| user.name).unwrap_or_default();
        Some(Actor { name, uid })
    }
}

impl Connected<IncomingStream<'_, Door>> for Asker {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        let uid = stream.io().peer_cred().ok().map(|peer| peer.uid());
        Self { peer: peer_of(stream.io()), uid, since: Instant::now() }
    }
}

/// Opens a role's socket. One that a dead daemon left behind is replaced; a living one is not.
///
/// # Errors
/// [`Failure::AlreadyRunning`] if somebody answers there; [`Failure::Write`] if it cannot be made.
pub async fn open(folder: &Path, role: Role) -> Result<Door, Failure> {
    let path = super::path(folder, role);
    let write = |source| Failure::Write { path: path.clone(), source };
    std::fs::create_dir_all(super::own_folder(folder, role)).map_err(write)?;
    if UnixStream::connect(&path).await.is_ok() {
        return Err(Failure::AlreadyRunning(folder.to_owned()));
    }
    clear(&path).map_err(write)?;
    let listener = UnixListener::bind(&path).map_err(write)?;
    open_to_all(&path).map_err(write)?;
    Ok(Door { role, listener })
}

/// Removes the socket that a dead daemon left behind.
pub fn clear(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lets everybody knock: the answer depends on who it is.
pub fn open_to_all(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
}

/// Serves until the process ends.
///
/// # Errors
/// [`Failure::Write`] with the socket's path if serving ends.
pub async fn serve(door: Door, routes: Router) -> Result<(), Failure> {
    let path: PathBuf =
        door.local_addr().ok().and_then(|at| at.as_pathname().map(Path::to_owned)).unwrap_or_default();
    let routes = routes.layer(middleware::from_fn_with_state(door.role, allow));
    let service = routes.into_make_service_with_connect_info::<Asker>();
    axum::serve(door, service).await.map_err(|source| Failure::Write { path, source })
}

/// Lets through what the table lets this peer do.
async fn allow(
    State(role): State<Role>,
    ConnectInfo(Asker { peer, .. }): ConnectInfo<Asker>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let may = peer.is_some_and(|peer| peers::may(role, peer, request.method(), request.uri().path()));
    if !may {
        tracing::warn!(role = role.key(), ?peer, "refused a request that this peer may not make");
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(next.run(request).await)
}
