//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::build::{self, Wish};
use crate::error::Error;
use crate::place::Place;
use crate::{flash, room, say};

/// Makes the disk image from Debian packages and our binary, and writes it to a disk.
///
/// Exit codes: 0 done; 64 usage, or a disk that is refused; 65 bad data; 69 something is missing; 70 something failed;
/// 74 a disk is partly written or not what was written; 77 not root.
#[derive(Debug, Parser)]
#[command(name = "image", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the image and what belongs to it, in TARGET/image/out
    Build(Build),
    /// Write an image to a disk, and read it back
    Flash(Flash),
    /// Run a program of the tools tree (QEMU is one), in the network the caller is in
    Tools(Tools),
}

#[derive(Debug, Args)]
struct Build {
    /// Folder of the release keys: PK, KEK, db (.key, .crt) and image (.key, .pub)
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// An image for clinics: no development keys, no credentials from the firmware
    #[arg(long)]
    release: bool,
    /// Packages anew from the archive, whatever is there already
    #[arg(long)]
    fresh: bool,
    /// Our binary, if it is not TARGET/release/sekisho
    #[arg(long, value_name = "FILE")]
    sekisho: Option<PathBuf>,
    /// What `cargo metadata` says of its crates, if it is not in TARGET/image/crates.json
    #[arg(long, value_name = "FILE")]
    crates: Option<PathBuf>,
    /// What `rustc --version` says
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    compiler: String,
    /// Make the contents a second time from the archive, and say what differs
    #[arg(long)]
    check_reproducible: bool,
}

#[derive(Debug, Args)]
struct Flash {
    /// The compressed image (sekisho-VERSION.img.zst); its signature lies beside it
    image: PathBuf,
    /// The disk, for example /dev/sdx; everything on it will be lost
    disk: PathBuf,
    /// The public key the image must be signed with; `scripts/flash` names the development key if you name none
    #[arg(long, value_name = "FILE", overrides_with = "key")]
    key: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct Tools {
    /// A folder the program needs to see, beside TARGET/image, /dev, /proc, /sys, /run and /tmp
    #[arg(long, value_name = "DIR")]
    show: Vec<PathBuf>,
    /// The program and its words
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Reads the command line and does it.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return usage(&refused),
    };
    let done = match cli.verb {
        Verb::Build(wish) => make(wish),
        Verb::Flash(Flash { image, disk, key, yes }) => flash::run(&flash::Wish { image, disk, key, yes }),
        Verb::Tools(wish) => tools(&wish),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("image: failed to {error}"));
            ExitCode::from(error.code())
        }
    }
}

fn usage(refused: &clap::Error) -> ExitCode {
    let text = refused.render().to_string();
    if refused.use_stderr() {
        say::error(text.trim_end());
        return ExitCode::from(64);
    }
    say::print(text.trim_end());
    ExitCode::SUCCESS
}

fn make(wish: Build) -> Result<(), Error> {
    let Build { keys, release, fresh, sekisho, crates, compiler, check_reproducible } = wish;
    build::image(Place::here()?, Wish { keys, release, fresh, sekisho, crates, compiler, check_reproducible })
}

fn tools(wish: &Tools) -> Result<(), Error> {
    let place = Place::here()?;
    let root = place.tools();
    if !root.join("usr/bin").exists() {
        return Err(Error::Missing {
            program: root.display().to_string(),
            remedy: "`scripts/image` makes it".into(),
        });
    }
    room::own_mounts()?;
    let folders: Vec<_> = wish.show.iter().map(PathBuf::as_path).chain([place.shared()]).collect();
    room::Room::open(&root, &folders)?.become_tool(&wish.command).map(|never| match never {})
}
