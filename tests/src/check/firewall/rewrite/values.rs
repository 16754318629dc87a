//! Comparisons written another way: ranges for prefixes, all but for not, the carrier and the family apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::site::prefix::Prefix;
use serde_json::{Value, json};

use super::{Edit, each_rule, each_step, is, meta, payload, steps, with_steps};

fn bits(address: &IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(*address).into(), 32),
        IpAddr::V6(address) => ((*address).into(), 128),
    }
}

pub(super) fn address(number: u128, bits: u32) -> Value {
    match (bits, u32::try_from(number)) {
        (32, Ok(number)) => json!(Ipv4Addr::from(number)),
        _ => json!(Ipv6Addr::from(number)),
    }
}

/// The first and the last address of what a right side says, and the bits of its family.
pub(super) fn range_of(right: &Value) -> Option<(u128, u128, u32)> {
    let prefix: Prefix = match right {
        Value::String(text) => {
            let address: IpAddr = text.parse().ok()?;
            Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } }
        }
        _ => {
            let prefix = right.get("prefix")?;
            format!("{}/{}", prefix["addr"].as_str()?, prefix["len"]).parse().ok()?
        }
    };
    let (first, size) = bits(&prefix.network());
    let host = 1_u128.checked_shl(size - u32::from(prefix.length)).map_or(u128::MAX, |host| host - 1);
    Some((first, first | host, size))
}

/// `!= X` as everything below X and everything above it.
pub(super) fn complemented(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let (first, last, size) =
            range_of(&step["match"]["right"]).filter(|_| step["match"]["op"] == "!=")?;
        let most = 1_u128.checked_shl(size).map_or(u128::MAX, |all| all - 1);
        let below = (first > 0).then(|| json!({"range": [address(0, size), address(first - 1, size)]}));
        let above = (last < most).then(|| json!({"range": [address(last + 1, size), address(most, size)]}));
        let others: Vec<Value> = below.into_iter().chain(above).collect();
        Some(vec![is(step["match"]["left"].clone(), json!({"set": others}))])
    })
}

pub(super) fn ranged(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        step["match"]["right"].get("prefix")?;
        let (first, last, size) = range_of(&step["match"]["right"])?;
        let mut step = step.clone();
        step["match"]["right"] = json!({"range": [address(first, size), address(last, size)]});
        Some(vec![step])
    })
}

pub(super) fn carrier_apart(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let body = &step["match"]["left"]["payload"];
        let protocol = body["protocol"].as_str().filter(|protocol| ["tcp", "udp"].contains(protocol))?;
        let mut new = step.clone();
        new["match"]["left"] = payload("th", body["field"].as_str()?);
        Some(vec![is(meta("l4proto"), json!(protocol)), new])
    })
}

pub(super) fn by_ether_type(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let family =
            (step["match"]["left"] == meta("nfproto")).then(|| step["match"]["right"].as_str())??;
        Some(vec![is(meta("protocol"), json!(if family == "ipv4" { "ip" } else { "ip6" }))])
    })
}

/// `hoplimit 255` as more than 254.
pub(super) fn compared(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let hop_limit = step["match"]["left"]["payload"]["field"] == "hoplimit";
        let mut new = step.clone();
        new["match"]["op"] = json!(">");
        new["match"]["right"] = json!(254);
        (hop_limit && step["match"]["right"] == 255).then(|| vec![new])
    })
}

/// A mask of states, and what is done with them, as a map.
pub(super) fn states_mapped(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let mut new = steps(rule);
        let verdict = new.pop()?;
        let asked = new.pop().filter(|step| step["match"]["left"] == json!({"ct": {"key": "state"}}))?;
        let pairs: Vec<Value> =
            asked["match"]["right"].as_array()?.iter().map(|state| json!([state, verdict])).collect();
        new.push(json!({"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": pairs}}}));
        Some(vec![with_steps(rule, new)])
    })
}

pub(super) fn by_source_ports(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let protocol = all.iter().find_map(|step| {
            let payload = &step["match"]["left"]["payload"];
            payload["protocol"].as_str().filter(|protocol| ["tcp", "udp"].contains(protocol))
        })?;
        let asks = |step: &Value| step["match"]["left"]["payload"]["field"] == "sport";
        let half = |first: u16, last: u16| is(payload(protocol, "sport"), json!({"range": [first, last]}));
        let with = |half: Value| with_steps(rule, [&[half], &all[..]].concat());
        let halves = vec![with(half(0, 32_767)), with(half(32_768, 65_535))];
        (!all.iter().any(asks)).then_some(halves)
    })
}
