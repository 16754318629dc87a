//! Copies: written, flushed, read back, their names made durable, several at a time. A copy is whole when
//! everything here has succeeded; otherwise it is nobody's and is removed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use crate::folder::{Folder, read_range};
use crate::sabotage::{FLUSH_COPY, FLUSH_COPY_NAME, unless};

/// How much is copied at a time: what is large must not fill the memory.
pub const CHUNK: usize = 1024 * 1024;

/// A file being written.
#[derive(Debug)]
pub struct Copy {
    name: OsString,
    file: File,
    size: u64,
    hasher: blake3::Hasher,
}

impl Copy {
    /// Makes one that must not exist yet; `fill` writes it. What fails is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(
        folder: &Folder,
        name: &OsStr,
        fill: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut copy = Self::begin(folder, name)?;
        match fill(&mut copy) {
            Ok(()) => Ok(copy),
            Err(error) => {
                remove(folder, name);
                Err(error)
            }
        }
    }

    /// Begins one that must not exist.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(folder: &Folder, name: &OsStr) -> io::Result<Self> {
        let file = folder.create(name)?;
        Ok(Self { name: name.to_owned(), file, size: 0, hasher: blake3::Hasher::new() })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.size)?;
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Appends the first `size` bytes of another file.
    ///
    /// # Errors
    /// What the system says; a file that is shorter is [`io::ErrorKind::UnexpectedEof`].
    pub fn write_from(&mut self, source: &File, size: u64) -> io::Result<()> {
        let mut at = 0;
        while at < size {
            let length = usize::try_from(size - at).unwrap_or(CHUNK).min(CHUNK);
            let bytes = read_range(source, at, length)?;
            if bytes.len() < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.write(&bytes)?;
            at += length as u64;
        }
        Ok(())
    }

    /// Asks the kernel to begin writing the bytes out, so that the flushes of several copies need not wait for one
    /// another. Promises nothing: the flush does.
    fn start_writing(&self) {
        #[expect(unsafe_code, reason = "nix has no sync_file_range; integers only, on a descriptor we own")]
        // SAFETY: the descriptor is open for as long as `self` is borrowed, and no memory is passed.
        unsafe {
            libc::sync_file_range(self.file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
        }
    }

    /// Flushes, and reads back what was written.
    fn end(&self) -> io::Result<()> {
        unless(FLUSH_COPY, || self.file.sync_all())?;
        let (mut back, mut at) = (blake3::Hasher::new(), 0);
        loop {
            let bytes =
                read_range(&self.file, at, CHUNK.min(usize::try_from(self.size + 1).unwrap_or(CHUNK)))?;
            if bytes.is_empty() {
                break;
            }
            back.update(&bytes);
            at += bytes.len() as u64;
        }
        if at == self.size && back.finalize() == self.hasher.finalize() {
            return Ok(());
        }
        let differs = "what was read back differs from what was written";
        Err(io::Error::new(io::ErrorKind::InvalidData, differs))
    }
}

/// Ends the copies of one folder: bytes and names durable, read back. What failed is removed: after a failed flush
/// its pages cannot be trusted, and the source is still there.
pub fn finish(folder: &Folder, copies: Vec<io::Result<Copy>>) -> Vec<io::Result<()>> {
    if copies.len() > 1 {
        copies.iter().flatten().for_each(Copy::start_writing);
    }
    let ended: Vec<io::Result<Copy>> =
        copies.into_iter().map(|copy| copy.and_then(|copy| finished(folder, copy))).collect();
    // After the bytes: on a journalling file system their flush has taken the names with it, and this one is cheap.
    let named = unless(FLUSH_COPY_NAME, || folder.sync());
    let end = |copy: io::Result<Copy>| {
        let copy = copy?;
        match &named {
            Ok(()) => Ok(()),
            Err(error) => {
                remove(folder, &copy.name);
                Err(io::Error::new(error.kind(), error.to_string()))
            }
        }
    };
    ended.into_iter().map(end).collect()
}

fn finished(folder: &Folder, copy: Copy) -> io::Result<Copy> {
    match copy.end() {
        Ok(()) => Ok(copy),
        Err(error) => {
            remove(folder, &copy.name);
            Err(error)
        }
    }
}

/// What cannot even be removed is swept later: no entry speaks of it.
pub fn remove(folder: &Folder, name: &OsStr) {
    let _ = folder.remove(name);
}
