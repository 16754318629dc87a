//! Open flows under a new ruleset. To the kernel a flow that is open is allowed, whatever let it begin; so after each
//! load those that the new ruleset would not let begin are ended, and no others: whoever talks rightly feels nothing.
//!
//! The kernel does not remember by which port a flow began. One is left alone if it could begin by any port at all;
//! what that spares is little, since a source address belongs to one zone (9).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use serde_json::{Value, json};

use crate::explain::explain;
use crate::netlink::{self, Message, Socket, Subsystem, attribute, attributes, request, write};
use crate::nft::TABLE;
use crate::packet::{Packet, Path, State};

// linux/netfilter/nfnetlink_conntrack.h
const GET: u8 = 1;
const DELETE: u8 = 2;
const OPENING: u16 = 1;
const ID: u16 = 12;
const ZONE: u16 = 18;
const ADDRESSES: u16 = 1;
const TRANSPORT: u16 = 2;
/// What the box says to itself goes by this port, and nothing else does.
const LOOPBACK: &str = "lo";
/// So long are open flows looked at. Some thousand kinds of them take less, and the room does nothing else meanwhile.
const JUDGING: Duration = Duration::from_secs(5);
/// An attribute of attributes.
const NESTED: u16 = 0x8000;

/// Open flows that a ruleset would not let begin.
#[derive(Debug, Default)]
pub(crate) struct Foul(Vec<Flow>);

/// Which of the open flows this ruleset would not let begin.
///
/// # Errors
/// The kernel's word.
pub(crate) async fn foul(document: &Value) -> io::Result<Foul> {
    let mut socket = Socket::open(0)?;
    let mut open = Vec::new();
    let all = request(Subsystem::Conntrack, GET, netlink::DUMP, 0, 0, &[]);
    socket.dump(&all, |message| open.extend(Flow::read(message))).await?;
    let (ends, document) = (Ends::look()?, lasting(document));
    let until = Instant::now() + JUDGING;
    Ok(Foul(tokio::task::spawn_blocking(move || refused(open, &ends, &document, until)).await?))
}

/// Ends them, and says how many there were.
///
/// # Errors
/// The kernel's word; then some or all of them go on.
pub(crate) async fn end(foul: &Foul) -> io::Result<usize> {
    let mut socket = Socket::open(0)?;
    let mut ended = 0;
    for flow in &foul.0 {
        match socket.ask(&flow.end()).await {
            Ok(()) => ended += 1,
            // It has ended by itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ended)
}

/// The ruleset as a flow that is open is judged by it: where a name led to stays allowed for as long as the flow lasts,
/// also when the answer's time is over. So everything that is expected counts as learned, at the ports of names.
fn lasting(document: &Value) -> Value {
    let mut document = document.clone();
    let Some(items) = document["nftables"].as_array_mut() else { return document };
    let sets = || items.iter().map(|item| &item.get("add").unwrap_or(item)["set"]);
    let elements = |name: &str| {
        let set = sets().find(|set| set["name"] == name && set["table"] == TABLE.1);
        set.and_then(|set| set["elem"].as_array()).cloned().unwrap_or_default()
    };
    let (expected, services) = (elements("expected"), elements("named_services"));
    let each = |address: &Value| {
        let service = |service: &Value| {
            let parts = service["concat"].as_array().into_iter().flatten().cloned();
            let parts: Vec<Value> = std::iter::once(address.clone()).chain(parts).collect();
            json!({ "concat": parts })
        };
        services.iter().map(service).collect::<Vec<_>>()
    };
    let all: Vec<Value> = expected.iter().flat_map(each).collect();
    for item in items {
        let is_command = item.get("add").is_some();
        let set = if is_command { &mut item["add"] } else { item }.get_mut("set");
        if let Some(set) = set.filter(|set| set["name"] == "learned" && set["table"] == TABLE.1) {
            set["elem"] = json!(all);
        }
    }
    document
}

/// The flows that could begin by no port. Those that differ in a free source port only are looked at once. One of which
/// it cannot be said goes on, with a warning for all of them. Who opens so many that they are not all looked at in time
/// gains nothing: the rest is ended, and begins anew if it may.
fn refused(open: Vec<Flow>, ends: &Ends, document: &Value, until: Instant) -> Vec<Flow> {
    const FREE: u16 = 1024;
    let mut late = 0_usize;
    let mut known: BTreeMap<Opening, bool> = BTreeMap::new();
    let mut unclear = None;
    let mut may_begin = |flow: &Flow| {
        let mut opening = flow.opening;
        if opening.services[0] >= FREE {
            opening.services[0] = u16::MAX;
        }
        if !known.contains_key(&opening) && Instant::now() >= until {
            late += 1;
            return false;
        }
        *known.entry(opening).or_insert_with(|| {
            ends.may_begin(&opening, document).unwrap_or_else(|reason| {
                unclear = Some(reason);
                true
            })
        })
    };
    let refused = open.into_iter().filter(|flow| !may_begin(flow)).collect();
    if late > 0 {
        tracing::warn!(late, "open flows were not all looked at in time: the rest is ended");
    }
    if let Some(reason) = unclear {
        tracing::warn!(%reason, "whether an open flow is still allowed cannot be said: it goes on");
    }
    refused
}

/// The packet that opened a flow, as far as the kernel remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opening {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) services: [u16; 2],
    pub(crate) icmp: [u8; 2],
}

/// An open flow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flow {
    family: u8,
    opening: Opening,
    /// What names it to the kernel, as the kernel wrote it.
    name: Vec<Vec<u8>>,
}

