//! What a site file may ask for and this build does not bring up yet. The file is read and checked as a whole, its
//! ruleset is compiled, proved and explained; only starting with it is refused. This is the one list.

use super::Site;
use super::uplink::Line;
use crate::profile::Where;

impl Site {
    /// One sentence for each table that this build does not bring up yet; none: all of it.
    pub fn not_brought_up(&self) -> Vec<String> {
        let asked = [
            (self.has_no_provider(), "[line.ipsec]", "a line by IPsec without its provider's profile"),
            (
                self.line.is_lent() && self.internet.as_ref().is_some_and(|internet| !internet.pppoe),
                "[line.ipsec] outer = \"dhcp\"",
                "a line and an internet line beside it that both have their address and their way by DHCP",
            ),
            (
                matches!(self.line, Line::Pppoe(_)) && self.internet.is_some(),
                "[internet]",
                "an internet line beside a line by PPPoE: both would have their way out over IPv4",
            ),
            (self.pppoe_through.is_some(), "[line] pppoe-through", "a terminal's own PPPoE session"),
            (self.has_session(), "[internet] kind = \"pppoe\"", "an internet session by PPPoE"),
            (
                self.has_no_way_to_the_cloud(),
                "[clinic.cloud]",
                "a tunnel to the cloud without its provider's profile",
            ),
            (self.claims.is_some(), "[claims]", "a port for claims terminals"),
            (self.update.is_some(), "[update]", "updates over the network"),
        ];
        let sentence = |(_, table, what): &(bool, &str, &str)| {
            format!("{table}: this build does not bring up {what} yet")
        };
        asked.iter().filter(|(asked, ..)| *asked).map(sentence).collect()
    }

    fn has_session(&self) -> bool {
        self.internet.as_ref().is_some_and(|internet| internet.pppoe)
    }

    fn has_no_way_to_the_cloud(&self) -> bool {
        self.cloud.as_ref().is_some_and(|cloud| cloud.provider.is_none())
    }

    fn has_no_provider(&self) -> bool {
        matches!(&self.line, Line::Ipsec(ipsec) if ipsec.provider.is_none())
    }

    /// What the profile's destinations by name mean in this build, if there are any.
    pub fn names_wait(&self) -> Option<String> {
        let by_name = |to: &Where| !matches!(to, Where::Prefix(_));
        let count = self.profile.destinations.iter().filter(|one| by_name(&one.to)).count();
        (count > 0).then(|| {
            format!(
                "{count} destination(s) by name: nothing passes to a name before the resolver has answered it"
            )
        })
    }
}
