//! An address by DHCP on the line, and a way out by the home gateway that lent it.

use std::time::Instant;

use model::Symptom;

use crate::finding::Finding;
use crate::kernel::{Ground4, Kernel, Port};
use crate::lease::{LeaseWatch, Way};

/// Reads what the kernel holds. Waits for nothing: an address that comes later brings the next look.
pub async fn probe(kernel: &Kernel, watch: &mut LeaseWatch, port: Port) -> (Finding, Option<Way>) {
    let Ground4 { addresses, routers } = match kernel.ground4(port.index).await {
        Ok(ground) => ground,
        Err(error) => return (Finding::open(error.to_string()), None),
    };
    let way = match (addresses.first(), routers.first()) {
        (Some(own), Some(router)) => Some(Way { own: *own, router: *router }),
        _ => None,
    };
    let late = watch.seen(way.is_some(), Instant::now());
    let finding = match (way, addresses.first()) {
        (Some(Way { own, router }), _) => Finding::good(format!("{own} by {router}")),
        (None, None) if late => Finding::bad(Symptom::NoAddress, "nobody lends an address"),
        (None, Some(own)) if late => Finding::bad(Symptom::NoAddress, format!("{own}, but no way out")),
        (None, None) => Finding::open("no address yet"),
        (None, Some(own)) => Finding::open(format!("{own}, but no way out yet")),
    };
    (finding, way)
}
