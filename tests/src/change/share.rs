//! The terminal's shared folder and the disk it lies on. smbd is stopped while they change.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::error::{Error, at, doing};
use crate::fault::{Disk, Folder, World};
use crate::ground::Ground;
use crate::plan::Host;
use crate::terminal;

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    let (from, to) = ((from.folder, disk(from)), (to.folder, disk(to)));
    if from == to {
        return Ok(());
    }
    let share = terminal::share(&ground.place);
    mend(ground, &share, from.1)?;
    for (folder, path) in [(Folder::Gone, share.clone()), (Folder::WithoutRequests, share.join("req"))] {
        let away = path.with_extension("away");
        match (from.0 == folder, to.0 == folder) {
            (true, false) => fs::rename(&away, &path).map_err(at(&away))?,
            (false, true) => fs::rename(&path, &away).map_err(at(&path))?,
            _ => {}
        }
    }
    spoil(ground, &share, to.1)
}

/// A folder that is gone lies on no disk.
fn disk(world: &World) -> Disk {
    if world.folder == Folder::Gone { Disk::Well } else { world.disk }
}

fn spoil(ground: &Ground, share: &Path, disk: Disk) -> Result<(), Error> {
    let door = ground.door(Host::Terminal);
    match disk {
        Disk::Well => Ok(()),
        Disk::NoRight => modes(share, 0o555),
        Disk::ReadOnly => door.inside(|| read_only(share)),
        Disk::Full => {
            let account = fs::metadata(share).map_err(at(share))?.uid();
            door.inside(|| full(share, account))
        }
    }
}

fn mend(ground: &Ground, share: &Path, disk: Disk) -> Result<(), Error> {
    match disk {
        Disk::Well => Ok(()),
        Disk::NoRight => modes(share, 0o777),
        Disk::ReadOnly | Disk::Full => ground
            .door(Host::Terminal)
            .inside(|| umount2(share, MntFlags::MNT_DETACH).map_err(doing("let go of the share's disk"))),
    }
}

fn modes(share: &Path, mode: u32) -> Result<(), Error> {
    for folder in ["", "req", "res", "face"] {
        let path = share.join(folder);
        // One may have been renamed away by another fault.
        if path.exists() {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(at(&path))?;
        }
    }
    Ok(())
}

fn read_only(share: &Path) -> Result<(), Error> {
    let nothing = None::<&str>;
    let failed = || doing("mount the share read-only");
    mount(Some(share), share, nothing, MsFlags::MS_BIND, nothing).map_err(failed())?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(nothing, share, nothing, flags, nothing).map_err(failed())
}

/// A disk of its own over the share, small, and filled to the last byte.
fn full(share: &Path, account: u32) -> Result<(), Error> {
    mount(Some("tmpfs"), share, Some("tmpfs"), MsFlags::empty(), Some("size=64k,mode=777"))
        .map_err(doing("mount a small disk over the share"))?;
    terminal::folders(share, account)?;
    let filler = share.join("pagefile.sys");
    match fs::write(&filler, vec![0; 1024 * 1024]) {
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(at(&filler)(error)),
        Ok(()) => Err(at(&filler)(std::io::Error::other("the small disk is not small"))),
    }
}
