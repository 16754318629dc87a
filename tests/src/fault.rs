//! The faults the clinic can make, and what the world around the box looks like while some of them are on. Pure.

use std::collections::BTreeMap;

use crate::plan::Host;

/// One fault, or a variant of one.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its code in the catalogue; a variant follows after a colon.
    pub code: &'static str,
    /// What the clinic does to make it.
    pub what: &'static str,
    /// What that changes.
    makes: fn(&mut World),
}

/// Every fault that can be made, in the catalogue's order.
pub const CATALOGUE: [Fault; 20] = [
    Fault {
        code: "WAN-01",
        what: "the line's cable is out: the box has no carrier",
        makes: |world| world.line_plugged = false,
    },
    Fault {
        code: "WAN-02",
        what: "router advertisements are lost, and the last one has expired (9 s)",
        makes: |world| world.drop(Host::Ngn, "WAN_02", LOSE_ADVERTISEMENTS),
    },
    Fault {
        code: "WAN-03",
        what: "the router says goodbye (an advertisement with lifetime 0)",
        makes: |world| world.router = false,
    },
    Fault {
        code: "DNS-01",
        what: "both resolvers are silent",
        makes: |world| world.drop(Host::Ngn, "DNS_01", LOSE_QUERIES),
    },
    Fault {
        code: "DNS-02",
        what: "the first resolver is silent",
        makes: |world| world.drop(Host::Ngn, "DNS_02", LOSE_QUERIES_TO_THE_FIRST),
    },
    Fault {
        code: "DNS-02:second",
        what: "the second resolver is silent",
        makes: |world| world.drop(Host::Ngn, "DNS_02_second", LOSE_QUERIES_TO_THE_SECOND),
    },
    Fault {
        code: "AUTH-01",
        what: "line authentication and service refuse the box's prefix",
        makes: |world| world.drop(Host::Ngn, "AUTH_01", REFUSE_THE_PREFIX),
    },
    Fault {
        code: "AUTH-01:silent",
        what: "line authentication is silent, and the service refuses (TCP reset)",
        makes: |world| {
            world.drop(Host::Ngn, "AUTH_01_silent", LOSE_LINE_AUTHENTICATION);
            world.drop(Host::Ngn, "AUTH_01_refused", REFUSE_THE_SERVICE);
        },
    },
    Fault {
        code: "CTR-01",
        what: "the centre's service refuses (TCP reset)",
        makes: |world| world.drop(Host::Ngn, "CTR_01", REFUSE_THE_SERVICE),
    },
    Fault {
        code: "CTR-02",
        what: "the centre's service is silent",
        makes: |world| world.drop(Host::Ngn, "CTR_02", LOSE_THE_SERVICE),
    },
    Fault {
        code: "CTR-02:all",
        what: "the centre's service is silent, and line authentication and distribution are too",
        makes: |world| world.drop(Host::Ngn, "CTR_02_all", LOSE_THE_NEIGHBOURS_TOO),
    },
    Fault {
        code: "CTR-03",
        what: "the centre's certificate has expired",
        makes: |world| world.centre.expired = true,
    },
    Fault {
        code: "CTR-05:alert",
        what: "the centre refuses the missing client certificate by a TLS alert: proof of reach, no fault",
        makes: |world| world.centre.refusal = Some("alert"),
    },
    Fault {
        code: "CTR-05:http400",
        what: "the centre refuses the missing client certificate by HTTP 400: proof of reach, no fault",
        makes: |world| world.centre.refusal = Some("http400"),
    },
    Fault {
        code: "CTR-07",
        what: "the distribution host is silent",
        makes: |world| world.drop(Host::Ngn, "CTR_07", LOSE_DISTRIBUTION),
    },
    Fault {
        code: "TERM-01",
        what: "the terminal is silent, with carrier",
        makes: |world| world.drop(Host::Terminal, "TERM_01", HEAR_NOTHING),
    },
    Fault {
        code: "TERM-01:cable",
        what: "the terminal's cable is out: the box has no carrier",
        makes: |world| world.terminal_plugged = false,
    },
    Fault {
        code: "TERM-02",
        what: "file sharing on the terminal is stopped",
        makes: |world| world.share = false,
    },
    Fault {
        code: "TERM-02:silent",
        what: "the terminal drops what comes to its file sharing",
        makes: |world| world.drop(Host::Terminal, "TERM_02", LOSE_FILE_SHARING),
    },
    Fault {
        code: "TERM-03",
        what: "the share's password on the terminal was changed",
        makes: |world| world.password_changed = true,
    },
];

