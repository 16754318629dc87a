//! What the terminals themselves feel of their way: their questions for names that our rules refuse, and their connections
//! to the closed network that nobody answers. A room beside the rules' own; it changes nothing.

mod memory;
mod notice;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use model::drops::Refusal;
use model::flows::FlowsPart;
use model::profile::Where;
use model::site::prefix::Prefix;
use model::{Site, Timestamp, Zone};
use nix::ifaddrs::getifaddrs;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::memory::{Memory, Purpose};
use self::notice::{Notice, Notices};
use crate::flows::Opening;
use crate::watch::Command;

/// How often what was heard is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// More notices than this between two looks are a flood: it is not listened to, and nothing is said.
const FLOOD: usize = 4000;
/// How long a flood, or a kernel that says nothing, is left alone.
const AGAIN: Duration = Duration::from_secs(30);
/// Ports of questions for names: RFC 1035, RFC 7858.
const NAMES: [u16; 2] = [53, 853];

/// Listens for as long as the box runs, and says what the terminals' requests met of late; nothing while that cannot be
/// heard. Needs CAP_NET_ADMIN.
pub async fn feel(site: &Site, rules: mpsc::Sender<Command>, part: watch::Sender<Option<FlowsPart>>) {
    let ours = Ours::of(site);
    loop {
        let Err(error) = listen(&ours, &rules, &part).await;
        part.send_replace(None);
        tracing::warn!(%error, "what becomes of the terminals' connections is not heard for a while");
        sleep(AGAIN).await;
    }
}

async fn listen(
    ours: &Ours,
    rules: &mpsc::Sender<Command>,
    part: &watch::Sender<Option<FlowsPart>>,
) -> io::Result<std::convert::Infallible> {
    let (mut memory, mut asked) = (Memory::default(), Timestamp::now());
    let mut heard = 0;
    let mut notices = Notices::open(|notice| ours.tell(&mut memory, &notice)).await?;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {
                heard = 0;
                for at in questions_elsewhere(&refused(rules).await, asked) {
                    memory.asked_elsewhere(Instant::now());
                    asked = asked.max(at);
                }
                publish(part, memory.conclude(Instant::now()));
            }
            found = notices.next() => {
                let found = found?;
                heard += found.len();
                if heard > FLOOD {
                    return Err(io::Error::other("too many flows begin and end"));
                }
                found.iter().for_each(|notice| ours.tell(&mut memory, notice));
            }
        }
    }
}

fn publish(part: &watch::Sender<Option<FlowsPart>>, new: FlowsPart) {
    part.send_if_modified(|last| {
        let changed = last.as_ref() != Some(&new);
        *last = Some(new);
        changed
    });
}

/// The newest refusals; none while nobody can say.
async fn refused(rules: &mpsc::Sender<Command>) -> Vec<Refusal> {
    let (reply, told) = oneshot::channel();
    if rules.try_send(Command::Refused { reply }).is_err() {
        return Vec::new();
    }
    told.await.unwrap_or_default()
}

/// When terminals asked another resolver since then, once for each that was asked.
fn questions_elsewhere(refused: &[Refusal], since: Timestamp) -> Vec<Timestamp> {
    let is_question = |refusal: &&Refusal| {
        let asks = refusal.packet.services.is_some_and(|[_, to]| NAMES.contains(&to));
        asks && refusal.from.zone == Some(Zone::Terminal) && !is_for_many(refusal.packet.destination)
    };
    let news = refused.iter().filter(is_question).map(|refusal| refusal.at);
    news.filter(|at| *at > since).collect()
}

const fn is_for_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Whose flows are looked at.
struct Ours {
    /// The terminals' addresses over IPv4. Over IPv6 nobody else's leave for the closed network but the box's own (3).
    terminals: Prefix,
    /// The closed network.
    closed: Vec<Prefix>,
}

impl Ours {
    fn of(site: &Site) -> Self {
        let listed = site.profile.destinations.iter().filter_map(|one| match one.to {
            Where::Prefix(prefix) => Some(prefix),
            Where::Name(_) | Where::Suffix(_) => None,
        });
        let closed = listed.chain(site.profile.expected.iter().copied()).collect();
        Self { terminals: site.terminal_zone.as_network(), closed }
    }

