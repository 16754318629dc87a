//! The way into the tunnel, as text for `ip -batch -`. Pure.
//!
//! Each network behind the tunnel has two routes: into the tunnel while that stands, and behind it, always, one that says
//! `unreachable`. So without a tunnel the traffic goes nowhere, whatever the line's own routes say; that it leaves by the
//! tunnel only, the firewall proves besides. All of it is in the main table: a routing rule of one's own would be a way
//! beside the ruleset, which the proof does not follow.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use model::site::prefix::Prefix;

use crate::charon::Purpose;

/// What leads where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whose tunnel.
    pub purpose: Purpose,
    /// What lies behind it.
    pub networks: Vec<Prefix>,
    /// The inner address, if the contract names it.
    pub fixed: Option<Ipv4Addr>,
}

/// What fits, with the longest transforms of ESP in UDP over IPv6 around it (107 octets), into a line of 1454.
pub(crate) const WIDTH: u32 = 1340;

/// Behind every other route.
const LAST: u32 = u32::MAX;

impl Way {
    /// What stands always: nobody there can be reached. To be laid before anything may be forwarded; it may be laid again.
    pub fn closed(&self) -> String {
        let line =
            |network: &Prefix| format!("route replace unreachable {} metric {LAST}\n", network.as_network());
        self.networks.iter().map(line).collect()
    }

    /// The way in, while the tunnel stands with this inner address.
    pub fn open(&self, inner: Option<Ipv4Addr>) -> String {
        let interface = self.purpose.interface();
        let mut text = format!("link set dev {interface} up\n");
        if let Some(fixed) = self.fixed {
            let _ = writeln!(text, "address replace {fixed}/32 dev {interface}");
        }
        let source = inner.or(self.fixed).map(|address| format!(" src {address}")).unwrap_or_default();
        for network in &self.networks {
            let _ = writeln!(text, "route replace {} dev {interface}{source}", network.as_network());
        }
        text
    }

    /// The inner address that the contract names, which the interface has before anybody is called: charon looks for it when it
    /// has agreed on a tunnel.
    pub fn own(&self) -> String {
        let interface = self.purpose.interface();
        let address = |fixed: Ipv4Addr| {
            format!("link set dev {interface} up\naddress replace {fixed}/32 dev {interface}\n")
        };
        self.fixed.map(address).unwrap_or_default()
    }

    /// The way in, gone. It fails where it was not there, which is the same.
    pub fn close(&self) -> String {
        let interface = self.purpose.interface();
        let line = |network: &Prefix| format!("route del {} dev {interface}\n", network.as_network());
        self.networks.iter().map(line).collect()
    }

    /// The interface, where the kernel encrypts. Where charon does, it has made one of that name.
    pub fn interface(&self, port: &str) -> String {
        let interface = self.purpose.interface();
        let if_id = self.purpose.if_id();
        format!(
            "link add {interface} type xfrm dev {port} if_id {if_id}\n\
             link set dev {interface} addrgenmode none\nlink set dev {interface} mtu {WIDTH} up\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        let networks = ["203.0.113.0/25", "198.51.100.77/32"].map(|text| text.parse().unwrap());
        Way { purpose: Purpose::Line, networks: networks.to_vec(), fixed: None }
    }

    #[test]
    fn the_way_is_laid_closed_opened_and_closed_again() {
        let way = way();
        let inner = Some(Ipv4Addr::new(203, 0, 113, 130));
        let all = [way.closed(), way.open(inner), way.close(), way.interface("wan0")];
        insta::assert_snapshot!(all.join("--\n"));
    }

    #[test]
    fn without_an_inner_address_the_interface_alone_is_named_and_a_fixed_one_is_laid() {
        assert!(way().open(None).contains("203.0.113.0/25 dev ipsec0\n"));
        let fixed = Way { fixed: Some(Ipv4Addr::new(10, 0, 0, 9)), ..way() };
        assert!(fixed.open(None).contains("address replace 10.0.0.9/32 dev ipsec0\n"));
        assert!(fixed.open(None).contains("dev ipsec0 src 10.0.0.9\n"));
        assert_eq!(fixed.own(), "link set dev ipsec0 up\naddress replace 10.0.0.9/32 dev ipsec0\n");
        assert_eq!(way().own(), "");
    }
}
