//! The maintainer's side: a network of its own behind the line, its gateway's charon, and an address in the tunnel. What his packets
//! reach is what counts.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use super::{Wrong, must};

/// By which way the box calls the maintainer's gateway, where that stands, and both ends of the wire to it.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    uplink: &'static str,
    host: &'static str,
    here: &'static str,
    away: &'static str,
    length: u8,
}

/// Inside the carrier's closed network.
pub const CLOSED: Way =
    Way { uplink: "line", host: "ngn", here: "2001:db8:0:ab::1", away: "2001:db8:0:ab::9", length: 64 };
/// On the internet, behind the provider of the internet line.
pub const INTERNET: Way =
    Way { uplink: "internet", host: "isp", here: "203.0.113.193", away: "203.0.113.194", length: 30 };

/// The box's management address, and the page there.
pub const MANAGEMENT: &str = "10.99.0.1:443";
/// The maintainer's own address.
const MAINTAINER: &str = "10.99.0.7";

/// How long the gateway may take until it can be told.
const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate with its key, both PEM.
pub type Identity = (String, String);

/// A certificate of P-384 with its key, good for so many seconds from now.
///
/// # Errors
/// It cannot be made.
pub fn identity(name: &str, seconds: u64) -> Result<Identity, Wrong> {
    let failed = |error: rcgen::Error| Wrong(error.to_string());
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(failed)?;
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let now = std::time::SystemTime::now();
    params.not_before = (now - Duration::from_secs(3600)).into();
    params.not_after = (now + Duration::from_secs(seconds)).into();
    Ok((params.self_signed(&key).map_err(failed)?.pem(), key.serialize_pem()))
}

/// What the site file says of one maintainer with this certificate, who is called by this way.
pub fn site_table(certificate: &str, way: &Way) -> String {
    let Way { away, uplink, .. } = way;
    format!(
        "\n[maintainer]\naddress = \"10.99.0.1/24\"\ngateways = [\"{away}\"]\nuplink = \"{uplink}\"\nclaim-days = []\n\
         [maintainer.button]\nmaintainer = \"sato\"\nreason = \"点検\"\nminutes = 30\n\
         [[maintainer.person]]\nname = \"sato\"\ncertificate = \"\"\"\n{certificate}\"\"\"\n"
    )
}

/// The maintainer's side; gone when dropped.
#[derive(Debug)]
pub struct Afar {
    namespace: String,
    folder: PathBuf,
    gateway: Option<Child>,
}

