//! The words of the command line, and the one place that prints.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nix::sys::signal::Signal;

use crate::error::{Error, doing};
use crate::fault::{CATALOGUE, Fault};
use crate::host::Door;
use crate::layout::{Layout, Line, Uplink, Wiring};
use crate::plan::{Place, TheBox};
use crate::record::Record;
use crate::status::{self, Status};
use crate::up::{Wish, need_root, up};
use crate::{change, forward, keeper, line, lives, remains, terminal, the_box};

/// The virtual clinic: a whole clinic in network namespaces, with the real parts running.
///
/// Its hosts are ngn, centre, box, terminal, clinic and home, and those that its line needs; their namespaces are NAME-HOST. Exit codes: 0 done, 64 usage,
/// 69 something is missing, 70 something failed, 75 the name is taken, 77 not root.
#[derive(Debug, Parser)]
#[command(name = "clinic", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring a clinic up
    Up(Up),
    /// Take a clinic down, or clear away what is left of one
    Down(Name),
    /// Make a fault, or undo it; comes back when it is really so
    Fault {
        #[command(flatten)]
        name: Name,
        /// Its code, like WAN-01 or TERM-01:cable
        code: String,
        /// Make it or undo it
        switch: Switch,
    },
    /// List the faults that can be made
    Faults,
    /// Kill sekisho on the box as a crash would (kill -9), or start it again; comes back when it is so
    Daemon {
        #[command(flatten)]
        name: Name,
        /// What to do
        order: Order,
        /// Only what runs this role
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
    },
    /// Run a command in a host: its network, its mounts
    Exec {
        #[command(flatten)]
        name: Name,
        /// The host
        host: String,
        /// The command
        #[arg(last = true, required = true)]
        argv: Vec<String>,
    },
    /// Say what is up, and where
    Status {
        #[command(flatten)]
        name: Name,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Steer the link application's double on the terminal
    Oqs {
        #[command(flatten)]
        name: Name,
        /// A setting, KEY=VALUE, or `counts`
        #[arg(required = true)]
        setting: Vec<String>,
    },
    /// The life of a host's keeper
    #[command(hide = true)]
    Keeper { name: String, host: String },
    /// Pulls a cable and puts it in again, for ever
    #[command(hide = true)]
    Flap { port: String, root: PathBuf },
    /// Starts a role and kills it, for ever
    #[command(hide = true)]
    Crash { name: String, role: String },
    /// What systemd does for radvd on the box
    #[command(hide = true)]
    Advertise { program: PathBuf, config: PathBuf },
    /// The life of the page's forwarder
    #[command(hide = true)]
    Forward,
}

#[derive(Debug, Args)]
struct Name {
    /// The clinic's name
    #[arg(long, default_value = "sk")]
    name: String,
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    name: Name,
    /// The line
    #[arg(long, value_enum, default_value = "ra")]
    line: Line,
    /// How the box is wired to the line
    #[arg(long, value_enum, default_value = "new")]
    wiring: Wiring,
    /// What there is beside the line
    #[arg(long, value_enum, default_value = "closed")]
    uplink: Uplink,
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
    /// What stands where the box is
    #[arg(long = "box", value_enum, default_value = "daemon")]
    the_box: TheBox,
    /// Each role of sekisho a process and a user of its own: the same as --box split
    #[arg(long, conflicts_with = "the_box")]
    split: bool,
    /// A fault the clinic is born with; may be given more than once
    #[arg(long, value_name = "CODE", num_args = 1..)]
    fault: Vec<String>,
    /// The sekisho to run instead of the one beside this program
    #[arg(long, value_name = "PATH")]
    sekisho: Option<PathBuf>,
    /// Port of the host's loopback for the page; any free one if 0
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    http: u16,
    /// The same for the HTTPS page
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    https: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Kill,
    Start,
}

