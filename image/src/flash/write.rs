//! Writing and reading back. The partition table is written last: a disk that is only partly written has none, and
//! starts no box.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use nix::fcntl::PosixFadviseAdvice;

use crate::error::{Error, at};
use crate::flash::disk::Disk;
use crate::flash::signed::Image;

/// What is written at once; the partition table lies in the first.
const CHUNK: usize = 1 << 20;

/// Writes the image, and does not come back before the disk has it.
pub fn write(
    image: &Image,
    disk: &Disk,
    interrupted: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let file = open(disk)?;
    let torn = |reason: String| Error::Torn { disk: disk.path().to_owned(), reason };
    let put =
        |bytes: &[u8], offset: u64| file.write_all_at(bytes, offset).map_err(|error| torn(error.to_string()));
    let blank = vec![0; CHUNK];
    put(&blank[..CHUNK.min(usize::try_from(image.size()).unwrap_or(CHUNK))], 0)?;
    // What an older system left at the end would be taken for this disk's second partition table.
    let rest = disk.size() - image.size();
    let tail = CHUNK.min(usize::try_from(rest).unwrap_or(CHUNK));
    put(&blank[..tail], disk.size() - tail as u64)?;
    let mut first = Vec::new();
    image.chunks(CHUNK, |offset, bytes| {
        if interrupted() {
            return Err(torn("it was interrupted".to_owned()));
        }
        progress(offset + bytes.len() as u64);
        if offset == 0 {
            first = bytes.to_vec();
            return Ok(());
        }
        put(bytes, offset)
    })?;
    let sync = || file.sync_all().map_err(|error| torn(error.to_string()));
    sync()?;
    put(&first, 0)?;
    sync()
}

/// Reads everything back from the disk itself and compares.
pub fn compare(
    image: &Image,
    disk: &Disk,
    interrupted: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let file = File::open(disk.path()).map_err(at("read", disk.path()))?;
    let doubtful = |reason: String| Error::Doubtful { disk: disk.path().to_owned(), reason };
    // What the kernel still has of it in memory says nothing about the disk.
    nix::fcntl::posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
        .map_err(crate::error::calling("forget what was written"))?;
    let mut read = vec![0; CHUNK];
    image.chunks(CHUNK, |offset, bytes| {
        if interrupted() {
            return Err(doubtful("that was interrupted".to_owned()));
        }
        progress(offset + bytes.len() as u64);
        let read = &mut read[..bytes.len()];
        file.read_exact_at(read, offset).map_err(|error| doubtful(error.to_string()))?;
        if read == bytes {
            return Ok(());
        }
        let at =
            offset + read.iter().zip(bytes).position(|(is, should)| is != should).unwrap_or_default() as u64;
        Err(doubtful(format!("byte {at} reads back differently; the disk is bad or was taken away")))
    })
}

/// Alone: for a disk, the kernel refuses if anybody has it mounted or open alone.
fn open(disk: &Disk) -> Result<File, Error> {
    File::options()
        .write(true)
        .custom_flags(nix::libc::O_EXCL | nix::libc::O_CLOEXEC)
        .open(disk.path())
        .map_err(at("open", disk.path()))
}
