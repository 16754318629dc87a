//! Who may be let in: names, certificates, minutes, claim days and the button.

use super::*;

fn pem(name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(vec![format!("{name}.test")]).unwrap().self_signed(&key).unwrap().pem()
}

fn with(maintainer: &str) -> Result<Site, Vec<SiteError>> {
    let head =
        "[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"2001:db8:9::9\"]\nuplink = \"line\"\n";
    let profile = Profile::parse("profile.toml", PROFILE);
    Site::parse("site.toml", &format!("{SITE}\n{head}{maintainer}"), profile)
}

fn person(name: &str, pem: &str) -> String {
    format!("[[maintainer.person]]\nname = \"{name}\"\ncertificate = \"\"\"\n{pem}\"\"\"\n")
}

#[test]
fn maintainers_have_names_and_certificates_and_what_is_not_said_has_a_default() {
    let site = with(&person("sato", &pem("sato"))).unwrap();
    let terms = site.maintainer.unwrap().terms;
    assert_eq!((terms.minutes_at_most, terms.button.as_ref()), (60, None));
    assert!(terms.person("sato").is_some() && terms.person("suzuki").is_none());
    let day = |text: &str| terms.is_claim_day(text.parse().unwrap());
    assert!(day("2026-12-05T00:00:00+09:00") && day("2026-12-10T23:59:59+09:00"));
    assert!(!day("2026-12-04T23:59:59+09:00") && !day("2026-12-10T15:00:00Z"), "by the clinic's day");
}

#[test]
fn what_cannot_be_let_in_so_is_said_at_once_with_every_line() {
    let (one, key) = (pem("one"), rcgen::KeyPair::generate().unwrap().serialize_pem());
    let text = [
        "minutes-at-most = 30\nclaim-days = [0]\n[maintainer.button]\nmaintainer = \"nobody\"\nreason = \"患者 12345678\"\nminutes = 60\n".to_owned(),
        person("a", &one),
        person("A", &one),
        person("c", "no pem\n"),
        person("d", &key),
        person("e", &one.repeat(2)),
    ];
    let said = with(&text.concat()).unwrap_err();
    let said: Vec<(String, String)> = said.into_iter().map(|one| (one.path, one.message)).collect();
    let has = |path: &str, words: &str| {
        assert!(
            said.iter().any(|(at, what)| at == path && what.contains(words)),
            "{path} {words}: {said:#?}"
        );
    };
    has("maintainer.claim-days", "not allowed");
    has("maintainer.button.maintainer", "no maintainer is called \"nobody\"");
    has("maintainer.button.reason", "patient's number");
    has("maintainer.button.minutes", "longer than a consent may last here");
    has("maintainer.person[2].name", "used twice");
    has("maintainer.person[2].certificate", "another maintainer's");
    has("maintainer.person[3].certificate", "no PEM");
    has("maintainer.person[4].certificate", "no certificate");
    has("maintainer.person[5].certificate", "more than one");
    assert_eq!(said.len(), 9, "{said:#?}");
}
