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
use hil::powercut::place::Terminal;
use hil::powercut::record::{Load, Recording, record};
use hil::powercut::replay::{Replay, WHOLE, alone_with_mounts};
use hil::powercut::sabotage::{DEFECTS, Defect};
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
    /// Show that it can fail: every listed flush is left out once
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

/// Of so many cuts one is of a box whose terminal is a folder of its own.
const NEAR: usize = 4;

fn sound(call: &Call, out: &mut dyn Write) -> Outcome {
    let (mut rows, mut tally) = (Vec::new(), Tally::default());
    let near = call.points / NEAR;
    for (terminal, points) in [(Terminal::Far, call.points - near), (Terminal::Near, near)] {
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
    Ok((rows, format!("points={} {tally}", call.points)))
}

/// A load without a flush left out, but with the death that its defects need.
type Control = (Terminal, Option<&'static str>);

/// Plays each listed defect, after its load without it: what is wrong there already shows nothing.
fn defects(call: &Call, listed: &[Defect], out: &mut dyn Write) -> Outcome {
    let mut controls: Vec<(Control, Row)> = Vec::new();
    let mut rows = Vec::new();
    for defect in listed {
        let load = (defect.terminal, defect.dies);
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

fn control(call: &Call, (terminal, dies): Control, out: &mut dyn Write) -> Result<Row, Wrong> {
    let recording = recorded(call, terminal, Some(Spoilt { flush: None, dies }), out)?;
    let cuts = cuts(call, call.points, &recording, |cuts| cuts.bad > 0, out)?;
    let death = dies.map_or_else(String::new, |dies| format!("_and_{dies}"));
    let name = format!("no_cut_is_wrong_without_a_defect_with_the_terminal_{}{death}", terminal.word());
    let row = row(name, &cuts, cuts.wrong());
    say(out, &row.to_string())?;
    Ok(row)
}

fn left_out(call: &Call, defect: &Defect, out: &mut dyn Write) -> Result<Row, Wrong> {
    let spoilt = Spoilt { flush: Some(defect.name), dies: defect.dies };
    let recording = recorded(call, defect.terminal, Some(spoilt), out)?;
    let cuts = cuts(call, call.points, &recording, |cuts| cuts.costly > 0, out)?;
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
    let own = std::env::current_exe()?;
    let program = match spoilt {
        // What can be spoilt is so in that build only.
        Some(_) => beside(&own).join("../sabotage/debug/powercut").canonicalize()?,
        None => own,
    };
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
    let begun = Instant::now();
    let tally = Tally::default();
    let mut all = Cuts { tally, costly: 0, restless: 0, bad: 0, first: None, played: 0, begun };
    for (nth, cut) in choose(&recording.log.entries, 0, points, call.seed).into_iter().enumerate() {
        let whole = nth % WHOLE == WHOLE - 1;
        let played = replay.play(cut, whole).map_err(|wrong| Wrong(format!("at {cut:?}: {wrong}")))?;
        all.tally.add(&played.tally);
        let restless = played.restless.is_some();
        // What is still under way then is not lost.
        let costly = !restless && !played.tally.is_right(recording.terminal);
        all.restless += usize::from(restless);
        all.costly += usize::from(costly);
        if costly || restless {
            all.bad += 1;
            let said = format!("{} at {cut:?} {}", played.tally, played.restless.unwrap_or_default());
            if all.bad <= 3 {
                say(out, &format!("  {said}"))?;
            }
            all.first.get_or_insert(said);
        }
        all.played = nth + 1;
        if enough(&all) {
            break;
        }
        if all.played.is_multiple_of(100) {
            say(out, &format!("  {} cuts in {} s: {}", all.played, begun.elapsed().as_secs(), all.tally))?;
        }
    }
    Ok(all)
}

/// Writes a line, at once.
fn say(out: &mut dyn Write, line: &str) -> Result<(), Wrong> {
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
