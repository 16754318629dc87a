//! The sites the firewall's tests compile.
#![allow(dead_code, clippy::panic, reason = "not every test needs every site, and a wrong one ends it")]

use firewall::now::{Consent, Learned, Now};
use model::boot::Setup;
use model::{Profile, Site};

const SAMPLE: &str = include_str!("../data/site.toml");

/// The clinic of `tests/data`: line `wan0`, terminals `term0`, clinic `lan0`.
pub fn sample() -> Site {
    let profile = Profile::parse("profile.toml", include_str!("../data/profile.toml"));
    Site::parse("site.toml", SAMPLE, profile).expect("the sample site has no mistakes")
}

/// The setup port of a box without a site.
pub fn setup() -> Setup {
    let address = "198.51.100.1/24".parse().expect("an address with its length");
    Setup { port: "lan0".into(), label: "SETUP".into(), address }
}

/// The same clinic with another line and these tables more.
pub fn with(line: &str, more: &str) -> Site {
    let profile = Profile::parse("profile-all.toml", include_str!("../data/profile-all.toml"));
    let text = SAMPLE.replace("[line]\nkind = \"ra\"\n", &format!("[line]\n{line}\n"));
    let text = format!("{text}\n{more}");
    Site::parse("site.toml", &text, profile).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
}

const ISP_PORT: &str = "[[port]]\nname = \"isp0\"\nzone = \"isp\"\n";
const INTERNET: &str = "[internet]\nkind = \"dhcp\"\nresolvers = [\"203.0.113.130\"]\n";
const PPPOE: &str = "kind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:line\"";
const SESSION: &str = "[internet]\nkind = \"pppoe\"\nresolvers = [\"203.0.113.130\"]\n";
const CLINIC: &str = "[clinic.internet]\n[clinic.cloud]\ngateways = [\"203.0.113.200\"]\nnetworks = [\"10.20.0.0/16\", \"10.30.0.0/16\"]\n[[clinic.cloud.endpoint]]\naddress = \"10.20.0.10\"\nport = 443\n";
const CLAIMS: &str = "[claims]\naddress = \"10.1.0.1/24\"\n[[port]]\nname = \"claim0\"\nzone = \"claims\"\n[[claims-host]]\nname = \"c1\"\naddress = \"10.1.0.2\"\n";
const PRINTERS: &str = "[printers]\naddress = \"10.2.0.1/24\"\n[[port]]\nname = \"print0\"\nzone = \"printer\"\n[[printer]]\nname = \"p1\"\naddress = \"10.2.0.9\"\ntcp = [515, 631, 9100]\n";
const MAINTAINER: &str =
    "[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"203.0.113.222\"]\nuplink = \"internet\"\n";
const UPDATE: &str = "[update]\nservers = [\"203.0.113.240/28\"]\nuplink = \"internet\"\n";
const IPSEC: &str = "kind = \"ipsec\"\n[line.ipsec]\ngateways = [\"203.0.113.190\"]";

/// What a terminal's resolver said, an address it has on the line, and an open maintenance with a second consent.
pub fn told() -> Now {
    let learned = |address: &str, protocol, port| Learned {
        address: address.parse().expect("an address"),
        protocol,
        port,
        seconds: 300,
    };
    Now {
        consent: Some(Consent { further: Some(([198, 51, 100, 20].into(), 3389)) }),
        terminals6: vec![
            "2001:db8:0:1::2/128".parse().expect("a prefix"),
            "2001:db8:0:1::3/128".parse().expect("a prefix"),
        ],
        claims6: vec!["2001:db8:0:1::44/128".parse().expect("a prefix")],
        learned: vec![
            learned("2001:db8:0:cc:9::1", "tcp", 443),
            learned("2001:db8:0:cc:9::1", "tcp", 8080),
            learned("203.0.113.9", "tcp", 443),
        ],
    }
}

/// Every kind of line and mix of zones, by name, with what was told.
pub fn every() -> Vec<(&'static str, Site, Now)> {
    let quiet = Now::default;
    let all = [ISP_PORT, INTERNET, CLAIMS, PRINTERS, MAINTAINER, UPDATE].concat();
    let clinic = |text: &str| [text, CLINIC].concat();
    let here = |name, line: &str, more: &str, now| (name, with(line, more), now);
    let mut asked = with("kind = \"ra\"", &[ISP_PORT, INTERNET].concat());
    (asked.clinic_dhcp, asked.clinic_dns) = (true, true);
    vec![
        ("sample", sample(), quiet()),
        here("ra", "kind = \"ra\"", "", told()),
        here("ra-claims-printers", "kind = \"ra\"", &[CLAIMS, PRINTERS].concat(), told()),
        here("ra-pppoe-through", "kind = \"ra\"\npppoe-through = \"term0\"", "", quiet()),
        ("ra-clinic-asks", asked, quiet()),
        here("pd", "kind = \"pd\"", "", quiet()),
        here("pd-internet", "kind = \"pd\"", &clinic(&all), quiet()),
        here("pd-internet-maintained", "kind = \"pd\"", &clinic(&all), told()),
        here("pd-session", "kind = \"pd\"", &[SESSION, "[clinic.internet]\n"].concat(), quiet()),
        here("ipsec", IPSEC, "", told()),
        here(
            "ipsec-routed-over-ipv6",
            &format!("{IPSEC}\nrouted = true").replace("203.0.113.190", "2001:db8:9::1"),
            "",
            quiet(),
        ),
        here("ipsec-all", IPSEC, &clinic(&all), told()),
        here("pppoe", PPPOE, "", told()),
        here("pppoe-all", PPPOE, &clinic(&all), told()),
    ]
}

/// The sample clinic with a profile of so many destinations more, some of which lie in others.
pub fn of_destinations(count: u16) -> Site {
    let mut profile = include_str!("../data/profile.toml").to_owned();
    for place in 0..count {
        let (network, length) = if place % 10 == 9 { (place - 1, 60) } else { (place, 64) };
        profile += &format!(
            "[[destination]]\nprefix = \"2001:db8:{network:x}:10::/{length}\"\ntcp = [80, 443]\nudp = [123]\n"
        );
    }
    Site::parse("site.toml", SAMPLE, Profile::parse("profile.toml", &profile)).expect("it has no mistakes")
}
