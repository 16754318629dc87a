//! `faux-centre`: the double of the qualification centre and its neighbours. Prints `ready` when all listen.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clinic::faux::centre::{Centre, Plan};

/// The double of the qualification centre: service, line authentication, distribution, certificates, proxy.
#[derive(Parser)]
struct Call {
    #[command(flatten)]
    plan: Plan,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Centre::open(&Call::parse().plan).await {
        Ok(centre) => {
            // Nobody reading our stdout is no reason to leave.
            let _ = writeln!(std::io::stdout(), "ready");
            centre.serve().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "faux-centre: failed to {error}");
            ExitCode::from(69)
        }
    }
}
