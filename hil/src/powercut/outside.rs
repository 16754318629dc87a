//! Everybody outside the box: a receipt computer that puts requests and collects answers, and the terminal's link
//! application. What each did is remembered one step after another on a disk that shows every step at once, so that
//! any prefix of its writes is what was known outside at that moment.
//!
//! ```text
//! taken/REQUEST.N      the application took it, the Nth time: the file itself, moved out of the terminal's share
//! put/REQUEST          its writing was confirmed
//! answered/ANSWER      the answer was put into the terminal's share
//! seen/ANSWER.N        the receipt computer read it, the Nth time
//! torn/ANSWER          what it read was not what was put
//! collected/ANSWER     it removed it, and was told that it is removed
//! odd/NAME             a file that is no request was put; the bytes
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::place::{ANSWERS, Place, REQUESTS};

const REQUEST: &str = "OQSsiquc01req_";
const ANSWER: &str = "OQSsiquc01res_";

/// Everybody outside.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Where.
    pub place: Place,
}

/// The name of the nth request.
pub fn request(n: u64) -> String {
    format!("{REQUEST}{n:06}.xml")
}

/// The answer to a request, and the other way round.
pub fn partner(name: &str) -> String {
    match name.strip_prefix(REQUEST) {
        Some(rest) => format!("{ANSWER}{rest}"),
        None => name.replacen(ANSWER, REQUEST, 1),
    }
}

/// What stands in the file of this name: longer and shorter ones, all different.
pub fn body(name: &str) -> Vec<u8> {
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let lines = usize::try_from(seed % 300).unwrap_or_default();
    let mut text = format!("<XmlMsg>{name}\n");
    (0..lines).for_each(|line| text.push_str(&format!("{line:06} {seed:020} {name}\n")));
    (text + "</XmlMsg>\n").into_bytes()
}

impl Outside {
    /// The receipt computer puts a request into the box's share, as Samba does it for a client whose writes are
    /// confirmed when they are durable.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(&self, n: u64) -> io::Result<()> {
        let name = request(n);
        let mut file = File::create_new(self.place.clinic(REQUESTS).join(&name))?;
        file.write_all(&body(&name))?;
        file.sync_all()?;
        drop(file);
        File::create(self.place.outside("put").join(&name)).map(drop)
    }

    /// Everybody does what there is to do. Whether there was anything.
    ///
    /// # Errors
    /// What the system says.
    pub fn turn(&self) -> io::Result<bool> {
        let submitted = self.submit()?;
        let answered = self.answer()?;
        Ok(self.collect()? || submitted || answered)
    }

    /// How many answers were collected.
    ///
    /// # Errors
    /// What the system says.
    pub fn collected(&self) -> io::Result<Vec<String>> {
        names(&self.place.outside("collected"))
    }

    /// The application gives an answer, or gives it again.
    ///
    /// # Errors
    /// What the system says.
    pub fn give(&self, answer: &str) -> io::Result<()> {
        let making = self.place.application("making").join(answer);
        fs::write(&making, body(answer))?;
        File::open(&making)?.sync_all()?;
        fs::rename(making, self.place.share(ANSWERS).join(answer))?;
        File::open(self.place.share(ANSWERS))?.sync_all()
    }

    /// The application takes what it sees. Whether there was anything.
    ///
    /// # Errors
    /// What the system says.
    pub fn submit(&self) -> io::Result<bool> {
        let requests = names(&self.place.share(REQUESTS))?;
        requests.iter().try_for_each(|name| fs::rename(self.lies(name), self.taken(name)))?;
        Ok(!requests.is_empty())
    }

    /// Where a request lies on the terminal.
    pub fn lies(&self, name: &str) -> PathBuf {
        self.place.share(REQUESTS).join(name)
    }

    /// What it is when it is taken next. One rename: what was taken is not in the share any more, and the reverse.
    pub fn taken(&self, name: &str) -> PathBuf {
        nth(&self.place.application("taken"), name)
    }

    /// The answers it has to give, in the order in which it took what they answer.
    ///
    /// # Errors
    /// What the system says.
    pub fn unanswered(&self) -> io::Result<Vec<String>> {
        let taken = names(&self.place.application("taken"))?;
        let answers = taken.iter().map(|taken| partner(stem(taken)));
        Ok(answers.filter(|answer| !self.place.outside("answered").join(answer).exists()).collect())
    }

    /// The application answers what it took. Whether there was anything.
    ///
    /// # Errors
    /// What the system says.
    pub fn answer(&self) -> io::Result<bool> {
        let answers = self.unanswered()?;
        for answer in &answers {
            // Cut off between the two it gives the same once more: it cannot know.
            self.give(answer)?;
            File::create(self.place.outside("answered").join(answer))?;
        }
        Ok(!answers.is_empty())
    }

    fn collect(&self) -> io::Result<bool> {
        let answers = names(&self.place.clinic(ANSWERS))?;
        for name in &answers {
            self.collect_one(name)?;
        }
        Ok(!answers.is_empty())
    }

    /// The receipt computer reads an answer and removes it.
    ///
    /// # Errors
    /// What the system says.
    pub fn collect_one(&self, name: &str) -> io::Result<()> {
        let shown = self.place.clinic(ANSWERS).join(name);
        if fs::read(&shown)? != body(name) {
            File::create(self.place.outside("torn").join(name))?;
        }
        let (seen, collected) = (self.place.outside("seen"), self.place.outside("collected").join(name));
        // What it saw and had not collected yet it may find once more; what it was told is removed it must not.
        if collected.exists() || !seen.join(format!("{name}.0")).exists() {
            File::create(nth(&seen, name))?;
        }
        fs::remove_file(shown)?;
        File::create(collected).map(drop)
    }
}

/// A name without the number behind it.
pub fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The names in a folder; none if it is not there.
///
/// # Errors
/// What the system says.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn nth(folder: &Path, name: &str) -> PathBuf {
    let path = |n: &u32| folder.join(format!("{name}.{n}"));
    path(&(0..).find(|n| !path(n).exists()).unwrap_or_default())
}
