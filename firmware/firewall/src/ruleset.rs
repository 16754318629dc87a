//! What a ruleset is made of, and what belongs to it.

use std::sync::Arc;

use model::Site;
use model::boot::Setup;
use serde_json::Value;
use tokio::time::Instant;

use crate::drops::{Ports, Words};
use crate::follow::Told;
use crate::now::Now;
use crate::plan::Plan;
use crate::prove::Intent;

/// What a ruleset is made of.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A site.
    Site(Arc<Site>),
    /// No site yet: the setup port, or no port at all.
    Setup {
        /// The port.
        setup: Option<Setup>,
        /// Whether computers on it get their addresses from the box.
        lends_addresses: bool,
    },
}

/// A ruleset with all that is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Ruleset {
    /// What nft is given.
    pub(crate) document: Value,
    /// What is proved.
    pub(crate) intent: Intent,
    /// The words of what it refuses.
    pub(crate) words: Words,
    /// The zones of its ports.
    pub(crate) ports: Ports,
}

impl Ground {
    /// What the kernel holds of what was told.
    pub(crate) fn told(&self, listing: &Value) -> Told {
        match self {
            Self::Site(site) => Told::found(listing, site, Instant::now()),
            Self::Setup { .. } => Told::default(),
        }
    }

    /// Its ruleset, with what was told.
    pub(crate) fn ruleset(&self, now: &Now) -> Ruleset {
        let (document, intent, ports) = match self {
            Self::Site(site) => (Plan::compile(site, now).document(), Intent::of(site, now), Ports::of(site)),
            Self::Setup { setup, lends_addresses } => {
                let document = Plan::before_a_site(setup.as_ref(), *lends_addresses).document();
                let intent = Intent::before_a_site(setup.as_ref(), *lends_addresses);
                (document, intent, Ports::default())
            }
        };
        Ruleset { words: Words::of(&document), document, intent, ports }
    }
}
