//! What happens on the box itself: its clock, its disk, its ruleset, and a role that does not stay alive.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at, doing};
use crate::fault::{Maintained, World};
use crate::ground::{Daemons, Ground, args};
use crate::line::{self, maintainer};
use crate::plan::{Host, TheBox};
use crate::the_box::Proof;
use crate::{process, roles, the_box};

/// The name among the daemons of what kills a role.
const KILLER: &str = "killer";

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    let site_file = |world: &World| (world.dates, world.maintained);
    if site_file(from) != site_file(to) {
        let site = the_box::site(&ground.place);
        let text = the_box::site_text(ground.layout, to.dates) + &maintainer::table(to.maintained)?;
        fs::write(&site, text).map_err(at(&site))?;
    }
    if from.tunnel_certificate_expired != to.tunnel_certificate_expired {
        the_box::prove_by(ground, Proof::OF_THE_LINE, to.tunnel_certificate_expired)?;
    }
    if from.cloud.own_expired != to.cloud.own_expired {
        the_box::prove_by(ground, Proof::OF_THE_CLOUD, to.cloud.own_expired)?;
    }
    let proof = |world: &World| (world.tunnel_certificate_expired, world.cloud.own_expired);
    let proof = proof(from) != proof(to);
    if from.clock != to.clock || site_file(from) != site_file(to) || proof {
        restart(ground, daemons, None)?;
    }
    if from.maintained != to.maintained && to.maintained != Maintained::No {
        maintainer::consent(ground)?;
    }
    if from.sensors != to.sensors {
        ground.door(Host::Box).inside(|| sense(!from.sensors.is_empty(), to.sensors))?;
    }
    own_state(ground, daemons, from, to)?;
    if from.own_disk_full != to.own_disk_full {
        let state = the_box::state(&ground.place);
        ground.door(Host::Box).inside(|| if to.own_disk_full { fill(&state) } else { empty(&state) })?;
    }
    if from.tampered != to.tampered {
        tamper(ground, daemons, to.tampered)?;
    }
    if from.crashing.is_some() && from.crashing != to.crashing {
        revive(ground, daemons, from.crashing)?;
    }
    match to.crashing {
        Some(role) if from.crashing != to.crashing => crash(ground, daemons, role),
        _ => Ok(()),
    }
}

/// As systemd would, with the clock and the site file it has now.
fn restart(ground: &Ground, daemons: &mut Daemons, role: Option<&str>) -> Result<(), Error> {
    let sekisho = ours(ground)?;
    stop(ground, daemons, role)?;
    daemons.extend(the_box::sekisho_itself(ground, sekisho, role)?);
    Ok(())
}

fn stop(ground: &Ground, daemons: &mut Daemons, role: Option<&str>) -> Result<(), Error> {
    for name in the_box::runs(ground.the_box, role)? {
        line::stop(daemons, name, Signal::SIGTERM);
    }
    Ok(())
}

fn ours(ground: &Ground) -> Result<&std::path::Path, Error> {
    let nobody = || Error::Usage("make a fault of the box itself: nothing of ours runs on it".into());
    ground.sekisho.as_deref().ok_or_else(nobody)
}

/// What the box finds in its own state when it starts: written while it is off.
fn own_state(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    let memory = the_box::state(&ground.place).join("reach");
    let (learned, newest) = (memory.join("ever-good.json"), memory.join("newest-version"));
    if from.memory_damaged && !to.memory_damaged {
        let aside = memory.join("ever-good.damaged");
        fs::remove_file(&aside).map_err(at(&aside))?;
    }
    let same = (from.fell_back, from.own_certificate_ends) == (to.fell_back, to.own_certificate_ends);
    if (from.memory_damaged || !to.memory_damaged) && same {
        return Ok(());
    }
    stop(ground, daemons, None)?;
    if to.memory_damaged && !from.memory_damaged {
        fs::write(&learned, "{half").map_err(at(&learned))?;
    }
    match (from.fell_back, to.fell_back) {
        (false, true) => fs::write(&newest, "999.0.0").map_err(at(&newest))?,
        (true, false) => fs::remove_file(&newest).map_err(at(&newest))?,
        _ => {}
    }
    let page = the_box::state(&ground.place).join("page/page-198.51.100.1.pem");
    let away = page.with_extension("away");
    match (from.own_certificate_ends, to.own_certificate_ends) {
        (false, true) => {
            fs::rename(&page, &away).map_err(at(&page))?;
            fs::write(&page, ending(5)?).map_err(at(&page))?;
            let owner = fs::metadata(&away).map_err(at(&away))?;
            chown(&page, Some(owner.uid()), Some(owner.gid())).map_err(at(&page))?;
        }
        (true, false) => fs::rename(&away, &page).map_err(at(&away))?,
        _ => {}
    }
    restart(ground, daemons, None)
}

