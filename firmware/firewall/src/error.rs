//! What can go wrong between a plan and the kernel.

use model::part::{Promise, Proof};

/// Why the ruleset is not what was asked for. The kernel then holds what it held, or drops everything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nftables is not installed.
    #[error("find nft in {0}")]
    NoNft(String),
    /// nft could not be run, or not be spoken to.
    #[error("run {path}: {source}")]
    Run {
        /// nft's path.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// nft refused.
    #[error("{doing}: nft says {said}")]
    Refused {
        /// What it was asked to do.
        doing: &'static str,
        /// Its message, cut.
        said: String,
    },
    /// nft did not end.
    #[error("{0}: nft did not answer in time")]
    Silent(&'static str),
    /// What nft printed is no JSON.
    #[error("read nft's answer: {0}")]
    Answer(#[from] serde_json::Error),
    /// What lies beside nft could not be read.
    #[error("read what moves packets beside nft: {0}")]
    Beside(String),
    /// The kernel does not say which tables it has.
    #[error("ask the kernel for its tables: {0}")]
    Tables(std::io::Error),
    /// The kernel holds more than any ruleset of ours.
    #[error("{doing}: nft lists more than {most} bytes")]
    TooLong {
        /// What it was asked to do.
        doing: &'static str,
        /// The most that is read.
        most: u64,
    },
    /// The ruleset of this site does not keep a promise, so it was not loaded.
    #[error("prove the plan: {0}")]
    Plan(Shortfall),
    /// The kernel does not keep a promise after the load.
    #[error("prove what the kernel holds: {0}")]
    Live(Shortfall),
    /// Everything was loaded and proved, but it is not what was planned.
    #[error("find the plan in the kernel: {0}")]
    Differs(String),
    /// The open flows could not be read or not be ended.
    #[error("end open flows: {0}")]
    Flows(std::io::Error),
    /// Everything was to be dropped before the site's ruleset, and that failed.
    #[error("drop everything first: {0}")]
    Unclosed(Box<Error>),
    /// The ruleset failed, and dropping everything failed too.
    #[error("drop everything ({drop_all}) after failing to {first}")]
    Open {
        /// What failed first.
        first: Box<Error>,
        /// Why the fallback failed.
        drop_all: Box<Error>,
    },
}

impl Error {
    /// Whether the kernel may hold something else than a rule that drops everything.
    pub const fn leaves_open(&self) -> bool {
        matches!(self, Self::NoNft(_) | Self::Unclosed(_) | Self::Open { .. })
    }
}

/// The promises that are not proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall(pub Vec<Promise>);

impl std::fmt::Display for Shortfall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for promise in &self.0 {
            match &promise.proof {
                Proof::Proved => {}
                Proof::Broken { counterexample, .. } => {
                    write!(f, "promise {} is broken ({counterexample}); ", promise.number)?
                }
                Proof::Unproved { reason } => {
                    write!(f, "promise {} is not proved ({reason}); ", promise.number)?
                }
            }
        }
        write!(f, "{} promises in all", self.0.len())
    }
}
