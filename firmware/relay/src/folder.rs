//! One opened folder, and what is done in it by name. A name never leads out of it: every open resolves beneath
//! it and follows no link (openat2), every move replaces nothing (renameat2).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag, OpenHow, RenameFlags, ResolveFlag};
use nix::sys::stat::{self, FileStat, Mode, SFlag};
use nix::unistd::{self, Gid, Uid, UnlinkatFlags};

use crate::sabotage::{FLUSH_FOLDER_FOUND, FLUSH_FOLDER_MADE, unless};

/// What is known about an entry without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// An ordinary file, not a link, a folder, a pipe or a device.
    pub is_file: bool,
    /// Size in bytes.
    pub size: u64,
    /// Changes whenever the file does: inode, modification and change time, folded.
    pub stamp: u64,
    /// When the entry last changed by our own clock, nanoseconds since 1970; a client cannot set it.
    pub changed_ns: i64,
}

impl Facts {
    /// The same in whole seconds.
    pub const fn changed_s(&self) -> i64 {
        self.changed_ns.div_euclid(1_000_000_000)
    }
}

/// A folder held open.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// Opens a folder of our own by its path.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self { fd: fcntl::open(path, flags, Mode::empty())? })
    }

    /// The folder at `path`, whose parts are divided by `/`; what is absent is made, and made durable.
    ///
    /// # Errors
    /// What the system says; a link on the way is refused.
    pub fn below_path(&self, path: &str) -> io::Result<Self> {
        match self.open_below(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (first, rest) = path.split_once('/').unwrap_or((path, ""));
                let first = self.below(first)?;
                if rest.is_empty() { Ok(first) } else { first.below_path(rest) }
            }
            opened => opened,
        }
    }

    /// As [`Self::below_path`], and durable also if a run that was killed has made it.
    ///
    /// # Errors
    /// As there.
    pub fn keep_path(&self, path: &str) -> io::Result<Self> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let folder = self.below(first)?;
        unless(FLUSH_FOLDER_FOUND, || self.sync())?;
        if rest.is_empty() { Ok(folder) } else { folder.keep_path(rest) }
    }

    /// The folder `name` in this one; made, and made durable, if it is absent.
    ///
    /// # Errors
    /// What the system says; a link of that name is refused.
    pub fn below(&self, name: &str) -> io::Result<Self> {
        match self.open_below(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match stat::mkdirat(&self.fd, name, Mode::from_bits_truncate(0o770)) {
                    Ok(()) => unless(FLUSH_FOLDER_MADE, || self.sync())?,
                    Err(Errno::EEXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                self.open_below(name)
            }
            opened => opened,
        }
    }

    /// The folder `name` in this one; it may be a path.
    ///
    /// # Errors
    /// What the system says; a link of that name is refused.
    pub fn open_below(&self, name: &str) -> io::Result<Self> {
        let fd = self.openat2(OsStr::new(name), OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty())?;
        Ok(Self { fd })
    }

    /// Every name in it, in no order.
    ///
    /// # Errors
    /// What the system says.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each_name(|name| {
            names.push(name.to_owned());
            true
        })?;
        Ok(names)
    }

    /// Tells every name in it, in no order, until `told` has heard enough.
    ///
    /// # Errors
    /// What the system says.
    pub fn each_name(&self, mut told: impl FnMut(&OsStr) -> bool) -> io::Result<()> {
        // A descriptor of its own: reading moves its position.
        let again = self.openat2(OsStr::new("."), OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty())?;
        for entry in Dir::from_fd(again)?.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." && !told(name) {
                break;
            }
        }
        Ok(())
    }

    /// What is known about an entry; links are not followed.
    ///
    /// # Errors
    /// What the system says.
    pub fn facts(&self, name: &OsStr) -> io::Result<Facts> {
        Ok(facts(&stat::fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// Opens a file for reading, without waiting for a pipe's other end.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(&self, name: &OsStr) -> io::Result<File> {
        Ok(self.openat2(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW, Mode::empty())?.into())
    }

    /// Creates a file that must not exist, owned like this folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
        let file = self.openat2(name, flags, Mode::from_bits_truncate(0o660))?;
        let own = stat::fstat(&self.fd)?;
        if unistd::geteuid().is_root() {
            unistd::fchown(&file, Some(Uid::from_raw(own.st_uid)), Some(Gid::from_raw(own.st_gid)))?;
        }
        Ok(file.into())
    }

    /// Moves an entry into another folder of the same file system, replacing nothing.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AlreadyExists`] if the name is taken there.
    pub fn move_to(&self, name: &OsStr, to: &Self, as_name: &OsStr) -> io::Result<()> {
        Ok(fcntl::renameat2(&self.fd, name, &to.fd, as_name, RenameFlags::RENAME_NOREPLACE)?)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unistd::unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Removes a file, or finds that it is gone already.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_if_there(&self, name: &OsStr) -> io::Result<()> {
        match self.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Whether an entry is this opened file.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_same(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let (entry, own) = (stat::fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW)?, stat::fstat(file)?);
        Ok((entry.st_dev, entry.st_ino) == (own.st_dev, own.st_ino))
    }

    /// Makes the entries durable. A move is flushed by the folder it left: ext4, XFS and btrfs keep it as one step then.
    /// After a flush of the folder it went to alone, btrfs may come back with the new name beside the old one.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        Ok(unistd::fsync(&self.fd)?)
    }

    /// Asks the file system to make every change of the entries durable before it answers whoever made it, also a
    /// program that never asks for a flush (`FS_DIRSYNC_FL`, ioctl_iflags(2)). One that cannot is left as it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep_removals(&self) -> io::Result<()> {
        match ask::dirsync(&self.fd) {
            Err(Errno::ENOTTY | Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(()),
            done => Ok(done?),
        }
    }

    /// What tells this folder from one made later under the same name.
    ///
    /// # Errors
    /// What the system says.
    pub fn identity(&self) -> io::Result<u64> {
        Ok(stat::fstat(&self.fd)?.st_ino)
    }

    fn openat2(&self, name: &OsStr, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        let inside = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).mode(mode).resolve(inside);
        fcntl::openat2(&self.fd, name, how)
    }
}

