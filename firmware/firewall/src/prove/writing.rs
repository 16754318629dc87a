//! The statements that do more than ask: they log, write into a packet, translate it, or lead it past the rules. What
//! is not here is not understood.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use serde_json::Value;

use super::cube::Field;
use super::matching;
use super::ports::Ports;
use super::rule::{Step, Verdict};
use super::span::Span;
use crate::nft::LOG_GROUP;

/// Only what goes to the group of refusals is a refusal's log (12).
pub(super) fn logged(body: &Value) -> Option<Step> {
    let ours = body.get("group").and_then(Value::as_u64) == Some(LOG_GROUP.into());
    let prefix = body.get("prefix").and_then(Value::as_str).unwrap_or_default();
    ours.then(|| Step::Log(prefix.trim_end().into()))
}

/// The steps of a statement; `None` if it is not understood.
pub(super) fn statement(
    name: &str,
    body: &Value,
    table: &(String, String),
    ports: &mut Ports,
) -> Option<Vec<Step>> {
    match name {
        "mangle" => mangle(body.get("key")?, body.get("value")?, ports),
        "notrack" => Some(vec![Step::Untrack]),
        "dnat" => translate(body, table, ports),
        "redirect" => Some(redirect(body, table, ports)),
        "masquerade" => Some(vec![Step::Hide(of_table(table))]),
        "snat" => Some(vec![Step::Hide(family(body, table)?)]),
        // To a neighbour's address (`addr`) it leads one family only.
        "fwd" if table.0 == "netdev" && body.as_object()?.len() == 1 => {
            Some(vec![Step::Move(port(body.get("dev")?, ports)?)])
        }
        "dup" if table.0 == "netdev" => {
            let to = body.get("addr").or_else(|| body.get("dev"))?;
            Some(vec![Step::Copy(port(to, ports)?)])
        }
        _ => None,
    }
}

/// What is led to the loopback comes in there, by whichever port it came: that is not followed.
fn port(value: &Value, ports: &mut Ports) -> Option<Span> {
    let name = value.as_str().filter(|name| !name.contains('*') && *name != "lo");
    name.map(|name| Span::one(ports.number(name)))
}

/// Whether a statement's body says itself what it means: what is looked up may not be there, and then its rule ends.
pub(super) fn is_plain(body: &Value) -> bool {
    match body {
        Value::Object(map) => map
            .iter()
            .all(|(key, value)| ["packets", "bytes", "used"].contains(&key.as_str()) && is_plain(value)),
        Value::Array(list) => list.iter().all(|one| !one.is_object() && is_plain(one)),
        Value::String(word) => !word.starts_with('@'),
        _ => true,
    }
}

/// A refusal with an answer: an answer of one family or protocol is given to no other, and nft does not list that the
/// rule asks for it. Others go on, or are refused too.
pub(super) fn rejected(body: &Value) -> Vec<Step> {
    let fits = match body.get("type").and_then(Value::as_str) {
        Some("icmp") => Some((Field::Family, Span::one(4_u8))),
        Some("icmpv6") => Some((Field::Family, Span::one(6_u8))),
        Some("tcp reset") => Some((Field::Protocol, Span::one(6_u8))),
        _ => None,
    };
    let asks = fits.map(|fits| Step::Unless(vec![fits], format!("who is refused by {body}").into()));
    asks.into_iter().chain([Step::Verdict(Verdict::Drop)]).collect()
}

/// What comes before a write: the value may not be there.
fn looked_up(value: &Value, key: &Value) -> Vec<Step> {
    (!is_plain(value)).then(|| Step::Opaque(format!("what is written by {key}").into())).into_iter().collect()
}

/// Writes of which nothing follows for any rule that is understood.
const HARMLESS: &[&str] = &["dscp", "ecn", "flowlabel", "id", "window", "urgptr"];

fn mangle(key: &Value, value: &Value, ports: &mut Ports) -> Option<Vec<Step>> {
    if let Some(what) = key.get("meta").and_then(|meta| meta.get("key")).and_then(Value::as_str) {
        return match what {
            "nftrace" | "priority" => Some(looked_up(value, key)),
            "mark" => Some(mark(value)),
            _ => None,
        };
    }
    // Marks and labels of a flow: rules that ask for them are not understood, so nothing follows from what is written.
    if let Some(what) = key.get("ct").and_then(|ct| ct.get("key")).and_then(Value::as_str) {
        return ["mark", "label", "event"].contains(&what).then(|| looked_up(value, key));
    }
    // RFC 4459: the segment size of a connection through a tunnel. Kernels differ in whether the rule ends where there is
    // none to be written.
    if key.get("tcp option").is_some_and(|option| option.get("name").is_some_and(|name| name == "maxseg")) {
        return Some(vec![Step::Opaque("where a segment size is written".into())]);
    }
    let payload = key.get("payload")?;
    if payload.get("field").and_then(Value::as_str).is_some_and(|field| HARMLESS.contains(&field)) {
        return Some(vec![harmless(payload, key)].into_iter().chain(looked_up(value, key)).collect());
    }
    let left = matching::left(key).ok()?;
    let field = *left.asks().first()?;
    let known = matching::tuple(&left, value, ports).ok().and_then(|written| written.into_iter().next());
    let step = match (field, known) {
        (Field::Destination | Field::DestinationService | Field::HopLimit, Some(written)) => {
            Step::Write(vec![written], None)
        }
        (Field::Destination | Field::DestinationService, None) => {
            Step::Write(vec![(field, Span::all())], Some(format!("what is written by {key}").into()))
        }
        // Who sent it is what the promises ask for, and that could not be read any more.
        _ => return None,
    };
    let looked_up = looked_up(value, key);
    Some([Step::Require(left.requires)].into_iter().chain(looked_up).chain([step]).collect())
}

