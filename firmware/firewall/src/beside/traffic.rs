//! Queueing disciplines and their filters (tc): a filter may send a packet to any port, before or behind every rule.

use futures_util::TryStreamExt as _;
use netlink_packet_route::tc::{TcAttribute, TcMessage};

use super::{Names, named};

/// What only queues, delays or drops. Some take filters of their own.
const QUEUES: &[&str] = &[
    "noqueue",
    "noop",
    "pfifo_fast",
    "pfifo",
    "bfifo",
    "mq",
    "fq",
    "fq_codel",
    "fq_pie",
    "codel",
    "pie",
    "sfq",
    "cake",
    "tbf",
    "netem",
];

pub(super) async fn look(handle: &rtnetlink::Handle, names: &Names) -> Result<Vec<String>, rtnetlink::Error> {
    let disciplines: Vec<TcMessage> = handle.qdisc().get().execute().try_collect().await?;
    let mut words: Vec<String> = disciplines.iter().filter_map(|one| odd(one, names)).collect();
    for (index, port) in names {
        let Ok(index) = i32::try_from(*index) else { continue };
        let mut filters = handle.traffic_filter(index).get().execute();
        if filters.try_next().await?.is_some() {
            words.push(format!("a filter of the queue at the port {port} (tc)"));
        }
    }
    Ok(words)
}

fn odd(discipline: &TcMessage, names: &Names) -> Option<String> {
    let kind = discipline.attributes.iter().find_map(|attribute| match attribute {
        TcAttribute::Kind(kind) => Some(kind.as_str()),
        _ => None,
    })?;
    let port =
        u32::try_from(discipline.header.index).map_or_else(|_| "none".into(), |index| named(names, index));
    (!QUEUES.contains(&kind)).then(|| format!("the queueing discipline {kind} at the port {port} (tc)"))
}
