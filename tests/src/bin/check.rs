//! `check`: plays a named, longer verification and gives a row for each of its cases.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use clinic::check::faults::{self, Order};
use clinic::check::firewall;
use clinic::check::lab::{Lab, Wish};
use clinic::check::road::{self, Measure};
use clinic::check::{Case, Row, Wrong, chosen, junit, lines, run, sabotage, walk};
use clinic::{Layout, Line, Wiring};

/// Plays a named, longer verification on a virtual clinic of its own.
///
/// Exit codes: 0 all right; 1 something is wrong; 64 usage; 69 the clinic does not come up.
#[derive(Parser)]
struct Call {
    /// The verification; without one they are listed
    name: Option<Name>,
    /// For `faults`: only these cases, by name, fault or code
    codes: Vec<String>,
    /// Only print the committed list of its cases
    #[arg(long)]
    list: bool,
    /// Show that it can fail: every listed defect must make some of its cases wrong
    #[arg(long)]
    sabotage: bool,
    /// Only the case of this name; may be given more than once
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    /// Each role of sekisho a process and a user of its own
    #[arg(long)]
    split: bool,
    /// Where JUnit goes instead of artifacts/check-NAME.xml
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// For `relay`: how many parcels go, both ways together
    #[arg(long, default_value_t = 200, value_name = "N")]
    parcels: u32,
    /// For `relay`: how often it is killed
    #[arg(long, default_value_t = 20, value_name = "K")]
    kills: u32,
    /// For `firewall`: how many packets are held against the kernel
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    packets: u64,
    /// For `firewall`: at most so many broken rulesets, chosen at random, instead of all
    #[arg(long, value_name = "N")]
    mutants: Option<usize>,
    /// For `firewall`: what chance begins with; the same number, the same run
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// For `faults`: the kind of line
    #[arg(long, value_enum, default_value = "ra", value_name = "LINE")]
    line: Line,
    /// For `faults`: how the box is wired to it
    #[arg(long, value_enum, default_value = "new", value_name = "WIRING")]
    wiring: Wiring,
    /// For `faults`: so many clinics stand side by side
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    side: u8,
    /// For `faults`: their names are this and a letter, so that two runs do not clear each other's away
    #[arg(long, default_value = "f", value_name = "PREFIX")]
    clinics: String,
    /// For `faults`: two at once instead of one
    #[arg(long)]
    pairs: bool,
    /// For `faults`: without asking for sweeps; how soon the box finds one fault of each kind by itself
    #[arg(long)]
    passive: bool,
    /// For `faults`: so many sweeps of a clean clinic, and not a word, instead of any fault
    #[arg(long, value_name = "N", conflicts_with_all = ["pairs", "passive", "codes"])]
    clean: Option<u32>,
    /// The sekisho to verify; by default the one beside this program, or with --sabotage and for `relay` the one
    /// built with `--features sabotage` in the target folder's sabotage/
    #[arg(long, value_name = "PATH")]
    sekisho: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Everything the first slice promises, from outside
    Walk,
    /// Every fault the lab can make: made, judged, undone, judged clean
    Faults,
    /// Every pair of line and wiring that exists: comes up clean, and follows what changes
    Lines,
    /// Parcels both ways while the relay is killed; what was lost, doubled, torn or held is counted
    Relay,
    /// The plan, the prover and the kernel against each other: packets, broken rulesets, rewritten ones
    Firewall,
}

impl Name {
    const fn word(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Faults => "faults",
            Self::Lines => "lines",
            Self::Relay => "relay",
            Self::Firewall => "firewall",
        }
    }

    fn cases(self) -> Vec<Case> {
        match self {
            Self::Walk => walk::cases(),
            Self::Faults | Self::Lines | Self::Relay | Self::Firewall => Vec::new(),
        }
    }
}

fn main() -> ExitCode {
    let call = match Call::try_parse() {
        Ok(call) => call,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match play(&call) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(wrong) => {
            let _ = writeln!(std::io::stderr(), "check: {wrong}");
            ExitCode::from(69)
        }
    }
}

fn play(call: &Call) -> Result<bool, Wrong> {
    let mut out = std::io::stdout();
    let Some(name) = call.name else {
        for name in Name::value_variants() {
            match name {
                Name::Relay => writeln!(out, "{}: as many parcels and kills as are asked for", name.word())?,
                Name::Firewall => writeln!(out, "{}: as many packets as are asked for", name.word())?,
                Name::Faults => writeln!(out, "{}: {} cases", name.word(), Order::default().cases()?.len())?,
                Name::Lines => writeln!(out, "{}: {} cases", name.word(), lines::count())?,
                Name::Walk => writeln!(out, "{}: {} cases", name.word(), name.cases().len())?,
            }
        }
        return Ok(true);
    };
    match name {
        Name::Faults => return faults(call),
        Name::Firewall => return rules(call, &mut out),
        Name::Lines => return every_line(call, &mut out),
        Name::Walk | Name::Relay => {}
    }
    let cases = chosen(name.cases(), &call.only, |case| case.name, "--list names the cases there are")?;
    if call.list || !call.sabotage {
        cases.iter().enumerate().try_for_each(|(at, case)| writeln!(out, "{:3} {case:?}", at + 1))?;
    }
    if call.list {
        return Ok(true);
    }
    let _alone = alone(name.word())?;
    let wish = wish(call, name)?;
    let (rows, right) = match name {
        Name::Faults | Name::Lines | Name::Firewall => return Ok(false),
        Name::Relay => parcels(call, wish, &mut out)?,
        Name::Walk if call.sabotage => defects(&wish, &cases, &mut out)?,
        Name::Walk => all(wish, &cases, &mut out)?,
    };
    write(call, name, &rows)?;
    Ok(right)
}

