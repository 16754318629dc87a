//! `check powercut`: records the relay's writes, cuts the power at many moments of them, and counts what it cost. In
//! the recorded machine the same program is the load, and at both places the relay.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clinic::check::{Row, Wrong, chosen, junit};
use hil::powercut::cut::choose;
use hil::powercut::forgetful::{Table, Way};
use hil::powercut::place::Terminal;
use hil::powercut::record::{Load, Recording, record};
use hil::powercut::replay::{Played, Replay, WHOLE, alone_with_mounts};
use hil::powercut::sabotage::{DEFECTS, Defect, On, Recorded, ways};
use hil::powercut::tally::Tally;
use hil::powercut::{CARRY, HISTORY, carry, guest};
use hil::tools::Tools;

/// Cuts the power at many moments of the relay's work, and counts what it cost.
///
/// Exit codes: 0 all right; 1 something is wrong; 64 usage; 69 the machine does not run.
#[derive(Parser)]
#[command(name = "powercut")]
struct Call {
    /// How many moments
    #[arg(long, default_value_t = 200)]
    points: usize,
    /// Show that it can fail: every flush is left out once
    #[arg(long)]
    sabotage: bool,
    /// Only the defect of this name; may be given more than once
    #[arg(long, value_name = "DEFECT", requires = "sabotage")]
    only: Vec<String>,
    /// How many requests the recorded machine carries
    #[arg(long, default_value_t = 60)]
    rounds: u32,
    /// Which moments: another number, others
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where scripts/image has put the base and the tools
    #[arg(long, value_name = "DIR", default_value = "target/image")]
    made: PathBuf,
    /// Where the report and the logs go
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    artifacts: PathBuf,
}

fn main() -> ExitCode {
    if std::process::id() == 1 {
        guest::run();
        return ExitCode::FAILURE;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let product = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CARRY] => Some(carry::run().map(|never| match never {})),
        [HISTORY, folder] => Some(carry::history(Path::new(folder))),
        _ => None,
    };
    if let Some(ended) = product {
        return ended.map_or_else(|wrong| failed(&wrong, 70), |()| ExitCode::SUCCESS);
    }
    let call = match Call::try_parse() {
        Ok(call) => call,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match play(&call, &mut std::io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(wrong) => failed(&wrong, 69),
    }
}

fn failed(wrong: &Wrong, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "powercut: {wrong}");
    ExitCode::from(code)
}

fn play(call: &Call, out: &mut dyn Write) -> Result<bool, Wrong> {
    let names = DEFECTS.map(|defect| defect.name).join(", ");
    let listed =
        chosen(DEFECTS.to_vec(), &call.only, |defect| defect.name, &format!("the defects are {names}"))?;
    let _alone = alone()?;
    alone_with_mounts()?;
    let begun = Instant::now();
    let (rows, figures) = if call.sabotage { defects(call, &listed, out)? } else { sound(call, out)? };
    junit::write(&call.artifacts.join("check-powercut.xml"), "powercut", &rows)?;
    say(out, &format!("{figures} seconds={}", begun.elapsed().as_secs()))?;
    Ok(rows.iter().all(|row| row.wrong.is_none()))
}

/// Two at a time would share their work folder.
fn alone() -> Result<File, Wrong> {
    let file = File::create(std::env::temp_dir().join("sekisho-check-powercut.lock"))?;
    file.try_lock().map_err(|error| Wrong(format!("another check powercut is running ({error})")))?;
    Ok(file)
}

/// The rows, and what they come to.
type Outcome = Result<(Vec<Row>, String), Wrong>;

/// Of so many cuts one is of a box whose terminal is a folder of its own, and one on a disk that forgets all it may.
const SHARE: usize = 4;

fn sound(call: &Call, out: &mut dyn Write) -> Outcome {
    let (mut rows, mut tally) = (Vec::new(), Tally::default());
    let part = call.points / SHARE;
    for (terminal, points) in [(Terminal::Far, call.points - 2 * part), (Terminal::Near, part)] {
        let recording = recorded(call, terminal, None, out)?;
        let cuts = cuts(call, points, &recording, |_| false, out)?;
        let name = format!("whenever_the_power_goes_with_the_terminal_{}", terminal.word());
        let row = row(name, &cuts, cuts.wrong());
        say(out, &row.to_string())?;
        rows.push(row);
        tally.add(&cuts.tally);
        if terminal == Terminal::Near {
            // What was uncertain to both is a person's to decide.
            tally.held -= cuts.tally.held;
        }
        say(out, &format!("  {points} cuts with the terminal {}: {}", terminal.word(), cuts.tally))?;
    }
    let cuts =
        forgotten(call, part, &Forgotten { ways: &ways(), flush: None, spoilt: false }, |_| false, out)?;
    tally.add(&cuts.tally);
    say(out, &format!("  {part} cuts on a disk that forgets: {}", cuts.tally))?;
    rows.push(row("whenever_the_power_goes_on_a_disk_that_forgets".into(), &cuts, cuts.wrong()));
    say(out, &rows.last().map_or_else(String::new, ToString::to_string))?;
    Ok((rows, format!("points={} {tally}", call.points)))
}

