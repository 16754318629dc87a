//! Looking into a board: a unit of the bench's own, which only a development image lets in, obeys orders on the results
//! line. Everything that can be judged from outside is.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use clinic::check::Wrong;

use crate::console::Console;

/// What the unit is made of, as credentials of the machine's firmware (systemd-debug-generator(8)).
pub fn credentials() -> Vec<(String, String)> {
    let unit = include_str!("../guest/hil-answer.service");
    vec![
        ("systemd.extra-unit.hil-answer.service".into(), unit.into()),
        ("hil.answer".into(), include_str!("../guest/answer.sh").into()),
        ("systemd.unit-dropin.sysinit.target~hil".into(), "[Unit]\nWants=hil-answer.service\n".into()),
    ]
}

/// The results line.
#[derive(Debug)]
pub struct Results {
    line: UnixStream,
    heard: Console,
    number: u32,
}

/// What an order came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// What it said, on both outputs.
    pub text: String,
}

impl Results {
    /// Listens to the line and keeps what comes in a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn listen(line: UnixStream, log: &Path) -> Result<Self, Wrong> {
        let heard = Console::listen(line.try_clone()?, log)?;
        Ok(Self { line, heard, number: 0 })
    }

    /// Where the line stands now.
    pub fn mark(&self) -> usize {
        self.heard.mark()
    }

    /// Waits until the unit is there, after the mark.
    ///
    /// # Errors
    /// It does not come: the image is a release, or the board does not boot.
    pub fn ready(&self, mark: usize, patience: Duration) -> Result<(), Wrong> {
        self.said(mark, "@@ready", patience)
    }

    /// Waits until a word is said on it, after the mark.
    ///
    /// # Errors
    /// It is not said in time.
    pub fn said(&self, mark: usize, word: &str, patience: Duration) -> Result<(), Wrong> {
        self.heard.wait_whole(mark, word, patience).map(drop)
    }

    /// Gives an order and waits for its end.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn order(&mut self, order: &str, patience: Duration) -> Result<Said, Wrong> {
        self.number += 1;
        let (number, mark) = (self.number, self.heard.mark());
        writeln!(self.line, "{number} {order}")?;
        let end = format!("@@end {number} ");
        self.heard
            .wait_whole(mark, &end, patience)
            .map_err(|wrong| Wrong(format!("{order}, inside: {wrong}")))?;
        let lines = self.heard.since(mark);
        let (mut text, mut code) = (String::new(), None);
        for line in &lines {
            if let Some((_, word)) = line.text.split_once(&end) {
                code = word.trim().parse().ok();
                break;
            }
            text += &line.text;
            text.push('\n');
        }
        let code = code.ok_or_else(|| Wrong(format!("{order}, inside: no exit code")))?;
        Ok(Said { code, text })
    }

    /// Gives an order whose end is not waited for.
    ///
    /// # Errors
    /// The line is gone.
    pub fn tell(&mut self, order: &str) -> Result<(), Wrong> {
        self.number += 1;
        Ok(writeln!(self.line, "{} {order}", self.number)?)
    }

    /// Gives an order that must do well; gives what it said.
    ///
    /// # Errors
    /// It does not end in time, or with another exit code than 0.
    pub fn must(&mut self, order: &str, patience: Duration) -> Result<String, Wrong> {
        let said = self.order(order, patience)?;
        if said.code == 0 {
            return Ok(said.text);
        }
        Err(Wrong(format!("{order}, inside, ends with {}: {}", said.code, said.text.trim())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn an_order_has_its_own_answer_and_exit_code() {
        let (ours, its) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::listen(ours, &folder.path().join("log")).unwrap();
        let board = std::thread::spawn(move || {
            let mut out = its.try_clone().unwrap();
            writeln!(out, "@@ready").unwrap();
            for line in BufReader::new(its).lines().take(2) {
                let line = line.unwrap();
                let (number, order) = line.split_once(' ').unwrap();
                writeln!(out, "heard {order}\n@@end {number} {}", if order == "true" { 0 } else { 3 })
                    .unwrap();
            }
        });
        let soon = Duration::from_secs(5);
        results.ready(0, soon).unwrap();
        assert_eq!(results.must("true", soon).unwrap(), "heard true\n");
        let wrong = results.must("no", soon).unwrap_err().to_string();
        assert_eq!(wrong, "no, inside, ends with 3: heard no");
        board.join().unwrap();
    }
}
