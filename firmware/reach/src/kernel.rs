//! What the kernel knows of our ports: carrier, addresses, default routes, by rtnetlink. Whatever set them (the
//! kernel's own autoconfiguration, networkd, an installer) reads the same here. Dumps need no capability.

mod ipv4;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::LinkAttribute;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType};
use pnet_base::MacAddr;
use rtnetlink::packet_core::NetlinkPayload;
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use self::ipv4::Ground4;
use crate::error::Error;
use crate::session::Wire;

/// A port as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its index.
    pub index: u32,
    /// Whether it has carrier.
    pub carrier: bool,
    /// How often the carrier was lost since the port is there.
    pub downs: u32,
    /// How often it came or was lost.
    pub changes: u32,
    /// Its own link address.
    pub own: MacAddr,
}

impl Port {
    /// Which cable a session over it has.
    pub const fn wire(&self) -> Wire {
        Wire { index: self.index, changes: self.changes }
    }
}

/// Addresses and routes of the line's port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// Addresses with a meaning beyond the link, ready for use.
    pub addresses: Vec<Ipv6Addr>,
    /// Whether another such address is still being checked for duplicates (RFC 4862 section 5.4).
    pub tentative: bool,
    /// Whether another device was found to have such an address of ours.
    pub duplicate: bool,
    /// Routers of the default routes, and how long each route still lives.
    pub routers: Vec<(Ipv6Addr, Option<Duration>)>,
}

/// The kernel's network state, and a word when it changes.
#[derive(Debug)]
pub struct Kernel {
    handle: Handle,
    changed: Arc<Notify>,
    duplicates: Duplicates,
    tasks: [JoinHandle<()>; 2],
}

/// The ports on which another device was found to have our address: the kernel takes such an address away and says so
/// once. Until the port has an address again.
type Duplicates = Arc<Mutex<BTreeSet<u32>>>;

impl Drop for Kernel {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Kernel {
    /// Opens the netlink sockets; needs a runtime.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the kernel refuses them.
    pub fn open() -> Result<Self, Error> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Ipv6Route,
            MulticastGroup::Ipv6Ifaddr,
            MulticastGroup::Ipv4Route,
        ];
        let refused = |error: io::Error| Error::Kernel(error.to_string());
        let (connection, handle, mut messages) =
            rtnetlink::new_multicast_connection(&groups).map_err(refused)?;
        let (changed, duplicates) = (Arc::new(Notify::new()), Duplicates::default());
        let (tell, found) = (changed.clone(), duplicates.clone());
        let reader = tokio::spawn(connection);
        let teller = tokio::spawn(async move {
            while let Some((message, _)) = messages.next().await {
                if heard(&message.payload, &found) {
                    tell.notify_one();
                }
            }
        });
        Ok(Self { handle, changed, duplicates, tasks: [reader, teller] })
    }

    /// Ends when a link or a route has changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether the netlink socket has ended.
    pub fn is_closed(&self) -> bool {
        self.tasks.iter().any(JoinHandle::is_finished)
    }

    /// The port of this name; none if there is none.
    pub async fn port(&self, name: &str) -> Result<Option<Port>, Error> {
        let mut links = self.handle.link().get().match_name(name).execute();
        let link = match links.try_next().await {
            Ok(Some(link)) => link,
            Ok(None) => return Ok(None),
            Err(rtnetlink::Error::NetlinkError(error)) if error.raw_code() == -libc::ENODEV => {
                return Ok(None);
            }
            Err(error) => return Err(kernel(&error)),
        };
        let index = link.header.index;
        let mut port = Port { index, carrier: false, downs: 0, changes: 0, own: MacAddr::zero() };
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::Carrier(up) => port.carrier = *up == 1,
                LinkAttribute::CarrierDownCount(downs) => port.downs = *downs,
                LinkAttribute::CarrierChanges(changes) => port.changes = *changes,
                LinkAttribute::Address(bytes) => {
                    if let Some([a, b, c, d, e, f]) = bytes.first_chunk::<6>().copied() {
                        port.own = MacAddr(a, b, c, d, e, f);
                    }
                }
                _ => {}
            }
        }
        Ok(Some(port))
    }

    /// Addresses and default routes of the port with this index.
    pub async fn ground(&self, index: u32) -> Result<Ground, Error> {
        let mut ground = Ground::default();
        let mut addresses = self.handle.address().get().set_link_index_filter(index).execute();
        while let Some(message) = addresses.try_next().await.map_err(|error| kernel(&error))? {
            if message.header.index == index {
                take_address(&message, &mut ground);
            }
        }
        ground.duplicate |= lock(&self.duplicates).contains(&index);
        let every = RouteMessageBuilder::<Ipv6Addr>::new().build();
        let mut routes = self.handle.route().get(every).execute();
        while let Some(message) = routes.try_next().await.map_err(|error| kernel(&error))? {
            ground.routers.extend(default_router(&message, index));
        }
        Ok(ground)
    }
}

