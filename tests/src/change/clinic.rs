//! The clinic's own wiring: a second host with the box's address, a terminal with a second port, a hub where two should
//! be. What the box has at its ends stays as it is.

use crate::error::Error;
use crate::fault::World;
use crate::ground::Ground;
use crate::host;
use crate::plan::Host;

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    if from.twin_in_clinic != to.twin_in_clinic {
        guest(ground, to.twin_in_clinic, Host::Home, "l0", "198.51.100.1/24")?;
    }
    if from.terminal_in_clinic != to.terminal_in_clinic {
        guest(ground, to.terminal_in_clinic, Host::Terminal, "e1", "198.51.100.77/24")?;
    }
    if from.joined != to.joined {
        if to.joined { join(ground)? } else { part(ground)? }
    }
    Ok(())
}

/// A host that gets a port on the clinic's network, or loses it.
fn guest(ground: &Ground, comes: bool, host: Host, port: &str, address: &str) -> Result<(), Error> {
    let door = ground.door(host);
    if !comes {
        return door.run(&["ip", "link", "delete", "dev", port], "").map(drop);
    }
    let [clinic, guest] = [Host::Clinic, host].map(|host| ground.place.namespace(host));
    let orders = format!("link add link e0 name {port} netns {guest} type macvlan mode bridge\n");
    host::run(&["ip", "-netns", &clinic, "-batch", "-"], &orders)?;
    let orders = format!("link set dev {port} up\naddress replace {address} dev {port}\n");
    door.run(&["ip", "-batch", "-"], &orders).map(drop)
}

/// The hosts whose cables to the box are joined.
const JOINED: [Host; 2] = [Host::Clinic, Host::Terminal];
/// The wire between them.
const WIRE: &str = "hub";

/// What the box sends into one of the two cables comes out of the other one too. A host's address cannot move into a
/// bridge and back without its sessions, so the frames are handed over below the hosts.
fn join(ground: &Ground) -> Result<(), Error> {
    let [one, other] = JOINED.map(|host| ground.place.namespace(host));
    let wire = format!("link add dev {WIRE} netns {one} type veth peer name {WIRE} netns {other}\n");
    host::run(&["ip", "-batch", "-"], &wire)?;
    for host in JOINED {
        let door = ground.door(host);
        let up = format!("link set dev {WIRE} addrgenmode none\nlink set dev {WIRE} up\n");
        door.run(&["ip", "-batch", "-"], &up)?;
        let hand_over = |from: &str, how: &str, to: &str| {
            format!(
                "qdisc add dev {from} ingress\nfilter add dev {from} parent ffff: protocol all u32 match u32 0 0 \
                 action mirred egress {how} dev {to}\n"
            )
        };
        let orders = hand_over("e0", "mirror", WIRE) + &hand_over(WIRE, "redirect", "e0");
        door.run(&["tc", "-batch", "-"], &orders)?;
    }
    Ok(())
}

fn part(ground: &Ground) -> Result<(), Error> {
    for host in JOINED {
        ground.door(host).run(&["tc", "qdisc", "delete", "dev", "e0", "ingress"], "")?;
    }
    ground.door(Host::Clinic).run(&["ip", "link", "delete", "dev", WIRE], "").map(drop)
}
