//! What every story is played on: the clinic, the board in it, and the disks a board can be started from.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use clinic::check::lab::Lab;
use clinic::check::{Wrong, must};
use clinic::{Clinic, Layout, Line};
use model::boot::Situation;
use model::part::{RulesetState, Snapshot};

use crate::bench::{Bench, Zone};
use crate::board::{Board, Parts};
use crate::concentrator::Concentrator;
use crate::image::{Disk, Image};
use crate::machine::{OnBoard, Place, ask};
use crate::results::Said;
use crate::stick;
use crate::tools::{Tools, WORK};

/// From power to the page, on a slow machine under emulation.
pub const BOOT: Duration = Duration::from_secs(300);
/// From power to the page in its first boot, which makes the data partition.
pub const FIRST_BOOT: Duration = Duration::from_secs(420);
/// How long an order inside may take.
pub const INSIDE: Duration = Duration::from_secs(120);
/// What a line that delegates hands on, before a renumbering and after it.
const DELEGATED: [&str; 2] = ["2001:db8:100::/40", "2001:db8:200::/40"];
/// The address of the board's port on its link: the modified EUI-64 of its card in the bench's file.
const BOARD_ON_THE_LINE: &str = "fe80::5054:ff:fe5e:10";
/// Between two askings of something that sends no event.
const BREATH: Duration = Duration::from_millis(300);

/// The stage.
#[derive(Debug)]
pub struct Stage {
    /// The bench.
    pub bench: Bench,
    /// The programs.
    pub tools: Tools,
    /// The image under test.
    pub image: Image,
    /// The clinic around the board, as the walk's cases know it.
    pub lab: Lab,
    /// The board.
    pub place: Place,
    /// What was measured, for the report.
    pub figures: Vec<(String, String)>,
    /// The far end of its line, where that is a session.
    pub concentrator: Option<Concentrator>,
    /// What the clinic around the board is like now.
    scene: Scene,
    /// The disk of a box with this scene's site, as it was when that came up clean.
    adopted: Option<Disk>,
    runs: Runs,
    number: u32,
}

/// What a clinic is like that a board is put into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The line, and how the box hangs on it.
    pub layout: Layout,
    /// What its site file has beside what it needs.
    pub more: String,
    /// Its line is a session of the box's with a concentrator, whose contract has these words.
    pub contract: Option<&'static str>,
}

/// What the board on the bench is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Runs {
    /// A box fresh from its carton, on this disk.
    Carton(Disk),
    /// A box in service.
    Service,
    /// None, or one that a story has made for itself.
    Own,
}

/// What a board is started with beside its disk.
#[derive(Clone, Debug, Default)]
pub struct With {
    /// It has a TPM.
    pub tpm: bool,
    /// The bench's own unit is offered to a release too.
    pub offer: bool,
    /// The port it lacks.
    pub without: Option<Zone>,
    /// Further credentials.
    pub credentials: Vec<(String, String)>,
}

impl Stage {
    /// Sets the stage; the clinic must be up without a box.
    ///
    /// # Errors
    /// There is no room for the receipt computer's files.
    pub fn set(bench: Bench, tools: Tools, image: Image, clinic: Clinic) -> Result<Self, Wrong> {
        let place = Place::default();
        let machine = OnBoard { place: place.clone(), work: tools.work.clone() };
        let lab = Lab::around(clinic, Box::new(machine))?;
        Ok(Self {
            bench,
            tools,
            image,
            lab,
            place,
            figures: Vec::new(),
            concentrator: None,
            scene: Scene::default(),
            adopted: None,
            runs: Runs::Own,
            number: 0,
        })
    }

    /// Keeps a figure for the report.
    pub fn figure(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        self.figures.retain(|(other, _)| other != name);
        self.figures.push((name.to_owned(), value));
    }

