//! What a clinic remembers of itself between two commands: `/run/clinic-NAME/clinic.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, at};
use crate::fault::{Fault, World};
use crate::ground::{Daemons, Ground};
use crate::layout::Layout;
use crate::plan::{Host, Place, TheBox};
use crate::process::Process;
use crate::status::Page;
use crate::tools::Tools;

/// The record.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// The keeper of each host.
    pub keepers: BTreeMap<Host, Process>,
    /// The daemons that run.
    pub daemons: Daemons,
    /// What the line is, and how the box hangs on it.
    pub layout: Layout,
    /// What stands where the box is.
    pub the_box: TheBox,
    /// The sekisho that the box runs; none if nothing runs on it.
    pub sekisho: Option<PathBuf>,
    /// Where the page is reached from the host.
    pub page: Page,
    /// The faults that are on, by code.
    pub faults: BTreeSet<String>,
}

impl Record {
    /// Reads the record of a clinic.
    pub fn read(place: &Place) -> Result<Self, Error> {
        let path = Self::path(place);
        let text = std::fs::read(&path).map_err(|_missing| Error::NotUp(place.name.clone()))?;
        serde_json::from_slice(&text).map_err(|error| at(&path)(error.into()))
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, place: &Place) -> Result<(), Error> {
        let (path, new) = (Self::path(place), place.at("clinic.json.new"));
        let text = serde_json::to_vec_pretty(self).map_err(|error| at(&path)(error.into()))?;
        std::fs::write(&new, text).map_err(at(&new))?;
        std::fs::rename(&new, &path).map_err(at(&path))
    }

    fn path(place: &Place) -> PathBuf {
        place.at("clinic.json")
    }

    /// Whether the clinic stands: every host has its keeper.
    pub fn is_alive(&self) -> bool {
        self.keepers.values().all(|keeper| keeper.is_alive())
    }

    /// Every process it knows.
    pub fn processes(&self) -> Vec<Process> {
        self.keepers.values().chain(self.daemons.values()).copied().collect()
    }

    /// What its daemons stand on, in the world that its faults make now.
    pub fn ground(&self, place: Place) -> Result<Ground, Error> {
        let ground = Ground::open(place, Tools::find()?, self.layout, self.the_box, &self.keepers)?;
        Ok(ground.running(self.sekisho.clone(), self.world().clock))
    }

    /// The world its faults make.
    pub fn world(&self) -> World {
        World::with(self.faults.iter().filter_map(|code| Fault::from_code(code)))
    }
}
