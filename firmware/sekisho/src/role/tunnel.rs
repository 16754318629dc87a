//! The tunnels that are kept up, of a line by IPsec and to the receipt computer's cloud: `netd` drives a charon for each, and says
//! how they stand.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use model::part::PATIENCE_S;
use model::site::prefix::Prefix;
use model::site::uplink::Line;
use model::tunnel::{Trouble, TunnelPart, TunnelState};
use model::{Site, Timestamp, Zone};
use tokio::sync::watch;
use tunnel::certificate::Wrong;
use tunnel::charon::Purpose;
use tunnel::connection::{Certificates, Connection};
use tunnel::provider::{Authentication, Inner, Provider};
use tunnel::vici::Secret;
use tunnel::way::Way;
use tunnel::{Plan, certificate, psk};

use super::{Place, netd};
use crate::contract::Contract;
use crate::failure::Failure;
use crate::secret;
use crate::socket::part;

/// How long to wait before a tunnel that could not be driven is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The tunnels that a site has, and the routes by which others read how they stand: the line's at `/tunnel/part`, the cloud's at
/// `/cloud/part`.
pub fn of(place: &Place, site: &Site) -> Vec<(Driver, Router)> {
    let line = Kept::of_the_line(site, place.provider.as_ref());
    let cloud = Kept::of_the_cloud(site, place.cloud.as_ref());
    let drive = |kept: Kept| {
        let (part, seen) = watch::channel(TunnelPart::away(Timestamp::now()));
        let (told, _) = part::routes(seen, PATIENCE_S);
        part.send_modify(|_| {});
        let socket = kept.purpose.socket(&place.sockets.join(kept.purpose.folder()));
        let at = if kept.purpose == Purpose::Cloud { "/cloud" } else { "/tunnel" };
        (Driver { kept, state: place.state.clone(), socket, part }, Router::new().nest(at, told))
    };
    [line, cloud].into_iter().flatten().map(drive).collect()
}

/// A tunnel that is kept up for as long as the site is in force.
struct Kept {
    purpose: Purpose,
    contract: Contract,
    /// The port it goes by.
    port: String,
    gateways: Vec<IpAddr>,
    /// What lies behind it that anybody may reach.
    networks: Vec<Prefix>,
    /// Whose addresses it carries where they are not translated.
    inside: Vec<Prefix>,
    /// The memory that it stood, in `netd`'s own folder.
    memory: &'static str,
}

impl Kept {
    fn of_the_line(site: &Site, contract: Option<&Contract>) -> Option<Self> {
        let (Line::Ipsec(ipsec), Some(contract)) = (&site.line, contract) else { return None };
        Some(Self {
            purpose: Purpose::Line,
            contract: contract.clone(),
            port: site.port(Zone::Wan).to_owned(),
            gateways: ipsec.gateways.clone(),
            networks: contract.provider.networks.clone(),
            inside: site.interface(Zone::Terminal).map(|_| site.terminal_zone).into_iter().collect(),
            memory: "tunnel-stood",
        })
    }

    /// Of what lies behind it the site's own list is reached, which may be less than the form's.
    fn of_the_cloud(site: &Site, contract: Option<&Contract>) -> Option<Self> {
        let (cloud, contract) = (site.cloud.as_ref()?, contract?);
        Some(Self {
            purpose: Purpose::Cloud,
            contract: contract.clone(),
            port: site.interface(Zone::Isp)?.to_owned(),
            gateways: cloud.gateways.iter().copied().map(IpAddr::V4).collect(),
            networks: cloud.networks.clone(),
            inside: Vec::new(),
            memory: "cloud-stood",
        })
    }

    fn way(&self) -> Way {
        Way {
            purpose: self.purpose,
            networks: self.networks.clone(),
            fixed: match self.contract.provider.inner {
                Inner::Fixed(address) => Some(address),
                Inner::ModeConfig | Inner::Routed => None,
            },
        }
    }
}

/// What drives it.
pub struct Driver {
    kept: Kept,
    state: PathBuf,
    socket: PathBuf,
    part: watch::Sender<TunnelPart>,
}