    fn tell(&self, memory: &mut Memory, notice: &Notice) {
        if let Some(purpose) = self.purpose(&notice.opening) {
            memory.take(notice, purpose, Instant::now());
        }
    }

    /// What a flow is to us; nothing if it is none of the terminals'. Most are told by their addresses; only then the box's
    /// own are looked up, which may be new.
    fn purpose(&self, opening: &Opening) -> Option<Purpose> {
        let is_question = NAMES.contains(&opening.services[1]);
        let in_closed = self.closed.iter().any(|prefix| prefix.contains(opening.destination));
        let may_be = opening.source.is_ipv6() || self.terminals.contains(opening.source);
        if !may_be || !(is_question || in_closed) {
            return None;
        }
        let own = own_addresses()?;
        let to_us = own.contains(&opening.destination);
        match (own.contains(&opening.source), is_question) {
            (true, _) => None,
            (false, true) => (to_us || in_closed).then_some(Purpose::Question),
            (false, false) => (in_closed && !to_us).then_some(Purpose::Connection),
        }
    }
}

/// None if the kernel does not say: then a flow may be the box's own.
fn own_addresses() -> Option<Vec<IpAddr>> {
    let address = |found: nix::ifaddrs::InterfaceAddress| {
        let address = found.address?;
        let ipv4 = address.as_sockaddr_in().map(|it| IpAddr::from(it.ip()));
        ipv4.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::from(it.ip())))
    };
    Some(getifaddrs().ok()?.filter_map(address).collect())
}

#[cfg(test)]
mod tests {
    use model::drops::{Place, Seen};

    use super::*;

    fn refusal(zone: Zone, destination: &str, to: u16, at: i64) -> Refusal {
        let (source, destination) = ("192.0.2.2".parse().unwrap(), destination.parse().unwrap());
        let packet = Seen { source, destination, protocol: 17, services: Some([40_000, to]), icmp: None };
        let from = Place { port: "term0".into(), zone: Some(zone) };
        let at = Timestamp::from_second(at).unwrap();
        Refusal { at, times: 9, rule: "r".into(), says: "w".into(), from, to: Place::default(), packet }
    }

    #[test]
    fn only_a_terminal_s_own_question_to_one_other_resolver_is_one_and_it_is_new_once() {
        let terminal = Zone::Terminal;
        let refused = [
            refusal(terminal, "203.0.113.53", 53, 5),
            refusal(terminal, "2001:db8:9::53", 853, 6),
            refusal(terminal, "203.0.113.53", 53, 4),
            refusal(terminal, "224.0.0.251", 53, 7),
            refusal(terminal, "ff02::fb", 53, 7),
            refusal(terminal, "203.0.113.53", 5353, 7),
            refusal(Zone::Clinic, "203.0.113.53", 53, 7),
        ];
        let since = Timestamp::from_second(4).unwrap();
        let found: Vec<i64> = questions_elsewhere(&refused, since).iter().map(|at| at.as_second()).collect();
        assert_eq!(found, [5, 6]);
    }

    #[test]
    fn the_terminals_flows_to_the_closed_network_and_to_resolvers_are_told_from_all_others() {
        let ours = Ours::of(&crate::tests::site());
        let inside = ours.closed[0].network();
        let purpose = |source: IpAddr, destination: IpAddr, port| {
            let services = [40_000, port];
            ours.purpose(&Opening { source, destination, protocol: 6, services, icmp: [0, 0] })
        };
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let terminal = address("2001:db8:77::2");
        assert_eq!(purpose(terminal, inside, 443), Some(Purpose::Connection));
        assert_eq!(purpose(terminal, inside, 53), Some(Purpose::Question));
        assert_eq!(purpose(terminal, address("::1"), 53), Some(Purpose::Question), "the box is asked");
        assert_eq!(purpose(terminal, address("::1"), 445), None);
        assert_eq!(purpose(terminal, address("2606::1"), 443), None, "that is none of the closed network");
        assert_eq!(purpose(address("::1"), inside, 443), None, "the box's own");
        assert_eq!(purpose(address("198.51.100.10"), address("127.0.0.1"), 53), None, "the clinic's");
        assert_eq!(purpose(ours.terminals.network(), address("127.0.0.1"), 53), Some(Purpose::Question));
    }
}
