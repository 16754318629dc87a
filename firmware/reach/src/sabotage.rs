//! The defects a check must be able to find, chosen by name: the one place that reads `SEKISHO_SABOTAGE`.
//! Without the feature `sabotage`, which no shipped build has, there is nothing to choose.

/// A probe that always says ok: every observation becomes good.
pub fn probe_always_ok() -> bool {
    chosen("probe-always-ok")
}

/// A judge that always says usable.
pub fn constant_judge() -> bool {
    chosen("constant-judge")
}

#[cfg(feature = "sabotage")]
fn chosen(name: &str) -> bool {
    std::env::var("SEKISHO_SABOTAGE").is_ok_and(|chosen| chosen == name)
}

#[cfg(not(feature = "sabotage"))]
const fn chosen(_name: &str) -> bool {
    false
}
