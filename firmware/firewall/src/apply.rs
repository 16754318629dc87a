//! A rule's walk: proved, checked, loaded at once, read back, proved again. Whatever fails, the kernel holds
//! what it held before, or drops everything; it is never left open (11).

use model::part::Promise;
use serde_json::Value;

use crate::error::{Error, Shortfall};
use crate::held;
use crate::kernel::Kernel;
use crate::plan::drop_all;
use crate::prove::{Intent, all_proved, prove};

/// Puts a ruleset in force. The proof is of what the kernel holds afterwards.
///
/// # Errors
/// Before the load: the kernel holds what it held. After it: everything is dropped, but for [`Error::Open`].
pub(crate) async fn apply(
    kernel: &impl Kernel,
    document: &Value,
    intent: &Intent,
) -> Result<Vec<Promise>, Error> {
    let promises = prove(document, intent);
    if !all_proved(&promises) {
        return Err(Error::Plan(Shortfall(promises)));
    }
    kernel.check(document).await?;
    match load_and_prove(kernel, document, intent).await {
        Ok(promises) => Ok(promises),
        Err(first) => Err(close(kernel, first).await),
    }
}

async fn load_and_prove(
    kernel: &impl Kernel,
    document: &Value,
    intent: &Intent,
) -> Result<Vec<Promise>, Error> {
    kernel.load(document).await?;
    let listing = kernel.list().await?;
    let promises = prove(&listing, intent);
    if !all_proved(&promises) {
        return Err(Error::Live(Shortfall(promises)));
    }
    held::difference(document, &listing).map_or(Ok(promises), |difference| Err(Error::Differs(difference)))
}

/// Drops everything, and hands back why.
pub(crate) async fn close(kernel: &impl Kernel, first: Error) -> Error {
    match kernel.load(&drop_all()).await {
        Ok(()) => first,
        Err(drop_all) => Error::Open { first: Box::new(first), drop_all: Box::new(drop_all) },
    }
}