impl Flow {
    fn read(message: &Message<'_>) -> Option<Self> {
        if !message.is(Subsystem::Conntrack, 0) {
            return None;
        }
        let tuple = attribute(message.attributes(), OPENING)?;
        let mut name = vec![write(OPENING | NESTED, tuple)];
        for kind in [ID, ZONE] {
            name.extend(attribute(message.attributes(), kind).map(|content| write(kind, content)));
        }
        Some(Self { family: message.family(), opening: Opening::read(tuple)?, name })
    }

    /// The request that ends it. Without its name the kernel would end all flows, so a flow always has one.
    fn end(&self) -> Vec<u8> {
        request(Subsystem::Conntrack, DELETE, netlink::ACKNOWLEDGE, self.family, 0, &self.name)
    }
}

impl Opening {
    pub(crate) fn read(tuple: &[u8]) -> Option<Self> {
        let of = |kind| attribute(attributes(tuple), kind);
        let (addresses, transport) = (of(ADDRESSES)?, of(TRANSPORT)?);
        let part = |kind| attribute(attributes(transport), kind);
        let service =
            |kind| part(kind).and_then(|it| it.first_chunk()).map_or(0, |it| u16::from_be_bytes(*it));
        let octet = |kinds: [u16; 2]| kinds.into_iter().find_map(part).and_then(<[u8]>::first).copied();
        Some(Self {
            source: address(addresses, [1, 3])?,
            destination: address(addresses, [2, 4])?,
            protocol: *part(1)?.first()?,
            services: [service(2), service(3)],
            icmp: [octet([5, 8]).unwrap_or(0), octet([6, 9]).unwrap_or(0)],
        })
    }
}

fn address(addresses: &[u8], [ipv4, ipv6]: [u16; 2]) -> Option<IpAddr> {
    let of = |kind| attribute(attributes(addresses), kind);
    let ipv4 = of(ipv4).and_then(|it| it.first_chunk::<4>()).map(|it| Ipv4Addr::from(*it).into());
    ipv4.or_else(|| of(ipv6).and_then(|it| it.first_chunk::<16>()).map(|it| Ipv6Addr::from(*it).into()))
}

