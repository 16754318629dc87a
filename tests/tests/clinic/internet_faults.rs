//! The faults of the internet line, of the receipt computer's cloud and of a maintainer's gateway, felt by the clinic's computer and on the wire. Who asks for an
//! address there is configured by sekisho, so a box of ours runs.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use clinic::check::network::presented;
use clinic::{CATALOGUE, Clinic, Layout, Uplink};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::scene::{connect, on_the_box};

const GATEWAY: &str = "203.0.113.209:8080";
const SOMEBODY: &str = "203.0.113.162:8080";
const CLOUD: &str = "10.40.0.10:443";
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

/// What a connection to the cloud's service comes to.
fn cloud(clinic: &Clinic) -> Result<(), ErrorKind> {
    connect(clinic, "clinic", CLOUD).map(drop).map_err(|error| error.kind())
}

/// Whether the box has a way into the tunnel to the cloud.
fn tunnel(clinic: &Clinic) -> bool {
    on_the_box(clinic, &["ip", "-4", "route", "show", "10.40.0.0/16"]).contains("dev cloud0")
}

/// Whether the cloud's service shows this certificate of its set.
fn shows(clinic: &Clinic, file: &str) -> bool {
    let own = CertificateDer::from_pem_file(clinic.pki().with_file_name("pki-cloud").join(file)).unwrap();
    let shown = presented(clinic, "clinic", CLOUD.parse().unwrap());
    shown.is_ok_and(|shown| shown.first() == Some(&own))
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
        "CLD-01" => tunnel(clinic) && cloud(clinic) == Err(ErrorKind::TimedOut),
        "CLD-01:refused" => tunnel(clinic) && cloud(clinic) == Err(ErrorKind::ConnectionRefused),
        "CLD-02" | "CLD-02:silent" | "CLD-02:secret" => !tunnel(clinic) && cloud(clinic).is_err(),
        "CLD-03" => tunnel(clinic) && shows(clinic, "expired.pem"),
        // What stands goes on: it is felt by the charon that is told of the certificate, which is the next one's to start.
        "CLD-03:own" => true,
        "MNT-01" => calls(clinic, "ngn", "MNT_01"),
        "MNT-01:internet" => calls(clinic, "isp", "MNT_01_internet"),
        other => panic!("nobody says how {other} is felt"),
    }
}

fn is_well(clinic: &Clinic) -> bool {
    let cloudless = !tunnel(clinic) || !shows(clinic, "leaf.pem");
    let internet = has_carrier(clinic) && has_address(clinic) && is_there(clinic, GATEWAY);
    internet && is_there(clinic, SOMEBODY) && !cloudless
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
    let of_it = |code: &str| ["MNT", "ISP", "CLD"].iter().any(|part| code.starts_with(part));
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
    for host in ["ngn", "isp", "cloud"] {
        let tables = clinic.exec(host, &["nft", "list", "ruleset"]).unwrap();
        assert_eq!(String::from_utf8(tables.stdout).unwrap(), "", "{host}");
    }
}
