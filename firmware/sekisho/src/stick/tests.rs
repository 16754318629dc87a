//! Sticks as people make them and as nobody should: through the real FAT crate, on images of the real mkfs.vfat and
//! mtools, which `scripts/packages/run.list` has.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;

use model::notice::Stick;

use super::find::{Found, find};
use super::{LARGEST, fat};

const SITE: &str = include_str!("../../../model/tests/data/site.toml");
const PROFILE: &str = include_str!("../../../model/tests/data/profile.toml");

/// An image with these files.
struct Image {
    folder: tempfile::TempDir,
}

impl Image {
    fn new(kind: &str, files: &[(&str, &[u8])]) -> Self {
        let image = Self { folder: tempfile::tempdir().unwrap() };
        let path = image.path();
        File::create(&path).unwrap().set_len(64 << 20).unwrap();
        run(
            "/usr/sbin/mkfs.vfat",
            &["-F", kind, "-s", if kind == "32" { "1" } else { "4" }, path.to_str().unwrap()],
        );
        let mut made: Vec<String> = Vec::new();
        for (name, bytes) in files {
            if let Some((folder, _)) = name.rsplit_once('/') {
                let mut whole = String::new();
                for part in folder.split('/') {
                    whole = if whole.is_empty() { part.to_owned() } else { format!("{whole}/{part}") };
                    if !made.contains(&whole) {
                        run("/usr/bin/mmd", &["-i", path.to_str().unwrap(), &format!("::{whole}")]);
                        made.push(whole.clone());
                    }
                }
            }
            let source = image.folder.path().join("source");
            std::fs::write(&source, bytes).unwrap();
            let to = format!("::{name}");
            run("/usr/bin/mcopy", &["-i", path.to_str().unwrap(), source.to_str().unwrap(), &to]);
        }
        image
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("stick.img")
    }

    fn look(&self) -> Result<Vec<Found>, Stick> {
        look(&mut File::open(self.path()).unwrap())
    }
}

fn run(program: &str, args: &[&str]) {
    let said = Command::new(program).args(args).output().unwrap();
    assert!(said.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&said.stderr));
}

fn look(stick: &mut File) -> Result<Vec<Found>, Stick> {
    fat::open(stick, |fat| Ok(find(fat))).unwrap_or_else(|reason| Err(Stick::Unreadable { reason }))
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|(name, _)| name.as_str()).collect()
}

const RIGHT: [(&str, &[u8]); 4] = [
    ("sekisho/clinic.toml", SITE.as_bytes()),
    ("sekisho/profile.toml", PROFILE.as_bytes()),
    ("sekisho/ca.pem", b"-----BEGIN CERTIFICATE-----\n"),
    ("sekisho/logins/t1.txt", b"\xef\xbb\xbfuser\r\nsecret\r\n"),
];

#[test]
fn a_stick_as_an_installer_makes_it_is_found_whole() {
    for kind in ["16", "32"] {
        let image = Image::new(kind, &RIGHT);
        let found = image.look().unwrap();
        assert_eq!(names(&found), ["site.toml", "profile.toml", "ca.pem", "logins/t1"]);
        assert_eq!(found[0].1, SITE);
        assert_eq!(found[3].1, "user\nsecret\n");
    }
}

#[test]
fn the_secret_of_a_line_by_ipsec_is_taken_in_whatever_form_it_has() {
    let table = "kind = \"ipsec\"\n[line.ipsec]\nprovider = \"./form.toml\"\ngateways = [\"2001:db8::9\"]\n";
    let site = SITE.replace("kind = \"ra\"\n", table);
    let form = include_str!("../../../../tests/lab/provider.toml");
    let look = |secret: &[u8]| {
        let files = [
            ("sekisho/clinic.toml", site.as_bytes()),
            ("sekisho/form.toml", form.as_bytes()),
            ("sekisho/logins/line.txt", secret),
            RIGHT[3],
        ];
        Image::new("32", &files).look()
    };
    let found = look(b"kx7-Ru2!mm0q\r\n").unwrap();
    assert!(found.contains(&("logins/line".into(), "kx7-Ru2!mm0q\n".into())), "{:?}", names(&found));
    let pem = "-----BEGIN CERTIFICATE-----\n".repeat(100);
    assert!(look(pem.as_bytes()).unwrap().contains(&("logins/line".into(), pem)));
    assert!(matches!(look(b"\r\n"), Err(Stick::BadSiteFile { .. })), "an empty one is said");
}

