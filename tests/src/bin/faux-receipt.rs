//! `faux-receipt`: the double of the receipt computer. Says what it did in JSON, one object a line.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use clinic::faux::Error;
use clinic::faux::forms::Form;
use clinic::faux::receipt::{Share, measure};
use serde_json::{Value, json};

/// The double of the receipt computer, a real SMB client of the box's share.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    share: Share,
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Write files into req under their own names.
    Put {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Get and delete what lies in a folder.
    Collect {
        /// The share's folder.
        #[arg(long, default_value = "res")]
        folder: String,
        /// Where the files go.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Until so many came.
        #[arg(long, default_value_t = 1)]
        count: usize,
        /// For so long, seconds.
        #[arg(long, default_value_t = 10)]
        wait_s: u64,
    },
    /// Write requests of its own one by one and time each one's answer.
    Measure {
        /// So many.
        #[arg(long, default_value_t = 20)]
        count: u32,
        /// Of this form.
        #[arg(long, value_enum, default_value = "xml")]
        form: Form,
        /// At least so large, bytes.
        #[arg(long, default_value_t = 0)]
        size: usize,
        /// Requests and answers are kept here.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// An answer may take so long, seconds.
        #[arg(long, default_value_t = 10)]
        wait_s: u64,
    },
}

fn main() -> ExitCode {
    let call = Call::parse();
    match work(&call) {
        Ok(lines) => {
            let mut out = std::io::stdout().lock();
            let written = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(74) }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "faux-receipt: failed to {error}");
            ExitCode::from(69)
        }
    }
}

fn work(call: &Call) -> Result<Vec<Value>, Error> {
    let mut session = call.share.open(&[])?;
    match &call.work {
        Work::Put { files } => files
            .iter()
            .map(|file| {
                let begun = Instant::now();
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                session.put(file, &format!("req/{name}"))?;
                Ok(json!({"put": name, "ms": begun.elapsed().as_secs_f64() * 1e3}))
            })
            .collect(),
        Work::Collect { folder, into, count, wait_s } => {
            make(into)?;
            let patience = Duration::from_secs(*wait_s);
            let got = session.collect_count(folder, into, *count, patience, |_| true)?;
            Ok(got.iter().map(|entry| json!({"collected": entry.name, "bytes": entry.bytes})).collect())
        }
        Work::Measure { count, form, size, into, wait_s } => {
            make(into)?;
            let requests = requests(*count, *form, *size, into)?;
            let pairs = measure(&mut session, &requests, into, Duration::from_secs(*wait_s))?;
            let mut times: Vec<f64> = pairs.iter().map(|pair| pair.answer_ms).collect();
            times.sort_by(f64::total_cmp);
            let nth = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1)));
            let last =
                json!({"pairs": pairs.len(), "p50_ms": nth(50), "p95_ms": nth(95), "max_ms": nth(100)});
            Ok(pairs.iter().map(|pair| json!(pair)).chain([last]).collect())
        }
    }
}

fn make(dir: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(|source| Error::File { path: dir.to_owned(), source })
}

fn requests(count: u32, form: Form, size: usize, into: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S%3f").to_string();
    (0..count)
        .map(|number| {
            let id = format!("{now}{number:04}");
            let name = format!("OQSsiquc01req_{id}.{}", form.extension());
            let path = into.join(&name);
            let written = std::fs::write(&path, form.request(&id, size));
            written.map_err(|source| Error::File { path: path.clone(), source })?;
            Ok((name, path))
        })
        .collect()
}