/// A load without a flush left out, but with the death that its defects need; none: of the disk that forgets.
type Control = Option<Recorded>;

/// Plays each listed defect, after its load without it: what is wrong there already shows nothing.
fn defects(call: &Call, listed: &[Defect], out: &mut dyn Write) -> Outcome {
    let mut controls: Vec<(Control, Row)> = Vec::new();
    let mut rows = Vec::new();
    for defect in listed {
        let load = match defect.on {
            On::Ext4(recorded) => Some(recorded),
            On::Forgetful(_) => None,
        };
        if !controls.iter().any(|(played, _)| *played == load) {
            controls.push((load, control(call, load, out)?));
        }
        let clean = controls.iter().any(|(played, row)| *played == load && row.wrong.is_none());
        if clean {
            rows.push(left_out(call, defect, out)?);
        }
    }
    let caught = rows.iter().filter(|row| row.wrong.is_none()).count();
    let rows = controls.into_iter().map(|(_, row)| row).chain(rows).collect();
    Ok((rows, format!("defects={} caught={caught}", listed.len())))
}

fn control(call: &Call, load: Control, out: &mut dyn Write) -> Result<Row, Wrong> {
    let enough = |cuts: &Cuts| cuts.bad > 0;
    let (cuts, on) = match load {
        Some(Recorded { terminal, dies }) => {
            let recording = recorded(call, terminal, Some(Spoilt { flush: None, dies }), out)?;
            let death = dies.map_or_else(String::new, |dies| format!("_and_{dies}"));
            let on = format!("with_the_terminal_{}{death}", terminal.word());
            (cuts(call, call.points, &recording, enough, out)?, on)
        }
        None => {
            let all = Forgotten { ways: &ways(), flush: None, spoilt: true };
            (forgotten(call, call.points, &all, enough, out)?, "on_a_disk_that_forgets".to_owned())
        }
    };
    let row = row(format!("no_cut_is_wrong_without_a_defect_{on}"), &cuts, cuts.wrong());
    say(out, &row.to_string())?;
    Ok(row)
}

fn left_out(call: &Call, defect: &Defect, out: &mut dyn Write) -> Result<Row, Wrong> {
    let enough = |cuts: &Cuts| cuts.costly > 0;
    let cuts = match defect.on {
        On::Ext4(Recorded { terminal, dies }) => {
            let spoilt = Spoilt { flush: Some(defect.name), dies };
            let recording = recorded(call, terminal, Some(spoilt), out)?;
            cuts(call, call.points, &recording, enough, out)?
        }
        On::Forgetful(way) => {
            let one = Forgotten { ways: &[way], flush: Some(defect.name), spoilt: true };
            forgotten(call, call.points, &one, enough, out)?
        }
    };
    let missed = (cuts.costly == 0)
        .then(|| format!("no cut saw that {} is not durable ({} without rest)", defect.what, cuts.restless));
    let row = row(format!("a_cut_sees_that_{}_is_left_out", defect.name), &cuts, missed);
    say(out, &row.to_string())?;
    Ok(row)
}

fn row(name: String, cuts: &Cuts, wrong: Option<String>) -> Row {
    Row { name, made: format!("{} cuts", cuts.played), wrong, took: cuts.begun.elapsed() }
}

/// What the relay of a load has that the shipped one has not.
#[derive(Clone, Copy)]
struct Spoilt {
    /// The flush that is left out.
    flush: Option<&'static str>,
    /// Where it dies by itself.
    dies: Option<&'static str>,
}

impl Spoilt {
    /// As `SEKISHO_SABOTAGE` says it.
    fn words(self) -> String {
        [self.flush, self.dies].into_iter().flatten().collect::<Vec<_>>().join(",")
    }
}

fn recorded(
    call: &Call,
    terminal: Terminal,
    spoilt: Option<Spoilt>,
    out: &mut dyn Write,
) -> Result<Recording, Wrong> {
    let begun = Instant::now();
    let tools = Tools::find(&call.made.join("tools"), &call.made.join("powercut"), &call.artifacts)?;
    let program = if spoilt.is_some() { can_be_spoilt()? } else { std::env::current_exe()? };
    let load = Load {
        program,
        rounds: call.rounds,
        terminal,
        sabotage: spoilt.map(Spoilt::words),
        dies: spoilt.is_some_and(|spoilt| spoilt.dies.is_some()),
    };
    let recording = record(&tools, &call.made.join("base"), &load)?;
    let entries = recording.log.entries.len();
    let flushes = recording.log.entries.iter().filter(|entry| entry.flush).count();
    let said = &recording.said;
    let took = begun.elapsed().as_secs();
    say(
        out,
        &format!(
            "{said}; {entries} writes and flushes, {flushes} flushes of the box's; recorded in {took} s"
        ),
    )?;
    Ok(recording)
}

