//! `hil`: plays the stories on a bench and gives a row for each.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use clinic::Clinic;
use clinic::check::{self, Outcome, Row, Wrong, junit};
use hil::NAME;
use hil::bench::Bench;
use hil::image::Image;
use hil::stage::Stage;
use hil::story::{Story, all};
use hil::tools::Tools;

/// Plays the stories of the image on a bench.
///
/// Exit codes: 0 all right; 1 something is wrong; 64 usage; 69 the bench does not come up.
#[derive(Parser)]
struct Call {
    /// Which stories: smoke for every change, full for all
    #[arg(long, value_enum, default_value = "smoke")]
    tier: Tier,
    /// Only print the stories: title, why, steps
    #[arg(long)]
    list: bool,
    /// Only the story of this title; may be given more than once
    #[arg(long, value_name = "TITLE")]
    only: Vec<String>,
    /// The bench
    #[arg(long, value_name = "FILE", default_value = "hil/benches/virtual.toml")]
    bench: PathBuf,
    /// Where scripts/image has put the image and the tools
    #[arg(long, value_name = "DIR", default_value = "target/image")]
    made: PathBuf,
    /// Where the report and the logs go
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    artifacts: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tier {
    Smoke,
    Full,
}

impl Tier {
    /// How long it may take on two cores, minutes.
    const fn minutes(self) -> u32 {
        match self {
            Self::Smoke => 8,
            Self::Full => 30,
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
    match play(&call, &mut std::io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(wrong) => {
            let _ = writeln!(std::io::stderr(), "hil: {wrong}");
            ExitCode::from(69)
        }
    }
}

fn play(call: &Call, out: &mut dyn Write) -> Result<bool, Wrong> {
    let stories = chosen(call)?;
    if call.list {
        stories.iter().try_for_each(|story| writeln!(out, "{story:?}"))?;
        return Ok(true);
    }
    let bench = Bench::read(&call.bench).map_err(|error| Wrong(format!("failed to {error}")))?;
    let _alone = alone()?;
    let mut stage = set(call, bench)?;
    let (stories, others): (Vec<Story>, Vec<Story>) =
        stories.into_iter().partition(|story| story.only.is_for(stage.image.release));
    for story in others {
        writeln!(out, "not for this image: {}", story.title)?;
    }
    let begun = Instant::now();
    let rows: Vec<Row> =
        stories.iter().map(|story| tell(story, &mut stage, out)).collect::<Result<_, Wrong>>()?;
    for (name, value) in &stage.figures {
        writeln!(out, "{name}: {value}")?;
    }
    drop(stage);
    junit::write(&call.artifacts.join("image-test.xml"), "image-test", &rows)?;
    if call.only.is_empty() {
        let minutes = begun.elapsed().as_secs_f64() / 60.0;
        writeln!(out, "{minutes:.1} minutes; at most {} are good on two cores", call.tier.minutes())?;
    }
    let right = rows.iter().filter(|row| row.wrong.is_none()).count();
    writeln!(out, "cases={} right={right}", rows.len())?;
    Ok(right == rows.len())
}

fn chosen(call: &Call) -> Result<Vec<Story>, Wrong> {
    let mut stories = all();
    if call.only.is_empty() {
        stories.retain(|story| story.smoke || call.tier == Tier::Full);
        return Ok(stories);
    }
    check::chosen(stories, &call.only, |story| story.title, "--tier full --list names all stories")
}

/// Two at a time would clear each other away.
fn alone() -> Result<File, Wrong> {
    let file = File::create(std::env::temp_dir().join("sekisho-image-test.lock"))?;
    file.try_lock().map_err(|error| Wrong(format!("another run is on the bench ({error})")))?;
    Ok(file)
}

fn set(call: &Call, bench: Bench) -> Result<Stage, Wrong> {
    // What a killed run left goes first: its machine still writes into the work folder.
    let clinic = Clinic::up_with(NAME, &["--box", "none"])?;
    let work = call.made.join("hil");
    let tools = Tools::find(&call.made.join("tools"), Path::new(&work), &call.artifacts)?;
    let image = Image::find(&call.made, &tools)?;
    Stage::set(bench, tools, image, clinic)
}

fn tell(story: &Story, stage: &mut Stage, out: &mut dyn Write) -> Result<Row, Wrong> {
    let begun = Instant::now();
    let outcome: Outcome = (story.play)(stage);
    if outcome.is_err() {
        stage.distrust();
    }
    let row = Row {
        name: story.title.to_owned(),
        made: story.steps.join("; "),
        wrong: outcome.err().map(|wrong| wrong.to_string()),
        took: begun.elapsed(),
    };
    writeln!(out, "{}", row.brief())?;
    out.flush()?;
    Ok(row)
}