/// A key and a certificate that ends in so many days, PEM.
fn ending(days: i64) -> Result<String, Error> {
    let failed = |error: rcgen::Error| doing("make a certificate")(std::io::Error::other(error));
    let last = the_box::day(days);
    let mut params = rcgen::CertificateParams::new(vec!["198.51.100.1".to_owned()]).map_err(failed)?;
    params.not_after =
        rcgen::date_time_ymd(last.year().into(), last.month().unsigned_abs(), last.day().unsigned_abs());
    let key = rcgen::KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// The folders of /sys in which a box finds its sensors.
const SENSORS: [&str; 2] = ["/sys/class/thermal", "/sys/block"];

/// Covers the sensors with files of ours, or takes the covers away.
fn sense(covered: bool, files: &[(&str, &str)]) -> Result<(), Error> {
    let failed = |what: &str, folder: &str| doing(format!("{what} {folder}"));
    if covered {
        for folder in SENSORS {
            umount2(folder, MntFlags::MNT_DETACH).map_err(failed("uncover", folder))?;
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    for folder in SENSORS {
        mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some("size=64k,mode=755"))
            .map_err(failed("cover", folder))?;
    }
    for (name, text) in files {
        let file = Path::new("/sys").join(name);
        let above = file.parent().unwrap_or(Path::new("/sys"));
        fs::create_dir_all(above).and_then(|()| fs::write(&file, text)).map_err(at(&file))?;
    }
    Ok(())
}

/// Another disk under the state, of 64 KiB. What lies in the state is where it was, so that nothing is lost and
/// nobody else fails: only who asks for the room is told that there is none.
fn fill(state: &Path) -> Result<(), Error> {
    let nothing = None::<&str>;
    let before = File::open(state).map_err(at(state))?;
    let entries: Vec<_> = fs::read_dir(state).and_then(Iterator::collect).map_err(at(state))?;
    let folders: Vec<_> = entries.iter().filter(|entry| entry.path().is_dir()).collect();
    mount(Some("tmpfs"), state, Some("tmpfs"), MsFlags::empty(), Some("size=64k,mode=755"))
        .map_err(doing("mount a small disk under the state"))?;
    for entry in folders {
        let (from, to) = (before_of(&before).join(entry.file_name()), entry.path());
        fs::create_dir(&to).map_err(at(&to))?;
        mount(Some(&from), &to, nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)
            .map_err(doing(format!("mount {}", to.display())))?;
    }
    Ok(())
}

fn before_of(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

fn empty(state: &Path) -> Result<(), Error> {
    umount2(state, MntFlags::MNT_DETACH).map_err(doing("let go of the small disk"))
}

/// A rule that lets everything through, first in the chain of what is forwarded. It is taken out by a restart, which is
/// what the box asks for: that it was there is said until then.
fn tamper(ground: &Ground, daemons: &mut Daemons, on: bool) -> Result<(), Error> {
    ours(ground)?;
    if on {
        let rule = ["nft", "insert", "rule", "inet", "sekisho", "forward", "accept"];
        return ground.door(Host::Box).run(&rule, "").map(drop);
    }
    restart(ground, daemons, (ground.the_box == TheBox::Split).then_some("netd"))
}

/// Hands the role over to what kills it: [`roles::ROLES`] are processes of their own in a split box only.
fn crash(ground: &Ground, daemons: &mut Daemons, role: &'static str) -> Result<(), Error> {
    if ground.the_box != TheBox::Split {
        return Err(Error::Usage("make one role crash: `clinic up --split` makes each a process".into()));
    }
    line::stop(daemons, role, Signal::SIGKILL);
    let daemon = Daemon {
        name: KILLER,
        program: std::env::current_exe().map_err(doing("find this program"))?,
        args: args(["crash", &ground.place.name, role]),
        ready: Ready::Said,
        environment: Vec::new(),
    };
    daemons.insert(KILLER.into(), daemon.start(&ground.place, ground.door(Host::Box))?.wait()?);
    Ok(())
}

fn revive(ground: &Ground, daemons: &mut Daemons, role: Option<&str>) -> Result<(), Error> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    // The killer may be starting the role in this very moment.
    if let Some(killer) = daemons.remove(KILLER) {
        process::stop_with_children(killer, deadline);
    }
    process::kill_all(deadline, || roles::running_as(&ground.place, role.as_slice()));
    restart(ground, daemons, role)
}
