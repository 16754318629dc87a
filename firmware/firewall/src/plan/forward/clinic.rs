//! The clinic to the internet and to its cloud, where the site says so, and the answers. Never to the line (3).

use model::Site;

use super::super::outside::nothing_opens;
use super::super::{Counted, accept, bypass, flows, is, is_not, over, refuse, refuse_invalid, refuse_rest};
use crate::nft::{Chain, Key, Operand, Rule, Statement};

/// There and back.
struct Way {
    zone: model::Zone,
    names: [&'static str; 2],
    ids: [&'static str; 2],
    says: &'static str,
    rest: &'static str,
}

pub(super) fn internet(site: &Site) -> Vec<Chain> {
    let way = Way {
        zone: model::Zone::Isp,
        names: ["forward_internet", "forward_internet_back"],
        ids: ["internet", "internet-back"],
        says: "the clinic leaves by the internet line (3)",
        rest: "the clinic opens nothing else there (3)",
    };
    let inside = vec![is(Key::Source4, Operand::Set("inside"))];
    let foreign =
        refuse("internet-back-source", "an address from inside does not come from outside (9)", inside);
    let elsewhere = vec![is_not(Key::Destination4, Operand::Set("inside"))];
    vec![way.there(site, elsewhere), way.back(foreign)]
}

pub(super) fn cloud(site: &Site) -> Vec<Chain> {
    let way = Way {
        zone: model::Zone::Cloud,
        names: ["forward_cloud", "forward_cloud_back"],
        ids: ["cloud", "cloud-back"],
        says: "the clinic reaches its cloud (3)",
        rest: "only the cloud's networks lie there (3)",
    };
    let other = vec![is_not(Key::Source4, Operand::Set("cloud_networks"))];
    let foreign = refuse("cloud-back-source", "only the cloud's own addresses (9)", other);
    vec![way.there(site, vec![is(Key::Destination4, Operand::Set("cloud_networks"))]), way.back(foreign)]
}

impl Way {
    fn there(&self, site: &Site, to: Vec<Statement>) -> Chain {
        let id = |what: &str| format!("{}-{what}", self.ids[0]);
        let own = Operand::Prefix(site.clinic.as_network());
        let mut rules = vec![bypass::from_inside(self.ids[0]), only_ipv4(&id("ipv6"))];
        rules.push(refuse(
            &id("source"),
            "only the clinic's own addresses (9)",
            vec![is_not(Key::Source4, own)],
        ));
        rules.push(flows(&id("flows")));
        rules.push(refuse_invalid(&id("invalid")));
        rules.push(over(&id("senders"), Counted::Through4));
        rules.push(accept(&id("out"), self.says, to));
        rules.push(refuse_rest(&id("rest"), self.rest));
        Chain { name: self.names[0], hook: None, rules }
    }

    fn back(&self, foreign: Rule) -> Chain {
        let id = |what: &str| format!("{}-{what}", self.ids[1]);
        let rest = refuse_rest(&id("rest"), nothing_opens(self.zone));
        let rules = vec![only_ipv4(&id("ipv6")), foreign, flows(&id("flows")), rest];
        Chain { name: self.names[1], hook: None, rules }
    }
}

fn only_ipv4(id: &str) -> Rule {
    refuse(id, "the clinic leaves over IPv4 only (3)", vec![is(Key::Family, Operand::Word("ipv6"))])
}
