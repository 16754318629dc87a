//! The resolvers of the box. Each knows nothing, asks one side's resolvers, and hears one zone only: nothing that a terminal
//! asks goes to the internet, nothing that the clinic asks goes to the line, and no answer is kept for both.

use std::fmt::Write as _;
use std::path::Path;

use model::Site;
use model::profile::Where;

/// The terminals' resolver, which asks the line's.
///
/// The closed network's zones are not signed (and have no way to the root), so nothing is validated here; who asks
/// over TLS or IPsec checks the other end itself. `ip-freebind`: the address may come after the daemon.
pub fn terminals(site: &Site, sockets: &Path) -> String {
    let mut text = super::HEAD.to_owned();
    text.push_str(SERVER);
    let _ = writeln!(text, "  interface: {}", site.terminal_zone.address);
    for terminal in &site.terminals {
        let _ = writeln!(text, "  access-control: {}/32 allow", terminal.address);
    }
    if site.profile.destinations.iter().any(|one| !matches!(one.to, Where::Prefix(_))) {
        let answers = crate::role::names::socket(sockets);
        let _ = writeln!(text, "{TAP}  dnstap-socket-path: \"{}\"", answers.display());
    }
    text.push_str(FORWARD);
    for resolver in super::resolvers(site) {
        let _ = writeln!(text, "  forward-addr: {resolver}");
    }
    text
}

/// The clinic's resolver, where the site file asks for one: it asks the resolvers of the internet line. Whether an answer
/// is signed is theirs to look at.
pub fn clinic(site: &Site) -> Option<String> {
    let internet = site.internet.as_ref().filter(|_| site.clinic_dns)?;
    let mut text = super::HEAD.to_owned();
    text.push_str(SERVER);
    let _ = writeln!(text, "  interface: {}", site.clinic.address);
    let _ = writeln!(text, "  access-control: {} allow", site.clinic.as_network());
    text.push_str("  do-ip6: no\n");
    text.push_str(FORWARD);
    for resolver in &internet.resolvers {
        let _ = writeln!(text, "  forward-addr: {resolver}");
    }
    Some(text)
}

const SERVER: &str = "\
server:
  # Started by its unit: no daemon, no other user, no file of its own.
  do-daemonize: no
  username: \"\"
  chroot: \"\"
  directory: \"\"
  pidfile: \"\"
  use-syslog: no
  log-queries: no
  verbosity: 1
  # A few machines; a small box.
  num-threads: 1
  so-reuseport: no
  outgoing-range: 128
  num-queries-per-thread: 64
  incoming-num-tcp: 8
  msg-cache-size: 1m
  rrset-cache-size: 2m
  key-cache-size: 16k
  neg-cache-size: 64k
  # No validation, no trust anchor.
  module-config: \"iterator\"
  # Which names there are is the line's to say, also below names that unbound would keep to itself (RFC 6761, AS112).
  unblock-lan-zones: yes
  local-zone: \"test.\" nodefault
  # Says nothing about itself, and never asks the box itself.
  hide-identity: yes
  hide-version: yes
  do-not-query-localhost: yes
  # Who is not listed gets no answer at all.
  ip-freebind: yes
  access-control: 0.0.0.0/0 deny
  access-control: ::0/0 deny
";

/// Where destinations are names, the firewall admits what the terminals were told, and nothing else is said of it.
const TAP: &str = "\
dnstap:
  dnstap-enable: yes
  dnstap-bidirectional: no
  dnstap-send-identity: no
  dnstap-send-version: no
  dnstap-log-client-response-messages: yes
";

const FORWARD: &str = "\
remote-control:
  control-enable: no
forward-zone:
  name: \".\"
  forward-first: no
";
