//! `image`: makes the disk image, and writes it to a disk.

use std::process::ExitCode;

fn main() -> ExitCode {
    image::cli::run()
}
