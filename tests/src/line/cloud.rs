//! The receipt computer's cloud on the internet: the gateway of its tunnel, and a service behind it, which is the double of the
//! centre's under another name: it wants a client's certificate too, and nobody logs in there.

use nix::sys::signal::Signal;

use super::gateway::{self, Responder};
use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::fault::{Certificate, World};
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{CLOUD_GATEWAY, CLOUD_INNER, CLOUD_NETWORK, CLOUD_SERVICE};
use crate::plan::{Host, Place};
use crate::process::Process;

/// The service's name among the daemons, and in its certificate.
const SERVICE: &str = "faux-cloud";
const NAME: &str = "receipt.cloud.test";

/// The gateway.
pub const GATEWAY: Responder = Responder {
    host: Host::Cloud,
    name: "cloud-charon",
    secret: "cloud",
    ends: [CLOUD_GATEWAY, "gateway.cloud.test"],
    inside: [CLOUD_NETWORK, CLOUD_INNER],
    gives: false,
};

/// What the site file says of it.
pub fn table() -> String {
    format!(
        "\n[clinic.cloud]\nprovider = \"./cloud.toml\"\ngateways = [{CLOUD_GATEWAY:?}]\n\
         networks = [{CLOUD_NETWORK:?}]\nauthorities = \"./cloud-ca.pem\"\n\n\
         [[clinic.cloud.endpoint]]\naddress = {CLOUD_SERVICE:?}\nport = 443\nname = {NAME:?}\n"
    )
}

/// The form of its provider, and the shared key. The authorities come with the service.
pub fn prepare(place: &Place) -> Result<(), Error> {
    let form = place.at("cloud.toml");
    std::fs::write(&form, include_str!("../../lab/cloud.toml")).map_err(at(&form))?;
    gateway::make_secret(place, &GATEWAY)
}

/// Starts what this clinic has of it.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    if !ground.layout.has_cloud() {
        return Ok(Daemons::new());
    }
    gateway::respond(ground, &GATEWAY, world.cloud.gateway)
}

/// Starts its service, and waits until it listens; its authority then lies beside the site file.
pub fn service(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    if !ground.layout.has_cloud() {
        return Ok(Daemons::new());
    }
    Ok(Daemons::from([(SERVICE.into(), serve(ground, world.cloud.shows)?)]))
}

fn serve(ground: &Ground, shows: Certificate) -> Result<Process, Error> {
    let pki = ground.place.at("pki-cloud");
    let service = format!("{CLOUD_SERVICE}:443");
    let mut list = args(["--pki", &text(&pki), "--name", NAME, "--service", &service]);
    // The centre's neighbours, which a cloud has not: where nobody asks.
    for (nth, neighbour) in (1..).zip(["--line-auth", "--distribution", "--certificates", "--proxy"]) {
        list.extend(args([neighbour, &format!("127.0.0.1:{nth}")]));
    }
    if shows == Certificate::Expired {
        list.extend(args(["--expired"]));
    }
    let program = ground.tools.centre.clone();
    let daemon = Daemon { name: SERVICE, program, args: list, ready: Ready::Said, environment: Vec::new() };
    let process = daemon.start(&ground.place, ground.door(Host::Cloud))?.wait()?;
    let (from, to) = (pki.join("ca.pem"), ground.place.at("cloud-ca.pem"));
    std::fs::copy(&from, &to).map_err(at(&from))?;
    Ok(process)
}

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    if from.cloud.gateway != to.cloud.gateway {
        gateway::change(ground, daemons, &GATEWAY, to.cloud.gateway)?;
    }
    if from.cloud.shows != to.cloud.shows {
        super::stop(daemons, SERVICE, Signal::SIGKILL);
        daemons.insert(SERVICE.into(), serve(ground, to.cloud.shows)?);
    }
    Ok(())
}
