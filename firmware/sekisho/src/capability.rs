//! What a role needs of the kernel beside an ordinary user's rights. Which user it runs as does not matter.

use model::part::Role;

use crate::failure::Failure;

/// A capability: its number (capabilities(7)) and its name.
type Capability = (u8, &'static str);

const NET_BIND_SERVICE: Capability = (10, "CAP_NET_BIND_SERVICE");
const NET_ADMIN: Capability = (12, "CAP_NET_ADMIN");
const NET_RAW: Capability = (13, "CAP_NET_RAW");

/// What a role cannot do without. Who parses what strangers send needs nothing.
const fn needed(role: Role) -> &'static [Capability] {
    match role {
        Role::Netd => &[NET_ADMIN, NET_RAW, NET_BIND_SERVICE],
        Role::Relayd | Role::Reachd | Role::Boardd | Role::Webd => &[],
    }
}

/// Makes sure that this process has what its roles need.
///
/// # Errors
/// [`Failure::Lacks`] with everything the first of them lacks.
pub fn check(roles: &[Role]) -> Result<(), Failure> {
    let path = "/proc/self/status";
    let status =
        std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.into(), source })?;
    let held = held(&status, nix::unistd::geteuid().is_root());
    for role in roles {
        let missing = missing(*role, held);
        if !missing.is_empty() {
            return Err(Failure::Lacks { role: *role, capabilities: missing });
        }
    }
    Ok(())
}

/// The capabilities of this process that a program it runs (`nft`) has too: root's come back with every program,
/// another user's must be ambient.
fn held(status: &str, root: bool) -> u64 {
    let set = |name: &str| {
        let text = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        text.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0)
    };
    if root { set("CapEff") } else { set("CapEff") & set("CapAmb") }
}

fn missing(role: Role, held: u64) -> Vec<&'static str> {
    needed(role).iter().filter(|(number, _)| held & (1 << number) == 0).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_by_name_and_only_netd_needs_anything() {
        let status = "Name:\tsekisho\nCapEff:\t0000000000003400\nCapAmb:\t0000000000001400\n";
        assert_eq!(missing(Role::Netd, held(status, true)), [""; 0]);
        assert_eq!(missing(Role::Netd, held(status, false)), ["CAP_NET_RAW"], "it is not handed on");
        assert_eq!(missing(Role::Netd, held("", true)).len(), 3);
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Netd) {
            assert_eq!(missing(role, 0), [""; 0], "{role:?}");
        }
    }
}