impl Driver {
    /// Keeps the tunnel up for as long as `netd` lives. What stands in the way is said, and tried again: a firewall
    /// that is proved goes on without it, and nothing leaves.
    ///
    /// # Errors
    /// None; the other tasks of the role end by one.
    pub async fn run(self) -> Result<(), Failure> {
        let memory = self.state.join(netd::MEMORY).join(self.kept.memory);
        loop {
            let ended = match self.plan(&memory) {
                Ok((plan, mark)) => {
                    let stood = || {
                        // The firewall makes the folder with its first note, which may come later.
                        let _ = std::fs::create_dir_all(self.state.join(netd::MEMORY));
                        if let Err(error) = journal::replace(&memory, mark.as_bytes()) {
                            tracing::warn!(%error, "that the tunnel stood is not remembered");
                        }
                    };
                    tunnel::run(plan, &self.part, stood).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                let purpose = self.kept.purpose.key();
                tracing::error!(%error, purpose, "the tunnel could not be driven; it is tried again");
                self.part.send_modify(|part| *part = hindered(part, &error));
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// The plan, and the mark by which it is remembered that the tunnel stood with this very secret.
    fn plan(&self, memory: &Path) -> Result<(Plan, String), tunnel::Error> {
        let Kept { purpose, contract: Contract { provider, authorities }, .. } = &self.kept;
        let name = provider.authentication.secret();
        let wrong = |reason: String| tunnel::Error::Secret { name: name.to_owned(), reason };
        let text = std::fs::read_to_string(secret::path(&self.state, name));
        let text = text.map_err(|error| wrong(error.to_string()))?;
        let (secret, own) = secret_of(provider, text.trim_end()).map_err(|why| match why {
            Wrong::Expired(day) => tunnel::Error::Expired { name: name.to_owned(), day },
            other => wrong(other.to_string()),
        })?;
        let mark = psk::fingerprint(&psk::list_key(&provider.peer_id), text.trim_end());
        let certificates = Certificates { own: &own, authorities };
        let to =
            |gateway: &IpAddr| Connection::new(*purpose, provider, *gateway, &self.kept.inside, certificates);
        let plan = Plan {
            purpose: *purpose,
            socket: self.socket.clone(),
            port: self.kept.port.clone(),
            gateways: self.kept.gateways.clone(),
            connections: self.kept.gateways.iter().map(to).collect(),
            secret,
            way: self.kept.way(),
            ever_stood: std::fs::read_to_string(memory).is_ok_and(|stood| stood == mark),
        };
        Ok((plan, mark))
    }
}

/// How the tunnel stands while it cannot be driven.
fn hindered(part: &TunnelPart, error: &tunnel::Error) -> TunnelPart {
    let trouble = match error {
        tunnel::Error::Secret { .. } => Trouble::OwnSecret,
        tunnel::Error::Expired { .. } => Trouble::OwnExpired,
        _ => Trouble::Other,
    };
    let since = if part.state == TunnelState::Waiting { part.since } else { Timestamp::now() };
    TunnelPart {
        state: TunnelState::Waiting,
        trouble: Some(trouble),
        ever_stood: part.ever_stood,
        ..TunnelPart::away(since)
    }
}

/// The secret as charon takes it, and the certificate that goes with it.
fn secret_of(provider: &Provider, text: &str) -> Result<(Secret, String), Wrong> {
    match &provider.authentication {
        Authentication::Psk { .. } if text.is_empty() => Err(Wrong::NoKey),
        Authentication::Psk { .. } => {
            let owners = [provider.own_id.clone(), provider.peer_id.clone()];
            Ok((Secret::Psk { key: text.to_owned(), owners }, String::new()))
        }
        Authentication::Certificate { .. } => {
            let identity = certificate::read(text, Timestamp::now())?;
            Ok((Secret::Key(identity.key), identity.certificate))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "version = 1\nname = \"lab\"\nike-proposals = [\"aes256-sha256-modp2048\"]\nesp-proposals = [\"aes256gcm16\"]\n[own]\nid = \"a\"\n[peer]\nid = \"b\"\n[authentication]\nmethod = \"METHOD\"\nsecret = \"secret:line\"\n[inside]\nnetworks = [\"203.0.113.0/25\"]\n";

    #[test]
    fn a_secret_that_cannot_be_used_is_one_sentence_without_what_stands_in_it() {
        let psk = Provider::parse("p", &PROFILE.replace("METHOD", "psk"), false).unwrap();
        assert!(secret_of(&psk, "").is_err());
        let shown = format!("{:?}", secret_of(&psk, "kx7-Ru2!mm0q").unwrap().0);
        assert!(!shown.contains("kx7"));
        let text = PROFILE.replace("METHOD\"", "certificate\"\nauthorities = \"ca.pem\"");
        let certificate = Provider::parse("p", &text, false).unwrap();
        assert!(secret_of(&certificate, "hunter2").unwrap_err() == Wrong::NoKey);
    }
}
