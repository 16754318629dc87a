//! What the clinic looks like on paper: hosts, what stands where the box is, and where everything lies. Pure.
//!
//! Which hosts, wires and addresses a clinic has depends on its line and wiring: [`crate::layout`].

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::layout::Wire;

/// A host of the clinic; each has a network namespace, a mount namespace and a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// The closed network: router and both resolvers.
    Ngn,
    /// The qualification centre and its neighbours.
    Centre,
    /// The box.
    Box,
    /// The qualification terminal.
    Terminal,
    /// The clinic's network: the receipt computer and the staff's browser.
    Clinic,
    /// The home gateway: beside the box, before it, or another household's that a fault puts on the line's segment.
    Home,
    /// The internet provider.
    Isp,
    /// The gateway of the qualification's IPsec provider.
    Ipsec,
    /// The receipt computer's cloud.
    Cloud,
    /// The maintainer, outside.
    Maint,
}

impl Host {
    /// All that any clinic has; one clinic's are [`crate::layout::Layout::hosts`].
    pub const ALL: [Self; 10] = [
        Self::Ngn,
        Self::Centre,
        Self::Box,
        Self::Terminal,
        Self::Clinic,
        Self::Home,
        Self::Isp,
        Self::Ipsec,
        Self::Cloud,
        Self::Maint,
    ];

    /// The name in `<clinic>-<host>`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ngn => "ngn",
            Self::Centre => "centre",
            Self::Box => "box",
            Self::Terminal => "terminal",
            Self::Clinic => "clinic",
            Self::Home => "home",
            Self::Isp => "isp",
            Self::Ipsec => "ipsec",
            Self::Cloud => "cloud",
            Self::Maint => "maint",
        }
    }

    /// The host of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|host| host.name() == name)
    }

    /// What its kernel is told before any wire exists: path below `/proc/sys/net` and value.
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Ngn | Self::Home => &[NO_DAD, NO_DAD_EITHER, FORWARD],
            Self::Isp => &[NO_DAD, NO_DAD_EITHER, FORWARD, ("ipv4/ip_forward", "1")],
            Self::Centre | Self::Clinic | Self::Ipsec | Self::Cloud | Self::Maint => &[NO_DAD, NO_DAD_EITHER],
            Self::Box => &[
                NO_DAD,
                NO_DAD_EITHER,
                FORWARD,
                ("ipv4/ip_forward", "1"),
                // An expired route is then gone within a second and not, as the kernel's default has it, within 30.
                ("ipv6/route/gc_interval", "1"),
            ],
            Self::Terminal => &[("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")],
        }
    }
}

/// What stands where the box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TheBox {
    /// Nothing of ours: its ports are TAPs, for a board
    None,
    /// Its ports and addresses, and nothing that runs
    Bare,
    /// sekisho with all its roles in one process, and smbd as it configures it
    Daemon,
    /// The same with each role a process and a user of its own
    Split,
}

impl TheBox {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bare => "bare",
            Self::Daemon => "daemon",
            Self::Split => "split",
        }
    }

    /// Whether sekisho runs on it.
    pub const fn runs_sekisho(self) -> bool {
        matches!(self, Self::Daemon | Self::Split)
    }

    /// What the box's own end of a wire is called. Before a board it is the far side of a bridge, because a TAP
    /// keeps its carrier when a wire elsewhere has lost its own.
    pub fn end_of(self, port: &str) -> String {
        if self == Self::None { format!("{port}-wire") } else { port.to_owned() }
    }
}

/// `ip` commands that put a TAP of the box's name before each of its wires. The bridge hands everything on and says
/// nothing itself.
pub fn taps(wires: &[Wire]) -> String {
    let ports = wires.iter().filter(|(host, ..)| *host == Host::Box).map(|(_, port, ..)| port);
    let taps = ports.map(|port| {
        format!(
            "link add dev {port}-hub type bridge stp_state 0 forward_delay 0 mcast_snooping 0
             tuntap add dev {port} mode tap
             link set dev {port} master {port}-hub up
             link set dev {port}-wire master {port}-hub up
             link set dev {port}-hub up\n"
        )
    });
    taps.collect()
}

/// The kernel of a box that only carries frames between a board and the wires.
pub const BOARD: &[(&str, &str)] =
    &[("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")];

/// Where the kernel has bridges filtered as if they were routers, this switches it off.
pub const BRIDGES: [&str; 3] =
    ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables", "bridge/bridge-nf-call-arptables"];

// Duplicate address detection holds every new address back for a second or two.
const NO_DAD: (&str, &str) = ("ipv6/conf/default/accept_dad", "0");
const NO_DAD_EITHER: (&str, &str) = ("ipv6/conf/default/dad_transmits", "0");
const FORWARD: (&str, &str) = ("ipv6/conf/all/forwarding", "1");

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The terminal's share, as the box sees it.
pub const TERMINAL_SHARE: &str = r"\\192.0.2.2\OQS";
/// The box's share, as the receipt computer sees it.
pub const CLINIC_SHARE: &str = r"\\198.51.100.1\OQS";
/// The page on the box: plain HTTP and HTTPS.
pub const PAGE: [&str; 2] = ["198.51.100.1:80", "198.51.100.1:443"];

/// Where a clinic's things lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The clinic's name.
    pub name: String,
    /// Its folder, `/run/clinic-NAME`.
    pub root: PathBuf,
}

impl Place {
    /// The place of a clinic; `None` if nothing may be called that: 1 to 20 letters, digits and hyphens.
    pub fn of(name: &str) -> Option<Self> {
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let right = letters && !name.is_empty() && name.len() <= 20 && !name.starts_with('-');
        right.then(|| Self { name: name.to_owned(), root: PathBuf::from(format!("/run/clinic-{name}")) })
    }

    /// The name of a host's network namespace.
    pub fn namespace(&self, host: Host) -> String {
        format!("{}-{host}", self.name)
    }

    /// Where the namespace is kept, in the manner of `ip netns`.
    pub fn netns(&self, host: Host) -> PathBuf {
        Path::new("/run/netns").join(self.namespace(host))
    }

    /// A file or folder below the clinic's own.
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Where a daemon may leave what it needs while it runs.
    pub fn run(&self, host: Host) -> PathBuf {
        self.root.join("run").join(host.name())
    }

    /// The log of a daemon.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }
}

/// Fills a template's `{key}` places.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_and_never_a_path() {
        assert_eq!(Place::of("sk").unwrap().root, Path::new("/run/clinic-sk"));
        for name in ["", "-x", "a/b", "..", "a b", "aaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(Place::of(name), None, "{name}");
        }
    }

    #[test]
    fn every_host_is_found_by_its_name() {
        for host in Host::ALL {
            assert_eq!(Host::from_name(host.name()), Some(host));
        }
        assert_eq!(Host::from_name("moon"), None);
    }
}
