//! The stick: how a box in the carton gets its site file.
//!
//! What parses a stranger's file system holds nothing: [`read`] runs as a user of its own, without capability, devices
//! or network, reads the one open file it was given, in user space ([`fat`]), and writes down what it found ([`find`]).
//! [`adopt`] runs as root and parses nothing of it: it copies bounded plain files, lets a child of that same user check
//! the copy with the very code of `site check`, and installs the very same bytes.

pub mod adopt;
mod check;
mod device;
mod fat;
mod find;
mod read;
mod table;

use std::process::ExitCode;

use crate::cli::{Stick, StickVerb};
use crate::failure::Failure;

/// Where a finding holds the site file, whatever it was called on the stick.
const SITE: &str = "site.toml";
/// Where a finding holds the terminals' logins, and the secret of a line by IPsec.
const LOGINS: &str = "logins";
/// Why nothing was found, in a finding that is a refusal.
const REFUSED: &str = "refused.json";
/// The largest file of a site: a store of authorities.
const LARGEST: u32 = 1024 * 1024;
/// The largest site file or profile: some kilobytes, and every byte of it is parsed.
const LARGEST_TOML: u32 = 64 * 1024;
/// The largest secret: the key and the certificates by which the box proves itself to a provider.
const LARGEST_SECRET: u32 = 16 * 1024;
/// The largest login: two lines.
const LARGEST_LOGIN: u32 = 1024;
/// The most logins; a clinic has a terminal or two.
const LOGINS_MOST: usize = 16;

/// `sekisho stick …`
///
/// # Errors
/// What stood in the way of writing; what is wrong with the stick is a finding, and no error.
pub fn run(args: &Stick) -> Result<ExitCode, Failure> {
    match &args.verb {
        StickVerb::Read { to } => read::run(to),
        StickVerb::Adopt { found } => adopt::run(found),
        StickVerb::Check { folder } => check::run(folder),
    }
}

/// A name that is a file's name and nothing more: no way out of a folder, nothing a terminal would act on.
fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !name.starts_with('.')
}

/// How large a file of this name may be.
fn largest(name: &str) -> u32 {
    if name.to_ascii_lowercase().ends_with(".toml") { LARGEST_TOML } else { LARGEST }
}

/// A login's name, as a site file may say it after `secret:`.
fn is_login(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && !name.starts_with("share-")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests;
