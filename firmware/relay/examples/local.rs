//! How fast the local road is: folder to folder, in units of F, one fdatasync of the same medium in the same run.
//! `cargo run --release -p relay --example local [FOLDER]`; the folder must be on the medium that is measured.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use model::kind::Kind;
use model::parcel::Direction;
use model::part::RelayPart;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use relay::share::local::LocalTerminal;
use relay::{Config, ConsumerConfig, TerminalConfig};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const BYTES: usize = 2048;
const SINGLE: usize = 300;
const MANY: usize = 10_000;
const BACKLOG: usize = 100_000;

fn main() -> Outcome {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let base = base.join(format!("relay-local-{}", std::process::id()));
    let done = run(&base);
    fs::remove_dir_all(&base)?;
    done
}

fn run(base: &Path) -> Outcome {
    for folder in ["state/share/OQS/req", "terminal/req", "terminal/res", "terminal/face"] {
        fs::create_dir_all(base.join(folder))?;
    }
    let (from, to) = (base.join("state/share/OQS/req"), base.join("terminal/req"));
    let relay = start(base)?;
    say(&format!("nothing to do: {} wake-ups in 5 s", idle(Duration::from_secs(5))?));

    say(&format!("resident {} MB", status("VmRSS:")? / 1024));

    let watch = Watch::on(&to)?;
    let mut f = Vec::new();
    let mut delays = Vec::new();
    let mut looked_twice = Vec::new();
    for n in 0..SINGLE {
        // As at a counter, they do not follow at once.
        std::thread::sleep(Duration::from_millis(20));
        f.push(fdatasync(base, 1)?);
        delays.push(watch.one(&from, &format!("OQSsiquc01req_{n}.xml"), &body())?);
        if n % 10 == 0 {
            looked_twice.push(watch.one(&from, &format!("OQSsiquc01req_{n}.txt"), &body())?);
        }
    }
    let unit = quantile(&mut f, 0.5);
    let (p50, p99) = (quantile(&mut delays, 0.5), quantile(&mut delays, 0.99));
    say(&format!("F {unit:.3} ms (p99 {:.3})", quantile(&mut f, 0.99)));
    say(&format!(
        "one request, close to final name: p50 {p50:.2} ms (2 F + 1 = {:.2}), p99 {p99:.2} ms (3 F + 5 = {:.2})",
        2.0 * unit + 1.0,
        3.0 * unit + 5.0
    ));
    say(&format!("the same where two looks are needed: p50 {:.2} ms", quantile(&mut looked_twice, 0.5)));

    let unit = fdatasync(base, 200)?;
    let begun = Instant::now();
    for n in 0..MANY {
        put(&from, &format!("OQSsiquc01req_many{n:05}.xml"), &body())?;
    }
    let written = begun.elapsed();
    let order = watch.names(MANY)?;
    let took = begun.elapsed();
    let sorted = order.is_sorted();
    let after = fdatasync(base, 200)?;
    say(&format!(
        "{MANY} files: {:.0} a second, in order: {sorted}; written in {:.1} s; F {unit:.3} before, {after:.3} ms after",
        MANY as f64 / took.as_secs_f64(),
        written.as_secs_f64()
    ));
    relay.join();

    let old = base.join("old");
    fs::create_dir(&old)?;
    say("100,000 files of backlog, and a request at the counter:");
    for n in 0..BACKLOG {
        fs::write(from.join(format!("OQSsiquc01req_old{n:06}.xml")), body())?;
    }
    say("they grow older than 30 s …");
    std::thread::sleep(Duration::from_secs(31));
    let relay = start(base)?;
    let mut counter = Vec::new();
    for n in 0..20 {
        std::thread::sleep(Duration::from_millis(300));
        watch.drain()?;
        counter.push(watch.one(&from, &format!("OQSsiquc01req_new{n}.xml"), &body())?);
    }
    say(&format!(
        "p50 {:.1} ms, longest {:.1} ms; resident {} MB; backlog left {}",
        quantile(&mut counter, 0.5),
        quantile(&mut counter, 1.0),
        status("VmHWM:")? / 1024,
        fs::read_dir(&from)?.count()
    ));
    relay.join();
    Ok(())
}

/// The relay on a thread and a runtime of its own, as `relayd` has it.
struct Running(std::thread::JoinHandle<()>, tokio::sync::oneshot::Sender<()>);

impl Running {
    fn join(self) {
        drop(self.1);
        let _ = self.0.join();
    }
}

