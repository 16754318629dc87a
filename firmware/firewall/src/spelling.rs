//! One spelling for what two versions of nft list differently, so that everybody behind this reads one only: the lab's 1.0.6 and the
//! disk image's 1.1.3. Pure.

use serde_json::Value;

/// Flags of a mask: `["syn", "rst"]` by 1.0, `{"|": ["syn", "rst"]}` by 1.1. It takes either, and means the same.
pub(crate) fn settle(listing: &mut Value) {
    match listing {
        Value::Object(map) => {
            if let Some(Value::Array(mask)) = map.get_mut("&") {
                mask.iter_mut().for_each(without_or);
            }
            map.values_mut().for_each(settle);
        }
        Value::Array(list) => list.iter_mut().for_each(settle),
        _ => {}
    }
}

/// Of words only: numbers that are put together are something else.
fn without_or(part: &mut Value) {
    let words = part.get_mut("|").and_then(Value::as_array_mut);
    if let Some(words) = words.filter(|words| words.iter().all(Value::is_string)) {
        *part = Value::Array(std::mem::take(words));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_of_a_mask_have_one_spelling_and_nothing_else_changes() {
        let rule = |mask: Value| {
            let flags = json!({"payload": {"protocol": "tcp", "field": "flags"}});
            json!({"nftables": [{"rule": {"expr": [{"match": {"left": {"&": [flags, mask]}, "right": "syn"}}]}}]})
        };
        let mut newer = rule(json!({"|": ["syn", "rst"]}));
        settle(&mut newer);
        assert_eq!(newer, rule(json!(["syn", "rst"])));
        for same in [rule(json!(["syn", "rst"])), rule(json!({"|": [1, 2]})), json!({"|": ["syn", "rst"]})] {
            let mut settled = same.clone();
            settle(&mut settled);
            assert_eq!(settled, same);
        }
    }
}
