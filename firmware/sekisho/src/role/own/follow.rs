//! What `netd` says beside its own part: how the tunnel of the line stands, what the line gives for the terminals,
//! what their own requests meet, and remote maintenance.

use std::path::Path;
use std::time::Duration;

use model::part::{Role, Stamped};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::socket::client;

/// How long `netd` is left alone when it did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// Follows what is said at this path until nobody reads any more; where the site has no such thing there is never anything.
pub fn follow<T>(sockets: &Path, path: &'static str, is_there: bool) -> watch::Receiver<Option<T>>
where
    T: DeserializeOwned + PartialEq + Send + Sync + 'static,
{
    let (tell, seen) = watch::channel(None);
    let sockets = sockets.to_owned();
    tokio::spawn(async move {
        let mut after = 0;
        while is_there && !tell.is_closed() {
            let path = format!("{path}?after={after}");
            let asked: Result<Stamped<T>, Failure> = client::ask(&sockets, Role::Netd, &path).await;
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
