//! Promise 7: without consent there is no maintenance. The maintainer's interface is then a port of no zone, and by
//! such a port nothing comes in but what a link needs, nothing goes out and nothing passes through. While consent is
//! open it reaches the box's management and nothing else, but for the one host and port of a second consent.

use model::Zone;

use super::cube::{Conditions, Field};
use super::exceptions::{address4, of_the_link, over_the_way};
use super::matching::has_ports;
use super::promises::{Any, Claim, Opening, Zones};
use super::span::Span;

pub(super) fn claims(zones: &Zones<'_>) -> Vec<Claim> {
    let strangers = zones.but(&Zone::ALL);
    let maintainer = zones.of(Zone::Maint);
    let mut claims = vec![
        zones.input(&strangers, &super::exceptions::from_outside(zones.intent, Zone::Wan)),
        zones.output(&strangers, &of_the_link()),
        zones.forward(&strangers, &zones.every, Any),
        zones.forward(&zones.every, &strangers, Any),
        zones.input(&maintainer, &[of_the_link(), management(zones)].concat()),
        zones.output(&maintainer, &of_the_link()),
        zones.forward(&zones.every, &maintainer, Opening),
    ];
    // Where the second consent leads is the only way on.
    let further = zones.intent.maintenance.as_ref().and_then(|open| open.further).map(|(zone, ..)| zone);
    claims.extend(further.map(|zone| {
        let asked = over_the_way(zones.intent, Zone::Maint, zone);
        zones.forward(&maintainer, &zones.of(zone), Opening).without_all(&asked)
    }));
    let reached = further.map_or_else(Span::none, |zone| zones.of(zone));
    claims.push(zones.forward(&maintainer, &zones.every.and(&reached.not()), Any));
    claims
}

/// The box's management, at the box's address there.
fn management(zones: &Zones<'_>) -> Vec<Conditions> {
    let own = zones.intent.own.get(&Zone::Maint);
    let at = own.zip(zones.intent.maintenance.as_ref()).map(|(own, open)| {
        vec![
            (Field::Family, Span::one(4_u8)),
            (Field::Destination, address4(*own)),
            (Field::Protocol, Span::one(6_u8)),
            (Field::Readable, has_ports()),
            (Field::DestinationService, Span::one(open.management)),
        ]
    });
    at.into_iter().collect()
}
