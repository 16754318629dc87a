//! The promises as a person reads them, of one packet that really came out somewhere: which does that break? It shares
//! nothing with the prover but the site's intent; docs/security.md has the words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::packet::{Packet, Path, State};
use firewall::prove::{Intent, Service};
use model::Zone;

/// The promises that are broken if this packet is let pass.
pub(super) fn breaks(intent: &Intent, packet: &Packet) -> Vec<u8> {
    let sight = Sight {
        intent,
        packet,
        from: intent.zone(&packet.from_port),
        to: intent.zone(&packet.to_port),
        opens: matches!(packet.state, State::New | State::Untracked | State::Invalid),
    };
    let mut broken = match (packet.path, intent.before_a_site.is_some()) {
        // ICMP of the other family reaches nobody.
        (Path::Input | Path::Output, _) if sight.is_strange_icmp() => Vec::new(),
        (Path::Forward, true) => vec![13],
        (Path::Input, true) => sight.opening(14, !sight.is_setup()),
        (Path::Output, true) => sight.opening(15, !sight.is_lending()),
        (Path::Forward, false) => sight.through(),
        (Path::Input, false) => sight.to_the_box(),
        (Path::Output, false) => sight.of_the_box(),
    };
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// Whether promise 8 says that this packet passes: what every IPv6 link needs, from who may send it.
pub(super) fn is_needed(intent: &Intent, packet: &Packet) -> bool {
    let port = if packet.path == Path::Input { &packet.from_port } else { &packet.to_port };
    let Some(zone) = intent.zone(port) else { return false };
    let carries =
        intent.carries.get(&zone).map_or(is_inside(zone) && zone != Zone::Maint, |families| families.ipv6);
    let IpAddr::V6(source) = packet.source else { return false };
    let discovery = |types: &[u8], hops: u8| types.contains(&packet.icmp_type) && packet.hop_limit == hops;
    let on_the_way = |wan: u8| zone == Zone::Wan && discovery(&[wan], 255);
    let here = match packet.path {
        Path::Input => discovery(&[135, 136], 255) || discovery(&[130, 131, 132, 143], 1) || on_the_way(134),
        Path::Output => discovery(&[135, 136], 255) || discovery(&[131, 132, 143], 1) || on_the_way(133),
        Path::Forward => false,
    };
    let plain = packet.protocol == 58 && packet.readable && packet.icmp_code == 0;
    intent.before_a_site.is_none() && carries && here && plain && source.is_unicast_link_local()
}

const fn is_inside(zone: Zone) -> bool {
    matches!(zone, Zone::Terminal | Zone::Clinic | Zone::Claims | Zone::Printer | Zone::Maint)
}

struct Sight<'s> {
    intent: &'s Intent,
    packet: &'s Packet,
    from: Option<Zone>,
    to: Option<Zone>,
    /// Whether it belongs to no open flow.
    opens: bool,
}

