//! Writing an image to something that is as good as a disk: a file, and (Needs root) a loop device.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use image::error::Error;
use image::flash::{self, Wish, disk::Disk, signed::Image, write};
use tempfile::TempDir;

const SIZE: usize = (5 << 20) + 512;

/// A folder with a signed image, its key and a disk.
struct Bench {
    folder: TempDir,
    raw: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("the bench works");
        let mut raw = vec![0; SIZE];
        getrandom(&mut raw);
        let place = |name: &str| folder.path().join(name);
        let mut packer = zstd::Encoder::new(Vec::new(), 1).expect("the bench works");
        packer.set_pledged_src_size(Some(SIZE as u64)).expect("the bench works");
        std::io::Write::write_all(&mut packer, &raw).expect("the bench works");
        let packed = packer.finish().expect("the bench works");
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("the bench works");
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).expect("the bench works");
        std::fs::write(place("image.zst"), &packed).expect("the bench works");
        std::fs::write(place("image.zst.sig"), key.sign(&packed)).expect("the bench works");
        std::fs::write(place("image.pub"), key.public_key()).expect("the bench works");
        std::fs::write(place("disk"), vec![0xAA; 8 << 20]).expect("the bench works");
        Self { folder, raw }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn flash(&self, disk: &Path, yes: bool) -> Result<(), Error> {
        flash::run(&Wish {
            image: self.place("image.zst"),
            disk: disk.to_owned(),
            key: self.place("image.pub"),
            yes,
        })
    }

    fn untouched(&self) -> bool {
        std::fs::read(self.place("disk")).expect("the bench works").iter().all(|byte| *byte == 0xAA)
    }
}

fn getrandom(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the bench works");
}

#[test]
fn a_disk_holds_the_image_and_nothing_old_at_its_end() {
    let bench = Bench::new();
    bench.flash(&bench.place("disk"), true).unwrap();
    let disk = std::fs::read(bench.place("disk")).unwrap();
    assert!(disk[..SIZE] == bench.raw[..]);
    assert_eq!(disk.len(), 8 << 20, "a disk does not grow");
    assert!(disk[disk.len() - (1 << 20)..].iter().all(|byte| *byte == 0), "an old partition table stays");
}

#[test]
fn a_changed_image_or_a_foreign_key_writes_nothing() {
    let bench = Bench::new();
    let mut packed = std::fs::read(bench.place("image.zst")).unwrap();
    let middle = packed.len() / 2;
    packed[middle] ^= 1;
    std::fs::write(bench.place("image.zst"), packed).unwrap();
    let refused = bench.flash(&bench.place("disk"), true).unwrap_err();
    assert_eq!(refused.code(), 65, "{refused}");
    assert!(refused.to_string().contains("signature") && bench.untouched());

    let (bench, other) = (Bench::new(), Bench::new());
    std::fs::copy(other.place("image.pub"), bench.place("image.pub")).unwrap();
    assert!(bench.flash(&bench.place("disk"), true).is_err() && bench.untouched());
}

#[test]
fn a_disk_that_is_too_small_and_a_place_that_is_no_disk_are_refused() {
    let bench = Bench::new();
    std::fs::write(bench.place("small"), vec![0; 1 << 20]).unwrap();
    let refused = bench.flash(&bench.place("small"), true).unwrap_err();
    assert_eq!(refused.code(), 64, "{refused}");
    assert!(refused.to_string().contains("it has 1 MiB, the image needs 6"), "{refused}");
    assert!(
        bench
            .flash(Path::new("/dev/null"), true)
            .unwrap_err()
            .to_string()
            .contains("neither a disk nor a file")
    );
}

#[test]
fn nobody_to_ask_and_no_yes_writes_nothing() {
    let bench = Bench::new();
    let words = |name: &str| bench.place(name).into_os_string();
    let done = Command::new(env!("CARGO_BIN_EXE_image"))
        .args(["flash".into(), words("image.zst"), words("disk"), "--key".into(), words("image.pub")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&done.stderr).contains("nobody is there to ask"));
    assert!(bench.untouched());
}

#[test]
fn an_interrupted_disk_says_so_and_has_no_partition_table() {
    let bench = Bench::new();
    let image = Image::open(&bench.place("image.zst"), &bench.place("image.pub")).unwrap();
    let disk = Disk::look(&bench.place("disk")).unwrap();
    let looks = std::cell::Cell::new(0);
    let third = || {
        looks.set(looks.get() + 1);
        looks.get() > 3
    };
    let torn = write::write(&image, &disk, &third, &mut |_| ()).unwrap_err();
    assert_eq!(torn.code(), 74);
    assert!(
        torn.to_string().contains("interrupted") && torn.to_string().contains("PARTLY WRITTEN"),
        "{torn}"
    );
    let begin = std::fs::read(bench.place("disk")).unwrap();
    assert!(begin[..1 << 20].iter().all(|byte| *byte == 0));
    assert!(begin[1 << 20..2 << 20] == bench.raw[1 << 20..2 << 20], "it had begun");
}

#[test]
fn a_disk_that_gives_back_something_else_is_told() {
    let bench = Bench::new();
    let image = Image::open(&bench.place("image.zst"), &bench.place("image.pub")).unwrap();
    let disk = Disk::look(&bench.place("disk")).unwrap();
    write::write(&image, &disk, &|| false, &mut |_| ()).unwrap();
    let file = std::fs::File::options().write(true).open(bench.place("disk")).unwrap();
    file.write_all_at(&[bench.raw[3_000_000] ^ 1], 3_000_000).unwrap();
    let torn = write::compare(&image, &disk, &|| false, &mut |_| ()).unwrap_err();
    assert!(torn.to_string().contains("byte 3000000 reads back differently"), "{torn}");
}

/// A loop device, given back at the end.
struct Loop(PathBuf);

impl Loop {
    fn over(file: &Path) -> Self {
        let made = Command::new("losetup")
            .args(["--find", "--show", "--partscan"])
            .arg(file)
            .output()
            .expect("the bench works");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(String::from_utf8(made.stdout).expect("the bench works").trim().into())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").arg("--detach").arg(&self.0).status();
    }
}

/// A mount, taken away at the end.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_loop_device_is_written_unless_it_is_mounted() {
    let bench = Bench::new();
    let disk = Loop::over(&bench.place("disk"));
    bench.flash(&disk.0, true).unwrap();
    assert!(std::fs::read(&disk.0).unwrap()[..SIZE] == bench.raw[..]);

    assert!(Command::new("mke2fs").args(["-q", "-F"]).arg(&disk.0).status().unwrap().success());
    let place = bench.place("mount");
    std::fs::create_dir(&place).unwrap();
    assert!(Command::new("mount").arg(&disk.0).arg(&place).status().unwrap().success());
    let _mount = Mount(place.clone());
    let refused = bench.flash(&disk.0, true).unwrap_err().to_string();
    assert!(refused.contains(&format!("it is in use: mounted at {}", place.display())), "{refused}");
}
