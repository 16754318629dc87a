//! Serves one role's socket to peers the kernel vouches for: our own user and root.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::serve::Listener;
use model::part::Role;
use tokio::net::{UnixListener, UnixStream, unix};

use crate::failure::Failure;

/// A listener that lets only known peers in.
struct Guarded {
    listener: UnixListener,
    own: u32,
}

impl Listener for Guarded {
    type Io = UnixStream;
    type Addr = unix::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == 0 || peer.uid() == self.own => return (stream, address),
                Ok(peer) => tracing::warn!(uid = peer.uid(), "turned a stranger away from a role's socket"),
                Err(error) => tracing::warn!(%error, "turned away a peer the kernel says nothing about"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Opens a role's socket. One that a dead daemon left behind is replaced; a living one is not.
///
/// # Errors
/// [`Failure::AlreadyRunning`] if somebody answers there; [`Failure::Write`] if it cannot be made.
pub async fn open(folder: &Path, role: Role) -> Result<UnixListener, Failure> {
    let path = super::path(folder, role);
    let write = |source| Failure::Write { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(write)?;
    if UnixStream::connect(&path).await.is_ok() {
        return Err(Failure::AlreadyRunning(folder.to_owned()));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(write)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).map_err(write)?;
    Ok(listener)
}

/// Serves until the process ends.
///
/// # Errors
/// [`Failure::Write`] with the socket's path if serving ends.
pub async fn serve(listener: UnixListener, routes: Router) -> Result<(), Failure> {
    let path: PathBuf =
        listener.local_addr().ok().and_then(|at| at.as_pathname().map(Path::to_owned)).unwrap_or_default();
    let guarded = Guarded { listener, own: nix::unistd::geteuid().as_raw() };
    axum::serve(guarded, routes).await.map_err(|source| Failure::Write { path, source })
}
