//! The words of the command line. Every verb that talks to the daemon takes the same `--socket`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::decision::Reason;
use model::part::Role;
use model::ruleset::Apply;

/// Where the roles' sockets are unless somebody says otherwise.
pub const SOCKETS: &str = "/run/sekisho";
/// Where the daemon keeps what must survive a restart.
pub const STATE: &str = "/var/lib/sekisho";

/// Sekisho (関所): the checkpoint between a clinic and the qualification line.
///
/// Exit codes: 0 done; 1 the answer is "no" (a fault is judged, a promise is not proved); 64 usage; 65 bad data;
/// 69 no daemon; 70 a fault of this program; 73 cannot write; 75 try again later; 77 not permitted.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the box: firewall, relay, probes, lamps and page, as the site file says
    Daemon(Daemon),
    /// Write the configuration of the system's own daemons (Samba, unbound, chrony, networkd) from the site file
    Generate(Generate),
    /// A step of coming up; what the units of the image run
    Boot(Boot),
    /// Look at a site file
    Site(Site),
    /// Hold a shared key against the installer's list of other sites' keys
    Secret(Secret),
    /// Compile the firewall, prove what it promises, change it, or say what it lets pass and what it refused
    Policy(Policy),
    /// Say how the box is, as the page does
    Status(Status),
    /// Look at every rung now and say whose fault it is (exit 0 usable, 1 fault, 75 unknown, 69 no daemon)
    Check(Check),
    /// Show what page and lamps would say of a fault, without one
    Rehearse(Rehearse),
    /// Read a stick with a site file, and take it over
    Stick(Stick),
    /// Say on the console what this box is and how it is, line by line as it changes
    Console(Console),
    /// Say what the relay has in hand, and decide about what it holds
    Relay(Relay),
    /// Remote maintenance: consent to it, close it, and review what was done
    Maintenance(Maintenance),
    /// The record of what persons decided
    Audit(Audit),
    /// Say what is remembered of the line: 72 hours of every rung, and the faults there were, newest first
    History(History),
    /// Run a program for as long as whoever is on standard input stays; what a unit of the image runs
    #[command(hide = true)]
    Hold {
        /// The program
        program: PathBuf,
    },
    /// Note the port and its carrier before pppd begins; what the unit of a session runs
    #[command(hide = true)]
    SessionBegins {
        /// Folder of the roles' sockets
        #[arg(long = "socket", value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        folder: PathBuf,
    },
    /// Note how pppd ended, from its exit status and its log; what the unit of a session runs
    #[command(hide = true)]
    SessionEnded {
        /// Folder of the roles' sockets
        #[arg(long = "socket", value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        folder: PathBuf,
    },
    /// Answer one question about the relay's history, from standard input; what the relay runs
    #[command(hide = true)]
    RelayHistory {
        /// The relay's own folder
        folder: PathBuf,
    },
}

/// `sekisho daemon`
#[derive(Debug, Args)]
pub struct Daemon {
    /// The site file
    #[arg(long, value_name = "FILE")]
    pub site: PathBuf,
    /// Folder of what must survive a restart
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state: PathBuf,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
    /// Run one role only: netd, relayd, reachd, boardd or webd; without it all run in this process
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Option<Role>,
    /// How the box came up (boot.json); without it the site is in force and the board is simulated
    #[arg(long, value_name = "FILE")]
    pub boot: Option<PathBuf>,
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_key(name).ok_or_else(|| format!("the roles are {}", Role::ALL.map(Role::key).join(", ")))
}

/// `sekisho generate`
#[derive(Debug, Args)]
pub struct Generate {
    /// The site file
    #[arg(long, value_name = "FILE")]
    pub site: PathBuf,
    /// Folder of what must survive a restart; the share's credentials are made there
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state: PathBuf,
    /// Folder the configuration is written to
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Folder of the roles' sockets, where the resolver's answers are heard and charons are driven
    #[arg(long, value_name = "DIR", default_value = SOCKETS)]
    pub socket: PathBuf,
    /// The user the share's files belong to: the one the relay runs as; who asks if absent
    #[arg(long, value_name = "USER")]
    pub owner: Option<String>,
    /// charon encrypts by itself, on a TUN: for a kernel without ESP
    #[arg(long)]
    pub userspace_ipsec: bool,
}

