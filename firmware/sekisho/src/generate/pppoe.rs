//! pppd's files for the session of a line by PPPoE. They lie below `ppp/` in the folder that is written to, which the
//! unit shows pppd as `/etc/ppp`. All of them are for their owner only: who the clinic is at its carrier's stands in them.

use model::Site;
use model::Zone;
use model::site::uplink::{Line, SESSION_LINE, Session};

use super::{Generated, HEAD};
use crate::secret::Login;

/// The folder, below the one that is written to.
pub const FOLDER: &str = "ppp";
/// What pppd notes of a run, below the folder of the roles' sockets.
pub const LOG: &str = "session/log";

/// The files of the session, if the site has one on its line.
pub fn session(site: &Site, login: &Login, places: &super::Places<'_>) -> Vec<Generated> {
    let Line::Pppoe(session) = &site.line else { return Vec::new() };
    let secrets = format!("{HEAD}{} * {} *\n", quoted(&login.user), quoted(&login.password));
    let log = places.sockets.join(LOG);
    let peer = peer(session, site.port(Zone::Wan), &login.user, &log.display().to_string());
    let options = format!("{HEAD}# What the session asks for stands in peers/line.\n");
    [
        ("options", options),
        ("peers/line", peer),
        // Whichever of the two the line asks for (RFC 1334, RFC 1994), it is told by the same file.
        ("pap-secrets", secrets.clone()),
        ("chap-secrets", secrets),
    ]
    .into_iter()
    .map(|(name, text)| Generated::new(format!("{FOLDER}/{name}"), text))
    .collect()
}

/// The port that a peer's file calls by.
pub fn port(peer: &str) -> Option<&str> {
    peer.lines().find_map(|line| line.strip_prefix("nic-"))
}

/// What is asked for, of whom. Names come from the profile's resolvers and never from the line (no `usepeerdns`); the way
/// out is this one, since the site has no other over IPv4.
fn peer(session: &Session, port: &str, user: &str, log: &str) -> String {
    let mtu = session.mtu;
    let service =
        session.service.as_ref().map_or_else(String::new, |name| format!("pppoe-service {}\n", quoted(name)));
    format!(
        "{HEAD}plugin pppoe.so\nnic-{port}\n{service}ifname {SESSION_LINE}\nuser {}\nlogfile {}\nmtu {mtu}\nmru {mtu}\n{PEER}",
        quoted(user),
        quoted(log),
    )
}

/// The rest is every contract's. One run is one try: its end has a number that says why, and systemd begins the next one
/// after the unit's hold-off (`RestartSec=`), for as long as the box runs.
const PEER: &str = "\
nodetach
nopersist
maxfail 1
# The line proves nothing to us; we prove ourselves by PAP or CHAP with MD5, which is all that such lines know.
noauth
refuse-eap
refuse-mschap
refuse-mschap-v2
hide-password
# Address and way out are the line's word; resolvers are not.
noipdefault
defaultroute
noipv6
# Nothing is compressed: it saves nothing here and costs a parser.
noccp
novj
nopcomp
noaccomp
# A line that says nothing for 15 seconds is dead (RFC 1661 section 5.8).
lcp-echo-interval 5
lcp-echo-failure 3
# Nobody there is known after 6 seconds: two questions (RFC 2516 section 5.1).
pppoe-padi-timeout 2
pppoe-padi-attempts 2
";

/// A word as pppd reads it: between quotes, where a backslash takes the next letter as it is.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_peer_is_the_one_it_was_made_for() {
        let session = Session { login: "line".into(), service: Some("nic-x".into()), mtu: 1454 };
        let text = peer(&session, "wan0", "user", "/run/log");
        assert_eq!(port(&text), Some("wan0"));
        assert_eq!(port(""), None);
    }

    #[test]
    fn a_word_with_pppds_own_signs_stays_one_word() {
        assert_eq!(quoted("a b#c"), "\"a b#c\"");
        assert_eq!(quoted(r#"a"\b"#), r#""a\"\\b""#);
    }
}