fn start(base: &Path) -> Outcome<Running> {
    let config = Config {
        state: base.join("state"),
        kinds: kinds().into(),
        opening: model::Opening::default(),
        count_outcomes: false,
        history: relay::HistoryBy::Itself,
        terminals: vec![TerminalConfig { name: "t1".into(), requests_below: None }],
        consumers: vec![ConsumerConfig {
            name: "receipt".into(),
            share: Some("OQS".into()),
            takes: Vec::new(),
        }],
    };
    let end = LocalTerminal { root: base.join("terminal") };
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (part, mut seen) = tokio::sync::watch::channel(RelayPart::default());
    let run = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let (_commands, asked) = tokio::sync::mpsc::channel(1);
            tokio::select! {
                ended = relay::run(&config, vec![end], part, asked) => drop(ended),
                _ = stopped => {}
            }
        });
    };
    let thread = std::thread::spawn(run);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(seen.wait_for(|part| !part.shares.is_empty()))?;
    Ok(Running(thread, stop))
}

fn kinds() -> Vec<Kind> {
    let kind = |key: &str, direction, folder: &str, prefix: &str| Kind {
        key: key.into(),
        direction,
        folder: folder.into(),
        prefix: prefix.into(),
        extensions: vec!["xml".into(), "txt".into()],
        max_bytes: 4 * 1024 * 1024,
        time_to_live_s: 1800,
        per_minute: None,
        answered_by: Vec::new(),
        answered_within_s: 60,
        folder_may_lack: false,
        enabled: true,
    };
    vec![
        kind("req", Direction::Request, "req", "OQSsiquc01req_"),
        kind("res", Direction::Answer, "res", "OQSsiquc01res_"),
        kind("face", Direction::Answer, "face", "OQSsiquc01res_face_"),
    ]
}

fn body() -> Vec<u8> {
    let mut bytes = vec![b' '; BYTES];
    bytes.extend_from_slice(b"</XmlMsg>");
    bytes
}

/// Writes a file; returns when it was closed.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Outcome<Instant> {
    let mut file = File::create(folder.join(name))?;
    file.write_all(bytes)?;
    drop(file);
    Ok(Instant::now())
}

struct Watch {
    folder: PathBuf,
    events: Inotify,
}

impl Watch {
    fn on(folder: &Path) -> Outcome<Self> {
        let events = Inotify::init(InitFlags::empty())?;
        events.add_watch(folder, AddWatchFlags::IN_MOVED_TO)?;
        Ok(Self { folder: folder.to_owned(), events })
    }

    /// Milliseconds from the close of a file to its final name. What else arrives is taken away.
    fn one(&self, from: &Path, name: &str, bytes: &[u8]) -> Outcome<f64> {
        let closed = put(from, name, bytes)?;
        loop {
            for event in self.events.read_events()? {
                let Some(arrived) = event.name else { continue };
                let is_it = arrived == name;
                let at = closed.elapsed();
                // What was taken away before is gone.
                let _ = fs::remove_file(self.folder.join(&arrived));
                if is_it {
                    return Ok(at.as_secs_f64() * 1000.0);
                }
            }
        }
    }

    /// The names of the next `count` arrivals, in their order.
    fn names(&self, count: usize) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        while names.len() < count {
            let arrived = self.events.read_events()?.into_iter().filter_map(|event| event.name);
            names.extend(arrived.filter_map(|name| name.into_string().ok()));
        }
        Ok(names)
    }

    fn drain(&self) -> Outcome {
        for entry in fs::read_dir(&self.folder)? {
            let _ = fs::remove_file(entry?.path());
        }
        Ok(())
    }
}

/// Milliseconds of one append and fdatasync, the mean of so many.
fn fdatasync(base: &Path, count: u32) -> Outcome<f64> {
    let mut file = File::options().append(true).create(true).open(base.join("f"))?;
    let begun = Instant::now();
    for _ in 0..count {
        file.write_all(&[0; 64])?;
        file.sync_data()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0 / f64::from(count))
}

/// How often this process's threads were woken in a while.
fn idle(pause: Duration) -> Outcome<u64> {
    // What starting had to do comes to rest first.
    std::thread::sleep(Duration::from_secs(2));
    let before = switches()?;
    std::thread::sleep(pause);
    Ok(switches()? - before)
}

fn switches() -> Outcome<u64> {
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(task?.path().join("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += line.unwrap_or("0").trim().parse::<u64>()?;
    }
    Ok(sum)
}

fn status(key: &str) -> Outcome<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0 kB");
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a short list"
    )]
    let at = (q * last as f64).round() as usize;
    values.get(at).copied().unwrap_or_default()
}

fn say(text: &str) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{} {text}", now.as_secs() % 100_000);
}
