//! What the disk keeps of what was done, and what it forgets.

use super::*;

/// A disk with the folders `a` and `b`, and the file `a/x`.
fn disk() -> Disk {
    let file = Entry::File(b"old".to_vec());
    let tree = [("a", Entry::Folder), ("a/x", file), ("b", Entry::Folder)];
    Disk::of(Path::new("/"), &tree.map(|(path, entry)| (PathBuf::from(path), entry)).into())
}

fn after(ops: &[Op]) -> Vec<String> {
    let mut disk = disk();
    ops.iter().for_each(|op| disk.apply(op));
    let said = disk.cut(Luck::None).into_iter().map(|(path, entry)| match entry {
        Entry::File(bytes) => format!("{} {}", path.display(), String::from_utf8_lossy(&bytes)),
        Entry::Folder | Entry::Link(_) => path.display().to_string(),
    });
    said.collect()
}

fn moved() -> Op {
    Op::Move("/a/x".into(), "/b/y".into())
}

fn flush(path: &str) -> Op {
    Op::Flush(path.into())
}

#[test]
fn a_move_is_kept_by_the_folder_it_left_and_beside_the_old_name_by_the_other() {
    assert_eq!(after(&[moved()]), ["a", "a/x old", "b"]);
    assert_eq!(after(&[moved(), flush("/a")]), ["a", "b", "b/y old"]);
    assert_eq!(after(&[moved(), flush("/b")]), ["a", "a/x old", "b", "b/y old"]);
}

#[test]
fn bytes_are_kept_by_the_files_flush_and_a_new_name_by_its_folders() {
    let made = [Op::File("/b/z".into(), false), Op::Write("/b/z".into(), None, b"new".to_vec())];
    assert_eq!(after(&made), ["a", "a/x old", "b"]);
    assert_eq!(after(&[&made[..], &[flush("/b/z")]].concat()), ["a", "a/x old", "b"]);
    assert_eq!(after(&[&made[..], &[flush("/b")]].concat()), ["a", "a/x old", "b", "b/z "]);
    let both = [&made[..], &[flush("/b/z"), flush("/b")]].concat();
    assert_eq!(after(&both), ["a", "a/x old", "b", "b/z new"]);
    let written = Op::Write("/a/x".into(), Some(1), b"NE".to_vec());
    assert_eq!(after(&[written.clone(), flush("/b"), flush("/a")]), ["a", "a/x old", "b"]);
    assert_eq!(after(&[written, flush("/a/x")]), ["a", "a/x oNE", "b"]);
}

#[test]
fn a_removal_is_kept_by_its_folders_flush_or_at_once_where_that_was_asked_for() {
    let removed = Op::Remove("/a/x".into());
    assert_eq!(after(std::slice::from_ref(&removed)), ["a", "a/x old", "b"]);
    assert_eq!(after(&[removed.clone(), flush("/a")]), ["a", "b"]);
    assert_eq!(after(&[Op::Keep("/a".into()), removed]), ["a", "b"]);
}

#[test]
fn a_folder_that_is_forgotten_takes_what_lies_in_it_along() {
    let made = [Op::Folder("/c".into()), Op::File("/c/z".into(), false), flush("/c/z"), flush("/c")];
    assert_eq!(after(&made), ["a", "a/x old", "b"]);
    assert_eq!(after(&[&made[..], &[flush("/")]].concat()), ["a", "a/x old", "b", "c", "c/z "]);
}

#[test]
fn with_luck_everything_is_kept_and_otherwise_some_of_it() {
    let mut disk = disk();
    [moved(), Op::Write("/b/y".into(), None, b"er".to_vec())].iter().for_each(|op| disk.apply(op));
    assert_eq!(disk.cut(Luck::All), disk.seen());
    let left: std::collections::BTreeSet<Vec<PathBuf>> =
        (0..50).map(|seed| disk.cut(Luck::Some(seed)).into_keys().collect()).collect();
    assert_eq!(left.len(), 2, "moved or not");
}

#[test]
fn a_tree_is_read_back_as_it_was_written_and_nothing_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("own/gone")).unwrap();
    fs::write(root.join("own/gone/x"), b"x").unwrap();
    let tree = Tree::from([
        ("own".into(), Entry::Folder),
        ("own/x".into(), Entry::File(b"1".to_vec())),
        ("own/l".into(), Entry::Link(b"x".to_vec())),
    ]);
    write(&root, &tree).unwrap();
    assert_eq!(read(&root, |_| false).unwrap(), tree);
    assert_eq!(read(&root, |path| path.starts_with("own/x")).unwrap().len(), 2);
}
