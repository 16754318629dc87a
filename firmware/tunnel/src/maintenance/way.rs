//! The interface of the tunnel and what lies behind it, as text for `ip -batch -`. Its routes are those that come and go
//! with its own address, so that nothing of them outlives it. Pure.

use model::site::prefix::Prefix;

use crate::charon::Purpose;

const INTERFACE: &str = Purpose::Maintenance.interface();

/// Gives charon's TUN the name the rules know, and the management address.
pub(super) fn of_tun(made: &str, address: &Prefix) -> String {
    let rename = format!("link set dev {made} down\nlink set dev {made} name {INTERFACE}\n");
    format!("{rename}{}", addressed(address))
}

/// Makes an interface whose packets the kernel encrypts.
pub(super) fn of_xfrm(port: &str, address: &Prefix) -> String {
    let if_id = Purpose::Maintenance.if_id();
    format!("link add {INTERFACE} type xfrm dev {port} if_id {if_id}\n{}", addressed(address))
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
        assert!(tun.ends_with("link set dev maint0 up\naddress replace 10.99.0.1/24 dev maint0\n"), "{tun}");
        assert!(of_xfrm("wan0", &address).starts_with("link add maint0 type xfrm dev wan0 if_id 3\n"));
    }
}
