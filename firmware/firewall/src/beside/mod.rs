//! What moves packets and is not nft's to list: programs and filters at ports, bridges, rules of older tools, routing by
//! rules, settings of the kernel that void what the proof takes for granted. Nothing of it is planned, so whatever is
//! found is named, in the document that is proved (`{"beside": WORDS}`), and nothing is proved while it is there.
//!
//! Forwarding itself is none of it: what is forwarded passes the forward chains, and the promises are about those.
//! Reading needs no capability; `/proc/sys/net` and `/proc/self/net` have to be there (`ProcSubset=all`).

mod legacy;
mod link;
mod routing;
mod settings;
mod traffic;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::Error;

/// Names of ports by their index.
type Names = BTreeMap<u32, String>;

/// Everything of the network namespace of the caller, as objects of a document.
///
/// # Errors
/// [`Error::Beside`] if the kernel does not answer.
pub(crate) async fn look() -> Result<Vec<Value>, Error> {
    let failed = |error: rtnetlink::Error| Error::Beside(error.to_string());
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| Error::Beside(error.to_string()))?;
    let reader = tokio::spawn(connection);
    let found = by_netlink(&handle).await.map_err(failed);
    reader.abort();
    let mut words = found?;
    words.extend(legacy::look());
    words.extend(settings::look());
    Ok(words.into_iter().map(|words| json!({ "beside": words })).collect())
}

async fn by_netlink(handle: &rtnetlink::Handle) -> Result<Vec<String>, rtnetlink::Error> {
    let (names, mut words) = link::look(handle).await?;
    words.extend(traffic::look(handle, &names).await?);
    words.extend(routing::look(handle).await?);
    Ok(words)
}

/// The port's name, or its number if it is of another namespace.
fn named(names: &Names, index: u32) -> String {
    names.get(&index).cloned().unwrap_or_else(|| format!("number {index}"))
}
