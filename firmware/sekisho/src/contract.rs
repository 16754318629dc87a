//! The forms of providers that a site file names, one for each tunnel the box keeps up, read and held against the site.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use model::Site;
use model::site::SiteError;
use model::site::uplink::{Ipsec, Line};
use tunnel::Provider;
use tunnel::provider::Authentication;

use crate::failure::Failure;
use crate::generate;
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
const SESSION: &str = "line.pppoe";

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
    pub fn of_the_cloud(&self, site: &Site, cloud: Option<&Contract>) -> Vec<SiteError> {
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
        // What an option of DHCP holds (RFC 2132 section 2).
        if generate::network::ways_to_the_cloud(site).is_some_and(|ways| ways.len() > 255) {
            let message = "these are more networks than computers can be told of by DHCP".to_owned();
            mistakes.push(self.mistake(CLOUD, "networks", message, Some("larger ones, or no [clinic] dhcp")));
        }
        for gateway in table
            .gateways
            .iter()
            .filter(|gateway| behind.iter().any(|network| network.contains(IpAddr::V4(**gateway))))
        {
            let message = format!("{gateway} lies behind its own tunnel, by the networks of its form");
            mistakes.push(self.mistake(CLOUD, "gateways", message, None));
        }
        mistakes
    }

    /// Every secret that site file and forms name has one user, and is for nobody else: what `netd` or pppd reads the relay cannot
    /// read, and the other way round. Shares may have one among themselves, of which the relay is the user.
    pub fn of_the_secrets(
        &self,
        site: &Site,
        line: Option<&Contract>,
        cloud: Option<&Contract>,
    ) -> Vec<SiteError> {
        let mut known: Vec<(String, String)> = site
            .logins()
            .map(|(secret, whose)| (secret.to_owned(), format!("the share of {whose:?}")))
            .collect();
        let session = match &site.line {
            Line::Pppoe(session) => Some((session.login.as_str(), "the line's session", SESSION, "login")),
            Line::Ra | Line::Pd | Line::Ipsec(_) => None,
        };
        let form =
            |contract: Option<&'_ Contract>| Some(contract?.provider.authentication.secret().to_owned());
        let (line, cloud) = (form(line), form(cloud));
        let line = line.as_deref().map(|secret| (secret, "the line's form", LINE, "provider"));
        let cloud = cloud.as_deref().map(|secret| (secret, "the cloud's form", CLOUD, "provider"));
        let mut mistakes = Vec::new();
        for (secret, who, table, key) in [session, line, cloud].into_iter().flatten() {
            if let Some((_, other)) = known.iter().find(|(one, _)| one == secret) {
                let message = format!("{who} has the same secret as {other}, {secret:?}");
                mistakes.push(self.mistake(table, key, message, Some("a secret of its own")));
            }
            known.push((secret.to_owned(), who.to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site_file;

    const SITE: &str = r#"version = 1
profile = "ntt-east"
[line]
kind = "ra"
[clinic]
address = "198.51.100.1/24"
[internet]
kind = "dhcp"
resolvers = ["203.0.113.161"]
[terminals]
address = "192.0.2.1/24"
[[port]]
name = "wan0"
zone = "wan"
[[port]]
name = "isp0"
zone = "isp"
[[port]]
name = "term0"
zone = "terminal"
[[port]]
name = "lan0"
zone = "clinic"
[[terminal]]
name = "t1"
address = "192.0.2.2"
path = "/srv/t1"
[[consumer]]
name = "receipt"
[clinic.cloud]
provider = "./cloud.toml"
gateways = ["203.0.113.178"]
networks = ["10.40.0.0/16"]
authorities = "./ca.pem"
[[clinic.cloud.endpoint]]
address = "10.40.0.10"
port = 443
name = "receipt.cloud.test"
"#;
    const FORM: &str = r#"version = 1
name = "lab cloud"
ike-proposals = ["aes256-sha256-modp2048"]
esp-proposals = ["aes256gcm16"]
[own]
id = "a"
[peer]
id = "b"
[authentication]
method = "psk"
secret = "secret:cloud"
[inside]
networks = ["10.40.0.0/15"]
"#;

    /// What is said of a site file with these forms beside it.
    fn said(site: &str, forms: &[(&str, &str)]) -> Result<site_file::Loaded, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in forms.iter().chain(&[("site.toml", site), ("ca.pem", "")]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        match site_file::load(&folder.path().join("site.toml")) {
            Ok(loaded) => Ok(loaded),
            Err(Failure::Site(mistakes)) => Err(mistakes.iter().map(ToString::to_string).collect()),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_cloud_with_its_form_is_brought_up_and_one_without_is_described_only() {
        let loaded = said(SITE, &[("cloud.toml", FORM)]).unwrap();
        assert_eq!(loaded.site.not_brought_up(), Vec::<String>::new());
        assert!(loaded.cloud.is_some() && loaded.provider.is_none() && loaded.cloud_authorities.is_some());
        let described = said(&SITE.replace("provider = \"./cloud.toml\"\n", ""), &[]).unwrap();
        let said = described.site.not_brought_up();
        assert!(said.len() == 1 && said[0].starts_with("[clinic.cloud]"), "{said:?}");
    }

    #[test]
    fn what_site_file_and_forms_say_otherwise_of_the_cloud_is_one_sentence_at_its_line() {
        let line = "kind = \"ipsec\"\n[line.ipsec]\nouter = \"ra\"\nprovider = \"./line.toml\"\ngateways = [\"2001:db8::9\"]";
        let profile = "./profile.toml";
        let by_ipsec = SITE.replace("kind = \"ra\"", line).replace("ntt-east", profile);
        let own = include_str!("../../../tests/lab/profile.toml")
            .replace("expected = [", "resolvers-ipv4 = [\"203.0.113.65\"]\nexpected = [\"203.0.113.0/25\", ");
        let lines = FORM.replace("10.40.0.0/15", "203.0.113.0/25");
        let right = ("cloud.toml", FORM);
        for (site, forms, wanted) in [
            (
                SITE.replace("10.40.0.0/16\"]", "10.40.0.0/16\", \"10.50.0.0/16\"]"),
                vec![right],
                "10.50.0.0/16 lies in no network of lab cloud",
            ),
            (SITE.replace("203.0.113.178", "10.41.0.9"), vec![right], "10.41.0.9 lies behind its own tunnel"),
            (SITE.replace("./cloud.toml", "orca-cloud"), vec![], "is an empty form"),
            (SITE.replace("./cloud.toml", "./other.toml"), vec![right], "failed to read"),
            (
                SITE.replace("./ca.pem", "./nothing.pem"),
                vec![right],
                "clinic.cloud.authorities: failed to read",
            ),
            (
                by_ipsec,
                vec![right, ("line.toml", lines.as_str()), ("profile.toml", own.as_str())],
                "the cloud's form has the same secret as the line's form, \"cloud\"",
            ),
            (
                SITE.replace("path = \"/srv/t1\"", "share = '\\\\192.0.2.2\\OQS'\nlogin = \"secret:cloud\""),
                vec![right],
                "the cloud's form has the same secret as the share of \"t1\", \"cloud\"",
            ),
            (
                SITE.replace(
                    "name = \"receipt\"\n[",
                    "name = \"receipt\"\nremote = '\\\\198.51.100.9\\onshi'\nlogin = \"secret:cloud\"\n[",
                ),
                vec![right],
                "the cloud's form has the same secret as the share of \"receipt\", \"cloud\"",
            ),
        ] {
            let mistakes = said(&site, &forms).map(drop).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].contains(wanted), "{wanted}: {mistakes:?}");
            let at: usize = mistakes[0].split(':').nth(1).unwrap().parse().unwrap();
            let key = site.lines().nth(at - 1).unwrap();
            assert!(
                ["provider", "networks", "gateways", "authorities"].iter().any(|one| key.starts_with(one)),
                "{key}"
            );
        }
    }

    #[test]
    fn a_session_s_secret_is_no_share_s_and_no_form_s_and_shares_may_have_one_together() {
        let own = include_str!("../../../tests/lab/profile.toml")
            .replace("expected = [", "resolvers-ipv4 = [\"203.0.113.65\"]\nexpected = [\"203.0.113.0/25\", ");
        let share = "share = '\\\\192.0.2.2\\OQS'\nlogin = \"secret:t1\"";
        let session = "kind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:t1\"";
        let site = SITE.split("[clinic.cloud]").next().unwrap().replace("path = \"/srv/t1\"", share);
        let alone = site.replace("[internet]\nkind = \"dhcp\"\nresolvers = [\"203.0.113.161\"]\n", "");
        let alone = alone.replace("[[port]]\nname = \"isp0\"\nzone = \"isp\"\n", "");
        let by_session = alone.replace("kind = \"ra\"", session).replace("ntt-east", "./profile.toml");
        let mistakes = said(&by_session, &[("profile.toml", own.as_str())]).map(drop).unwrap_err();
        let wanted =
            "line.pppoe.login: the line's session has the same secret as the share of \"t1\", \"t1\"";
        assert!(mistakes.len() == 1 && mistakes[0].contains(wanted), "{mistakes:?}");
        let second = format!(
            "[[terminal]]\nname = \"t2\"\naddress = \"192.0.2.3\"\nrequests-below = \"second\"\n{share}\n[[consumer]]"
        );
        let two = site.replace("[[consumer]]", &second.replace("192.0.2.2\\", "192.0.2.3\\"));
        assert_eq!(said(&two, &[]).map(drop), Ok(()));
    }
}
