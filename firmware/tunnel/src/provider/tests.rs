use super::*;

/// A profile that is right.
pub(crate) const FILLED: &str = r#"
version = 1
name = "lab"
ike-proposals = ["aes256-sha256-modp2048"]
esp-proposals = ["aes256gcm16-ecp256"]
[own]
id = "clinic-1.provider.test"
[peer]
id = "gateway.provider.test"
[authentication]
method = "psk"
secret = "secret:line"
[inside]
networks = ["203.0.113.0/25"]
"#;

fn said(text: &str) -> Vec<String> {
    said_routed(text, false)
}

fn said_routed(text: &str, routed: bool) -> Vec<String> {
    let errors = Provider::parse("p.toml", text, routed).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_filled_profile_is_read_with_ikev2_mobike_and_mode_config_unless_it_says_otherwise() {
    let provider = Provider::parse("p.toml", FILLED, false).unwrap();
    assert_eq!((provider.ike, provider.inner), (Ike::V2, Inner::ModeConfig));
    assert!(provider.mobike && provider.fragmentation && provider.legacy.is_none());
    assert_eq!(provider.dead_after_s(), 18);
    assert_eq!(provider.authentication, Authentication::Psk { secret: "line".into() });
}

#[test]
fn an_empty_profile_is_one_sentence_that_names_what_is_missing() {
    let empty = "version = 1\nname = \"FENICS\"\n[own]\n[peer]\n[authentication]\n[inside]\n";
    let said = said(empty);
    assert_eq!(said.len(), 1, "{said:?}");
    for key in ["FENICS", "ike-proposals", "own.id", "peer.id", "authentication.secret", "inside.networks"] {
        assert!(said[0].contains(key), "{key} in {said:?}");
    }
}

#[test]
fn weak_transforms_are_refused_by_name_unless_somebody_answers_for_them() {
    let weak = FILLED
        .replace("aes256-sha256-modp2048", "3des-md5-modp1024")
        .replace("aes256gcm16-ecp256", "aes128-sha256-modp1536");
    let said = said(&weak);
    assert_eq!(said.len(), 2, "{said:?}");
    for word in ["3DES", "MD5", "group 2"] {
        assert!(said[0].contains(word), "{said:?}");
    }
    assert!(said[1].contains("group 5") && said[1].contains("approved-by"), "{said:?}");
    let borne =
        format!("legacy = {{ approved-by = \"the clinic\", why = \"until April\" }}\n{}", weak.trim_start());
    assert!(Provider::parse("p.toml", &borne, false).unwrap().legacy.is_some());
}

#[test]
fn every_mistake_is_said_at_once_with_its_line() {
    let wrong = FILLED
        .replace("aes256gcm16-ecp256", "rot13")
        .replace("[own]", "ike = 1\naggressive = true\nmobike = true\n[own]")
        .replace("203.0.113.0/25", "2001:db8::/32")
        .replace("secret:line", "hunter2");
    let said = said(&wrong);
    assert!(said.iter().any(|one| one.contains("rot13")), "{said:?}");
    assert!(said.iter().any(|one| one.contains("aggressive")), "{said:?}");
    assert!(said.iter().any(|one| one.contains("MOBIKE")), "{said:?}");
    assert!(said.iter().any(|one| one.contains("IPv4 only")), "{said:?}");
    assert!(said.iter().any(|one| one.contains("secret:NAME")), "{said:?}");
    assert!(
        said.iter().all(|one| !one.contains("hunter2")),
        "a secret put in by mistake is not shown: {said:?}"
    );
}

#[test]
fn what_contradicts_the_site_file_is_refused() {
    let fixed = FILLED.replace("[inside]", "[inside]\nmode-config = false\naddress = \"203.0.113.200\"");
    assert_eq!(
        Provider::parse("p.toml", &fixed, false).unwrap().inner,
        Inner::Fixed([203, 0, 113, 200].into())
    );
    assert!(said_routed(&fixed, true)[0].contains("of no use"));
    assert_eq!(Provider::parse("p.toml", FILLED, true).unwrap().inner, Inner::Routed);
    let asked = FILLED.replace("[inside]", "[inside]\nmode-config = true");
    assert!(said_routed(&asked, true)[0].contains("keep their addresses"));
    let half = FILLED.replace("[inside]", "[inside]\nmode-config = false");
    assert!(said(&half)[0].contains("inside.address"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,400}") {
        let _ = Provider::parse("p.toml", &text, false);
        let _ = Provider::parse("p.toml", &FILLED.replace("lab", &text), true);
    }
}