/// `sekisho boot`
#[derive(Debug, Args)]
pub struct Boot {
    /// Which step.
    #[command(subcommand)]
    pub verb: BootVerb,
    /// Where the kernel shows the machine
    #[arg(long, value_name = "DIR", global = true, default_value = "/sys")]
    pub sys: PathBuf,
    /// Folder of what is made anew at every boot
    #[arg(long, value_name = "DIR", global = true, default_value = "/run")]
    pub run: PathBuf,
    /// Folder of what must survive a restart
    #[arg(long, value_name = "DIR", global = true, default_value = STATE)]
    pub state: PathBuf,
}

/// The steps of `sekisho boot`, in their order.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum BootVerb {
    /// Find out which board this is and give the ports their names
    Board,
    /// Make, check and mount the data partition
    Data,
    /// After a `data` that did not end: memory in its place
    Lost,
    /// Decide what the box may do, and write what the daemons need for it
    Site,
    /// Give Samba the accounts of the share; run where their Unix accounts are seen
    Accounts,
}

/// `sekisho site`
#[derive(Debug, Args)]
pub struct Site {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: SiteVerb,
}

/// The verbs of `sekisho site`.
#[derive(Debug, Subcommand)]
pub enum SiteVerb {
    /// Check a site file with the very code that starting runs; says every mistake at once
    Check {
        /// The site file
        file: PathBuf,
    },
}

/// `sekisho secret`
#[derive(Debug, Args)]
pub struct Secret {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: SecretVerb,
}

/// The verbs of `sekisho secret`.
#[derive(Debug, Subcommand)]
pub enum SecretVerb {
    /// Say whether another site has this shared key (exit 65 if so), and enter it for a site
    Fingerprint {
        /// The file with the shared key
        key: PathBuf,
        /// The installer's list: a fingerprint and a site a line
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// The file with the installer's sentence, which keys the list
        #[arg(long, value_name = "FILE")]
        sentence: PathBuf,
        /// Enter the key for this site
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
    },
}

