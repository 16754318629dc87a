//! Remote maintenance, judged from the maintainer's side: what his packets reach before a consent, during it, and one
//! second after it has ended, however it ended. Needs root.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and what it says beside it"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use clinic::Clinic;
use model::Usability;
use model::maintenance::{End, MaintenancePart, Tunnel};
use model::part::Snapshot;
use model::tunnel::Trouble;
use nix::sched::{CloneFlags, setns};

const PIN: &str = "385017\n";
const MANAGEMENT: &str = "10.99.0.1:443";
const MAINTAINER: &str = "10.99.0.7";

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

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A certificate of P-384 with its key, good for so many seconds from now.
fn identity(name: &str, seconds: i64) -> (String, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let now = std::time::SystemTime::now();
    params.not_before = (now - Duration::from_secs(3600)).into();
    params.not_after = (now + Duration::from_secs(seconds.unsigned_abs())).into();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// The maintainer's side: a network of its own behind the closed one, its gateway's charon, and an address in the tunnel.
struct Afar {
    namespace: String,
    folder: tempfile::TempDir,
    gateway: Option<Child>,
}

/// Behind what the maintainer's side lies, the box's way there, and both ends of the wire between.
struct Behind {
    uplink: &'static str,
    host: &'static str,
    here: &'static str,
    away: &'static str,
    length: u8,
}

/// In the carrier's closed network.
const CLOSED: Behind =
    Behind { uplink: "line", host: "ngn", here: "2001:db8:0:ab::1", away: "2001:db8:0:ab::9", length: 64 };
/// On the internet, behind the provider of the internet line.
const INTERNET: Behind =
    Behind { uplink: "internet", host: "isp", here: "203.0.113.193", away: "203.0.113.194", length: 30 };

impl Afar {
    fn beside(name: &str, behind: &Behind) -> Self {
        let namespace = format!("afar-{name}");
        let _ = Command::new("ip").args(["netns", "del", &namespace]).output();
        run("ip", &["netns", "add", &namespace]);
        let host = format!("{name}-{}", behind.host);
        run(
            "ip",
            &["link", "add", "m0", "netns", &host, "type", "veth", "peer", "name", "g0", "netns", &namespace],
        );
        let afar = Self { namespace, folder: tempfile::tempdir().unwrap(), gateway: None };
        let Behind { here, away, length, .. } = behind;
        run("ip", &["-n", &host, "link", "set", "m0", "up"]);
        let at_host = |words: &str| {
            run("ip", &["-n", &host].into_iter().chain(words.split(' ')).collect::<Vec<_>>());
        };
        at_host(&format!("addr add {here}/{length} dev m0"));
        afar.ip("link set lo up");
        afar.ip("link set g0 up");
        afar.ip(&format!("addr add {away}/{length} dev g0"));
        afar.ip(&format!("addr add {MAINTAINER}/32 dev lo"));
        afar.ip(&format!("route add default via {here}"));
        afar
    }

    fn ip(&self, words: &str) {
        let words: Vec<&str> = ["-n", &self.namespace].into_iter().chain(words.split(' ')).collect();
        run("ip", &words);
    }

    /// The gateway answers, and shows this certificate.
    fn serve(&mut self, shown: &(String, String), box_certificate: &str) {
        self.silence();
        let at = |name: &str| self.folder.path().join(name);
        for folder in ["x509", "private"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("x509/own.pem"), &shown.0).unwrap();
        fs::write(at("private/own.pem"), &shown.1).unwrap();
        fs::write(at("x509/box.pem"), box_certificate).unwrap();
        fs::write(at("swanctl.conf"), GATEWAY).unwrap();
        let socket = format!("unix://{}", at("vici").display());
        fs::write(at("strongswan.conf"), CHARON.replace("SOCKET", &socket)).unwrap();
        let conf = at("strongswan.conf").display().to_string();
        let start = format!(
            "mount -t tmpfs tmpfs /run && STRONGSWAN_CONF={conf} exec /usr/lib/ipsec/charon 2>{}",
            at("charon.log").display()
        );
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "unshare", "-m", "sh", "-c", &start]);
        self.gateway = Some(command.spawn().unwrap());
        let folder = self.folder.path().to_owned();
        until("the gateway is told", || {
            let mut load = Command::new("swanctl");
            load.args(["--load-all", "--uri", &socket]).env("SWANCTL_DIR", &folder);
            load.env("STRONGSWAN_CONF", &conf).output().is_ok_and(|output| output.status.success())
        });
    }

    /// The gateway is not there.
    fn silence(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            let _ = gateway.kill();
            let _ = gateway.wait();
        }
    }

    /// Does something in the maintainer's network, on a thread of its own.
    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = Path::new("/run/netns").join(&self.namespace);
        std::thread::scope(|scope| {
            let visit = scope.spawn(|| {
                setns(fs::File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            visit.join().unwrap()
        })
    }

    /// Whether a TCP connection comes about.
    fn reaches(&self, address: &str) -> bool {
        let address: SocketAddr = address.parse().unwrap();
        self.inside(|| TcpStream::connect_timeout(&address, Duration::from_millis(400)).is_ok())
    }

    /// Whether anything at all comes back from an address: TCP, even a refusal, or IKE.
    fn hears_of(&self, address: IpAddr) -> Vec<String> {
        self.inside(|| {
            let tcp = [22, 53, 80, 443, 445, 500, 4500].into_iter().filter(|port| {
                let tried = TcpStream::connect_timeout(&(address, *port).into(), Duration::from_millis(150));
                tried.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionRefused, |_| true)
            });
            let mut heard: Vec<String> = tcp.map(|port| format!("tcp {port}")).collect();
            for port in [53, 123, 500, 4500] {
                let any: SocketAddr = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().unwrap();
                let socket = UdpSocket::bind(any).unwrap();
                socket.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
                if socket.connect((address, port)).is_ok() && socket.send(&[0; 40]).is_ok() {
                    heard.extend(socket.recv(&mut [0; 64]).map(|_| format!("udp {port}")));
                }
            }
            heard
        })
    }
}

