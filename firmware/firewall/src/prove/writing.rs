//! The statements that do more than ask: they log, write into a packet, translate it, or lead it past the rules. What
//! is not here is not understood.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use serde_json::Value;

use super::cube::Field;
use super::matching;
use super::ports::Ports;
use super::rule::Step;
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
        "dnat" => translate(body, table, ports).map(|step| vec![step]),
        "redirect" => redirect(body, table, ports).map(|step| vec![step]),
        "masquerade" => Some(vec![Step::Hide(of_table(table))]),
        "snat" => Some(vec![Step::Hide(family(body, table)?)]),
        "fwd" if table.0 == "netdev" => Some(vec![Step::Move(port(body.get("dev")?, ports)?)]),
        "dup" if table.0 == "netdev" => {
            let to = body.get("addr").or_else(|| body.get("dev"))?;
            Some(vec![Step::Copy(port(to, ports)?)])
        }
        _ => None,
    }
}

fn port(value: &Value, ports: &mut Ports) -> Option<Span> {
    value.as_str().filter(|name| !name.contains('*')).map(|name| Span::one(ports.number(name)))
}

/// Writes of which nothing follows for any rule that is understood.
const HARMLESS: &[&str] = &["dscp", "ecn", "flowlabel", "id", "window", "urgptr"];

fn mangle(key: &Value, value: &Value, ports: &mut Ports) -> Option<Vec<Step>> {
    if let Some(what) = key.get("meta").and_then(|meta| meta.get("key")).and_then(Value::as_str) {
        return match what {
            "nftrace" | "priority" => Some(Vec::new()),
            "mark" => Some(vec![mark(value)]),
            _ => None,
        };
    }
    // Marks and labels of a flow: rules that ask for them are not understood, so nothing follows from what is written.
    if let Some(what) = key.get("ct").and_then(|ct| ct.get("key")).and_then(Value::as_str) {
        return ["mark", "label", "event"].contains(&what).then(Vec::new);
    }
    // RFC 4459: the segment size of a connection through a tunnel.
    if key.get("tcp option").is_some_and(|option| option.get("name").is_some_and(|name| name == "maxseg")) {
        return Some(Vec::new());
    }
    let payload = key.get("payload")?;
    if payload.get("field").and_then(Value::as_str).is_some_and(|field| HARMLESS.contains(&field)) {
        return Some(Vec::new());
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
    Some(vec![Step::Require(left.requires), step])
}

/// A number is known; a mark that is kept with the flow, or worked out, may be any.
fn mark(value: &Value) -> Step {
    match value.as_u64() {
        Some(number) => Step::Write(vec![(Field::Mark, Span::one(number))], None),
        None => Step::Write(
            vec![(Field::Mark, Span::range(0_u8, u32::MAX))],
            Some(format!("the mark {value}").into()),
        ),
    }
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

fn translate(body: &Value, table: &(String, String), ports: &mut Ports) -> Option<Step> {
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
    Some(Step::Translate { families, written, doubt })
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
fn redirect(body: &Value, table: &(String, String), ports: &mut Ports) -> Option<Step> {
    let mut written = vec![(Field::Destination, Span::all())];
    let mut doubt = Some("a translation to the box's own address".into());
    if body.is_object() {
        service(body, ports, &mut written, &mut doubt);
    }
    Some(Step::Translate { families: of_table(table), written, doubt })
}
