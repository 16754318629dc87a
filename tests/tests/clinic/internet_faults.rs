//! The faults of the internet line and of a maintainer's gateway, felt by the clinic's computer and on the wire. Who asks for an
//! address there is configured by sekisho, so a box of ours runs.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use clinic::{CATALOGUE, Clinic, Layout, Uplink};

use crate::scene::{connect, on_the_box};

const GATEWAY: &str = "203.0.113.209:8080";
const SOMEBODY: &str = "203.0.113.162:8080";
const SERVICE: &str = "[2001:db8:0:cc::10]:443";

/// Whether somebody there says that nobody listens, as the clinic's computer hears it by way of the box.
fn is_there(clinic: &Clinic, to: &str) -> bool {
    connect(clinic, "clinic", to).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

fn has_carrier(clinic: &Clinic) -> bool {
    on_the_box(clinic, &["cat", "/sys/class/net/isp0/carrier"]).trim() == "1"
}

fn has_address(clinic: &Clinic) -> bool {
    on_the_box(clinic, &["ip", "-4", "-o", "address", "show", "dev", "isp0"]).contains("203.0.113.")
}

/// How many calls to the maintainer's gateway were lost where the fault loses them.
fn calls(clinic: &Clinic, host: &str, table: &str) -> bool {
    let listed = clinic.exec(host, &["nft", "list", "table", "inet", table]).unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.contains("counter packets") && !text.contains("counter packets 0 ")
}

fn is_felt(clinic: &Clinic, code: &str) -> bool {
    match code {
        "ISP-01" => has_carrier(clinic) && !has_address(clinic) && !is_there(clinic, SOMEBODY),
        "ISP-01:cable" => !has_carrier(clinic) && !is_there(clinic, SOMEBODY),
        "ISP-02" => has_address(clinic) && is_there(clinic, GATEWAY) && !is_there(clinic, SOMEBODY),
        "MNT-01" => calls(clinic, "ngn", "MNT_01"),
        "MNT-01:internet" => calls(clinic, "isp", "MNT_01_internet"),
        other => panic!("nobody says how {other} is felt"),
    }
}

fn is_well(clinic: &Clinic) -> bool {
    has_carrier(clinic) && has_address(clinic) && is_there(clinic, GATEWAY) && is_there(clinic, SOMEBODY)
}

/// Whether it becomes so soon.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    true
}

#[test]
fn every_fault_of_the_internet_and_of_a_maintainer_is_felt_and_the_line_feels_none() {
    let clinic = Clinic::up_with("faults-net", &["--uplink", "isp"]).unwrap();
    let way = ["ip", "route", "replace", "default", "via", "198.51.100.1"];
    assert!(clinic.exec("clinic", &way).unwrap().status.success());
    let beside = Layout::default().beside(Uplink::Isp);
    let of_it = |code: &str| code.starts_with("MNT") || code.starts_with("ISP");
    let all: Vec<_> = CATALOGUE.iter().filter(|fault| fault.is_on(beside) && of_it(fault.code)).collect();
    assert_eq!(all.len(), CATALOGUE.iter().filter(|fault| of_it(fault.code)).count());
    assert!(soon(|| is_well(&clinic)));
    for fault in all {
        assert!(is_well(&clinic), "before {}", fault.code);
        clinic.fault(fault.code, true).unwrap();
        assert!(soon(|| is_felt(&clinic, fault.code)), "{}", fault.code);
        assert!(connect(&clinic, "box", SERVICE).is_ok(), "the line feels {}", fault.code);
        clinic.fault(fault.code, false).unwrap();
        assert!(soon(|| is_well(&clinic)), "after {}", fault.code);
    }
    for host in ["ngn", "isp"] {
        let tables = clinic.exec(host, &["nft", "list", "ruleset"]).unwrap();
        assert_eq!(String::from_utf8(tables.stdout).unwrap(), "", "{host}");
    }
}
