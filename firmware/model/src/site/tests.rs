use super::*;

const PROFILE: &str = include_str!("../../tests/data/profile.toml");
const SITE: &str = include_str!("../../tests/data/site.toml");

fn profile() -> Result<Profile, Vec<SiteError>> {
    Profile::parse("profile.toml", PROFILE)
}

fn mistakes(text: &str) -> Vec<String> {
    Site::parse("site.toml", text, profile()).unwrap_err().iter().map(SiteError::to_string).collect()
}

#[test]
fn a_right_site_file_is_read_whole() {
    let site = Site::parse("site.toml", SITE, profile()).unwrap();
    assert_eq!(site.port(Zone::Wan), "wan0");
    assert_eq!(site.clinic.to_string(), "198.51.100.1/24");
    let folders = &site.terminals[0].folders;
    assert!(matches!(folders, Place::Remote { share, login, .. } if share == "OQS" && login == "t1"));
    assert_eq!(site.consumers[0].folders, Place::Own { share: "OQS".into() });
    assert_eq!(site.kinds.len(), 3);
    assert_eq!(site.contact(Party::Line).unwrap().phone, "0120-000-000");
    assert_eq!(site.page, PagePorts { http: 80, https: 443 });
    assert_eq!(site.profile.kinds.len(), 3);
    assert_eq!(Site::profile_name(SITE).as_deref(), Some("./profile.toml"));
}

#[test]
fn ten_mistakes_are_ten_errors_each_with_its_line_and_what_is_allowed() {
    let said = mistakes(include_str!("../../tests/data/ten-mistakes.toml"));
    assert_eq!(said.len(), 10);
    assert!(!said.join("\n").contains("hunter2"), "what stands in a secret's place is never shown");
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_address_no_machine_can_have_is_refused() {
    for address in [
        "198.51.100.0/24",
        "198.51.100.255/24",
        "198.51.100.1/32",
        "127.0.0.1/8",
        "224.0.0.1/24",
        "0.0.0.0/8",
    ] {
        let said = mistakes(&SITE.replace("198.51.100.1/24", address));
        assert!(said.len() == 1 && said[0].contains("cannot be a machine's address"), "{address}: {said:?}");
    }
    let said = mistakes(&SITE.replace("192.0.2.2", "192.0.2.255"));
    assert!(said.len() == 1 && said[0].contains("is not a terminal's address"), "{said:?}");
}

#[test]
fn a_syntax_error_is_reported_alone() {
    let said = mistakes("version = 1\nprofile = \"x\nline = 3\n");
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("site.toml:2: "), "{said:?}");
}

#[test]
fn an_empty_file_names_every_key_it_lacks() {
    assert_eq!(mistakes("").len(), SPEC.iter().filter(|key| key.required).count());
}

#[test]
fn a_profile_s_mistakes_stand_beside_the_site_s_own() {
    let broken = Profile::parse("profile.toml", &PROFILE.replace("port = 80", "port = 0"));
    let said = Site::parse("site.toml", &SITE.replace("wan0", "wan/0"), broken).unwrap_err();
    assert_eq!(
        said.iter().map(|error| error.file.as_str()).collect::<Vec<_>>(),
        ["site.toml", "profile.toml"]
    );
}

#[test]
fn an_answer_a_request_names_must_exist() {
    let text = PROFILE.replace("answered-by = \"OQSsiquc01res\"", "answered-by = \"nobody\"");
    let said = Profile::parse("profile.toml", &text).unwrap_err();
    assert_eq!(said.len(), 1);
    assert!(said[0].to_string().contains("no answer kind is called \"nobody\""), "{said:?}");
}

#[test]
fn what_belongs_to_the_system_or_to_the_box_itself_is_no_value() {
    for (right, wrong, key) in [
        ("name = \"receipt\"", "name = \"root\"", "consumer[1].name"),
        ("login = \"secret:t1\"", "login = \"secret:share-receipt\"", "terminal[1].login"),
        ("name = \"wan0\"", "name = \"lo\"", "port[1].name"),
    ] {
        let said = mistakes(&SITE.replace(right, wrong));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(key), "{said:?}");
    }
    let said = mistakes(&format!("{SITE}\n[page]\nhttp = 445\n"));
    assert!(said.len() == 1 && said[0].contains("page.http"), "{said:?}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_checker_panic(text in "\\PC{0,400}") {
        let _ = Site::parse("site.toml", &text, profile());
    }

    #[test]
    fn no_value_makes_the_checker_panic(value in "(\"[^\"\\\\]{0,30}\"|-?[0-9]{1,20}|true|\\[\\]|\\{\\}|1979-05-27)", at in 0usize..14) {
        let mut lines: Vec<String> = SITE.lines().map(str::to_owned).collect();
        let keyed: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains(" = ")).collect();
        let line = keyed[at % keyed.len()];
        let key = lines[line].split(" = ").next().unwrap().to_owned();
        lines[line] = format!("{key} = {value}");
        let _ = Site::parse("site.toml", &lines.join("\n"), profile());
    }
}

