//! What else asks such hosts whether they are there: prometheus-blackbox-exporter and fping, from the home gateway, which hangs
//! on the same wire as the box and has no firewall that would refuse them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::event::until;
use super::super::lab::Lab;
use super::super::{Wrong, must};
use super::memory;

const HOST: &str = "home";
/// Where blackbox_exporter listens, on the gateway's own loopback.
const DOOR: &str = "127.0.0.1:9115";
/// How long it may take until it listens, and until it has answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// By which of its modules, and what.
const TARGETS: [(&str, &str); 10] = [
    ("icmp", "2001:db8:0:53::1"),
    ("icmp", "2001:db8:0:53::2"),
    ("icmp", "2001:db8:0:cc::10"),
    ("icmp", "2001:db8:0:cc::20"),
    ("icmp", "2001:db8:0:cc::30"),
    ("tcp", "[2001:db8:0:53::1]:53"),
    ("tcp", "[2001:db8:0:53::2]:53"),
    ("tcp", "[2001:db8:0:cc::20]:443"),
    ("tcp", "[2001:db8:0:cc::30]:80"),
    ("tls", "[2001:db8:0:cc::10]:443"),
];

/// The lab's centre has an authority of its own: whose certificate it is, is not what is measured.
const MODULES: &str = "modules:
  icmp: {prober: icmp, timeout: 5s, icmp: {preferred_ip_protocol: ip6}}
  tcp: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip6}}
  tls: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip6, tls: true, tls_config: {insecure_skip_verify: true}}}
";

/// blackbox_exporter at work, until dropped.
#[derive(Debug)]
pub struct Blackbox(Child);

impl Blackbox {
    /// Starts it, and waits until it has found every target once.
    ///
    /// # Errors
    /// It is not installed, or finds one not there.
    pub fn start(lab: &Lab) -> Result<Self, Wrong> {
        let config = lab.scratch().join("blackbox.yml");
        fs::write(&config, MODULES)?;
        let file = format!("--config.file={}", config.display());
        let listen = format!("--web.listen-address={DOOR}");
        let mut command = lab.clinic().command(HOST, &["prometheus-blackbox-exporter", &file, &listen]);
        let command =
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self(command.spawn()?);
        until("blackbox_exporter listens", PATIENCE, || {
            Ok(lab.clinic().inside(HOST, || TcpStream::connect(DOOR).is_ok())?.then_some(()))
        })?;
        started.all(lab)?;
        Ok(started)
    }

    /// Has it look at all targets at once; gives the time until the last has answered.
    ///
    /// # Errors
    /// One is not found there.
    pub fn all(&self, lab: &Lab) -> Result<Duration, Wrong> {
        let asked = lab.clinic().inside(HOST, || {
            // Connected beforehand, as Prometheus keeps its connections: what is measured is the looking.
            let doors = TARGETS.map(|_| TcpStream::connect(DOOR));
            let begun = Instant::now();
            let asking: Vec<_> = TARGETS
                .into_iter()
                .zip(doors)
                .map(|(target, door)| std::thread::spawn(move || ask(target, door?)))
                .collect();
            let said: Vec<_> = asking.into_iter().map(std::thread::JoinHandle::join).collect();
            (begun.elapsed(), said)
        })?;
        let (took, said) = asked;
        for (said, target) in said.into_iter().zip(TARGETS) {
            let said = said.map_err(|_| Wrong::new("a client panicked"))??;
            must(said.contains("probe_success 1"), || {
                format!("blackbox_exporter does not find {target:?}: {said}")
            })?;
        }
        Ok(took)
    }

    /// Its memory, KiB.
    ///
    /// # Errors
    /// It has ended.
    pub fn memory(&self) -> Result<u64, Wrong> {
        memory(self.0.id())
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        // What enters the host becomes the program: it is the group. Ended already: nothing is left to end.
        let group = i32::try_from(self.0.id()).map(Pid::from_raw);
        let _ = group.map(|group| killpg(group, Signal::SIGKILL));
        let _ = self.0.wait();
    }
}

fn ask((module, target): (&str, &str), mut door: TcpStream) -> std::io::Result<String> {
    door.set_nodelay(true)?;
    write!(
        door,
        "GET /probe?module={module}&target={target} HTTP/1.1\r\nHost: {DOOR}\r\nConnection: close\r\n\r\n"
    )?;
    let mut said = String::new();
    door.read_to_string(&mut said)?;
    Ok(said)
}

/// fping to the hosts of all targets, 1 ms apart, as a process; gives its time.
///
/// # Errors
/// It is not installed, or one does not answer.
pub fn fping(lab: &Lab) -> Result<Duration, Wrong> {
    let host = |(_, target): (&'static str, &'static str)| {
        target.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(target)
    };
    let argv: Vec<&str> = ["fping", "-6", "-q", "-c1", "-i1"].into_iter().chain(TARGETS.map(host)).collect();
    let begun = Instant::now();
    lab.exec(HOST, &argv)?;
    Ok(begun.elapsed())
}
