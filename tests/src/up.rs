//! Bringing a clinic up: everything is asked for before anything is made, and what fails is cleared away.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, at};
use crate::fault::{Dates, Fault, World};
use crate::forward::Ports;
use crate::ground::{Daemons, Ground};
use crate::host::Door;
use crate::keeper::{Keeper, accounts};
use crate::layout::{Layout, Line};
use crate::plan::{BOARD, BRIDGES, Host, Place, TheBox, taps};
use crate::record::Record;
use crate::tools::{Tools, beside};
use crate::{change, host, line, remains, terminal, the_box};

/// What is wished for.
#[derive(Debug)]
pub struct Wish {
    /// The clinic's place.
    pub place: Place,
    /// What the line is, and how the box hangs on it.
    pub layout: Layout,
    /// The faults it is born with.
    pub faults: Vec<&'static Fault>,
    /// What stands where the box is.
    pub the_box: TheBox,
    /// The sekisho to run; the one beside this program if absent.
    pub sekisho: Option<PathBuf>,
    /// The ports of the host's loopback for the page, HTTP and HTTPS; 0 is any free one.
    pub page: [u16; 2],
}

/// Brings a clinic up.
pub fn up(wish: &Wish) -> Result<Record, Error> {
    need_root()?;
    let tools = Tools::find()?;
    let sekisho = wish.the_box.runs_sekisho().then(|| sekisho(wish)).transpose()?;
    let ports = Ports::open(wish.page[0], wish.page[1])?;
    let _claim = remains::claim_new(&wish.place)?;
    let built = build(wish, tools, sekisho, ports);
    if built.is_err() {
        // Why it failed says more than what else went wrong while clearing away.
        let _ = remains::sweep(&wish.place);
    }
    built
}

/// Root, or one sentence.
pub fn need_root() -> Result<(), Error> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(Error::NotRoot) }
}

fn sekisho(wish: &Wish) -> Result<PathBuf, Error> {
    let Some(path) = &wish.sekisho else { return beside("sekisho") };
    // It is run in a host, from another folder.
    path.canonicalize().map_err(at(path))
}

fn build(wish: &Wish, tools: Tools, sekisho: Option<PathBuf>, ports: Ports) -> Result<Record, Error> {
    let place = &wish.place;
    folders(place, wish.layout)?;
    let mut keepers = wish
        .layout
        .hosts()
        .into_iter()
        .map(|host| Keeper::start(place, host))
        .collect::<Result<Vec<_>, Error>>()?;
    keepers.iter_mut().try_for_each(|keeper| keeper.bind(place))?;
    let known: BTreeMap<Host, _> = keepers.iter().map(|keeper| (keeper.host, keeper.process)).collect();
    let world = World::with(wish.faults.iter().copied());
    let ground = Ground::open(place.clone(), tools, wish.layout, wish.the_box, &known)?
        .running(sekisho.clone(), world.clock);
    wire(&ground)?;
    change::before_the_first(&ground, &world)?;
    let page = ports.page()?;
    let mut daemons = start(&ground, &world, sekisho.as_deref())?;
    daemons.insert("forwarder".into(), ports.start(&ground)?);
    change::after_the_last(&ground, &mut daemons, &world)?;
    let faults = wish.faults.iter().map(|fault| fault.code.to_owned()).collect();
    let (layout, the_box) = (wish.layout, wish.the_box);
    let record = Record { keepers: known, daemons, layout, the_box, sekisho, page, faults };
    record.write(place)?;
    keepers.into_iter().try_for_each(Keeper::stay)?;
    Ok(record)
}

/// The clinic's folder, with all that its daemons and hosts expect to find.
fn folders(place: &Place, layout: Layout) -> Result<(), Error> {
    for folder in ["logs", "state", "socket", "pki"] {
        let path = place.at(folder);
        fs::create_dir_all(&path).map_err(at(&path))?;
    }
    let secrets = place.at("state/secrets");
    fs::DirBuilder::new().mode(0o700).create(&secrets).map_err(at(&secrets))?;
    for host in layout.hosts() {
        let run = place.run(host);
        fs::create_dir_all(&run).map_err(at(&run))?;
        for name in ["passwd", "group"] {
            let copy = accounts(place, host, name);
            fs::copy(format!("/etc/{name}"), &copy).map_err(at(&copy))?;
        }
    }
    let site = the_box::site_text(layout, Dates::default());
    let profile = the_box::profile_text(layout);
    for (name, text) in [("site.toml", site.as_str()), ("profile.toml", profile.as_str())] {
        fs::write(place.at(name), text).map_err(at(&place.at(name)))?;
    }
    if layout.line == Line::Ipsec {
        let provider = place.at("provider.toml");
        fs::write(&provider, include_str!("../lab/provider.toml")).map_err(at(&provider))?;
        line::gateway::make_secret(place, &line::gateway::Responder::of_the_line(layout))?;
    }
    if layout.has_cloud() {
        line::cloud::prepare(place)?;
    }
    Ok(())
}

