//! Tries on a share what the relay's promises rest on. All of it happens in a folder of its own below the staging
//! folder, which the relay neither sweeps nor carries from: it sweeps files by their name, and no folders.
//!
//! The client's library shares every file it opens with everybody, for reading, writing and removing, and cannot be
//! told otherwise; so that a file which another keeps to himself is refused to us is only seen if somebody at the
//! terminal does so while we wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::Symptom;
use model::selftest::{Check, Seen, What};
use smb::{
    CreateDisposition, CreateOptions, File, FileAccessMask, FileAttributes, FileCreateArgs,
    FileDispositionInformation, FileInternalInformation, FileRenameInformation, NotifyFilter, Status, Tree,
};

use super::patient::{SHORT, within};
use super::remote::RemoteTerminal;
use super::remote::file::{
    CHUNK, listing, open_file, path_of, read, rename_access, taking_access, writing_access,
};
use super::remote::folder::{directory, open_folder};
use super::remote::login::LoggedIn;
use super::said::{DELETE_PENDING, hidden, said, trouble};
use super::{Occasion, STAGING, Trouble};

/// The folder of the test, below the staging folder.
const FOLDER: &str = "selftest";
/// The file somebody at the terminal keeps to himself.
const HELD: &str = "held";

/// What a file of the test holds, and what another one does.
const BYTES: &[u8] = &[0x5a; 256 * 1024];
const OTHER: &[u8] = b"another";
/// Every other file a test may leave behind.
const FILES: [&str; 8] = ["flushed", "copy", "part", "named", "staged", "taken", "going", "told"];
/// How long a change may take to be told.
const TELLING: Duration = Duration::from_secs(5);
/// How often it is tried whether somebody has the file.
const PAUSE: Duration = Duration::from_millis(200);

type Tried = Result<String, Trouble>;

struct Test<'a> {
    terminal: &'a RemoteTerminal,
    ours: LoggedIn,
    other: LoggedIn,
}

/// Tries everything; without a login or a folder there is nothing more to try.
pub async fn run(terminal: &RemoteTerminal, attended: Duration) -> Vec<Check> {
    let begun = Instant::now();
    // One after the other, so that a refusal costs one.
    let logins = async {
        let ours = terminal.log_in(Occasion::Test).await?;
        Ok((ours, terminal.log_in(Occasion::Test).await?))
    };
    let (ours, other) = match within(SHORT, "log in", logins).await {
        Ok(both) => both,
        Err(trouble) => return vec![check(What::LogIn, Err(trouble))],
    };
    let evidence = format!("two logins, encrypted, in {} ms", begun.elapsed().as_millis());
    let test = Test { terminal, ours, other };
    let mut checks = vec![check(What::LogIn, Ok(evidence))];
    checks.extend(test.all(attended).await);
    test.ours.end().await;
    test.other.end().await;
    checks
}

fn check(what: What, tried: Tried) -> Check {
    match tried {
        Ok(evidence) => Check { what, seen: Seen::Ok, evidence },
        Err(trouble) => Check { what, seen: Seen::Not, evidence: trouble.to_string() },
    }
}

async fn shortly(what: What, step: impl Future<Output = Tried> + Send) -> Check {
    check(what, within(SHORT, what.key(), step).await)
}

/// A share that did something else.
fn unlike(action: &'static str, detail: &str) -> Trouble {
    Trouble { symptom: Symptom::Malformed, action, detail: detail.to_owned() }
}

fn folder() -> String {
    format!("{STAGING}/{FOLDER}")
}

fn path(name: &str) -> String {
    path_of(&folder(), name)
}