/// This program in the build in which the relay can have a defect.
fn can_be_spoilt() -> Result<PathBuf, Wrong> {
    Ok(beside(&std::env::current_exe()?).join("../sabotage/debug/powercut").canonicalize()?)
}

fn beside(program: &Path) -> &Path {
    program.parent().unwrap_or(Path::new("."))
}

/// What the cuts of one recording came to.
struct Cuts {
    tally: Tally,
    /// Those at which something was lost, doubled or torn, or held where it may not be, when nothing moved any more.
    costly: usize,
    /// Those after which nothing came to rest.
    restless: usize,
    /// Both.
    bad: usize,
    first: Option<String>,
    played: usize,
    begun: Instant,
}

impl Cuts {
    fn none() -> Self {
        let (tally, begun) = (Tally::default(), Instant::now());
        Self { tally, costly: 0, restless: 0, bad: 0, first: None, played: 0, begun }
    }

    fn count(
        &mut self,
        played: Played,
        terminal: Terminal,
        at: &str,
        out: &mut dyn Write,
    ) -> Result<(), Wrong> {
        self.tally.add(&played.tally);
        let restless = played.restless.is_some();
        // What is still under way then is not lost.
        let costly = !restless && !played.tally.is_right(terminal);
        self.restless += usize::from(restless);
        self.costly += usize::from(costly);
        if costly || restless {
            self.bad += 1;
            let said = format!("{} at {at} {}", played.tally, played.restless.unwrap_or_default());
            if self.bad <= 3 {
                say(out, &format!("  {said}"))?;
            }
            self.first.get_or_insert(said);
        }
        self.played += 1;
        if self.played.is_multiple_of(100) {
            let took = self.begun.elapsed().as_secs();
            say(out, &format!("  {} cuts in {took} s: {}", self.played, self.tally))?;
        }
        Ok(())
    }

    /// What is wrong, if anything.
    fn wrong(&self) -> Option<String> {
        let first = self.first.as_deref()?;
        Some(format!(
            "{} cuts wrong ({}, {} without rest); the first: {first}",
            self.bad, self.tally, self.restless
        ))
    }
}

/// Plays cuts, all of them or until it is enough.
fn cuts(
    call: &Call,
    points: usize,
    recording: &Recording,
    enough: impl Fn(&Cuts) -> bool,
    out: &mut dyn Write,
) -> Result<Cuts, Wrong> {
    let own = std::env::current_exe()?;
    let sekisho = beside(&own).join("sekisho");
    let mut replay = Replay::set(recording, own, sekisho)?;
    let mut all = Cuts::none();
    for (nth, cut) in choose(&recording.log.entries, 0, points, call.seed).into_iter().enumerate() {
        let whole = nth % WHOLE == WHOLE - 1;
        let played = replay.play(cut, whole).map_err(|wrong| Wrong(format!("at {cut:?}: {wrong}")))?;
        all.count(played, recording.terminal, &format!("{cut:?}"), out)?;
        if enough(&all) {
            break;
        }
    }
    Ok(all)
}

/// What is played on a disk that forgets.
struct Forgotten<'a> {
    /// How, in turn.
    ways: &'a [Way],
    /// The flush that is left out.
    flush: Option<&'a str>,
    /// Whether the relay is of the build that can have a defect.
    spoilt: bool,
}

/// Plays cuts on a disk that forgets, all of them or until it is enough.
fn forgotten(
    call: &Call,
    points: usize,
    what: &Forgotten<'_>,
    enough: impl Fn(&Cuts) -> bool,
    out: &mut dyn Write,
) -> Result<Cuts, Wrong> {
    let own = std::env::current_exe()?;
    let spoilt = if what.spoilt { can_be_spoilt()? } else { own.clone() };
    let mut table = Table::set(spoilt, own)?;
    let mut all = Cuts::none();
    for (nth, way) in what.ways.iter().cycle().take(points).enumerate() {
        let played = table.play(way, what.flush, call.seed);
        let played = played.map_err(|wrong| Wrong(format!("at point {nth}, {way:?}: {wrong}")))?;
        all.count(played, Terminal::Far, &format!("point {nth}, {way:?}"), out)?;
        if enough(&all) {
            break;
        }
    }
    Ok(all)
}

/// Writes a line, at once.
fn say(out: &mut dyn Write, line: &str) -> Result<(), Wrong> {
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