/// `sekisho policy`
#[derive(Debug, Args)]
pub struct Policy {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

/// The verbs of `sekisho policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Print the ruleset of a site file as nft JSON
    Compile {
        /// The site file
        #[arg(long, value_name = "FILE")]
        site: PathBuf,
    },
    /// Prove what the firewall promises, or show a packet that breaks it (exit 1)
    Prove {
        /// The site file whose promises are asked for; not needed with --live
        #[arg(long, value_name = "FILE", required_unless_present = "live", conflicts_with = "live")]
        site: Option<PathBuf>,
        /// A ruleset in `nft -j list ruleset` form instead of the one compiled from the site file
        #[arg(long, value_name = "FILE", requires = "site")]
        ruleset: Option<PathBuf>,
        /// What the kernel of the running box holds
        #[arg(long)]
        live: bool,
        /// Print JSON (docs/prove.schema.json): what breaks a promise as a packet too
        #[arg(long)]
        json: bool,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Put the ruleset of another site file in force, and take it back unless it is confirmed (exit 1: refused)
    Apply {
        /// The site file
        site: PathBuf,
        /// How long to wait for the confirmation
        #[arg(long, value_name = "SECONDS", default_value_t = Apply::WITHIN_S,
              value_parser = clap::value_parser!(u32).range(i64::from(Apply::SHORTEST_S)..=i64::from(Apply::LONGEST_S)))]
        within: u32,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Keep the ruleset that waits: it takes the word that `apply` said, and a connection made after it (exit 1: no)
    Confirm {
        /// The word
        word: String,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Take the ruleset that waits back at once
    Revert(Ask),
    /// Say what waits to be confirmed (exit 1: nothing)
    Pending(Ask),
    /// Say what was refused of late, and how much each line has counted
    Drops(Ask),
    /// Say that a person has seen that the rules were changed behind the box's back (exit 1: they were not)
    Seen(Ask),
    /// Say what becomes of one packet, and which line decides it (exit 0 it passes, 1 it does not)
    Explain(Box<Explain>),
    /// Say what may pass with the new one and what no longer may, in packets and not in lines (exit 0 nothing changes)
    Diff {
        /// The site file before
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The site file after
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// Both are rulesets in `nft -j list ruleset` form
        #[arg(long)]
        ruleset: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what may be opened from each zone to each
    Matrix {
        /// The site file
        #[arg(long, value_name = "FILE")]
        site: PathBuf,
        /// A ruleset in `nft -j list ruleset` form instead of the one compiled from the site file
        #[arg(long, value_name = "FILE")]
        ruleset: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A question to the firewall.
#[derive(Debug, Args)]
pub struct Ask {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho policy explain`. A wrong packet is told with all its mistakes at once, so nothing of it is checked here.
#[derive(Debug, Args)]
pub struct Explain {
    /// The site file; not needed with --live
    #[arg(long, value_name = "FILE", required_unless_present = "live", conflicts_with = "live")]
    pub site: Option<PathBuf>,
    /// A ruleset in `nft -j list ruleset` form instead of the one compiled from the site file
    #[arg(long, value_name = "FILE", requires = "site")]
    pub ruleset: Option<PathBuf>,
    /// Ask the running box what its kernel holds
    #[arg(long)]
    pub live: bool,
    /// The zone it comes from, `box`, or `other` for a port in no zone
    #[arg(long, value_name = "ZONE", default_value = "")]
    pub from: String,
    /// The port it comes in by; the zone's own if left out
    #[arg(long = "in", value_name = "PORT", default_value = "")]
    pub port: String,
    /// The zone it goes to, `box` or `other`; by the destination if left out
    #[arg(long, value_name = "ZONE", default_value = "")]
    pub to: String,
    /// Source address
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    pub src: String,
    /// Destination address
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    pub dst: String,
    /// tcp, udp, icmp, icmp6, or a protocol's number
    #[arg(long, value_name = "PROTOCOL", default_value = "")]
    pub proto: String,
    /// Destination port
    #[arg(long, value_name = "PORT", default_value = "")]
    pub dport: String,
    /// Source port
    #[arg(long, value_name = "PORT", default_value = "")]
    pub sport: String,
    /// ICMP type
    #[arg(long, value_name = "NUMBER", default_value = "")]
    pub icmp_type: String,
    /// Connection tracking's word: new, established, related, invalid, untracked; that of a packet without a flow if left out
    #[arg(long, value_name = "STATE", default_value = "")]
    pub state: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho check`
#[derive(Debug, Args)]
pub struct Check {
    /// Print JSON (docs/check.schema.json): the verdict and the ladder with its evidence
    #[arg(long)]
    pub json: bool,
    /// Go on, and say the verdict again whenever it changes; with --json a line each
    #[arg(long)]
    pub watch: bool,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho status`
#[derive(Debug, Args)]
pub struct Status {
    /// Print JSON: with the verdict, and what is only recorded
    #[arg(long)]
    pub json: bool,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho history`
#[derive(Debug, Args)]
pub struct History {
    /// Print JSON (docs/history.md)
    #[arg(long)]
    pub json: bool,
    /// With --json: how wide a cell of the strips is, 10 at the least
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "json", value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub cell: u32,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho stick`
#[derive(Debug, Args)]
pub struct Stick {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: StickVerb,
}

/// The verbs of `sekisho stick`.
#[derive(Debug, Subcommand)]
pub enum StickVerb {
    /// Read the block device or file on standard input, and write down what was found
    Read {
        /// The folder that is made, whole; nothing is done while it is there
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Take over what was found, in the carton only, and start the box anew
    Adopt {
        /// What `read` made
        #[arg(long, value_name = "DIR", default_value = "/run/sekisho/stick/found")]
        found: PathBuf,
    },
    /// Check a copy of a stick's files; what `adopt` runs without any right
    #[command(hide = true)]
    Check {
        /// The copy
        folder: PathBuf,
    },
}

/// `sekisho rehearse`
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Its code, as in docs/faults.md
    #[arg(value_parser = fault_code)]
    pub code: model::FaultCode,
}

fn fault_code(key: &str) -> Result<model::FaultCode, String> {
    let known = || model::FaultCode::ALL.map(model::FaultCode::key).join(" ");
    model::FaultCode::from_key(&key.to_ascii_uppercase())
        .ok_or_else(|| format!("there is no fault of this code; there are {}", known()))
}

/// `sekisho console`
#[derive(Debug, Args)]
pub struct Console {
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho relay`
#[derive(Debug, Args)]
pub struct Relay {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: RelayVerb,
}

/// The verbs of `sekisho relay`.
#[derive(Debug, Subcommand)]
pub enum RelayVerb {
    /// List what waits and what is held: kind, number, age and one sentence; never a name
    List {
        /// Only what is held and needs a person
        #[arg(long)]
        held: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Say all that is known of one parcel, also of one that went or came (exit 1: nothing is known of it)
    Show {
        /// Its number
        number: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Say what each remembered day was like: requests, answers, half and nineteen of twenty answered within
    Days {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Folder of the roles' sockets
        #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
        socket: PathBuf,
    },
    /// Try a held parcel again; an uncertain request is sent a second time
    Retry(Decide),
    /// Give a held parcel back: under its own name into the folder `returned` of the clinic's share
    Return(Decide),
    /// Remove a held parcel for good
    Discard(Decide),
    /// Try on a terminal's share what the relay rests on, outside its folders (exit 0 all is so, 1 something is not)
    Selftest(Selftest),
}

/// `sekisho relay selftest`
#[derive(Debug, Args)]
pub struct Selftest {
    /// Which terminal, by its name in the site file; without a name every one
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "how clap writes an option whose value may be left out")]
    pub terminal: Option<Option<String>>,
    /// So many seconds somebody at the terminal has to open the test's file and keep it to himself
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=600))]
    pub attended: u16,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// A decision about one held parcel: exit 0 done; 1 it cannot be; 73 not done or not recorded; 75 try again.
#[derive(Debug, Args)]
pub struct Decide {
    /// Its number
    pub number: u64,
    /// Why, for the record: one line of at most 200 characters, without any patient's name or number
    #[arg(long, value_name = "TEXT", value_parser = Reason::new)]
    pub reason: Reason,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS)]
    pub socket: PathBuf,
}

/// `sekisho maintenance`: exit 0 done; 1 refused; 75 wait before the next PIN; 77 the PIN is wrong or missing. A PIN is
/// asked for on the terminal, or is a line of standard input: it is never an argument.
#[derive(Debug, Args)]
pub struct Maintenance {
    /// What to do.
    #[command(subcommand)]
    pub verb: MaintenanceVerb,
    /// Folder of the roles' sockets
    #[arg(long, value_name = "DIR", env = "SEKISHO_SOCKET", default_value = SOCKETS, global = true)]
    pub socket: PathBuf,
}

/// The verbs of `sekisho maintenance`.
#[derive(Debug, Subcommand)]
pub enum MaintenanceVerb {
    /// Let a maintainer in for a while; asks for the PIN of the clinic's responsible person
    Open {
        /// Who, by the name in the site file
        #[arg(long, value_name = "NAME")]
        maintainer: String,
        /// What for, for the record: one line, without any patient's name or number
        #[arg(long, value_name = "TEXT", value_parser = Reason::new)]
        reason: Reason,
        /// For how long; the site file's most if left out
        #[arg(long, value_name = "NUMBER")]
        minutes: Option<u16>,
        /// The second time, on a day on which claims are sent
        #[arg(long)]
        again: bool,
    },
    /// Let one further host and port be reached by who is in; asks for the PIN
    Further {
        /// The host, by its IPv4 address
        #[arg(long, value_name = "ADDRESS")]
        host: std::net::Ipv4Addr,
        /// Its TCP port
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        port: u16,
        /// What for, for the record
        #[arg(long, value_name = "TEXT", value_parser = Reason::new)]
        reason: Reason,
    },
    /// Close it at once; anybody in the clinic may
    Close,
    /// Say what is open now, and the sessions there were, the newest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Record that the responsible person has reviewed a session; asks for the PIN
    Review {
        /// Its number
        session: u64,
    },
    /// Set or change the PIN of the clinic's responsible person
    Pin,
    /// Print the box's own certificate, which the maintainer's gateway expects
    Certificate {
        /// Folder of what must survive a restart
        #[arg(long, value_name = "DIR", default_value = STATE)]
        state: PathBuf,
    },
}

/// `sekisho audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: AuditVerb,
    /// Folder of what must survive a restart
    #[arg(long, value_name = "DIR", global = true, default_value = STATE)]
    pub state: PathBuf,
}

/// The verbs of `sekisho audit`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum AuditVerb {
    /// Find a record that was changed, is missing, was moved, or an end that was cut off (exit 1)
    Verify,
    /// Print every record as a line of JSON, with its hashes
    Export,
}
