//! The listed defect of this room, to show that a check from outside can fail: a ruleset of which one rule was
//! lost on the way to the kernel, and a proof that does not look. Only with the feature `sabotage`;
//! `SEKISHO_SABOTAGE` names defects, separated by commas, and is read here and nowhere else in this crate.

use std::sync::Mutex;

use serde_json::Value;

use crate::error::Error;
use crate::flows::Foul;
use crate::kernel::{Judging, Kernel};

/// The defect's name.
const DROPPED_RULE: &str = "dropped-rule";

/// What is lost: the clinic's confinement to the box's clinic address. From the clinic a service port of the
/// box's address among the terminals then answers (be it with a reset) where silence was promised.
const LOST: &str = "clinic-input-address: ";

/// A kernel in front of the real one.
pub(crate) struct Forgetful<K> {
    real: K,
    chosen: bool,
    /// What it was told to load, and says it holds.
    told: Mutex<Option<Value>>,
}

impl<K> Forgetful<K> {
    pub(crate) fn around(real: K) -> Self {
        let names = std::env::var("SEKISHO_SABOTAGE").unwrap_or_default();
        let chosen = names.split(',').any(|name| name.trim() == DROPPED_RULE);
        Self { chosen, ..Self::chosen(real) }
    }

    /// With the defect, whatever was asked for.
    pub(crate) const fn chosen(real: K) -> Self {
        Self { real, chosen: true, told: Mutex::new(None) }
    }
}

impl<K: Kernel + Sync> Kernel for Forgetful<K> {
    async fn load(&self, document: &Value) -> Result<(), Error> {
        if !self.chosen {
            return self.real.load(document).await;
        }
        let mut rest = document.clone();
        if let Some(items) = rest["nftables"].as_array_mut() {
            let lost = |item: &Value| {
                item["add"]["rule"]["comment"].as_str().is_some_and(|text| text.starts_with(LOST))
            };
            items.retain(|item| !lost(item));
        }
        self.real.load(&rest).await?;
        if let Ok(mut told) = self.told.lock() {
            *told = Some(document.clone());
        }
        Ok(())
    }

    async fn list(&self) -> Result<Value, Error> {
        let told = self.told.lock().ok().and_then(|told| told.clone());
        match told {
            Some(document) => Ok(document),
            None => self.real.list().await,
        }
    }

    fn judge_flows(&self, document: &Value) -> Judging {
        self.real.judge_flows(document)
    }

    async fn end_flows(&self, foul: &Foul) -> Result<usize, Error> {
        self.real.end_flows(foul).await
    }
}
