//! What the box's resolver answered the terminals, as unbound tells it (dnstap): destinations by name are admitted by it.
//!
//! unbound writes to a Unix socket in frames ([`frame`]), each with a dnstap message around the answer's own bytes ([`tap`]). It
//! collects them for up to a second: the first connection to a name may lose its first packets.

pub mod frame;
pub mod tap;

use std::path::Path;

use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};

use self::frame::Frames;
pub use self::tap::Answer;

/// One resolver writes, and one more that has just been started anew.
const WRITERS: usize = 2;

/// Hears what is written to this socket by whom `may` lets in, and tells each answer, one after the other.
///
/// # Errors
/// The socket cannot be made.
pub async fn listen<T>(
    listener: UnixListener,
    may: impl Fn(u32) -> bool,
    tell: impl Fn(Answer) -> T,
) -> std::io::Result<()>
where
    T: Future<Output = ()>,
{
    let mut writers: Vec<Writer> = Vec::new();
    loop {
        tokio::select! {
            came = listener.accept() => {
                let (stream, _) = came?;
                let known = stream.peer_cred().is_ok_and(|peer| may(peer.uid()));
                if !known {
                    tracing::warn!("turned somebody away who is not the resolver");
                    continue;
                }
                if writers.len() == WRITERS {
                    // The older one is most likely dead.
                    writers.remove(0);
                }
                writers.push(Writer { stream, frames: Frames::default() });
            }
            (nth, answers) = next(&mut writers), if !writers.is_empty() => {
                let Some(answers) = answers else {
                    writers.remove(nth);
                    continue;
                };
                for answer in answers {
                    tell(answer).await;
                }
            }
        }
    }
}

/// Opens the socket in its folder; what was left there by the last start is taken away.
///
/// # Errors
/// The socket cannot be made.
pub fn open(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Who may write is decided by the kernel's word on the peer.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

struct Writer {
    stream: UnixStream,
    frames: Frames,
}

/// What the first writer with something to say says; nothing when it has ended or does not speak as it should.
async fn next(writers: &mut [Writer]) -> (usize, Option<Vec<Answer>>) {
    let each = writers.iter_mut().map(|writer| Box::pin(writer.read()));
    let (said, nth, _) = futures_util::future::select_all(each).await;
    (nth, said)
}

impl Writer {
    async fn read(&mut self) -> Option<Vec<Answer>> {
        let mut bytes = [0; 4096];
        let length = self.stream.read(&mut bytes).await.ok().filter(|length| *length > 0)?;
        let frames = self.frames.take(&bytes[..length])?;
        Some(frames.iter().filter_map(|frame| tap::read(frame)).collect())
    }
}
