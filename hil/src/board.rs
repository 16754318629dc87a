//! The board on the bench: a machine of QEMU's whose ports are the clinic's wires.
//!
//! Everything it is made of runs in the clinic's place for the box, so that taking the clinic down ends it too, also
//! after this program was killed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use clinic::Clinic;
use clinic::check::Wrong;
use serde_json::{Value, json};

use crate::bench::{Bench, Port, Zone};
use crate::console::Console;
use crate::qmp::Qmp;
use crate::results::{Results, credentials};
use crate::tools::{Tools, WORK};

/// How long the machine may take until its sockets are there.
const APPEARS: Duration = Duration::from_secs(60);
/// How long a stick may take to be gone.
const GONE: Duration = Duration::from_secs(60);

/// What a board is started with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Its disk: an overlay, which this run may change.
    pub disk: PathBuf,
    /// Its firmware's variables, with the keys it trusts.
    pub variables: PathBuf,
    /// Whether it has a TPM.
    pub tpm: bool,
    /// Whether the bench's own unit is offered.
    pub answers: bool,
    /// The port it lacks.
    pub without: Option<Zone>,
    /// Further credentials.
    pub credentials: Vec<(String, String)>,
    /// What its logs are called.
    pub log: String,
}

/// A board with its power on; without it when dropped.
#[derive(Debug)]
pub struct Board {
    bench: Bench,
    machine: Child,
    tpm: Option<Child>,
    qmp: Qmp,
    console: Console,
    results: Option<Results>,
    /// Where the console stood when it was last switched on.
    since: usize,
    /// The same of the results line.
    answers_since: usize,
    sticks: u32,
}

impl Board {
    /// Switches a board on.
    ///
    /// # Errors
    /// QEMU refuses.
    pub fn on(bench: &Bench, clinic: &Clinic, tools: &Tools, parts: &Parts) -> Result<Self, Wrong> {
        let run = tools.run(clinic)?;
        for socket in ["console", "results", "qmp", "tpm"] {
            gone(fs::remove_file(run.join(socket)))?;
        }
        let tpm = parts.tpm.then(|| tpm(clinic, tools, &run)).transpose()?;
        let log = tools.artifacts.join(format!("hil-{}-qemu.log", parts.log));
        let mut command = tools.command(clinic, &arguments(bench, tools, parts)?);
        let out = fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let mut machine = command.spawn()?;
        let opened = open(&run, &mut machine, &log);
        let (console, results, qmp) = match opened {
            Ok(lines) => lines,
            Err(wrong) => {
                end(&mut machine);
                tpm.into_iter().for_each(|mut tpm| end(&mut tpm));
                return Err(wrong);
            }
        };
        let log = |what| tools.artifacts.join(format!("hil-{}-{what}.log", parts.log));
        let console = Console::listen(console, &log("console"))?;
        let results = Results::listen(results, &log("results"))?;
        let results = (bench.results.is_some() && parts.answers).then_some(results);
        let qmp = Qmp::greet(qmp)?;
        let bench = bench.clone();
        Ok(Self { bench, machine, tpm, qmp, console, results, since: 0, answers_since: 0, sticks: 0 })
    }

    /// Its console.
    pub const fn console(&self) -> &Console {
        &self.console
    }

    /// Where the console stood when the power last came on.
    pub const fn since(&self) -> usize {
        self.since
    }

    /// Its results line, when the bench's unit is there; it is waited for.
    ///
    /// # Errors
    /// There is no such line, or nobody answers on it.
    pub fn inside(&mut self, patience: Duration) -> Result<&mut Results, Wrong> {
        let since = self.answers_since;
        let results = self.results.as_mut().ok_or_else(|| Wrong::new("this board has no results line"))?;
        results.ready(since, patience)?;
        Ok(results)
    }

    /// Waits until the bench's unit says that the boot has ended.
    ///
    /// # Errors
    /// There is no such line, or it does not say so in time.
    pub fn said_up(&mut self, patience: Duration) -> Result<(), Wrong> {
        let since = self.answers_since;
        let results = self.results.as_ref().ok_or_else(|| Wrong::new("this board has no results line"))?;
        results.said(since, "@@up", patience)
    }

