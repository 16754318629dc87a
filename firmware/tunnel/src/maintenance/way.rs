//! The interface of the tunnel and what lies behind it, as text for `ip -batch -`. Its routes are those that come and go
//! with its own address, so that nothing of them outlives it. Pure.

use std::net::{IpAddr, Ipv4Addr};

use model::site::prefix::Prefix;

use crate::charon::Purpose;
use crate::way::WIDTH;

const INTERFACE: &str = Purpose::Maintenance.interface();

/// Gives charon's TUN the name the rules know, and the management address.
///
/// charon lays a route of its own for each of its policies, by the name its TUN was made with. A link of that name,
/// which leads nowhere, lets it find one; the two halves of the network, by the right interface, are closer than that.
pub(super) fn of_tun(made: &str, address: &Prefix) -> String {
    let rename = format!("link set dev {made} down\nlink set dev {made} name {INTERFACE}\n");
    let shadow = format!(
        "tuntap add dev {made} mode tun\nlink set dev {made} addrgenmode none\nlink set dev {made} up\n"
    );
    let routes: String = halves(address)
        .map(|half| format!("route replace {half} dev {INTERFACE} src {}\n", address.address))
        .collect();
    format!("{rename}{}{routes}{shadow}", addressed(address))
}

/// The two halves of a network.
fn halves(network: &Prefix) -> impl Iterator<Item = Prefix> {
    let length = (network.length + 1).min(32);
    let first = match network.as_network().address {
        IpAddr::V4(first) => u32::from(first),
        // The site file's checker lets no other in.
        IpAddr::V6(_) => 0,
    };
    let second = first | 1_u32.checked_shl(32 - u32::from(length)).unwrap_or_default();
    [first, second].into_iter().map(move |at| Prefix { address: Ipv4Addr::from(at).into(), length })
}

/// Takes that link away. It carries nothing.
pub(super) fn without(made: &str) -> String {
    format!("tuntap del dev {made} mode tun\n")
}

/// Makes an interface whose packets the kernel encrypts.
pub(super) fn of_xfrm(port: &str, address: &Prefix) -> String {
    let if_id = Purpose::Maintenance.if_id();
    format!(
        "link add {INTERFACE} type xfrm dev {port} if_id {if_id}\nlink set dev {INTERFACE} mtu {WIDTH}\n{}",
        addressed(address)
    )
}

/// It answers no neighbour and makes itself no address of the other family.
fn addressed(address: &Prefix) -> String {
    format!(
        "link set dev {INTERFACE} addrgenmode none\nlink set dev {INTERFACE} up\n\
         address replace {address} dev {INTERFACE}\n"
    )
}

/// Takes it away, with its addresses and routes.
pub(super) fn gone() -> String {
    format!("link del dev {INTERFACE}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_has_the_name_of_the_rules_and_the_management_address() {
        let address = "10.99.0.1/24".parse().unwrap();
        let tun = of_tun("ipsec1", &address);
        assert!(tun.contains("link set dev ipsec1 name maint0\n"));
        let last = "link set dev maint0 up\naddress replace 10.99.0.1/24 dev maint0\n\
                    route replace 10.99.0.0/25 dev maint0 src 10.99.0.1\n\
                    route replace 10.99.0.128/25 dev maint0 src 10.99.0.1\ntuntap add dev ipsec1 mode tun\n\
                    link set dev ipsec1 addrgenmode none\nlink set dev ipsec1 up\n";
        assert!(tun.ends_with(last), "{tun}");
        assert!(of_xfrm("wan0", &address).starts_with("link add maint0 type xfrm dev wan0 if_id 3\n"));
    }
}
