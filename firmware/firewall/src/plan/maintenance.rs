//! The maintainer, while consent is open: the box's management and, with a second consent, one port of one host. In a
//! plan without consent there is nothing of this.

use model::site::uplink::Maintainer;
use model::{Site, Zone};

use super::{accept, flows, is, is_not, refuse, refuse_invalid, refuse_rest};
use crate::nft::{Chain, Key, Operand, Rule};
use crate::now::Consent;

/// An open consent on a site that has maintenance at all.
pub(super) struct Open<'s> {
    site: &'s Site,
    maintainer: &'s Maintainer,
    /// Zone, host and port of the second consent.
    pub(super) further: Option<(Zone, std::net::Ipv4Addr, u16)>,
}

impl<'s> Open<'s> {
    pub(super) fn of(site: &'s Site, consent: Option<&Consent>) -> Option<Self> {
        let maintainer = site.maintainer.as_ref()?;
        Some(Self { site, maintainer, further: consent?.reaches(site) })
    }

    fn foreign(&self, id: &str) -> Rule {
        let own = Operand::Prefix(self.maintainer.address.as_network());
        refuse(id, "only a maintainer's own address (9)", vec![is_not(Key::Source4, own)])
    }

    pub(super) fn input(&self) -> Chain {
        let mut rules = Vec::new();
        rules.push(only_ipv4("maint-input-ipv6"));
        rules.push(self.foreign("maint-input-source4"));
        let elsewhere = vec![is_not(Key::Destination4, Operand::address(self.maintainer.address.address))];
        rules.push(refuse(
            "maint-input-address",
            "a maintainer reaches the management address only (7)",
            elsewhere,
        ));
        rules.push(flows("maint-input-flows"));
        rules.push(refuse_invalid("maint-input-invalid"));
        let management = vec![
            is(Key::Family, Operand::Word("ipv4")),
            is(Key::TcpTo, Operand::Number(self.site.page.https)),
        ];
        rules.push(accept(
            "maint-input-management",
            "the box's management, while consent is open (7)",
            management,
        ));
        rules.push(refuse_rest("maint-input-rest", "a maintainer reaches nothing else of the box (7)"));
        Chain { name: "input_maint", hook: None, rules }
    }

    pub(super) fn output(&self) -> Chain {
        let rules = vec![
            only_ipv4("maint-output-ipv6"),
            flows("maint-output-flows"),
            refuse_rest("maint-output-rest", "the box opens nothing to a maintainer (10)"),
        ];
        Chain { name: "output_maint", hook: None, rules }
    }

    /// There and back, for the second consent.
    pub(super) fn further(&self) -> Option<[Chain; 2]> {
        let (_, host, port) = self.further?;
        let mut there = vec![
            only_ipv4("forward-maint-ipv6"),
            self.foreign("forward-maint-source"),
            flows("forward-maint-flows"),
            refuse_invalid("forward-maint-invalid"),
        ];
        let one = vec![is(Key::Destination4, Operand::address(host)), is(Key::TcpTo, Operand::Number(port))];
        there.push(accept("forward-maint-host", "the one host and port of the second consent (7)", one));
        there.push(refuse_rest("forward-maint-rest", "a maintainer reaches one port of one host (7)"));
        let mut back = Vec::new();
        back.push(only_ipv4("forward-maint-back-ipv6"));
        let other = vec![is_not(Key::Source4, Operand::address(host))];
        back.push(refuse(
            "forward-maint-back-source",
            "only the host of the second consent answers (7)",
            other,
        ));
        back.push(flows("forward-maint-back-flows"));
        back.push(refuse_rest("forward-maint-back-rest", "nothing opens a connection to a maintainer (7)"));
        Some([
            Chain { name: "forward_maint", hook: None, rules: there },
            Chain { name: "forward_maint_back", hook: None, rules: back },
        ])
    }
}

fn only_ipv4(id: &str) -> Rule {
    refuse(id, "the maintainer's tunnel carries IPv4 only (7)", vec![is(Key::Family, Operand::Word("ipv6"))])
}