/// Lays the wires, then the addresses in all hosts at once.
fn wire(ground: &Ground) -> Result<(), Error> {
    let name = |host| ground.place.namespace(host);
    let layout = ground.layout;
    let wires = layout.wires().into_iter().map(|(host, port, other, end)| {
        let card = layout.card(host, port).map_or_else(String::new, |card| format!("address {card} "));
        let port = if host == Host::Box { ground.the_box.end_of(port) } else { port.to_owned() };
        let (host, other) = (name(host), name(other));
        format!("link add dev {port} netns {host} {card}type veth peer name {end} netns {other}\n")
    });
    host::run(&["ip", "-batch", "-"], &wires.collect::<String>())?;
    for host in layout.hosts() {
        let bridges = layout.bridges(host);
        if !bridges.is_empty() {
            hand_everything_on(ground.door(host))?;
            ground.door(host).run(&["ip", "-batch", "-"], &bridges)?;
        }
    }
    match ground.the_box {
        TheBox::None => before_a_board(ground)?,
        TheBox::Bare | TheBox::Daemon | TheBox::Split => {
            ground.door(Host::Box).set(layout.settings(Host::Box))?;
            ground.lay(Host::Box)?;
        }
    }
    let others = layout.hosts().into_iter().filter(|host| *host != Host::Box);
    let lay = |host| {
        move || {
            ground.door(host).set(layout.settings(host))?;
            ground.lay(host)
        }
    };
    at_once(others.map(lay).collect()).map(drop)
}

/// Whose kernel filters bridges as if they were routers is told not to; the switches are there only where it can.
fn hand_everything_on(door: &Door) -> Result<(), Error> {
    door.inside(|| {
        let known = BRIDGES.into_iter().filter(|switch| Path::new("/proc/sys/net").join(switch).exists());
        host::set(&known.map(|switch| (switch, "0")).collect::<Vec<_>>())
    })
}

/// The box's place with TAPs in it, and a kernel that carries frames and says nothing.
fn before_a_board(ground: &Ground) -> Result<(), Error> {
    let door = ground.door(Host::Box);
    door.set(BOARD)?;
    hand_everything_on(door)?;
    door.run(&["ip", "-batch", "-"], &taps(&ground.layout.wires())).map(drop)
}

/// Starts the daemons: the line, the terminal, and the centre with the box, whose site needs the centre's authority.
fn start(ground: &Ground, world: &World, sekisho: Option<&Path>) -> Result<Daemons, Error> {
    type Start<'a> = Box<dyn FnOnce() -> Result<Daemons, Error> + Send + 'a>;
    let centre = move || {
        let mut daemons = Daemons::from([(line::CENTRE.into(), line::centre(ground, world.centre)?)]);
        daemons.extend(line::cloud::service(ground, world)?);
        if let Some(sekisho) = sekisho {
            daemons.extend(the_box::start(ground, sekisho)?);
        }
        Ok(daemons)
    };
    let starts: Vec<Start<'_>> = vec![
        Box::new(|| line::start(ground, world)),
        Box::new(|| terminal::start(ground, world)),
        Box::new(centre),
    ];
    Ok(at_once(starts)?.into_iter().flatten().collect())
}

/// Does all of it at the same time, and gives the first failure if any failed.
fn at_once<T: Send>(all: Vec<impl FnOnce() -> Result<T, Error> + Send>) -> Result<Vec<T>, Error> {
    std::thread::scope(|scope| {
        let running: Vec<_> = all.into_iter().map(|one| scope.spawn(one)).collect();
        let done = running
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        // Every one is waited for before the first failure is given.
        done.collect::<Vec<_>>().into_iter().collect()
    })
}
