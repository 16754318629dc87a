//! What stands in the clinic's share and has not been collected.

use std::collections::HashMap;
use std::ffi::OsString;

use model::Timestamp;
use model::parcel::{Direction, ParcelView, WaitReason, Waiting};

use crate::clinic::name_bytes;
use crate::lane::Desk;
use crate::name;
use crate::report::View;

/// A file younger than this is on its way out, seconds.
const YOUNG_S: i64 = 2;

/// Answers that stand in the clinic's share.
#[derive(Debug, Default)]
pub struct Uncollected {
    found: HashMap<(&'static str, OsString), ParcelView>,
}

impl Uncollected {
    /// Looks at both folders.
    pub async fn look(&mut self, desk: &Desk) {
        let listed =
            desk.on_disk(|desk| Ok([("res", desk.clinic.list("res")?), ("face", desk.clinic.list("face")?)]));
        let listed = match listed.await {
            Ok(listed) => listed,
            Err(error) => return tracing::warn!(%error, "cannot see what was collected"),
        };
        let mut before = std::mem::take(&mut self.found);
        for (folder, entries) in listed {
            for (file, facts) in entries.into_iter().filter(|(_, facts)| facts.is_file) {
                let bytes = name_bytes(&file);
                let Ok(kind) = name::admit(bytes, folder, Direction::Answer, &desk.kinds) else { continue };
                let key = (folder, file.clone());
                let Some(view) = before.remove(&key).or_else(|| {
                    let since = Timestamp::from_second(facts.changed_s).ok()?;
                    let (kind, hash) = (kind.key.clone(), desk.ledger.short(bytes));
                    Some(ParcelView {
                        number: desk.ledger.number().ok()?,
                        kind,
                        hash,
                        bytes: facts.size,
                        since,
                    })
                }) else {
                    continue;
                };
                self.found.insert(key, view);
            }
        }
    }

    /// Says what waits to be collected.
    pub fn say(&self, view: &mut View) {
        let now = Timestamp::now().as_second();
        let old = self.found.values().filter(|parcel| now - parcel.since.as_second() >= YOUNG_S);
        let waiting =
            |parcel: &ParcelView| Waiting { parcel: parcel.clone(), reason: WaitReason::AwaitingCollection };
        view.waiting.extend(old.map(waiting));
    }
}
