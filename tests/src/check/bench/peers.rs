//! What a clinic would take instead: lsyncd, syncthing, and the loop that people write themselves.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::event::until;
use super::super::lab::Lab;
use super::super::{Wrong, must};
use super::local::{Way, open};

/// How long a peer may take until it works.
const PATIENCE: Duration = Duration::from_secs(90);

/// A peer at work, until dropped.
#[derive(Debug)]
pub struct Peer {
    name: &'static str,
    way: Way,
    children: Vec<Child>,
    /// It waits a second before it does anything.
    slow: bool,
}

/// Starts all of them, each with two folders of its own beside the relay's.
///
/// # Errors
/// One is not installed, or does not copy a first file.
pub fn start(lab: &Lab) -> Result<Vec<Peer>, Wrong> {
    let peers = vec![lsyncd(lab)?, syncthing(lab)?, by_hand(lab)?];
    for peer in &peers {
        peer.works()?;
    }
    Ok(peers)
}

impl Peer {
    /// As the table calls it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its folders.
    pub const fn way(&self) -> &Way {
        &self.way
    }

    /// Whether it waits a second before it does anything.
    pub const fn is_slow(&self) -> bool {
        self.slow
    }

    /// It is at work once it has copied a first file.
    fn works(&self) -> Result<(), Wrong> {
        // Put again each time: what came before it watched, some of them never see.
        let first = self.way.to.join("first");
        let mut tries = 0;
        until(&format!("{} copies a first file", self.name), PATIENCE, || {
            if tries % 100 == 0 {
                fs::write(self.way.from.join("first"), b"first")?;
            }
            tries += 1;
            Ok(first.exists().then_some(()))
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        for child in &mut self.children {
            // The shell's inotifywait and syncthing's own child are of the group. Ended already: nothing is left to end.
            let group = i32::try_from(child.id()).map(Pid::from_raw);
            let _ = group.map(|group| killpg(group, Signal::SIGKILL));
            let _ = child.wait();
        }
    }
}

fn place(lab: &Lab, name: &str) -> Result<(PathBuf, Way), Wrong> {
    let home = lab.clinic().place(&format!("bench-{name}"));
    let way = Way { from: home.join("from"), to: home.join("to") };
    open(&way.from)?;
    open(&way.to)?;
    Ok((home, way))
}

/// In a group of its own, which ends as a whole.
fn spawn(command: &mut Command) -> Result<Child, Wrong> {
    let spawned =
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    spawned.map_err(|error| Wrong(format!("failed to start {:?}, a peer: {error}", command.get_program())))
}

fn lsyncd(lab: &Lab) -> Result<Peer, Wrong> {
    let (home, way) = place(lab, "lsyncd")?;
    let config = home.join("lsyncd.conf");
    let text = format!(
        "settings {{ nodaemon = true }}\nsync {{ default.rsync, source = {:?}, target = {:?}, delay = 1 }}\n",
        way.from, way.to
    );
    fs::write(&config, text)?;
    let child = spawn(Command::new("lsyncd").arg(&config))?;
    Ok(Peer { name: "lsyncd, delay 1", way, children: vec![child], slow: true })
}

/// `inotifywait`, `cp` beside the final name, `sync`, `mv`, `rm`.
fn by_hand(lab: &Lab) -> Result<Peer, Wrong> {
    let (_, way) = place(lab, "loop")?;
    let script = "inotifywait -q -m -e close_write,moved_to --format %f \"$0\" | while read -r f; do \
                  cp \"$0/$f\" \"$1/.$f.part\" && sync \"$1/.$f.part\" && mv -n \"$1/.$f.part\" \"$1/$f\" && \
                  rm \"$0/$f\"; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(&way.from).arg(&way.to);
    let child = spawn(&mut command)?;
    Ok(Peer { name: "inotifywait + cp + sync + mv", way, children: vec![child], slow: false })
}

/// Two instances on the loopback of the clinic's PC, which know of nobody else.
fn syncthing(lab: &Lab) -> Result<Peer, Wrong> {
    let (home, way) = place(lab, "syncthing")?;
    let homes = [home.join("one"), home.join("two")];
    let ids = [generate(&homes[0])?, generate(&homes[1])?];
    let mut children = Vec::new();
    for (at, (own, folder)) in homes.iter().zip([&way.from, &way.to]).enumerate() {
        fs::write(own.join("config.xml"), settings(at, &ids, folder))?;
        let argv = ["syncthing", "serve", "--no-browser", "--no-restart", "--no-upgrade", "--home"];
        let mut command = lab.clinic().command("clinic", &argv);
        children.push(spawn(command.arg(own))?);
    }
    Ok(Peer { name: "syncthing, watcher 1 s", way, children, slow: true })
}

/// Makes a key; gives the id that goes with it.
fn generate(home: &Path) -> Result<String, Wrong> {
    let mut command = Command::new("syncthing");
    let made = command.args(["generate", "--no-default-folder", "--home"]).arg(home).output();
    let made = made.map_err(|error| Wrong(format!("failed to start syncthing, a peer: {error}")))?;
    let said = String::from_utf8_lossy(&made.stderr).into_owned() + &String::from_utf8_lossy(&made.stdout);
    must(made.status.success(), || format!("syncthing generate: {said}"))?;
    let text = fs::read_to_string(home.join("config.xml"))?;
    let id = text.split("<device id=\"").nth(1).and_then(|rest| rest.split('"').next());
    id.map(str::to_owned).ok_or_else(|| Wrong::new("syncthing generate made no device"))
}

fn settings(own: usize, ids: &[String; 2], folder: &Path) -> String {
    let device = |at: usize| {
        let id = &ids[at];
        format!("<device id=\"{id}\"><address>tcp://127.0.0.1:{}</address></device>", 22_001 + at)
    };
    let share = ids.iter().map(|id| format!("<device id=\"{id}\"></device>")).collect::<String>();
    format!(
        "<configuration version=\"35\"><folder id=\"bench\" path=\"{}\" type=\"sendreceive\" rescanIntervalS=\"3600\" \
         fsWatcherEnabled=\"true\" fsWatcherDelayS=\"1\">{share}</folder>{}{}<gui enabled=\"false\"></gui><options>\
         <listenAddress>tcp://127.0.0.1:{}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>\
         <localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>\
         <startBrowser>false</startBrowser><urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH>\
         <crashReportingEnabled>false</crashReportingEnabled><reconnectionIntervalS>1</reconnectionIntervalS></options>\
         </configuration>",
        folder.display(),
        device(0),
        device(1),
        22_001 + own,
    )
}