impl Drop for Afar {
    fn drop(&mut self) {
        self.silence();
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).output();
    }
}

const GATEWAY: &str = r#"connections {
  box {
    version = 2
    proposals = aes256gcm16-prfsha384-ecp384
    unique = replace
    dpd_delay = 2s
    local { auth = pubkey
      certs = own.pem }
    remote { auth = pubkey
      id = sekisho-maintenance
      certs = box.pem }
    children { maint {
      local_ts = 10.99.0.0/24
      remote_ts = 0.0.0.0/0
      esp_proposals = aes256gcm16-ecp384 } }
  }
}
"#;

const CHARON: &str = r#"charon {
  load = random nonce sha2 hmac kdf openssl pem pkcs1 pkcs8 x509 pubkey revocation constraints kernel-libipsec kernel-netlink socket-default vici
  retransmit_tries = 2
  retransmit_timeout = 1.0
  filelog { stderr { path = stderr
    default = 1 } }
  plugins { vici { socket = SOCKET }
    kernel-libipsec { allow_peer_ts = no } }
}
"#;

/// A clinic with maintenance in its site file, and the maintainer's side with its gateway.
struct World {
    clinic: Clinic,
    afar: Afar,
    sato: (String, String),
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
            self.afar.inside(|| show(Command::new("sh").args(["-c", look]).output().unwrap()));
            let own = self.clinic.socket_dir().join("netd/maintenance/charon.log");
            let daemon = self.clinic.socket_dir().with_file_name("logs").join("sekisho.log");
            for log in [own, self.afar.folder.path().join("charon.log"), daemon] {
                eprintln!("{}:\n{}", log.display(), fs::read_to_string(&log).unwrap_or_default());
            }
        }
    }
}

impl World {
    fn new(name: &str, seconds: i64) -> Self {
        Self::behind(name, seconds, &CLOSED, Clinic::up(name).unwrap())
    }

    fn behind(name: &str, seconds: i64, behind: &Behind, clinic: Clinic) -> Self {
        let (away, uplink) = (behind.away, behind.uplink);
        let sato = identity("sato.maintainer.test", seconds);
        let site = clinic.socket_dir().with_file_name("site.toml");
        let text = fs::read_to_string(&site).unwrap();
        let maintainer = format!(
            "\n[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"{away}\"]\nuplink = \"{uplink}\"\nclaim-days = []\n\
             [maintainer.button]\nmaintainer = \"sato\"\nreason = \"点検\"\nminutes = 30\n\
             [[maintainer.person]]\nname = \"sato\"\ncertificate = \"\"\"\n{}\"\"\"\n",
            sato.0
        );
        clinic.kill_daemon().unwrap();
        fs::write(&site, text + &maintainer).unwrap();
        clinic.start_daemon(&[]).unwrap();
        let state = clinic.socket_dir().with_file_name("state");
        let state = state.to_str().unwrap();
        let own = verb(&clinic, &["certificate", "--state", state], "");
        done(&own);
        let own = String::from_utf8(own.stdout).unwrap();
        done(&verb(&clinic, &["pin"], PIN));
        let mut afar = Afar::beside(name, behind);
        afar.serve(&sato, &own);
        let world = Self { clinic, afar, sato, own };
        // The clock is trusted as soon as the probes have said something of it.
        until("the probes have looked", || {
            world.snapshot().line.is_some_and(|line| line.part.swept_at.is_some())
        });
        world
    }

    fn snapshot(&self) -> Snapshot {
        let mut command = Command::new(sekisho());
        command.args(["status", "--json", "--socket"]).arg(self.clinic.socket_dir());
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap_or_default()
    }