#[test]
fn a_session_s_password_that_pppd_would_take_for_a_file_is_refused_and_a_terminal_s_is_not() {
    let table = "kind = \"pppoe\"\n[line.pppoe]\nlogin = \"secret:line\"\n";
    let site = SITE.replace("kind = \"ra\"\n", table);
    let look = |line: &[u8], terminal: &[u8]| {
        let files = [
            ("sekisho/clinic.toml", site.as_bytes()),
            ("sekisho/logins/line.txt", line),
            ("sekisho/logins/t1", terminal),
        ];
        Image::new("32", &files).look()
    };
    assert!(look(b"user\n@secret\n", b"user\n@/secret\n").is_ok());
    let refused = format!("{:?}", look(b"user\n@/secret\n", b"user\nsecret\n").unwrap_err());
    assert!(refused.contains("logins/line: a password that begins with @/"), "{refused}");
    assert!(!refused.contains("@/secret"), "{refused}");
}

#[test]
fn a_stick_with_a_partition_table_is_found_too() {
    let image = Image::new("32", &RIGHT);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.img");
    let mut whole = File::create_new(&path).unwrap();
    let mut table = [0_u8; 512];
    table[446 + 4] = 0x0c;
    table[446 + 8..446 + 12].copy_from_slice(&2048_u32.to_le_bytes());
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    whole.write_all(&table).unwrap();
    whole.seek(SeekFrom::Start(2048 * 512)).unwrap();
    whole.write_all(&std::fs::read(image.path()).unwrap()).unwrap();
    assert_eq!(look(&mut File::open(&path).unwrap()).unwrap().len(), 4);
}

#[test]
fn files_in_the_root_and_a_shipped_profile_are_enough() {
    let site = SITE.replace("./profile.toml", "ntt-east");
    let image = Image::new("32", &[("SITE.TOML", site.as_bytes())]);
    assert_eq!(names(&image.look().unwrap()), ["site.toml"]);
}

#[test]
fn ten_site_files_are_refused_with_their_number() {
    let list: Vec<String> = (0..10).map(|number| format!("sekisho/clinic-{number}.toml")).collect();
    let files: Vec<(&str, &[u8])> = list.iter().map(|name| (name.as_str(), SITE.as_bytes())).collect();
    let image = Image::new("32", &files);
    assert_eq!(image.look(), Err(Stick::SeveralSiteFiles { count: 10 }));
}

#[test]
fn a_stick_without_a_site_file_is_refused() {
    let image = Image::new("32", &[("holiday.jpg", b"x"), ("profile.toml", PROFILE.as_bytes())]);
    assert_eq!(image.look(), Err(Stick::NoSiteFile));
}

/// macOS puts `._NAME` beside every file it copies to a stick; an installer's other files may be anything.
#[test]
fn what_lies_beside_a_site_file_does_no_harm() {
    let huge = vec![b'#'; LARGEST as usize + 1];
    let mut files = RIGHT.to_vec();
    files.extend([
        ("sekisho/._clinic.toml", &b"\x00\x05\x16\x07"[..]),
        ("sekisho/.old.toml", SITE.as_bytes()),
        ("sekisho/binary.toml", &b"\xff\xfe\x00"[..]),
        ("sekisho/broken.toml", &b"version = = 1"[..]),
        ("sekisho/huge.toml", &huge),
    ]);
    assert_eq!(Image::new("32", &files).look().map(|found| found.len()), Ok(4));
    let image = Image::new("32", &[("sekisho/._site.toml", b"\x00\x05\x16\x07")]);
    assert_eq!(image.look(), Err(Stick::NoSiteFile));
}

#[test]
fn a_site_file_of_unlikely_size_is_refused() {
    let long = format!("{SITE}{}", "#\n".repeat(32 * 1024)).replace("./profile.toml", "ntt-east");
    let image = Image::new("32", &[("sekisho/site.toml", long.as_bytes())]);
    assert!(matches!(image.look(), Err(Stick::BadSiteFile { .. })));
}

/// Its mistakes are the check's to tell, so it is handed on as it is.
#[test]
fn a_site_file_that_is_no_toml_at_all_is_handed_on_for_its_mistakes() {
    let image = Image::new("32", &[("sekisho/site.toml", b"version = = 1")]);
    assert_eq!(names(&image.look().unwrap()), ["site.toml"]);
}

#[test]
fn a_huge_file_and_a_binary_one_are_refused_in_words() {
    let huge = vec![b'#'; LARGEST as usize + 1];
    for bytes in [&huge[..], &[0xff, 0xfe, 0x00][..]] {
        let image = Image::new("32", &[("sekisho/site.toml", bytes)]);
        assert!(matches!(image.look(), Err(Stick::BadSiteFile { .. })), "{:?}", image.look());
    }
}

