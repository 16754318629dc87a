//! What is lost or refused, as tables of nft.

use crate::plan::Host;

/// What a fault's table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    family: &'static str,
    hook: &'static str,
    rule: &'static str,
}

/// A table of nft in a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// In which host.
    pub host: Host,
    /// Its name.
    pub name: &'static str,
    pub(super) rules: Rules,
}

impl Table {
    /// The nft command that makes it.
    pub fn make(&self) -> String {
        let Rules { family, hook, rule } = self.rules;
        format!(
            "table {family} {} {{\n chain fault {{\n type filter hook {hook};\n {rule}\n}}\n}}\n",
            self.name
        )
    }

    /// The nft command that takes it away.
    pub fn unmake(&self) -> String {
        format!("delete table {} {}\n", self.rules.family, self.name)
    }
}

// The rules go into a chain of their own in a table of their own, so undoing a fault is deleting its table. Each has
// its family and hook; `policy accept` unless the fault is that nothing passes at all.
pub(super) const LOSE_ADVERTISEMENTS: Rules = Rules {
    family: "inet",
    hook: "output priority 0; policy accept",
    rule: "icmpv6 type nd-router-advert drop",
};
/// A DHCP server sends past the rules of its host; what it is asked it is not.
pub(super) const LOSE_DHCP: Rules =
    Rules { family: "inet", hook: "input priority 0; policy accept", rule: "udp dport 67 drop" };
pub(super) const LOSE_ARP_REPLIES: Rules =
    Rules { family: "arp", hook: "output priority 0; policy accept", rule: "arp operation reply drop" };
pub(super) const LOSE_IKE: Rules =
    Rules { family: "inet", hook: "forward priority 0; policy accept", rule: "udp dport 500 drop" };
pub(super) const LOSE_IKE_BY_NAT: Rules =
    Rules { family: "inet", hook: "forward priority 0; policy accept", rule: "udp dport 4500 drop" };
pub(super) const LOSE_WHAT_COMES_OUT_OF_THE_TUNNEL: Rules =
    Rules { family: "inet", hook: "prerouting priority 0; policy accept", rule: "iifname \"ipsec0\" drop" };
pub(super) const LOSE_QUERIES: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "meta l4proto { tcp, udp } th dport 53 drop",
};
pub(super) const LOSE_QUERIES_TO_THE_FIRST: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:53::1 meta l4proto { tcp, udp } th dport 53 drop",
};
pub(super) const LOSE_QUERIES_TO_THE_SECOND: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:53::2 meta l4proto { tcp, udp } th dport 53 drop",
};
pub(super) const REFUSE_THE_PREFIX: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 saddr 2001:db8:0:1::/64 ip6 daddr { 2001:db8:0:cc::10, 2001:db8:0:cc::20 } tcp dport 443 reject with tcp reset",
};
pub(super) const REFUSE_THE_SERVICE: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::10 tcp dport 443 reject with tcp reset",
};
pub(super) const LOSE_LINE_AUTHENTICATION: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::20 drop",
};
pub(super) const LOSE_THE_NEIGHBOURS_TOO: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr { 2001:db8:0:cc::10, 2001:db8:0:cc::20, 2001:db8:0:cc::30 } drop",
};
pub(super) const LOSE_FILE_SHARING: Rules =
    Rules { family: "inet", hook: "input priority 0; policy accept", rule: "tcp dport 445 drop" };
pub(super) const LOSE_THE_SERVICE: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::10 drop",
};
/// What the terminal's application calls, which the box's own probes never are.
pub(super) const LOSE_THE_TERMINAL_S_CALLS: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "tcp sport 61000-61999 counter drop",
};
pub(super) const LOSE_DISTRIBUTION: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::30 drop",
};
pub(super) const LOSE_NEIGHBOUR_ADVERTISEMENTS: Rules = Rules {
    family: "inet",
    hook: "output priority 0; policy accept",
    rule: "icmpv6 type nd-neighbor-advert drop",
};
pub(super) const LOSE_PACKET_TOO_BIG: Rules = Rules {
    family: "inet",
    hook: "output priority 0; policy accept",
    rule: "icmpv6 type packet-too-big drop",
};
pub(super) const LOSE_WHAT_THE_RECEIPT_COMPUTER_ASKS: Rules =
    Rules { family: "inet", hook: "output priority 0; policy accept", rule: "tcp dport 445 drop" };
pub(super) const LEND_NOTHING: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "iifname \"i0\" udp dport 67 drop",
};
/// Whatever is meant for somebody behind the provider's end; that end itself answers.
pub(super) const LOSE_WHAT_GOES_FAR: Rules = Rules {
    family: "inet",
    hook: "prerouting priority 0; policy accept",
    rule: "iifname \"i0\" meta nfproto ipv4 ip daddr != { 203.0.113.208/28, 255.255.255.255 } drop",
};
pub(super) const LOSE_THE_CLOUD_S_SERVICE: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip daddr 10.40.0.10 tcp dport 443 drop",
};
pub(super) const REFUSE_THE_CLOUD_S_SERVICE: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip daddr 10.40.0.10 tcp dport 443 reject with tcp reset",
};
pub(super) const LOSE_THE_WAY_TO_THE_CLOUD: Rules =
    Rules { family: "inet", hook: "forward priority 0; policy accept", rule: "oifname \"h0\" drop" };
pub(super) const LOSE_CALLS_TO_THE_MAINTAINER: Rules = Rules {
    family: "inet",
    hook: "prerouting priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:ab::9 counter drop",
};
pub(super) const LOSE_CALLS_BY_THE_INTERNET: Rules = Rules {
    family: "inet",
    hook: "prerouting priority 0; policy accept",
    rule: "ip daddr 203.0.113.194 counter drop",
};
/// Below ARP and IPv4 both: a device that is off answers neither.
pub(super) const HEAR_NOTHING: Rules =
    Rules { family: "netdev", hook: "ingress device \"e0\" priority 0; policy drop", rule: "" };
