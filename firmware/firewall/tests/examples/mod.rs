//! The rulesets docs/security.md is tried on, by the names it gives them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use firewall::Plan;
use model::Site;
use model::site::{Consumer, Place};
use serde_json::{Value, json};

use crate::site;

/// Every example's name.
pub const ALL: [&str; 8] =
    ["site", "far-consumer", "everything", "asks", "ipsec", "pppoe", "carton", "closed"];

/// The example with this name, and the site by whose zones its packets are named: before a site is in force the setup
/// port is the sample's clinic port.
pub fn ruleset(name: &str) -> Option<(Value, Site)> {
    let before = |lends| Plan::before_a_site(Some(&site::setup()), lends).document();
    Some(match name {
        "site" => (with_a_terminal(firewall::compile_json(&site::sample())), site::sample()),
        "far-consumer" => (firewall::compile_json(&far_consumer()), far_consumer()),
        "everything" => of("pd-internet-maintained"),
        "asks" => of("ra-clinic-asks"),
        "ipsec" | "pppoe" => of(name),
        "carton" => (before(true), site::sample()),
        "closed" => (before(false), site::sample()),
        _ => return None,
    })
}

/// One of the kinds of sites, with what was told there.
fn of(name: &str) -> (Value, Site) {
    let (_, site, now) = site::every().into_iter().find(|(kind, ..)| *kind == name).unwrap();
    (Plan::compile(&site, &now).document(), site)
}

/// The address a terminal has got from the line.
fn with_a_terminal(mut document: Value) -> Value {
    let items = document["nftables"].as_array_mut().unwrap();
    let set = items.iter_mut().find(|item| item["add"]["set"]["name"] == "terminal_addresses6").unwrap();
    set["add"]["set"]["elem"] = json!(["2001:db8:0:1::2"]);
    document
}

fn far_consumer() -> Site {
    let mut site = site::sample();
    let folders = Place::Remote {
        address: "198.51.100.20".parse().unwrap(),
        share: "onshi".into(),
        login: "far".into(),
    };
    site.consumers.push(Consumer { name: "far".into(), folders, takes: Vec::new(), address: None });
    site
}
