//! `sekisho boot site`: decides the situation, and writes everything its daemons need to `/run`.

use std::path::Path;

use model::boot::{BootPart, Situation};
use model::site::uplink::Line;
use tunnel::charon::Kernel;

use super::data::Data;
use super::machine::Hardware;
use super::situation::{Decision, Installed, decide};
use super::{Places, board, claim, mark_adopted, part, site_file};
use crate::failure::Failure;
use crate::generate::{Ipsec, Places as Generating};
use crate::site_file::Loaded;
use crate::{files, generate, output, verb};

/// The largest file of a site folder; a profile is some kilobytes, a store of authorities some hundred.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Decides and writes. `boot.json` is written last: who waits for it finds everything else there.
///
/// # Errors
/// [`Failure::Write`] with the path. The daemons then find no `boot.json` and do not start.
pub fn run(places: &Places) -> Result<(), Failure> {
    let hardware = Hardware::read(&places.sys);
    let data = Data::read(places);
    let (installed, loaded) = installed(places);
    let boards = board::boards();
    let mut decision = decide(&boards, &hardware, &data, &installed);
    if let (Situation::Site, Some(loaded)) = (decision.situation, &loaded)
        && let Err(failure) = in_service(places, loaded)
    {
        // Data that cannot be written is of no use; better closed with a reason than half in service.
        let damaged = Data::Damaged { reason: failure.to_string() };
        decision = decide(&boards, &hardware, &damaged, &installed);
        forget(places)?;
    }
    if decision.situation != Situation::Site {
        waiting(places, &decision)?;
    }
    let part = BootPart {
        version: env!("CARGO_PKG_VERSION").into(),
        board: decision.board,
        serial: hardware.serial,
        situation: decision.situation,
        notices: decision.notices,
        setup: decision.setup,
    };
    output::print(&verb::words::boot(&part, model::Language::En));
    part::write(&part::path(&places.own()), &part)
}

/// What is installed, checked by the very code of `site check`.
fn installed(places: &Places) -> (Installed, Option<Loaded>) {
    let folder = &places.installed();
    match is_empty(folder).and_then(|empty| Ok((empty, empty && was_used(&places.state)?))) {
        Ok((true, false)) => return (Installed::Nothing, None),
        // The carton gives out addresses: never where another box may.
        Ok((true, true)) => {
            let lost = "this box was in use, and its site file is not there any more".to_owned();
            return (Installed::Wrong(vec![lost]), None);
        }
        Ok((false, _)) => {}
        Err(source) => {
            let failure = Failure::Read { path: folder.clone(), source };
            return (Installed::Wrong(vec![failure.to_string()]), None);
        }
    }
    match crate::site_file::load(&site_file(folder)).and_then(Loaded::startable) {
        Ok(loaded) => {
            let ports = loaded.site.ports.iter().map(|port| port.name.clone()).collect();
            (Installed::Right(ports), Some(loaded))
        }
        Err(Failure::Site(mistakes)) => {
            (Installed::Wrong(mistakes.iter().map(|one| named(folder, &one.to_string())).collect()), None)
        }
        Err(Failure::NotYet(sentences)) => (Installed::Wrong(sentences), None),
        Err(failure) => (Installed::Wrong(vec![named(folder, &failure.to_string())]), None),
    }
}

