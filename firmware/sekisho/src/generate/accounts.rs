//! The accounts of the box's share. They exist for smbd alone: its unit sees these files in place of the system's.

use std::path::Path;

use model::Site;

use crate::secret;

/// Above every account Debian makes (adduser ends at 59999), below systemd's own ranges (61184).
const FIRST: u32 = 60_100;

/// A line `ACCOUNT:SECRET-FILE` for every account: what gives Samba its passwords.
pub fn users(site: &Site, state: &Path) -> String {
    let line = |consumer: &model::site::Consumer| {
        format!("{}:{}\n", consumer.name, secret::path(state, &share_secret(&consumer.name)).display())
    };
    site.shares().map(|(consumer, _)| line(consumer)).collect()
}

/// The name of an account's secret.
pub fn share_secret(account: &str) -> String {
    format!("share-{account}")
}

/// The system's `passwd` with our accounts behind it; nobody logs in with them.
pub fn passwd(site: &Site, system: &str) -> String {
    with(site, system, |name, number| format!("{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"))
}

/// The system's `group`, likewise.
pub fn group(site: &Site, system: &str) -> String {
    with(site, system, |name, number| format!("{name}:x:{number}:\n"))
}

fn with(site: &Site, system: &str, line: impl Fn(&str, u32) -> String) -> String {
    let ours = (FIRST..).zip(site.shares()).map(|(number, (consumer, _))| line(&consumer.name, number));
    let end = if system.is_empty() || system.ends_with('\n') { "" } else { "\n" };
    format!("{system}{end}{}", ours.collect::<String>())
}
