//! IPv4 on one of our ports: its addresses, and the routers of its default routes.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::stream::TryStreamExt as _;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType};
use rtnetlink::RouteMessageBuilder;

use super::{Kernel, kernel};
use crate::error::Error;

/// What a port has of IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground4 {
    /// Addresses with a meaning beyond the link.
    pub addresses: Vec<Ipv4Addr>,
    /// Routers of the default routes.
    pub routers: Vec<Ipv4Addr>,
}

impl Kernel {
    /// Addresses and default routes over IPv4 of the port with this index.
    ///
    /// # Errors
    /// [`Error::Kernel`].
    pub async fn ground4(&self, index: u32) -> Result<Ground4, Error> {
        let mut ground = Ground4::default();
        let mut addresses = self.handle.address().get().set_link_index_filter(index).execute();
        while let Some(message) = addresses.try_next().await.map_err(|error| kernel(&error))? {
            ground.addresses.extend(address(&message).filter(|_| message.header.index == index));
        }
        let every = RouteMessageBuilder::<Ipv4Addr>::new().build();
        let mut routes = self.handle.route().get(every).execute();
        while let Some(message) = routes.try_next().await.map_err(|error| kernel(&error))? {
            ground.routers.extend(default_router(&message, index));
        }
        Ok(ground)
    }
}

/// The address itself; on a port with a peer the other attribute is the peer's.
fn address(message: &AddressMessage) -> Option<Ipv4Addr> {
    let of = |attribute: &AddressAttribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(found)) => Some(*found),
        _ => None,
    };
    let wide = |address: &Ipv4Addr| !address.is_link_local() && !address.is_loopback();
    message.attributes.iter().find_map(of).filter(wide)
}

fn default_router(message: &RouteMessage, index: u32) -> Option<Ipv4Addr> {
    let header = &message.header;
    let default = header.destination_prefix_length == 0
        && header.table == RouteHeader::RT_TABLE_MAIN
        && header.kind == RouteType::Unicast;
    let mut router = None;
    let mut ours = false;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => router = Some(*address),
            RouteAttribute::Oif(port) => ours = *port == index,
            _ => {}
        }
    }
    router.filter(|_| default && ours)
}
