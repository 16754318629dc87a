//! A rule of nft's JSON in nft's own words, for a person to read. What has no words here stands as its JSON.

use serde_json::Value;

/// `ip daddr 192.0.2.1 tcp dport 53 counter accept`
pub(crate) fn rule(rule: &Value) -> String {
    let steps = rule["expr"].as_array().map_or(&[][..], Vec::as_slice);
    steps.iter().map(statement).collect::<Vec<_>>().join(" ")
}

fn statement(statement: &Value) -> String {
    let Some((word, body)) = only(statement) else { return statement.to_string() };
    match word {
        "match" => {
            let (left, right) = (expression(&body["left"]), expression(&body["right"]));
            match body["op"].as_str() {
                Some("==" | "in") | None => format!("{left} {right}"),
                Some(op) => format!("{left} {op} {right}"),
            }
        }
        "vmap" => format!("{} vmap {}", expression(&body["key"]), expression(&body["data"])),
        "counter" => "counter".into(),
        "limit" => {
            let text = |key: &str| body[key].as_str().unwrap_or("second").to_owned();
            format!("limit rate {}/{}", body["rate"], text("per"))
        }
        "log" => {
            let prefix = body["prefix"].as_str().map(|prefix| format!(" prefix {prefix:?}"));
            let group = body.get("group").map(|group| format!(" group {group}"));
            ["log".into(), prefix.unwrap_or_default(), group.unwrap_or_default()].concat()
        }
        "jump" | "goto" => format!("{word} {}", body["target"].as_str().unwrap_or_default()),
        _ if body.is_null() => word.to_owned(),
        _ => statement.to_string(),
    }
}

fn expression(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') => {
            format!("{text:?}")
        }
        Value::String(text) => text.clone(),
        Value::Array(list) => braced(list),
        Value::Object(_) => object(value),
        other => other.to_string(),
    }
}

fn object(value: &Value) -> String {
    let Some((word, body)) = only(value) else { return value.to_string() };
    match (word, body) {
        ("meta", body) => format!("meta {}", expression(&body["key"])),
        ("ct", body) => format!("ct {}", expression(&body["key"])),
        ("payload", body) => format!("{} {}", expression(&body["protocol"]), expression(&body["field"])),
        ("prefix", body) => format!("{}/{}", expression(&body["addr"]), body["len"]),
        ("concat", Value::Array(parts)) => parts.iter().map(expression).collect::<Vec<_>>().join(" . "),
        ("range", Value::Array(ends)) => ends.iter().map(expression).collect::<Vec<_>>().join("-"),
        ("set", Value::Array(list)) => braced(list),
        ("set", one) => expression(one),
        ("elem", body) => expression(&body["val"]),
        ("accept" | "drop" | "return" | "continue" | "jump" | "goto" | "reject", _) => statement(value),
        _ => value.to_string(),
    }
}

/// A pair is an element of a map: its key and its verdict.
fn braced(list: &[Value]) -> String {
    let element = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([key, verdict]) => format!("{} : {}", expression(key), expression(verdict)),
        _ => expression(value),
    };
    format!("{{ {} }}", list.iter().map(element).collect::<Vec<_>>().join(", "))
}

fn only(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(word, body)| (word.as_str(), body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_reads_as_nft_writes_it_and_what_is_strange_is_shown_as_it_is() {
        for (steps, text) in [
            (
                json!([{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": {"prefix": {"addr": "192.0.2.0", "len": 24}}}},
                    {"counter": {"packets": 1, "bytes": 2}}, {"accept": null}]),
                "ip daddr 192.0.2.0/24 counter accept",
            ),
            (
                json!([{"match": {"op": "!=", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["a b", "lan0"]}}}, {"jump": {"target": "x"}}]),
                "meta iifname != { \"a b\", lan0 } jump x",
            ),
            (
                json!([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": null}], ["new", {"goto": {"target": "y"}}]]}}}]),
                "ct state vmap { established : accept, new : goto y }",
            ),
            (
                json!([{"limit": {"rate": 5, "burst": 10, "per": "second"}}, {"log": {"prefix": "x-rest", "group": 5}}]),
                "limit rate 5/second log prefix \"x-rest\" group 5",
            ),
            (json!([{"dnat": {"addr": "192.0.2.1"}}]), "{\"dnat\":{\"addr\":\"192.0.2.1\"}}"),
        ] {
            assert_eq!(rule(&json!({ "expr": steps })), text);
        }
    }
}
