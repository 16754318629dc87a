//! What visitors want is carried each kind for itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::post;
use tokio::net::UnixListener;

use super::*;
use crate::socket;

/// A `netd` with these routes.
fn netd(routes: Router) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = socket::path(folder.path(), Role::Netd);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    folder
}

const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_question_that_takes_long_keeps_nobody_from_seeing_what_may_pass() {
    let never = post(async || std::future::pending::<Json<Answer>>().await);
    let policy = get(async || Json(Matrix::default()));
    let folder = netd(Router::new().route("/explain", never).route("/policy", policy));
    let (wanted, intents) = mpsc::channel(4);
    tokio::spawn(carry(folder.path().to_owned(), intents));
    let (reply, _answer) = oneshot::channel();
    wanted.send(Intent::Explain(Box::default(), reply)).await.unwrap();
    let (reply, policy) = oneshot::channel();
    wanted.send(Intent::Policy(reply)).await.unwrap();
    let policy = tokio::time::timeout(DEADLINE, policy).await.unwrap().unwrap();
    assert_eq!(policy.matrix, Matrix::default());
}

#[tokio::test]
async fn nothing_is_asked_for_a_visitor_who_has_gone() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let answer = post(async || {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Json(Answer::Unclear { reason: "nothing".into() })
    });
    let folder = netd(Router::new().route("/explain", answer));
    let (wanted, intents) = mpsc::channel(4);
    for _ in 0..3 {
        let (reply, _) = oneshot::channel();
        wanted.send(Intent::Explain(Box::default(), reply)).await.unwrap();
    }
    let (reply, answer) = oneshot::channel();
    wanted.send(Intent::Explain(Box::default(), reply)).await.unwrap();
    tokio::spawn(carry(folder.path().to_owned(), intents));
    tokio::time::timeout(DEADLINE, answer).await.unwrap().unwrap();
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}
