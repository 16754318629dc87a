//! What the verification must not overlook: defects of its three parts, each of which has to make a run wrong.

use firewall::explain::{Decision, explain};
use firewall::packet::Packet;
use firewall::prove::{Finding, Intent, findings};
use serde_json::Value;

/// A part that does not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// All do.
    None,
    /// `explain` says that one line refuses what it lets pass.
    LyingExplain,
    /// The prover takes no notice of source addresses.
    ForgetfulProver,
    /// The kernel holds the ruleset without one of its lines.
    OtherRuleset,
}

impl Defect {
    /// Those that a run has to find.
    pub(super) const ALL: [Self; 3] = [Self::LyingExplain, Self::ForgetfulProver, Self::OtherRuleset];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "no defect",
            Self::LyingExplain => "lying-explain",
            Self::ForgetfulProver => "forgetful-prover",
            Self::OtherRuleset => "other-ruleset",
        }
    }

    /// [`explain`].
    pub(super) fn explain(self, document: &Value, packet: &Packet) -> Result<Decision, String> {
        let decision = explain(document, packet)?;
        let lies = self == Self::LyingExplain && decision.by.starts_with("icmp6-error: ");
        Ok(Decision { accepted: decision.accepted && !lies, ..decision })
    }

    /// [`findings`].
    pub(super) fn findings(self, document: &Value, intent: &Intent) -> Vec<(u8, Finding)> {
        match self {
            Self::ForgetfulProver => findings(&without_sources(document), intent),
            _ => findings(document, intent),
        }
    }

    /// What the kernel is given for a ruleset.
    pub(super) fn loaded(self, document: &Value) -> Value {
        let mut document = document.clone();
        if let Some(items) = document["nftables"].as_array_mut().filter(|_| self == Self::OtherRuleset) {
            let lost = |item: &Value| {
                let comment = item["add"]["rule"]["comment"].as_str().unwrap_or_default();
                comment.starts_with("clinic-input-source4: ")
            };
            items.retain(|item| !lost(item));
        }
        document
    }
}

/// Without any condition on a source address.
fn without_sources(document: &Value) -> Value {
    match document {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), without_sources(value))).collect(),
        Value::Array(list) => {
            let asks = |step: &&Value| step["match"]["left"]["payload"]["field"] == "saddr";
            list.iter().filter(|step| !asks(step)).map(without_sources).collect()
        }
        other => other.clone(),
    }
}
