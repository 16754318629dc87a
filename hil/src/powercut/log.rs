//! Reads what QEMU's `blklogwrites` wrote: every write and flush of a disk, in order (the format of Linux's
//! dm-log-writes; Documentation/admin-guide/device-mapper/log-writes.rst).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use clinic::check::Wrong;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;
const MARK: u64 = 8;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was written is what was there before it is flushed.
    pub flush: bool,
    /// It is durable itself when it is there.
    pub durable: bool,
    /// Where on the disk, bytes.
    pub at: u64,
    /// How many bytes.
    pub length: u64,
    /// Where its bytes are in the log; none: zeroes, for nothing else may be relied on after a discard.
    pub bytes: Option<u64>,
}

/// A log that was read.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// Its entries.
    pub entries: Vec<Entry>,
}

impl Log {
    /// Reads a log.
    ///
    /// # Errors
    /// It is none, or it is cut short.
    pub fn read(path: &Path) -> Result<Self, Wrong> {
        let mut file = File::open(path)?;
        let entries = entries(&mut file).map_err(|why| Wrong(format!("{}: {why}", path.display())))?;
        Ok(Self { file, entries })
    }

    /// Writes a part of an entry to an image of its disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(
        &self,
        entry: &Entry,
        part: std::ops::Range<u64>,
        image: &File,
        base: u64,
    ) -> Result<(), Wrong> {
        let mut bytes = vec![0; usize::try_from(part.end - part.start).unwrap_or_default()];
        if let Some(at) = entry.bytes {
            self.file.read_exact_at(&mut bytes, at + part.start)?;
        }
        Ok(image.write_all_at(&bytes, entry.at + part.start - base)?)
    }
}

fn entries(log: &mut (impl Read + Seek)) -> Result<Vec<Entry>, String> {
    let head = block(log, 512)?;
    if word(&head, 0) != MAGIC || word(&head, 1) != VERSION {
        return Err("this is no log of writes".into());
    }
    let count = word(&head, 2);
    let sector = u64::from(u32::try_from(word(&head, 3) & u64::from(u32::MAX)).unwrap_or_default());
    if !sector.is_power_of_two() || sector < 512 {
        return Err(format!("its sectors have {sector} bytes"));
    }
    let mut place = sector;
    let mut entries = Vec::new();
    for _ in 0..count {
        log.seek(SeekFrom::Start(place)).map_err(|error| error.to_string())?;
        let head = block(log, 32)?;
        let (flags, length) = (word(&head, 2), word(&head, 1) * sector);
        place += sector;
        let has_bytes = flags & (DISCARD | MARK) == 0;
        let length = if flags & MARK == 0 { length } else { 0 };
        entries.push(Entry {
            flush: flags & FLUSH != 0,
            durable: flags & FUA != 0,
            at: word(&head, 0) * sector,
            length,
            bytes: has_bytes.then_some(place),
        });
        place += if has_bytes { length } else { word(&head, 3).div_ceil(sector) * sector };
    }
    // The last one must be there as a whole.
    let end = log.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    if end < place { Err(format!("it ends at {end} instead of {place}")) } else { Ok(entries) }
}

fn block(log: &mut impl Read, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; length];
    log.read_exact(&mut bytes).map_err(|error| format!("it is cut short ({error})"))?;
    Ok(bytes)
}

/// The nth number of eight bytes.
fn word(bytes: &[u8], n: usize) -> u64 {
    let eight = bytes.get(n * 8..).and_then(|rest| rest.first_chunk::<8>());
    eight.map_or(0, |eight| u64::from_le_bytes(*eight))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn padded(words: &[u64], bytes: &[u8]) -> Vec<u8> {
        let mut all: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        all.resize(512, 0);
        all.extend_from_slice(bytes);
        all
    }

    fn log(entries: &[Vec<u8>]) -> Cursor<Vec<u8>> {
        let head = padded(&[MAGIC, VERSION, entries.len() as u64, 512], &[]);
        Cursor::new([head, entries.concat()].concat())
    }

    #[test]
    fn a_write_a_flush_a_discard_and_a_durable_write_are_read() {
        let read = entries(&mut log(&[
            padded(&[8, 1, 0, 0], &[7; 512]),
            padded(&[0, 0, FLUSH, 0], &[]),
            padded(&[16, 4, DISCARD, 0], &[]),
            padded(&[9, 2, FUA, 0], &[9; 1024]),
        ]))
        .unwrap();
        let entry = |flush, durable, at, length, bytes| Entry { flush, durable, at, length, bytes };
        assert_eq!(
            read,
            [
                entry(false, false, 4096, 512, Some(1024)),
                entry(true, false, 0, 0, Some(2048)),
                entry(false, false, 8192, 2048, None),
                entry(false, true, 4608, 1024, Some(3072)),
            ]
        );
    }

    #[test]
    fn what_is_no_log_or_is_cut_short_is_refused() {
        assert!(entries(&mut Cursor::new(vec![0; 4096])).unwrap_err().contains("no log"));
        let mut short = log(&[padded(&[8, 2, 0, 0], &[7; 512])]);
        assert!(entries(&mut short).unwrap_err().contains("ends at"));
        let mut shorter = log(&[padded(&[8, 0, 0, 0], &[])]);
        shorter.get_mut().truncate(520);
        assert!(entries(&mut shorter).unwrap_err().contains("cut short"));
    }

    #[test]
    fn a_part_of_an_entry_is_written_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let bytes: Vec<u8> = (0..1024_u32).map(|n| (n / 256) as u8).collect();
        std::fs::write(&path, log(&[padded(&[8, 2, 0, 0], &bytes)]).into_inner()).unwrap();
        let log = Log::read(&path).unwrap();
        let image = folder.path().join("image");
        let file = File::create_new(&image).unwrap();
        log.write(&log.entries[0], 512..1024, &file, 4096).unwrap();
        assert_eq!(std::fs::read(image).unwrap(), [vec![0; 512], bytes[512..].to_vec()].concat());
    }
}