impl Test<'_> {
    async fn all(&self, attended: Duration) -> Vec<Check> {
        let made = shortly(What::Folder, self.make()).await;
        if made.seen == Seen::Not {
            return vec![made];
        }
        vec![
            made,
            shortly(What::Flush, self.flush()).await,
            shortly(What::ReadBack, self.read_back()).await,
            shortly(What::Rename, self.rename()).await,
            shortly(What::NoReplace, self.no_replace()).await,
            shortly(What::Pending, self.pending()).await,
            shortly(What::Removal, self.removal()).await,
            shortly(What::Identity, self.identity()).await,
            shortly(What::Hint, self.hint()).await,
            self.in_use(attended).await,
            shortly(What::Tidy, self.tidy()).await,
        ]
    }

    /// Makes the folder; what an earlier test left in it goes.
    async fn make(&self) -> Tried {
        let made = open_folder(&self.ours.tree, &folder(), true).await?;
        let _ = made.close().await;
        for name in FILES.into_iter().chain([HELD]) {
            discard(&self.ours.tree, name).await?;
        }
        Ok(format!("{FOLDER} in {STAGING}"))
    }

    async fn flush(&self) -> Tried {
        let file = opened(&self.ours.tree, "flushed", CreateDisposition::Create, writing_access()).await?;
        fill(&file, BYTES).await?;
        let begun = Instant::now();
        let flushed = file.flush().await.map_err(|error| hidden("flush", &error));
        let took = begun.elapsed();
        let _ = file.close().await;
        flushed.map(|()| format!("{} bytes, answered after {} ms", BYTES.len(), took.as_millis()))
    }

    async fn read_back(&self) -> Tried {
        self.put("copy", BYTES).await?;
        self.is_whole("copy", BYTES).await?;
        Ok(format!("{} bytes, read by another login", BYTES.len()))
    }

    async fn rename(&self) -> Tried {
        self.put("part", BYTES).await?;
        self.give("part", "named").await?.map_err(|status| said("rename", status))?;
        self.is_whole("named", BYTES).await?;
        match open(&self.other.tree, "part", CreateDisposition::Open, taking_access()).await? {
            Err(Status::U32_OBJECT_NAME_NOT_FOUND) => {
                Ok("the new name is whole, the old one gone".to_owned())
            }
            Err(found) => Err(said("look for the old name", found)),
            Ok(file) => {
                let _ = file.close().await;
                Err(unlike("rename", "the old name is still there"))
            }
        }
    }

    async fn no_replace(&self) -> Tried {
        self.put("staged", BYTES).await?;
        self.put("taken", OTHER).await?;
        match self.give("staged", "taken").await? {
            Err(Status::U32_OBJECT_NAME_COLLISION) => {}
            Err(found) => return Err(said("rename onto a taken name", found)),
            Ok(()) => return Err(unlike("rename onto a taken name", "it was not refused")),
        }
        self.is_whole("staged", BYTES).await?;
        self.is_whole("taken", OTHER).await?;
        Ok("refused, and both files are whole".to_owned())
    }

    async fn pending(&self) -> Tried {
        self.put("going", BYTES).await?;
        let held = opened(&self.ours.tree, "going", CreateDisposition::Open, taking_access()).await?;
        discard(&self.other.tree, "going").await?;
        let again = open(&self.other.tree, "going", CreateDisposition::Open, taking_access()).await?;
        let whole = read(&held, 0, BYTES.len()).await;
        let _ = held.close().await;
        match again {
            Err(DELETE_PENDING | Status::U32_OBJECT_NAME_NOT_FOUND) => {}
            Err(found) => return Err(said("open a removed file", found)),
            Ok(file) => {
                let _ = file.close().await;
                return Err(unlike("open a removed file", "it was not refused"));
            }
        }
        if whole? != BYTES {
            return Err(unlike("read a removed file", "other bytes"));
        }
        self.is_gone("going").await?;
        Ok("read to its end, opened by nobody else, gone with the last handle".to_owned())
    }

    async fn removal(&self) -> Tried {
        discard(&self.ours.tree, "copy").await?;
        self.is_gone("copy").await?;
        Ok("gone for another login too".to_owned())
    }

    async fn identity(&self) -> Tried {
        let before = identity(&self.ours.tree).await?;
        let again = self.terminal.log_in(Occasion::Test).await?;
        let after = identity(&again.tree).await;
        again.end().await;
        if before == 0 || after? != before {
            return Err(unlike("identify the staging folder", "another file id after a new login, or none"));
        }
        Ok("the same file id after a new login".to_owned())
    }

    async fn hint(&self) -> Tried {
        let watched = open_folder(&self.other.tree, &folder(), false).await?;
        let begun = Instant::now();
        let filter = NotifyFilter::new().with_file_name(true).with_size(true).with_last_write(true);
        let ended = AtomicBool::new(false);
        let watching = async {
            let told = tokio::time::timeout(TELLING, watched.watch(filter, false)).await;
            ended.store(true, Ordering::Relaxed);
            told
        };
        // On another connection than the watch is laid on: of a change that comes before it nobody is told.
        let changing = async {
            while !ended.load(Ordering::Relaxed) {
                self.put("told", OTHER).await?;
                discard(&self.ours.tree, "told").await?;
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        };
        let (told, changed) = tokio::join!(watching, changing);
        let took = begun.elapsed();
        let _ = watched.close().await;
        changed?;
        match told {
            Ok(told) => told.map_err(|error| trouble("watch a folder", &error))?,
            Err(_) => return Err(unlike("watch a folder", "no change was told within 5 s")),
        };
        Ok(format!("told after {} ms", took.as_millis()))
    }

    async fn in_use(&self, attended: Duration) -> Check {
        if attended.is_zero() {
            let evidence = "nobody was at the terminal (--attended)".to_owned();
            return Check { what: What::InUse, seen: Seen::Untried, evidence };
        }
        check(What::InUse, self.kept(attended).await)
    }

    /// Waits until somebody keeps the file to himself.
    async fn kept(&self, attended: Duration) -> Tried {
        within(SHORT, "write", self.put(HELD, BYTES)).await?;
        let refused = async {
            while !self.is_kept().await? {
                tokio::time::sleep(PAUSE).await;
            }
            Ok("refused while another had it".to_owned())
        };
        let refused = tokio::time::timeout(attended, refused).await;
        refused.unwrap_or_else(|_| {
            Err(unlike("open a file", "it was never refused; did somebody keep it to himself?"))
        })
    }

    async fn is_kept(&self) -> Result<bool, Trouble> {
        let found = open(&self.other.tree, HELD, CreateDisposition::Open, taking_access());
        match within(SHORT, "open a file", found).await? {
            Ok(file) => {
                let _ = file.close().await;
                Ok(false)
            }
            Err(Status::U32_SHARING_VIOLATION) => Ok(true),
            Err(Status::U32_OBJECT_NAME_NOT_FOUND) => Ok(false),
            Err(found) => Err(said("open a file", found)),
        }
    }

    /// Removes everything, the kept file last: whoever has it has to let it go first.
    async fn tidy(&self) -> Tried {
        for name in FILES {
            discard(&self.ours.tree, name).await?;
        }
        while self.is_kept().await? {
            tokio::time::sleep(PAUSE).await;
        }
        discard(&self.ours.tree, HELD).await?;
        let args = FileCreateArgs {
            disposition: CreateDisposition::Open,
            attributes: FileAttributes::new(),
            options: CreateOptions::new().with_directory_file(true),
            desired_access: rename_access(),
        };
        let found = self.ours.tree.create(&folder().replace('/', "\\"), &args).await;
        let made = directory(found.map_err(|error| trouble("open a folder", &error))?)?;
        let removed = made.set_info(FileDispositionInformation::default()).await;
        let _ = made.close().await;
        removed.map_err(|error| trouble("remove a folder", &error))?;
        Ok("nothing is left".to_owned())
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let file = opened(&self.ours.tree, name, CreateDisposition::Create, writing_access()).await?;
        let filled = fill(&file, bytes).await;
        let closed = file.close().await.map_err(|error| trouble("close", &error));
        filled.and(closed)
    }

    /// Renames; what the share says about the names is an answer.
    async fn give(&self, name: &str, to: &str) -> Result<Result<(), u32>, Trouble> {
        let file = opened(&self.ours.tree, name, CreateDisposition::Open, rename_access()).await?;
        let file_name = path(to).as_str().into();
        let replace_if_exists = false.into();
        let renamed =
            file.set_info(FileRenameInformation { replace_if_exists, root_directory: 0, file_name }).await;
        let _ = file.close().await;
        match renamed {
            Ok(()) => Ok(Ok(())),
            Err(error) => match super::said::status(&error) {
                Some(found) => Ok(Err(found)),
                None => Err(trouble("rename", &error)),
            },
        }
    }

    async fn is_whole(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let file = opened(&self.other.tree, name, CreateDisposition::Open, taking_access()).await?;
        let found = read(&file, 0, BYTES.len()).await;
        let _ = file.close().await;
        if found? == bytes { Ok(()) } else { Err(unlike("read back", "other bytes than were written")) }
    }

    async fn is_gone(&self, name: &str) -> Result<(), Trouble> {
        match open(&self.other.tree, name, CreateDisposition::Open, taking_access()).await? {
            Err(Status::U32_OBJECT_NAME_NOT_FOUND) => Ok(()),
            Err(found) => Err(said("look for a removed file", found)),
            Ok(file) => {
                let _ = file.close().await;
                Err(unlike("remove a file", "it is still there"))
            }
        }
    }
}

