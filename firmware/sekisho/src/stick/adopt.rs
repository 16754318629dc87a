//! `sekisho stick adopt`: takes what a stick brought, in the carton only, and starts the box anew.
//!
//! It runs as root, so it parses nothing that came from the stick. Plain, small files are copied without following
//! anything; a child without any right checks the copy; then the very same bytes are installed: the logins first, the
//! site's folder last, by one rename. A cut at any moment leaves the carton or the whole site.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use model::boot::Situation;
use model::notice::{Notice, Stick};
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use nix::unistd::User;

use super::{LARGEST, LARGEST_SECRET, LOGINS, LOGINS_MOST, REFUSED, SITE, is_login, is_plain, largest};
use crate::boot::{self, part};
use crate::failure::Failure;
use crate::{cli, files, output};

/// Files of a site's folder: the site file, a profile, authorities.
const FILES_MOST: usize = 8;
/// Mistakes that are told; a person corrects these first.
const MISTAKES: usize = 20;

/// What is taken over.
#[derive(Debug, Default)]
struct Taken {
    site: Vec<(String, Vec<u8>)>,
    logins: Vec<(String, Vec<u8>)>,
}

/// Takes or refuses what lies in `found`, and takes it away.
///
/// # Errors
/// What keeps the box from saying why it refuses.
pub fn run(found: &Path) -> Result<ExitCode, Failure> {
    let own = Path::new(cli::SOCKETS);
    let file = part::path(own);
    let situation = part::read(&file).map(|part| part.situation);
    let outcome = take(found, situation, &own.join("adopt"), Path::new(cli::STATE));
    // It is read: the next stick may come.
    fs::remove_dir_all(found).map_err(|source| Failure::Write { path: found.to_owned(), source })?;
    match outcome {
        Ok(()) => {
            output::print("the settings are taken over; the box starts anew");
            restart()
        }
        Err(why) => {
            output::error(&format!("the stick is refused: {}", why.words().happened.en));
            tell(&file, why)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The notice of this stick, in the place of the last one's. A box in service does not show it: it goes on working.
fn tell(file: &Path, why: Stick) -> Result<(), Failure> {
    let Some(mut part) = part::read(file).filter(|part| part.situation != Situation::Site) else {
        return Ok(());
    };
    part.notices.retain(|notice| !notice.is_of_a_stick());
    part.notices.push(Notice::StickRefused { why });
    part::write(file, &part)
}

fn restart() -> Result<ExitCode, Failure> {
    let path = "/usr/bin/systemctl";
    let status = Command::new(path).args(["--no-block", "reboot"]).status();
    let status = status.map_err(|source| Failure::Read { path: path.into(), source })?;
    if status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::Data { path: path.into(), reason: format!("the box does not start anew: {status}") })
}

fn take(found: &Path, situation: Option<Situation>, copy: &Path, state: &Path) -> Result<(), Stick> {
    if situation != Some(Situation::Carton) {
        return Err(Stick::NotInCarton);
    }
    let taken = collect(found)?;
    lay_out(&taken, copy).map_err(not_stored)?;
    let checked = checked(copy);
    let _ = fs::remove_dir_all(copy);
    checked?;
    install(&taken, state).map_err(not_stored)
}

fn not_stored(error: std::io::Error) -> Stick {
    Stick::NotStored { reason: error.to_string() }
}

fn unreadable(error: impl std::fmt::Display) -> Stick {
    Stick::Unreadable { reason: format!("what was found on it: {error}") }
}

/// Reads the finding: the refusal, or the files.
fn collect(found: &Path) -> Result<Taken, Stick> {
    let folder = open(found, OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty());
    let folder = folder.map_err(unreadable)?;
    if let Ok(bytes) = plain_file(&folder, REFUSED, LARGEST) {
        let why = serde_json::from_slice::<Stick>(&bytes).map_err(unreadable)?;
        return Err(bounded(why));
    }
    let mut taken = Taken::default();
    for name in names(found, FILES_MOST).map_err(unreadable)? {
        if is_plain(&name) && name != LOGINS {
            taken.site.push((name.clone(), plain_file(&folder, &name, largest(&name)).map_err(unreadable)?));
        }
    }
    if !taken.site.iter().any(|(name, _)| name == SITE) {
        return Err(Stick::NoSiteFile);
    }
    for name in names(&found.join(LOGINS), LOGINS_MOST).unwrap_or_default() {
        if is_login(&name) {
            let bytes =
                plain_file(&folder, &format!("{LOGINS}/{name}"), LARGEST_SECRET).map_err(unreadable)?;
            taken.logins.push((name, bytes));
        }
    }
    Ok(taken)
}

fn names(folder: &Path, most: usize) -> std::io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.take(most + 1);
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

/// Never a link, never out of the folder, never a device or a pipe, never more than `most`.
fn plain_file(folder: &impl AsFd, name: &str, most: u32) -> std::io::Result<Vec<u8>> {
    let how = OpenHow::new().flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).resolve(
        ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_XDEV,
    );
    let file = File::from(openat2(folder, name, how)?);
    let about = file.metadata()?;
    if !about.is_file() || about.len() > u64::from(most) {
        return Err(std::io::Error::other("not a small plain file"));
    }
    let mut bytes = Vec::new();
    file.take(u64::from(most)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the reader of the stick says is shown to people: not endlessly.
fn bounded(why: Stick) -> Stick {
    let line = |text: &String| output::plain(text).chars().take(300).collect::<String>();
    match why {
        Stick::BadSiteFile { mistakes } => {
            Stick::BadSiteFile { mistakes: mistakes.iter().take(MISTAKES).map(line).collect() }
        }
        Stick::Unreadable { reason } => Stick::Unreadable { reason: line(&reason) },
        Stick::NotStored { reason } => Stick::NotStored { reason: line(&reason) },
        other => other,
    }
}

/// A copy that is root's and that the child may read. Of the logins it sees only that they are there.
fn lay_out(taken: &Taken, copy: &Path) -> std::io::Result<()> {
    let _ = fs::remove_dir_all(copy);
    fs::create_dir_all(copy.join(LOGINS))?;
    let put = |path: &Path, bytes: &[u8]| {
        files::replace(path, bytes, 0o644).map_err(|failure| std::io::Error::other(failure.to_string()))
    };
    taken.site.iter().try_for_each(|(name, bytes)| put(&copy.join(name), bytes))?;
    taken.logins.iter().try_for_each(|(name, _)| put(&copy.join(LOGINS).join(name), b""))
}

/// Lets a child check the copy: as the stick's own user, so without any right that this process has.
fn checked(copy: &Path) -> Result<(), Stick> {
    let program = std::env::current_exe().map_err(unreadable)?;
    let mut command = Command::new(program);
    command.args(["stick", "check"]).arg(copy).stdin(Stdio::null()).stderr(Stdio::null()).env_clear();
    if let Some(user) = User::from_name("stickd").ok().flatten() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    let said = command.output().map_err(unreadable)?;
    if said.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&said.stdout);
    let mut mistakes: Vec<String> = text.lines().map(str::to_owned).collect();
    if mistakes.is_empty() {
        mistakes.push("it could not be checked".into());
    }
    Err(bounded(Stick::BadSiteFile { mistakes }))
}

/// Secrets first, the site's folder last. Nothing at all where a site is.
fn install(taken: &Taken, state: &Path) -> std::io::Result<()> {
    if !boot::site::is_empty(&state.join("site"))? {
        return Err(std::io::Error::other("a site is there already"));
    }
    let secrets = state.join("secrets");
    fs::create_dir_all(&secrets)?;
    for (name, bytes) in &taken.logins {
        write(&secrets.join(name), bytes, 0o600)?;
        if let Some(user) = User::from_name("relayd").ok().flatten() {
            chown(secrets.join(name), Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
    }
    File::open(&secrets)?.sync_all()?;
    let draft = state.join("site.draft");
    let _ = fs::remove_dir_all(&draft);
    fs::create_dir(&draft)?;
    for (name, bytes) in &taken.site {
        write(&draft.join(name), bytes, 0o644)?;
    }
    File::open(&draft)?.sync_all()?;
    // Over the empty folder of the carton; a full one would be refused by the kernel.
    fs::rename(&draft, state.join("site"))?;
    File::open(state)?.sync_all()?;
    // The site is in force whether or not this succeeds; otherwise the next boot makes the mark.
    if let Err(failure) = boot::mark_adopted(state) {
        output::error(&failure.to_string());
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const SITE_TEXT: &str = include_str!("../../../model/tests/data/site.toml");

    fn finding(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn only_the_carton_takes_a_stick() {
        let (found, state) = (finding(&[]), tempfile::tempdir().unwrap());
        for situation in [None, Some(Situation::Site), Some(Situation::Closed)] {
            let refused = take(found.path(), situation, &state.path().join("copy"), state.path());
            assert_eq!(refused, Err(Stick::NotInCarton));
        }
    }

    #[test]
    fn links_pipes_and_large_files_are_not_followed_or_read() {
        let large = vec![b'#'; LARGEST as usize + 1];
        let found = finding(&[("site.toml", SITE_TEXT.as_bytes()), ("large.pem", &large)]);
        assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })));
        let found = finding(&[("site.toml", SITE_TEXT.as_bytes())]);
        symlink("/etc/shadow", found.path().join("profile.toml")).unwrap();
        assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })));
        let found = finding(&[]);
        symlink("/etc", found.path().join("site.toml")).unwrap();
        assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })));
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("t1"), "user\nsecret\n").unwrap();
        let found = finding(&[("site.toml", SITE_TEXT.as_bytes())]);
        symlink(outside.path(), found.path().join(LOGINS)).unwrap();
        assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })));
    }

    #[test]
    fn a_site_file_or_a_profile_of_unlikely_size_is_not_read() {
        for name in ["site.toml", "profile.toml"] {
            let found = finding(&[("site.toml", SITE_TEXT.as_bytes())]);
            fs::write(found.path().join(name), vec![b'#'; 64 * 1024 + 1]).unwrap();
            assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })), "{name}");
        }
    }

    #[test]
    fn what_the_reader_refused_is_told_and_bounded() {
        let why = Stick::BadSiteFile { mistakes: vec!["\u{1b}x".repeat(1000); 100] };
        let text = serde_json::to_vec(&why).unwrap();
        let found = finding(&[(REFUSED, &text)]);
        let Err(Stick::BadSiteFile { mistakes }) = collect(found.path()) else { unreachable!() };
        assert_eq!(mistakes.len(), MISTAKES);
        assert!(mistakes.iter().all(|one| one.chars().count() <= 300 && !one.contains('\u{1b}')));
        let found = finding(&[(REFUSED, b"{}")]);
        assert!(matches!(collect(found.path()), Err(Stick::Unreadable { .. })));
    }

    #[test]
    fn what_is_installed_is_whole_and_only_its_owner_reads_a_login() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        fs::create_dir(state.path().join("site")).unwrap();
        let found = finding(&[("site.toml", SITE_TEXT.as_bytes()), ("logins/t1", b"user\nsecret\n")]);
        let taken = collect(found.path()).unwrap();
        install(&taken, state.path()).unwrap();
        assert_eq!(fs::read_to_string(state.path().join("site/site.toml")).unwrap(), SITE_TEXT);
        let login = state.path().join("secrets/t1");
        assert_eq!(fs::read_to_string(&login).unwrap(), "user\nsecret\n");
        assert_eq!(fs::metadata(&login).unwrap().permissions().mode() & 0o777, 0o600);
        let next = finding(&[("site.toml", SITE_TEXT.as_bytes()), ("logins/t1", b"other\nother\n")]);
        let next = collect(next.path()).unwrap();
        assert!(install(&next, state.path()).is_err(), "a site that is there is not written over");
        assert_eq!(fs::read_to_string(&login).unwrap(), "user\nsecret\n", "nor are its logins");
        assert!(state.path().join("adopted").exists());
    }
}
