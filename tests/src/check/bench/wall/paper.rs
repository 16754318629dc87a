//! On paper: compile and prove, without the kernel and without nft.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Instant;

use model::part::Proof;
use model::{Profile, Site};

use super::super::super::{Wrong, must};
use super::super::{Limit, Line, Times, print, verdict};

const RUNS: usize = 50;
/// Of the lab's own profile, milliseconds.
const LIMIT_MS: f64 = 20.0;
/// Of the most destinations, milliseconds.
const LARGE_LIMIT_MS: f64 = 300.0;
const RUNS_LARGE: usize = 10;
/// Each four times as many as those before.
const DESTINATIONS: [usize; 3] = [625, 2500, 10_000];
/// Four times as many may take so many times as long: no worse than linear, and something for noise.
const GROWTH: f64 = 4.4;

/// The virtual clinic's site.
pub(super) fn site() -> Result<Site, Wrong> {
    parse(include_str!("../../../../lab/profile.toml"))
}

fn parse(profile: &str) -> Result<Site, Wrong> {
    let all = |errors: Vec<model::site::SiteError>| {
        Wrong(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    };
    let profile = Profile::parse("profile.toml", profile);
    Site::parse("site.toml", include_str!("../../../../lab/site.toml"), profile).map_err(all)
}

/// The same with so many destinations more.
fn with_destinations(count: usize) -> Result<Site, Wrong> {
    let (head, kinds) = include_str!("../../../../lab/profile.toml")
        .split_once("[[kind]]")
        .ok_or_else(|| Wrong::new("the lab's profile has no kinds"))?;
    let mut text = head.to_owned();
    for number in 0..count {
        let (high, low) = (number / 0x1000, number % 0x1000);
        write!(text, "[[destination]]\nprefix = \"2001:db8:{:x}:{low:x}::/64\"\ntcp = [443]\n", 0x100 + high)
            .map_err(|error| Wrong(error.to_string()))?;
    }
    parse(&(text + "[[kind]]" + kinds))
}

pub(super) fn measure(out: &mut dyn Write) -> Result<bool, Wrong> {
    let small = Line::new("compile and prove, the lab's profile", times(&site()?, RUNS)?)
        .within(Limit { median: LIMIT_MS, p99: f64::INFINITY });
    let mut lines = vec![small];
    for count in DESTINATIONS {
        let limit = Limit { median: LARGE_LIMIT_MS, p99: f64::INFINITY };
        let times = times(&with_destinations(count)?, RUNS_LARGE)?;
        lines.push(Line::new(format!("the same with {count} destinations"), times).within(limit));
    }
    print(&lines, None, out)?;
    let growth = lines[3].times.median() / lines[2].times.median();
    let linear = growth <= GROWTH;
    writeln!(
        out,
        "from {} destinations to {}: {growth:.2} times; at most {GROWTH} is linear: {}",
        DESTINATIONS[1],
        DESTINATIONS[2],
        verdict(linear)
    )?;
    Ok(linear && lines.iter().all(Line::is_within))
}

fn times(site: &Site, runs: usize) -> Result<Times, Wrong> {
    let mut times = Times::default();
    for _ in 0..runs {
        let begun = Instant::now();
        let document = firewall::compile_json(site);
        let promises = firewall::prove(&document, &firewall::Intent::from_site(site));
        times.add(begun.elapsed());
        let proved = !promises.is_empty() && promises.iter().all(|promise| promise.proof == Proof::Proved);
        must(proved, || format!("not everything is proved: {promises:?}"))?;
    }
    Ok(times)
}
