//! Both ends folders of the machine, where neither SMB nor a network adds anything: the relay beside its peers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::Wrong;
use super::super::event::{Eye, Happening};
use super::super::lab::Lab;
use super::peers::start;
use super::{Limit, Line, Times, flush};
use crate::faux::forms::Form;

/// Files one by one; at least 200.
const FILES: usize = 400;
/// Every so many of them, one goes to each peer that takes a second for it, and one takes two looks.
const SLOW_EVERY: usize = 10;
/// Size of a file, bytes: a request of the field.
const SIZE: usize = 2048;
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the site file of the bench changes in the lab's table of kinds.
const KINDS: &str = r#"
[[kind]]
key = "OQSsiquc01req"
extensions = ["xml", "zip", "csv"]
time-to-live-s = 604800
"#;

/// The two folders.
#[derive(Debug)]
pub struct Local {
    /// The one that the box shares with the receipt computer.
    pub consumer: PathBuf,
    /// The terminal's.
    pub terminal: PathBuf,
}

impl Local {
    /// Starts the lab's box anew with a folder of its own as the terminal.
    ///
    /// # Errors
    /// It does not start.
    pub fn begin(lab: &Lab) -> Result<Self, Wrong> {
        let clinic = lab.clinic();
        let (consumer, terminal) = (clinic.clinic_folder(), clinic.place("bench-terminal"));
        for folder in ["req", "res", "face"] {
            open(&terminal.join(folder))?;
        }
        let text = fs::read_to_string(clinic.site())?;
        let share = "share = '\\\\192.0.2.2\\OQS'\nlogin = \"secret:t1\"\n";
        let text = text.replace(share, &format!("path = {terminal:?}\n"));
        fs::write(clinic.site(), text + KINDS)?;
        lab.restart()?;
        Ok(Self { consumer, terminal })
    }

    /// A folder that nobody looks at, from which files are renamed into the receipt computer's.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn ready(&self) -> Result<PathBuf, Wrong> {
        let ready = self.terminal.join("ready");
        open(&ready)?;
        let owner = fs::metadata(self.consumer.join("req"))?;
        chown(&ready, Some(owner.uid()), Some(owner.gid()))?;
        Ok(ready)
    }

    /// One file after the other, each for one contender; and F beside them.
    ///
    /// # Errors
    /// A file does not arrive, a peer does not work.
    pub fn one_by_one(&self, lab: &Lab) -> Result<(Vec<Line>, f64), Wrong> {
        let peers = start(lab)?;
        let (mut at_once, mut two_looks, mut flushed) =
            (Times::default(), Times::default(), Times::default());
        let mut by_peer = vec![Times::default(); peers.len()];
        let relay = Way { from: self.consumer.join("req"), to: self.terminal.join("req") };
        let bytes = Form::Xml.request("bench", SIZE);
        for number in 0..FILES {
            at_once.add(relay.walk(&format!("OQSsiquc01req_A{number}.xml"), &bytes)?);
            flush(&self.consumer, &mut flushed)?;
            for (peer, times) in peers.iter().zip(&mut by_peer) {
                if !peer.is_slow() || number % SLOW_EVERY == 0 {
                    times.add(peer.way().walk(&format!("OQSsiquc01req_P{number}.xml"), &bytes)?);
                }
            }
            if number % SLOW_EVERY == 0 {
                two_looks.add(relay.walk(&format!("OQSsiquc01req_B{number}.csv"), b"1,2\r\n")?);
            }
        }
        let f = flushed.median();
        let limit = Limit { median: 2.0 * f + 1.0, p99: 3.0 * f + 5.0 };
        let mut lines = vec![
            Line::new("relay: close -> final name, taken at once", at_once).within(limit),
            Line::new("relay: the same, of a kind that needs two looks", two_looks),
        ];
        lines.extend(peers.iter().zip(by_peer).map(|(peer, times)| Line::new(peer.name(), times)));
        lines.push(Line::new("F: one fdatasync of 2 KB beside the folder", flushed));
        Ok((lines, f))
    }
}

/// Makes a folder that every role may write to.
pub fn open(folder: &Path) -> Result<(), Wrong> {
    fs::create_dir_all(folder)?;
    for folder in folder.parent().into_iter().chain([folder]) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    }
    Ok(())
}

/// From one folder to another.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where files are put.
    pub from: PathBuf,
    /// Where they come out.
    pub to: PathBuf,
}

impl Way {
    /// From the close of a file by its writer until it stands under its name.
    ///
    /// # Errors
    /// It does not arrive.
    pub fn walk(&self, name: &str, bytes: &[u8]) -> Result<Duration, Wrong> {
        let stands = Eye::on(&self.to, Happening::MovedIn)?;
        put(&self.from.join(name), bytes)?;
        let closed = Instant::now();
        let (_, at) = stands.see(PATIENCE, |seen| seen == name)?;
        Ok(at.saturating_duration_since(closed))
    }
}

/// Writes a file as the owner of its folder would.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), Wrong> {
    let owner = fs::metadata(path.parent().unwrap_or(Path::new("/")))?;
    let mut file = fs::File::create_new(path)?;
    fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    file.write_all(bytes)?;
    Ok(())
}
