//! The configuration of the system's own daemons, made of the site file at every boot and edited by nobody. All of
//! it is pure: a site and places in, names and texts out. Each file is one page of its own.

mod accounts;
mod chrony;
pub mod network;
pub mod pppoe;
mod unbound;

use std::net::IpAddr;
use std::path::Path;

use model::Site;
use tunnel::Provider;
use tunnel::charon::{Charon, Kernel, Purpose};

use crate::contract::Contract;

pub use accounts::share_secret;
pub use network::{board, setup, site, ways};

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its name below the folder that is written to.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

impl Generated {
    fn new(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), text }
    }
}

/// Where things are on the box the files are for.
#[derive(Clone, Copy, Debug)]
pub struct Places<'p> {
    /// The folder that is written to.
    pub to: &'p Path,
    /// What must survive a restart.
    pub state: &'p Path,
    /// The folder of the roles' sockets.
    pub sockets: &'p Path,
    /// The user the share's files belong to: the one the relay runs as.
    pub owner: &'p str,
    /// The tunnels that are kept up, each with its charon: the line's, and the cloud's.
    pub tunnels: [Option<Ipsec<'p>>; 2],
}

/// The charon of a tunnel.
#[derive(Clone, Copy, Debug)]
pub struct Ipsec<'p> {
    /// What for.
    pub purpose: Purpose,
    /// The provider.
    pub provider: &'p Provider,
    /// The folder in which each charon has its own, with its socket.
    pub folders: &'p Path,
    /// The user that drives charon, if that is not root.
    pub user: Option<&'p str>,
    /// Who encrypts.
    pub kernel: Kernel,
}

impl<'p> Ipsec<'p> {
    /// The charon of a contract's tunnel.
    pub const fn of(
        purpose: Purpose,
        contract: &'p Contract,
        folders: &'p Path,
        user: Option<&'p str>,
        kernel: Kernel,
    ) -> Self {
        Self { purpose, provider: &contract.provider, folders, user, kernel }
    }

    fn charon(&self) -> Generated {
        let charon = Charon {
            purpose: self.purpose,
            kernel: self.kernel,
            folder: &self.folders.join(self.purpose.folder()),
            user: self.user,
            patience_s: self.provider.dpd_patience_s,
        };
        Generated::new(format!("{}.strongswan.conf", self.purpose.key()), charon.config())
    }
}

/// The system's own accounts, which ours are added to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accounts<'a> {
    /// `/etc/passwd`.
    pub passwd: &'a str,
    /// `/etc/group`.
    pub group: &'a str,
}

/// Everything a site needs but the ports, which are [`site`]'s.
pub fn daemons(site: &Site, places: &Places<'_>, system: &Accounts<'_>) -> Vec<Generated> {
    let own = places.to.join("samba");
    let shares = places.state.join("share");
    let mut all = vec![
        Generated::new("samba/smb.conf", relay::samba::config(site, &shares, places.owner, &own)),
        Generated::new("samba/smb.users", accounts::users(site, places.state)),
        Generated::new("samba/passwd", accounts::passwd(site, system.passwd)),
        Generated::new("samba/group", accounts::group(site, system.group)),
        Generated::new("unbound-terminals.conf", unbound::terminals(site, places.sockets)),
        Generated::new("chrony.conf", chrony::config(site, places)),
        Generated::new("resolv.conf", resolv(site)),
    ];
    all.extend(unbound::clinic(site).map(|text| Generated::new("unbound-clinic.conf", text)));
    all.extend(places.tunnels.into_iter().flatten().map(|tunnel| tunnel.charon()));
    all
}

/// The line's own resolvers: those inside, where it is reached by IPv4.
fn resolvers(site: &Site) -> Vec<IpAddr> {
    match site.line.is_ipv4() {
        true => site.profile.resolvers4.iter().copied().map(IpAddr::V4).collect(),
        false => site.profile.resolvers.iter().copied().map(IpAddr::V6).collect(),
    }
}

/// The box's own names come from the line's resolvers and from nobody else.
fn resolv(site: &Site) -> String {
    let lines = resolvers(site).into_iter().map(|address| format!("nameserver {address}\n"));
    format!("{HEAD}{}options timeout:2 attempts:2\n", lines.collect::<String>())
}

const HEAD: &str = "# Written by sekisho at every boot. Changes here are lost.\n";

#[cfg(test)]
mod tests;
