//! Every kind of line and every zone: what contradicts itself is said at once, and what is right is read whole.

use super::super::uplink::{Line, Uplink};
use super::*;

const ALL: &str = r#"
[internet]
kind = "dhcp"
resolvers = ["203.0.113.130"]
[clinic.internet]
[clinic.cloud]
gateways = ["203.0.113.200"]
networks = ["10.20.0.0/16"]
[claims]
address = "10.1.0.1/24"
[printers]
address = "10.2.0.1/24"
[maintainer]
address = "10.99.0.1/24"
gateways = ["203.0.113.222"]
uplink = "internet"
[update]
servers = ["2001:db8:9::/64"]
uplink = "line"
[[port]]
name = "isp0"
zone = "isp"
[[port]]
name = "claim0"
zone = "claims"
[[port]]
name = "print0"
zone = "printer"
[[claims-host]]
name = "c1"
address = "10.1.0.2"
[[printer]]
name = "p1"
address = "10.2.0.9"
tcp = [9100]
"#;

fn parsed(line: &str, more: &str) -> Result<Site, Vec<String>> {
    let text = format!("{}\n{more}", SITE.replace("kind = \"ra\"", line));
    let profile = Profile::parse("p.toml", &format!("resolvers-ipv4 = [\"203.0.113.53\"]\n{PROFILE}"));
    let said = |errors: Vec<SiteError>| errors.iter().map(SiteError::to_string).collect();
    Site::parse("site.toml", &text, profile).map_err(said)
}

#[test]
fn what_contradicts_itself_is_said_at_once_with_every_line() {
    insta::assert_snapshot!(mistakes(include_str!("../../../tests/data/contradictions.toml")).join("\n"));
}

#[test]
fn every_zone_has_its_interface() {
    let site = parsed("kind = \"pd\"", ALL).unwrap();
    let wanted = ["wan0", "isp0", "", "cloud0", "term0", "lan0", "claim0", "print0", "maint0"];
    assert_eq!(Zone::ALL.map(|zone| site.interface(zone).unwrap_or_default()), wanted);
    assert_eq!(site.zone_of([10, 2, 0, 77].into()), Some(Zone::Printer));
    assert_eq!(site.zone_of([10, 3, 0, 77].into()), None);
    assert_eq!(site.update.as_ref().unwrap().uplink, Uplink::Line);
    assert!(!site.not_brought_up().is_empty());
    let ipsec = "kind = \"ipsec\"\n[line.ipsec]\ngateways = [\"203.0.113.190\"]\nrouted = true";
    let site = parsed(ipsec, "").unwrap();
    assert!(matches!(&site.line, Line::Ipsec(ipsec) if ipsec.routed));
    assert_eq!((site.interface(Zone::Tunnel), site.qualification()), (Some("ipsec0"), Zone::Tunnel));
    let site = parsed("kind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:line\"", "").unwrap();
    assert_eq!((site.interface(Zone::Wan), site.port(Zone::Wan)), (Some("ppp-line"), "wan0"));
    let session = "[internet]\nkind = \"pppoe\"\nresolvers = [\"203.0.113.130\"]\n";
    assert_eq!(parsed("kind = \"ra\"", session).unwrap().interface(Zone::Isp), Some("ppp-isp"));
}

#[test]
fn the_port_of_a_line_by_ipsec_has_its_address_by_what_the_file_says_or_as_its_gateways_want() {
    let with = |keys: &str| parsed(&format!("kind = \"ipsec\"\n[line.ipsec]\n{keys}"), "");
    let (four, six) = ("gateways = [\"203.0.113.190\"]", "gateways = [\"2001:db8:9::9\"]");
    for (keys, lent) in [
        (four.to_owned(), true),
        (six.to_owned(), false),
        (format!("{four}\nouter = \"dhcp\""), true),
        (format!("{six}\nouter = \"ra\""), false),
    ] {
        let line = with(&keys).unwrap().line;
        assert_eq!((line.is_lent(), line.carries(true), line.carries(false)), (lent, lent, !lent), "{keys}");
    }
    for (keys, said) in [
        (
            format!("{four}\nouter = \"ra\""),
            "203.0.113.190 cannot be called: with an address by advertisement the line carries IPv6",
        ),
        (
            format!("{six}\nouter = \"dhcp\""),
            "2001:db8:9::9 cannot be called: with an address by DHCP the line carries IPv4",
        ),
        ("gateways = [\"2001:db8:9::9\", \"203.0.113.190\"]".to_owned(), "203.0.113.190 cannot be called"),
        (format!("{four}\nouter = \"pppoe\""), "(allowed: ra, dhcp)"),
    ] {
        let errors = with(&keys).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(said), "{keys}: {errors:?}");
    }
    // Two lines that both have their way out by DHCP are not told apart yet.
    let internet = "[internet]\nkind = \"dhcp\"\nresolvers = [\"203.0.113.130\"]\n[[port]]\nname = \"isp0\"\nzone = \"isp\"\n";
    let beside =
        parsed(&format!("kind = \"ipsec\"\n[line.ipsec]\nprovider = \"./p.toml\"\n{four}"), internet)
            .unwrap();
    assert!(
        beside.not_brought_up().iter().any(|said| said.contains("outer")),
        "{:?}",
        beside.not_brought_up()
    );
}

