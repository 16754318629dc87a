use super::*;
use crate::site::SiteError;
use crate::{Profile, Site};

const PROFILE: &str = include_str!("../../tests/data/profile.toml");
const SITE: &str = include_str!("../../tests/data/site.toml");

fn kinds(text: &str) -> Result<Vec<Kind>, Vec<String>> {
    let profile = Profile::parse("profile.toml", PROFILE);
    let said = |errors: Vec<SiteError>| errors.iter().map(SiteError::to_string).collect();
    Site::parse("site.toml", &format!("{SITE}{text}"), profile).map(|site| site.kinds).map_err(said)
}

#[test]
fn a_site_changes_a_kind_puts_one_off_and_adds_its_own() {
    let found = kinds(
        r#"
[[kind]]
key = "OQSsiquc01req"
per-minute = 60
max-bytes = 100
[[kind]]
key = "OQSsiquc01face"
enabled = false
[[kind]]
key = "claims"
direction = "request"
folder = "claims"
prefix = "RECEIPT"
extensions = ["UKE"]
max-bytes = 209715200
time-to-live-s = 864000
"#,
    )
    .unwrap();
    let keys: Vec<&str> = found.iter().map(|kind| kind.key.as_str()).collect();
    assert_eq!(keys, ["OQSsiquc01req", "OQSsiquc01res", "claims"]);
    assert_eq!((found[0].per_minute, found[0].max_bytes), (Some(60), 100));
    assert_eq!(
        (found[0].folder.as_str(), found[0].answered_by.len()),
        ("req", 1),
        "the rest is the profile's"
    );
    assert_eq!(found[2].extensions, ["uke"]);
}

#[test]
fn every_mistake_in_the_table_is_said_at_once_with_its_line() {
    let said = kinds(
        r#"
[[kind]]
key = "OQSsiquc01req"
answered-by = ["OQSsiquc01res", "nobody"]
folder = "RES"
[[kind]]
key = "OQSsiquc01face"
folder = "returned"
per-minute = 0
[[kind]]
key = "new"
direction = "answer"
folder = "face"
prefix = "OQSsiquc01res_FACE_"
extensions = ["xml"]
max-bytes = 1
time-to-live-s = 1
[[kind]]
key = "new"
prefix = "../x"
extensions = ["xml", ".pdf"]
enabled = "yes"
"#,
    )
    .unwrap_err();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_request_is_not_answered_by_a_kind_that_is_off_nor_an_answer_by_anything() {
    let said = kinds("\n[[kind]]\nkey = \"OQSsiquc01res\"\nenabled = false\n").unwrap_err();
    assert!(said.len() == 1 && said[0].contains("it answers \"OQSsiquc01req\""), "{said:?}");
    let said = kinds(
        "\n[[kind]]\nkey = \"OQSsiquc01res\"\nenabled = false\n[[kind]]\nkey = \"OQSsiquc01req\"\nper-minute = 1\n",
    )
    .unwrap_err();
    assert!(said.len() == 1 && said[0].contains("the kind \"OQSsiquc01res\" is off"), "{said:?}");
    let said = kinds("\n[[kind]]\nkey = \"OQSsiquc01res\"\nanswered-by = \"OQSsiquc01res\"\n").unwrap_err();
    assert!(said.len() == 1 && said[0].contains("an answer is not answered"), "{said:?}");
}
