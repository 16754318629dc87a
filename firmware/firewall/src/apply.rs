//! A rule's walk: proved, loaded at once (the load is taken as a whole or not at all), read back, proved again. Whatever
//! fails, the kernel holds what it held before, or drops everything; it is never left open (11).

use model::drops::Line;
use model::part::Promise;
use serde_json::Value;

use crate::drops::lines;
use crate::error::{Error, Shortfall};
use crate::held;
use crate::kernel::{Judging, Kernel};
use crate::plan::{drop_all, drop_all_beside};
use crate::prove::{all_proved, prove};
use crate::ruleset::Ruleset;
use crate::swap::swap;

/// A ruleset that is in force.
#[derive(Debug)]
pub(crate) struct InForce {
    /// Each of them is proved.
    pub(crate) promises: Vec<Promise>,
    /// What its lines had counted already: those that stayed go on counting.
    pub(crate) counted: Vec<Line>,
    /// Flows that it would not let begin.
    pub(crate) flows: Judging,
}

/// Puts a ruleset in force. The proof is of what the kernel holds afterwards.
///
/// # Errors
/// Before the load: the kernel holds what it held. After it: everything is dropped, but for [`Error::Open`].
pub(crate) async fn apply(kernel: &impl Kernel, ruleset: &Ruleset) -> Result<InForce, Error> {
    may_be_loaded(ruleset)?;
    match load_and_prove(kernel, ruleset).await {
        Ok(in_force) => Ok(in_force),
        Err(first) => Err(close(kernel, first).await),
    }
}

/// Whether its promises are proved on paper. Whether the kernel takes it, the load says: it is one transaction, which
/// is taken as a whole or changes nothing, so that trying it first would only cost the time twice.
///
/// # Errors
/// What is not proved.
pub(crate) fn may_be_loaded(ruleset: &Ruleset) -> Result<(), Error> {
    let promises = prove(&ruleset.document, &ruleset.intent);
    if all_proved(&promises) { Ok(()) } else { Err(Error::Plan(Shortfall(promises))) }
}

/// Loads it and proves what the kernel then holds.
///
/// # Errors
/// What is wrong; what the kernel holds then is the caller's to put right.
pub(crate) async fn load_and_prove(kernel: &impl Kernel, ruleset: &Ruleset) -> Result<InForce, Error> {
    kernel.load(&ruleset.document).await?;
    let flows = kernel.judge_flows(&ruleset.document);
    let promises = proved(&kernel.list().await?, ruleset)?;
    Ok(InForce { promises, counted: Vec::new(), flows })
}

/// As [`load_and_prove`], from what is held to what is to be, so that no packet that may pass meets chains without rules
/// meanwhile. What is not right afterwards is loaded anew as a whole.
///
/// # Errors
/// As [`load_and_prove`].
pub(crate) async fn swap_and_prove(
    kernel: &impl Kernel,
    held: &Value,
    ruleset: &Ruleset,
) -> Result<InForce, Error> {
    let steps = swap(held, &ruleset.document);
    kernel.swap(steps.as_ref(), &ruleset.document).await?;
    let flows = kernel.judge_flows(&ruleset.document);
    let listing = kernel.list().await?;
    match proved(&listing, ruleset) {
        Ok(promises) => Ok(InForce { promises, counted: lines(&listing), flows }),
        Err(error) if steps.is_some() => {
            tracing::warn!(%error, "what the rules were changed to is not what they should be: they are loaded anew");
            load_and_prove(kernel, ruleset).await
        }
        Err(error) => Err(error),
    }
}

/// Whether this is what the kernel lists of it: every promise proved, and nothing of our table more or less.
///
/// # Errors
/// What is not so.
pub(crate) fn proved(listing: &Value, ruleset: &Ruleset) -> Result<Vec<Promise>, Error> {
    // Two looks at the same listing, each as long as the other.
    let (promises, difference) = std::thread::scope(|scope| {
        let compared = scope.spawn(|| held::difference(&ruleset.document, listing));
        let promises = prove(listing, &ruleset.intent);
        (promises, compared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    if !all_proved(&promises) {
        return Err(Error::Live(Shortfall(promises)));
    }
    match difference {
        None => Ok(promises),
        Some(difference) => Err(Error::Differs(difference)),
    }
}

/// Drops everything, and hands back why.
pub(crate) async fn close(kernel: &impl Kernel, first: Error) -> Error {
    match drop_everything(kernel).await {
        Ok(()) => first,
        Err(drop_all) => Error::Open { first: Box::new(first), drop_all: Box::new(drop_all) },
    }
}

/// Drops everything: in our own table, and if that is refused, in whatever way the kernel takes.
///
/// # Errors
/// Why our own table was refused, if nothing else is taken either.
pub(crate) async fn drop_everything(kernel: &impl Kernel) -> Result<(), Error> {
    let Err(error) = kernel.load(&drop_all()).await else { return Ok(()) };
    tracing::error!(%error, "our own table does not drop everything: another one is tried");
    for other in drop_all_beside() {
        if kernel.load(&other).await.is_ok() {
            return Ok(());
        }
    }
    Err(error)
}
