//! What a process asked of the file system, as strace wrote it down: with `-xx` every byte of a name and of what is
//! written is there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The calls that are written down.
pub const CALLS: &str = "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,\
                         symlinkat,unlink,unlinkat,rmdir,write,pwrite64,ftruncate,fsync,fdatasync,ioctl";

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A folder was made.
    Folder(PathBuf),
    /// A file was opened to be made if it is absent, and emptied if this is so.
    File(PathBuf, bool),
    /// Somebody outside put a file; it is durable by itself, bytes and name.
    Put(PathBuf, Vec<u8>),
    /// A link was made, with what it says.
    Link(PathBuf, Vec<u8>),
    /// A second name of a file.
    Name(PathBuf, PathBuf),
    /// An entry was moved.
    Move(PathBuf, PathBuf),
    /// An entry was removed.
    Remove(PathBuf),
    /// Bytes were written, at this place or at the end.
    Write(PathBuf, Option<usize>, Vec<u8>),
    /// A file was cut to this length.
    Cut(PathBuf, usize),
    /// A file or a folder was flushed.
    Flush(PathBuf),
    /// Of a folder was asked that every removal is durable at once.
    Keep(PathBuf),
}

/// An operation, when it was begun, and whether its end was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Nanoseconds since 1970.
    pub at: u128,
    /// What.
    pub op: Op,
    /// Not if the process was killed in the middle of it.
    pub ended: bool,
}

/// What a trace tells, in the order in which it was begun.
pub fn read(text: &str) -> Vec<Done> {
    let mut open: HashMap<&str, String> = HashMap::new();
    let mut done = Vec::new();
    for line in text.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            open.insert(process, begun.to_owned());
        } else if let Some((_, end)) = rest.split_once(" resumed>").filter(|_| rest.contains("<... ")) {
            done.extend(open.remove(process).and_then(|begun| call(&(begun + end))));
        } else {
            done.extend(call(rest));
        }
    }
    // What was never ended.
    done.extend(open.into_values().filter_map(|begun| call(&(begun + ") = ?"))));
    done.sort_by_key(|done| done.at);
    done
}

/// `TIME NAME(ARGUMENTS) = RESULT`.
fn call(line: &str) -> Option<Done> {
    let (time, rest) = line.trim_start().split_once(' ')?;
    let (seconds, nanos) = time.split_once('.')?;
    let at = seconds.parse::<u128>().ok()? * 1_000_000_000 + nanos.parse::<u128>().ok()?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ")?;
    let refused = result.starts_with('-');
    // What a file system without flags refuses was asked for nevertheless.
    if refused && name != "ioctl" {
        return None;
    }
    let op = op(name, &split(arguments), result)?;
    Some(Done { at, op, ended: !result.starts_with('?') })
}

fn op(name: &str, words: &[&str], result: &str) -> Option<Op> {
    let word = |at: usize| words.get(at).copied();
    Some(match name {
        "mkdir" => Op::Folder(path(None, word(0)?)?),
        "mkdirat" => Op::Folder(path(word(0), word(1)?)?),
        "open" | "openat" | "openat2" | "creat" => {
            let flags = words.iter().find(|word| word.contains("O_"))?;
            if !flags.contains("O_CREAT") && !flags.contains("O_TRUNC") {
                return None;
            }
            let file = opened(result).or_else(|| path(word(0), word(1)?))?;
            Op::File(file, flags.contains("O_TRUNC"))
        }
        "rename" => Op::Move(path(None, word(0)?)?, path(None, word(1)?)?),
        "renameat" | "renameat2" => Op::Move(path(word(0), word(1)?)?, path(word(2), word(3)?)?),
        "link" => Op::Name(path(None, word(0)?)?, path(None, word(1)?)?),
        "linkat" => Op::Name(path(word(0), word(1)?)?, path(word(2), word(3)?)?),
        "symlink" => Op::Link(path(None, word(1)?)?, text(word(0)?)?),
        "symlinkat" => Op::Link(path(word(1), word(2)?)?, text(word(0)?)?),
        "unlink" | "rmdir" => Op::Remove(path(None, word(0)?)?),
        "unlinkat" => Op::Remove(path(word(0), word(1)?)?),
        "write" | "pwrite64" => {
            let at = word(3).and_then(|at| at.parse().ok());
            let mut bytes = text(word(1)?)?;
            bytes.truncate(result.split(' ').next()?.parse().unwrap_or(bytes.len()));
            Op::Write(opened(word(0)?)?, at, bytes)
        }
        "ftruncate" => Op::Cut(opened(word(0)?)?, word(1)?.parse().ok()?),
        "fsync" | "fdatasync" => Op::Flush(opened(word(0)?)?),
        "ioctl" if word(1)?.contains("FS_IOC_SETFLAGS") => Op::Keep(opened(word(0)?)?),
        _ => return None,
    })
}

