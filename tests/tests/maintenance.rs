//! Remote maintenance, judged from the maintainer's side: what his packets reach before a consent, during it, and one
//! second after it has ended, however it ended. Needs root.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and what it says beside it"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use clinic::Clinic;
use clinic::check::afar::{self, Afar, Identity, MANAGEMENT, Way};
use model::maintenance::{End, MaintenancePart, Tunnel};
use model::observation::Branch;
use model::part::Snapshot;
use model::tunnel::Trouble;
use model::{FaultCode, Outcome, Party, Usability};

const PIN: &str = "385017\n";
/// How long one connection is tried.
const TRY: Duration = Duration::from_millis(400);

fn sekisho() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_clinic")).with_file_name("sekisho")
}

/// Runs a verb with this on its standard input.
fn verb(clinic: &Clinic, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(sekisho());
    command.args(["maintenance", "--socket"]).arg(clinic.socket_dir()).args(arguments).env("LC_ALL", "C");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sekisho is built");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn told(clinic: &Clinic) -> MaintenancePart {
    serde_json::from_slice(&verb(clinic, &["list", "--json"], "").stdout).unwrap_or_default()
}

/// How the newest session ended.
fn end(clinic: &Clinic) -> Option<End> {
    Some(told(clinic).sessions.first()?.ended.as_ref()?.why)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A clinic with maintenance in its site file, and the maintainer's side with its gateway.
struct World {
    clinic: Clinic,
    afar: Afar,
    sato: Identity,
    own: String,
}

/// A test that failed shows what both charons said.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let look = "ip -4 route show table all | grep -v local; ip -4 rule; ip -s link; nft list ruleset | grep -B2 -A3 maint";
            let show = |text: Output| eprintln!("{}", String::from_utf8_lossy(&text.stdout));
            let _ =
                self.clinic.inside("box", || show(Command::new("sh").args(["-c", look]).output().unwrap()));
            let _ = self.afar.inside(|| show(Command::new("sh").args(["-c", look]).output().unwrap()));
            let own = self.clinic.socket_dir().join("netd/maintenance/charon.log");
            let daemon = self.clinic.socket_dir().with_file_name("logs").join("sekisho.log");
            for log in [own, self.afar.log(), daemon] {
                eprintln!("{}:\n{}", log.display(), fs::read_to_string(&log).unwrap_or_default());
            }
        }
    }
}

impl World {
    fn new(name: &str, seconds: u64) -> Self {
        Self::by(&afar::CLOSED, name, seconds, Clinic::up(name).unwrap())
    }

    fn by(way: &Way, name: &str, seconds: u64, clinic: Clinic) -> Self {
        let sato = afar::identity("sato.maintainer.test", seconds).unwrap();
        let site = clinic.socket_dir().with_file_name("site.toml");
        let text = fs::read_to_string(&site).unwrap();
        clinic.kill_daemon().unwrap();
        fs::write(&site, text + &afar::site_table(&sato.0, way)).unwrap();
        clinic.start_daemon(&[]).unwrap();
        let state = clinic.socket_dir().with_file_name("state");
        let state = state.to_str().unwrap();
        let own = verb(&clinic, &["certificate", "--state", state], "");
        done(&own);
        let own = String::from_utf8(own.stdout).unwrap();
        done(&verb(&clinic, &["pin"], PIN));
        let mut afar = Afar::beside(name, way).unwrap();
        afar.serve(&sato, &own).unwrap();
        let world = Self { clinic, afar, sato, own };
        // The clock is trusted as soon as the probes have said something of it.
        until("the probes have looked", || {
            world.snapshot().line.is_some_and(|line| line.part.swept_at.is_some())
        });
        world
    }

    /// Whether the maintainer reaches it.
    fn reaches(&self, address: &str) -> bool {
        self.afar.reaches(address, TRY).unwrap()
    }

    fn snapshot(&self) -> Snapshot {
        let mut command = Command::new(sekisho());
        command.args(["status", "--json", "--socket"]).arg(self.clinic.socket_dir());
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap_or_default()
    }

    /// Who is recorded to have a gateway that cannot be reached (MNT-01).
    fn away(&self) -> Option<Party> {
        let verdict = self.snapshot().line?.part.verdict;
        verdict.recorded.iter().find(|fault| fault.code == FaultCode::Mnt01).map(|fault| fault.owner)
    }

    /// What is seen of the maintainer's gateway.
    fn gateway(&self) -> Option<Outcome> {
        let ladder = self.snapshot().line?.part.ladder;
        let of_it = |seen: &&model::Observation| seen.rung.branch() == Branch::Maintenance;
        ladder.iter().find(of_it).map(|seen| seen.outcome)
    }

