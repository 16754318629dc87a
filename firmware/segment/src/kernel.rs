//! What the kernel knows of the line's port and the terminals', by rtnetlink, and the routes to the terminals' addresses in it.
//! Whoever configures the line (the kernel itself, networkd, another client) reads the same here. Looking needs no capability.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use model::site::prefix::Prefix;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::LinkAttribute;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol};
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::state::is_wide;

/// By this number in `ip route` our routes are told from others (rtnetlink(7): above 4 it is the administrator's).
const OURS: RouteProtocol = RouteProtocol::Other(97);

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its index.
    pub index: u32,
    /// Its own link address.
    pub card: [u8; 6],
    /// Whether it has carrier.
    pub carrier: bool,
}

/// An address of a port that has a meaning beyond the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// The port's index.
    pub port: u32,
    /// The address, with its prefix's length.
    pub address: Prefix,
    /// It is good: neither deprecated nor found to be somebody else's.
    pub good: bool,
}

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The ports by name.
    pub ports: BTreeMap<String, Port>,
    /// All wide addresses of all ports.
    pub addresses: Vec<Own>,
}

impl Seen {
    /// The addresses of a port, as they were written; `good` or the others.
    pub fn of(&self, port: &str, good: bool) -> impl Iterator<Item = Prefix> {
        let index = self.ports.get(port).map(|port| port.index);
        let of = move |own: &&Own| Some(own.port) == index && own.good == good;
        self.addresses.iter().filter(of).map(|own| own.address)
    }
}

/// The kernel, and a word when something changes.
#[derive(Debug)]
pub struct Kernel {
    handle: Handle,
    changes: mpsc::Receiver<()>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Kernel {
    /// Opens the netlink sockets; needs a runtime.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the kernel refuses them.
    pub fn open() -> Result<Self, Error> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv6Ifaddr];
        let refused = |error: io::Error| Error::Kernel(error.to_string());
        let (connection, handle, mut messages) =
            rtnetlink::new_multicast_connection(&groups).map_err(refused)?;
        // One word that something changed is as good as many.
        let (tell, changes) = mpsc::channel(1);
        let reader = tokio::spawn(connection);
        let teller = tokio::spawn(async move {
            while messages.next().await.is_some() {
                let _ = tell.try_send(());
            }
        });
        Ok(Self { handle, changes, tasks: [reader, teller] })
    }

    /// Waits for a change.
    ///
    /// # Errors
    /// [`Error::Kernel`] when the netlink socket has ended.
    pub async fn changed(&mut self) -> Result<(), Error> {
        let ended = || Error::Kernel("its word of changes has ended".into());
        self.changes.recv().await.ok_or_else(ended)
    }

    /// What there is now of these ports.
    ///
    /// # Errors
    /// [`Error::Kernel`].
    pub async fn look(&self, names: [&str; 2]) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        let mut links = self.handle.link().get().execute();
        while let Some(link) = links.try_next().await.map_err(|error| kernel(&error))? {
            let (mut name, mut card, mut carrier) = (None, [0; 6], false);
            for attribute in &link.attributes {
                match attribute {
                    LinkAttribute::IfName(found) => name = Some(found.clone()),
                    LinkAttribute::Carrier(up) => carrier = *up == 1,
                    LinkAttribute::Address(bytes) => card = bytes.first_chunk().copied().unwrap_or(card),
                    _ => {}
                }
            }
            if let Some(name) = name.filter(|name| names.contains(&name.as_str())) {
                seen.ports.insert(name, Port { index: link.header.index, card, carrier });
            }
        }
        let mut addresses = self.handle.address().get().execute();
        while let Some(message) = addresses.try_next().await.map_err(|error| kernel(&error))? {
            seen.addresses.extend(own(&message));
        }
        Ok(seen)
    }

    /// The addresses that are routed to this port: what was found before a restart of ours.
    ///
    /// # Errors
    /// [`Error::Kernel`].
    pub async fn routed(&self, to: u32) -> Result<BTreeSet<Ipv6Addr>, Error> {
        let mut there = BTreeSet::new();
        let every = RouteMessageBuilder::<Ipv6Addr>::new().build();
        let mut routes = self.handle.route().get(every).execute();
        while let Some(message) = routes.try_next().await.map_err(|error| kernel(&error))? {
            there.extend(ours(&message).filter(|(_, port)| *port == to).map(|(address, _)| address));
        }
        Ok(there)
    }

    /// Has these addresses, and no others of ours, routed to this port.
    ///
    /// # Errors
    /// [`Error::Kernel`] with what the kernel refused.
    pub async fn route(&self, to: u32, addresses: &BTreeSet<Ipv6Addr>) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        let every = RouteMessageBuilder::<Ipv6Addr>::new().build();
        let mut routes = self.handle.route().get(every).execute();
        while let Some(message) = routes.try_next().await.map_err(|error| kernel(&error))? {
            let Some((address, port)) = ours(&message) else { continue };
            if port == to && addresses.contains(&address) {
                there.insert(address);
            } else {
                self.handle.route().del(message).execute().await.map_err(|error| kernel(&error))?;
            }
        }
        for address in addresses.difference(&there) {
            let route = RouteMessageBuilder::<Ipv6Addr>::new()
                .destination_prefix(*address, 128)
                .output_interface(to)
                .protocol(OURS)
                .build();
            self.handle.route().add(route).replace().execute().await.map_err(|error| kernel(&error))?;
        }
        Ok(())
    }
}

fn kernel(error: &rtnetlink::Error) -> Error {
    Error::Kernel(error.to_string())
}

fn own(message: &AddressMessage) -> Option<Own> {
    let (mut address, mut flags) = (None, AddressFlags::empty());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Address(IpAddr::V6(found)) => address = Some(*found),
            AddressAttribute::Flags(found) => flags = *found,
            _ => {}
        }
    }
    let address = address.filter(|address| is_wide(*address))?;
    let good = !flags.intersects(AddressFlags::Deprecated | AddressFlags::Dadfailed);
    let address = Prefix { address: IpAddr::V6(address), length: message.header.prefix_len };
    Some(Own { port: message.header.index, address, good })
}

/// The address and the port of a route of ours.
fn ours(message: &RouteMessage) -> Option<(Ipv6Addr, u32)> {
    if message.header.protocol != OURS || message.header.destination_prefix_length != 128 {
        return None;
    }
    let (mut address, mut port) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(found)) => address = Some(*found),
            RouteAttribute::Oif(found) => port = Some(*found),
            _ => {}
        }
    }
    Some((address?, port?))
}
