//! How the tunnel of the line stands, as `netd` says.

use std::path::Path;
use std::time::Duration;

use model::part::{Role, Stamped};
use model::tunnel::TunnelPart;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::socket::client;

/// How long `netd` is left alone when it did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// Follows it until nobody reads any more; on a line without a tunnel there is never anything.
pub fn follow(sockets: &Path, has_tunnel: bool) -> watch::Receiver<Option<TunnelPart>> {
    let (tell, seen) = watch::channel(None);
    let sockets = sockets.to_owned();
    tokio::spawn(async move {
        let mut after = 0;
        while has_tunnel && !tell.is_closed() {
            let path = format!("/tunnel/part?after={after}");
            let asked: Result<Stamped<TunnelPart>, Failure> = client::ask(&sockets, Role::Netd, &path).await;
            let part = asked.ok();
            after = part.as_ref().map_or(0, |part| part.generation);
            let pause = if part.is_none() { AGAIN } else { Duration::ZERO };
            tell.send_if_modified(|last| {
                let new = part.map(|part| part.part);
                let changed = *last != new;
                *last = new;
                changed
            });
            tokio::time::sleep(pause).await;
        }
        // Who reads waits for a change that never comes, and not for an end.
        tell.closed().await;
    });
    seen
}
