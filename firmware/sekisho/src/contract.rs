//! The forms of providers that a site file names, one for each tunnel the box keeps up, read and held against the site.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use model::Site;
use model::site::SiteError;
use model::site::uplink::{Ipsec, Line};
use tunnel::Provider;
use tunnel::provider::Authentication;

use crate::failure::Failure;
use crate::site_file::{PROVIDERS, PUBLIC_AUTHORITIES};

/// What a provider's profile says, and the authorities it names.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The profile.
    pub provider: Provider,
    /// PEM text of the authorities of the gateway's certificate; empty with a shared key.
    pub authorities: String,
}

/// A form that a table of the site file names.
pub struct Form<'s> {
    table: &'static str,
    name: &'s str,
    /// Who is behind the box keeps his address in the tunnel.
    routed: bool,
}

const LINE: &str = "line.ipsec";
const CLOUD: &str = "clinic.cloud";

impl<'s> Form<'s> {
    /// The one of a line by IPsec.
    pub fn of_the_line(site: &'s Site) -> Option<Self> {
        let Line::Ipsec(Ipsec { provider: Some(name), routed, .. }) = &site.line else { return None };
        Some(Self { table: LINE, name, routed: *routed })
    }

    /// The one of the cloud. The clinic's computers have the tunnel's address there: the rules translate them.
    pub fn of_the_cloud(site: &'s Site) -> Option<Self> {
        let name = site.cloud.as_ref()?.provider.as_deref()?;
        Some(Self { table: CLOUD, name, routed: false })
    }
}

/// The site file, whose neighbours are read.
pub struct File<'f> {
    /// Where it is.
    pub path: &'f Path,
    /// What stands in it.
    pub text: &'f str,
}

impl File<'_> {
    /// Reads a form, and the authorities it names.
    ///
    /// # Errors
    /// Every mistake in it; one that is still empty is one.
    pub fn contract(&self, form: &Form<'_>) -> Result<Contract, Vec<SiteError>> {
        if PROVIDERS.iter().any(|(shipped, _)| *shipped == form.name) {
            let message = format!(
                "{:?} is an empty form: its file has to be filled in from the contract sheet",
                form.name
            );
            let allowed = "a copy of it beside the site file, that ends in .toml";
            return Err(vec![self.mistake(form.table, "provider", message, Some(allowed))]);
        }
        let place = self.beside(form.name);
        let shown = place.display().to_string();
        let provider = Provider::parse(&shown, &self.read(form.table, "provider", &place)?, form.routed)?;
        let authorities = match &provider.authentication {
            Authentication::Certificate { authorities, .. } => {
                self.read(form.table, "provider", &self.beside(authorities))?
            }
            Authentication::Psk { .. } => String::new(),
        };
        Ok(Contract { provider, authorities })
    }

    /// What site file and forms say of the cloud that cannot be.
    pub fn of_the_cloud(
        &self,
        site: &Site,
        line: Option<&Contract>,
        cloud: Option<&Contract>,
    ) -> Vec<SiteError> {
        let (Some(table), Some(cloud)) = (&site.cloud, cloud) else { return Vec::new() };
        let mut mistakes = Vec::new();
        let behind = &cloud.provider.networks;
        for network in &table.networks {
            let first = network.as_network().address;
            let covered = |one: &model::site::prefix::Prefix| {
                one.contains(first) && one.length <= network.length && first.is_ipv4()
            };
            if !behind.iter().any(covered) {
                let message = format!("{network} lies in no network of {}", cloud.provider.name);
                let allowed = "networks of its inside.networks";
                mistakes.push(self.mistake(CLOUD, "networks", message, Some(allowed)));
            }
        }
        for gateway in table
            .gateways
            .iter()
            .filter(|gateway| behind.iter().any(|network| network.contains(IpAddr::V4(**gateway))))
        {
            let message = format!("{gateway} lies behind its own tunnel, by the networks of its form");
            mistakes.push(self.mistake(CLOUD, "gateways", message, None));
        }
        let secret = cloud.provider.authentication.secret();
        if line.is_some_and(|line| line.provider.authentication.secret() == secret) {
            let message = format!("its form and the line's name the same secret, {secret:?}");
            mistakes.push(self.mistake(CLOUD, "provider", message, Some("a secret of its own")));
        }
        mistakes
    }

    /// The authorities that the certificates of the cloud's services must come from.
    ///
    /// # Errors
    /// [`Failure::Site`] if the file that is named cannot be read.
    pub fn cloud_authorities(&self, site: &Site) -> Result<Option<Vec<u8>>, Failure> {
        let Some(cloud) = &site.cloud else { return Ok(None) };
        let Some(name) = &cloud.authorities else {
            // Without the store nothing can be said about a certificate, and the ladder says so.
            return Ok(std::fs::read(PUBLIC_AUTHORITIES).ok());
        };
        let text = self.read(CLOUD, "authorities", &self.beside(name)).map_err(Failure::Site)?;
        Ok(Some(text.into_bytes()))
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or_else(|| Path::new(".")).join(name)
    }

    fn read(&self, table: &str, key: &str, place: &Path) -> Result<String, Vec<SiteError>> {
        std::fs::read_to_string(place).map_err(|source| {
            vec![self.mistake(table, key, format!("failed to read {}: {source}", place.display()), None)]
        })
    }

    /// A mistake at a key of a table: its line, or the table's.
    fn mistake(&self, table: &str, key: &str, message: String, allowed: Option<&str>) -> SiteError {
        let head = format!("[{table}]");
        let lines = || self.text.lines().map(str::trim_start);
        let from = lines().position(|line| line.starts_with(&head)).unwrap_or(0);
        let at = lines().skip(from).position(|line| line.starts_with(key)).unwrap_or(0);
        SiteError {
            file: self.path.display().to_string(),
            line: from + at + 1,
            path: format!("{table}.{key}"),
            message,
            allowed: allowed.map(str::to_owned),
        }
    }
}
