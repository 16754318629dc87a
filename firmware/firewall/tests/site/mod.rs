//! The site the firewall's tests compile.

use model::{Profile, Site};

/// The clinic of `tests/data`: line `wan0`, terminals `term0`, clinic `lan0`.
pub fn sample() -> Site {
    let profile = Profile::parse("profile.toml", include_str!("../data/profile.toml"));
    Site::parse("site.toml", include_str!("../data/site.toml"), profile)
        .expect("the sample site has no mistakes")
}