/// Arguments are divided by commas outside braces; strings have none, every byte of them is in hex.
fn split(arguments: &str) -> Vec<&str> {
    let (mut words, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                words.push(arguments.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(arguments.get(from..).unwrap_or_default().trim());
    words
}

/// The path behind a descriptor: `7<\x2f…>`.
fn opened(word: &str) -> Option<PathBuf> {
    let hex = word.split_once('<')?.1.split_once('>')?.0;
    let path = String::from_utf8(bytes(hex)?).ok()?;
    Some(PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(&path)))
}

/// A name, below an opened folder if there is one.
fn path(folder: Option<&str>, name: &str) -> Option<PathBuf> {
    let name = String::from_utf8(text(name)?).ok()?;
    let below = folder.and_then(opened).unwrap_or_default();
    Some(Path::new(&below).join(name))
}

/// `"\x61\x62"`.
fn text(word: &str) -> Option<Vec<u8>> {
    bytes(word.strip_prefix('"')?.split('"').next()?)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    hex.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte.get(..2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    fn done(at: u128, op: Op) -> Done {
        Done { at, op, ended: true }
    }

    #[test]
    fn what_was_done_is_read_in_the_order_in_which_it_was_begun() {
        let (a, ax, b) = (hex("/a"), hex("/a/x"), hex("y"));
        let text = format!(
            "7 1.000000001 openat2(3<{a}>, \"{x}\", {{flags=O_RDWR|O_CREAT|O_EXCL, mode=0660}}, 24) = 4<{ax}>\n\
             7 1.000000002 pwrite64(4<{ax}>, \"{b}\", 1, 3) = 1\n\
             8 1.000000003 fsync(4<{ax}> <unfinished ...>\n\
             7 1.000000004 renameat2(3<{a}>, \"{x}\", 5<{b2}>, \"{b}\", RENAME_NOREPLACE) = 0\n\
             8 1.000000009 <... fsync resumed>) = 0\n\
             7 1.000000005 renameat2(3<{a}>, \"{x}\", 5<{b2}>, \"{b}\", RENAME_NOREPLACE) = -1 ENOENT (No such file)\n\
             7 1.000000006 ioctl(3<{a}>, FS_IOC_SETFLAGS, [FS_DIRSYNC_FL]) = -1 EOPNOTSUPP (Not supported)\n\
             7 1.000000007 fsync(3<{a}> <unfinished ...>\n",
            x = hex("x"),
            b2 = hex("/b"),
        );
        let x = PathBuf::from("/a/x");
        let unended = Done { at: 1_000_000_007, op: Op::Flush("/a".into()), ended: false };
        assert_eq!(
            read(&text),
            [
                done(1_000_000_001, Op::File(x.clone(), false)),
                done(1_000_000_002, Op::Write(x.clone(), Some(3), b"y".to_vec())),
                done(1_000_000_003, Op::Flush(x.clone())),
                done(1_000_000_004, Op::Move(x, "/b/y".into())),
                done(1_000_000_006, Op::Keep("/a".into())),
                unended,
            ]
        );
    }

    #[test]
    fn a_path_of_its_own_and_what_is_no_call_of_ours_are_told_apart() {
        let text = format!(
            "7 1.000000001 mkdir(\"{}\", 0777) = 0\n7 1.000000002 openat(AT_FDCWD<{}>, \"{}\", O_RDONLY) = 3<{}>\n\
             7 1.000000003 +++ killed by SIGKILL +++\n",
            hex("/a"),
            hex("/"),
            hex("b"),
            hex("/b"),
        );
        assert_eq!(read(&text), [done(1_000_000_001, Op::Folder("/a".into()))]);
    }
}
