//! A small guest's initrd: programs, the libraries they ask for, and the modules that drive its devices. As an archive the
//! kernel unpacks (`newc`, Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clinic::check::Wrong;
use image::elf;
use image::modules::Modules;

/// Where a machine's libraries lie, as its own loader looks.
const LIBRARIES: [&str; 4] = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64"];
/// The loader is named by every program, and by no list of libraries.
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";

/// What goes into an initrd.
#[derive(Debug)]
pub struct Contents<'c> {
    /// The machine its programs and libraries are taken from.
    pub root: &'c Path,
    /// Programs and plugins: where they lie here, and what they are called there. One of them is `init`, or a text is.
    pub programs: &'c [(PathBuf, String)],
    /// Texts, with their names there; they may be run.
    pub texts: &'c [(&'c str, &'c str)],
    /// Folders beside those that every guest needs.
    pub folders: &'c [&'c str],
    /// The modules of its devices; what they need comes with them.
    pub drivers: &'c [&'c str],
    /// Where their list lies: a path a line, what is needed before what needs it.
    pub modules: &'c str,
}

/// Writes an initrd for the kernel whose modules lie in a folder.
///
/// # Errors
/// Something it needs is not there.
pub fn write(to: &Path, contents: &Contents<'_>, kernel: &Path) -> Result<(), Wrong> {
    let mut archive = Archive(fs::File::create(to)?, 0);
    for folder in ["proc", "sys", "dev", "run", "lib", "lib64", "modules"].iter().chain(contents.folders) {
        archive.folder(folder)?;
    }
    let mut needed = BTreeSet::new();
    for (program, name) in contents.programs {
        archive.file(name, program)?;
        needed.extend(libraries(contents.root, program)?);
    }
    for (name, text) in contents.texts {
        archive.bytes(name, 0o100_755, text.as_bytes())?;
    }
    archive.file(LOADER, &contents.root.join(LOADER))?;
    for library in needed {
        let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        archive.file(&format!("lib/{name}"), &library)?;
    }
    let mut list = String::new();
    for module in modules(kernel, contents.drivers)? {
        let name = format!("modules/{}", module.file_name().unwrap_or_default().to_string_lossy());
        archive.file(&name, &kernel.join(&module))?;
        list.push_str(&format!("/{name}\n"));
    }
    archive.bytes(contents.modules.trim_start_matches('/'), 0o100_644, list.as_bytes())?;
    archive.bytes("TRAILER!!!", 0, b"")
}

/// Every library a program asks for, and that those ask for.
fn libraries(root: &Path, program: &Path) -> Result<BTreeSet<PathBuf>, Wrong> {
    let (mut found, mut open) = (BTreeSet::new(), vec![program.to_owned()]);
    while let Some(path) = open.pop() {
        for name in elf::needed(&fs::read(&path)?) {
            let places = LIBRARIES.iter().map(|folder| root.join(folder).join(&name));
            let library = places.into_iter().find(|path| path.exists());
            let library = library.ok_or_else(|| Wrong(format!("failed to find the library {name}")))?;
            if !name.starts_with("ld-linux") && found.insert(library.clone()) {
                open.push(library);
            }
        }
    }
    Ok(found)
}

/// The modules, what is needed before what needs it.
fn modules(kernel: &Path, drivers: &[&str]) -> Result<Vec<PathBuf>, Wrong> {
    let all = Modules::read(kernel).map_err(|error| Wrong(format!("failed to {error}")))?;
    let wanted: Vec<String> = drivers.iter().map(|&driver| driver.to_owned()).collect();
    let needed =
        all.named(&wanted).map_err(|lost| Wrong(format!("this kernel has no {}", lost.join(", no "))))?;
    let mut ordered: Vec<PathBuf> = Vec::new();
    let mut open: Vec<PathBuf> = needed.into_iter().collect();
    while !open.is_empty() {
        let before = open.len();
        for path in std::mem::take(&mut open) {
            let first = all.needed_by(&path);
            if first.iter().all(|first| ordered.contains(first)) {
                ordered.push(path);
            } else {
                open.push(path);
            }
        }
        if open.len() == before {
            return Err(Wrong::new("the kernel's modules need each other in a circle"));
        }
    }
    Ok(ordered)
}

/// An archive being written, and how many entries it has.
struct Archive(fs::File, u32);

impl Archive {
    fn folder(&mut self, name: &str) -> Result<(), Wrong> {
        self.bytes(name, 0o040_755, b"")
    }

    fn file(&mut self, name: &str, from: &Path) -> Result<(), Wrong> {
        let bytes =
            fs::read(from).map_err(|error| Wrong(format!("failed to read {}: {error}", from.display())))?;
        self.bytes(name, 0o100_755, &bytes)
    }

    fn bytes(&mut self, name: &str, mode: u32, bytes: &[u8]) -> Result<(), Wrong> {
        self.1 += 1;
        Ok(self.0.write_all(&entry(self.1, name, mode, bytes))?)
    }
}

fn entry(inode: u32, name: &str, mode: u32, bytes: &[u8]) -> Vec<u8> {
    let mut head = String::from("070701");
    // Inode, mode, owner, group, links, time, size, four device numbers, the name's length, no checksum.
    for word in [inode as usize, mode as usize, 0, 0, 1, 0, bytes.len(), 0, 0, 0, 0, name.len() + 1, 0] {
        head.push_str(&format!("{word:08x}"));
    }
    let mut entry = head.into_bytes();
    entry.extend_from_slice(name.as_bytes());
    entry.push(0);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry.extend_from_slice(bytes);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_the_kernel_reads_it() {
        let entry = entry(1, "init", 0o100_755, b"abcde");
        let text = String::from_utf8_lossy(&entry);
        assert!(text.starts_with("0707010000000100008"), "{text}");
        assert_eq!(&text[54..62], "00000005", "the size");
        assert_eq!(&text[94..102], "00000005", "the name's length");
        // 110 of the head and 5 of the name, filled up to 116.
        assert_eq!((&text[110..115], &text[116..121], entry.len()), ("init\0", "abcde", 124));
    }

    #[test]
    fn this_test_needs_libc_and_no_library_twice() {
        let found = libraries(Path::new("/"), &std::env::current_exe().unwrap()).unwrap();
        assert_eq!(found.iter().filter(|path| path.ends_with("libc.so.6")).count(), 1);
    }
}
