//! What the relay takes from the site file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Site;
use model::profile::Kind;

/// The port of SMB over TCP.
const SMB: u16 = 445;

/// One terminal's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalConfig {
    /// The terminal's name in the site file.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The share on it.
    pub share: String,
    /// The file with the login: user and password, a line each. Read at every connection.
    pub secret: PathBuf,
}

/// What the relay needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The state folder; see `docs` for what lies in it.
    pub state: PathBuf,
    /// The table of kinds.
    pub kinds: Arc<[Kind]>,
    /// The terminals; the first one gets the requests.
    pub terminals: Vec<TerminalConfig>,
}

impl Config {
    /// The part of a site that concerns the relay.
    pub fn from_site(site: &Site, state: &Path) -> Self {
        let terminal = |terminal: &model::site::Terminal| TerminalConfig {
            name: terminal.name.clone(),
            address: (terminal.address, SMB).into(),
            share: terminal.share.clone(),
            secret: state.join("secrets").join(&terminal.login),
        };
        Self {
            state: state.to_owned(),
            kinds: site.profile.kinds.clone().into(),
            terminals: site.terminals.iter().map(terminal).collect(),
        }
    }
}
