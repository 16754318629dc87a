//! The ruleset before a site is in force: one port, the setup page over HTTPS at the box's setup address, in the
//! carton an address for the installer's computer, and nothing else in, out or through.

use model::boot::Setup;

use super::{Statement, accept, discover, flows, is, is_not, lookup, refuse, refuse_invalid, refuse_rest};
use crate::nft::{Chain, Hook, Key, Map, Operand, Verdict};

const EVERYBODY: [u8; 4] = [255; 4];

pub(super) fn maps(setup: Option<&Setup>) -> Vec<Map> {
    let map = |name, chain| {
        let own = (Operand::Port("lo".into()), Verdict::Accept);
        let port = setup.map(|setup| (Operand::Port(setup.port.clone()), Verdict::Jump(chain)));
        Map { name, types: &["ifname"], elements: [own].into_iter().chain(port).collect() }
    };
    vec![map("input_by_port", "input_setup"), map("output_by_port", "output_setup")]
}

pub(super) fn chains(setup: Option<&Setup>, lends_addresses: bool) -> Vec<Chain> {
    let ports = setup.into_iter().flat_map(|setup| [input(setup, lends_addresses), output(lends_addresses)]);
    ports.chain([input_base(), forward_base(), output_base()]).collect()
}

fn input(setup: &Setup, lends_addresses: bool) -> Chain {
    let mut rules = Vec::new();
    if lends_addresses {
        rules.push(accept("setup-input-dhcp", "a computer without an address asks for one (14)", discover()));
        // RFC 2131 section 4.3.2, REBINDING: from its own address, to everybody.
        let again = vec![
            is(Key::Source4, Operand::Prefix(setup.address.as_network())),
            is(Key::Destination4, Operand::address(EVERYBODY)),
            is(Key::UdpFrom, Operand::Number(68)),
            is(Key::UdpTo, Operand::Number(67)),
        ];
        rules.push(accept("setup-input-rebind", "a computer asks for its address again (14)", again));
    }
    let foreign = vec![is_not(Key::Source4, Operand::Prefix(setup.address.as_network()))];
    rules.push(refuse("setup-input-source", "only addresses of the setup port's own network (14)", foreign));
    let elsewhere = vec![is_not(Key::Destination4, own(setup))];
    rules.push(refuse("setup-input-address", "only the box's setup address is reached (14)", elsewhere));
    rules.push(flows("setup-input-flows"));
    rules.push(refuse_invalid("setup-input-invalid"));
    let page = vec![is(Key::Destination4, own(setup)), is(Key::TcpTo, Operand::Number(Setup::HTTPS))];
    rules.push(accept("setup-input-page", "the setup page, over HTTPS only (14)", page));
    if lends_addresses {
        let renew = vec![
            is(Key::Destination4, own(setup)),
            is(Key::UdpFrom, Operand::Number(68)),
            is(Key::UdpTo, Operand::Number(67)),
        ];
        rules.push(accept("setup-input-renew", "a computer keeps its address (14)", renew));
    }
    rules.push(refuse_rest("setup-input-rest", "before a site is in force nothing else is reached (14)"));
    Chain { name: "input_setup", hook: None, rules }
}

fn output(lends_addresses: bool) -> Chain {
    let mut rules = vec![flows("setup-output-flows")];
    rules.push(refuse_invalid("setup-output-invalid"));
    if lends_addresses {
        let answer: Vec<Statement> = vec![
            is(Key::Family, Operand::Word("ipv4")),
            is(Key::UdpFrom, Operand::Number(67)),
            is(Key::UdpTo, Operand::Number(68)),
        ];
        rules.push(accept("setup-output-dhcp", "answers to a computer without an address (15)", answer));
    }
    rules.push(refuse_rest("setup-output-rest", "before a site is in force the box asks nobody (15)"));
    Chain { name: "output_setup", hook: None, rules }
}

fn own(setup: &Setup) -> Operand {
    Operand::address(setup.address.address)
}

fn input_base() -> Chain {
    let mut rules = vec![lookup("input-port", "the setup port has its rules", Key::In, "input_by_port")];
    rules.push(refuse_rest("input-rest", "every other port is closed (14)"));
    Chain { name: "input", hook: Some(Hook::filter("input")), rules }
}

fn forward_base() -> Chain {
    let rules = vec![refuse_rest("forward-rest", "before a site is in force nothing is forwarded (13)")];
    Chain { name: "forward", hook: Some(Hook::filter("forward")), rules }
}

fn output_base() -> Chain {
    let mut rules = vec![lookup("output-port", "the setup port has its rules", Key::Out, "output_by_port")];
    rules.push(refuse_rest("output-rest", "every other port is closed (15)"));
    Chain { name: "output", hook: Some(Hook::filter("output")), rules }
}