/// The box's ends: its ports and its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ends {
    ports: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Ends {
    fn look() -> io::Result<Self> {
        let mut ends = Self::default();
        for found in getifaddrs()? {
            let address = found.address.as_ref();
            let ipv4 = address.and_then(|it| it.as_sockaddr_in()).map(|it| IpAddr::from(it.ip()));
            let ipv6 = address.and_then(|it| it.as_sockaddr_in6()).map(|it| IpAddr::from(it.ip()));
            ends.addresses.extend(ipv4.or(ipv6));
            ends.ports.insert(found.interface_name);
        }
        Ok(ends)
    }

    /// Whether the flow could begin by any way its addresses allow.
    ///
    /// # Errors
    /// What on a way is not understood, if it begins by no other.
    fn may_begin(&self, opening: &Opening, document: &Value) -> Result<bool, String> {
        let mut unclear = None;
        for packet in self.ways(opening) {
            match explain(document, &packet) {
                Ok(decision) if decision.accepted => return Ok(true),
                Ok(_) => {}
                Err(reason) => unclear = Some(reason),
            }
        }
        unclear.map_or(Ok(false), Err)
    }

    fn ways(&self, opening: &Opening) -> Vec<Packet> {
        let is_own = |address: &IpAddr| self.addresses.contains(address);
        let is_for_many = match opening.destination {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        let packet = |path, from: &str, to: &str| opening.packet(path, from, to);
        let ports = || self.ports.iter().filter(|port| *port != LOOPBACK);
        match (is_own(&opening.source), is_own(&opening.destination)) {
            (true, true) => vec![packet(Path::Output, "", LOOPBACK)],
            (true, false) => ports().map(|to| packet(Path::Output, "", to)).collect(),
            (false, for_us) if for_us || is_for_many => {
                ports().map(|from| packet(Path::Input, from, "")).collect()
            }
            (false, _) => ports()
                .flat_map(|from| ports().map(move |to| (from, to)))
                .map(|(from, to)| packet(Path::Forward, from, to))
                .collect(),
        }
    }
}

impl Opening {
    fn packet(&self, path: Path, from: &str, to: &str) -> Packet {
        Packet {
            path,
            from_port: from.to_owned(),
            to_port: to.to_owned(),
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            readable: true,
            source_service: self.services[0],
            destination_service: self.services[1],
            icmp_type: self.icmp[0],
            icmp_code: self.icmp[1],
            hop_limit: 64,
            state: State::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Profile, Site};
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::messages;
    use crate::now::Now;
    use crate::tests::site;
    use crate::{Plan, compile_json, drop_all};

    fn tuple(source: [u8; 4], destination: [u8; 4], protocol: u8, services: [u16; 2]) -> Vec<u8> {
        let addresses = [write(1, &source), write(2, &destination)].concat();
        let [from, to] = services.map(u16::to_be_bytes);
        let transport = [write(1, &[protocol]), write(2, &from), write(3, &to)].concat();
        [write(ADDRESSES | NESTED, &addresses), write(TRANSPORT | NESTED, &transport)].concat()
    }

    fn flow(source: [u8; 4], destination: [u8; 4], protocol: u8, services: [u16; 2]) -> Flow {
        let content = [
            write(OPENING | NESTED, &tuple(source, destination, protocol, services)),
            write(3, b"status"),
            write(ID, &[1, 2, 3, 4]),
        ];
        let message = request(Subsystem::Conntrack, 0, 0, 2, 0, &content);
        let flow = messages(&message).find_map(|message| Flow::read(&message));
        flow.unwrap()
    }

    fn the_box() -> Ends {
        let ports = ["lo", "wan0", "term0", "lan0"].map(str::to_owned).into();
        let addresses = [[127, 0, 0, 1], [192, 0, 2, 1], [198, 51, 100, 1]];
        Ends { ports, addresses: addresses.map(IpAddr::from).into() }
    }

    const TERMINAL: [u8; 4] = [192, 0, 2, 2];
    const AMONG_TERMINALS: [u8; 4] = [192, 0, 2, 1];
    const STATION: [u8; 4] = [198, 51, 100, 10];
    const IN_CLINIC: [u8; 4] = [198, 51, 100, 1];

    #[test]
    fn only_what_could_not_begin_by_any_port_is_ended() {
        let allowed = [
            flow(STATION, IN_CLINIC, 6, [50_000, 445]),
            flow(TERMINAL, AMONG_TERMINALS, 17, [50_001, 53]),
            flow(AMONG_TERMINALS, TERMINAL, 6, [50_002, 445]),
            flow([127, 0, 0, 1], [127, 0, 0, 1], 6, [50_003, 9]),
        ];
        let foul = [
            flow(STATION, IN_CLINIC, 6, [50_000, 22]),
            flow(STATION, TERMINAL, 6, [50_000, 445]),
            flow(TERMINAL, AMONG_TERMINALS, 6, [50_000, 445]),
            flow(IN_CLINIC, [203, 0, 113, 9], 6, [50_000, 443]),
        ];
        let open = allowed.iter().chain(&foul).cloned().collect();
        assert_eq!(refused(open, &the_box(), &compile_json(&site()), soon()), foul);
        let open = allowed.to_vec();
        assert_eq!(refused(open, &the_box(), &drop_all(), soon()), allowed[..3], "loopback lives");
        let open = allowed.to_vec();
        let late = refused(open, &the_box(), &compile_json(&site()), Instant::now());
        assert_eq!(late, allowed, "what is not looked at in time is ended");
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn where_a_name_led_to_stays_allowed_for_as_long_as_the_flow_lasts() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let to = |destination: &str, port| {
            let (source, destination) = (address("2001:db8:0:1::2"), address(destination));
            let opening =
                Opening { source, destination, protocol: 17, services: [40_000, port], icmp: [0, 0] };
            Flow { family: 10, opening, name: Vec::new() }
        };
        let terminals6 = vec!["2001:db8:0:1::2/128".parse().unwrap()];
        let now = Now { terminals6, ..Now::default() };
        let destination = "[[destination]]\nname = \"ntp.base.test\"\nudp = [123]\n\n[[kind]]";
        let profile = include_str!("../tests/data/profile.toml").replace("[[kind]]", destination);
        let profile = Profile::parse("profile.toml", &profile);
        let site = Site::parse("site.toml", include_str!("../tests/data/site.toml"), profile).unwrap();
        let document = lasting(&Plan::compile(&site, &now).document());
        let open = vec![to(EXPECTED, 123), to(EXPECTED, 124), to("2001:db8:9::1", 123)];
        let foul = open[1..].to_vec();
        assert_eq!(refused(open, &the_box(), &document, soon()), foul);
    }

    const EXPECTED: &str = "2001:db8:0:53::77";

    #[test]
    fn a_flow_is_ended_by_the_name_the_kernel_gave_it_and_never_without_one() {
        let end = flow(STATION, IN_CLINIC, 6, [50_000, 22]).end();
        let message = messages(&end).next().unwrap();
        assert!(message.is(Subsystem::Conntrack, DELETE) && message.family() == 2);
        let of = |kind| attribute(message.attributes(), kind);
        assert_eq!(of(OPENING), Some(tuple(STATION, IN_CLINIC, 6, [50_000, 22]).as_slice()));
        assert_eq!(of(ID), Some([1, 2, 3, 4].as_slice()));
        let nameless = request(Subsystem::Conntrack, 0, 0, 2, 0, &[write(ID, &[1, 2, 3, 4])]);
        assert_eq!(messages(&nameless).find_map(|message| Flow::read(&message)), None);
    }

    proptest! {
        #[test]
        fn no_tuple_ends_us(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let read = Opening::read(&bytes);
            prop_assert!(read.is_none_or(|read| bytes.len() > 20 && read.services.len() == 2));
        }
    }
}
