//! Routing by rules: which table is asked. The kernel's own rules ask the local table, the main one, and the default one.

use futures_util::TryStreamExt as _;
use netlink_packet_route::rule::{RuleAttribute, RuleMessage};
use rtnetlink::IpVersion;

/// Priority and table of the kernel's own rules (fib_default_rules_init, fib6_rules_net_init).
const OWN: [(u32, u32); 3] = [(0, 255), (32_766, 254), (32_767, 253)];

pub(super) async fn look(handle: &rtnetlink::Handle) -> Result<Vec<String>, rtnetlink::Error> {
    let mut words = Vec::new();
    for (version, family) in [(IpVersion::V4, "IPv4"), (IpVersion::V6, "IPv6")] {
        let rules: Vec<RuleMessage> = handle.rule().get(version).execute().try_collect().await?;
        let other = rules.iter().filter(|rule| !OWN.contains(&place(rule)) || asks(rule)).map(place);
        words.extend(other.map(|(priority, table)| {
            format!("the routing rule {priority}, which asks table {table} ({family})")
        }));
    }
    Ok(words)
}

fn place(rule: &RuleMessage) -> (u32, u32) {
    let (mut priority, mut table) = (0, u32::from(rule.header.table));
    for attribute in &rule.attributes {
        match attribute {
            RuleAttribute::Priority(number) => priority = *number,
            RuleAttribute::Table(number) => table = *number,
            _ => {}
        }
    }
    (priority, table)
}

/// Whether it is for some packets only.
fn asks(rule: &RuleMessage) -> bool {
    let of_all = |attribute: &RuleAttribute| {
        use RuleAttribute::{Other, Priority, Protocol, SuppressPrefixLen, Table};
        matches!(attribute, Priority(_) | Table(_) | Protocol(_) | SuppressPrefixLen(_) | Other(_))
    };
    rule.header.dst_len != 0 || rule.header.src_len != 0 || !rule.attributes.iter().all(of_all)
}
