//! What a hostile site file or profile can make of the commands that nft is given: nothing. Every text in both files is
//! replaced by texts that mean something to nft or to JSON; the checker refuses them, or they are nowhere in the
//! commands, which hold names of interfaces, addresses and words of our own.

mod site;

use firewall::{Intent, Now, Plan};
use model::{Profile, Site};
use serde_json::Value;

const SITE: &str = include_str!("data/site.toml");
const PROFILE: &str = include_str!("data/profile-all.toml");

/// As TOML writes them between quotation marks.
fn hostile() -> Vec<String> {
    let texts = [
        r#"\"; accept; \""#,
        r"x\n        accept",
        "@terminals",
        r"a\u0000b",
        "*",
        "wan*",
        "$x",
        "{ accept }",
        "}} ] accept",
        "lo",
        "",
        " ",
        "-1",
        "../x",
        "0.0.0.0/0",
        "::/0",
        "fe80::/0",
        r#"\\\\192.0.2.2\\x\" accept"#,
        "日本語",
        r"\u202e",
    ];
    texts.into_iter().map(str::to_owned).chain(["x".repeat(300)]).collect()
}

/// The text with each quoted value in turn replaced by each hostile one.
fn replaced(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let marks: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    for ends in marks.chunks(2) {
        let [from, to] = ends else { continue };
        all.extend(hostile().iter().map(|value| format!("{}{value}{}", &text[..=*from], &text[*to..])));
    }
    all
}

/// Every string in a document that is not a comment of ours.
fn strings<'v>(value: &'v Value, list: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => list.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, list)),
        Value::Object(map) => {
            map.iter().filter(|(key, _)| *key != "comment").for_each(|(_, value)| strings(value, list))
        }
        _ => {}
    }
}

fn harmless(site: &Site, plan: &Plan) {
    let document = plan.document();
    let sets: Vec<String> = plan
        .sets
        .iter()
        .map(|set| set.name)
        .chain(plan.maps.iter().map(|map| map.name))
        .map(|name| format!("@{name}"))
        .collect();
    let mut list = Vec::new();
    strings(&document, &mut list);
    for text in list {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        let own = ["==", "!=", "&"].contains(&text);
        assert!(
            own || plain && text.len() <= 60 || sets.iter().any(|set| set == text),
            "{text:?} reaches nft"
        );
    }
    for promise in firewall::prove(&document, &Intent::from_site(site)) {
        assert_eq!(promise.proof, model::part::Proof::Proved, "promise {}", promise.number);
    }
}

#[test]
fn no_text_of_a_site_file_or_a_profile_becomes_a_word_of_nft() {
    let profile = Profile::parse("profile.toml", PROFILE).expect("the profile has no mistakes");
    let sites = replaced(SITE).into_iter().map(|text| Site::parse("site.toml", &text, Ok(profile.clone())));
    let profiles = replaced(PROFILE)
        .into_iter()
        .map(|text| Site::parse("site.toml", SITE, Profile::parse("p.toml", &text)));
    let (mut taken, mut refused) = (0, 0);
    for site in sites.chain(profiles) {
        match site {
            Ok(site) => {
                taken += 1;
                harmless(&site, &Plan::compile(&site, &Now::default()));
            }
            Err(errors) => {
                refused += 1;
                assert!(
                    errors.iter().all(|error| !error.to_string().chars().any(char::is_control)),
                    "{errors:?}"
                );
            }
        }
    }
    assert!(taken > 20 && refused > 500, "{taken} taken, {refused} refused");
}
