//! The way into the tunnel, as text for `ip -batch -`. Pure.
//!
//! What may leave by the tunnel only has a routing table of its own: into the tunnel while it stands, `unreachable` always
//! and behind that. The rules that lead there never go, so without a tunnel the traffic goes nowhere, whatever the line's own
//! routes say; the firewall forbids the same a second time.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use model::site::prefix::Prefix;

use crate::charon::Purpose;

/// What leads where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whose tunnel.
    pub purpose: Purpose,
    /// What lies behind it.
    pub networks: Vec<Prefix>,
    /// The gateways, which themselves are never behind it.
    pub gateways: Vec<IpAddr>,
    /// Ports whose every packet goes that way.
    pub from: Vec<String>,
    /// The box's own addresses on the inside, which answer whom they answer by their own ports.
    pub own: Vec<Prefix>,
    /// The inner address, if the contract names it.
    pub fixed: Option<Ipv4Addr>,
}

/// The line's own: Linux has 1 to 252 free, and those of daemons begin at 220.
const fn table(purpose: Purpose) -> u32 {
    100 + purpose.if_id()
}

/// Below the local table's 0, before the main table's 32766. Four for each purpose, in this order.
const fn rule(purpose: Purpose, nth: u32) -> u32 {
    1_000 + 10 * purpose.if_id() + nth
}

impl Way {
    /// The end of the table, which leads nowhere. To be laid before anything may be forwarded; it may be laid again.
    pub fn closed(&self) -> String {
        format!("-4 route replace unreachable default metric {LAST} table {}\n", table(self.purpose))
    }

    /// Takes away the rules in our places, by what `ip rule show` says: an earlier start, or another site file's.
    pub fn stale(&self, family: &str, shown: &str) -> String {
        let ours = (0..4).map(|nth| rule(self.purpose, nth)).collect::<Vec<_>>();
        let prefs = shown.lines().filter_map(|line| line.split_once(':')?.0.trim().parse::<u32>().ok());
        prefs
            .filter(|pref| ours.contains(pref))
            .map(|pref| format!("{family} rule del pref {pref}\n"))
            .collect()
    }

    /// The rules, each once: what [`Self::stale`] says goes first.
    pub fn rules(&self) -> String {
        let (table, purpose) = (table(self.purpose), self.purpose);
        let mut text = String::new();
        for gateway in &self.gateways {
            let family = if gateway.is_ipv4() { "-4" } else { "-6" };
            let _ = writeln!(text, "{family} rule add pref {} to {gateway} lookup main", rule(purpose, 0));
        }
        for own in &self.own {
            let _ =
                writeln!(text, "-4 rule add pref {} to {} lookup main", rule(purpose, 1), own.as_network());
        }
        for port in &self.from {
            let _ = writeln!(text, "-4 rule add pref {} iif {port} lookup {table}", rule(purpose, 2));
        }
        for network in &self.networks {
            let _ = writeln!(
                text,
                "-4 rule add pref {} to {} lookup {table}",
                rule(purpose, 3),
                network.as_network()
            );
        }
        text
    }

    /// The way in, while the tunnel stands with this inner address.
    pub fn open(&self, inner: Option<Ipv4Addr>) -> String {
        let (table, interface) = (table(self.purpose), self.purpose.interface());
        let mut text = format!("link set dev {interface} up\n");
        if let Some(fixed) = self.fixed {
            let _ = writeln!(text, "address replace {fixed}/32 dev {interface}");
        }
        let source = inner.or(self.fixed).map(|address| format!(" src {address}")).unwrap_or_default();
        let _ = writeln!(text, "-4 route replace default dev {interface}{source} table {table}");
        text
    }

    /// The way in, gone. It fails where it was not there, which is the same.
    pub fn close(&self) -> String {
        format!("-4 route del default dev {} table {}\n", self.purpose.interface(), table(self.purpose))
    }

    /// The interface, where the kernel encrypts. Where charon does, it has made one of that name.
    pub fn interface(&self, port: &str) -> String {
        let interface = self.purpose.interface();
        let if_id = self.purpose.if_id();
        format!("link add {interface} type xfrm dev {port} if_id {if_id}\nlink set dev {interface} up\n")
    }
}

/// Behind every other route of its table.
const LAST: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        Way {
            purpose: Purpose::Line,
            networks: vec!["203.0.113.0/25".parse().unwrap()],
            gateways: vec!["2001:db8:0:9::1".parse().unwrap(), "198.51.100.9".parse().unwrap()],
            from: vec!["term0".into()],
            own: vec!["192.0.2.1/24".parse().unwrap(), "198.51.100.1/24".parse().unwrap()],
            fixed: None,
        }
    }

    #[test]
    fn the_way_is_laid_closed_opened_and_closed_again() {
        let way = way();
        let inner = Some(Ipv4Addr::new(203, 0, 113, 130));
        let shown = "0:\tfrom all lookup local\n1013:\tfrom all to 10.0.0.0/8 lookup 101\n1023:\tof another\n32766:\tmain\n";
        let all = [
            way.closed(),
            way.stale("-4", shown),
            way.rules(),
            way.open(inner),
            way.close(),
            way.interface("wan0"),
        ];
        insta::assert_snapshot!(all.join("--\n"));
    }

    #[test]
    fn without_an_inner_address_the_interface_alone_is_named_and_a_fixed_one_is_laid() {
        assert!(way().open(None).contains("default dev ipsec0 table 101"));
        let fixed = Way { fixed: Some(Ipv4Addr::new(10, 0, 0, 9)), ..way() };
        assert!(fixed.open(None).contains("address replace 10.0.0.9/32 dev ipsec0\n"));
        assert!(fixed.open(None).contains("src 10.0.0.9 table 101"));
    }
}
