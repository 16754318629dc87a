//! What our own folders say by the names of their entries: everything a restart has to know.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Error;
use crate::request::Mark;

/// An entry of `attempted`: `MARK.NUMBER.STAGE.CONSUMER.FOLDER~NAME`, number and stage in hex. The folder is the
/// one on the end, below the share's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What is certain.
    pub mark: Mark,
    /// Journal number.
    pub number: u64,
    /// What its staged file on the end is called by.
    pub stage: u64,
    /// From whose folders it comes.
    pub consumer: String,
    /// From which folder, by the table of kinds.
    pub folder: String,
    /// Its own name.
    pub name: String,
}

impl Attempt {
    /// The entry's name.
    pub fn entry(&self) -> OsString {
        let Self { mark, number, stage, consumer, folder, name } = self;
        format!("{}.{number:x}.{stage:016x}.{consumer}.{folder}~{name}", mark.letter()).into()
    }

    /// Whether both come from one place of a consumer's folders.
    pub fn is_of_same_file(&self, other: &Self) -> bool {
        (&self.consumer, &self.folder, &self.name) == (&other.consumer, &other.folder, &other.name)
    }

    /// The attempt an entry's name tells of.
    pub fn parse(entry: &OsStr) -> Option<Self> {
        let (head, name) = entry.to_str()?.split_once('~')?;
        let mut parts = head.split('.');
        let mark = Mark::from_letter(parts.next()?.parse().ok()?)?;
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        let stage = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (consumer, folder) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        parts.next().is_none().then(|| Self { mark, number, stage, consumer, folder, name: name.to_owned() })
    }
}

/// An entry of `arriving`: `NUMBER.CONSUMER.PATH~NAME`, the number in hex. The path is that of the consumer's
/// folder, with `+` between its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Journal number; the copies of one answer have the same.
    pub number: u64,
    /// For whom it is.
    pub consumer: String,
    /// In which folder it is shown, below the consumer's share.
    pub path: String,
    /// Its own name.
    pub name: String,
}

impl Arrival {
    /// The entry's name.
    pub fn entry(&self) -> OsString {
        let Self { number, consumer, path, name } = self;
        format!("{number:x}.{consumer}.{}~{name}", path.replace('/', "+")).into()
    }

    /// The arrival an entry's name tells of.
    pub fn parse(entry: &OsStr) -> Option<Self> {
        let (head, name) = entry.to_str()?.split_once('~')?;
        let mut parts = head.split('.');
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (consumer, path) = (parts.next()?.to_owned(), parts.next()?.replace('+', "/"));
        parts.next().is_none().then(|| Self { number, consumer, path, name: name.to_owned() })
    }
}

/// Tells every entry of every end's folder below `above`, and the folder it lies in.
///
/// # Errors
/// If the system refuses.
pub fn each(above: &Path, mut told: impl FnMut(&Path, &OsStr)) -> Result<(), Error> {
    for end in folders(above)? {
        for entry in fs::read_dir(&end).map_err(Error::io("list", &end))? {
            told(&end, &entry.map_err(Error::io("list", &end))?.file_name());
        }
    }
    Ok(())
}

/// The folders in one, if it is there.
///
/// # Errors
/// If the system refuses.
pub fn folders(above: &Path) -> Result<Vec<PathBuf>, Error> {
    let listed = match fs::read_dir(above) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(Error::io("list", above))?,
    };
    let paths: Result<Vec<PathBuf>, _> = listed.map(|entry| entry.map(|entry| entry.path())).collect();
    let paths = paths.map_err(Error::io("list", above))?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::LONGEST;

    #[test]
    fn an_entry_is_read_back_as_what_it_was_written_and_its_name_fits() {
        let (consumer, folder) = ("a".repeat(20), "f".repeat(16));
        let name = "n".repeat(LONGEST);
        let attempt = Attempt {
            mark: Mark::Decided,
            number: u64::MAX,
            stage: u64::MAX,
            consumer: consumer.clone(),
            folder: folder.clone(),
            name: name.clone(),
        };
        let arrival = Arrival { number: u64::MAX, consumer, path: format!("{folder}/{folder}"), name };
        assert_eq!(Attempt::parse(&attempt.entry()), Some(attempt.clone()));
        assert_eq!(Arrival::parse(&arrival.entry()), Some(arrival.clone()));
        assert!(attempt.entry().len() <= 255 && arrival.entry().len() <= 255);
    }

    #[test]
    fn what_is_no_entry_of_ours_is_none() {
        for entry in ["", "x.1.2.a.req~n", "d.1.2.a.req.more~n", "d.1.2.a.req", "d.z.2.a.req~n"] {
            assert_eq!(Attempt::parse(OsStr::new(entry)), None, "{entry}");
        }
        assert_eq!(Arrival::parse(OsStr::new("1.a~n")), None);
    }
}