async fn open(
    tree: &Tree,
    name: &str,
    disposition: CreateDisposition,
    access: FileAccessMask,
) -> Result<Result<File, u32>, Trouble> {
    open_file(tree, "open a file", &path(name), disposition, access).await
}

async fn opened(
    tree: &Tree,
    name: &str,
    disposition: CreateDisposition,
    access: FileAccessMask,
) -> Result<File, Trouble> {
    open(tree, name, disposition, access).await?.map_err(|found| said("open a file", found))
}

async fn fill(file: &File, bytes: &[u8]) -> Result<(), Trouble> {
    let mut done = 0;
    while done < bytes.len() {
        let end = bytes.len().min(done + CHUNK);
        let written = file.write_block(&bytes[done..end], done as u64, None).await;
        done += written.map_err(|error| hidden("write", &error))?.max(1);
    }
    Ok(())
}

async fn discard(tree: &Tree, name: &str) -> Result<(), Trouble> {
    let file = match open(tree, name, CreateDisposition::Open, rename_access()).await? {
        Ok(file) => file,
        Err(Status::U32_OBJECT_NAME_NOT_FOUND | DELETE_PENDING) => return Ok(()),
        Err(found) => return Err(said("remove a file", found)),
    };
    let removed = file.set_info(FileDispositionInformation::default()).await;
    let closed = file.close().await;
    removed.and(closed).map_err(|error| trouble("remove a file", &error))
}

async fn identity(tree: &Tree) -> Result<u64, Trouble> {
    let opened = tree.create_directory(STAGING, CreateDisposition::OpenIf, listing()).await;
    let opened = directory(opened.map_err(|error| trouble("open the staging folder", &error))?)?;
    let found = opened.query_info::<FileInternalInformation>().await;
    let _ = opened.close().await;
    Ok(found.map_err(|error| trouble("identify the staging folder", &error))?.index_number)
}
