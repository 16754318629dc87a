//! Listed defects for checks that must be seen to fail. Only a build with the feature `sabotage` has any; no
//! shipped build does. `SEKISHO_SABOTAGE` names them, separated by commas, and is read here and nowhere else.

/// `admit` takes any name as the first kind of its direction.
pub const NO_NAME_CHECK: &str = "no-name-check";
/// A delivery is written under its final name, without a temporary one and without a rename.
pub const NO_RENAME: &str = "no-rename";

/// Whether a defect was asked for.
#[cfg(feature = "sabotage")]
pub fn is(defect: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("SEKISHO_SABOTAGE").unwrap_or_default());
    chosen.split(',').any(|name| name.trim() == defect)
}

/// Whether a defect was asked for; never, in this build.
#[cfg(not(feature = "sabotage"))]
pub const fn is(_defect: &str) -> bool {
    false
}
