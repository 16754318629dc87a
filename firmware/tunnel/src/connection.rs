//! A connection as charon is told it over vici (`load-conn`), made of a provider's profile, one of its gateways, and
//! the site. Pure; the names of the keys are strongSwan's (swanctl.conf(5)).

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::site::prefix::Prefix;
use serde::Serialize;

use crate::charon::Purpose;
use crate::provider::{Authentication, Ike, Inner, Provider};

/// One connection, to one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connection {
    version: String,
    remote_addrs: Vec<String>,
    remote_port: String,
    proposals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vips: Vec<String>,
    mobike: bool,
    fragmentation: bool,
    encap: bool,
    aggressive: bool,
    dpd_delay: String,
    dpd_timeout: String,
    keyingtries: String,
    unique: String,
    rekey_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reauth_time: Option<String>,
    local: Side,
    remote: Side,
    children: BTreeMap<String, Child>,
}

/// How one side proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Side {
    auth: String,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cacerts: Vec<String>,
}

/// What the tunnel carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Child {
    local_ts: Vec<String>,
    remote_ts: Vec<String>,
    esp_proposals: Vec<String>,
    mode: String,
    rekey_time: String,
    dpd_action: String,
    close_action: String,
    start_action: String,
    if_id_in: String,
    if_id_out: String,
}

/// Signatures that are accepted: no SHA-1 (RFC 8247 section 3.2.1), in the certificates above either.
const SIGNATURES: &str = "pubkey-sha256-sha384-sha512";

/// The certificates both sides show, PEM; empty with a shared key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Certificates<'c> {
    /// The box's own.
    pub own: &'c str,
    /// The authorities of the gateway's.
    pub authorities: &'c str,
}

impl Connection {
    /// The connection to a gateway. `inside` are the networks of the terminals, which a routed tunnel carries.
    pub fn new(
        purpose: Purpose,
        provider: &Provider,
        gateway: IpAddr,
        inside: &[Prefix],
        certificates: Certificates<'_>,
    ) -> Self {
        let seconds = |number: u32| format!("{number}s");
        let (version, aggressive) = match provider.ike {
            Ike::V2 => ("2", false),
            Ike::V1 { aggressive } => ("1", aggressive),
        };
        let [own, peer] = sides(provider, certificates);
        Self {
            version: version.into(),
            remote_addrs: vec![gateway.to_string()],
            remote_port: "500".into(),
            proposals: provider.ike_proposals.clone(),
            vips: if provider.inner == Inner::ModeConfig { vec!["0.0.0.0".into()] } else { Vec::new() },
            mobike: provider.mobike && provider.ike == Ike::V2,
            fragmentation: provider.fragmentation,
            // ESP in UDP also where no NAT is seen: one way of packets, one fault less to tell apart (RFC 3948).
            encap: true,
            aggressive,
            dpd_delay: seconds(provider.dpd_delay_s),
            dpd_timeout: seconds(provider.dpd_delay_s + provider.dpd_patience_s),
            keyingtries: "1".into(),
            unique: "replace".into(),
            rekey_time: seconds(provider.rekey.ike_s),
            reauth_time: provider.rekey.reauthenticate_s.map(seconds),
            local: own,
            remote: peer,
            children: BTreeMap::from([(purpose.key().to_owned(), child(purpose, provider, inside))]),
        }
    }

    /// The same, and the peer is who shows this very certificate, whatever authority stands behind it.
    #[must_use]
    pub fn pinned(mut self, certificate: &str) -> Self {
        self.remote.cacerts.clear();
        self.remote.certs = vec![certificate.to_owned()];
        self
    }

    /// The name of the connection to the n-th gateway.
    pub fn name(purpose: Purpose, nth: usize) -> String {
        format!("{}-{nth}", purpose.key())
    }
}