    fn open(&self) -> Output {
        let open = || verb(&self.clinic, &["open", "--maintainer", "sato", "--reason", "investigation"], PIN);
        let mut said = open();
        // What the probes have seen of the clock reaches who decides a moment after they have looked.
        until("the clock is trusted where it is decided", || {
            let waits = String::from_utf8_lossy(&said.stderr).contains("clock is not trusted");
            if waits {
                said = open();
            }
            !waits
        });
        said
    }

    fn open_and_up(&self) {
        done(&self.open());
        until("the tunnel stands", || told(&self.clinic).open.is_some_and(|open| open.tunnel == Tunnel::Up));
    }

    /// What the box itself still has of it: an interface, a rule, a route, a process.
    fn left(&self) -> Vec<String> {
        let visit = self.clinic.inside("box", || {
            let say = |words: &[&str]| {
                let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
                String::from_utf8_lossy(&output.stdout).into_owned()
            };
            let all = [
                say(&["ip", "-o", "link"]),
                say(&["ip", "-4", "route", "show", "table", "all"]),
                say(&["nft", "list", "ruleset"]),
            ];
            let lines = all.iter().flat_map(|text| text.lines());
            // Who outside claims an address of this network is refused at any time: it stands among those inside.
            let among_those_inside = |line: &str| {
                let rest = line.replace("10.99.0.0/24", "");
                line.trim_start().starts_with("elements = {") && !rest.contains("10.99.0.")
            };
            let lines = lines.filter(|line| !among_those_inside(line));
            let left = lines.filter(|line| line.contains("maint") || line.contains("10.99.0."));
            left.map(str::to_owned).collect::<Vec<_>>()
        });
        visit.unwrap()
    }

    /// One second after: nothing comes back from the management address, and the box has nothing of it.
    fn is_closed(&self, what: &str) {
        let end = Instant::now() + Duration::from_secs(1);
        let open = |world: &Self| !world.left().is_empty() || world.reaches(MANAGEMENT);
        while open(self) {
            assert!(Instant::now() < end, "{what}: {:?}", self.left());
        }
        assert!(!self.reaches(MANAGEMENT), "{what}");
        assert_eq!(self.afar.hears_of("10.99.0.1".parse().unwrap()).unwrap(), [""; 0], "{what}");
    }

