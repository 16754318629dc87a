//! What charon is told about a maintainer's gateway. Pure.

use std::net::IpAddr;

use model::site::maintainers::Person;
use model::site::prefix::Prefix;
use model::site::uplink::Maintainer;

use crate::charon::Purpose;
use crate::connection::{Certificates, Connection};
use crate::provider::{Authentication, Ike, Inner, Provider, Rekey};

/// Both sides' transforms, none below the guideline's: AES-GCM and elliptic curves (RFC 8247, RFC 8221).
const IKE: &str = "aes256gcm16-prfsha384-ecp384";
const ESP: &str = "aes256gcm16-ecp384";

/// Who does not answer for so many seconds is dead, and asked after so many seconds of silence.
pub(super) const PATIENCE_S: u32 = 8;
const DELAY_S: u32 = 10;

/// A connection to each of the gateways. The other side is who shows the certificate of the site file, and nobody else.
///
/// `inside` are the site's networks, for a second consent: the tunnel carries them, the rules let nothing through to
/// them but the one host and port.
pub(super) fn connections(
    maintainer: &Maintainer,
    inside: &[Prefix],
    person: &Person,
    own: &str,
) -> Vec<Connection> {
    let provider = provider(maintainer);
    let shown = Certificates { own, authorities: "" };
    let management = Prefix { length: 32, ..maintainer.address };
    let inside: Vec<Prefix> = [management].iter().chain(inside).copied().collect();
    let one = |gateway: &IpAddr| {
        let made = Connection::new(Purpose::Maintenance, &provider, *gateway, &inside, shown);
        made.pinned(&person.certificate.pem)
    };
    maintainer.gateways.iter().map(one).collect()
}

fn provider(maintainer: &Maintainer) -> Provider {
    let certificate = Authentication::Certificate { secret: String::new(), authorities: String::new() };
    Provider {
        name: "maintenance".into(),
        ike: Ike::V2,
        ike_proposals: vec![IKE.into()],
        esp_proposals: vec![ESP.into()],
        own_id: super::identity::NAME.into(),
        peer_id: "%any".into(),
        authentication: certificate,
        networks: vec![maintainer.address.as_network()],
        inner: Inner::Routed,
        dpd_delay_s: DELAY_S,
        dpd_patience_s: PATIENCE_S,
        rekey: Rekey { ike_s: 14_400, esp_s: 3_600, reauthenticate_s: None },
        mobike: true,
        fragmentation: true,
        legacy: None,
    }
}