/// The site with something else in place of its terminal and its consumer.
fn with_ends(text: &str) -> Result<Site, Vec<String>> {
    let (before, rest) = SITE.split_once("[[terminal]]").unwrap();
    let (_, after) = rest.split_once("[[contact]]").unwrap();
    let said = |errors: Vec<SiteError>| errors.iter().map(SiteError::to_string).collect();
    Site::parse("site.toml", &format!("{before}{text}\n[[contact]]{after}"), profile()).map_err(said)
}

#[test]
fn several_terminals_and_consumers_have_each_their_place() {
    let site = with_ends(
        r#"
[[terminal]]
name = "t1"
address = "192.0.2.2"
share = '\\192.0.2.2\OQS'
login = "secret:t1"
[[terminal]]
name = "t2"
address = "192.0.2.3"
path = "/srv/t2"
requests-below = "second"
[[consumer]]
name = "receipt"
[[consumer]]
name = "karte"
share = "KARTE"
takes = ["face"]
[[consumer]]
name = "third"
remote = '\\198.51.100.9\onshi'
login = "secret:third"
"#,
    )
    .unwrap();
    assert_eq!(site.terminals[1].folders, Place::Local { path: "/srv/t2".into() });
    assert_eq!(site.terminals[1].requests_below.as_deref(), Some("second"));
    assert!(site.consumers[0].takes("res") && !site.consumers[1].takes("res"));
    assert!(site.consumers[1].takes("Face"));
    assert!(matches!(&site.consumers[2].folders, Place::Remote { share, .. } if share == "onshi"));
}

#[test]
fn what_two_ends_cannot_share_is_refused_with_every_line() {
    let said = with_ends(
        r#"
[[terminal]]
name = "t1"
address = "192.0.2.2"
share = '\\192.0.2.2\OQS'
[[terminal]]
name = "t2"
address = "192.0.2.3"
path = "/srv/../t2"
[[terminal]]
name = "t3"
address = "192.0.2.4"
path = "/srv/t3"
login = "secret:t3"
requests-below = "Req"
[[consumer]]
name = "receipt"
[[consumer]]
name = "karte"
takes = ["req"]
[[consumer]]
name = "third"
share = "THIRD"
remote = '\\203.0.113.9\onshi'
login = "secret:third"
"#,
    )
    .unwrap_err();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_address_of_a_consumer_s_machine_lies_in_the_clinic_and_is_that_of_its_folders() {
    let of = |consumer: &str| {
        let terminal = "[[terminal]]\nname = \"t1\"\naddress = \"192.0.2.2\"\npath = \"/srv/t1\"\n";
        with_ends(&format!("{terminal}[[consumer]]\nname = \"receipt\"\n{consumer}"))
    };
    let address =
        |consumer: &str| of(consumer).unwrap().consumers[0].address.map(|address| address.to_string());
    let remote = "remote = '\\\\198.51.100.9\\onshi'\nlogin = \"secret:r\"\n";
    assert_eq!(address(""), None);
    assert_eq!(address("address = \"198.51.100.10\"").as_deref(), Some("198.51.100.10"));
    assert_eq!(address(remote).as_deref(), Some("198.51.100.9"));
    for (consumer, said) in [
        ("address = \"192.0.2.9\"".to_owned(), "192.0.2.9 is not a machine of the clinic"),
        ("address = \"198.51.100.1\"".to_owned(), "198.51.100.1 is not a machine of the clinic"),
        (format!("{remote}address = \"198.51.100.10\""), "its shared folder is on another machine"),
    ] {
        let errors = of(&consumer).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(said), "{errors:?}");
    }
}

#[test]
fn dates_hours_and_moments_are_read_and_what_is_none_is_said_with_what_is() {
    let text = SITE
        .replace("[terminals]", "[terminals]\nquiet = [\"23:30-04:00\"]")
        .replace("[[terminal]]", "[[terminal]]\ncertificate-until = \"2029-03-31\"");
    let maintenance = |from: &str, until: &str| {
        format!("{text}\n[[maintenance]]\nfrom = \"{from}\"\nuntil = \"{until}\"\n")
    };
    let right = maintenance("2026-12-05T22:00", "2026-12-06T06:00");
    let site = Site::parse("site.toml", &right, profile()).unwrap();
    assert_eq!(site.terminals[0].certificate_until.unwrap().to_string(), "2029-03-31");
    assert!(site.calendar.is_quiet("2026-12-01T00:00:00+09:00".parse().unwrap()));
    assert!(site.calendar.is_maintenance("2026-12-06T05:59:59+09:00".parse().unwrap()));
    let backwards = mistakes(&maintenance("2026-12-06T06:00", "2026-12-05T22:00"));
    assert!(backwards.len() == 1 && backwards[0].contains("it ends before it begins"), "{backwards:?}");
    for (right_one, wrong, allowed) in [
        ("23:30-04:00", "23:30", "a list of hours like"),
        ("2029-03-31", "2029-02-31", "a day like"),
        ("2026-12-05T22:00", "2026-12-05 22:00", "a day and a time like"),
    ] {
        let said = mistakes(&right.replace(right_one, wrong));
        assert!(said.len() == 1 && said[0].contains(allowed), "{wrong}: {said:?}");
    }
}

mod maintainers;
mod zones;
