//! What the firewall refused: a bounded record in memory, without payload.
//!
//! Only what a line of the ruleset in force logs under its own id is believed: whatever else logs to the group is no
//! refusal of ours (12). A line logs a few packets a second at the most, so a flood costs neither memory nor time; how
//! many packets there were is what the lines count ([`lines`]).

use std::collections::{BTreeMap, VecDeque};
use std::io;

use model::drops::{Drops, Line, Place, Refusal, Seen};
use model::{Site, Timestamp, Zone};
use serde_json::Value;

use crate::log::Logged;
use crate::nft::TABLE;

/// The ids of a ruleset's lines that log what they refuse, and their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    /// Of a document of ours.
    pub(crate) fn of(document: &Value) -> Self {
        let logged: Vec<&str> = rules(document)
            .filter_map(|rule| steps(rule).find_map(|step| step["log"]["prefix"].as_str()))
            .collect();
        let words = rules(document).filter_map(named);
        Self(words.filter(|(id, _)| logged.contains(&id.as_str())).collect())
    }
}

/// What every line of our table has counted, as the kernel lists it.
pub(crate) fn lines(listing: &Value) -> Vec<Line> {
    let line = |rule: &Value| {
        let counter = steps(rule).find_map(|step| step.get("counter"))?;
        let (rule_id, says) = named(rule)?;
        Some(Line {
            rule: rule_id,
            says,
            accepts: steps(rule).any(|step| step.get("accept").is_some()),
            packets: counter["packets"].as_u64()?,
            bytes: counter["bytes"].as_u64()?,
        })
    };
    rules(listing).filter_map(line).collect()
}

fn rules(document: &Value) -> impl Iterator<Item = &Value> {
    let items = document["nftables"].as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(|item| item.get("add").unwrap_or(item).get("rule"))
        .filter(|rule| rule["family"] == TABLE.0 && rule["table"] == TABLE.1)
}

fn steps(rule: &Value) -> impl Iterator<Item = &Value> {
    rule["expr"].as_array().map_or(&[][..], Vec::as_slice).iter()
}

/// A rule's comment is its id and its words.
fn named(rule: &Value) -> Option<(String, String)> {
    let (id, says) = rule["comment"].as_str()?.split_once(": ")?;
    Some((id.to_owned(), says.to_owned()))
}

/// The zones of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ports(BTreeMap<String, Zone>);

impl Ports {
    /// Of a site.
    pub(crate) fn of(site: &Site) -> Self {
        Self(site.ports.iter().map(|port| (port.name.clone(), port.zone)).collect())
    }

    fn place(&self, index: u32) -> Place {
        let name = (index != 0).then(|| nix::net::if_::if_indextoname(index).ok()).flatten();
        // A port that is gone since has no name any more.
        let port = match (index, name) {
            (0, _) => String::new(),
            (_, Some(name)) => name.to_string_lossy().into_owned(),
            (index, None) => format!("port {index}"),
        };
        Place { zone: self.0.get(&port).copied(), port }
    }
}

/// What was heard of refusals since the start.
#[derive(Debug, Default)]
pub(crate) struct Record {
    newest: VecDeque<Refusal>,
    lost: u64,
    next: Option<u32>,
    /// Packets and octets that lines had counted when counting began.
    counted: BTreeMap<String, (u64, u64)>,
    /// Why nothing is heard.
    pub(crate) deaf: Option<String>,
}

impl Record {
    /// Takes a logged packet, if a line of ours logged it.
    pub(crate) fn take(&mut self, logged: Logged, words: &Words, ports: &Ports, now: Timestamp) {
        let missed = logged.number.wrapping_sub(self.next.unwrap_or(logged.number));
        self.lost += u64::from(missed);
        self.next = Some(logged.number.wrapping_add(1));
        let (Some(packet), Some(says)) = (logged.packet, words.0.get(&logged.prefix)) else { return };
        let (from, to) = (ports.place(logged.from_port), ports.place(logged.to_port));
        let rule = logged.prefix;
        self.put(Refusal { at: now, times: 1, rule, says: says.clone(), from, to, packet });
    }

    /// What is like one that is kept is counted there; of the rest the oldest give way, first those of its own line.
    fn put(&mut self, mut refusal: Refusal) {
        if let Some(place) = self.newest.iter().position(|kept| are_alike(kept, &refusal)) {
            let kept = self.newest.remove(place);
            refusal.times += kept.map_or(0, |kept| kept.times);
        }
        self.newest.push_front(refusal);
        let line = self.newest.front().map(|refusal| refusal.rule.clone()).unwrap_or_default();
        let mut of_line = self.newest.iter().enumerate().filter(|(_, kept)| kept.rule == line);
        if let Some((oldest, _)) = of_line.nth(Drops::KEPT_OF_A_LINE) {
            self.newest.remove(oldest);
        }
        self.newest.truncate(Drops::KEPT);
    }

    /// What is told, with what the lines have counted.
    pub(crate) fn tell(&self, mut lines: Vec<Line>, counted_since: Option<Timestamp>) -> Drops {
        for line in &mut lines {
            let (packets, bytes) = self.counted.get(&line.rule).copied().unwrap_or_default();
            line.packets = line.packets.saturating_sub(packets);
            line.bytes = line.bytes.saturating_sub(bytes);
        }
        let newest = self.newest.iter().cloned().collect();
        Drops { counted_since, lines, newest, lost: self.lost, deaf: self.deaf.clone() }
    }

    /// What these lines had counted is not told: it was counted before. Of a line that begins anew that is nothing.
    pub(crate) fn counts_from(&mut self, counted: Vec<Line>) {
        let each = counted.into_iter().filter(|line| line.packets > 0);
        self.counted = each.map(|line| (line.rule, (line.packets, line.bytes))).collect();
    }

