//! The whole ruleset of a site, word by word: a change of it is read by a person before it is committed.

mod site;

use firewall::{Intent, Plan};
use model::part::Proof;

/// One command a line.
fn lines(document: &serde_json::Value) -> String {
    let commands = document["nftables"].as_array().expect("a document is a list of commands");
    commands.iter().map(|command| format!("{command}\n")).collect()
}

#[test]
fn the_whole_ruleset_of_every_kind_of_site() {
    for (name, site, now) in site::every() {
        insta::assert_snapshot!(name, lines(&Plan::compile(&site, &now).document()));
    }
}

#[test]
fn every_kind_of_site_keeps_its_promises() {
    let mut short = Vec::new();
    for (name, site, now) in site::every() {
        let promises = firewall::prove(&Plan::compile(&site, &now).document(), &Intent::of(&site, &now));
        let not = promises.into_iter().filter(|promise| promise.proof != Proof::Proved);
        // Inside a session that passes unseen nothing is proved of where terminals go.
        let unseen: &[u8] = if site.pppoe_through.is_some() { &[4, 8] } else { &[] };
        let not = not.filter(|promise| !unseen.contains(&promise.number));
        short.extend(not.map(|promise| format!("{name}: promise {}: {:?}", promise.number, promise.proof)));
    }
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn the_ruleset_that_drops_everything() {
    insta::assert_snapshot!("drop-all", lines(&firewall::drop_all()));
}

#[test]
fn the_rulesets_before_a_site_is_in_force() {
    let setup = site::setup();
    for (name, setup, lends) in
        [("carton", Some(&setup), true), ("closed", Some(&setup), false), ("closed-no-port", None, false)]
    {
        insta::assert_snapshot!(name, lines(&Plan::before_a_site(setup, lends).document()));
    }
}

#[test]
fn no_rule_id_is_given_twice_and_every_comment_fits() {
    let before = Plan::before_a_site(Some(&site::setup()), true);
    let every = site::every().into_iter().map(|(_, site, now)| Plan::compile(&site, &now));
    for plan in every.chain([before]) {
        let rules: Vec<_> = plan.rules().collect();
        for (place, rule) in rules.iter().enumerate() {
            // NFTNL_UDATA_COMMENT_MAXLEN, and NF_LOG_PREFIXLEN for the id.
            assert!(rule.id.len() + 2 + rule.says.len() < 128, "{} is too long", rule.id);
            assert!(rules[..place].iter().all(|other| other.id != rule.id), "{} is there twice", rule.id);
        }
    }
}

#[test]
fn every_line_of_every_kind_of_site_is_said_in_japanese() {
    for (name, site, now) in site::every() {
        for rule in Plan::compile(&site, &now).rules() {
            assert!(
                firewall::plan::words::japanese(rule.says).is_some(),
                "{name}: {} in Japanese",
                rule.says
            );
        }
    }
}