#[test]
fn a_line_by_pppoe_has_its_contract_and_what_contradicts_it_is_one_sentence() {
    let with = |keys: &str| parsed(&format!("kind = \"pppoe\"\n[line.pppoe]\n{keys}"), "");
    let login = "login = \"secret:line\"";
    let of = |keys: &str| match with(keys).unwrap().line {
        Line::Pppoe(session) => (session.login, session.service, session.mtu),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(of(login), ("line".to_owned(), None, 1454));
    let said = of(&format!("{login}\nservice = \"claims\"\nmtu = 1492"));
    assert_eq!(said, ("line".to_owned(), Some("claims".to_owned()), 1492));
    assert_eq!(with(login).unwrap().not_brought_up(), Vec::<String>::new());
    for (keys, said) in [
        (String::new(), "line.pppoe.login"),
        (format!("{login}\nmtu = 1500"), "mtu"),
        (format!("{login}\nservice = \"two words\""), "the name of a service has no spaces"),
        (format!("{login}\npassword = \"x\""), "password"),
    ] {
        let errors = with(&keys).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(said), "{keys}: {errors:?}");
    }
    let errors = parsed("kind = \"pppoe\"", "").unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains("the contract of the session is missing"), "{errors:?}");
    let errors = parsed(&format!("kind = \"pd\"\n[line.pppoe]\n{login}"), "").unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains("has no PPPoE session"), "{errors:?}");
    // Both would have their way out over IPv4.
    let internet = "[internet]\nkind = \"dhcp\"\nresolvers = [\"203.0.113.130\"]\n[[port]]\nname = \"isp0\"\nzone = \"isp\"\n";
    let beside = parsed(&format!("kind = \"pppoe\"\n[line.pppoe]\n{login}"), internet).unwrap();
    let said = beside.not_brought_up();
    assert!(said.len() == 1 && said[0].contains("beside a line by PPPoE"), "{said:?}");
}

#[test]
fn a_site_of_today_asks_for_nothing_that_is_not_brought_up() {
    assert_eq!(parsed("kind = \"ra\"", "").unwrap().not_brought_up(), Vec::<String>::new());
}

#[test]
fn a_fixed_address_is_not_one_that_is_lent_and_a_terminal_is_lent_its_own_by_its_card() {
    let with = |text: &str| {
        let profile = Profile::parse("p.toml", PROFILE);
        let errors = Site::parse("site.toml", text, profile).map(drop).unwrap_err();
        errors.iter().map(SiteError::to_string).collect::<Vec<_>>()
    };
    let lends =
        SITE.replace("address = \"198.51.100.1/24\"\n", "address = \"198.51.100.1/24\"\ndhcp = true\n");
    let fixed = |last: u8| format!("name = \"receipt\"\naddress = \"198.51.100.{last}\"\n");
    let said = with(&lends.replace("name = \"receipt\"\n", &fixed(128)));
    assert!(said.len() == 1 && said[0].contains("198.51.100.128 is lent by the box"), "{said:?}");
    let profile = Profile::parse("p.toml", PROFILE);
    assert!(Site::parse("site.toml", &lends.replace("name = \"receipt\"\n", &fixed(127)), profile).is_ok());
    let said = with(&SITE.replace("[terminals]\n", "[terminals]\ndhcp = true\n"));
    assert!(said.len() == 1 && said[0].contains("terminal[1].mac"), "{said:?}");
}