    fn open(&self) -> Output {
        verb(&self.clinic, &["open", "--maintainer", "sato", "--reason", "investigation"], PIN)
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
            let lines = lines
                .filter(|line| !line.trim_start().starts_with("elements = { 10.99.0.0/24, 192.0.2.0/24"));
            let left = lines.filter(|line| line.contains("maint") || line.contains("10.99.0."));
            left.map(str::to_owned).collect::<Vec<_>>()
        });
        visit.unwrap()
    }

    /// One second after: nothing comes back from the management address, and the box has nothing of it.
    fn is_closed(&self, what: &str) {
        let end = Instant::now() + Duration::from_secs(1);
        let open = |world: &Self| !world.left().is_empty() || world.afar.reaches(MANAGEMENT);
        while open(self) {
            assert!(Instant::now() < end, "{what}: {:?}", self.left());
        }
        assert!(!self.afar.reaches(MANAGEMENT), "{what}");
        assert_eq!(self.afar.hears_of("10.99.0.1".parse().unwrap()), [""; 0], "{what}");
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
        assert_eq!(world.afar.hears_of(*address), [""; 0], "nothing of the box listens");
    }
    world.is_closed("before any consent");

    world.open_and_up();
    assert!(world.afar.reaches(MANAGEMENT));
    let elsewhere = ["10.99.0.1:80", "10.99.0.1:445", "10.99.0.1:22", "198.51.100.1:443", "198.51.100.1:445"];
    let further = ["192.0.2.1:53", "192.0.2.2:445", "198.51.100.10:445", "198.51.100.10:5432"];
    for address in elsewhere.into_iter().chain(further) {
        assert!(!world.afar.reaches(address), "{address} is none of a maintainer's");
    }
    for address in &outside {
        assert_eq!(world.afar.hears_of(*address), [""; 0], "during it nothing of the box listens either");
    }

    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed by the verb");
    assert_eq!(end(&world.clinic), Some(End::Closed));

    assert!(world.press(3_000).contains("\"opened\""));
    until("the tunnel stands", || told(&world.clinic).open.is_some_and(|open| open.tunnel == Tunnel::Up));
    assert!(world.afar.reaches(MANAGEMENT));
    assert!(world.press(200).contains("\"closed\""), "one touch");
    world.is_closed("closed by a touch");

    world.open_and_up();
    world.clinic.kill_daemon().unwrap();
    let end_of = Instant::now() + Duration::from_secs(1);
    while world.afar.reaches(MANAGEMENT) {
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
    let world = World::behind("mt-isp", 86_400, &INTERNET, clinic);
    world.is_closed("before any consent");
    world.open_and_up();
    assert!(world.afar.reaches(MANAGEMENT));
    assert!(!world.afar.reaches("198.51.100.1:443") && !world.afar.reaches("192.0.2.2:445"));
    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed by the verb");
}

#[test]
fn a_consent_closes_by_itself_at_its_time() {
    // A consent does not outlast the maintainer's certificate, and this one is good for long enough to come up.
    let world = World::new("mt-time", 60);
    world.open_and_up();
    assert!(world.afar.reaches(MANAGEMENT));
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
    assert!(!world.afar.reaches("198.51.100.10:5432"));
    let further = |host: &str| {
        let words = ["further", "--host", host, "--port", "5432", "--reason", "database"];
        verb(&world.clinic, &words, PIN)
    };
    assert_eq!(further("203.0.113.9").status.code(), Some(1), "no host of the clinic's");
    done(&further("198.51.100.10"));
    assert!(world.afar.reaches("198.51.100.10:5432"));
    assert!(!world.afar.reaches("198.51.100.10:5433") && !world.afar.reaches("192.0.2.2:5432"));
    done(&verb(&world.clinic, &["close"], ""));
    world.is_closed("closed");
    assert!(!world.afar.reaches("198.51.100.10:5432"));
    drop((database, other));
}

#[test]
fn another_certificate_is_nobody_and_a_gateway_that_is_away_is_no_alarm() {
    let mut world = World::new("mt-other", 86_400);
    let mallory = identity("sato.maintainer.test", 86_400);
    world.afar.serve(&mallory, &world.own.clone());
    done(&world.open());
    until("the box has seen who it is", || told(&world.clinic).trouble == Some(Trouble::GatewayNotBelieved));
    assert!(!world.afar.reaches(MANAGEMENT));
    world.afar.silence();
    until("nobody answers", || told(&world.clinic).trouble == Some(Trouble::Silent));
    let verdict = world.snapshot().line.unwrap().part.verdict;
    assert_eq!(
        (verdict.usability, verdict.alarms().count()),
        (Usability::Usable, 0),
        "reception feels nothing"
    );
    let sato = world.sato.clone();
    world.afar.serve(&sato, &world.own.clone());
    until("the right one is believed", || {
        told(&world.clinic).open.is_some_and(|open| open.tunnel == Tunnel::Up)
    });
    assert!(world.afar.reaches(MANAGEMENT));
}
