//! The provider's gateway on a line by IPsec: charon, and what a fault makes of it.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at, doing};
use crate::fault::Gateway;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::Line;
use crate::plan::{Host, Place};
use crate::process::{Process, readable};

/// Its name among the daemons.
pub const CHARON: &str = "gateway-charon";
/// The box's own, likewise.
pub const OF_THE_BOX: &str = "box-charon";

/// How long a charon may take until it can be told something.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shared key of box and gateway, in the box's secrets.
pub fn secret(place: &Place) -> PathBuf {
    place.at("state/secrets/line")
}

/// Makes the key, once.
pub fn make_secret(place: &Place) -> Result<(), Error> {
    let path = secret(place);
    let mut bytes = [0_u8; 16];
    let source = Path::new("/dev/urandom");
    std::io::Read::read_exact(&mut std::fs::File::open(source).map_err(at(source))?, &mut bytes)
        .map_err(at(source))?;
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, key).map_err(at(&path))
}

/// Starts it, where the line has one.
pub fn start(ground: &Ground, how: Gateway) -> Result<Daemons, Error> {
    if ground.layout.line != Line::Ipsec || how == Gateway::Stopped {
        return Ok(Daemons::new());
    }
    let run = text(&ground.place.run(Host::Ipsec));
    let template = include_str!("../../lab/gateway-charon.conf");
    let config = ground.write(Host::Ipsec, "charon.conf", template, &[("run", &run)])?;
    let process = charon(ground, Host::Ipsec, CHARON, &config, &format!("{run}/gateway.vici"))?;
    tell(ground, &run, &config, how)?;
    Ok(Daemons::from([(CHARON.into(), process)]))
}

/// Has it start anew, without a word to anybody: what it knew is gone.
pub fn change(ground: &Ground, daemons: &mut Daemons, to: Gateway) -> Result<(), Error> {
    super::stop(daemons, CHARON, Signal::SIGKILL);
    daemons.extend(start(ground, to)?);
    Ok(())
}

/// Tells it its connections, as swanctl does.
fn tell(ground: &Ground, run: &str, config: &str, how: Gateway) -> Result<(), Error> {
    let key = std::fs::read_to_string(secret(&ground.place)).map_err(at(&secret(&ground.place)))?;
    let other = "another-key-than-the-box-was-given";
    let secret = if how == Gateway::OtherSecret { other } else { &key };
    let proposal =
        if how == Gateway::OtherProposal { "aes128-sha512-modp4096" } else { "aes256-sha256-modp2048" };
    let folder = ground.place.run(Host::Ipsec).join("swanctl");
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    let template = include_str!("../../lab/gateway-swanctl.conf");
    ground.write(
        Host::Ipsec,
        "swanctl/swanctl.conf",
        template,
        &[("secret", secret), ("proposal", proposal), ("address", ground.layout.gateway())],
    )?;
    let (folder, socket) = (text(&folder), format!("unix://{run}/gateway.vici"));
    let order = ["swanctl", "--load-all", "--clear", "--uri", &socket];
    let environment = [format!("SWANCTL_DIR={folder}"), format!("STRONGSWAN_CONF={config}")];
    let argv: Vec<&str> =
        ["env"].into_iter().chain(environment.iter().map(String::as_str)).chain(order).collect();
    ground.door(Host::Ipsec).run(&argv, "").map(drop)
}

/// Starts the charon of a line by IPsec on the box, from the configuration that sekisho wrote.
pub fn of_the_box(ground: &Ground) -> Result<Daemons, Error> {
    let config = ground.place.run(Host::Box).join("line.strongswan.conf");
    if !config.exists() {
        return Ok(Daemons::new());
    }
    let folder = crate::the_box::vici(&ground.place);
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    let socket = text(&folder.join("line.vici"));
    let process = charon(ground, Host::Box, OF_THE_BOX, &text(&config), &socket)?;
    Ok(Daemons::from([(OF_THE_BOX.into(), process)]))
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