impl Afar {
    /// Makes it behind the line's router of a clinic of this name, whose line is not by IPsec, or on its internet.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn beside(name: &str, way: &Way) -> Result<Self, Wrong> {
        let namespace = format!("afar-{name}");
        let _ = Command::new("ip").args(["netns", "del", &namespace]).output();
        run(&["ip", "netns", "add", &namespace])?;
        let folder = std::env::temp_dir().join(format!("{namespace}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let afar = Self { namespace, folder, gateway: None };
        let Way { host, here: gateway, away, length, .. } = way;
        let host = format!("{name}-{host}");
        let here = &afar.namespace;
        run(&[
            "ip", "link", "add", "m0", "netns", &host, "type", "veth", "peer", "name", "g0", "netns", here,
        ])?;
        run(&["ip", "-n", &host, "link", "set", "m0", "up"])?;
        run(&["ip", "-n", &host, "addr", "add", &format!("{gateway}/{length}"), "dev", "m0", "nodad"])?;
        for words in [
            "link set lo up",
            "link set g0 up",
            &format!("addr add {away}/{length} dev g0 nodad"),
            &format!("addr add {MAINTAINER}/32 dev lo"),
            &format!("route add default via {gateway}"),
        ] {
            let words: Vec<&str> = ["ip", "-n", here].into_iter().chain(words.split(' ')).collect();
            run(&words)?;
        }
        Ok(afar)
    }

    /// The gateway answers, shows this certificate, and knows the box's.
    ///
    /// # Errors
    /// It does not start.
    pub fn serve(&mut self, shown: &Identity, box_certificate: &str) -> Result<(), Wrong> {
        self.silence();
        let at = |name: &str| self.folder.join(name);
        for folder in ["x509", "private"] {
            fs::create_dir_all(at(folder))?;
        }
        fs::write(at("x509/own.pem"), &shown.0)?;
        fs::write(at("private/own.pem"), &shown.1)?;
        fs::write(at("x509/box.pem"), box_certificate)?;
        fs::write(at("swanctl.conf"), GATEWAY)?;
        let socket = format!("unix://{}", at("vici").display());
        fs::write(at("strongswan.conf"), CHARON.replace("SOCKET", &socket))?;
        let conf = at("strongswan.conf").display().to_string();
        let start = format!(
            "mount -t tmpfs tmpfs /run && STRONGSWAN_CONF={conf} exec /usr/lib/ipsec/charon 2>{}",
            self.log().display()
        );
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, "unshare", "-m", "sh", "-c", &start]);
        self.gateway = Some(command.stdin(Stdio::null()).spawn()?);
        super::event::until("the maintainer's gateway is told", PATIENCE, || {
            let mut load = Command::new("swanctl");
            load.args(["--load-all", "--uri", &socket]).env("SWANCTL_DIR", &self.folder);
            let done = load.env("STRONGSWAN_CONF", &conf).output()?;
            Ok(done.status.success().then_some(()))
        })
    }

    /// The gateway is not there.
    pub fn silence(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            let _ = gateway.kill();
            let _ = gateway.wait();
        }
    }

    /// What the gateway said.
    pub fn log(&self) -> PathBuf {
        self.folder.join("charon.log")
    }

    /// Does something in the maintainer's network, on a thread of its own.
    ///
    /// # Errors
    /// It is not there.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Wrong> {
        let door = fs::File::open(Path::new("/run/netns").join(&self.namespace))?;
        std::thread::scope(|scope| {
            let visit = scope.spawn(|| {
                setns(door, CloneFlags::CLONE_NEWNET).map_err(|error| Wrong(format!("enter it: {error}")))?;
                Ok(work())
            });
            visit.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Whether a TCP connection comes about in so long.
    ///
    /// # Errors
    /// It is no address.
    pub fn reaches(&self, address: &str, patience: Duration) -> Result<bool, Wrong> {
        let address: SocketAddr = address.parse().map_err(|_| Wrong(format!("{address} is no address")))?;
        self.inside(|| TcpStream::connect_timeout(&address, patience).is_ok())
    }

    /// Whatever comes back from an address: TCP, even a refusal, or a datagram.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn hears_of(&self, address: IpAddr) -> Result<Vec<String>, Wrong> {
        self.inside(|| {
            let tcp = [22, 53, 80, 443, 445, 500, 4500].into_iter().filter(|port| {
                let tried = TcpStream::connect_timeout(&(address, *port).into(), SHORT);
                tried.map_or_else(|error| error.kind() == ErrorKind::ConnectionRefused, |_| true)
            });
            let mut heard: Vec<String> = tcp.map(|port| format!("tcp {port}")).collect();
            for port in [53, 123, 500, 4500] {
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any)?;
                socket.set_read_timeout(Some(SHORT))?;
                if socket.connect((address, port)).is_ok() && socket.send(&[0; 40]).is_ok() {
                    heard.extend(socket.recv(&mut [0; 64]).map(|_| format!("udp {port}")));
                }
            }
            Ok::<_, std::io::Error>(heard)
        })?
        .map_err(Wrong::from)
    }
}

/// How long one question may take.
const SHORT: Duration = Duration::from_millis(150);

impl Drop for Afar {
    fn drop(&mut self) {
        self.silence();
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn run(words: &[&str]) -> Result<(), Wrong> {
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    must(output.status.success(), || {
        format!("{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim())
    })
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