/// The flags of a file, for which nix has macros only.
mod ask {
    #![expect(unsafe_code, reason = "nix makes unsafe functions of its ioctl macros")]

    use std::os::fd::{AsFd, AsRawFd};

    /// Every change of the entries is durable before its maker is answered (linux/fs.h).
    pub const FS_DIRSYNC_FL: libc::c_int = 0x0001_0000;

    nix::ioctl_read_bad!(get, libc::FS_IOC_GETFLAGS, libc::c_int);
    nix::ioctl_write_ptr_bad!(set, libc::FS_IOC_SETFLAGS, libc::c_int);

    pub fn dirsync(folder: &impl AsFd) -> nix::Result<()> {
        let flags = flags(folder)? | FS_DIRSYNC_FL;
        // SAFETY: the kernel reads one int (ioctl_iflags(2)), and it is there.
        unsafe { set(folder.as_fd().as_raw_fd(), &raw const flags) }.map(drop)
    }

    pub fn flags(file: &impl AsFd) -> nix::Result<libc::c_int> {
        let mut flags = 0;
        // SAFETY: the kernel writes one int, and it is there.
        unsafe { get(file.as_fd().as_raw_fd(), &raw mut flags) }?;
        Ok(flags)
    }
}

/// What is known about an opened file.
///
/// # Errors
/// What the system says.
pub fn facts_of(file: &File) -> io::Result<Facts> {
    Ok(facts(&stat::fstat(file)?))
}

/// The last bytes of a file, at most `most` of them.
///
/// # Errors
/// What the system says.
pub fn read_tail(file: &File, size: u64, most: usize) -> io::Result<Vec<u8>> {
    let length = usize::try_from(size).unwrap_or(most).min(most);
    read_range(file, size - length as u64, length)
}

/// At most `length` bytes of a file from `offset` on; fewer only at its end.
///
/// # Errors
/// What the system says.
pub fn read_range(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < bytes.len() {
        match file.read_at(&mut bytes[at..], offset + at as u64) {
            Ok(0) => break,
            Ok(count) => at += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

fn facts(stat: &FileStat) -> Facts {
    let mut fold = DefaultHasher::new();
    (stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec)
        .hash(&mut fold);
    Facts {
        is_file: SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        stamp: fold.finish(),
        changed_ns: stat.st_ctime.saturating_mul(1_000_000_000).saturating_add(stat.st_ctime_nsec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_from_a_folder_that_keeps_it_is_durable_at_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let before = ask::flags(&folder.fd);
        folder.keep_removals().unwrap();
        folder.keep_removals().unwrap();
        // A file system without flags has none before and none afterwards.
        assert_eq!(ask::flags(&folder.fd), before.map(|flags| flags | ask::FS_DIRSYNC_FL));
    }
}
