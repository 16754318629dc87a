//! The gateway of a provider of IPsec, of the line or of the cloud: charon, and what a fault makes of it; and the box's own charons.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at, doing};
use crate::fault::Gateway;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{Layout, Line};
use crate::plan::{Host, Place};
use crate::process::{Process, readable};

/// Its name among the daemons.
pub const CHARON: &str = "gateway-charon";
/// The box's own, likewise; and the one of its tunnel to the cloud.
pub const OF_THE_BOX: [&str; 2] = ["box-charon", "box-charon-cloud"];

/// How long a charon may take until it can be told something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway that answers.
#[derive(Clone, Copy, Debug)]
pub struct Responder {
    /// Where it stands.
    pub host: Host,
    /// Its name among the daemons.
    pub name: &'static str,
    /// The name of the shared key, in the box's secrets.
    pub secret: &'static str,
    /// Its address and its identity.
    pub ends: [&'static str; 2],
    /// What lies behind it, and the addresses it gives.
    pub inside: [&'static str; 2],
    /// Whether it gives an address of these; otherwise the contract names one.
    pub gives: bool,
}

impl Responder {
    /// The one of the line's provider.
    pub const fn of_the_line(layout: Layout) -> Self {
        Self {
            host: Host::Ipsec,
            name: CHARON,
            secret: "line",
            ends: [layout.gateway(), "gateway.provider.test"],
            inside: ["203.0.113.0/25", "203.0.113.128/28"],
            gives: true,
        }
    }

    /// Its shared key.
    pub fn key(&self, place: &Place) -> PathBuf {
        place.at("state/secrets").join(self.secret)
    }
}

/// Makes a gateway's key, once.
pub fn make_secret(place: &Place, responder: &Responder) -> Result<(), Error> {
    let path = responder.key(place);
    let mut bytes = [0_u8; 16];
    let source = Path::new("/dev/urandom");
    std::io::Read::read_exact(&mut std::fs::File::open(source).map_err(at(source))?, &mut bytes)
        .map_err(at(source))?;
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, key).map_err(at(&path))
}

/// Starts the line's, where the line has one.
pub fn start(ground: &Ground, how: Gateway) -> Result<Daemons, Error> {
    if ground.layout.line != Line::Ipsec {
        return Ok(Daemons::new());
    }
    respond(ground, &Responder::of_the_line(ground.layout), how)
}

/// Starts one.
pub fn respond(ground: &Ground, responder: &Responder, how: Gateway) -> Result<Daemons, Error> {
    if how == Gateway::Stopped {
        return Ok(Daemons::new());
    }
    let run = text(&ground.place.run(responder.host));
    let template = include_str!("../../lab/gateway-charon.conf");
    let config = ground.write(responder.host, "charon.conf", template, &[("run", &run)])?;
    let socket = format!("{run}/gateway.vici");
    let process = charon(ground, responder.host, responder.name, &config, &socket)?;
    tell(ground, responder, &config, how)?;
    Ok(Daemons::from([(responder.name.into(), process)]))
}

/// Has one start anew, without a word to anybody: what it knew is gone.
pub fn change(
    ground: &Ground,
    daemons: &mut Daemons,
    responder: &Responder,
    to: Gateway,
) -> Result<(), Error> {
    super::stop(daemons, responder.name, Signal::SIGKILL);
    daemons.extend(respond(ground, responder, to)?);
    Ok(())
}

/// Tells it its connections, as swanctl does.
fn tell(ground: &Ground, responder: &Responder, config: &str, how: Gateway) -> Result<(), Error> {
    let Responder { host, ends: [address, identity], inside: [networks, inner], gives, .. } = *responder;
    let (run, secret) = (ground.place.run(host), responder.key(&ground.place));
    let key = std::fs::read_to_string(&secret).map_err(at(&secret))?;
    let other = "another-key-than-the-box-was-given";
    let secret = if how == Gateway::OtherSecret { other } else { &key };
    let proposal =
        if how == Gateway::OtherProposal { "aes128-sha512-modp4096" } else { "aes256-sha256-modp2048" };
    let folder = run.join("swanctl");
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    let template = include_str!("../../lab/gateway-swanctl.conf");
    let values = [
        ("secret", secret),
        ("proposal", proposal),
        ("address", address),
        ("identity", identity),
        ("networks", networks),
        ("inner", inner),
        ("pools", if gives { "inner" } else { "" }),
        ("remote", if gives { "dynamic" } else { inner }),
    ];
    ground.write(host, "swanctl/swanctl.conf", template, &values)?;
    let (folder, socket) = (text(&folder), format!("unix://{}/gateway.vici", run.display()));
    let order = ["swanctl", "--load-all", "--clear", "--uri", &socket];
    let environment = [format!("SWANCTL_DIR={folder}"), format!("STRONGSWAN_CONF={config}")];
    let argv: Vec<&str> =
        ["env"].into_iter().chain(environment.iter().map(String::as_str)).chain(order).collect();
    ground.door(host).run(&argv, "").map(drop)
}

/// Starts the charons on the box, of a line by IPsec and of the tunnel to the cloud, from the configuration that sekisho wrote.
pub fn of_the_box(ground: &Ground) -> Result<Daemons, Error> {
    let mut daemons = Daemons::new();
    for (name, (purpose, folder)) in
        OF_THE_BOX.into_iter().zip([("line", "charon"), ("cloud", "charon-cloud")])
    {
        let config = ground.place.run(Host::Box).join(format!("{purpose}.strongswan.conf"));
        if !config.exists() {
            continue;
        }
        let folder = crate::the_box::socket(&ground.place).join(folder);
        std::fs::create_dir_all(&folder).map_err(at(&folder))?;
        let socket = text(&folder.join(format!("{purpose}.vici")));
        daemons.insert(name.into(), charon(ground, Host::Box, name, &text(&config), &socket)?);
        if purpose == "cloud" {
            rename(ground, name)?;
        }
    }
    Ok(daemons)
}

/// Gives the TUN that charon made at its start the name that the rules know the cloud by. charon lays a route of its own for
/// each of its policies by the name the TUN had; a link of that name, which leads nowhere, lets it find one, and the box's own
/// route takes its place.
fn rename(ground: &Ground, name: &str) -> Result<(), Error> {
    let log = ground.place.log(name);
    let said = std::fs::read_to_string(&log).map_err(at(&log))?;
    let made = said.lines().filter_map(|line| line.split_once("created TUN device: ")).next_back();
    let made = made.map_or("ipsec0", |(_, made)| made.trim());
    let orders = format!(
        "link set dev {made} down\nlink set dev {made} name cloud0\nlink set dev cloud0 up\n\
         tuntap add dev {made} mode tun\nlink set dev {made} addrgenmode none\nlink set dev {made} up\n"
    );
    ground.door(Host::Box).run(&["ip", "-batch", "-"], &orders).map(drop)
}

fn charon(
    ground: &Ground,
    host: Host,
    name: &'static str,
    config: &str,
    socket: &str,
) -> Result<Process, Error> {
    let program = ground.tools.charon.clone().ok_or_else(|| Error::Missing {
        program: "charon".into(),
        remedy:
            "Debian's packages strongswan-charon, strongswan-swanctl and libcharon-extra-plugins bring it"
                .into(),
    })?;
    let socket = PathBuf::from(socket);
    let folder = socket.parent().unwrap_or(Path::new("/"));
    // Left by one that was killed; it would be taken for the next one's.
    let _ = std::fs::remove_file(&socket);
    let _ = ground.door(host).run(&["rm", "-f", "/run/charon.pid"], "");
    let daemon = Daemon {
        name,
        program,
        args: args([]),
        ready: Ready::AtOnce,
        environment: vec![("STRONGSWAN_CONF", config.into())],
    };
    let events =
        Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(doing("watch a folder"))?;
    events.add_watch(folder, AddWatchFlags::IN_CREATE).map_err(doing("watch a folder"))?;
    let process = daemon.start(&ground.place, ground.door(host))?.wait()?;
    let deadline = Instant::now() + PATIENCE;
    while !socket.exists() {
        if readable(&[events.as_fd()], deadline) != [true] {
            let what = format!("{} appear", socket.display());
            return Err(Error::Late { what, seconds: PATIENCE.as_secs() });
        }
        let _ = events.read_events();
    }
    Ok(process)
}