    /// The front button, held for so long.
    fn press(&self, milliseconds: u32) -> String {
        let mut stream = UnixStream::connect(self.clinic.socket_dir().join("boardd/boardd.sock")).unwrap();
        let body = milliseconds.to_string();
        let head =
            "POST /press HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The box's own addresses on the line.
    fn outside(&self) -> Vec<IpAddr> {
        let visit = self.clinic.inside("box", || {
            let mut command = Command::new("ip");
            command.args(["-6", "-o", "addr", "show", "dev", "wan0", "scope", "global"]);
            String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
        });
        let text = visit.unwrap();
        let words = text.split_whitespace().filter_map(|word| word.split_once('/'));
        words.filter_map(|(address, _)| address.parse().ok()).collect()
    }
}

#[test]
fn a_maintainer_reaches_nothing_before_the_management_during_and_nothing_after_however_it_ends() {
    let world = World::new("mt-ends", 86_400);
    let outside = world.outside();
    assert!(!outside.is_empty());
    for address in &outside {
        assert_eq!(world.afar.hears_of(*address).unwrap(), [""; 0], "nothing of the box listens");
    }
    world.is_closed("before any consent");

    world.open_and_up();
    assert!(world.reaches(MANAGEMENT));
    let elsewhere = ["10.99.0.1:80", "10.99.0.1:445", "10.99.0.1:22", "198.51.100.1:443", "198.51.100.1:445"];
    let further = ["192.0.2.1:53", "192.0.2.2:445", "198.51.100.10:445", "198.51.100.10:5432"];
    for address in elsewhere.into_iter().chain(further) {
        assert!(!world.reaches(address), "{address} is none of a maintainer's");
    }
    for address in &outside {
        assert_eq!(
            world.afar.hears_of(*address).unwrap(),
            [""; 0],
            "during it nothing of the box listens either"
        );
    }

    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed by the verb");
    assert_eq!(end(&world.clinic), Some(End::Closed));

    assert!(world.press(3_000).contains("\"opened\""));
    until("the tunnel stands", || told(&world.clinic).open.is_some_and(|open| open.tunnel == Tunnel::Up));
    assert!(world.reaches(MANAGEMENT));
    assert!(world.press(200).contains("\"closed\""), "one touch");
    world.is_closed("closed by a touch");

    world.open_and_up();
    world.clinic.kill_daemon().unwrap();
    let end_of = Instant::now() + Duration::from_secs(1);
    while world.reaches(MANAGEMENT) {
        assert!(Instant::now() < end_of, "kill -9");
    }
    world.clinic.start_daemon(&[]).unwrap();
    world.is_closed("after kill -9 and a start");
    assert_eq!(end(&world.clinic), Some(End::Crash));
    let session = told(&world.clinic).sessions[0].number.to_string();
    done(&verb(&world.clinic, &["review", &session], PIN));
    assert!(told(&world.clinic).sessions[0].reviewed.is_some());
    let state = world.clinic.socket_dir().with_file_name("state");
    let verified = Command::new(sekisho()).args(["audit", "verify", "--state"]).arg(&state).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_maintainer_is_let_in_by_the_internet_line_as_well_and_by_no_other_way() {
    let clinic = Clinic::up_with("mt-isp", &["--uplink", "isp"]).unwrap();
    let world = World::by(&afar::INTERNET, "mt-isp", 86_400, clinic);
    world.is_closed("before any consent");
    world.open_and_up();
    assert!(world.reaches(MANAGEMENT));
    assert!(!world.reaches("198.51.100.1:443") && !world.reaches("192.0.2.2:445"));
    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed by the verb");
}

#[test]
fn a_consent_closes_by_itself_at_its_time() {
    // A consent does not outlast the maintainer's certificate, and this one is good for long enough to come up.
    let world = World::new("mt-time", 60);
    world.open_and_up();
    assert!(world.reaches(MANAGEMENT));
    let until_then = told(&world.clinic).sessions[0].until;
    until("its time is over", || model::Timestamp::now() >= until_then);
    world.is_closed("its time is over");
    until("its end is told", || end(&world.clinic) == Some(End::Time));
    let refused = world.open();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.starts_with("The certificate of \"sato\" is good from"), "{said}");
}

#[test]
fn a_second_consent_opens_one_port_of_one_host_and_nothing_beside_it() {
    let world = World::new("mt-further", 86_400);
    let open = std::net::TcpListener::bind;
    let [database, other] = [5432, 5433].map(|port| {
        world.clinic.inside("clinic", || open((IpAddr::from([198, 51, 100, 10]), port)).unwrap()).unwrap()
    });
    world.open_and_up();
    assert!(!world.reaches("198.51.100.10:5432"));
    let further = |host: &str| {
        let words = ["further", "--host", host, "--port", "5432", "--reason", "database"];
        verb(&world.clinic, &words, PIN)
    };
    assert_eq!(further("203.0.113.9").status.code(), Some(1), "no host of the clinic's");
    done(&further("198.51.100.10"));
    assert!(world.reaches("198.51.100.10:5432"));
    assert!(!world.reaches("198.51.100.10:5433") && !world.reaches("192.0.2.2:5432"));
    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed");
    assert!(!world.reaches("198.51.100.10:5432"));
    drop((database, other));
}

#[test]
fn another_certificate_is_nobody_and_a_gateway_that_is_away_is_no_alarm() {
    let mut world = World::new("mt-other", 86_400);
    assert_eq!(world.gateway(), None, "closed: nobody asks it, and nothing is said");
    let mallory = afar::identity("sato.maintainer.test", 86_400).unwrap();
    world.afar.serve(&mallory, &world.own.clone()).unwrap();
    done(&world.open());
    until("the box has seen who it is", || told(&world.clinic).trouble == Some(Trouble::GatewayNotBelieved));
    assert!(!world.reaches(MANAGEMENT));
    until("it is seen to answer", || world.gateway() == Some(Outcome::Good));
    assert_eq!(world.away(), None, "whoever it is, he answers");
    world.afar.silence();
    until("nobody answers", || told(&world.clinic).trouble == Some(Trouble::Silent));
    until("it is recorded", || world.away() == Some(Party::Maintainer));
    let verdict = world.snapshot().line.unwrap().part.verdict;
    assert_eq!(
        (verdict.usability, verdict.alarms().count()),
        (Usability::Usable, 0),
        "reception feels nothing"
    );
    let sato = world.sato.clone();
    world.afar.serve(&sato, &world.own.clone()).unwrap();
    until("the right one is believed", || {
        told(&world.clinic).open.is_some_and(|open| open.tunnel == Tunnel::Up)
    });
    assert!(world.reaches(MANAGEMENT));
    until("nothing is recorded any more", || (world.away(), world.gateway()) == (None, Some(Outcome::Good)));
    done(&verb(&world.clinic, &["close"], ""));
    until("nothing is said any more", || world.gateway().is_none());
}
