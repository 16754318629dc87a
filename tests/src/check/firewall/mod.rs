//! `firewall`: how the proof is checked. The plan's word, the prover's word and the kernel's doings, each against the other.
//!
//! - `compare`: sites made up at random, packets for every line and its border values, flows with their answers and
//!   what is forged into them: `explain` must say of each what a kernel that holds the plan then does.
//! - `mutate` and `trial`: rulesets broken by generic operators. What a promise forbids must not come out of a kernel
//!   whose ruleset the prover calls proved, and each packet the prover shows must come out.
//! - `rewrite`: other ways to write the same, each still proved.
//!
//! The kernel's word is what the ports' far ends and the box's sockets received (`bench`); which promise that breaks is
//! `judge`d apart from the prover. docs/firewall-check.md says what a run shows and what it cannot.

mod bench;
mod came;
mod chance;
mod compare;
mod flow;
mod frame;
mod ground;
mod judge;
mod made_up;
mod mutate;
mod packets;
mod playing;
mod population;
mod reading;
mod rewrite;
mod sabotage;
mod shoot;
mod sockets;
mod tally;
mod trial;
mod world;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use model::boot::Setup;

use self::chance::Chance;
use self::compare::{Compared, compare};
use self::population::Measure;
use self::sabotage::Defect;
use self::tally::Tally;
use self::trial::Court;
use self::world::World;
use super::{Row, Wrong};

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// So many packets at least are held against the kernel.
    pub packets: u64,
    /// At most so many broken rulesets are tried, chosen at random; all if none.
    pub mutants: Option<usize>,
    /// What chance begins with: the same number, the same run.
    pub seed: u64,
}

impl Order {
    /// For every change: a minute.
    pub const QUICK: Self = Self { packets: 2000, mutants: Some(60), seed: 1 };

    /// How often each line that accepts has to be met: 50 times in a run of 20,000 packets.
    fn least(&self) -> u64 {
        if self.packets >= 20_000 { 50 } else { 0 }
    }
}

/// What a run comes to.
#[derive(Debug)]
pub struct Played {
    /// A row for each thing that was tried.
    pub rows: Vec<Row>,
    /// The last line.
    pub summary: String,
    /// Whether everything was right.
    pub right: bool,
}

/// Plays it, on two processors if there are two. Needs root.
///
/// # Errors
/// It cannot be played.
pub fn play(order: Order, out: &mut (dyn Write + Send)) -> Result<Played, Wrong> {
    let tally = run(order, Defect::None)?;
    writeln!(out, "{tally}")?;
    Ok(tally.played(order))
}

/// Plays it once as it is, and once with each defect of one of its parts, which must be seen.
///
/// # Errors
/// It cannot be played.
pub fn sabotaged(order: Order, out: &mut (dyn Write + Send)) -> Result<Played, Wrong> {
    let begun = Instant::now();
    let sound = play(order, out)?;
    writeln!(out, "{}", sound.summary)?;
    let mut rows = vec![Row {
        name: "the_run_is_right_without_a_defect".into(),
        made: sound.summary.clone(),
        wrong: (!sound.right).then(|| "what it catches then shows nothing".into()),
        took: begun.elapsed(),
    }];
    for defect in Defect::ALL {
        let begun = Instant::now();
        let caught = run(order, defect)?.first_wrong();
        let row = Row {
            name: format!("{}_is_caught", defect.name()),
            made: caught.iter().map(|by| format!("by {by}")).collect(),
            wrong: caught.is_none().then(|| "it was not seen".into()),
            took: begun.elapsed(),
        };
        writeln!(out, "{row}")?;
        rows.push(row);
    }
    let caught = rows.iter().skip(1).filter(|row| row.wrong.is_none()).count();
    let summary = format!("defects={} caught={caught}", Defect::ALL.len());
    Ok(Played { right: sound.right && caught == Defect::ALL.len(), rows, summary })
}

