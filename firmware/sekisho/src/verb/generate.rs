//! `sekisho generate`: writes the configuration of the system's own daemons, made from the site file.

use std::path::Path;
use std::process::ExitCode;

use model::Site;

use crate::failure::Failure;
use crate::generate::{self, Accounts, Generated, Places};
use crate::{cli, files, output, secret, site_file};

/// Writes everything below `--to`. The share's passwords are made on the box at the first run and never leave
/// their files.
///
/// # Errors
/// The site file's mistakes; a folder that cannot be written.
pub fn run(args: &cli::Generate) -> Result<ExitCode, Failure> {
    let loaded = site_file::load(&args.site)?;
    let owner = args.owner.clone().unwrap_or_else(this_user);
    let places = Places { to: &args.to, state: &args.state, owner: &owner };
    daemons(&loaded.site, &places)?;
    let network: Vec<Generated> = generate::site(&loaded.site);
    write(&args.to.join("network"), &network)?;
    output::print(&format!("wrote the configuration of the system's daemons to {}", args.to.display()));
    Ok(ExitCode::SUCCESS)
}

/// What the daemons of a site need: their files, Samba's own folders, the share, the share's secrets.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn daemons(site: &Site, places: &Places<'_>) -> Result<(), Failure> {
    for folder in ["private", "lock", "state", "cache", "ncalrpc"] {
        folder_at(&places.to.join("samba").join(folder))?;
    }
    folder_at(&places.to.join("chrony"))?;
    folder_at(&places.state.join("chrony"))?;
    folder_at(&places.state.join("share"))?;
    for (consumer, share) in site.shares() {
        folder_at(&places.state.join("share").join(share))?;
        secret::make(places.state, &generate::share_secret(&consumer.name), &consumer.name)?;
    }
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
    let system = Accounts { passwd: &passwd, group: &group };
    write(places.to, &generate::daemons(site, places, &system))
}

/// Writes files below a folder; everybody may read them, since no secret is in any.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn write(folder: &Path, list: &[Generated]) -> Result<(), Failure> {
    list.iter().try_for_each(|one| files::replace(&folder.join(&one.name), &one.text, 0o644))
}

fn folder_at(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

fn this_user() -> String {
    let uid = nix::unistd::geteuid();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
