//! `sekisho generate`: writes the configuration of the system's own daemons, made from the site file.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::path::Path;
use std::process::ExitCode;

use model::Site;
use model::part::Role;
use model::site::uplink::Line;
use nix::unistd::User;
use tunnel::charon::Kernel;

use crate::failure::Failure;
use crate::generate::{self, Accounts, Generated, Ipsec, Places};
use crate::{cli, files, output, secret, site_file};

/// Writes everything below `--to`. The share's passwords are made on the box at the first run and never leave
/// their files.
///
/// # Errors
/// The site file's mistakes; a folder that cannot be written.
pub fn run(args: &cli::Generate) -> Result<ExitCode, Failure> {
    let loaded = site_file::load(&args.site)?.startable()?;
    let owner = args.owner.clone().unwrap_or_else(this_user);
    let netd = User::from_name(Role::Netd.key()).ok().flatten().map(|_| Role::Netd.key());
    let kernel = if args.userspace_ipsec { Kernel::Userspace } else { Kernel::Xfrm };
    let tunnels = loaded
        .contracts()
        .map(|one| one.map(|(purpose, contract)| Ipsec::of(purpose, contract, &args.socket, netd, kernel)));
    let places = Places { to: &args.to, state: &args.state, sockets: &args.socket, owner: &owner, tunnels };
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
    shares(site, places)?;
    session(site, places)?;
    for (consumer, _) in site.shares() {
        secret::make(places.state, &generate::share_secret(&consumer.name), &consumer.name)?;
    }
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
    let system = Accounts { passwd: &passwd, group: &group };
    write(places.to, &generate::daemons(site, places, &system))
}

/// What pppd reads, on a line by PPPoE. Without the contract's secret there is nothing to begin with, and that is said.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn session(site: &Site, places: &Places<'_>) -> Result<(), Failure> {
    let Line::Pppoe(session) = &site.line else { return Ok(()) };
    let said = places.sockets.join(reach::session::SAID);
    let Some(login) = secret::login(places.state, &session.login) else {
        return super::session::say(&said, reach::session::Said::no_login());
    };
    let mark = secret::mark(places.state, &session.login, &login)?;
    files::replace(&places.sockets.join(reach::session::MARK), mark, 0o644)?;
    match std::fs::remove_file(&said) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::Write { path: said, source });
        }
        _ => {}
    }
    let list = generate::pppoe::session(site, &login, places);
    list.iter().try_for_each(|one| files::replace(&places.to.join(&one.name), &one.text, 0o600))
}

/// The shares and the relay's folders in them. The exported folder and what leads to a folder stay ours, so that the
/// share's account can neither rename nor remove them; for the same reason the relay could not make them.
fn shares(site: &Site, places: &Places<'_>) -> Result<(), Failure> {
    let root = places.state.join("share");
    folder_at(&root)?;
    let owner = User::from_name(places.owner).ok().flatten();
    let (relay, _) = relay::Config::from_site(site, places.state);
    for (share, folders) in relay::shared_folders(&relay) {
        for folder in folders {
            let path = root.join(&share).join(folder);
            folder_at(&path)?;
            give(&path, owner.as_ref()).map_err(|source| Failure::Write { path, source })?;
        }
    }
    Ok(())
}

fn give(folder: &Path, owner: Option<&User>) -> std::io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o770))?;
    let Some(owner) = owner else { return Ok(()) };
    lchown(folder, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
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
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
