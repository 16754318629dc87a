//! Settings of the kernel under which packets pass that it else takes for impossible: the proof counts on it that an
//! address of the box, of the loopback or of another way is taken from nobody.
//!
//! Source: Documentation/networking/ip-sysctl.rst.

use std::fs;
use std::io;
use std::path::Path;

/// On where the setting of all ports or the port's own is.
const EITHER4: &[&str] = &["route_localnet", "accept_local", "proxy_arp", "proxy_arp_pvlan"];
/// On where both are.
const BOTH4: &[&str] = &["accept_source_route", "bc_forwarding"];
const BOTH6: &[&str] = &["seg6_enabled", "rpl_seg_enabled"];
/// On where the port's own is.
const OWN6: &[&str] = &["accept_source_route"];

pub(super) fn look() -> Vec<String> {
    let families = [("ipv4", EITHER4, BOTH4, &[][..]), ("ipv6", &[][..], BOTH6, OWN6)];
    let found = families.into_iter().flat_map(|(family, either, both, own)| {
        of(family, either, both, own)
            .unwrap_or_else(|error| vec![format!("what the settings of {family} are ({error})")])
    });
    found.collect()
}

fn of(family: &str, either: &[&str], both: &[&str], own: &[&str]) -> io::Result<Vec<String>> {
    let folder = format!("/proc/sys/net/{family}/conf");
    let mut words = Vec::new();
    for port in fs::read_dir(&folder)? {
        let port = port?.file_name().to_string_lossy().into_owned();
        // What new ports begin with is no port's yet.
        if port == "default" || port == "all" {
            continue;
        }
        let on = |whose: &str, name: &str| is_on(&Path::new(&folder).join(whose).join(name));
        let mut say = |name: &str| words.push(format!("{name} ({family}) at the port {port}"));
        for name in either {
            if on("all", name)? || on(&port, name)? {
                say(name);
            }
        }
        for name in both {
            if on("all", name)? && on(&port, name)? {
                say(name);
            }
        }
        for name in own {
            if on(&port, name)? {
                say(name);
            }
        }
    }
    Ok(words)
}

/// A kernel without the setting does not have it on; a port that has gone meanwhile neither.
fn is_on(path: &Path) -> io::Result<bool> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().parse::<i32>().is_ok_and(|value| value > 0)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
