//! The proof that nobody writes a file: the kernel grants a read lease only while no one has it open for writing.
//! Samba keeps a descriptor for every open a client has, so this holds for clients of our share too.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::whole::Writer;

/// `F_SETSIG` of Linux's `asm-generic/fcntl.h`, which libc does not have for this target.
const F_SETSIG: libc::c_int = 10;

/// Whether somebody has this file open for writing now. The lease is given back at once: holding it would make
/// the next writer wait.
pub fn writer(file: &File) -> Writer {
    // Were the lease broken while we hold it, the kernel's signal must be one that ends no process.
    if fcntl(file, F_SETSIG, libc::SIGURG) < 0 {
        return Writer::Unknown;
    }
    if fcntl(file, libc::F_SETLEASE, libc::F_RDLCK) == 0 {
        fcntl(file, libc::F_SETLEASE, libc::F_UNLCK);
        return Writer::None;
    }
    // Anything else (another owner without CAP_LEASE, a file system without leases) proves nothing.
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EAGAIN) => Writer::Open,
        _ => Writer::Unknown,
    }
}

fn fcntl(file: &File, command: libc::c_int, argument: libc::c_int) -> libc::c_int {
    #[expect(
        unsafe_code,
        reason = "nix has no leases; fcntl on a descriptor we own, with integer arguments only"
    )]
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and no memory is passed.
    unsafe {
        libc::fcntl(file.as_raw_fd(), command, argument)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_file_open_for_writing_has_a_writer_and_a_closed_one_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let writing = File::create(&path).unwrap();
        let reading = File::open(&path).unwrap();
        assert_eq!(writer(&reading), Writer::Open);
        drop(writing);
        assert_eq!(writer(&reading), Writer::None);
        let _again = OpenOptions::new().append(true).open(&path).unwrap();
        assert_eq!(writer(&reading), Writer::Open);
    }
}
