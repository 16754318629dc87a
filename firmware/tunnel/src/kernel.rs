//! The kernel's side: routes and rules by iproute2's `ip`, which the image has for an engineer as well, and a word when
//! addresses or routes change. Thin; the texts are `way.rs`'s.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Stdio;

use futures_util::StreamExt as _;
use rtnetlink::MulticastGroup;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::error::Error;
use crate::keep::Event;
use crate::way::Way;

/// Lays what stands always: routes that lead nowhere.
///
/// # Errors
/// [`Error::Way`] if the kernel does not take it.
pub async fn lay(way: &Way) -> Result<(), Error> {
    batch(&way.closed()).await
}

/// Leads the traffic into the tunnel.
///
/// # Errors
/// [`Error::Way`] if the kernel does not take it.
pub async fn open(way: &Way, inner: Option<Ipv4Addr>) -> Result<(), Error> {
    batch(&way.open(inner)).await
}

/// Leads it nowhere.
pub async fn close(way: &Way) {
    // Where the interface went, its routes went with it.
    let _ = batch(&way.close()).await;
}

/// Makes the XFRM interface, unless there is one of its name: charon's own TUN where it encrypts itself, or ours from
/// before; and gives it the inner address, where the contract names one.
///
/// # Errors
/// [`Error::Way`] if the kernel does not make it.
pub async fn interface(way: &Way, port: &str) -> Result<(), Error> {
    if nix::net::if_::if_nametoindex(way.purpose.interface()).is_err() {
        batch(&way.interface(port)).await?;
    }
    batch(&way.own()).await
}

/// Whether an address is one of ours.
pub fn has(address: IpAddr) -> bool {
    let Ok(all) = nix::ifaddrs::getifaddrs() else { return true };
    all.filter_map(|one| one.address).any(|own| match (own.as_sockaddr_in(), own.as_sockaddr_in6()) {
        (Some(own), _) => IpAddr::V4(own.ip()) == address,
        (_, Some(own)) => IpAddr::V6(own.ip()) == address,
        _ => false,
    })
}

/// Says when an address or a route of the box changes.
pub async fn watch(tell: mpsc::Sender<Event>) {
    let groups = [
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
        MulticastGroup::Ipv4Route,
        MulticastGroup::Ipv6Route,
    ];
    let Ok((connection, _handle, mut messages)) = rtnetlink::new_multicast_connection(&groups) else {
        tracing::warn!("the kernel does not say when addresses change");
        return;
    };
    let reader = tokio::spawn(connection);
    while messages.next().await.is_some() {
        // A change comes as several messages: the others are taken with the first.
        tokio::time::sleep(SETTLE).await;
        while let Some(Some(_)) = futures_util::FutureExt::now_or_never(messages.next()) {}
        if tell.send(Event::Moved { lost: false }).await.is_err() {
            break;
        }
    }
    reader.abort();
}

/// In this time the messages of one change are together.
const SETTLE: std::time::Duration = std::time::Duration::from_millis(200);

/// Has `ip` do all of these, and nothing after the first it refuses.
///
/// # Errors
/// [`Error::Way`] if the kernel does not take one.
pub async fn batch(input: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Way(format!("ip: {error}"));
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await.map_err(failed)?;
    }
    let done = child.wait_with_output().await.map_err(failed)?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(Error::Way(said.lines().next().unwrap_or("ip failed").to_owned()))
}