impl Sight<'_> {
    fn opening(&self, number: u8, broken: bool) -> Vec<u8> {
        if self.opens && broken { vec![number] } else { Vec::new() }
    }

    fn is_strange_icmp(&self) -> bool {
        let (ipv4, protocol) = (self.packet.source.is_ipv4(), self.packet.protocol);
        ipv4 && protocol == 58 || !ipv4 && protocol == 1
    }

    // --- what a packet is

    fn icmp6(&self, types: &[u8]) -> bool {
        let packet = self.packet;
        packet.source.is_ipv6()
            && packet.protocol == 58
            && packet.readable
            && types.contains(&packet.icmp_type)
    }

    fn icmp4(&self, types: &[u8]) -> bool {
        let packet = self.packet;
        packet.source.is_ipv4()
            && packet.protocol == 1
            && packet.readable
            && types.contains(&packet.icmp_type)
    }

    fn carries(&self, protocol: u8, ports: &[u16]) -> bool {
        let packet = self.packet;
        packet.protocol == protocol && packet.readable && ports.contains(&packet.destination_service)
    }

    fn is_error6(&self) -> bool {
        self.icmp6(&[1, 2, 3, 4])
    }

    /// Errors, neighbour and listener discovery: what a link has.
    fn is_of_the_link(&self) -> bool {
        self.is_error6() || self.icmp6(&[130, 131, 132, 143, 135, 136]) || self.icmp4(&[3, 11, 12])
    }

    fn dhcp(&self, from: u16, to: u16) -> bool {
        self.packet.source.is_ipv4() && self.carries(17, &[to]) && self.packet.source_service == from
    }

    /// A client that does not know whom to ask (RFC 2131 section 4.1).
    fn asks_everybody(&self) -> bool {
        self.packet.destination == IpAddr::V4(Ipv4Addr::BROADCAST)
    }

    /// A client asks the servers of its link (RFC 8415 section 7.1).
    fn dhcp6(&self) -> bool {
        let servers = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2));
        self.packet.destination == servers && self.carries(17, &[547]) && self.packet.source_service == 546
    }

    /// Echo with somebody who may be asked something, or with the line's router, which is known by an address of the link.
    fn is_echo_of_a_peer(&self, zone: Zone) -> bool {
        let destination = self.packet.destination;
        let known = |(by, service): &(Zone, Service)| *by == zone && service.prefix.contains(destination);
        let of_the_link = matches!(destination, IpAddr::V6(address) if address.is_unicast_link_local());
        let echo = self.icmp6(&[128, 129]) || self.icmp4(&[0, 8]);
        echo && (self.intent.peers.iter().any(known) || zone == Zone::Wan && of_the_link)
    }

    fn asks(&self, service: &Service) -> bool {
        let packet = self.packet;
        let port = |port| packet.readable && packet.destination_service == port;
        service.prefix.contains(packet.destination)
            && service.protocol.is_none_or(|protocol| packet.protocol == protocol)
            && service.port.is_none_or(port)
    }

    fn is_listed(&self, from: Zone, to: Zone) -> bool {
        self.intent.way(from, to).any(|service| self.asks(service))
    }

    /// IKE or ESP with a configured gateway.
    fn is_of_a_gateway(&self, zone: Zone, end: IpAddr) -> bool {
        let known = self.intent.gateways.iter().any(|(by, gateway)| *by == zone && *gateway == end);
        known && (self.carries(17, &[500, 4500]) || self.packet.protocol == 50)
    }

    fn source6_is_link_local(&self) -> bool {
        matches!(self.packet.source, IpAddr::V6(address) if address.is_unicast_link_local())
    }

    fn own(&self, zone: Zone) -> Option<IpAddr> {
        self.intent.own.get(&zone).map(|address| IpAddr::V4(*address))
    }

    // --- before a site

    fn is_setup(&self) -> bool {
        let lends = self.intent.before_a_site.is_some_and(|before| before.lends_addresses);
        let page = self.carries(6, &self.intent.clinic_services)
            && Some(self.packet.destination) == self.own(Zone::Clinic);
        self.from == Some(Zone::Clinic) && (page || lends && self.dhcp(68, 67))
    }

    fn is_lending(&self) -> bool {
        let lends = self.intent.before_a_site.is_some_and(|before| before.lends_addresses);
        self.to == Some(Zone::Clinic) && lends && self.dhcp(67, 68)
    }

    // --- 1, 2, 3, 4, 7, 9

    fn through(&self) -> Vec<u8> {
        use Zone::{Clinic, Cloud, Isp, Printer, Terminal, Tunnel, Wan};
        let mut broken = Vec::new();
        let ends = (self.from, self.to);
        if matches!(ends, (Some(Clinic), Some(Terminal)) | (Some(Terminal), Some(Clinic))) {
            broken.push(1);
        }
        match ends {
            (Some(Printer), _) => broken.extend(self.opening(1, true)),
            (Some(from @ (Clinic | Terminal)), Some(Printer)) => {
                broken.extend(self.opening(1, !self.is_listed(from, Printer)));
            }
            _ => {}
        }
        if !self.from.is_some_and(is_inside) {
            broken.extend(self.opening(2, !self.is_error6()));
        }
        match ends {
            (Some(Clinic), Some(Wan | Tunnel)) => broken.push(3),
            (Some(Clinic), Some(to @ (Isp | Cloud))) => {
                broken.extend(self.opening(3, !self.is_listed(Clinic, to)))
            }
            (Some(Clinic), Some(Printer | Clinic | Terminal)) => {}
            (Some(Clinic), _) => broken.extend(self.opening(3, true)),
            _ => {}
        }
        if let Some(from @ (Terminal | Zone::Claims)) = self.from {
            broken.extend(self.leaves(from));
        }
        if self.from.is_none() || self.to.is_none() {
            broken.push(7);
        }
        broken.extend(self.foreign_source());
        broken
    }

    fn leaves(&self, from: Zone) -> Vec<u8> {
        let met = |zone: Zone| {
            self.intent.way(from, zone).next().is_some() || self.intent.way(zone, from).next().is_some()
        };
        match self.to {
            Some(to) if to == from => Vec::new(),
            Some(to) if to == self.intent.qualification() => {
                self.opening(4, !self.is_listed(from, to) && !self.is_error6())
            }
            Some(to @ (Zone::Printer | Zone::Maint)) if met(to) => self.opening(4, !self.is_listed(from, to)),
            _ => vec![4],
        }
    }

    fn foreign_source(&self) -> Option<u8> {
        let related = self.packet.state == State::Related && self.is_error6();
        (!related && !self.is_own_source()).then_some(9)
    }

    /// Whether the source may come from where it came (9).
    fn is_own_source(&self) -> bool {
        let (intent, source) = (self.intent, self.packet.source);
        let lists = if source.is_ipv4() { &intent.belongs } else { &intent.belongs6 };
        let of =
            |zone: Zone| lists.get(&zone).is_some_and(|list| list.iter().any(|one| one.contains(source)));
        let taken =
            || Zone::ALL.into_iter().filter(|zone| Some(*zone) != self.from.or(Some(Zone::Wan))).any(of);
        let box_s = || intent.own.values().any(|own| IpAddr::V4(*own) == source);
        match self.from {
            Some(zone) if is_inside(zone) && source.is_ipv4() => of(zone) || self.asks_for_an_address(),
            Some(zone) if is_inside(zone) => {
                source.is_unspecified() || self.source6_is_link_local() || of(zone)
            }
            Some(zone) if source.is_ipv4() && lists.contains_key(&zone) => of(zone),
            _ => !taken() && !box_s(),
        }
    }

    fn asks_for_an_address(&self) -> bool {
        let everybody = IpAddr::V4(Ipv4Addr::BROADCAST);
        self.packet.source.is_unspecified() && self.packet.destination == everybody && self.dhcp(68, 67)
    }

    // --- 2, 5, 6, 9

    fn to_the_box(&self) -> Vec<u8> {
        let mut broken = match self.from {
            Some(Zone::Terminal | Zone::Claims) => self.opening(5, !self.is_for_a_terminal()),
            Some(Zone::Clinic) => self.opening(6, !self.is_for_the_clinic()),
            Some(Zone::Printer) => self.opening(1, !self.is_of_the_link()),
            Some(Zone::Maint) => self.opening(7, !self.is_of_the_link() && !self.is_management()),
            Some(zone) => self.opening(2, !self.is_from_outside(zone)),
            None => [2, 7].map(|number| self.opening(number, !self.is_from_outside(Zone::Wan))).concat(),
        };
        broken.extend(self.foreign_source());
        broken
    }

    fn is_for_a_terminal(&self) -> bool {
        let zone = self.from.unwrap_or(Zone::Terminal);
        let asked = self.icmp4(&[0, 8]) || self.carries(17, &[53, 67, 123]) || self.carries(6, &[53]);
        let share = zone == Zone::Claims && self.carries(6, &[445]);
        self.is_of_the_link()
            || self.icmp6(&[128, 129, 133])
            || self.is_at_own(zone) && (asked || share)
            || self.asks_everybody() && self.dhcp(68, 67)
            || self.dhcp6()
    }

    fn is_at_own(&self, zone: Zone) -> bool {
        Some(self.packet.destination) == self.own(zone)
    }

    fn is_for_the_clinic(&self) -> bool {
        let asked = &self.intent.clinic_datagrams;
        let names = asked.contains(&53) && (self.carries(6, &[53]) || self.carries(17, &[53]));
        let service =
            self.is_at_own(Zone::Clinic) && (names || self.carries(6, &self.intent.clinic_services));
        self.is_of_the_link() || service || asked.contains(&67) && self.dhcp(68, 67)
    }

    fn is_management(&self) -> bool {
        let open = self.intent.maintenance.as_ref();
        let there = Some(self.packet.destination) == self.own(Zone::Maint);
        open.is_some_and(|open| there && self.carries(6, &[open.management]))
    }

    fn is_from_outside(&self, zone: Zone) -> bool {
        let ipv6 = self.intent.carries.get(&zone).is_some_and(|families| families.ipv6);
        let needed = self.is_error6()
            || self.icmp6(&[128, 129, 130, 131, 132, 134, 135, 136, 143])
            || self.packet.source.is_ipv6() && self.carries(17, &[546]) && self.source6_is_link_local();
        ipv6 && needed
            || zone == Zone::Isp && self.dhcp(67, 68)
            || self.is_of_a_gateway(zone, self.packet.source)
    }

    // --- 10, 7

    fn of_the_box(&self) -> Vec<u8> {
        let Some(zone) = self.to else {
            return [7, 10].map(|number| self.opening(number, !self.is_of_the_link())).concat();
        };
        self.opening(10, !self.is_of_the_link() && !self.may_be_asked(zone))
    }

    fn may_be_asked(&self, zone: Zone) -> bool {
        let packet = self.packet;
        let to = |list: &[Ipv4Addr]| list.iter().any(|address| IpAddr::V4(*address) == packet.destination);
        let peer = self.intent.peers.iter().any(|(by, service)| *by == zone && self.asks(service));
        let out = peer || self.is_of_a_gateway(zone, packet.destination) || self.is_echo_of_a_peer(zone);
        let terminals = &self.intent.terminals;
        match zone {
            Zone::Wan => {
                out || self.icmp6(&[133]) || self.dhcp6() || self.line_is_ipv4() && self.dhcp(68, 67)
            }
            Zone::Isp => out || self.dhcp(68, 67),
            Zone::Terminal => {
                self.carries(6, &[445]) && to(terminals)
                    || self.icmp4(&[0, 8]) && to(terminals)
                    || self.dhcp(67, 68)
                    || self.icmp6(&[134])
            }
            Zone::Claims => self.dhcp(67, 68) || self.icmp6(&[134]),
            Zone::Clinic => {
                let lends = self.intent.clinic_datagrams.contains(&67);
                self.carries(6, &[445]) && to(&self.intent.consumers) || lends && self.dhcp(67, 68)
            }
            _ => out,
        }
    }

    fn line_is_ipv4(&self) -> bool {
        self.intent.carries.get(&Zone::Wan).is_some_and(|families| families.ipv4)
    }
}
