//! The stick as the FAT crate sees it: read-only blocks of one partition, and only so many of them. A file system
//! whose folders or clusters run in circles ends at that bound.

use std::cell::Cell;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileExt as _;

use embedded_sdmmc::{Block, BlockCount, BlockDevice, BlockIdx, TimeSource, Timestamp};

use super::table::SECTOR;

/// Blocks that may be read of a stick, again and again included: 32 MiB.
pub const BUDGET: u32 = 64 * 1024;

/// One partition of a stick.
///
/// The crate asks for an MBR in block 0, so it is given one that names the partition; the partition follows.
pub struct Partition<'f> {
    file: &'f File,
    start: u32,
    length: u32,
    left: &'f Cell<u32>,
}

impl<'f> Partition<'f> {
    /// The partition that begins at a sector and may reach to the stick's end. `left` is the budget of the whole stick.
    pub const fn new(file: &'f File, start: u32, sectors: u32, left: &'f Cell<u32>) -> Self {
        Self { file, start, length: sectors.saturating_sub(start), left }
    }

    fn one(&self, block: &mut Block, at: u32) -> Result<(), Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| Error::new(ErrorKind::QuotaExceeded, "it never ends"))?);
        if at == 0 {
            block.contents = self.table();
            return Ok(());
        }
        let sector = u64::from(self.start) + u64::from(at - 1);
        self.file.read_exact_at(&mut block.contents, sector * SECTOR as u64)
    }

    /// An MBR with one FAT32 partition (type 0C) from block 1.
    fn table(&self) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        sector[450] = 0x0c;
        sector[454] = 1;
        sector[458..462].copy_from_slice(&self.length.to_le_bytes());
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }
}

impl BlockDevice for Partition<'_> {
    type Error = Error;

    fn read(&self, blocks: &mut [Block], first: BlockIdx) -> Result<(), Error> {
        let mut at = first.0;
        for block in blocks {
            self.one(block, at)?;
            at = at.checked_add(1).ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        }
        Ok(())
    }

    fn write(&self, _: &[Block], _: BlockIdx) -> Result<(), Error> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn num_blocks(&self) -> Result<BlockCount, Error> {
        Ok(BlockCount(self.length.saturating_add(1)))
    }
}

/// Nothing is written, so no time is asked for.
pub struct NoTime;

impl TimeSource for NoTime {
    fn get_timestamp(&self) -> Timestamp {
        Timestamp {
            year_since_1970: 0,
            zero_indexed_month: 0,
            zero_indexed_day: 0,
            hours: 0,
            minutes: 0,
            seconds: 0,
        }
    }
}
