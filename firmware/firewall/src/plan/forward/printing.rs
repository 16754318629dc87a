//! Both sides to the printers' printing ports, and the answers. A printer opens nothing (1).

use model::{Site, Zone};

use super::super::{Counted, accept, bypass, flows, is, is_not, over, refuse, refuse_invalid, refuse_rest};
use crate::nft::{Chain, Key, Operand};

pub(super) fn chains(site: &Site) -> Vec<Chain> {
    vec![to(site, Zone::Terminal), to(site, Zone::Clinic), back()]
}

fn to(site: &Site, from: Zone) -> Chain {
    let (name, own, says) = match from {
        Zone::Terminal => {
            ("forward_print_terminal", Operand::Set("terminals"), "only a terminal's own address (9)")
        }
        _ => {
            let own = Operand::Prefix(site.clinic.as_network());
            ("forward_print_clinic", own, "only the clinic's own addresses (9)")
        }
    };
    let id = |what: &str| format!("print-{}-{what}", from.key());
    let mut rules = Vec::new();
    rules.extend((from == Zone::Clinic).then(|| bypass::from_inside("print-clinic")));
    rules.push(only_ipv4(&id("ipv6")));
    rules.push(refuse(&id("source"), says, vec![is_not(Key::Source4, own)]));
    rules.push(flows(&id("flows")));
    rules.push(refuse_invalid(&id("invalid")));
    rules.push(over(&id("senders"), Counted::Through4));
    let printing = vec![is(Key::Service4, Operand::Set("printing"))];
    rules.push(accept(&id("listed"), "the printers' printing ports (1)", printing));
    rules.push(refuse_rest(&id("rest"), "a printer is asked to print only (1)"));
    Chain { name, hook: None, rules }
}

fn back() -> Chain {
    let mut rules = vec![bypass::from_inside("print-back"), only_ipv4("print-back-ipv6")];
    let foreign = vec![is_not(Key::Source4, Operand::Set("printers"))];
    rules.push(refuse("print-back-source", "only a printer's own address (9)", foreign));
    rules.push(flows("print-back-flows"));
    rules.push(refuse_rest("print-back-rest", "a printer opens nothing (1)"));
    Chain { name: "forward_print_back", hook: None, rules }
}

fn only_ipv4(id: &str) -> crate::nft::Rule {
    refuse(id, "printers are reached over IPv4 only (1)", vec![is(Key::Family, Operand::Word("ipv6"))])
}
