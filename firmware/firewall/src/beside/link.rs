//! Ports that belong to another device, programs at ports (XDP), and devices that take a port's frames before it does.

use futures_util::TryStreamExt as _;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage, LinkXdp, XdpAttached};

use super::{Names, named};

pub(super) async fn look(handle: &rtnetlink::Handle) -> Result<(Names, Vec<String>), rtnetlink::Error> {
    let links: Vec<LinkMessage> = handle.link().get().execute().try_collect().await?;
    let names: Names = links.iter().filter_map(|link| Some((link.header.index, name(link)?))).collect();
    let words = links.iter().flat_map(|link| link.attributes.iter().filter_map(|one| odd(link, one, &names)));
    let words = words.collect();
    Ok((names, words))
}

fn name(link: &LinkMessage) -> Option<String> {
    link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })
}

fn odd(link: &LinkMessage, attribute: &LinkAttribute, names: &Names) -> Option<String> {
    let port = named(names, link.header.index);
    match attribute {
        LinkAttribute::Controller(over) => {
            Some(format!("the port {port} in the device {}", named(names, *over)))
        }
        LinkAttribute::Xdp(list) => {
            let none = |one: &LinkXdp| matches!(one, LinkXdp::Attached(XdpAttached::None));
            let attached = list.iter().any(|one| matches!(one, LinkXdp::Attached(_)) && !none(one));
            attached.then(|| format!("a program at the port {port} (XDP)"))
        }
        LinkAttribute::LinkInfo(list) => list.iter().find_map(|info| taking(info, &port)),
        _ => None,
    }
}

/// Kinds of devices that share a port's wire under an address of their own.
fn taking(info: &LinkInfo, port: &str) -> Option<String> {
    let LinkInfo::Kind(kind) = info else { return None };
    let shares = [InfoKind::MacVlan, InfoKind::MacVtap, InfoKind::IpVlan, InfoKind::IpVtap];
    shares.contains(kind).then(|| format!("the device {port} on another port's wire ({kind})"))
}