/// A packet without the header that is written goes on to the next rule, and one cut short in it too.
fn harmless(payload: &Value, key: &Value) -> Step {
    let families = match payload.get("protocol").and_then(Value::as_str) {
        Some("ip") => Some(4_u8),
        Some("ip6") => Some(6),
        _ => None,
    };
    families.map_or_else(
        || Step::Opaque(format!("where {key} is written").into()),
        |version| Step::Require(vec![(Field::Family, Span::one(version))]),
    )
}

/// A number is known; a mark that is kept with the flow, or worked out, may be any, or may not be there.
fn mark(value: &Value) -> Vec<Step> {
    if let Some(number) = value.as_u64() {
        return vec![Step::Write(vec![(Field::Mark, Span::one(number))], None)];
    }
    let reason: Rc<str> = format!("the mark {value}").into();
    let any = vec![(Field::Mark, Span::range(0_u8, u32::MAX))];
    vec![Step::Opaque(Rc::clone(&reason)), Step::Write(any, Some(reason))]
}

/// The families of a table.
fn of_table(table: &(String, String)) -> Span {
    match table.0.as_str() {
        "ip" => Span::one(4_u8),
        "ip6" => Span::one(6_u8),
        _ => Span::range(4_u8, 6_u8),
    }
}

/// The families a translation is for: in a table of both one that names its own leaves the other alone.
fn family(body: &Value, table: &(String, String)) -> Option<Span> {
    match body.get("family").and_then(Value::as_str) {
        Some("ip") => Some(Span::one(4_u8)),
        Some("ip6") => Some(Span::one(6_u8)),
        None => Some(of_table(table)),
        Some(_) => None,
    }
}

fn translate(body: &Value, table: &(String, String), ports: &mut Ports) -> Option<Vec<Step>> {
    let families = family(body, table)?;
    let (mut written, mut doubt) = (Vec::new(), None);
    if let Some(to) = body.get("addr") {
        let known = address(to);
        if known.is_none() {
            doubt = Some(format!("the translation to {to}").into());
        }
        written.push((Field::Destination, known.unwrap_or_else(Span::all)));
    }
    service(body, ports, &mut written, &mut doubt);
    let looked_up = doubt.clone().map(Step::Opaque);
    Some(looked_up.into_iter().chain([Step::Translate { families, written, doubt }]).collect())
}

/// One address or a range of them.
fn address(to: &Value) -> Option<Span> {
    if let Some([first, last]) = to.get("range").and_then(Value::as_array).map(Vec::as_slice) {
        let [first, last] = [first, last].map(|end| address(end).and_then(|span| span.lowest()));
        return Some(Span::range(first?, last?));
    }
    let text = to.as_str()?;
    let ipv4 = text.parse::<Ipv4Addr>().ok().map(|address| Span::one(u32::from(address)));
    ipv4.or_else(|| text.parse::<Ipv6Addr>().ok().map(Span::one))
}

fn service(body: &Value, ports: &mut Ports, written: &mut Vec<(Field, Span)>, doubt: &mut Option<Rc<str>>) {
    let Some(to) = body.get("port") else { return };
    let key = serde_json::json!({"payload": {"protocol": "th", "field": "dport"}});
    let known = matching::left(&key).and_then(|left| matching::tuple(&left, to, ports)).ok();
    match known {
        Some(known) => written.extend(known),
        None => {
            *doubt = Some(format!("the translation to port {to}").into());
            written.push((Field::DestinationService, Span::range(0_u8, u16::MAX)));
        }
    }
}

/// To the box itself, at whichever address the port has.
fn redirect(body: &Value, table: &(String, String), ports: &mut Ports) -> Vec<Step> {
    let mut written = vec![(Field::Destination, Span::all())];
    let mut doubt: Option<Rc<str>> = Some("a translation to the box's own address".into());
    if body.is_object() {
        service(body, ports, &mut written, &mut doubt);
    }
    let looked_up = doubt.clone().map(Step::Opaque);
    let families = of_table(table);
    looked_up.into_iter().chain([Step::Translate { families, written, doubt }]).collect()
}
