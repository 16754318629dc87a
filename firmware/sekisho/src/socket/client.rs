//! Asks a role over its socket.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use model::part::Role;
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
    send(folder, role, Method::GET, &format!("/part?after={after}")).await
}

/// Asks a role to do something and gives its answer.
///
/// # Errors
/// As [`part`].
pub async fn intent<T: DeserializeOwned>(folder: &Path, role: Role, path: &str) -> Result<T, Failure> {
    send(folder, role, Method::POST, path).await
}

/// Asks a role for something that is not its part.
///
/// # Errors
/// As [`part`].
pub async fn ask<T: DeserializeOwned>(folder: &Path, role: Role, path: &str) -> Result<T, Failure> {
    send(folder, role, Method::GET, path).await
}

async fn send<T: DeserializeOwned>(
    folder: &Path,
    role: Role,
    method: Method,
    target: &str,
) -> Result<T, Failure> {
    let path = super::path(folder, role);
    let bytes = exchange(path, method, target).await?;
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
        .body(Empty::<Bytes>::new())
        .expect("invariant: our own paths are valid");
    let answer = sender.send_request(request).await.map_err(|error| gone(error.to_string()))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    driver.abort();
    Ok((status, body.map_err(|error| gone(error.to_string()))?.to_bytes()))
}
