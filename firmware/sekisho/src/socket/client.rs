//! Asks a role over its socket.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use model::part::Role;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::failure::Failure;

/// The largest answer a role may give; a relay part with thousands of held parcels stays well below.
const LARGEST: usize = 16 * 1024 * 1024;

/// Asks for a role's part and waits until it is newer than `after` (0: whatever there is).
///
/// # Errors
/// [`Failure::NoDaemon`] if nobody answers, [`Failure::Answer`] if the answer is no part.
pub async fn part<T: DeserializeOwned>(folder: &Path, role: Role, after: u64) -> Result<T, Failure> {
    part_of(folder, role, super::part::PART, after).await
}

/// The same of a role that publishes more than one: the part of this name.
///
/// # Errors
/// As [`part`].
pub async fn part_of<T: DeserializeOwned>(
    folder: &Path,
    role: Role,
    name: &str,
    after: u64,
) -> Result<T, Failure> {
    send(folder, role, Method::GET, &format!("{name}?after={after}"), None).await
}

/// Asks a role to do something and gives its answer.
///
/// # Errors
/// As [`part`].
pub async fn intent<T: DeserializeOwned>(folder: &Path, role: Role, path: &str) -> Result<T, Failure> {
    send(folder, role, Method::POST, path, None).await
}

/// Tells a role to do something, with words, and gives its answer.
///
/// # Errors
/// As [`part`].
pub async fn order<T: DeserializeOwned>(
    folder: &Path,
    role: Role,
    path: &str,
    words: &impl Serialize,
) -> Result<T, Failure> {
    let words = serde_json::to_vec(words).expect("invariant: our types have only text keys");
    send(folder, role, Method::POST, path, Some(words)).await
}

/// Asks a role for something that is not its part.
///
/// # Errors
/// As [`part`].
pub async fn ask<T: DeserializeOwned>(folder: &Path, role: Role, path: &str) -> Result<T, Failure> {
    send(folder, role, Method::GET, path, None).await
}

/// The process behind a role's socket, by the kernel's word; none if nobody is there. It is asked nothing.
pub async fn process(folder: &Path, role: Role) -> Option<i32> {
    UnixStream::connect(super::path(folder, role)).await.ok()?.peer_cred().ok()?.pid()
}

async fn send<T: DeserializeOwned>(
    folder: &Path,
    role: Role,
    method: Method,
    target: &str,
    words: Option<Vec<u8>>,
) -> Result<T, Failure> {
    let path = super::path(folder, role);
    let bytes = exchange(path, method, target, words).await?;
    match bytes {
        (status, bytes) if status.is_success() => serde_json::from_slice(&bytes)
            .map_err(|error| Failure::Answer { role, reason: error.to_string() }),
        (status, _) => Err(Failure::Answer { role, reason: status.to_string() }),
    }
}

async fn exchange(
    path: PathBuf,
    method: Method,
    target: &str,
    words: Option<Vec<u8>>,
) -> Result<(hyper::StatusCode, Bytes), Failure> {
    let gone = |reason: String| Failure::NoDaemon { path: path.clone(), reason };
    let stream = UnixStream::connect(&path).await.map_err(|error| gone(error.to_string()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| gone(error.to_string()))?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "sekisho")
        .header("content-type", "application/json")
        .body(Full::<Bytes>::from(words.unwrap_or_default()))
        .expect("invariant: our own paths are valid");
    let answer = sender.send_request(request).await.map_err(|error| gone(error.to_string()))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    driver.abort();
    Ok((status, body.map_err(|error| gone(error.to_string()))?.to_bytes()))
}
