//! The site the firewall's tests compile.

use model::boot::Setup;
use model::{Profile, Site};

/// The clinic of `tests/data`: line `wan0`, terminals `term0`, clinic `lan0`.
pub fn sample() -> Site {
    let profile = Profile::parse("profile.toml", include_str!("../data/profile.toml"));
    Site::parse("site.toml", include_str!("../data/site.toml"), profile)
        .expect("the sample site has no mistakes")
}

/// The setup port of a box without a site.
pub fn setup() -> Setup {
    let address = "198.51.100.1/24".parse().expect("an address with its length");
    Setup { port: "lan0".into(), label: "SETUP".into(), address }
}
