//! The clinic and the printers, seen from the box.

use model::Site;

use super::{
    Counted, accept, discover, flows, is, is_not, jump_icmp6, over, refuse, refuse_invalid, refuse_rest,
};
use crate::nft::{Chain, Key, Operand};

const EVERYBODY: [u8; 4] = [255; 4];

pub(super) fn input(site: &Site) -> Chain {
    let mut rules = Vec::new();
    let own = || Operand::Prefix(site.clinic.as_network());
    if site.clinic_dhcp {
        rules.push(accept("clinic-input-dhcp", "a computer without an address asks for one (6)", discover()));
        // RFC 2131 section 4.3.2, REBINDING: from its own address, to everybody.
        let again = vec![
            is(Key::Source4, own()),
            is(Key::Destination4, Operand::address(EVERYBODY)),
            is(Key::UdpFrom, Operand::Number(68)),
            is(Key::UdpTo, Operand::Number(67)),
        ];
        rules.push(accept("clinic-input-rebind", "a computer asks for its address again (6)", again));
    }
    let foreign = vec![is_not(Key::Source4, own())];
    rules.push(refuse("clinic-input-source4", "only the clinic's own addresses (9)", foreign));
    let foreign = vec![is_not(Key::Source6, Operand::Set("link_local"))];
    rules.push(refuse("clinic-input-source6", "only the clinic's own addresses (9)", foreign));
    rules.push(jump_icmp6("clinic-input-icmp6"));
    let elsewhere = vec![is_not(Key::Destination4, Operand::address(site.clinic.address))];
    rules.push(refuse(
        "clinic-input-address",
        "the clinic reaches the box's clinic address only (6)",
        elsewhere,
    ));
    rules.push(flows("clinic-input-flows"));
    rules.push(refuse_invalid("clinic-input-invalid"));
    rules.push(over("clinic-input-senders", Counted::Here));
    let service =
        vec![is(Key::Family, Operand::Word("ipv4")), is(Key::TcpTo, Operand::Set("clinic_services"))];
    rules.push(accept("clinic-input-service", "the page and the shares (6)", service));
    if site.clinic_dhcp || site.clinic_dns {
        let asked =
            vec![is(Key::Family, Operand::Word("ipv4")), is(Key::Service, Operand::Set("clinic_asked"))];
        rules.push(accept("clinic-input-asked", "names and addresses, as the site asks for them (6)", asked));
    }
    rules.push(refuse_rest("clinic-input-rest", "the clinic reaches nothing else of the box (6)"));
    Chain { name: "input_clinic", hook: None, rules }
}

pub(super) fn output(site: &Site) -> Chain {
    let mut rules = vec![jump_icmp6("clinic-output-icmp6"), flows("clinic-output-flows")];
    let shares = site.remote_consumers().next().is_some();
    if shares || site.clinic_dhcp {
        rules.push(refuse_invalid("clinic-output-invalid"));
    }
    if shares {
        let share =
            vec![is(Key::Destination4, Operand::Set("consumers")), is(Key::TcpTo, Operand::Number(445))];
        rules.push(accept("clinic-output-share", "the relay opens the consumers' own shares (10)", share));
    }
    if site.clinic_dhcp {
        let dhcp = vec![
            is(Key::Family, Operand::Word("ipv4")),
            is(Key::UdpFrom, Operand::Number(67)),
            is(Key::UdpTo, Operand::Number(68)),
        ];
        rules.push(accept("clinic-output-dhcp", "answers to a computer without an address (6)", dhcp));
    }
    rules.push(refuse_rest("clinic-output-rest", "the box opens nothing to the clinic (10)"));
    Chain { name: "output_clinic", hook: None, rules }
}

/// A printer is asked and answers; to the box it says nothing.
pub(super) fn from_printers() -> Chain {
    let mut rules = Vec::new();
    let foreign = vec![is_not(Key::Source4, Operand::Set("printers"))];
    rules.push(refuse("printer-input-source4", "only a printer's own address (9)", foreign));
    let foreign = vec![is_not(Key::Source6, Operand::Set("link_local"))];
    rules.push(refuse("printer-input-source6", "only a printer's own address (9)", foreign));
    rules.push(jump_icmp6("printer-input-icmp6"));
    rules.push(refuse_rest("printer-input-rest", "a printer opens nothing (1)"));
    Chain { name: "input_printer", hook: None, rules }
}

pub(super) fn to_printers() -> Chain {
    let mut rules = vec![jump_icmp6("printer-output-icmp6"), flows("printer-output-flows")];
    rules.push(refuse_rest("printer-output-rest", "the box opens nothing to a printer (10)"));
    Chain { name: "output_printer", hook: None, rules }
}