    /// A disk as it leaves the factory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn factory(&mut self) -> Result<Disk, Wrong> {
        let name = self.name();
        self.image.factory(&self.tools, &name, self.bench.board.disk_mib)
    }

    /// A disk that begins as this raw one is.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn over(&mut self, raw: &Path) -> Result<Disk, Wrong> {
        let name = self.name();
        self.image.over(&self.tools, &name, raw)
    }

    /// The disk of a box in service, to do anything with.
    ///
    /// # Errors
    /// No box came into service.
    pub fn serviced(&mut self) -> Result<Disk, Wrong> {
        self.scene(&Scene::default())?;
        self.fork()
    }

    fn fork(&mut self) -> Result<Disk, Wrong> {
        if self.adopted.is_none() {
            self.serve()?;
        }
        let name = self.name();
        let adopted = self.adopted.clone().ok_or_else(|| Wrong::new("no box came into service"))?;
        adopted.fork(&self.tools, &name)
    }

    fn name(&mut self) -> String {
        self.number += 1;
        format!("disk-{}", self.number)
    }

    /// Switches a board on with this disk; the one before is switched off.
    ///
    /// # Errors
    /// QEMU refuses.
    pub fn switch_on(&mut self, disk: &Disk, with: With) -> Result<(), Wrong> {
        self.switch_off();
        let parts = Parts {
            disk: disk.file.clone(),
            variables: disk.variables.clone(),
            tpm: with.tpm,
            answers: with.offer || !self.image.release,
            without: with.without,
            credentials: with.credentials,
            log: disk.file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        };
        let board = Board::on(&self.bench, self.lab.clinic(), &self.tools, &parts)?;
        self.place.put(Some(board));
        Ok(())
    }

    /// A box on which something went wrong is no ground for the next story, however well its page still answers.
    pub fn distrust(&mut self) {
        self.runs = Runs::Own;
    }

    /// Switches the board off, as by its plug.
    pub fn switch_off(&mut self) {
        self.runs = Runs::Own;
        self.lab.leave_share();
        self.place.put(None);
    }

    /// Waits for what the page says of the box; a page that does not answer is asked again.
    ///
    /// # Errors
    /// It does not say it in time.
    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        is: impl Fn(&Snapshot) -> bool,
    ) -> Result<Snapshot, Wrong> {
        let end = Instant::now() + patience;
        loop {
            let answer = ask(self.lab.clinic());
            if let Ok(snapshot) = &answer
                && is(snapshot)
            {
                return answer;
            }
            if Instant::now() > end {
                let last = answer.map_or_else(|wrong| wrong.to_string(), |snapshot| said(&snapshot));
                return Err(Wrong(format!("{what}: not within {patience:?}; last: {last}")));
            }
            std::thread::park_timeout(BREATH);
        }
    }

    /// Waits until the box is in a situation and its ruleset is proved.
    ///
    /// # Errors
    /// It is not in time.
    pub fn situation(&self, situation: Situation, patience: Duration) -> Result<Snapshot, Wrong> {
        let is = |snapshot: &Snapshot| snapshot.boot.as_ref().map(|boot| boot.situation);
        let shut =
            |snapshot: &Snapshot| situation != Situation::Closed && is(snapshot) == Some(Situation::Closed);
        let snapshot = self.until(&format!("the box is in {}", situation.key()), patience, |snapshot| {
            let proved =
                snapshot.firewall.as_ref().is_some_and(|wall| wall.part.state == RulesetState::Proved);
            // A box that has closed itself stays closed until it starts anew.
            shut(snapshot) || proved && is(snapshot) == Some(situation)
        })?;
        must(!shut(&snapshot), || format!("the box is closed: {}", said(&snapshot)))?;
        Ok(snapshot)
    }

    /// The clinic around the board is like this; another one is taken down first, and what a box knew of it is gone.
    ///
    /// # Errors
    /// It does not come up.
    pub fn scene(&mut self, scene: &Scene) -> Result<(), Wrong> {
        if self.scene == *scene {
            return Ok(());
        }
        self.switch_off();
        (self.adopted, self.concentrator) = (None, None);
        let Layout { line, wiring, uplink } = scene.layout;
        let layout = ["--line", line.word(), "--wiring", wiring.word(), "--uplink", uplink.word()];
        let words = [&["--box", "none"][..], &layout].concat();
        self.lab.clinic().anew(&words)?;
        self.scene = scene.clone();
        if scene.contract.is_some() {
            let mut concentrator = Concentrator::on(&self.tools, &self.lab)?;
            concentrator.serve(true)?;
            self.concentrator = Some(concentrator);
        }
        if line == Line::Pd {
            // Who delegates has a route to the box by its card, and the board's is its own.
            for pool in DELEGATED {
                let route = ["ip", "-6", "route", "replace", pool, "via", BOARD_ON_THE_LINE, "dev", "w0"];
                self.lab.exec(scene.layout.near().name(), &route)?;
            }
        }
        Ok(())
    }

    /// A box in service is on the bench, in a clinic like this; see [`Self::service`].
    ///
    /// # Errors
    /// None comes up.
    pub fn service_in(&mut self, scene: &Scene) -> Result<(), Wrong> {
        self.scene(scene)?;
        self.serve()
    }

    /// A box fresh from its carton is on the bench.
    ///
    /// # Errors
    /// It does not come up.
    pub fn carton(&mut self) -> Result<(), Wrong> {
        self.scene(&Scene::default())?;
        self.unpack()
    }

    fn unpack(&mut self) -> Result<(), Wrong> {
        if matches!(self.runs, Runs::Carton(_)) {
            return self.situation(Situation::Carton, BOOT).map(drop);
        }
        let disk = self.factory()?;
        self.switch_on(&disk, With::default())?;
        self.situation(Situation::Carton, FIRST_BOOT)?;
        self.unpacked(disk);
        Ok(())
    }

    /// Says that the board on the bench is fresh from its carton, on this disk.
    pub fn unpacked(&mut self, disk: Disk) {
        self.runs = Runs::Carton(disk);
    }

    /// Puts a stick with these files in, lets `work` look, and takes it out again.
    ///
    /// # Errors
    /// The stick cannot be made; what `work` says.
    pub fn with_stick<T>(
        &mut self,
        files: &[(String, Vec<u8>)],
        work: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        let name = format!("stick-{}", self.name());
        let image = stick::make(&self.tools, &name, files)?;
        let stick = self.place.with(|board| board.insert(&image))?;
        let done = work(self);
        let out = self.place.with(|board| board.withdraw(&stick));
        let done = done?;
        out.map(|()| done)
    }

    /// The box of the carton takes the clinic's site file from a stick and comes into service.
    ///
    /// # Errors
    /// It does not.
    pub fn adopt(&mut self) -> Result<(), Wrong> {
        self.unpack()?;
        let Runs::Carton(disk) = self.runs.clone() else {
            return Err(Wrong::new("no carton is on the bench"));
        };
        let files = match self.scene.contract {
            Some(contract) => stick::by_pppoe(self.lab.clinic(), contract)?,
            None => stick::of(self.lab.clinic(), &self.scene.more)?,
        };
        self.place.with(|board| {
            board.begin_anew();
            Ok(())
        })?;
        // What was said of an earlier stick stays until the next one is read.
        let before = ask(self.lab.clinic()).ok();
        let earlier = before.as_ref().and_then(refusal);
        let news = |snapshot: &Snapshot| refusal(snapshot).is_some_and(|refusal| Some(refusal) != earlier);
        let taken = |snapshot: &Snapshot| in_service(snapshot) || news(snapshot);
        let snapshot = self.with_stick(&files, |stage| stage.until("the stick is taken", BOOT, taken))?;
        if let Some(refusal) = refusal(&snapshot) {
            return Err(Wrong(format!("the stick is refused: {refusal:?}")));
        }
        self.runs = Runs::Service;
        self.freeze(&disk)
    }

    /// Keeps the disk as it is now; the board goes on with one that lies over it.
    fn freeze(&mut self, disk: &Disk) -> Result<(), Wrong> {
        let over = self.name();
        fs::copy(&disk.variables, self.tools.work.join("adopted-vars.fd"))?;
        self.place.with(|board| board.freeze_disk(&format!("{WORK}/{over}.qcow2")))?;
        let variables = self.tools.work.join("adopted-vars.fd");
        self.adopted = Some(Disk { file: disk.file.clone(), variables });
        Ok(())
    }

    /// A box in service is on the bench, whatever was there before; one that was started for it has had time to look around.
    ///
    /// # Errors
    /// None comes up.
    pub fn service(&mut self) -> Result<(), Wrong> {
        self.service_in(&Scene::default())
    }

    fn serve(&mut self) -> Result<(), Wrong> {
        if self.runs == Runs::Service && self.situation(Situation::Site, BOOT).is_ok() {
            return Ok(());
        }
        if self.adopted.is_none() {
            self.adopt()?;
        } else {
            let disk = self.fork()?;
            self.switch_on(&disk, With::default())?;
            self.situation(Situation::Site, BOOT)?;
            self.runs = Runs::Service;
        }
        self.clean(BOOT).map(drop)
    }

    /// Gives an order inside the box.
    ///
    /// # Errors
    /// Nobody may look inside, or the order does not end in time.
    pub fn inside(&self, order: &str) -> Result<Said, Wrong> {
        self.place.with(|board| board.inside(BOOT)?.order(order, INSIDE))
    }

    /// Gives an order inside the box that must do well; gives what it said.
    ///
    /// # Errors
    /// Nobody may look inside, or the order does not do well.
    pub fn must(&self, order: &str) -> Result<String, Wrong> {
        self.place.with(|board| board.inside(BOOT)?.must(order, INSIDE))
    }

    /// What went wrong, with what these units said last, where anybody may look inside.
    pub fn with_logs(&self, wrong: &Wrong, units: &[&str]) -> Wrong {
        let units: String = units.iter().map(|unit| format!(" -u '{unit}'")).collect();
        let order = format!("journalctl -b --no-pager -o cat{units} | tail -60");
        let said = self.inside(&order).map_or_else(|no| no.to_string(), |said| said.text);
        Wrong(format!("{wrong}\n{said}"))
    }

    /// Whether what the box says of itself is a clean clinic's.
    ///
    /// # Errors
    /// It is not.
    pub fn clean(&self, patience: Duration) -> Result<Snapshot, Wrong> {
        self.until("the box says that all is well", patience, |snapshot| {
            let well = snapshot.line.as_ref().is_some_and(|line| {
                line.part.verdict.usability == model::Usability::Usable
                    && line.part.verdict.foremost.is_none()
            });
            let proved =
                snapshot.firewall.as_ref().is_some_and(|wall| wall.part.state == RulesetState::Proved);
            well && proved && snapshot.relay.is_some() && snapshot.board.is_some()
        })
    }
}

