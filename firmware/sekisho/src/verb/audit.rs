//! `sekisho audit verify|export`: the record of what persons decided. Both only read it, also while the relay runs.

use std::path::Path;
use std::process::ExitCode;

use journal::chain::{self, Link, Verified, hex};

use crate::cli::{Audit, AuditVerb};
use crate::failure::{Failure, code};
use crate::output;

/// Verifies or exports.
///
/// # Errors
/// [`Failure::Read`] if there is no record to be read.
pub fn run(args: &Audit) -> Result<ExitCode, Failure> {
    let relay = read(&relay::audit::folder(&args.state))?;
    let maintenance = tunnel::consent::folder(&args.state);
    // A site without remote maintenance has no record of it.
    let maintenance = if maintenance.exists() { Some(read(&maintenance)?) } else { None };
    let records = [Some(("relay", relay)), maintenance.map(|found| ("maintenance", found))];
    let each = records.iter().flatten().map(|(name, found)| match args.verb {
        AuditVerb::Verify => verify(name, found),
        AuditVerb::Export => export(found),
    });
    // Each of them is told, whatever is wrong with another.
    let right = each.collect::<Vec<bool>>().into_iter().all(|right| right);
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::from(code::NO) })
}

fn read(folder: &Path) -> Result<Verified, Failure> {
    let failed = |source| Failure::Read { path: folder.to_owned(), source };
    // A box on which nobody decided anything has a record without entries; a wrong folder has none.
    std::fs::metadata(folder).map_err(failed)?;
    chain::verify(folder).map_err(|error| failed(std::io::Error::other(error)))
}

fn verify(name: &str, found: &Verified) -> bool {
    for flaw in &found.flaws {
        output::print(&format!("{flaw} ({name})"));
    }
    let whole = found.flaws.is_empty();
    if whole {
        let (count, head) = (found.links.len(), found.head);
        let (place, hash) = (head.seq, hex(&head.hash));
        output::print(&format!("whole: {count} records, the last is {place} {hash} ({name})"));
    }
    whole
}

/// One line of JSON a record; what is wrong goes to standard error, and what can be read is exported all the same.
fn export(found: &Verified) -> bool {
    for link in &found.links {
        output::print(&line(link));
    }
    for flaw in &found.flaws {
        output::error(&format!("sekisho: {flaw}"));
    }
    found.flaws.is_empty()
}

/// The entry stands in it as it was written, so that its hash can be made again.
fn line(link: &Link) -> String {
    let entry = String::from_utf8_lossy(&link.entry);
    let (previous, hash) = (hex(&link.previous), hex(&link.anchor().hash));
    format!(r#"{{"seq":{},"previous":"{previous}","hash":"{hash}","entry":{entry}}}"#, link.seq)
}
