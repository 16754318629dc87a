//! What every daemon of a clinic stands on: where things lie, the doors of the hosts, the programs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, at};
use crate::host::Door;
use crate::layout::Layout;
use crate::plan::{Host, Place, TheBox, fill};
use crate::process::Process;
use crate::tools::Tools;

/// The ground.
#[derive(Debug)]
pub struct Ground {
    /// Where things lie.
    pub place: Place,
    /// The programs.
    pub tools: Tools,
    /// What the line is, and how the box hangs on it.
    pub layout: Layout,
    /// What stands where the box is.
    pub the_box: TheBox,
    /// The sekisho it runs, if any.
    pub sekisho: Option<PathBuf>,
    /// The time it lives in, as faketime(1) reads it; everybody's if none.
    pub clock: Option<&'static str>,
    doors: BTreeMap<Host, Door>,
}

/// The daemons that run, by name.
pub type Daemons = BTreeMap<String, Process>;

impl Ground {
    /// Opens the doors of all hosts.
    pub fn open(
        place: Place,
        tools: Tools,
        layout: Layout,
        the_box: TheBox,
        keepers: &BTreeMap<Host, Process>,
    ) -> Result<Self, Error> {
        let doors = keepers.iter().map(|(host, keeper)| Ok((*host, Door::open(*host, *keeper)?)));
        let doors = doors.collect::<Result<_, Error>>()?;
        Ok(Self { place, tools, layout, the_box, sekisho: None, clock: None, doors })
    }

    /// With this sekisho on the box, and this clock.
    pub fn running(self, sekisho: Option<PathBuf>, clock: Option<&'static str>) -> Self {
        Self { sekisho, clock, ..self }
    }

    /// What a daemon of the box has in its environment beside ours.
    pub fn environment(&self) -> Result<Vec<(&'static str, OsString)>, Error> {
        let Some(clock) = self.clock else { return Ok(Vec::new()) };
        let library = self.tools.clock.clone().ok_or_else(|| Error::Missing {
            program: "libfaketime.so.1".into(),
            remedy: "Debian's package libfaketime brings it (`apt-get install libfaketime`)".into(),
        })?;
        // What is counted and not dated goes on as it is: timers, patience.
        let steady = ("FAKETIME_DONT_FAKE_MONOTONIC", OsString::from("1"));
        Ok(vec![("LD_PRELOAD", library.into()), ("FAKETIME", clock.into()), steady])
    }

    /// The door of a host.
    pub fn door(&self, host: Host) -> &Door {
        self.doors.get(&host).expect("invariant: every host of the layout has a keeper")
    }

    /// Lays a host's addresses and takes its links up.
    pub fn lay(&self, host: Host) -> Result<(), Error> {
        self.door(host).run(&["ip", "-batch", "-"], &self.layout.addresses(host)).map(drop)
    }

    /// Fills a template into a file of a host's run folder, and gives its path.
    pub fn write(
        &self,
        host: Host,
        name: &str,
        template: &str,
        values: &[(&str, &str)],
    ) -> Result<String, Error> {
        let path = self.place.run(host).join(name);
        std::fs::write(&path, fill(template, values)).map_err(at(&path))?;
        Ok(text(&path))
    }
}

/// A path of ours as text: they are all made of ASCII here.
pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Arguments of a daemon.
pub fn args<'a>(args: impl AsRef<[&'a str]>) -> Vec<std::ffi::OsString> {
    args.as_ref().iter().map(Into::into).collect()
}