#[test]
fn names_with_odd_characters_do_no_harm() {
    let odd = [
        ("sekisho/クリニック.toml", SITE.as_bytes()),
        ("sekisho/profile.toml", PROFILE.as_bytes()),
        ("sekisho/logins/t1", b"user\nsecret\n"),
        ("sekisho/logins/share-receipt", b"user\nsecret\n"),
        ("sekisho/logins/端末", b"user\nsecret\n"),
    ];
    let image = Image::new("32", &odd);
    assert_eq!(names(&image.look().unwrap()), ["site.toml", "profile.toml", "logins/t1"]);
    // A profile that leads out of the folder, or is the site file itself.
    for profile in ["../profile.toml", "a/b.toml", "./site.toml", ".hidden.toml"] {
        let site = SITE.replace("./profile.toml", profile);
        let image = Image::new("32", &[("sekisho/a.toml", site.as_bytes())]);
        assert!(matches!(image.look(), Err(Stick::BadSiteFile { .. })), "{profile}");
    }
}

#[test]
fn a_login_that_is_not_two_lines_is_refused_without_saying_what_is_in_it() {
    let mut files = RIGHT.to_vec();
    files[3] = ("sekisho/logins/t1", b"only-the-password");
    let image = Image::new("32", &files);
    let refused = image.look().unwrap_err();
    assert!(matches!(refused, Stick::BadSiteFile { .. }));
    assert!(!format!("{refused:?}").contains("only-the-password"));
}

#[test]
fn garbage_an_empty_stick_and_a_truncated_file_system_are_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        File::open(path).unwrap()
    };
    let garbage: Vec<u8> =
        (0..1_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    for bytes in [&[][..], &[0; 4096], &garbage] {
        let refused = look(&mut write("garbage", bytes));
        assert!(matches!(refused, Err(Stick::Unreadable { .. })), "{refused:?}");
    }
    let image = Image::new("32", &RIGHT);
    let whole = std::fs::read(image.path()).unwrap();
    for keep in [512, 4096, 300 * 1024, 600 * 1024] {
        let refused = look(&mut write("cut", &whole[..keep]));
        assert!(refused.is_err(), "{keep}: {refused:?}");
    }
}

/// Any byte of boot sector, FAT or root folder may be wrong: it ends, and never with a panic or an endless loop.
#[test]
fn a_damaged_file_system_always_comes_to_an_end() {
    for kind in ["16", "32"] {
        let image = Image::new(kind, &RIGHT);
        let whole = std::fs::read(image.path()).unwrap();
        // mkfs.vfat's places: boot sector, the FATs from sector 4 or 32, folders soon behind them.
        let used: Vec<usize> =
            whole.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(at, _)| at).collect();
        let step = (used.len() / 150).max(1);
        for (turn, at) in
            used.iter().step_by(step).chain([&11, &13, &14, &16, &17, &22, &36, &44]).enumerate()
        {
            let damaged = File::options().read(true).write(true).open(image.path()).unwrap();
            let wrong = whole[*at] ^ [0xff, 0x01, 0x80, 0x55][turn % 4];
            damaged.write_all_at(&[wrong], *at as u64).unwrap();
            let _ = look(&mut File::open(image.path()).unwrap());
            damaged.write_all_at(&whole[*at..=*at], *at as u64).unwrap();
        }
    }
}

/// A folder whose clusters run in a circle: the budget of blocks ends it.
#[test]
fn a_folder_without_end_comes_to_an_end() {
    let image = Image::new("32", &RIGHT);
    let mut bytes = std::fs::read(image.path()).unwrap();
    let at = |bytes: &[u8], place: usize| u32::from_le_bytes(bytes[place..place + 4].try_into().unwrap());
    let reserved = usize::from(u16::from_le_bytes(bytes[14..16].try_into().unwrap()));
    let root = at(&bytes, 44) as usize;
    let size = at(&bytes, 36) as usize;
    for fat in 0..usize::from(bytes[16]) {
        let entry = (reserved + fat * size) * 512 + root * 4;
        bytes[entry..entry + 4].copy_from_slice(&u32::try_from(root).unwrap().to_le_bytes());
    }
    // The root's cluster is filled with entries, so that nothing but the chain can end it.
    let data = (reserved + usize::from(bytes[16]) * size) * 512 + (root - 2) * 512;
    for entry in bytes[data..data + 512].chunks_exact_mut(32) {
        entry.copy_from_slice(&[b"A          ".as_slice(), &[0x20; 1], &[0; 20]].concat());
    }
    let path = image.folder.path().join("circle");
    std::fs::write(&path, &bytes).unwrap();
    assert!(look(&mut File::open(&path).unwrap()).is_err());
}
