//! `faux-oqs`: the double of the link application on the terminal. Prints `ready` when it works and listens.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clinic::faux::Error;
use clinic::faux::oqs::Oqs;

/// The double of the link application: takes requests out of DIR/req, leaves answers in DIR/res.
#[derive(Parser)]
struct Call {
    /// The folder that holds req, res and face; they are made when absent.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// The control socket: one line in (KEY=VALUE or `counts`), one line out (`ok …` or `err …`).
    #[arg(long, value_name = "SOCK")]
    control: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    // What the application leaves is every account's on the terminal.
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    match play(Call::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "faux-oqs: failed to {error}");
            ExitCode::from(69)
        }
    }
}

async fn play(call: Call) -> Result<(), Error> {
    let oqs = Oqs::open(&call.root)?;
    let control = Oqs::control(&call.control)?;
    let _ = writeln!(std::io::stdout(), "ready");
    tokio::select! {
        () = oqs.clone().work() => Ok(()),
        () = oqs.clone().speak() => Ok(()),
        () = oqs.listen(control) => Ok(()),
    }
}
