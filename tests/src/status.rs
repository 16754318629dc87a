//! What `clinic status` says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ground::text;
use crate::host::run;
use crate::plan::{CLINIC_SHARE, Host, Place, TERMINAL_SHARE, TheBox};
use crate::record::Record;
use crate::samba::Login;
use crate::{roles, terminal, the_box};

/// A clinic that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// The kind of line.
    pub line: String,
    /// How the box is wired to it.
    pub wiring: String,
    /// Its hosts, by name.
    pub hosts: BTreeMap<String, HostStatus>,
    /// The box.
    #[serde(rename = "box")]
    pub the_box: BoxStatus,
    /// Where the page is reached from the host.
    pub page: Page,
    /// The shares.
    pub shares: Shares,
    /// The faults that are on, by code.
    pub faults: Vec<String>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// Its keeper, on the host's count.
    pub pid: i32,
    /// Its network namespace, as `ip netns exec` takes it.
    pub netns: String,
    /// The addresses of each port, with prefix lengths, as they are now.
    pub addresses: BTreeMap<String, Vec<String>>,
}

/// The box's places and processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxStatus {
    /// What stands where the box is.
    pub is: TheBox,
    /// Folder of the roles' sockets.
    pub socket: PathBuf,
    /// The site file.
    pub site: PathBuf,
    /// Folder of what survives a restart.
    pub state: PathBuf,
    /// The process of each role, and smbd's; empty without a daemon. Unless they are split one process has all roles.
    pub pids: BTreeMap<String, i32>,
}

/// Where the page is reached from the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Plain HTTP.
    pub http: String,
    /// HTTPS.
    pub https: String,
}

/// The shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// The box's, for the clinic; absent when nothing runs on the box.
    pub clinic: Option<ShareStatus>,
    /// The terminal's.
    pub terminal: ShareStatus,
}

/// One share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareStatus {
    /// Its UNC path.
    pub unc: String,
    /// An account of it.
    pub user: String,
    /// The file with user and password, a line each.
    pub password_file: PathBuf,
}

impl Status {
    /// Looks at a clinic.
    pub fn of(place: &Place, record: &Record) -> Result<Self, Error> {
        let hosts = record.keepers.iter().map(|(host, keeper)| {
            let netns = place.namespace(*host);
            let addresses = addresses(&netns)?;
            Ok((host.name().to_owned(), HostStatus { pid: keeper.pid, netns, addresses }))
        });
        Ok(Self {
            name: place.name.clone(),
            line: record.layout.line.word().into(),
            wiring: record.layout.wiring.word().into(),
            hosts: hosts.collect::<Result<_, Error>>()?,
            the_box: BoxStatus {
                is: record.the_box,
                socket: the_box::socket(place),
                site: the_box::site(place),
                state: the_box::state(place),
                pids: pids(record),
            },
            page: record.page.clone(),
            shares: Shares { clinic: clinic_share(place, record)?, terminal: terminal_share(place) },
            faults: record.faults.iter().cloned().collect(),
        })
    }
}

fn pids(record: &Record) -> BTreeMap<String, i32> {
    let of =
        |name: &str| record.daemons.get(name).filter(|process| process.is_alive()).map(|found| found.pid);
    let roles = roles::ROLES.iter().map(|role| role.name);
    let roles = roles.filter_map(|role| Some((role.to_owned(), of(role).or_else(|| of(the_box::SEKISHO))?)));
    roles.chain(of(the_box::SMBD).map(|pid| ("smbd".to_owned(), pid))).collect()
}

fn clinic_share(place: &Place, record: &Record) -> Result<Option<ShareStatus>, Error> {
    if !record.daemons.contains_key(the_box::SMBD) {
        return Ok(None);
    }
    let Some(password_file) = the_box::password_files(place)?.into_iter().next() else { return Ok(None) };
    let user = Login::read(&password_file)?.user;
    Ok(Some(ShareStatus { unc: CLINIC_SHARE.into(), user, password_file }))
}

fn terminal_share(place: &Place) -> ShareStatus {
    ShareStatus {
        unc: TERMINAL_SHARE.into(),
        user: terminal::USER.into(),
        password_file: terminal::secret(place),
    }
}

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: String,
    #[serde(default)]
    prefixlen: u8,
    #[serde(default)]
    scope: String,
}

/// The addresses of a namespace as `ip` knows them, without those of the host scope.
fn addresses(netns: &str) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let printed = run(&["ip", "-netns", netns, "-json", "address", "show"], "")?;
    let ports: Vec<Port> = serde_json::from_str(&printed).map_err(|error| Error::System {
        what: format!("read the addresses of {netns}"),
        source: error.into(),
    })?;
    let of = |port: Port| {
        let real = port.addr_info.iter().filter(|address| address.scope != "host");
        let list: Vec<String> = real.map(|found| format!("{}/{}", found.local, found.prefixlen)).collect();
        (port.ifname, list)
    };
    Ok(ports.into_iter().map(of).filter(|(_, list)| !list.is_empty()).collect())
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "clinic {}: line {}, wiring {}", self.name, self.line, self.wiring)?;
        for (host, status) in &self.hosts {
            let ports: Vec<String> =
                status.addresses.iter().map(|(port, list)| format!("{port} {}", list.join(" "))).collect();
            writeln!(f, "  {host:<9} {}", ports.join(", "))?;
        }
        writeln!(f, "  page      {}  {}", self.page.http, self.page.https)?;
        let shares = self.shares.clinic.iter().chain([&self.shares.terminal]);
        for share in shares {
            let file = text(&share.password_file);
            writeln!(f, "  share     {}  user {}, password in {file}", share.unc, share.user)?;
        }
        if self.the_box.is == TheBox::None {
            writeln!(f, "  box       none: wan0, term0 and lan0 in {}-box are TAPs for a board", self.name)?;
        } else {
            writeln!(f, "  sockets   {}", self.the_box.socket.display())?;
        }
        let faults = if self.faults.is_empty() { "none".into() } else { self.faults.join(" ") };
        writeln!(f, "  faults    {faults}")
    }
}

/// What is said of a host that this clinic does not have.
pub fn no_host(record: &Record, name: &str) -> Error {
    let names: Vec<&str> = record.keepers.keys().map(|host| host.name()).collect();
    Error::Usage(format!("find a host {name:?} in this clinic: it has {}", names.join(", ")))
}

/// A host's name as a person types it.
pub fn host(name: &str) -> Result<Host, Error> {
    Host::from_name(name).ok_or_else(|| {
        let names = Host::ALL.map(Host::name).join(", ");
        Error::Usage(format!("find a host {name:?}: there are {names}"))
    })
}