fn write(call: &Call, name: Name, rows: &[Row]) -> Result<(), Wrong> {
    let split = if call.split { "-split" } else { "" };
    let default = PathBuf::from(format!("artifacts/check-{}{split}.xml", name.word()));
    junit::write(call.junit.as_ref().unwrap_or(&default), name.word(), rows)
}

fn every_line(call: &Call, out: &mut dyn Write) -> Result<bool, Wrong> {
    if call.list {
        lines::list().iter().try_for_each(|name| writeln!(out, "{name}"))?;
        return Ok(true);
    }
    let _alone = alone(Name::Lines.word())?;
    let only: Vec<String> = call.codes.iter().chain(&call.only).cloned().collect();
    let (rows, right) = lines::play(&wish(call, Name::Lines)?, &only, out)?;
    write(call, Name::Lines, &rows)?;
    Ok(right)
}

fn rules(call: &Call, out: &mut (dyn Write + Send)) -> Result<bool, Wrong> {
    let order = firewall::Order { packets: call.packets, mutants: call.mutants, seed: call.seed };
    let played = if call.sabotage { firewall::sabotaged(order, out)? } else { firewall::play(order, out)? };
    write(call, Name::Firewall, &played.rows)?;
    writeln!(out, "{}", played.summary)?;
    Ok(played.right)
}

fn faults(call: &Call) -> Result<bool, Wrong> {
    if call.sabotage {
        return Err(Wrong::new("the list of defects is walk's and relay's"));
    }
    let order = Order {
        codes: call.codes.iter().chain(&call.only).cloned().collect(),
        pairs: call.pairs,
        passive: call.passive,
        clean: call.clean,
        layout: Layout::of(call.line, call.wiring).map_err(|error| Wrong(error.to_string()))?,
        sides: ["a", "b", "c", "d"]
            .iter()
            .take(call.side.into())
            .map(|letter| call.clinics.clone() + letter)
            .collect(),
    };
    let mut out = std::io::stdout();
    if call.list {
        order.cases()?.iter().try_for_each(|case| writeln!(out, "{case}"))?;
        return Ok(true);
    }
    let _alone = alone(&format!("{}-{}", Name::Faults.word(), call.clinics))?;
    let wish = Wish { layout: order.layout, ..wish(call, Name::Faults)? };
    let (rows, right) = faults::play(&wish, &order, &mut out)?;
    write(call, Name::Faults, &rows)?;
    Ok(right)
}

/// The verification's clinic has one name, so that the next run clears away what a killed one left: two at a time
/// would clear each other away.
fn alone(name: &str) -> Result<File, Wrong> {
    let path = std::env::temp_dir().join(format!("sekisho-check-{name}.lock"));
    let file = File::create(&path)?;
    file.try_lock().map_err(|error| Wrong(format!("another check {name} is running ({error})")))?;
    Ok(file)
}

fn wish(call: &Call, name: Name) -> Result<Wish, Wrong> {
    let own = std::env::current_exe()?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let sekisho = call.sekisho.clone().unwrap_or_else(|| {
        let spoilt = beside.join("../sabotage/debug/sekisho");
        if call.sabotage || matches!(name, Name::Relay) { spoilt } else { beside.join("sekisho") }
    });
    let found = sekisho
        .canonicalize()
        .map_err(|error| Wrong(format!("failed to find {}: {error}", sekisho.display())))?;
    Ok(Wish {
        name: name.word().to_owned(),
        layout: Layout::default(),
        sekisho: found,
        sabotage: None,
        faults: Vec::new(),
        split: call.split,
    })
}

fn parcels(call: &Call, wish: Wish, out: &mut dyn Write) -> Result<(Vec<Row>, bool), Wrong> {
    let measure = Measure { parcels: call.parcels, kills: call.kills };
    let rows = match call.sabotage {
        true => road::sabotaged(&wish, measure, out)?,
        false => vec![road::play(&mut Lab::up(wish)?, measure, out)?],
    };
    let right = rows.iter().all(|row| row.wrong.is_none());
    Ok((rows, right))
}

fn all(wish: Wish, cases: &[Case], out: &mut dyn Write) -> Result<(Vec<Row>, bool), Wrong> {
    let mut lab = Lab::up(wish)?;
    let rows = run(&mut lab, cases, out)?;
    drop(lab);
    let right = rows.iter().filter(|row| row.wrong.is_none()).count();
    writeln!(out, "cases={} right={right}", rows.len())?;
    Ok((rows, right == cases.len()))
}

fn defects(wish: &Wish, cases: &[Case], out: &mut dyn Write) -> Result<(Vec<Row>, bool), Wrong> {
    let rows = sabotage::play(wish, cases, out)?;
    let right = |row: &&Row| row.wrong.is_none();
    let sound = rows.first().is_some_and(|row| right(&row));
    if !sound {
        writeln!(out, "the cases are wrong without any defect, so what they catch shows nothing")?;
    }
    let caught = if sound { rows.iter().skip(1).filter(right).count() } else { 0 };
    let defects = sabotage::DEFECTS.len();
    writeln!(out, "defects={defects} caught={caught}")?;
    Ok((rows, caught == defects))
}
