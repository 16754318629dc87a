//! A disk that forgets all it may: of a file what was written since its last flush, of a folder the names that came and
//! went since its own. A flush of one file or folder keeps nothing of any other. A move is one step, kept by a flush of
//! the folder it left; of the folder it went to alone the new name is kept beside the old one, as btrfs does it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::trace::Op;
use crate::powercut::cut::Chance;

type Id = usize;
type Names = BTreeMap<(Id, String), Id>;

#[derive(Clone, Debug)]
enum Node {
    /// Whether what is removed from it is durable at once.
    Folder(bool),
    /// Its bytes now, and those that are durable.
    File(Vec<u8>, Vec<u8>),
    Link(Vec<u8>),
}

/// How much of a step a flush has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    Nothing,
    /// Of a move the new name.
    Half,
    Whole,
}

#[derive(Clone, Debug)]
enum Change {
    Add((Id, String)),
    Drop((Id, String)),
    Move((Id, String), (Id, String)),
}

#[derive(Clone, Debug)]
struct Step {
    change: Change,
    node: Id,
    kept: Kept,
}

/// A disk: what everybody sees on it, and what of it is durable.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    now: Names,
    durable: Names,
    steps: Vec<Step>,
}

/// What of the rest a cut leaves: so many of the steps nobody flushed, the oldest, and of files by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// By this number.
    Some(u64),
}

/// A tree, as it lies on a disk: folders, files and links by their paths.
pub type Tree = BTreeMap<PathBuf, Entry>;

/// What lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// A file with these bytes.
    File(Vec<u8>),
    /// A link that says this.
    Link(Vec<u8>),
}

impl Disk {
    /// With this tree below `root`, all of it durable.
    pub fn of(root: &Path, tree: &Tree) -> Self {
        let nodes = vec![Node::Folder(false)];
        let (now, durable) = (Names::new(), Names::new());
        let mut disk = Self { root: root.to_owned(), nodes, now, durable, steps: Vec::new() };
        for (path, entry) in tree {
            let node = match entry {
                Entry::Folder => Node::Folder(false),
                Entry::File(bytes) => Node::File(bytes.clone(), bytes.clone()),
                Entry::Link(says) => Node::Link(says.clone()),
            };
            disk.add(&root.join(path), node);
        }
        disk.durable.clone_from(&disk.now);
        disk.steps.clear();
        disk
    }

