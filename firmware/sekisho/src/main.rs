//! The one binary: the daemon's roles and every operator verb. It knows every room and decides nothing.
//!
//! Read [`start`] from top to bottom to see the daemon come up.

mod boot;
mod capability;
mod cli;
mod contract;
mod failure;
mod files;
mod generate;
mod log;
mod notify;
mod output;
mod role;
mod secret;
mod site_file;
mod snapshot;
mod socket;
mod start;
mod stick;
mod verb;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let command = match cli::Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refused) => return failure::usage(&refused),
    };
    match run(command) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

/// What needs no runtime gets none: its threads and their socket pair would be rights too many for who reads a stick.
fn run(command: cli::Command) -> Result<ExitCode, failure::Failure> {
    use cli::Command;
    match command {
        Command::Audit(args) => verb::audit::run(&args),
        Command::RelayHistory { folder } => verb::relay_history::run(&folder),
        Command::Boot(args) => boot::run(&args),
        Command::Hold { program } => verb::hold::run(&program),
        Command::Generate(args) => verb::generate::run(&args),
        Command::SessionBegins { folder } => verb::session::begins(&folder),
        Command::SessionEnded { folder } => verb::session::ended(&folder),
        Command::Secret(args) => verb::secret::run(&args),
        Command::Site(args) => verb::site::run(&args),
        Command::Stick(args) => stick::run(&args),
        Command::Daemon(args) => {
            one_heap();
            wait(start::daemon(args))
        }
        Command::Policy(args) => wait(verb::policy::run(args)),
        Command::Status(args) => wait(verb::status::run(&args)),
        Command::Maintenance(args) => wait(verb::maintenance::run(args)),
        Command::Check(args) => wait(verb::check::run(&args)),
        Command::Rehearse(args) => Ok(verb::rehearse::run(&args)),
        Command::History(args) => wait(verb::history::run(&args)),
        Command::Console(args) => wait(verb::console::run(&args)),
        Command::Relay(args) => wait(verb::relay::run(&args)),
    }
}

/// The threads share one heap (mallopt(3)): each of their own would keep what its threads needed once, and the roles are
/// seldom busy at the same time.
#[expect(unsafe_code, reason = "nix has no mallopt")]
fn one_heap() {
    // SAFETY: nobody else allocates yet; what it says is whether the wish was understood.
    let _ = unsafe { nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1) };
}

fn wait<T>(work: impl Future<Output = Result<T, failure::Failure>>) -> Result<T, failure::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| failure::Failure::Read { path: "a runtime".into(), source })?;
    runtime.block_on(work)
}