/// One run. With a defect it ends as soon as something is wrong: more of it would show no more.
fn run(order: Order, defect: Defect) -> Result<Tally, Wrong> {
    let caught = AtomicBool::new(false);
    let over = |tally: &Tally| {
        if defect != Defect::None && tally.first_wrong().is_some() {
            caught.store(true, Ordering::Relaxed);
        }
        caught.load(Ordering::Relaxed)
    };
    let (compared, tried) = std::thread::scope(|scope| {
        let compared = scope.spawn(|| bench::alone(0, || compared(order, defect, &over)));
        let tried = bench::alone(1, || tried(order, defect, &over));
        (compared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), tried)
    });
    let mut tally = compared?;
    tally.join(tried?);
    Ok(tally)
}

/// What one site is tried with, and a box before it has one, of which there are only two.
const OF_A_SITE: Measure = Measure { each: 7, borders: 14, flows: 3, random: 200 };
const BEFORE_A_SITE: Measure = Measure { each: 0, borders: 30, flows: 12, random: 100 };

fn compared(order: Order, defect: Defect, over: &(impl Fn(&Tally) -> bool + Sync)) -> Result<Tally, Wrong> {
    let mut tally = Tally::of("");
    let mut chance = Chance::new(order.seed);
    let port = Setup { port: "lan0".into(), label: "SETUP".into(), address: setup_address()? };
    for lends in [true, false] {
        let begun = Instant::now();
        let world = World::before_a_site(&port, lends);
        let each = usize::try_from(order.least()).unwrap_or_default() + 10;
        let measure = Measure { each, ..BEFORE_A_SITE };
        let compared = compare(&world, measure, defect, Chance::new(chance.next()))?;
        tally.compared(&world, compared, begun.elapsed());
    }
    let (mut sites, mut made_up) = (0, 0);
    let enough = |tally: &Tally, sites: i32| sites >= 2 && tally.packets >= order.packets;
    while !enough(&tally, sites) || tally.scarce(order.least()) && sites < 60 && made_up < 1000 {
        let begun = Instant::now();
        let world = World::random(&mut chance, format!("site-{sites}"))?;
        made_up += 1;
        // In the end only those are played that have a line which was met too seldom, with more flows.
        let mut measure = OF_A_SITE;
        if enough(&tally, sites) {
            if !tally.is_scarce_in(&world, order.least()) {
                continue;
            }
            measure.flows *= 4;
        }
        let compared: Compared = compare(&world, measure, defect, Chance::new(chance.next()))
            .map_err(|wrong| Wrong(format!("{}: {wrong}", world.name)))?;
        tally.compared(&world, compared, begun.elapsed());
        sites += 1;
        if tally.differences > 20 || over(&tally) {
            break;
        }
    }
    Ok(tally)
}

fn setup_address() -> Result<model::site::prefix::Prefix, Wrong> {
    "198.51.100.1/24".parse().map_err(|error: &str| Wrong::new(error))
}

/// What every changed ruleset is shown.
const SWEEP: Measure = Measure { each: 4, borders: 10, flows: 2, random: 150 };

fn tried(order: Order, defect: Defect, over: &(impl Fn(&Tally) -> bool + Sync)) -> Result<Tally, Wrong> {
    let mut tally = Tally::of("of-a-changed-ruleset-");
    let mut chance = Chance::new(order.seed.wrapping_add(1));
    let world = World::sample()?;
    let mut court = Court::open(&world, defect, SWEEP, Chance::new(chance.next()))?;
    tally.planned(court.of_the_plan()?);
    for rewrite in rewrite::all(&world.document) {
        if over(&tally) {
            return Ok(tally);
        }
        let begun = Instant::now();
        let wrong = court
            .is_another_way(&rewrite.document)
            .map_err(|wrong| Wrong(format!("{}: {wrong}", rewrite.name)))?;
        tally.rewritten(&rewrite.name, wrong, begun.elapsed());
    }
    let mut mutants = mutate::all(&world);
    chance.shuffle(&mut mutants);
    for mutant in mutants.iter().take(order.mutants.unwrap_or(usize::MAX)) {
        let begun = Instant::now();
        if over(&tally) {
            break;
        }
        let tried = court.tries(mutant).map_err(|wrong| Wrong(format!("{}: {wrong}", mutant.name)))?;
        tally.tried(mutant, tried, begun.elapsed());
    }
    Ok(tally)
}