    /// Another log is heard from now on, whose numbers begin anew; or none, and why.
    pub(crate) fn begins(&mut self, heard: io::Result<()>) {
        self.next = heard.is_ok().then_some(0);
        self.deaf = heard.err().map(|error| format!("failed to hear the kernel's log: {error}"));
    }

    /// What was logged since then is in doubt: other rules than ours were in force.
    pub(crate) fn doubt(&mut self, since: Timestamp) {
        self.newest.retain(|refusal| refusal.at < since);
    }
}

fn are_alike(a: &Refusal, b: &Refusal) -> bool {
    let of = |refusal: &Refusal| {
        let Seen { source, destination, protocol, services, icmp } = refusal.packet;
        (source, destination, protocol, services.map(|[_, to]| to), icmp)
    };
    a.rule == b.rule && a.from == b.from && a.to == b.to && of(a) == of(b)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words() -> Words {
        Words(BTreeMap::from([("one".into(), "first".into()), ("two".into(), "second".into())]))
    }

    fn packet(source: u8, to: u16) -> Seen {
        let (source, destination) = ([192, 0, 2, source].into(), [192, 0, 2, 1].into());
        Seen { source, destination, protocol: 17, services: Some([9, to]), icmp: None }
    }

    fn at_line(number: u32, prefix: &str, packet: Seen) -> Logged {
        Logged { number, prefix: prefix.into(), from_port: 0, to_port: 0, packet: Some(packet) }
    }

    fn take(record: &mut Record, logged: Logged) {
        record.take(logged, &words(), &Ports::default(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn what_a_line_counted_before_is_not_told_and_one_that_begins_anew_counts_from_nothing() {
        let line = |rule: &str, packets| Line {
            rule: rule.into(),
            says: "words".into(),
            accepts: false,
            packets,
            bytes: packets * 60,
        };
        let mut record = Record::default();
        record.counts_from(vec![line("stays", 7), line("anew", 0)]);
        let told = record.tell(vec![line("stays", 9), line("anew", 3)], None).lines;
        assert_eq!(told, [line("stays", 2), line("anew", 3)]);
        record.counts_from(Vec::new());
        assert_eq!(record.tell(vec![line("stays", 1)], None).lines, [line("stays", 1)]);
    }

    #[test]
    fn only_what_a_line_of_ours_logged_is_a_refusal() {
        let mut record = Record::default();
        for (number, prefix) in [(0, "one"), (1, "three"), (2, ""), (3, "one-log")] {
            take(&mut record, at_line(number, prefix, packet(7, 445)));
        }
        let told = record.tell(Vec::new(), None);
        assert_eq!(told.newest.iter().map(|refusal| refusal.says.as_str()).collect::<Vec<_>>(), ["first"]);
        assert_eq!(told.lost, 0);
    }

    #[test]
    fn what_is_alike_is_counted_and_the_newest_is_first() {
        let mut record = Record::default();
        for (number, to) in [(0, 1), (1, 2), (2, 1)] {
            take(&mut record, at_line(number, "one", packet(7, to)));
        }
        let told = record.tell(Vec::new(), None).newest;
        let told: Vec<_> = told.iter().map(|refusal| (refusal.packet.services, refusal.times)).collect();
        assert_eq!(told, [(Some([9, 1]), 2), (Some([9, 2]), 1)]);
    }

    #[test]
    fn a_flood_at_one_line_neither_grows_nor_takes_away_what_another_refused() {
        let mut record = Record::default();
        take(&mut record, at_line(0, "two", packet(7, 1)));
        for number in 1..=2000 {
            take(&mut record, at_line(number, "one", packet(8, u16::try_from(number).unwrap())));
        }
        let newest = record.tell(Vec::new(), None).newest;
        assert_eq!(newest.len(), Drops::KEPT_OF_A_LINE + 1);
        assert_eq!(newest.last().map(|refusal| refusal.rule.as_str()), Some("two"));
        assert_eq!(newest[0].packet.services, Some([9, 2000]));
    }

    #[test]
    fn a_gap_in_the_numbers_is_what_was_lost() {
        let mut record = Record { next: Some(0), ..Record::default() };
        for number in [2, 3, 7] {
            take(&mut record, at_line(number, "one", packet(7, 1)));
        }
        assert_eq!(record.lost, 5);
        let mut record = Record { next: Some(u32::MAX), ..Record::default() };
        take(&mut record, at_line(1, "one", packet(7, 1)));
        assert_eq!(record.lost, 2, "the numbers go round");
    }

    #[test]
    fn the_words_are_those_of_lines_that_log_and_the_counts_those_of_all() {
        let rule = |comment: &str, expr: Value| json!({"rule": {"family": "inet", "table": "sekisho", "chain": "input", "comment": comment, "expr": expr}});
        let counter = json!({"counter": {"packets": 3, "bytes": 120}});
        let listing = json!({"nftables": [
            rule("a-log: no (2)", json!([{"log": {"prefix": "a", "group": 5}}])),
            rule("a: no (2)", json!([counter, {"drop": null}])),
            rule("b: yes (2)", json!([counter, {"accept": null}])),
            {"rule": {"family": "ip", "table": "other", "comment": "c: x", "expr": [counter]}},
        ]});
        assert_eq!(Words::of(&listing).0, BTreeMap::from([("a".into(), "no (2)".into())]));
        let counted: Vec<_> = lines(&listing).into_iter().map(|line| (line.rule, line.accepts)).collect();
        assert_eq!(counted, [("a".into(), false), ("b".into(), true)]);
        assert_eq!(lines(&listing)[0].packets, 3);
    }
}
