//! What a packet has for an expression, where the chain that asks stands: not everything is known of it before routing and
//! before tracking.

use std::cmp::Ordering;

use serde_json::Value;

use super::Walk;
use super::seen::Seen;
use crate::packet::{Path, State};

/// Where connection tracking looks at a packet (NF_IP_PRI_CONNTRACK).
const TRACKING: i64 = -200;

impl Walk<'_> {
    /// What the packet has for an expression: one value, or several for a tuple; nothing if it has no such field.
    pub(super) fn read(&self, left: &Value) -> Result<Option<Vec<Seen>>, String> {
        if let Some(parts) = left["concat"].as_array() {
            let parts: Result<Vec<_>, String> = parts.iter().map(|part| self.one(part)).collect();
            return Ok(parts?.into_iter().collect());
        }
        Ok(self.one(left)?.map(|seen| vec![seen]))
    }

    fn one(&self, left: &Value) -> Result<Option<Seen>, String> {
        let packet = self.packet;
        if let Some(key) = left["meta"]["key"].as_str() {
            return self.meta(key).map(Some);
        }
        if let Some([Value::Object(_), Value::Array(flags)]) = left["&"].as_array().map(Vec::as_slice) {
            let opens = left["&"][0]["payload"]["field"] == "flags" && *flags == ["syn", "rst"];
            let opens = opens.then(|| Seen::Word(if packet.state == State::New { "syn" } else { "" }.into()));
            let opens = opens.ok_or_else(|| format!("the expression {left}"))?;
            return Ok((packet.protocol == 6 && packet.readable).then_some(opens));
        }
        if left["ct"]["key"] == "state" {
            return self.state().map(|state| Some(Seen::Word(state.word().into())));
        }
        self.header(&left["payload"])
    }

    fn meta(&self, key: &str) -> Result<Seen, String> {
        let packet = self.packet;
        Ok(match key {
            "iifname" | "iif" => Seen::Word(packet.from_port.clone()),
            // Nobody knows yet where to; the kernel compares with an empty name (nft_meta_store_ifname).
            "oifname" | "oif" if self.base["hook"] == "prerouting" => Seen::Word(String::new()),
            "oifname" | "oif" => Seen::Word(packet.to_port.clone()),
            "nfproto" => Seen::Word(if packet.source.is_ipv4() { "ipv4" } else { "ipv6" }.into()),
            "l4proto" => Seen::Protocol(packet.protocol),
            other => return Err(format!("meta {other}")),
        })
    }

    /// What tracking has not seen yet it has no flow for, which is called invalid (nft_ct_get_eval).
    fn state(&self) -> Result<State, String> {
        let tracks = self.base["hook"] == "prerouting" || self.base["hook"] == "output";
        match self.base["prio"].as_i64().filter(|_| tracks).map(|place| place.cmp(&TRACKING)) {
            Some(Ordering::Less) => Ok(State::Invalid),
            Some(Ordering::Equal) => Err(format!("the state in {}, beside tracking", self.base["name"])),
            Some(Ordering::Greater) | None => Ok(self.packet.state),
        }
    }

    /// The kernel counts it down before the hooks that follow the decision where to forward to.
    fn hop_limit(&self) -> u8 {
        let behind = self.base["hook"] == "forward" || self.base["hook"] == "postrouting";
        let counted = self.packet.path == Path::Forward && behind;
        self.packet.hop_limit.saturating_sub(u8::from(counted))
    }

    /// Whose card it comes from is not said of a packet: it is none that a rule names. What the box sends has none yet.
    fn card(&self, payload: &Value) -> Result<Option<Seen>, String> {
        match (payload["field"].as_str(), self.base["hook"].as_str(), self.packet.path) {
            (Some("saddr"), Some("output"), _) => Ok(None),
            (Some("saddr"), _, Path::Output) | (_, Some("postrouting"), _) => {
                Err(format!("the card in {}", self.base["name"]))
            }
            (Some("saddr"), ..) => Ok(Some(Seen::Card)),
            (other, ..) => Err(format!("the field {}", other.unwrap_or_default())),
        }
    }

    /// A field of a header, if the packet has that header and it can be read.
    fn header(&self, payload: &Value) -> Result<Option<Seen>, String> {
        let (packet, ipv4) = (self.packet, self.packet.source.is_ipv4());
        let (Some(protocol), Some(field)) = (payload["protocol"].as_str(), payload["field"].as_str()) else {
            return Err(format!("the expression {payload}"));
        };
        let there = match protocol {
            "ip" => ipv4,
            "ip6" => !ipv4,
            "icmp" => ipv4 && packet.protocol == 1 && packet.readable,
            "icmpv6" => !ipv4 && packet.protocol == 58 && packet.readable,
            "tcp" => packet.protocol == 6 && packet.readable,
            "udp" => packet.protocol == 17 && packet.readable,
            "th" => packet.readable,
            "ether" => return self.card(payload),
            other => return Err(format!("the header {other}")),
        };
        if !there {
            return Ok(None);
        }
        Ok(Some(match field {
            "saddr" => Seen::Address(packet.source),
            "daddr" => Seen::Address(packet.destination),
            "ttl" | "hoplimit" => Seen::Number(self.hop_limit().into()),
            "protocol" => Seen::Protocol(packet.protocol),
            "sport" => Seen::Number(packet.source_service),
            "dport" => Seen::Number(packet.destination_service),
            "type" => Seen::IcmpType(packet.icmp_type, ipv4),
            "code" => Seen::Number(packet.icmp_code.into()),
            other => return Err(format!("the field {other}")),
        }))
    }
}
