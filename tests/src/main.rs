//! `clinic`: brings a virtual clinic up and down, makes its faults, says how it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    clinic::cli::run()
}
