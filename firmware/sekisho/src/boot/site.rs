//! `sekisho boot site`: decides the situation, and writes everything its daemons need to `/run`.

use std::path::Path;

use model::boot::{BootPart, Situation};

use super::data::Data;
use super::machine::Hardware;
use super::situation::{Decision, Installed, decide};
use super::{Places, board, claim, part, site_file};
use crate::failure::Failure;
use crate::generate::Places as Generating;
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
    let (installed, loaded) = installed(&places.installed());
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
fn installed(folder: &Path) -> (Installed, Option<Loaded>) {
    // The folder is there from the first boot on; what is in it came by a stick, whole, by one rename.
    if std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()) {
        return (Installed::Nothing, None);
    }
    match crate::site_file::load(&site_file(folder)) {
        Ok(loaded) => {
            let ports = loaded.site.ports.iter().map(|port| port.name.clone()).collect();
            (Installed::Right(ports), Some(loaded))
        }
        Err(Failure::Site(mistakes)) => {
            (Installed::Wrong(mistakes.iter().map(|one| named(folder, &one.to_string())).collect()), None)
        }
        Err(failure) => (Installed::Wrong(vec![named(folder, &failure.to_string())]), None),
    }
}

/// Mistakes name the file as the installer knows it, not where the box keeps it.
fn named(folder: &Path, mistake: &str) -> String {
    mistake.replace(&format!("{}/", folder.display()), "")
}

fn in_service(places: &Places, loaded: &Loaded) -> Result<(), Failure> {
    let own = places.own();
    copy(&places.installed(), &own.join("site"))?;
    verb::generate::write(&places.network(), &generate::site(&loaded.site))?;
    let generating = Generating { to: &own, state: &places.state, owner: "relayd" };
    verb::generate::daemons(&loaded.site, &generating)
}

/// Takes the site away again: what is not there starts no role.
fn forget(places: &Places) -> Result<(), Failure> {
    let own = places.own();
    for path in [own.join("site"), places.network()] {
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