/// The folder is there from the first boot on; what is in it came by a stick, whole, by one rename.
///
/// # Errors
/// Whatever keeps it from being read: then nobody knows.
pub fn is_empty(folder: &Path) -> std::io::Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().transpose().map(|first| first.is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether a site was ever in force: the mark says so, or the share's passwords, which are only made for one. The
/// terminals' logins say nothing: an adoption that is cut leaves them without a site.
fn was_used(state: &Path) -> std::io::Result<bool> {
    if super::adopted(state).try_exists()? {
        return Ok(true);
    }
    let secrets = match std::fs::read_dir(state.join("secrets")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        secrets => secrets?,
    };
    for secret in secrets {
        if secret?.file_name().as_encoded_bytes().starts_with(b"share-") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Mistakes name the file as the installer knows it, not where the box keeps it.
fn named(folder: &Path, mistake: &str) -> String {
    mistake.replace(&format!("{}/", folder.display()), "")
}

fn in_service(places: &Places, loaded: &Loaded) -> Result<(), Failure> {
    let own = places.own();
    // The power may have gone between the site's rename and its mark.
    mark_adopted(&places.state)?;
    copy(&places.installed(), &own.join("site"))?;
    verb::generate::write(&places.network(), &generate::site(&loaded.site))?;
    verb::generate::write(
        &places.network().with_file_name("networkd.conf.d"),
        &generate::ways(&loaded.site),
    )?;
    // Their units start them as netd already.
    let charon = |(purpose, contract)| Ipsec::of(purpose, contract, &own, None, Kernel::Xfrm);
    let tunnels = loaded.contracts().map(|one| one.map(charon));
    let generating = Generating { to: &own, state: &places.state, sockets: &own, owner: "relayd", tunnels };
    verb::generate::daemons(&loaded.site, &generating)?;
    for (_, contract) in loaded.contracts().into_iter().flatten() {
        give(&places.state, contract.provider.authentication.secret(), "netd")?;
    }
    if let Line::Pppoe(session) = &loaded.site.line {
        give(&places.state, &session.login, "root")?;
    }
    Ok(())
}

/// What proves the box to its provider is `netd`'s to read, which drives the tunnel, and what proves it to a PPPoE line
/// root's, who writes pppd's files; an adoption gives every secret to the relay. One that is not there yet is theirs to miss.
fn give(state: &Path, name: &str, to: &str) -> Result<(), Failure> {
    let path = crate::secret::path(state, name);
    let Some(user) = nix::unistd::User::from_name(to).ok().flatten() else { return Ok(()) };
    match std::os::unix::fs::lchown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw())) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Failure::Write { path, source }),
        _ => Ok(()),
    }
}

/// Takes the site away again: what is not there starts no role.
fn forget(places: &Places) -> Result<(), Failure> {
    let own = places.own();
    for path in [own.join("site"), own.join(generate::pppoe::FOLDER), places.network()] {
        match std::fs::remove_dir_all(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Without a site there are no names to ask for, so that no program tries.
fn waiting(places: &Places, decision: &Decision) -> Result<(), Failure> {
    let own = places.own();
    files::replace(&own.join("resolv.conf"), "", 0o644)?;
    let carton = decision.situation == Situation::Carton;
    if let Some(setup) = &decision.setup {
        verb::generate::write(&places.network(), &[generate::setup(setup, carton)])?;
    }
    if carton { claim::make(&own) } else { Ok(()) }
}

/// Copies the files of a flat folder; nothing that is no plain file, nothing that is too large.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let read = |source| Failure::Read { path: from.to_owned(), source };
    for entry in std::fs::read_dir(from).map_err(read)? {
        let entry = entry.map_err(read)?;
        let about = entry.metadata().map_err(read)?;
        if !about.is_file() || about.len() > LARGEST {
            continue;
        }
        let bytes = std::fs::read(entry.path()).map_err(read)?;
        files::replace(&to.join(entry.file_name()), bytes, 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(state: &Path) -> Installed {
        let nowhere = Path::new("/nonexistent");
        installed(&Places { sys: nowhere.into(), run: nowhere.into(), state: state.to_owned() }).0
    }

    #[test]
    fn a_box_that_was_never_used_has_nothing() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(found(state.path()), Installed::Nothing);
        std::fs::create_dir(state.path().join("site")).unwrap();
        assert_eq!(found(state.path()), Installed::Nothing);
        // What an adoption that was cut left: the logins come before the site.
        files::replace(&state.path().join("secrets/t1"), "user\nsecret\n", 0o600).unwrap();
        assert_eq!(found(state.path()), Installed::Nothing);
    }

    #[test]
    fn a_site_that_cannot_be_read_is_wrong_and_never_the_carton() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join("site"), "no folder").unwrap();
        assert!(matches!(found(state.path()), Installed::Wrong(_)));
    }

    #[test]
    fn a_box_that_was_in_use_and_lost_its_site_is_wrong_and_never_the_carton() {
        for used in ["adopted", "secrets/share-receipt"] {
            let state = tempfile::tempdir().unwrap();
            files::replace(&state.path().join(used), "", 0o600).unwrap();
            assert!(matches!(found(state.path()), Installed::Wrong(_)), "{used}, no folder");
            std::fs::create_dir(state.path().join("site")).unwrap();
            assert!(matches!(found(state.path()), Installed::Wrong(_)), "{used}, an empty folder");
        }
    }
}
