//! `relayd`: the files. It alone holds the terminals' passwords, so it also looks at their shares for `reachd`.

use axum::routing::post;
use model::part::{PATIENCE_S, RelayPart, Role};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Place, Ready, Tasks, netd};
use crate::failure::Failure;
use crate::socket::part;

/// Starts the relay once the firewall is proved.
///
/// # Errors
/// [`Failure::NotProved`]; [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let (config, ends) = relay::Config::from_site(place.site(Role::Relayd)?, &place.state);
    netd::proved(&place.sockets).await?;
    let (part, mut seen) = watch::channel(RelayPart::default());
    let (ask, commands) = mpsc::channel(super::WAITING);
    let (routes, pulse) = part::routes(seen.clone(), PATIENCE_S);
    let routes = routes.route(
        "/look",
        post(move || async move { super::put(&ask, |reply| relay::Command::Look { reply }).await }),
    );
    let mut tasks = super::serve(place, Role::Relayd, routes).await?;
    tasks.spawn(alone(move || async move { relay::run(&config, ends, part, commands).await }));
    super::serves_once_it_sends(&mut seen, ready, pulse).await;
    Ok(tasks)
}

/// Runs the relay on a thread and a single-threaded runtime of its own.
///
/// smb 0.12.1 needs it: its directory stream wakes its reader with `notify_waiters` and only then begins to wait for
/// the reader's own signal. Where both run at once the signal can fall in between, and the stream waits for ever.
/// On one thread nothing falls in between. The separate thread also keeps the page from waiting behind the files.
async fn alone<F>(room: impl FnOnce() -> F + Send + 'static) -> Result<(), Failure>
where
    F: Future<Output = Result<(), relay::Error>>,
{
    let (tell, told) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = match runtime {
            Ok(runtime) => runtime.block_on(room()).map_err(Failure::from),
            Err(source) => Err(Failure::Read { path: "the sockets of a runtime".into(), source }),
        };
        let _ = tell.send(ended);
    };
    let thread = std::thread::Builder::new().name("relay".into()).spawn(run);
    thread.map_err(|source| Failure::Read { path: "a thread for the relay".into(), source })?;
    told.await.unwrap_or(Err(Failure::RoleEnded(Role::Relayd)))
}
