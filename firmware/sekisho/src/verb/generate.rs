//! `sekisho generate`: the configuration of the system's own daemons, made from the site file at every boot and
//! edited by nobody.

use std::path::Path;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::{cli, output, secret, site_file};

/// Writes `smb.conf`, and `smb.users` with a line `ACCOUNT:SECRET-FILE` for every account of the box's share. The
/// accounts' passwords are made on the box at the first run and never leave their files.
///
/// # Errors
/// The site file's mistakes; a folder that cannot be written.
pub fn run(args: &cli::Generate) -> Result<ExitCode, Failure> {
    let loaded = site_file::load(&args.site)?;
    std::fs::create_dir_all(&args.to).map_err(|source| Failure::Write { path: args.to.clone(), source })?;
    let share = args.state.join("share/OQS");
    for folder in ["private", "lock", "state", "cache", "ncalrpc"] {
        let path = args.to.join(folder);
        std::fs::create_dir_all(&path).map_err(|source| Failure::Write { path, source })?;
    }
    std::fs::create_dir_all(&share).map_err(|source| Failure::Write { path: share.clone(), source })?;
    write(&args.to.join("smb.conf"), &relay::samba::config(&loaded.site, &share, &owner(), &args.to))?;
    let mut users = String::new();
    for consumer in &loaded.site.consumers {
        let path = secret::make(&args.state, &format!("share-{}", consumer.name), &consumer.name)?;
        users.push_str(&format!("{}:{}\n", consumer.name, path.display()));
    }
    write(&args.to.join("smb.users"), &users)?;
    output::print(&format!("wrote smb.conf and smb.users to {}", args.to.display()));
    Ok(ExitCode::SUCCESS)
}

/// The user the share's files belong to: the one the relay runs as.
fn owner() -> String {
    let uid = nix::unistd::geteuid();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|source| Failure::Write { path: path.to_owned(), source })
}