fn sides(provider: &Provider, certificates: Certificates<'_>) -> [Side; 2] {
    let side = |auth: &str, id: &str| Side {
        auth: auth.into(),
        id: id.into(),
        certs: Vec::new(),
        cacerts: Vec::new(),
    };
    match &provider.authentication {
        Authentication::Psk { .. } => [side("psk", &provider.own_id), side("psk", &provider.peer_id)],
        Authentication::Certificate { .. } => {
            let accepted = if provider.legacy.is_some() { "pubkey" } else { SIGNATURES };
            let mut own = side("pubkey", &provider.own_id);
            let mut peer = side(accepted, &provider.peer_id);
            own.certs = vec![certificates.own.to_owned()];
            peer.cacerts = pem_parts(certificates.authorities);
            [own, peer]
        }
    }
}

/// Each certificate of a PEM text by itself: vici takes one an entry.
fn pem_parts(text: &str) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    let parts = text.split_inclusive(END).filter_map(|part| {
        let begin = part.find("-----BEGIN CERTIFICATE-----")?;
        part.ends_with(END).then(|| format!("{}\n", &part[begin..]))
    });
    parts.collect()
}

fn child(purpose: Purpose, provider: &Provider, inside: &[Prefix]) -> Child {
    let local = match provider.inner {
        Inner::ModeConfig => vec!["dynamic".to_owned()],
        Inner::Fixed(address) => vec![format!("{address}/32")],
        Inner::Routed => inside.iter().map(|prefix| prefix.as_network().to_string()).collect(),
    };
    Child {
        local_ts: local,
        remote_ts: provider.networks.iter().map(|prefix| prefix.as_network().to_string()).collect(),
        esp_proposals: provider.esp_proposals.clone(),
        mode: "tunnel".into(),
        rekey_time: format!("{}s", provider.rekey.esp_s),
        // What ends is begun again by us (`keep.rs`), never by a trap or by charon itself: one place decides.
        dpd_action: "clear".into(),
        close_action: "none".into(),
        start_action: "none".into(),
        if_id_in: purpose.if_id().to_string(),
        if_id_out: purpose.if_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::FILLED;

    #[test]
    fn a_connection_is_what_the_profile_says() {
        let provider = Provider::parse("p.toml", FILLED, false).unwrap();
        let gateway = "2001:db8:0:9::1".parse().unwrap();
        let made = Connection::new(Purpose::Line, &provider, gateway, &[], Certificates::default());
        insta::assert_snapshot!(serde_json::to_string_pretty(&made).unwrap());
    }

    #[test]
    fn a_routed_tunnel_carries_the_terminals_networks_and_asks_for_no_address() {
        let provider = Provider::parse("p.toml", FILLED, true).unwrap();
        let inside = ["192.0.2.1/24".parse().unwrap()];
        let gateway = "198.51.100.1".parse().unwrap();
        let made = Connection::new(Purpose::Line, &provider, gateway, &inside, Certificates::default());
        assert_eq!(made.children["line"].local_ts, ["192.0.2.0/24"]);
        assert!(made.vips.is_empty());
    }

    #[test]
    fn sha1_signatures_are_accepted_only_where_somebody_answers_for_them() {
        let by = "method = \"certificate\"\nauthorities = \"ca.pem\"";
        let text = FILLED.replace("method = \"psk\"", by);
        let authorities = "x\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----\n";
        let made = |text: &str| {
            let provider = Provider::parse("p.toml", text, false).unwrap();
            let shown = Certificates { own: "own", authorities };
            Connection::new(Purpose::Line, &provider, IpAddr::from([198, 51, 100, 1]), &[], shown)
        };
        let strict = made(&text);
        assert_eq!(strict.remote.auth, SIGNATURES);
        assert_eq!(strict.remote.cacerts.len(), 2);
        let borne = format!("legacy = {{ approved-by = \"a\", why = \"b\" }}\n{}", text.trim_start());
        assert_eq!(made(&borne).remote.auth, "pubkey");
    }
}
