//! Before a site is in force.

use firewall::explain::explain;
use firewall::prove::{Finding, Intent, findings};
use serde_json::{Value, json};

use crate::site;

/// What stands before a site is in force, and for which intent.
fn before_a_site(setup: bool, lends: bool) -> (Value, Intent) {
    let port = site::setup();
    let port = setup.then_some(&port);
    (firewall::Plan::before_a_site(port, lends).document(), Intent::before_a_site(port, lends))
}

#[test]
fn before_a_site_is_in_force_nothing_passes_but_the_setup_page() {
    for (setup, lends) in [(true, true), (true, false), (false, false)] {
        let (document, intent) = before_a_site(setup, lends);
        let found = findings(&document, &intent);
        let wanted = [13, 14, 15].map(|number| (number, Finding::Proved));
        assert_eq!(found, wanted, "setup {setup}, lends {lends}");
        assert_eq!(findings(&firewall::drop_all(), &intent), wanted);
    }
    // A closed box on a clinic's network is no DHCP server, and a site's ruleset is no setup page.
    let (carton, _) = before_a_site(true, true);
    let (_, closed) = before_a_site(true, false);
    for (document, broken) in [(carton, [14, 15]), (firewall::compile_json(&site::sample()), [14, 15])] {
        let found = findings(&document, &closed);
        let shown =
            |number| matches!(found.iter().find(|(n, _)| *n == number), Some((_, Finding::Broken(_))));
        assert!(broken.into_iter().all(shown), "{found:?}");
    }
}

#[test]
fn a_hole_in_the_ruleset_before_a_site_is_shown_with_a_packet() {
    let accept = |chain: &str| json!({"add": {"rule": {"family": "inet", "table": "sekisho", "chain": chain, "expr": [{"accept": null}]}}});
    for (chain, promise) in [("forward", 13), ("input_setup", 14), ("output_setup", 15)] {
        let (mut document, intent) = before_a_site(true, true);
        // In the first place of its chain: before what refuses.
        let commands = document["nftables"].as_array_mut().unwrap();
        let of_chain = |command: &Value| command["add"]["rule"]["chain"] == chain;
        let first = commands.iter().position(of_chain).unwrap();
        commands.insert(first, accept(chain));
        let found = findings(&document, &intent);
        let Some((_, Finding::Broken(example))) = found.iter().find(|(number, _)| *number == promise) else {
            panic!("{chain}: {found:?}")
        };
        assert!(explain(&document, &example.packet).unwrap().accepted, "{chain}: {example}");
    }
}
