//! What makes a site file wrong though each of its keys is right.

mod cloud;
mod networks;
mod uplinks;

use std::net::{IpAddr, Ipv4Addr};

use super::maintainers;
use super::read;
use super::walk::{Errors, Node, refuse_twins};
use super::zones::Lent;
use super::{PagePorts, Place};
use crate::calendar::Calendar;
use crate::kind::Kind;
use crate::parcel::Direction;
use crate::profile::Profile;

/// What the site file and its profile say of each other.
pub(super) fn of_profile(root: &Node, profile: &Profile, errors: &mut Errors<'_>) {
    uplinks::of_profile(root, profile, errors);
    cloud::of_profile(root, profile, errors);
}

/// What one key alone cannot tell: twins, references, addresses that must lie in each other.
pub(super) fn all(root: &Node, errors: &mut Errors<'_>) {
    uplinks::ports(root, errors);
    uplinks::all(root, errors);
    networks::all(root, errors);
    cloud::all(root, errors);
    maintainers::check(root, errors);
    terminals(root, errors);
    consumers(root, errors);
    Calendar::check(root, errors);
    refuse_twins(&root.tables("contact"), "party", errors);
    for key in ["port", "terminal", "consumer"] {
        if root.entry_is_empty(key) {
            errors.add(root, key, format!("at least one [[{key}]] is needed"), None);
        }
    }
    if let Some(node) = root.table("page") {
        page(node, read::page(root), errors);
    }
}

/// The port of SMB, which the box's share has on the same address.
const SMB: u16 = 445;

fn page(node: &Node, page: PagePorts, errors: &mut Errors<'_>) {
    if page.http == page.https {
        errors.add(node, "https", format!("port {} is used for both pages", page.http), None);
    }
    for (key, port) in [("http", page.http), ("https", page.https)] {
        if port == SMB {
            errors.add(node, key, format!("port {SMB} is the share's"), None);
        }
    }
}

fn terminals(root: &Node, errors: &mut Errors<'_>) {
    let terminals = root.tables("terminal");
    refuse_twins(&terminals, "name", errors);
    below(&terminals, errors);
    let zone = root.table("terminals").and_then(|node| node.prefix("address"));
    let dhcp = root.table("terminals").and_then(|node| node.boolean("dhcp")) == Some(true);
    let mut taken: Vec<Ipv4Addr> = Vec::new();
    for node in terminals {
        let Some(address) = read::address(node) else { continue };
        if let Some(zone) = zone
            && (!zone.is_machine(address) || zone.address == IpAddr::V4(address))
        {
            let allowed = format!("another address in {}", zone.as_network());
            errors.add(node, "address", format!("{address} is not a terminal's address"), Some(allowed));
        }
        if taken.contains(&address) {
            errors.add(node, "address", format!("{address} is used twice"), None);
        }
        taken.push(address);
        if dhcp && !node.was_given("mac") {
            let message = "without it the box cannot lend this terminal its address".to_owned();
            errors.add(node, "mac", message, Some("a card's address, or [terminals] dhcp = false".into()));
        }
        place(node, "share", true, errors);
        let host = node.text("share").and_then(|unc| unc[2..].split('\\').next().map(str::to_owned));
        if host.is_some_and(|host| host != address.to_string()) {
            errors.add(
                node,
                "share",
                "the share lies on another host".into(),
                Some(format!(r"\\{address}\…")),
            );
        }
    }
}

/// A folder of requests has one terminal.
fn below(terminals: &[&Node], errors: &mut Errors<'_>) {
    let mut taken: Vec<Option<String>> = Vec::new();
    for node in terminals {
        let below = node.text("requests-below").map(|folder| folder.to_ascii_lowercase());
        if taken.contains(&below) {
            let message = "another terminal takes the requests from there".to_owned();
            errors.add(node, "requests-below", message, Some("a folder of its own".into()));
        }
        taken.push(below);
    }
}

