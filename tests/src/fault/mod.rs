//! The faults the clinic can make, and what the world around the box looks like while some of them are on. Pure.

mod catalogue;
mod rules;
mod world;

use crate::layout::{Layout, Line};

pub use catalogue::CATALOGUE;
pub use world::{
    Centre, Certificate, Dates, Disk, Folder, Gateway, Home, Internet, Maintained, Names, Oqs, World,
};

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

/// Faults of a PPPoE session: the kernel of the machines that the lab runs on has no PPP, so they are made on the disk image
/// (`hil/src/story/pppoe.rs`); the last of them is made nowhere, since no real concentrator of ours says so.
#[cfg(test)]
pub const IN_THE_IMAGE: [&str; 3] = ["PPP-01", "PPP-02", "PPP-03"];

impl Fault {
    /// Whether it can be made on this line: what it touches is there.
    pub fn is_on(&self, layout: Layout) -> bool {
        let (world, clean) = (World::with([self]), World::with([]));
        let hosts = layout.hosts();
        let of_a_tunnel = world.gateway != clean.gateway || world.tunnel_certificate_expired;
        // The home gateway is in the way only where it stands in front of the box.
        let of_home = world.tables.values().any(|table| table.host == crate::plan::Host::Home);
        let of_others = world.names != clean.names || world.narrow || world.home != clean.home;
        let by_ipsec = layout.line == Line::Ipsec;
        let of_a_prefix = world.other_kind || world.undelegated;
        let fits = !of_a_prefix || layout.line == Line::Pd || layout.line == Line::Ra && !world.undelegated;
        (layout.has_internet() || !self.is_of_the_internet())
            && (layout.has_cloud() || !self.is_of_the_cloud())
            && world.tables.values().all(|table| hosts.contains(&table.host))
            && (by_ipsec || !of_a_tunnel)
            && !(by_ipsec && world.oqs.calls)
            && (layout.is_lent() || !of_home)
            && (layout.advertises() || world.router)
            && !(of_others && by_ipsec)
            && fits
    }

    /// Whether it is one of the internet line beside the line, or of who is reached by it.
    pub fn is_of_the_internet(&self) -> bool {
        let world = World::with([self]);
        let by_it = world.internet != Internet::Well || world.maintained == Maintained::ByInternet;
        by_it || self.is_of_the_cloud()
    }

    /// Whether it is one of the receipt computer's cloud.
    pub fn is_of_the_cloud(&self) -> bool {
        self.code.starts_with("CLD-")
    }

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
        assert!(both.centre.shows == Certificate::Expired);
    }

    #[test]
    fn every_fault_the_product_judges_can_be_made() {
        for code in model::FaultCode::ALL.into_iter().filter(|code| !IN_THE_IMAGE.contains(&code.key())) {
            let code = serde_json::to_value(code).unwrap();
            assert!(Fault::from_code(code.as_str().unwrap()).is_some(), "{code}");
        }
    }
}
