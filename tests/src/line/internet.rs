//! The internet line beside the closed network: the provider lends an address and has a resolver, and somebody is there.

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{INTERNET_RESOLVER, SOMEBODY};
use crate::networkd;
use crate::plan::{Host, fill};
use crate::tools::in_a_host;

/// Who lends addresses there.
const LENDS: &str = "isp-networkd";
/// The provider's resolver.
const RESOLVER: &str = "isp-unbound";

/// Starts what this clinic has of it.
pub fn start(ground: &Ground) -> Result<Daemons, Error> {
    if !ground.layout.has_internet() {
        return Ok(Daemons::new());
    }
    let path = networkd::folder(ground, Host::Isp)?.join("20-i0.network");
    let config = fill(include_str!("../../lab/internet.network"), &[("resolver", INTERNET_RESOLVER)]);
    std::fs::write(&path, config).map_err(at(&path))?;
    let lends = networkd::serve(ground, Host::Isp, LENDS)?;
    let run = text(&ground.place.run(Host::Isp));
    let values = [("run", run.as_str()), ("address", INTERNET_RESOLVER), ("somebody", SOMEBODY)];
    let template = include_str!("../../lab/internet-unbound.conf");
    let config = ground.write(Host::Isp, "internet-unbound.conf", template, &values)?;
    let resolver = Daemon {
        name: RESOLVER,
        program: in_a_host(&ground.tools.unbound),
        args: args(["-d", "-p", "-c", &config]),
        ready: Ready::Notified,
        environment: Vec::new(),
    };
    let resolver = resolver.start(&ground.place, ground.door(Host::Isp))?.wait()?;
    Ok(Daemons::from([(LENDS.into(), lends), (RESOLVER.into(), resolver)]))
}