/// One end has one place: a share and its login, or a path.
fn place(node: &Node, remote: &str, needed: bool, errors: &mut Errors<'_>) {
    let (share, login, path) = (node.has(remote), node.has("login"), node.has("path"));
    // A value that was refused has been said; what is missing beside it would be said twice.
    match (share, login, path) {
        (true, false, false) if !node.was_given("login") => {
            errors.add(node, "login", format!("{remote} needs a login"), Some("secret:NAME".into()));
        }
        (false, true, false) if !node.was_given(remote) => {
            errors.add(node, remote, format!("a login is of no use without {remote}"), None);
        }
        (_, _, true) if share || login => {
            errors.add(node, "path", format!("either {remote} and login, or path"), None);
        }
        (false, false, false) if needed && !node.was_given(remote) && !node.was_given("path") => {
            errors.add(node, remote, format!("{remote} and login are missing"), Some("or path".into()));
        }
        _ => {}
    }
}

fn consumers(root: &Node, errors: &mut Errors<'_>) {
    let consumers = root.tables("consumer");
    refuse_twins(&consumers, "name", errors);
    let clinic = root.table("clinic");
    let zone = clinic.and_then(|node| node.prefix("address"));
    let dhcp = clinic.and_then(|node| node.boolean("dhcp")) == Some(true);
    let lent = zone.filter(|_| dhcp).and_then(Lent::of);
    let mut shares: Vec<String> = Vec::new();
    for node in consumers {
        place(node, "remote", false, errors);
        let remote = match read::remote(node, "remote") {
            Some(Place::Remote { address, .. }) => Some(address),
            _ => None,
        };
        let own = read::address(node);
        for (key, address) in [("remote", remote), ("address", own)] {
            if let (Some(address), Some(zone)) = (address, zone)
                && (!zone.is_machine(address) || zone.address == IpAddr::V4(address))
            {
                let allowed = format!("another address in {}", zone.as_network());
                errors.add(node, key, format!("{address} is not a machine of the clinic"), Some(allowed));
            } else if let (Some(address), Some(zone)) = (address, zone)
                && lent.is_some_and(|lent| lent.holds(zone, address))
            {
                let message =
                    format!("{address} is lent by the box to whoever asks, as the upper half of its network");
                errors.add(node, key, message, Some("an address in the lower half".into()));
            }
        }
        if let (Some(remote), Some(own)) = (remote, own)
            && remote != own
        {
            errors.add(node, "address", "its shared folder is on another machine".into(), None);
        }
        if node.has("remote") || node.has("path") {
            if node.has("share") {
                errors.add(node, "share", "its folders are elsewhere".into(), None);
            }
            continue;
        }
        let share = read::own_share(node);
        if shares.iter().any(|other| other.eq_ignore_ascii_case(&share)) {
            let allowed = Some("a share of its own".into());
            errors.add(node, "share", format!("the share {share:?} is another consumer's"), allowed);
        }
        shares.push(share);
    }
}

/// What is taken are folders in which answers arrive, and what lies below a terminal's folder is no other's.
pub(super) fn takes(root: &Node, kinds: &[Kind], errors: &mut Errors<'_>) {
    let answers = || kinds.iter().filter(|kind| kind.direction == Direction::Answer);
    for node in root.tables("consumer") {
        for folder in node.texts("takes") {
            if !answers().any(|kind| kind.folder.eq_ignore_ascii_case(&folder)) {
                let mut known: Vec<&str> = answers().map(|kind| kind.folder.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                let message = format!("no answers arrive in {folder:?}");
                errors.add(node, "takes", message, Some(known.join(", ")));
            }
        }
    }
    for node in root.tables("terminal") {
        let below = node.text("requests-below");
        if let Some(kind) = kinds
            .iter()
            .find(|kind| below.as_ref().is_some_and(|below| below.eq_ignore_ascii_case(&kind.folder)))
        {
            let message = format!("{:?} is a folder of kind {:?}", kind.folder, kind.key);
            errors.add(node, "requests-below", message, None);
        }
    }
}
