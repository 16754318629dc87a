//! The terminals' resolver: it knows nothing, asks the line's two resolvers, and hears the terminals only.

use std::fmt::Write as _;

use model::Site;

/// The `unbound.conf` of a site.
///
/// The closed network's zones are not signed (and have no way to the root), so nothing is validated here; who asks
/// over TLS or IPsec checks the other end itself. `ip-freebind`: the address may come after the daemon.
pub fn config(site: &Site) -> String {
    let mut text = super::HEAD.to_owned();
    text.push_str(SERVER);
    let _ = writeln!(text, "  interface: {}", site.terminal_zone.address);
    for terminal in &site.terminals {
        let _ = writeln!(text, "  access-control: {}/32 allow", terminal.address);
    }
    text.push_str(FORWARD);
    for resolver in super::resolvers(site) {
        let _ = writeln!(text, "  forward-addr: {resolver}");
    }
    text
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
  # A few terminals; a small box.
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

const FORWARD: &str = "\
remote-control:
  control-enable: no
forward-zone:
  name: \".\"
  forward-first: no
";