// The rules go into a chain of their own in a table of their own, so undoing a fault is deleting its table. Each has
// its family and hook; `policy accept` unless the fault is that nothing passes at all.
const LOSE_ADVERTISEMENTS: Rules = Rules {
    family: "inet",
    hook: "output priority 0; policy accept",
    rule: "icmpv6 type nd-router-advert drop",
};
const LOSE_QUERIES: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "meta l4proto { tcp, udp } th dport 53 drop",
};
const LOSE_QUERIES_TO_THE_FIRST: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:53::1 meta l4proto { tcp, udp } th dport 53 drop",
};
const LOSE_QUERIES_TO_THE_SECOND: Rules = Rules {
    family: "inet",
    hook: "input priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:53::2 meta l4proto { tcp, udp } th dport 53 drop",
};
const REFUSE_THE_PREFIX: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 saddr 2001:db8:0:1::/64 ip6 daddr { 2001:db8:0:cc::10, 2001:db8:0:cc::20 } tcp dport 443 reject with tcp reset",
};
const REFUSE_THE_SERVICE: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::10 tcp dport 443 reject with tcp reset",
};
const LOSE_LINE_AUTHENTICATION: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::20 drop",
};
const LOSE_THE_NEIGHBOURS_TOO: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr { 2001:db8:0:cc::10, 2001:db8:0:cc::20, 2001:db8:0:cc::30 } drop",
};
const LOSE_FILE_SHARING: Rules =
    Rules { family: "inet", hook: "input priority 0; policy accept", rule: "tcp dport 445 drop" };
const LOSE_THE_SERVICE: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::10 drop",
};
const LOSE_DISTRIBUTION: Rules = Rules {
    family: "inet",
    hook: "forward priority 0; policy accept",
    rule: "ip6 daddr 2001:db8:0:cc::30 drop",
};
/// Below ARP and IPv4 both: a device that is off answers neither.
const HEAR_NOTHING: Rules =
    Rules { family: "netdev", hook: "ingress device \"e0\" priority 0; policy drop", rule: "" };

/// What a fault's table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    family: &'static str,
    hook: &'static str,
    rule: &'static str,
}

/// How the centre is to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Centre {
    /// Its certificate's dates have passed.
    pub expired: bool,
    /// How it refuses a caller without a certificate; its own default if absent.
    pub refusal: Option<&'static str>,
}

/// A table of nft in a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// In which host.
    pub host: Host,
    /// Its name.
    pub name: &'static str,
    rules: Rules,
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

/// What stands around the box, as far as faults can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The line's cable is in.
    pub line_plugged: bool,
    /// The router advertises itself.
    pub router: bool,
    /// The terminal's cable is in.
    pub terminal_plugged: bool,
    /// The terminal shares its folders.
    pub share: bool,
    /// The terminal's password is another than the box knows.
    pub password_changed: bool,
    /// How the centre runs.
    pub centre: Centre,
    /// The tables that stand, by name.
    pub tables: BTreeMap<&'static str, Table>,
}

impl World {
    /// The world with these faults on; with none it is a clean clinic.
    pub fn with<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Self {
        let mut world = Self {
            line_plugged: true,
            router: true,
            terminal_plugged: true,
            share: true,
            password_changed: false,
            centre: Centre::default(),
            tables: BTreeMap::new(),
        };
        faults.into_iter().for_each(|fault| (fault.makes)(&mut world));
        world
    }

    /// Whether the box hears the router.
    pub fn router_is_heard(&self) -> bool {
        self.line_plugged && self.router && !self.tables.contains_key("WAN_02")
    }

    fn drop(&mut self, host: Host, name: &'static str, rules: Rules) {
        self.tables.insert(name, Table { host, name, rules });
    }
}

impl Fault {
    /// The fault with this code.
    pub fn from_code(code: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|fault| fault.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_changes_the_world_and_no_two_alike() {
        let clean = World::with([]);
        let worlds: Vec<World> = CATALOGUE.iter().map(|fault| World::with([fault])).collect();
        for (at, world) in worlds.iter().enumerate() {
            assert_ne!(*world, clean, "{}", CATALOGUE[at].code);
            assert!(!worlds[..at].contains(world), "{}", CATALOGUE[at].code);
        }
    }

    #[test]
    fn faults_add_up() {
        let both = World::with(["WAN-02", "CTR-03"].map(|code| Fault::from_code(code).unwrap()));
        assert!(!both.router_is_heard());
        assert!(both.centre.expired);
    }

    #[test]
    fn every_fault_the_product_judges_can_be_made() {
        for code in model::FaultCode::ALL {
            let code = serde_json::to_value(code).unwrap();
            assert!(Fault::from_code(code.as_str().unwrap()).is_some(), "{code}");
        }
    }
}
