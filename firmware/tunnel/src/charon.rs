//! `strongswan.conf` of one charon. There is one for each purpose, each with its own socket and interface, so that a
//! maintainer's tunnel that hangs does not touch the line's. All of them only call: their ports are random, nothing of
//! ours listens.

use std::path::{Path, PathBuf};

/// What a charon is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The qualification line.
    Line,
    /// The receipt computer's cloud.
    Cloud,
    /// Remote maintenance.
    Maintenance,
}

impl Purpose {
    /// Its name: of its files, and of its connections in charon.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Cloud => "cloud",
            Self::Maintenance => "maint",
        }
    }

    /// The interface its packets come and go by.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Line => model::site::uplink::TUNNEL,
            Self::Cloud => model::site::uplink::CLOUD,
            Self::Maintenance => model::site::uplink::MAINTENANCE,
        }
    }

    /// The number by which XFRM policies belong to that interface.
    pub const fn if_id(self) -> u32 {
        match self {
            Self::Line => 1,
            Self::Cloud => 2,
            Self::Maintenance => 3,
        }
    }

    /// Below the folder of the roles' sockets: where its charon has its own, which must outlive `netd`'s own folder. Each has one
    /// by itself: a charon notes its process in its folder, and starts beside no other.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Line => "charon",
            Self::Cloud => "charon-cloud",
            Self::Maintenance => "charon-maintenance",
        }
    }

    /// The socket it is driven by, in its folder.
    pub fn socket(self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.vici", self.key()))
    }
}

/// Who encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The kernel, on an XFRM interface.
    Xfrm,
    /// charon itself, on a TUN that it makes at its start: for a kernel without ESP.
    Userspace,
}

/// How one charon is set.
#[derive(Clone, Copy, Debug)]
pub struct Charon<'c> {
    /// What for.
    pub purpose: Purpose,
    /// Who encrypts.
    pub kernel: Kernel,
    /// The folder of its socket.
    pub folder: &'c Path,
    /// The user that drives it, and as whom it runs; root if none.
    pub user: Option<&'c str>,
    /// How long an exchange is tried until the peer is dead, seconds.
    pub patience_s: u32,
}

/// How often a message is sent again, and by how much each pause is longer (RFC 7296 section 2.4).
const TRIES: i32 = 4;
const GROWTH: f64 = 1.2;

/// The first pause, so that all of them together take the patience.
fn first_pause_s(patience_s: u32) -> f64 {
    f64::from(patience_s) * (GROWTH - 1.0) / (GROWTH.powi(TRIES + 1) - 1.0)
}

impl Charon<'_> {
    /// The text of its `strongswan.conf`.
    ///
    /// Routes and addresses' places are netd's business (`way.rs`), so charon installs no routes. The plugins are the
    /// ones that are needed, in the order they are asked.
    pub fn config(&self) -> String {
        let kernel = match self.kernel {
            Kernel::Xfrm => "kernel-netlink",
            Kernel::Userspace => "kernel-libipsec kernel-netlink",
        };
        let user = self.user.map(|user| format!("  user = {user}\n  group = {user}\n")).unwrap_or_default();
        let socket = self.purpose.socket(self.folder);
        format!(
            "{HEAD}charon {{\n\
             \x20 load = {PLUGINS} {kernel} socket-default vici\n\
             {user}\
             \x20 # It only calls: no port of its own.\n\
             \x20 port = 0\n\
             \x20 port_nat_t = 0\n\
             \x20 install_routes = no\n\
             \x20 install_virtual_ip_on = {interface}\n\
             \x20 # All tries together take {patience} s.\n\
             \x20 retransmit_tries = {TRIES}\n\
             \x20 retransmit_base = {GROWTH}\n\
             \x20 retransmit_timeout = {pause:.2}\n\
             \x20 make_before_break = yes\n\
             \x20 # No table of its own, and so no rule that leads there.\n\
             \x20 routing_table = 0\n\
             \x20 filelog {{\n    stderr {{\n      path = stderr\n      default = 1\n      enc = 0\n      knl = 1\n      net = 0\n    }}\n  }}\n\
             \x20 plugins {{\n    vici {{\n      socket = unix://{socket}\n    }}\n    kernel-libipsec {{\n      allow_peer_ts = no\n    }}\n  }}\n}}\n",
            interface = self.purpose.interface(),
            patience = self.patience_s,
            pause = first_pause_s(self.patience_s),
            socket = socket.display(),
        )
    }
}

const HEAD: &str = "# Written by sekisho at every boot. Changes here are lost.\n";

/// Without `kdf`, `hmac` and `sha2` no key is derived; `constraints` and `revocation` judge certificates.
const PLUGINS: &str =
    "random nonce sha1 sha2 md5 hmac kdf openssl pem pkcs1 pkcs8 x509 pubkey revocation constraints";

#[cfg(test)]
mod tests {
    use super::*;

    fn charon(kernel: Kernel) -> Charon<'static> {
        Charon {
            purpose: Purpose::Line,
            kernel,
            folder: Path::new("/run/x"),
            user: Some("netd"),
            patience_s: 8,
        }
    }

    #[test]
    fn the_switch_between_kernel_and_userspace_changes_one_line() {
        let [kernel, lab] = [Kernel::Xfrm, Kernel::Userspace].map(|kernel| charon(kernel).config());
        let other: Vec<_> = kernel.lines().zip(lab.lines()).filter(|(a, b)| a != b).collect();
        assert_eq!(other.len(), 1, "{other:?}");
        insta::assert_snapshot!(lab);
    }

    #[test]
    fn all_tries_together_take_the_patience() {
        let first = first_pause_s(8);
        let all: f64 = (0..=TRIES).map(|nth| first * GROWTH.powi(nth)).sum();
        assert!((all - 8.0).abs() < 0.001, "{all}");
    }
}