fn kernel(error: &rtnetlink::Error) -> Error {
    Error::Kernel(error.to_string())
}

/// Takes in what the kernel says by itself. Whether that is a reason to look: every advertisement renews addresses, and
/// is none.
fn heard(payload: &NetlinkPayload<RouteNetlinkMessage>, duplicates: &Duplicates) -> bool {
    let NetlinkPayload::InnerMessage(message) = payload else { return true };
    match message {
        RouteNetlinkMessage::NewAddress(message) => {
            let mut ground = Ground::default();
            take_address(message, &mut ground);
            !ground.addresses.is_empty() && lock(duplicates).remove(&message.header.index)
        }
        RouteNetlinkMessage::DelAddress(message) => {
            let mut ground = Ground::default();
            take_address(message, &mut ground);
            if ground.duplicate {
                lock(duplicates).insert(message.header.index);
            }
            true
        }
        _ => true,
    }
}

fn lock(duplicates: &Duplicates) -> MutexGuard<'_, BTreeSet<u32>> {
    duplicates.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_address(message: &AddressMessage, ground: &mut Ground) {
    let mut address = None;
    let mut flags = AddressFlags::empty();
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Address(IpAddr::V6(found)) => address = Some(*found),
            AddressAttribute::Flags(found) => flags = *found,
            _ => {}
        }
    }
    let wide = |address: &Ipv6Addr| !address.is_unicast_link_local() && !address.is_loopback();
    let Some(address) = address.filter(wide) else { return };
    if flags.contains(AddressFlags::Dadfailed) {
        ground.duplicate = true;
        return;
    }
    if flags.contains(AddressFlags::Tentative) && !flags.contains(AddressFlags::Optimistic) {
        ground.tentative = true;
    } else {
        ground.addresses.push(address);
    }
}

/// The router of a live default route of the main table out of the port with this index. Expired routes stay listed
/// until the kernel clears them away; they are passed over.
fn default_router(message: &RouteMessage, index: u32) -> Option<(Ipv6Addr, Option<Duration>)> {
    let header = &message.header;
    let default = header.destination_prefix_length == 0
        && header.table == RouteHeader::RT_TABLE_MAIN
        && header.kind == RouteType::Unicast;
    let mut router = None;
    let mut ours = false;
    let mut ticks = 0;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet6(address)) => router = Some(*address),
            RouteAttribute::Oif(port) => ours = *port == index,
            RouteAttribute::CacheInfo(info) => ticks = info.expires.cast_signed(),
            _ => {}
        }
    }
    let left = u64::try_from(ticks).ok()?;
    // User space sees the kernel's time in hundredths of a second; 0 stands for a route that does not expire.
    let left = (left > 0).then(|| Duration::from_millis(left * 10));
    router.filter(|_| default && ours).map(|router| (router, left))
}
