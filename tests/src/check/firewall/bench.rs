//! A box in a network namespace, and what is plugged into its ports in another: frames go in from outside and by the box's
//! own sockets, and what comes out is what the ports' far ends and the box's sockets really received.
//!
//! - The kernel's own answers (resets, ICMP, neighbour discovery) are kept in by a rule of the bench before any other, so
//!   that every packet on a wire and in a counter is one that was sent on purpose.
//! - All of it runs on one processor, whose queue is first in, first out: when a marker has come through, what was sent
//!   before it has, too. Nothing waits for time to pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use firewall::packet::{Packet, Path};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, CpuSet, sched_setaffinity, setns, unshare};
use serde_json::{Value, json};

use super::came::{Came, Ends, Place};
use super::frame::{self, Read, Shot};
use super::ground::{TABLE, own_rules};
use super::sockets;
use crate::check::Wrong;

/// What came of each packet of a volley.
pub(super) type Arrivals = Vec<Came>;

/// The most packets on their way at once; the kernel's queue holds a thousand (net.core.netdev_max_backlog).
pub(super) const VOLLEY: usize = 250;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a box's ports have: `ip -batch` lines with what makes a packet go where it is meant to go.
pub(super) struct Ground {
    pub(super) ports: Vec<String>,
    pub(super) lines: String,
}

struct Port {
    name: String,
    index: u32,
    /// Frames at its far end.
    outside: OwnedFd,
    /// Frames at the box's end, before anything of the box looks at them.
    inside: OwnedFd,
    sent4: OwnedFd,
    sent6: OwnedFd,
}

/// Lives on the thread that built it, which stands in the namespace of the bench it works with.
pub(super) struct Bench {
    of_box: File,
    ports: Vec<Port>,
    received: BTreeMap<(bool, u8), OwnedFd>,
    /// What is logged.
    log: OwnedFd,
    markers: u32,
}