/// Runs the program: reads the command line, does it, prints, and gives the exit code.
pub fn run() -> ExitCode {
    let call = match Cli::try_parse() {
        Ok(call) => call,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match obey(call.verb) {
        Ok(text) => {
            // A reader who has left is no fault of ours.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "clinic: failed to {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Does what a verb says and gives what it prints.
fn obey(verb: Verb) -> Result<String, Error> {
    match verb {
        Verb::Up(call) => bring_up(call),
        Verb::Down(name) => take_down(&name),
        Verb::Fault { name, code, switch } => switch_fault(&name, &code, switch),
        Verb::Faults => {
            Ok(CATALOGUE.iter().map(|fault| format!("{:<15}{}\n", fault.code, fault.what)).collect())
        }
        Verb::Daemon { name, order, role } => order_daemon(&name.place()?, order, role.as_deref()),
        Verb::Exec { name, host, argv } => {
            let (record, host) = (standing(&name.place()?)?, status::host(&host)?);
            let keeper = *record.keepers.get(&host).ok_or_else(|| status::no_host(&record, host.name()))?;
            Err(Door::open(host, keeper)?.become_command(&argv))
        }
        Verb::Status { name, json } => {
            let place = name.place()?;
            show(&Status::of(&place, &standing(&place)?)?, json)
        }
        Verb::Oqs { name, setting } => {
            let place = name.place()?;
            standing(&place)?;
            terminal::steer(&place, &setting.join(" "))
        }
        Verb::Keeper { name, host } => {
            keeper::keep(&Name { name }.place()?, status::host(&host)?).map(|()| String::new())
        }
        Verb::Flap { port, root: _ } => lives::flap(&port).map(|()| String::new()),
        Verb::Crash { name, role } => lives::crash(&Name { name }.place()?, &role).map(|()| String::new()),
        Verb::Advertise { program, config } => lives::advertise(&program, &config).map(|()| String::new()),
        Verb::Forward => forward::forward().map(|()| String::new()),
    }
}

impl Name {
    fn place(&self) -> Result<Place, Error> {
        Place::of(&self.name).ok_or_else(|| {
            let allowed = "1 to 20 letters, digits and hyphens";
            Error::Usage(format!("call a clinic {:?}: a name has {allowed}", self.name))
        })
    }
}

fn bring_up(call: Up) -> Result<String, Error> {
    let place = call.name.place()?;
    let layout = Layout::of(call.line, call.wiring)?.beside(call.uplink);
    let faults = call.fault.iter().map(|code| fault(code)).collect::<Result<Vec<_>, Error>>()?;
    faults.iter().try_for_each(|fault| on_this_line(fault, layout))?;
    let wish = Wish {
        place: place.clone(),
        layout,
        faults,
        the_box: if call.split { TheBox::Split } else { call.the_box },
        sekisho: call.sekisho,
        page: [call.http, call.https],
    };
    let record = up(&wish)?;
    show(&Status::of(&place, &record)?, call.json)
}

fn take_down(name: &Name) -> Result<String, Error> {
    need_root()?;
    let place = name.place()?;
    match remains::claim(&place)? {
        Some(_claim) => remains::sweep(&place).map(|()| String::new()),
        None => Ok(format!("no clinic named {} is up\n", place.name)),
    }
}

fn fault(code: &str) -> Result<&'static Fault, Error> {
    Fault::from_code(code)
        .ok_or_else(|| Error::Usage(format!("make {code}: `clinic faults` lists what can be made")))
}

fn on_this_line(fault: &Fault, layout: Layout) -> Result<(), Error> {
    let (code, line) = (fault.code, layout.line.word());
    if fault.is_on(layout) {
        Ok(())
    } else {
        Err(Error::Usage(format!("make {code} on a line of kind {line}")))
    }
}

fn switch_fault(name: &Name, code: &str, switch: Switch) -> Result<String, Error> {
    need_root()?;
    let (place, fault) = (name.place()?, fault(code)?);
    let claim = remains::claim(&place)?;
    let mut record = standing(&place)?;
    on_this_line(fault, record.layout)?;
    let from = record.world();
    match switch {
        Switch::On => record.faults.insert(fault.code.to_owned()),
        Switch::Off => record.faults.remove(fault.code),
    };
    let to = record.world();
    let ground = record.ground(place)?;
    let changed = change::change(&ground, &mut record.daemons, &from, &to);
    // Also when it failed: the daemons that run now are others.
    record.write(&ground.place)?;
    drop(claim);
    changed.map(|()| String::new())
}

fn order_daemon(place: &Place, order: Order, role: Option<&str>) -> Result<String, Error> {
    let claim = remains::claim(place)?;
    let mut record = standing(place)?;
    let Some(sekisho) = record.sekisho.clone() else {
        return Err(Error::Usage(format!(
            "find a daemon: this clinic came up with `--box {}`",
            record.the_box.word()
        )));
    };
    for name in the_box::runs(record.the_box, role)? {
        line::stop(&mut record.daemons, name, Signal::SIGKILL);
    }
    let started = if order == Order::Start {
        let ground = record.ground(place.clone())?;
        the_box::sekisho_itself(&ground, &sekisho, role).map(|daemons| record.daemons.extend(daemons))
    } else {
        Ok(())
    };
    // Also when it failed: what ran before does not run any more.
    record.write(place)?;
    drop(claim);
    started.map(|()| String::new())
}

/// The record of a clinic that is up.
fn standing(place: &Place) -> Result<Record, Error> {
    need_root()?;
    let record = Record::read(place)?;
    if record.is_alive() { Ok(record) } else { Err(Error::NotUp(place.name.clone())) }
}

fn show(status: &Status, json: bool) -> Result<String, Error> {
    if !json {
        return Ok(status.to_string());
    }
    let text = serde_json::to_string_pretty(status).map_err(doing("print the status"))?;
    Ok(text + "\n")
}