fn in_service(snapshot: &Snapshot) -> bool {
    let site = snapshot.boot.as_ref().is_some_and(|boot| boot.situation == Situation::Site);
    site && snapshot.firewall.as_ref().is_some_and(|wall| wall.part.state == RulesetState::Proved)
}

/// Why a stick was not taken, if one was not.
fn refusal(snapshot: &Snapshot) -> Option<&model::notice::Stick> {
    snapshot.boot.as_ref()?.notices.iter().find_map(|notice| match notice {
        model::Notice::StickRefused { why } => Some(why),
        _ => None,
    })
}

/// A snapshot in a line, for the sentence that says what was seen instead.
fn said(snapshot: &Snapshot) -> String {
    let boot = snapshot.boot.as_ref().map(|boot| {
        let notices: Vec<&str> = boot.notices.iter().map(model::Notice::key).collect();
        format!("{} {notices:?}", boot.situation.key())
    });
    let wall = snapshot.firewall.as_ref().map(|wall| wall.part.state);
    let line = snapshot.line.as_ref().map(|line| {
        let verdict = &line.part.verdict;
        (verdict.usability, verdict.foremost.as_ref().map(|fault| fault.code.key()))
    });
    let (relay, lamps) = (snapshot.relay.is_some(), snapshot.board.is_some());
    format!("boot {boot:?}, firewall {wall:?}, line {line:?}, relay {relay}, lamps {lamps}")
}

/// Says what is wrong unless both are the same.
///
/// # Errors
/// They differ.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, wanted: &T) -> Result<(), Wrong> {
    must(seen == wanted, || format!("{what} is {seen:?} and not {wanted:?}"))
}