/// Runs a case on a thread of its own, on one processor.
pub(super) fn alone<T: Send>(
    processor: usize,
    case: impl FnOnce() -> Result<T, Wrong> + Send,
) -> Result<T, Wrong> {
    let settled = || -> Result<T, Wrong> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut own = CpuSet::new();
        own.set(processor % processors).map_err(told("choose a processor"))?;
        sched_setaffinity(nix::unistd::Pid::from_raw(0), &own).map_err(told("stay on a processor"))?;
        case()
    };
    std::thread::scope(|scope| {
        let joined = scope.spawn(settled).join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn told(doing: &'static str) -> impl Fn(nix::errno::Errno) -> Wrong {
    move |errno| Wrong(format!("failed to {doing}: {errno}"))
}

/// Runs a program in the namespace of this thread.
fn run(program: &str, arguments: &[&str], input: &str) -> Result<Vec<u8>, Wrong> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Wrong(format!("failed to run {program}: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // What it does not read it says more about than a broken pipe does.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said: String = String::from_utf8_lossy(&output.stderr).chars().take(600).collect();
    Err(Wrong(format!("{program} {arguments:?}: {}", said.trim())))
}

fn list(what: &[&str]) -> Result<Value, Wrong> {
    let text = run("nft", &[&["-j", "list"], what].concat(), "")?;
    serde_json::from_slice(&text).map_err(|error| Wrong(format!("nft's listing: {error}")))
}

/// Does `ip -batch` lines in the namespace of this thread.
pub(super) fn ip(lines: &str) -> Result<(), Wrong> {
    run("ip", &["-batch", "-"], lines).map(drop)
}

fn sysctl(path: &str, value: &str) -> Result<(), Wrong> {
    let path = format!("/proc/sys/net/{path}");
    std::fs::write(&path, value).map_err(|error| Wrong(format!("failed to write {path}: {error}")))
}

impl Bench {
    /// In a namespace of its own, in which the thread then stands.
    pub(super) fn build(ground: &Ground) -> Result<Self, Wrong> {
        unshare(CloneFlags::CLONE_NEWNET).map_err(told("make a network namespace, which wants root"))?;
        let of_box = File::open("/proc/thread-self/ns/net")?;
        let outside = far_ends(ground, &of_box)?;
        setns(&of_box, CloneFlags::CLONE_NEWNET).map_err(told("go back into the box"))?;
        settle(ground)?;
        let mut ports = Vec::new();
        for (name, outside) in ground.ports.iter().zip(outside) {
            ports.push(Port {
                name: name.clone(),
                index: nix::net::if_::if_nametoindex(name.as_str()).map_err(told("find a port"))?,
                outside,
                inside: sockets::frames(name, libc::ETH_P_ALL)?,
                sent4: sockets::sent(true, name)?,
                sent6: sockets::sent(false, name)?,
            });
        }
        let log = sockets::logged(firewall::nft::LOG_GROUP)?;
        Ok(Self { of_box, ports, received: BTreeMap::new(), log, markers: 0 })
    }

    /// Goes into this bench's namespace.
    pub(super) fn enter(&self) -> Result<(), Wrong> {
        setns(&self.of_box, CloneFlags::CLONE_NEWNET).map_err(told("go into the box"))
    }

    /// Puts a ruleset in the place of everything that was there, and forgets all flows.
    pub(super) fn load(&self, document: &Value) -> Result<(), Wrong> {
        self.reload(document)?;
        self.forget_flows()
    }

    /// As [`Self::load`], but what was open stays open.
    pub(super) fn reload(&self, document: &Value) -> Result<(), Wrong> {
        let mut commands = vec![json!({"flush": {"ruleset": null}})];
        commands.extend(own_rules());
        commands.extend(document["nftables"].as_array().into_iter().flatten().cloned());
        let document = json!({ "nftables": commands });
        run("nft", &["-j", "-f", "-"], &document.to_string()).map(drop)
    }

    /// Forgets all flows.
    pub(super) fn forget_flows(&self) -> Result<(), Wrong> {
        sockets::forget_flows().map_err(|error| Wrong(format!("failed to forget the flows: {error}")))
    }

    /// What the kernel holds, without what is the bench's own.
    pub(super) fn listing(&self) -> Result<Value, Wrong> {
        let mut listing = list(&["ruleset"])?;
        let own = |object: &Value| {
            let body = object.as_object().and_then(|object| object.values().next());
            body.is_some_and(|body| {
                body["table"] == TABLE || body["name"] == TABLE && object.get("table").is_some()
            })
        };
        if let Some(objects) = listing["nftables"].as_array_mut() {
            objects.retain(|object| !own(object));
        }
        Ok(listing)
    }

    /// What the rules of a table have counted, by comment.
    pub(super) fn counts(&self, table: &str) -> Result<BTreeMap<String, u64>, Wrong> {
        let listing = list(&["table", "inet", table])?;
        let rules =
            listing["nftables"].as_array().into_iter().flatten().filter_map(|object| object.get("rule"));
        let count = |rule: &Value| {
            let count =
                rule["expr"].as_array()?.iter().find_map(|step| step["counter"]["packets"].as_u64())?;
            Some((rule["comment"].as_str()?.to_owned(), count))
        };
        Ok(rules.filter_map(count).collect())
    }

    /// Sends packets, and says where each came out. The order in which those of one volley are met is theirs; the box's
    /// own may overtake those from outside.
    pub(super) fn volley(&mut self, shots: &[&Shot]) -> Result<Arrivals, Wrong> {
        let mut arrivals = Vec::with_capacity(shots.len());
        for part in shots.chunks(VOLLEY) {
            arrivals.extend(self.few(part)?);
        }
        Ok(arrivals)
    }

    fn few(&mut self, shots: &[&Shot]) -> Result<Arrivals, Wrong> {
        for shot in shots {
            self.listen(&shot.packet)?;
        }
        for (place, shot) in shots.iter().enumerate() {
            self.send(shot, number(place))?;
        }
        let mut arrivals = vec![Came::default(); shots.len()];
        self.wait_inside()?;
        self.hear(&mut arrivals)?;
        self.wait_outside(&mut arrivals)?;
        self.read_log(&mut arrivals)?;
        Ok(arrivals)
    }

    /// Makes sure that the box receives what it may receive of this packet.
    fn listen(&mut self, packet: &Packet) -> Result<(), Wrong> {
        let key = (packet.source.is_ipv4(), packet.protocol);
        if let std::collections::btree_map::Entry::Vacant(entry) = self.received.entry(key) {
            // Protocol 0 is nobody's in IPv4 and an extension header in IPv6: no socket receives it.
            if packet.protocol != 0 {
                entry.insert(sockets::received(key.0, key.1)?);
            }
        }
        Ok(())
    }

    fn port(&self, name: &str) -> Result<&Port, Wrong> {
        let port = self.ports.iter().find(|port| port.name == name);
        port.ok_or_else(|| Wrong(format!("the bench has no port {name}")))
    }

    fn send(&self, shot: &Shot, number: u16) -> Result<(), Wrong> {
        let packet = &shot.packet;
        let failed = |error: std::io::Error| Wrong(format!("failed to send {packet}: {error}"));
        if packet.path == Path::Output {
            let port = self.port(&packet.to_port)?;
            let socket = if packet.source.is_ipv4() { &port.sent4 } else { &port.sent6 };
            let bytes = frame::bytes(shot, number);
            match sockets::send(socket, &bytes, packet.destination, scope(packet.destination, port.index)) {
                // The box cannot send this at all: it comes out nowhere, with any ruleset.
                Err(error) if is_no_way(&error) => return Ok(()),
                outcome => return outcome.map(drop).map_err(failed),
            }
        }
        let bytes = frame::frame(shot, number);
        nix::unistd::write(&self.port(&packet.from_port)?.outside, &bytes)
            .map(drop)
            .map_err(|errno| failed(errno.into()))
    }

    /// Until all that went in has been through the box.
    fn wait_inside(&mut self) -> Result<(), Wrong> {
        self.markers += 2;
        let marker = frame::marker(self.markers);
        for port in &self.ports {
            nix::unistd::write(&port.outside, &marker).map_err(told("send a marker"))?;
        }
        self.ports.iter().try_for_each(|port| until_marker(&port.inside, self.markers, |_| {}))
    }

    /// What the box's sockets have received.
    fn hear(&self, arrivals: &mut Arrivals) -> Result<(), Wrong> {
        let mut buffer = [0; 2048];
        for ((ipv4, _), socket) in &self.received {
            while let Some((length, label)) = sockets::next(socket.as_raw_fd(), &mut buffer)? {
                let bytes = &buffer[..length];
                let (number, ends) = match (*ipv4, frame::number(bytes)) {
                    (true, number) => (number, Ends::read(bytes)),
                    (false, _) => (label, Ends::of_payload(bytes)),
                };
                arrive(arrivals, number, |came| came.out_at(Place::TheBox, ends));
            }
        }
        Ok(())
    }

    /// Until all that went out has come to the far ends.
    fn wait_outside(&self, arrivals: &mut Arrivals) -> Result<(), Wrong> {
        // Another number: a ruleset may send the first marker out again.
        let back = self.markers + 1;
        let marker = frame::marker(back);
        for port in &self.ports {
            nix::unistd::write(&port.inside, &marker).map_err(told("send a marker back"))?;
        }
        for port in &self.ports {
            until_marker(&port.outside, back, |bytes| {
                let place = Place::Port(port.name.clone());
                let ends = Ends::read(bytes);
                arrive(arrivals, frame::number(bytes), |came| came.out_at(place, ends));
            })?;
        }
        Ok(())
    }

    /// Under which prefixes they were logged.
    fn read_log(&self, arrivals: &mut Arrivals) -> Result<(), Wrong> {
        let mut buffer = [0; 4096];
        while let Some((length, _)) = sockets::next(self.log.as_raw_fd(), &mut buffer)? {
            let attributes = sockets::attributes(&buffer[..length]);
            let of = |kind: u16| attributes.iter().find(|(own, _)| *own == kind).map(|(_, value)| *value);
            // NFULA_PAYLOAD and NFULA_PREFIX.
            let (Some(packet), Some(prefix)) = (of(9), of(10)) else { continue };
            let prefix = String::from_utf8_lossy(prefix).trim_end_matches('\0').to_owned();
            arrive(arrivals, frame::number(packet), |came| came.under(prefix));
        }
        Ok(())
    }
}

/// Notes something of the packet with this number.
fn arrive(arrivals: &mut Arrivals, number: u16, note: impl FnOnce(&mut Came)) {
    if let Some(came) = usize::from(number).checked_sub(1).and_then(|place| arrivals.get_mut(place)) {
        note(came);
    }
}

/// A place in a volley as the number its packet carries; 0 is what the kernel numbers itself.
fn number(place: usize) -> u16 {
    u16::try_from(place + 1).unwrap_or(u16::MAX)
}

/// Only link-local addresses and groups need the port's index (RFC 4007).
fn scope(address: IpAddr, index: u32) -> u32 {
    match address {
        IpAddr::V6(address) if address.is_multicast() || address.is_unicast_link_local() => index,
        _ => 0,
    }
}

fn is_no_way(error: &std::io::Error) -> bool {
    let ways = [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EINVAL, libc::EACCES, libc::EADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|code| ways.contains(&code))
}

/// Reads frames until the marker comes.
fn until_marker(socket: &OwnedFd, marker: u32, mut packet: impl FnMut(&[u8])) -> Result<(), Wrong> {
    let mut buffer = [0; 2048];
    let end = Instant::now() + PATIENCE;
    loop {
        while let Some((length, _)) = sockets::next(socket.as_raw_fd(), &mut buffer)? {
            match frame::read(&buffer[..length]) {
                Read::Packet(bytes) => packet(bytes),
                Read::Marker(seen) if seen == marker => return Ok(()),
                Read::Marker(_) | Read::Other => {}
            }
        }
        if Instant::now() > end {
            return Err(Wrong::new("a marker got lost on the bench"));
        }
        poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::from(200_u16))
            .map_err(told("wait for a marker"))?;
    }
}

/// Makes the ports, and their far ends in a namespace that lives as long as these sockets; leaves this thread in it.
fn far_ends(ground: &Ground, of_box: &File) -> Result<Vec<OwnedFd>, Wrong> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(told("make the namespace outside"))?;
    sysctl("ipv6/conf/all/disable_ipv6", "1")?;
    sysctl("ipv6/conf/default/disable_ipv6", "1")?;
    let ends = || ground.ports.iter().enumerate();
    let pairs: String = ends()
        .map(|(at, port)| format!("link add dev o{at} type veth peer name {port}\nlink set dev o{at} up\n"))
        .collect();
    ip(&pairs)?;
    let sockets: std::io::Result<Vec<OwnedFd>> =
        ends().map(|(at, _)| sockets::frames(&format!("o{at}"), libc::ETH_P_ALL)).collect();
    let target = format!("/proc/{}/fd/{}", std::process::id(), of_box.as_raw_fd());
    ip(&ground.ports.iter().map(|port| format!("link set dev {port} netns {target}\n")).collect::<String>())?;
    Ok(sockets?)
}

/// Forwards both families, believes every source address, asks nobody for link addresses.
fn settle(ground: &Ground) -> Result<(), Wrong> {
    let settings = [
        ("ipv4/ip_forward", "1"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv6/conf/default/router_solicitations", "0"),
    ];
    settings.iter().try_for_each(|(path, value)| sysctl(path, value))?;
    let mut lines = "link set dev lo up\n".to_owned();
    for port in &ground.ports {
        sysctl(&format!("ipv4/conf/{port}/rp_filter"), "0")?;
        sysctl(&format!("ipv6/conf/{port}/accept_dad"), "0")?;
        lines += &format!("link set dev {port} address 02:00:00:00:00:01 arp off up\n");
    }
    ip(&(lines + &ground.lines))
}