    /// One thing is done. What is done elsewhere is nothing.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Folder(path) => self.add(path, Node::Folder(false)),
            Op::Link(path, says) => self.add(path, Node::Link(says.clone())),
            Op::File(path, emptied) => match self.find(path) {
                None => self.add(path, Node::File(Vec::new(), Vec::new())),
                Some(file) if *emptied => self.change(file, Vec::clear),
                Some(_) => {}
            },
            Op::Name(from, to) => {
                if let (Some(node), Some(to)) = (self.find(from), self.place(to)) {
                    self.step(Change::Add(to), node);
                }
            }
            Op::Move(from, to) => {
                if let (Some(node), Some(from), Some(to)) =
                    (self.find(from), self.place(from), self.place(to))
                {
                    self.step(Change::Move(from, to), node);
                }
            }
            Op::Put(path, bytes) => {
                self.add(path, Node::File(bytes.clone(), bytes.clone()));
                if let Some(step) = self.steps.last_mut() {
                    step.kept = Kept::Whole;
                }
            }
            Op::Remove(path) => self.remove(path),
            Op::Write(path, at, written) => {
                let Some(file) = self.find(path) else { return };
                self.change(file, |bytes| {
                    let at = at.unwrap_or(bytes.len());
                    bytes.resize(bytes.len().max(at + written.len()), 0);
                    bytes[at..at + written.len()].copy_from_slice(written);
                });
            }
            Op::Cut(path, length) => {
                let Some(file) = self.find(path) else { return };
                self.change(file, |bytes| bytes.resize(*length, 0));
            }
            Op::Flush(path) => {
                if let Some(node) = self.find(path) {
                    self.flush(node);
                }
            }
            Op::Keep(path) => {
                if let Some(Node::Folder(keeps)) = self.find(path).and_then(|id| self.nodes.get_mut(id)) {
                    *keeps = true;
                }
            }
        }
    }

    fn remove(&mut self, path: &Path) {
        let (Some(node), Some(place)) = (self.find(path), self.place(path)) else { return };
        let folder = place.0;
        self.step(Change::Drop(place), node);
        if matches!(self.nodes.get(folder), Some(Node::Folder(true))) {
            self.flush(folder);
        }
    }

    fn add(&mut self, path: &Path, node: Node) {
        let Some(place) = self.place(path) else { return };
        self.nodes.push(node);
        self.step(Change::Add(place), self.nodes.len() - 1);
    }

    fn step(&mut self, change: Change, node: Id) {
        carry_out(&mut self.now, &change, node, Kept::Whole);
        self.steps.push(Step { change, node, kept: Kept::Nothing });
    }

    fn change(&mut self, file: Id, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Node::File(bytes, _)) = self.nodes.get_mut(file) {
            change(bytes);
        }
    }

    fn flush(&mut self, flushed: Id) {
        match self.nodes.get_mut(flushed) {
            Some(Node::File(bytes, durable)) => durable.clone_from(bytes),
            Some(Node::Folder(_)) => {
                for step in &mut self.steps {
                    let kept = match &step.change {
                        Change::Add((folder, _))
                        | Change::Drop((folder, _))
                        | Change::Move((folder, _), _)
                            if *folder == flushed =>
                        {
                            Kept::Whole
                        }
                        Change::Move(_, (folder, _)) if *folder == flushed => Kept::Half,
                        _ => Kept::Nothing,
                    };
                    step.kept = step.kept.max(kept);
                }
            }
            _ => {}
        }
    }

    fn find(&self, path: &Path) -> Option<Id> {
        path.strip_prefix(&self.root).ok()?.components().try_fold(0, |folder, part| match part {
            Component::Normal(name) => self.now.get(&(folder, name.to_str()?.to_owned())).copied(),
            _ => None,
        })
    }

    fn place(&self, path: &Path) -> Option<(Id, String)> {
        Some((self.find(path.parent()?)?, path.file_name()?.to_str()?.to_owned()))
    }

    /// What everybody sees.
    pub fn seen(&self) -> Tree {
        self.tree(&self.now, |bytes, _| bytes.to_vec())
    }

    /// What is left after a cut.
    pub fn cut(&self, luck: Luck) -> Tree {
        let loose = self.steps.iter().filter(|step| step.kept == Kept::Nothing).count();
        let mut chance = Chance(0);
        let mut lucky = match luck {
            Luck::None => 0,
            Luck::All => loose,
            Luck::Some(seed) => {
                chance = Chance(seed);
                chance.below(loose + 1)
            }
        };
        let mut names = self.durable.clone();
        for step in &self.steps {
            let mut kept = step.kept;
            if kept == Kept::Nothing && lucky > 0 {
                (kept, lucky) = (Kept::Whole, lucky - 1);
            }
            carry_out(&mut names, &step.change, step.node, kept);
        }
        self.tree(&names, move |bytes, durable| match luck {
            Luck::None => durable.to_vec(),
            Luck::All => bytes.to_vec(),
            Luck::Some(_) => {
                let mut torn = durable.to_vec();
                let end = chance.below(bytes.len() + 1);
                torn.resize(torn.len().max(end), 0);
                torn[..end].copy_from_slice(&bytes[..end]);
                torn
            }
        })
    }

    fn tree(&self, names: &Names, mut bytes: impl FnMut(&[u8], &[u8]) -> Vec<u8>) -> Tree {
        let (mut tree, mut open) = (Tree::new(), vec![(0, PathBuf::new())]);
        while let Some((folder, path)) = open.pop() {
            for ((_, name), id) in names.range((folder, String::new())..(folder + 1, String::new())) {
                let path = path.join(name);
                let entry = match self.nodes.get(*id) {
                    Some(Node::Folder(_)) => {
                        open.push((*id, path.clone()));
                        Entry::Folder
                    }
                    Some(Node::File(now, durable)) if now == durable => Entry::File(now.clone()),
                    Some(Node::File(now, durable)) => Entry::File(bytes(now, durable)),
                    Some(Node::Link(says)) => Entry::Link(says.clone()),
                    None => continue,
                };
                tree.insert(path, entry);
            }
        }
        tree
    }
}

fn carry_out(names: &mut Names, change: &Change, node: Id, kept: Kept) {
    let is_there = |names: &Names, place: &(Id, String)| names.get(place) == Some(&node);
    match (change, kept) {
        (_, Kept::Nothing) => {}
        (Change::Add(place), _) => _ = names.insert(place.clone(), node),
        (Change::Drop(place), _) => {
            if is_there(names, place) {
                names.remove(place);
            }
        }
        (Change::Move(from, to), _) => {
            if kept == Kept::Whole && is_there(names, from) {
                names.remove(from);
            }
            names.insert(to.clone(), node);
        }
    }
}

/// What lies below a folder, but for what carries no promise.
///
/// # Errors
/// What the system says.
pub fn read(root: &Path, except: impl Fn(&Path) -> bool) -> io::Result<Tree> {
    let (mut tree, mut open) = (Tree::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let (entry, path) = entry.map(|entry| (folder.join(entry.file_name()), entry.path()))?;
            if except(&entry) {
                continue;
            }
            let kind = fs::symlink_metadata(&path)?.file_type();
            let lies = if kind.is_dir() {
                open.push(entry.clone());
                Entry::Folder
            } else if kind.is_symlink() {
                Entry::Link(fs::read_link(&path)?.as_os_str().as_bytes().to_vec())
            } else {
                Entry::File(fs::read(&path)?)
            };
            tree.insert(entry, lies);
        }
    }
    Ok(tree)
}

/// Lets below a folder lie this tree and nothing else.
///
/// # Errors
/// What the system says.
pub fn write(root: &Path, tree: &Tree) -> io::Result<()> {
    fs::remove_dir_all(root)?;
    fs::create_dir(root)?;
    for (path, entry) in tree {
        let path = root.join(path);
        match entry {
            Entry::Folder => fs::create_dir_all(path)?,
            Entry::File(bytes) => fs::write(path, bytes)?,
            Entry::Link(says) => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(says), path)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
