//! A FAT16 or FAT32 file system, read in user space. Everything is bounded: blocks read (`device`), entries of a folder,
//! bytes of a file; and a panic of the crate over some bytes it did not foresee is a stick that cannot be read.

use std::cell::Cell;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use embedded_sdmmc::{DirEntry, LfnBuffer, Mode, RawDirectory, RawVolume, VolumeIdx, VolumeManager};

use super::device::{BUDGET, NoTime, Partition};
use super::find::{Files, Listed, Trouble};
use super::table::{self, SECTOR};

/// A folder with more entries is not looked through to its end.
const ENTRIES: usize = 512;

type Manager<'f> = VolumeManager<Partition<'f>, NoTime, 4, 2, 1>;

/// An open file system.
pub struct Fat<'f> {
    manager: Manager<'f>,
    volume: RawVolume,
}

/// Opens the first FAT file system of a stick and hands it to `look`.
///
/// # Errors
/// A line that says why there is none.
pub fn open<T>(
    stick: &mut File,
    look: impl FnOnce(&mut Fat<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let bytes = stick.seek(SeekFrom::End(0)).map_err(|error| format!("its size: {error}"))?;
    let sectors = u32::try_from(bytes / SECTOR as u64).unwrap_or(u32::MAX);
    let mut start = vec![0; table::LENGTH.min(usize::try_from(bytes).unwrap_or(usize::MAX))];
    stick.read_exact_at(&mut start, 0).map_err(|error| format!("its beginning: {error}"))?;
    let left = Cell::new(BUDGET);
    let stick = &*stick;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut last = "it has no FAT partition".to_owned();
        for place in table::places(&start) {
            let manager =
                VolumeManager::new_with_limits(Partition::new(stick, place, sectors, &left), NoTime, 0);
            match manager.open_raw_volume(VolumeIdx(0)) {
                Ok(volume) => return look(&mut Fat { manager, volume }),
                Err(error) => last = said(&error),
            }
        }
        Err(last)
    }));
    caught.unwrap_or_else(|_| Err("its file system makes no sense".into()))
}

fn said(error: &embedded_sdmmc::Error<std::io::Error>) -> Trouble {
    match error {
        embedded_sdmmc::Error::DeviceError(error) => error.to_string(),
        embedded_sdmmc::Error::FormatError(what) => (*what).to_owned(),
        other => format!("{other:?}"),
    }
}

impl Fat<'_> {
    /// Does something in a folder below the root and closes it again.
    fn within<T>(
        &self,
        path: &[&str],
        act: impl FnOnce(&Manager<'_>, RawDirectory) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut open = vec![self.manager.open_root_dir(self.volume).map_err(|error| said(&error))?];
        let done = self.descend(path, &mut open).and_then(|folder| act(&self.manager, folder));
        for folder in open.into_iter().rev() {
            // Nothing was written; what cannot be closed is forgotten with the manager.
            let _ = self.manager.close_dir(folder);
        }
        done
    }

    fn descend(&self, path: &[&str], open: &mut Vec<RawDirectory>) -> Result<RawDirectory, Trouble> {
        let mut folder = *open.last().ok_or("no root")?;
        for name in path {
            let entry =
                entry(&self.manager, folder, name)?.filter(|(entry, _)| entry.attributes.is_directory());
            let (entry, _) = entry.ok_or_else(|| format!("no folder {name}"))?;
            folder = self.manager.open_dir(folder, entry.name).map_err(|error| said(&error))?;
            open.push(folder);
        }
        Ok(folder)
    }
}

/// Every entry of a folder with its name: the long one where there is one.
fn entries(manager: &Manager<'_>, folder: RawDirectory) -> Result<Vec<(DirEntry, String)>, Trouble> {
    let mut found = Vec::new();
    let mut storage = [0; 780];
    let mut long = LfnBuffer::new(&mut storage);
    let listed = manager.iterate_dir_lfn(folder, &mut long, |entry, name| {
        if !entry.attributes.is_volume() {
            found.push((entry.clone(), name.map_or_else(|| entry.name.to_string(), str::to_owned)));
        }
        if found.len() < ENTRIES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    listed.map_err(|error| said(&error))?;
    Ok(found)
}

fn entry(
    manager: &Manager<'_>,
    folder: RawDirectory,
    wanted: &str,
) -> Result<Option<(DirEntry, String)>, Trouble> {
    Ok(entries(manager, folder)?.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(wanted)))
}

impl Files for Fat<'_> {
    fn list(&mut self, path: &[&str]) -> Result<Vec<Listed>, Trouble> {
        self.within(path, |manager, folder| {
            let listed = entries(manager, folder)?.into_iter().map(|(entry, name)| Listed {
                name,
                size: entry.size,
                folder: entry.attributes.is_directory(),
            });
            Ok(listed.collect())
        })
    }

    fn read(&mut self, path: &[&str], name: &str, most: u32) -> Result<Vec<u8>, Trouble> {
        self.within(path, |manager, folder| {
            let found = entry(manager, folder, name)?.filter(|(entry, _)| !entry.attributes.is_directory());
            let (entry, _) = found.ok_or_else(|| format!("no file {name}"))?;
            if entry.size > most {
                return Err(format!("{name} has {} bytes, more than {most}", entry.size));
            }
            let file =
                manager.open_file_in_dir(folder, entry.name, Mode::ReadOnly).map_err(|error| said(&error))?;
            let mut bytes = vec![0; usize::try_from(entry.size).unwrap_or_default()];
            let mut filled = 0;
            while filled < bytes.len() {
                let rest = bytes.get_mut(filled..).unwrap_or_default();
                match manager.read(file, rest).map_err(|error| said(&error))? {
                    0 => return Err(format!("{name} ends too early")),
                    count => filled += count,
                }
            }
            manager.close_file(file).map_err(|error| said(&error))?;
            Ok(bytes)
        })
    }
}
