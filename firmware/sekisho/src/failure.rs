//! How a verb that could not do its work ends: one sentence on standard error and a sysexits code.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use model::part::Role;
use model::site::SiteError;

use crate::output;

/// sysexits.h, as far as we use it.
pub mod code {
    /// The answer is "no": a fault is judged, a promise is not proved.
    pub const NO: u8 = 1;
    /// The command line was wrong.
    pub const USAGE: u8 = 64;
    /// The data was wrong.
    pub const DATA: u8 = 65;
    /// No daemon answers, or this build cannot do it.
    pub const UNAVAILABLE: u8 = 69;
    /// Something this program cannot explain by its surroundings.
    pub const SOFTWARE: u8 = 70;
    /// A file could not be written.
    pub const CANTCREAT: u8 = 73;
    /// Nothing can be said yet.
    pub const TEMPFAIL: u8 = 75;
    /// Not permitted.
    pub const NOPERM: u8 = 77;
}

/// Why a verb ended.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Every mistake in a site file or a profile.
    #[error("{}", lines(.0))]
    Site(Vec<SiteError>),
    /// A right site file asks for what this build does not bring up yet.
    #[error("this build cannot start with this site file\n{}", .0.join("\n"))]
    NotYet(Vec<String>),
    /// A file could not be read.
    #[error("failed to read {path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error("failed to write {path}: {source}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}", path = path.display())]
    Data {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No daemon answers on a socket.
    #[error("no daemon answers on {path} ({reason})", path = path.display())]
    NoDaemon {
        /// The socket.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder of the sockets belongs to a running daemon.
    #[error("a daemon is already running with its sockets in {path}", path = .0.display())]
    AlreadyRunning(PathBuf),
    /// A role answered something else than its part.
    #[error("{role} answered {reason}", role = role.key())]
    Answer {
        /// Which role.
        role: Role,
        /// What it answered.
        reason: String,
    },
    /// A role lacks what it needs of the kernel.
    #[error("{role} lacks {capabilities}", role = role.key(), capabilities = .capabilities.join(", "))]
    Lacks {
        /// Which role.
        role: Role,
        /// The capabilities, by name.
        capabilities: Vec<&'static str>,
    },
    /// A role that works for a site was started without one.
    #[error("{role} has nothing to do while no site is in force", role = .0.key())]
    NoSite(Role),
    /// A port of the page is taken by another program.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// What `netd` should have lent has not come.
    #[error("failed to borrow sockets on {path}: {reason}", path = path.display())]
    NotLent {
        /// The lender's socket.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// `netd` has not said that the ruleset is in force and proved.
    #[error("netd has not said within {} s that the firewall is proved", .0.as_secs())]
    NotProved(Duration),
    /// Ports of the site file this machine does not have.
    #[error("the box has no port {}", .0.join(", no port "))]
    NoPorts(Vec<String>),
    /// The firewall could not be brought up; everything is dropped.
    #[error("failed to bring the firewall up: {0}")]
    Firewall(#[from] firewall::Error),
    /// The relay could not start.
    #[error("failed to start the relay: {0}")]
    Relay(#[from] relay::Error),
    /// The probes could not start.
    #[error("failed to start the probes: {0}")]
    Reach(#[from] reach::Error),
    /// The terminals' segment could not be served.
    #[error("failed to {0}")]
    Segment(#[from] segment::Error),
    /// The page could not be served.
    #[error("failed to serve the page: {0}")]
    Page(#[from] web_ui::Error),
    /// A role ended though nobody asked it to.
    #[error("{role} ended by itself", role = .0.key())]
    RoleEnded(Role),
    /// A role broke an invariant of its own.
    #[error("a role stopped: {0}")]
    Panicked(String),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Site(_) | Self::Data { .. } | Self::NoPorts(_) | Self::NoSite(_) => code::DATA,
            Self::Read { .. } => 66,
            Self::Write { .. } => code::CANTCREAT,
            Self::NotYet(_)
            | Self::NoDaemon { .. }
            | Self::AlreadyRunning(_)
            | Self::Listen { .. }
            | Self::NotLent { .. }
            | Self::Page(_)
            | Self::Reach(_)
            | Self::Segment(_) => code::UNAVAILABLE,
            Self::NotProved(_) => code::TEMPFAIL,
            Self::Lacks { .. } => code::NOPERM,
            Self::Answer { .. }
            | Self::Firewall(_)
            | Self::Relay(_)
            | Self::RoleEnded(_)
            | Self::Panicked(_) => code::SOFTWARE,
        }
    }

    /// Says it on standard error and gives the exit code.
    pub fn tell(&self) -> ExitCode {
        output::error(&format!("sekisho: {self}"));
        ExitCode::from(self.code())
    }
}

fn lines(errors: &[SiteError]) -> String {
    let said: Vec<String> = errors.iter().map(SiteError::to_string).collect();
    let count = errors.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    format!("{count} {noun}\n{}", said.join("\n"))
}

/// What clap says: help and version are no failures.
pub fn usage(refused: &clap::Error) -> ExitCode {
    let text = refused.render().to_string();
    if refused.use_stderr() {
        output::error(text.trim_end());
        return ExitCode::from(code::USAGE);
    }
    output::print(text.trim_end());
    ExitCode::SUCCESS
}