    /// Whether the bench may look inside.
    pub const fn has_inside(&self) -> bool {
        self.results.is_some()
    }

    /// Pulls the plug and puts it in again at once.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn cut(&mut self) -> Result<(), Wrong> {
        self.begin_anew();
        let mark = self.qmp.mark();
        self.qmp.order("system_reset", &json!({}))?;
        self.qmp.wait(mark, "RESET", APPEARS, |_| true).map(drop)
    }

    /// Says that what comes from now on belongs to a new run of the board.
    pub fn begin_anew(&mut self) {
        self.since = self.console.mark();
        self.answers_since = self.results.as_ref().map_or(0, Results::mark);
    }

    /// Pulls or puts in the cable of a zone's port.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn cable(&mut self, zone: Zone, plugged: bool) -> Result<(), Wrong> {
        let port = &self.bench.port(zone).name;
        self.qmp.order("set_link", &json!({"name": nic(port), "up": plugged})).map(drop)
    }

    /// Puts a stick in; gives its name, for [`Self::withdraw`].
    ///
    /// # Errors
    /// The machine refuses.
    pub fn insert(&mut self, image: &str) -> Result<String, Wrong> {
        self.sticks += 1;
        let name = format!("stick{}", self.sticks);
        let file = json!({"driver": "file", "filename": format!("{WORK}/{image}")});
        let node = json!({"node-name": name, "driver": "raw", "read-only": true, "file": file});
        self.qmp.order("blockdev-add", &node)?;
        let device = json!({"driver": "usb-storage", "bus": "xhci.0", "id": name, "drive": name,
            "removable": true});
        self.qmp.order("device_add", &device)?;
        Ok(name)
    }

    /// Takes a stick out.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn withdraw(&mut self, name: &str) -> Result<(), Wrong> {
        let mark = self.qmp.mark();
        self.qmp.order("device_del", &json!({"id": name}))?;
        self.qmp.wait(mark, "DEVICE_DELETED", GONE, |data| data["device"] == name)?;
        self.qmp.order("blockdev-del", &json!({"node-name": name})).map(drop)
    }

    /// Keeps the disk as it is now: what is written from here on goes to another file.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn freeze_disk(&mut self, over: &str) -> Result<(), Wrong> {
        let over = json!({"device": "disk", "snapshot-file": over, "format": "qcow2"});
        self.qmp.order("blockdev-snapshot-sync", &over).map(drop)
    }

    /// Where the machine's events stand now.
    pub fn event_mark(&self) -> usize {
        self.qmp.mark()
    }

    /// Waits for an event of the machine, after the mark.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn event(
        &self,
        mark: usize,
        name: &str,
        patience: Duration,
        like: impl Fn(&Value) -> bool,
    ) -> Result<Value, Wrong> {
        self.qmp.wait(mark, name, patience, like)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // What does not obey is killed.
        let _ = self.qmp.order("quit", &json!({}));
        end(&mut self.machine);
        if let Some(tpm) = &mut self.tpm {
            end(tpm);
        }
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The three lines. QEMU waits for whoever listens to the serial ones before it lets the machine run.
fn open(run: &Path, machine: &mut Child, log: &Path) -> Result<(UnixStream, UnixStream, UnixStream), Wrong> {
    let mut line = |name: &str| {
        let end = Instant::now() + APPEARS;
        loop {
            match UnixStream::connect(run.join(name)) {
                Ok(stream) => return Ok(stream),
                Err(_) if machine.try_wait()?.is_none() && Instant::now() < end => {
                    // A socket in a folder can only be tried.
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                Err(error) => {
                    let said = fs::read_to_string(log).unwrap_or_default();
                    let last = said.trim().lines().last().unwrap_or("it said nothing").to_owned();
                    return Err(Wrong(format!("the machine's {name}: {error}; {last}")));
                }
            }
        }
    };
    Ok((line("console")?, line("results")?, line("qmp")?))
}

fn nic(port: &str) -> String {
    format!("nic-{port}")
}

/// A TPM of software's; its memory is as new for every board.
fn tpm(clinic: &Clinic, tools: &Tools, run: &Path) -> Result<Child, Wrong> {
    let state = tools.work.join("tpm");
    fs::create_dir_all(&state)?;
    let argv = [
        "swtpm",
        "socket",
        "--tpm2",
        "--tpmstate",
        &format!("dir={WORK}/tpm"),
        "--ctrl",
        "type=unixio,path=/run/tpm",
        "--flags",
        "startup-clear",
    ];
    let mut command = tools.command(clinic, &argv.map(str::to_owned));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let end_of_patience = Instant::now() + APPEARS;
    while !run.join("tpm").exists() {
        if child.try_wait()?.is_some() || Instant::now() > end_of_patience {
            end(&mut child);
            return Err(Wrong::new("the TPM does not start"));
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(child)
}

fn arguments(bench: &Bench, tools: &Tools, parts: &Parts) -> Result<Vec<String>, Wrong> {
    let board = &bench.board;
    let (disk, variables) = (tools.inside(&parts.disk)?, tools.inside(&parts.variables)?);
    let mut list: Vec<String> = format!(
        "qemu-system-x86_64 -nodefaults -no-user-config -display none -vga none \
         -machine q35,smm=on -accel tcg,thread=multi -cpu max -smp {} -m {} \
         -global driver=cfi.pflash01,property=secure,value=on \
         -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd \
         -drive if=pflash,unit=1,format=raw,file={variables} \
         -fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=n \
         -fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=n \
         -smbios type=1,manufacturer={},product={},serial=hil-1,uuid=5e4e5240-0000-4000-8000-000000000001 \
         -device virtio-rng-pci \
         -drive if=none,id=disk,format=qcow2,file={disk} \
         -device virtio-blk-pci,drive=disk,serial=hil-disk,bootindex=0 \
         -device qemu-xhci,id=xhci \
         -device i6300esb -action watchdog=reset \
         -chardev socket,id=console,path=/run/console,server=on,wait=on \
         -chardev socket,id=results,path=/run/results,server=on,wait=on \
         -qmp unix:/run/qmp,server=on,wait=off",
        board.cores, board.memory_mib, board.maker, board.product
    )
    .split_whitespace()
    .map(str::to_owned)
    .collect();
    let results = bench.results.map(|results| (results.line, "results"));
    let mut lines: Vec<(u8, &str)> = [(bench.console.line, "console")].into_iter().chain(results).collect();
    lines.sort_unstable();
    for (_, line) in lines {
        list.extend(["-serial".into(), format!("chardev:{line}")]);
    }
    list.extend(bench.ports.iter().filter(|port| Some(port.zone) != parts.without).flat_map(port));
    if parts.tpm {
        let tpm = "-chardev socket,id=tpm,path=/run/tpm -tpmdev emulator,id=tpm0,chardev=tpm \
                   -device tpm-crb,tpmdev=tpm0";
        list.extend(tpm.split_whitespace().map(str::to_owned));
    }
    let own = if parts.answers { credentials() } else { Vec::new() };
    for (at, (name, value)) in own.iter().chain(&parts.credentials).enumerate() {
        // By a file: a unit's text has commas and ends of lines.
        let file = tools.work.join(format!("credential-{at}"));
        fs::write(&file, format!("io.systemd.credential:{name}={value}"))?;
        list.extend(["-smbios".into(), format!("type=11,path={}", tools.inside(&file)?)]);
    }
    Ok(list)
}

fn port(port: &Port) -> [String; 4] {
    let Port { name, tap, slot, .. } = port;
    let device = format!(
        "virtio-net-pci,id={},netdev={name},addr={slot:#x},mac=52:54:00:5e:00:{slot:02x},romfile=",
        nic(name)
    );
    let net = format!("tap,id={name},ifname={tap},script=no,downscript=no");
    ["-netdev".into(), net, "-device".into(), device]
}
