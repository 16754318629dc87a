//! A changed ruleset comes into force: the product's whole way, bare nft, firewalld and ufw in turns, and how many new flows
//! are stuck meanwhile.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::super::Wrong;
use super::super::{Line, Times, print, verdict};
use super::own::Own;
use super::paper;
use super::room::Room;

/// How often each is asked to bring its rules in.
const APPLIES: usize = 100;
/// firewalld takes a fifth of a second for it, ufw a second and more.
const FIREWALLD: usize = 20;
const UFW: usize = 5;
/// They take turns, so that what else the machine does meets all of them.
const ROUNDS: usize = 5;
/// Of bare nft, at most.
const OF_BARE: f64 = 2.0;
/// Of firewalld, at least.
const OF_FIREWALLD: f64 = 5.0;
/// A flow that opens only now has lost a packet: the kernel sends the first one again after a second (RFC 6298).
const STUCK: Duration = Duration::from_millis(900);
/// A flow that opens only now has waited: for a lost packet, or for a processor that others had.
const WAITED: Duration = Duration::from_millis(200);
/// A flow is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(4);
/// Between two tries to open one.
const PACE: Duration = Duration::from_millis(2);

const PAGE: &str = "198.51.100.1:443";

/// What brings rules in: a shell in the box's place, or the product's own room.
pub(super) trait Wall {
    /// The box's place.
    fn room(&self) -> &Room;
    /// Brings the rules in once more.
    fn reload(&mut self) -> Result<(), Wrong>;
}

impl Wall for Room {
    fn room(&self) -> &Room {
        self
    }

    fn reload(&mut self) -> Result<(), Wrong> {
        self.turn()
    }
}

/// One of them at work, with a clinic's PC beside it.
struct Contender {
    name: &'static str,
    wall: Box<dyn Wall>,
    clinic: Room,
    opened: Opened,
    times: Times,
}

impl Contender {
    /// The box's page answers, and the clinic's PC reaches it.
    fn begin(name: &'static str, wall: Box<dyn Wall>) -> Result<Self, Wrong> {
        let clinic = Room::empty()?;
        let room = wall.room();
        for port in ["wan0", "term0"] {
            room.wire(port, &clinic, &format!("o-{port}"))?;
        }
        room.wire("lan0", &clinic, "eth0")?;
        room.run("ip addr add 198.51.100.1/24 dev lan0")?;
        clinic.run("ip addr add 198.51.100.10/24 dev eth0")?;
        let enter = room.door()?;
        let (up, is_up) = mpsc::channel();
        std::thread::spawn(move || -> Result<(), Wrong> {
            enter()?;
            let listener = TcpListener::bind(PAGE)?;
            let _ = up.send(());
            listener.incoming().try_for_each(|stream| stream.map(drop))?;
            Ok(())
        });
        is_up.recv().map_err(|_| Wrong::new("the page's door does not open"))?;
        Ok(Self { name, wall, clinic, opened: Opened::default(), times: Times::default() })
    }

    /// Brings the rules in so many times while the PC opens one flow after the other.
    fn play(&mut self, turns: usize) -> Result<(), Wrong> {
        self.wall.reload()?;
        let (stop, knocking) = knock(&self.clinic)?;
        for _ in 0..turns {
            let begun = Instant::now();
            self.wall.reload()?;
            self.times.add(begun.elapsed());
        }
        drop(stop);
        let opened = knocking.join().map_err(|_| Wrong::new("the clinic's PC panicked"))??;
        if opened.all == opened.stuck {
            return Err(Wrong(format!("no flow at all could be opened through {}", self.name)));
        }
        self.opened.join(opened);
        Ok(())
    }
}

/// Flows that were opened one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Opened {
    all: usize,
    /// That took longer than [`WAITED`], the stuck ones with them.
    waited: usize,
    /// That took longer than [`STUCK`], or did not open at all.
    stuck: usize,
}

impl Opened {
    fn add(&mut self, took: Duration) {
        self.all += 1;
        self.waited += usize::from(took > WAITED);
        self.stuck += usize::from(took > STUCK);
    }

    fn join(&mut self, other: Self) {
        self.all += other.all;
        self.waited += other.waited;
        self.stuck += other.stuck;
    }
}

/// Opens flows until the other end of what is given back is dropped.
#[expect(clippy::type_complexity, reason = "used once, beside its definition")]
fn knock(from: &Room) -> Result<(mpsc::Sender<()>, JoinHandle<Result<Opened, Wrong>>), Wrong> {
    let (stop, stopped) = mpsc::channel();
    let enter = from.door()?;
    let page: SocketAddr = PAGE.parse().map_err(|_| Wrong::new("no address"))?;
    let knocking = std::thread::spawn(move || {
        enter()?;
        let mut opened = Opened::default();
        while stopped.recv_timeout(PACE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let begun = Instant::now();
            let outcome = TcpStream::connect_timeout(&page, PATIENCE);
            opened.add(if outcome.is_ok() { begun.elapsed() } else { PATIENCE });
        }
        Ok(opened)
    });
    Ok((stop, knocking))
}

/// The rules of the product's own compiler, and nothing around it.
fn bare() -> Result<Room, Wrong> {
    let path = std::env::temp_dir().join(format!("bench-firewall-{}.json", std::process::id()));
    std::fs::write(&path, firewall::compile_json(&paper::site()?).to_string())?;
    Room::with(&format!(
        "exec 9<{path:?}; rm {path:?}; ip link set lo up; echo ready
         while read -r _; do nft -j -f /proc/self/fd/9 9<&9; echo done; done"
    ))
}

pub(super) fn measure(out: &mut dyn Write) -> Result<bool, Wrong> {
    let mut all = [
        Contender::begin("the whole change: proved, loaded, read back, proved", Box::new(Own::begin()?))?,
        Contender::begin("nft -f of the same rules, bare", Box::new(bare()?))?,
        Contender::begin(
            "firewalld --reload, an equal policy",
            Box::new(Room::with(include_str!("../../../../bench/firewalld.sh"))?),
        )?,
        Contender::begin(
            "ufw reload, an equal policy",
            Box::new(Room::with(include_str!("../../../../bench/ufw.sh"))?),
        )?,
    ];
    for _ in 0..ROUNDS {
        for (contender, turns) in all.iter_mut().zip([APPLIES, APPLIES, FIREWALLD, UFW]) {
            contender.play(turns / ROUNDS)?;
        }
    }
    let [own, bare, firewalld, _] = &all;
    let of_bare = own.times.median() / bare.times.median();
    let of_firewalld = firewalld.times.median() / own.times.median();
    let kept = of_bare <= OF_BARE && of_firewalld >= OF_FIREWALLD && own.opened.stuck == 0;
    let stuck: Vec<String> =
        all.iter().map(|one| format!("{} in {}", one.opened.stuck, one.times.count())).collect();
    let waited: Vec<String> =
        all.iter().map(|one| format!("{} of {}", one.opened.waited, one.opened.all)).collect();
    let lines: Vec<Line> = all.into_iter().map(|one| Line::new(one.name, one.times)).collect();
    print(&lines, None, out)?;
    writeln!(
        out,
        "a change takes {of_bare:.2} times bare nft (at most {OF_BARE}), and firewalld {of_firewalld:.1} times as long (at least \
         {OF_FIREWALLD}); flows that lost a packet: {} (0 in {APPLIES} of ours are good), that waited for more than {} ms for \
         whatever reason: {}: {}",
        stuck.join(", "),
        WAITED.as_millis(),
        waited.join(", "),
        verdict(kept)
    )?;
    Ok(kept)
}
