//! What makes a provider's profile wrong though each of its keys is right.

use model::site::walk::{Errors, Node};

use crate::strength;

pub(super) fn all(root: &Node, routed: bool, errors: &mut Errors<'_>) {
    missing(root, routed, errors);
    let legacy = root.was_given("legacy");
    for (key, ike) in [("ike-proposals", true), ("esp-proposals", false)] {
        for text in root.texts(key) {
            proposal(root, key, &text, ike, legacy, errors);
        }
    }
    version(root, legacy, errors);
    inside(root, routed, errors);
    if let Some(node) = root.table("authentication")
        && node.text("method").as_deref() == Some("psk")
        && node.was_given("authorities")
    {
        errors.add(node, "authorities", "a shared key has no authorities".into(), None);
    }
}

/// What only the contract sheet knows. One sentence for all of it: a shipped profile is empty.
fn missing(root: &Node, routed: bool, errors: &mut Errors<'_>) {
    let mut keys = Vec::new();
    let mut need = |node: Option<&Node>, table: &str, key: &str| {
        if node.is_some_and(|node| !node.was_given(key)) {
            keys.push(if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") });
        }
    };
    need(Some(root), "", "ike-proposals");
    need(Some(root), "", "esp-proposals");
    need(root.table("own"), "own", "id");
    need(root.table("peer"), "peer", "id");
    let authentication = root.table("authentication");
    need(authentication, "authentication", "method");
    need(authentication, "authentication", "secret");
    if authentication.and_then(|node| node.text("method")).as_deref() == Some("certificate") {
        need(authentication, "authentication", "authorities");
    }
    let inside = root.table("inside");
    need(inside, "inside", "networks");
    if !routed && inside.and_then(|node| node.boolean("mode-config")) == Some(false) {
        need(inside, "inside", "address");
    }
    if keys.is_empty() {
        return;
    }
    let name = root.text("name").unwrap_or_else(|| "the provider".into());
    let message = format!(
        "the profile of {name} is not filled in: {} stand in the contract sheet and are missing here",
        keys.join(", ")
    );
    errors.add(root, "name", message, None);
}

fn proposal(root: &Node, key: &str, text: &str, ike: bool, legacy: bool, errors: &mut Errors<'_>) {
    match strength::read(text, ike) {
        Err(message) => errors.add(root, key, message, Some(strength::words())),
        Ok(proposal) if !legacy && !proposal.weak.is_empty() => {
            let message = format!("{text:?} is too weak: {}", proposal.weak.join(", "));
            let allowed = "together with legacy = { approved-by = \"…\", why = \"…\" }";
            errors.add(root, key, message, Some(allowed.into()));
        }
        Ok(_) => {}
    }
}

fn version(root: &Node, legacy: bool, errors: &mut Errors<'_>) {
    let first = root.integer("ike") == Some(1);
    if root.boolean("aggressive") == Some(true) {
        if !first {
            errors.add(
                root,
                "aggressive",
                "IKEv2 has no aggressive mode".into(),
                Some("with ike = 1".into()),
            );
        } else if !legacy {
            let message = "aggressive mode gives the shared key to whoever listens and guesses".to_owned();
            let allowed = "together with legacy = { approved-by = \"…\", why = \"…\" }";
            errors.add(root, "aggressive", message, Some(allowed.into()));
        }
    }
    if first && root.boolean("mobike") == Some(true) {
        errors.add(root, "mobike", "IKEv1 has no MOBIKE".into(), Some("with ike = 2".into()));
    }
}

fn inside(root: &Node, routed: bool, errors: &mut Errors<'_>) {
    let Some(node) = root.table("inside") else { return };
    if node.prefixes("networks").iter().any(|prefix| !prefix.address.is_ipv4()) {
        let allowed = Some("IPv4 prefixes".into());
        errors.add(node, "networks", "the tunnel carries IPv4 only".into(), allowed);
    }
    let asked = node.boolean("mode-config");
    if routed && asked == Some(true) {
        let message = "the site file says that terminals keep their addresses".to_owned();
        errors.add(node, "mode-config", message, Some("false, or without routed in the site file".into()));
    }
    if node.was_given("address") && (routed || asked != Some(false)) {
        let message = "an inner address of one's own is of no use here".to_owned();
        errors.add(node, "address", message, Some("with mode-config = false".into()));
    }
}
