//! The one binary: the daemon's roles and every operator verb. It knows every room and decides nothing.
//!
//! Read [`start`] from top to bottom to see the daemon come up.

mod boot;
mod capability;
mod cli;
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

#[tokio::main]
async fn run(command: cli::Command) -> Result<ExitCode, failure::Failure> {
    use cli::Command;
    match command {
        Command::Daemon(args) => start::daemon(args).await,
        Command::Boot(args) => boot::run(&args),
        Command::Generate(args) => verb::generate::run(&args),
        Command::Site(args) => verb::site::run(&args),
        Command::Policy(args) => verb::policy::run(args).await,
        Command::Status(args) => verb::status::run(&args).await,
        Command::Check(args) => verb::check::run(&args).await,
        Command::Console(args) => verb::console::run(&args).await,
        Command::Stick(args) => stick::run(&args),
        Command::Relay(args) => verb::relay::run(&args).await,
    }
}
