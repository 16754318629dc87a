//! Who may speak to whom, as a table. Who somebody is, is the kernel's word (SO_PEERCRED), and each role has a user
//! of its own name; root and the role's own user may do everything.

use axum::http::Method;
use model::part::Role;
use nix::unistd::{User, geteuid};

/// Whom a role lets in beside root.
struct Guests {
    role: Role,
    /// May read its part.
    readers: &'static [Role],
    /// What it may be asked to do, and by whom.
    askers: &'static [(&'static str, &'static [Role])],
}

/// The table. What is not in it is root's alone: the verbs run as root.
const TABLE: [Guests; 5] = [
    Guests {
        role: Role::Netd,
        // The first two wait for the proof.
        readers: &[Role::Relayd, Role::Reachd, Role::Boardd, Role::Webd],
        // Who changes rules is root: the page may come to carry it when somebody can sign in there.
        // A question about a packet changes nothing: whoever sees the page may ask it.
        askers: &[
            ("/prove", &[]),
            ("/explain", &[Role::Webd]),
            ("/apply", &[]),
            ("/confirm", &[]),
            ("/revert", &[]),
            ("/seen", &[]),
            // Who hears neighbour discovery on the terminals' side finds out which addresses are theirs. It can name addresses of
            // the line's own prefix only, and what they may reach is the same for all of them.
            ("/terminals", &[Role::Reachd]),
            // Likewise what the resolver told a terminal: it admits no more than the profile expects of its names.
            ("/answered", &[Role::Reachd]),
            // Consent is the responsible person's, by a number, or the button's, which boardd reads.
            ("/maintenance/open", &[]),
            ("/maintenance/further", &[]),
            ("/maintenance/close", &[]),
            ("/maintenance/review", &[]),
            ("/maintenance/pin", &[]),
            ("/maintenance/button", &[Role::Boardd]),
            ("/maintenance/touch", &[Role::Boardd]),
        ],
    },
    Guests {
        role: Role::Relayd,
        readers: &[Role::Boardd, Role::Webd],
        // What a person decides: the page may come to carry it when somebody can sign in there.
        askers: &[
            ("/look", &[Role::Reachd]),
            ("/retry", &[]),
            ("/return", &[]),
            ("/discard", &[]),
            ("/selftest", &[]),
        ],
    },
    // A look changes nothing: whoever sees the page may ask for one, as often as the page lets him. Who that is nobody
    // knows, so it is no reason to try a refused login sooner.
    Guests {
        role: Role::Reachd,
        // netd asks whether a time server contradicts the box's clock.
        readers: &[Role::Boardd, Role::Webd, Role::Netd],
        askers: &[("/sweep", &[]), ("/sweep/page", &[Role::Webd])],
    },
    // The verdict is on the box, too: reachd knocks at every door to see who stands behind it.
    Guests { role: Role::Boardd, readers: &[Role::Webd, Role::Reachd], askers: &[("/press", &[])] },
    // The console runs as boardd, and says the page's fingerprint.
    Guests { role: Role::Webd, readers: &[Role::Boardd, Role::Reachd], askers: &[] },
];

/// Who stands at a role's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Root, or this process's own user: in one process all roles are.
    Own,
    /// Another role's user.
    Role(Role),
}

/// Who this user is to us; none: a stranger.
pub fn known(uid: u32) -> Option<Peer> {
    if uid == 0 || uid == geteuid().as_raw() {
        return Some(Peer::Own);
    }
    Role::ALL.into_iter().find(|role| user(*role) == Some(uid)).map(Peer::Role)
}

/// The number of a role's user; none where there is no such user, as in development.
fn user(role: Role) -> Option<u32> {
    User::from_name(role.key()).ok().flatten().map(|user| user.uid.as_raw())
}

/// Whether a peer may come to this role's door at all.
pub fn may_enter(role: Role, peer: Peer) -> bool {
    let named = |guest| {
        let guests = guests(role);
        guests.readers.contains(&guest) || guests.askers.iter().any(|(_, askers)| askers.contains(&guest))
    };
    match peer {
        Peer::Own => true,
        Peer::Role(guest) => named(guest),
    }
}

/// Whether a peer may do this at this role's door.
pub fn may(role: Role, peer: Peer, method: &Method, path: &str) -> bool {
    let Peer::Role(guest) = peer else { return true };
    let guests = guests(role);
    if method == Method::GET {
        return guests.readers.contains(&guest);
    }
    guests.askers.iter().any(|(asked, askers)| *asked == path && askers.contains(&guest))
}

fn guests(role: Role) -> &'static Guests {
    TABLE.iter().find(|guests| guests.role == role).expect("invariant: every role is in the table")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_our_own_user_are_known_and_a_user_without_a_role_is_not() {
        assert_eq!(known(0), Some(Peer::Own));
        assert_eq!(known(geteuid().as_raw()), Some(Peer::Own));
        assert_eq!(known(65_534), None);
    }

    #[test]
    fn every_role_is_in_the_table_and_only_those_named_do_what_is_named() {
        let post = |role, guest, path: &str| may(role, Peer::Role(guest), &Method::POST, path);
        let get = |role, guest| may(role, Peer::Role(guest), &Method::GET, "/part");
        for role in Role::ALL {
            assert!(may(role, Peer::Own, &Method::POST, "/anything"));
            assert!(get(role, Role::Webd) != (role == Role::Webd), "the page reads every part but its own");
            assert!(!post(role, Role::Webd, "/look") && !post(role, Role::Webd, "/prove"));
        }
        for verb in ["/prove", "/apply", "/confirm", "/revert", "/seen"] {
            assert!(Role::ALL.into_iter().all(|guest| !post(Role::Netd, guest, verb)), "root's alone");
        }
        for verb in ["open", "further", "close", "review", "pin"] {
            let path = format!("/maintenance/{verb}");
            for guest in Role::ALL {
                assert!(!post(Role::Netd, guest, &path), "root's alone");
            }
        }
        for path in ["/maintenance/button", "/maintenance/touch"] {
            for guest in Role::ALL {
                assert_eq!(post(Role::Netd, guest, path), guest == Role::Boardd, "the button's");
            }
        }
        for verb in ["/retry", "/return", "/discard", "/selftest"] {
            assert!(Role::ALL.into_iter().all(|guest| !post(Role::Relayd, guest, verb)), "root's alone");
        }
        assert!(post(Role::Netd, Role::Webd, "/explain") && !post(Role::Netd, Role::Reachd, "/explain"));
        assert!(post(Role::Netd, Role::Reachd, "/terminals") && !post(Role::Netd, Role::Webd, "/terminals"));
        assert!(post(Role::Relayd, Role::Reachd, "/look"));
        assert!(post(Role::Reachd, Role::Webd, "/sweep/page") && !post(Role::Reachd, Role::Webd, "/sweep"));
        assert!(!post(Role::Relayd, Role::Reachd, "/release"));
        assert!(!get(Role::Relayd, Role::Reachd), "it asks for a look and reads nothing else");
        assert!(!get(Role::Boardd, Role::Relayd) && !may_enter(Role::Boardd, Peer::Role(Role::Relayd)));
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Reachd) {
            assert!(may_enter(role, Peer::Role(Role::Reachd)), "it sees whether each role stays alive");
        }
        assert!(!post(Role::Boardd, Role::Reachd, "/part") && !post(Role::Webd, Role::Reachd, "/part"));
    }
}
