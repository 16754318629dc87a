//! `relayd`: the files. It alone holds the terminals' passwords, so it also looks at their shares for `reachd`.

use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::{ConnectInfo, Path as AxumPath, Query};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use model::decision::{Decision, Verb};
use model::part::{PATIENCE_S, RelayPart, Role};
use model::selftest::Ask;
use model::{Observation, Rung, Timestamp};
use relay::HistoryBy;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Place, Ready, Tasks, netd, own};
use crate::failure::Failure;
use crate::socket::part;
use crate::socket::server::Asker;

/// Starts the relay once the firewall is proved.
///
/// # Errors
/// [`Failure::NotProved`]; [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let (mut config, ends) = relay::Config::from_site(place.site(Role::Relayd)?, &place.state);
    config.history = history()?;
    netd::proved(&place.sockets).await?;
    let (part, mut seen) = watch::channel(RelayPart::default());
    let (ask, commands) = mpsc::channel(super::WAITING);
    let (routes, pulse) = part::routes(seen.clone(), PATIENCE_S);
    let routes = Verb::ALL
        .into_iter()
        .fold(routes, |routes, verb| routes.route(&format!("/{}", verb.key()), decisions(verb, ask.clone())));
    let (passed, days) = (ask.clone(), ask.clone());
    let routes = routes
        .route(
            "/passed/{number}",
            get(move |AxumPath(number): AxumPath<u64>| async move {
                super::put(&passed, |reply| relay::Command::Passed { number, reply }).await
            }),
        )
        .route(
            "/days",
            get(move || async move { super::put(&days, |reply| relay::Command::Days { reply }).await }),
        );
    let test = ask.clone();
    let routes = routes.route(
        "/selftest",
        post(move |Json(words): Json<Ask>| async move {
            super::put(&test, |reply| relay::Command::SelfTest { ask: words, reply }).await
        }),
    );
    let (files, state) = (seen.clone(), place.state.join("relay"));
    let routes = routes.route(
        "/look",
        post(move |Query(Looked { asked }): Query<Looked>| async move {
            let looked = super::put(&ask, |reply| relay::Command::Look { asked, reply }).await;
            let aside = set_aside(&state);
            looked.map(|Json(seen)| Json(with_files(seen, &files.borrow(), aside)))
        }),
    );
    let mut tasks = super::serve(place, Role::Relayd, routes).await?;
    tasks.spawn(alone(move || async move { relay::run(&config, ends, part, commands).await }));
    super::serves_once_it_sends(&mut seen, ready, pulse).await;
    Ok(tasks)
}

/// How a look is asked for.
#[derive(Debug, serde::Deserialize)]
struct Looked {
    /// Whether a person wants to know.
    #[serde(default)]
    asked: bool,
}

/// What `reachd` gets to know: the shares, and what became of files, without their kinds' lists and hashes; and how much
/// of the relay's own was set aside.
fn with_files(mut shares: Vec<Observation>, part: &RelayPart, aside: u64) -> Vec<Observation> {
    let now = Timestamp::now();
    shares.extend(reach::of_files(part, now));
    shares.push(reach::own::books(Rung::Journal, aside, now));
    shares
}

fn set_aside(state: &Path) -> u64 {
    let folders = [state.to_owned(), state.join("log"), state.join("audit")];
    own::aside::set_aside(folders.iter().map(PathBuf::as_path), Timestamp::now())
}

/// The history's store is held open by this very program, started for each question.
fn history() -> Result<HistoryBy, Failure> {
    let program = std::env::current_exe();
    let program =
        program.map_err(|source| Failure::Read { path: "this program's own path".into(), source })?;
    Ok(HistoryBy::Program(program, vec!["relay-history".into()]))
}

/// Takes what a person decided; who that is, is the kernel's word.
fn decisions(verb: Verb, ask: mpsc::Sender<relay::Command>) -> MethodRouter {
    post(move |ConnectInfo(asker): ConnectInfo<Asker>, Json(decision): Json<Decision>| async move {
        let actor = asker.actor().ok_or(StatusCode::FORBIDDEN)?;
        super::put(&ask, |reply| relay::Command::Decide { verb, decision, actor, reply }).await
    })
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

#[cfg(test)]
mod tests {
    use model::decision::{Decided, Reason};

    use super::*;
    use crate::socket::{client, server};

    #[tokio::test]
    async fn a_decision_comes_to_the_relay_with_the_user_the_kernel_names() {
        let sockets = tempfile::tempdir().unwrap();
        let (ask, mut commands) = mpsc::channel(1);
        let door = server::open(sockets.path(), Role::Relayd).await.unwrap();
        let routes = axum::Router::new().route("/return", decisions(Verb::Return, ask));
        tokio::spawn(server::serve(door, routes));
        let decision = Decision { number: 7, reason: Reason::new("窓口で確認").unwrap() };
        let asked = client::order::<Decided>(sockets.path(), Role::Relayd, "/return", &decision);
        let answered = async {
            let Some(relay::Command::Decide { verb, decision: came, actor, reply }) = commands.recv().await
            else {
                panic!("a decision was put")
            };
            assert_eq!((verb, &came, actor.uid), (Verb::Return, &decision, nix::unistd::geteuid().as_raw()));
            reply.send(Decided::Done).unwrap();
        };
        let (decided, ()) = tokio::join!(asked, answered);
        assert_eq!(decided.unwrap(), Decided::Done);
    }
}
