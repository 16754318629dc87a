//! The answer to a question: [`crate::explain`]'s decision in words, with the line of the policy and nft's rule.

use model::policy::{Answer, Does, Explanation, Line, Question, Said, Stop};
use model::{Site, Text};
use serde_json::Value;

use crate::explain::{Decision, explain};
use crate::packet::{Packet, State};
use crate::plan::words;
use crate::{question, text};

/// Says what a ruleset, listed or planned, does with the packet of a question. `live`: the kernel holds it.
pub fn answer(site: &Site, document: &Value, question: &Question, live: bool) -> Answer {
    let packet = match question::read(site, question) {
        Ok(packet) => packet,
        Err(mistakes) => return Answer::Wrong { mistakes },
    };
    match explain(document, &packet) {
        Ok(decision) => Answer::Told(Box::new(told(site, &packet, decision, live))),
        Err(what) => Answer::Unclear { reason: format!("not understood: {what}") },
    }
}

fn told(site: &Site, packet: &Packet, decision: Decision, live: bool) -> Explanation {
    let stop = |hop: crate::explain::Hop| {
        let by = hop.by.map(|comment| line(&comment, Does::Leads).id);
        Stop { chain: hop.chain, by }
    };
    let does = if decision.accepted { Does::Passes } else { Does::Refuses };
    let own = decision.rule.as_ref().and_then(|rule| rule["comment"].as_str());
    Explanation {
        packet: spoken(site, packet),
        passes: decision.accepted,
        line: own.map(|comment| line(comment, does)),
        rule: decision.rule.as_ref().map_or(decision.by, text::rule),
        way: decision.way.into_iter().map(stop).collect(),
        live,
    }
}

/// A rule's comment as a line: its id, and what stands behind it in both languages. A comment somebody else wrote is all
/// words.
pub(crate) fn line(comment: &str, does: Does) -> Line {
    match comment.split_once(": ") {
        Some((id, says)) => {
            let ja = words::japanese(says).unwrap_or(says);
            Line { id: id.to_owned(), says: Said::new(ja, says), does }
        }
        None => Line { id: comment.to_owned(), says: Said::new(comment, comment), does },
    }
}

/// `TCP port 50000 to 445, new, from 192.0.2.2 (terminal, term0) to 192.0.2.1 (the box)`
fn spoken(site: &Site, packet: &Packet) -> Said {
    let of =
        |protocol: &str| format!("{protocol} {} → {}", packet.source_service, packet.destination_service);
    let what = match packet.protocol {
        6 => of("TCP"),
        17 => of("UDP"),
        1 => format!("ICMP {}", packet.icmp_type),
        58 => format!("ICMPv6 {}", packet.icmp_type),
        other => format!("IP protocol {other}"),
    };
    let ends = (place(site, &packet.from_port), place(site, &packet.to_port));
    let state = state(packet.state);
    let (source, destination) = (packet.source, packet.destination);
    let one = |(from, to): (&str, &str), state: &str| {
        format!("{what}, {state}, {source} ({from}) → {destination} ({to})")
    };
    Said::new(one((&ends.0.ja, &ends.1.ja), state.ja), one((&ends.0.en, &ends.1.en), state.en))
}

fn place(site: &Site, port: &str) -> Said {
    if port.is_empty() {
        return model::policy::BOX.into();
    }
    let zone = question::zone_of(site, port).map_or(model::policy::OTHER, model::Zone::name);
    Said::new(format!("{} {port}", zone.ja), format!("{} {port}", zone.en))
}

const fn state(state: State) -> Text {
    match state {
        State::New => Text::new("新しい接続", "new"),
        State::Established => Text::new("続いている接続", "established"),
        State::Related => Text::new("接続についての通知", "related"),
        State::Invalid => Text::new("どの接続にも合わない", "invalid"),
        State::Untracked => Text::new("追跡しない", "untracked"),
    }
}
