//! The state machine against a reference that knows one thing: whether a valid consent is open. And the room, through
//! doors that fail.

mod lives;
mod room;

use std::sync::Arc;
use std::time::Duration;

use model::decision::{Actor, Reason};
use model::maintenance::{Giver, Wanted};
use model::{Profile, Site, Timestamp};

use super::state::Now;

const PROFILE: &str = include_str!("../../../model/tests/data/profile.toml");
const SITE: &str = include_str!("../../../model/tests/data/site.toml");

/// The day on which all of it happens.
pub(super) const DAY: &str = "2026-12-01T03:00:00Z";

/// A certificate that is good in these years.
pub(super) fn certificate(name: &str, from: i32, until: i32) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![format!("{name}.test")]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params.self_signed(&key).unwrap().pem()
}

/// A site with two maintainers, of whom one's certificate has expired.
pub(super) fn site(claim_days: &str) -> Arc<Site> {
    let person = |name, pem: String| {
        format!("[[maintainer.person]]\nname = \"{name}\"\ncertificate = \"\"\"\n{pem}\"\"\"\n")
    };
    let maintainer = format!(
        "[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"2001:db8:9::9\"]\nuplink = \"line\"\n\
         claim-days = {claim_days}\n[maintainer.button]\nmaintainer = \"sato\"\nreason = \"定期点検\"\nminutes = 30\n"
    );
    let text = [
        SITE.to_owned(),
        maintainer,
        person("sato", certificate("sato", 2026, 2030)),
        person("old", certificate("old", 2020, 2021)),
    ]
    .join("\n");
    let profile = Profile::parse("profile.toml", PROFILE);
    Arc::new(Site::parse("site.toml", &text, profile).unwrap())
}

pub(super) fn now(running: u64) -> Now {
    let day: Timestamp = DAY.parse().unwrap();
    let wall = day.checked_add(Duration::from_secs(running)).unwrap();
    Now { running: Duration::from_secs(running), wall }
}

pub(super) fn user() -> Actor {
    Actor { name: "root".into(), uid: 0 }
}

pub(super) fn giver() -> Giver {
    Giver::Pin { user: user() }
}

pub(super) fn wanted(maintainer: &str, minutes: Option<u16>) -> Wanted {
    Wanted { maintainer: maintainer.into(), reason: Reason::new("更新").unwrap(), minutes }
}