#[test]
fn one_setting_too_few_is_one_mistake() {
    let without = |table: &str| {
        let at = ALL.find(table).unwrap();
        let end = ALL[at + 1..].find("\n[").map_or(ALL.len(), |end| at + 1 + end);
        format!("{}{}", &ALL[..at], &ALL[end..])
    };
    for (table, said) in [
        ("[claims]", "together with [claims]"),
        ("[printers]", "together with [printers]"),
        ("[[port]]\nname = \"isp0\"", "no port has zone \"isp\""),
        ("[[port]]\nname = \"claim0\"", "no port has zone \"claims\""),
        ("[[port]]\nname = \"print0\"", "no port has zone \"printer\""),
    ] {
        let errors = parsed("kind = \"ra\"", &without(table)).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(said)), "{table}: {errors:?}");
    }
    let errors = parsed("kind = \"ipsec\"", "").unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains("[line.ipsec]"), "{errors:?}");
    let text = SITE.replace("kind = \"ra\"", "kind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:line\"");
    let errors = Site::parse("site.toml", &text, profile()).unwrap_err();
    assert!(errors.len() == 1 && errors[0].to_string().contains("resolvers-ipv4"), "{errors:?}");
}

#[test]
fn a_cloud_that_cannot_be_is_one_sentence() {
    let cloud = "[[clinic.cloud.endpoint]]\naddress = \"10.20.0.10\"\nport = 443\nname = \"a.test\"\n";
    let right =
        format!("{ALL}{cloud}").replace("[clinic.cloud]\n", "[clinic.cloud]\nauthorities = \"./ca.pem\"\n");
    let site = parsed("kind = \"ra\"", &right).unwrap();
    assert_eq!(site.cloud.as_ref().map(|cloud| cloud.endpoints.len()), Some(1));
    for (from, to, said) in [
        ("10.20.0.0/16", "0.0.0.0/0", "0.0.0.0/0 is all of the internet"),
        ("10.20.0.10", "10.21.0.10", "10.21.0.10 lies in no network of the cloud"),
        ("name = \"a.test\"\n", "", "no service of the cloud is asked by TLS"),
        (cloud, &format!("{cloud}{cloud}"), "port 443 of 10.20.0.10 is listed twice"),
        ("10.20.0.0/16", "203.0.113.48/28\", \"10.20.0.0/16", "holds the line's resolver 203.0.113.53"),
    ] {
        let errors = parsed("kind = \"ra\"", &right.replacen(from, to, 1)).unwrap_err();
        // All of the internet overlaps whatever is inside, which is said too.
        let own: Vec<_> = errors.iter().filter(|error| error.contains("clinic.cloud")).collect();
        assert!(own.iter().any(|error| error.contains(said)), "{said}: {errors:?}");
    }
}

#[test]
fn a_destination_is_one_place_and_has_a_port() {
    let with = |keys: &str| {
        let text = format!("{PROFILE}\n[[destination]]\n{keys}\n");
        Profile::parse("p.toml", &text)
            .map_err(|errors| errors.iter().map(SiteError::to_string).collect::<Vec<_>>())
    };
    for keys in [
        "name = \"a.test\"\ntcp = [443]",
        "suffix = \"*.a.test\"\nudp = [123]",
        "prefix = \"2001:db8::/64\"\ntcp = [1]",
    ] {
        assert!(with(keys).is_ok(), "{keys}: {:?}", with(keys));
    }
    for (keys, said) in [
        ("tcp = [443]", "where it lies is missing"),
        ("name = \"a.test\"", "no port is listed"),
        ("name = \"a.test\"\nsuffix = \"*.a.test\"\ntcp = [443]", "either prefix, name or suffix"),
        ("suffix = \"a.test\"\ntcp = [443]", "*.NAME"),
        ("suffix = \"*.\"\ntcp = [443]", "*.NAME"),
        ("suffix = \"*.*.test\"\ntcp = [443]", "*.NAME"),
        ("name = \"a\\\"; accept\"\ntcp = [443]", "a DNS name"),
    ] {
        let errors = with(keys).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(said), "{keys}: {errors:?}");
    }
}

#[test]
fn a_name_is_below_a_suffix_only_behind_a_dot() {
    let suffix = crate::profile::Where::Suffix("onshikaku.test".into());
    for name in ["www.onshikaku.test", "A.B.OnShikaku.TEST.", "x.onshikaku.test"] {
        assert!(suffix.is_name(name), "{name}");
    }
    for name in
        ["onshikaku.test", ".onshikaku.test", "notonshikaku.test", "onshikaku.test.evil", "", ".", "é.test"]
    {
        assert!(!suffix.is_name(name), "{name}");
    }
    assert!(crate::profile::Where::Name("a.test".into()).is_name("A.test."));
}
