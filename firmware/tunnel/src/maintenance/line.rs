//! The charon of one consent: started with it, ended with it, and by the kernel's word with the process that holds it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::site::maintainers::Person;
use model::site::prefix::Prefix;
use model::site::uplink::Maintainer;
use model::tunnel::Trouble;
use model::{Site, Timestamp};
use nix::net::if_::if_nametoindex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{called, identity, way};
use crate::charon::{Charon, Kernel, Purpose};
use crate::kernel;
use crate::vici::{Secret, Vici};

const PURPOSE: Purpose = Purpose::Maintenance;

/// Where Debian has it.
const CHARON: &str = "/usr/lib/ipsec/charon";

/// charon notes its process in one file however many there are, and refuses to start beside another.
const NOTE: &str = "/run/charon.pid";

/// Notes the name its TUN had at first.
const SHADOW: &str = "shadow";

/// How long charon may take until it can be told anything.
const TO_START: Duration = Duration::from_secs(10);

/// How long to leave a gateway alone that did not answer, and to wait between two looks.
const AGAIN: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_millis(50);

/// The peer is told that it ends, if that takes no longer than this.
const FAREWELL: Duration = Duration::from_millis(200);

/// How long a question to charon may take.
const ANSWER: Duration = Duration::from_millis(500);

/// What is seen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether the tunnel stands.
    pub up: bool,
    /// Bytes that came out of it and went into it; none without an interface.
    pub bytes: Option<(u64, u64)>,
    /// Why it does not stand.
    pub trouble: Option<Trouble>,
}

/// The tunnel to the maintainers' gateways.
#[derive(Debug)]
pub struct Line {
    maintainer: Maintainer,
    /// The site's networks.
    inside: Vec<Prefix>,
    /// The port that an XFRM interface belongs to.
    port: String,
    kernel: Kernel,
    /// Folder of what charon is told while it runs.
    folder: PathBuf,
    /// The socket that starts its unit in the image.
    door: PathBuf,
    state: PathBuf,
    running: Option<Running>,
}

/// What is held while charon runs; it ends with it, and so with the process that holds it.
#[derive(Debug)]
enum Hold {
    /// A child.
    Child(Child),
    /// The socket of its unit (`sekisho hold`), where a child of ours may not speak UDP.
    Unit(UnixStream),
}

impl Hold {
    /// Whether it ended by itself.
    fn has_ended(&mut self) -> bool {
        match self {
            Self::Child(child) => child.try_wait().ok().flatten().is_some(),
            // Nobody writes into it: what can be read is its end.
            Self::Unit(socket) => socket.try_read(&mut [0]).is_ok(),
        }
    }

    /// Ends it, and waits for its end. A unit that takes longer than that is ended by systemd; its interface is gone before.
    async fn end(self) -> Result<(), String> {
        match self {
            Self::Child(mut child) => child.kill().await.map_err(|error| format!("end charon: {error}")),
            Self::Unit(mut socket) => {
                let _ = socket.shutdown().await;
                let _ = timeout(ANSWER, socket.read(&mut [0])).await;
                Ok(())
            }
        }
    }
}

#[derive(Debug)]
struct Running {
    charon: Hold,
    work: JoinHandle<()>,
    told: Told,
    vici: Vici,
}

type Told = Arc<Mutex<Option<Trouble>>>;

fn say(told: &Told, why: Option<Trouble>) {
    *told.lock().unwrap_or_else(PoisonError::into_inner) = why;
}

impl Line {
    /// The tunnel of a site, if it has maintenance. Nothing is started yet. `folder` is of memory, `state` of the disk;
    /// where the kernel encrypts, charon is a unit that is started by its `door`.
    pub fn of(site: &Site, kernel: Kernel, folder: &Path, door: &Path, state: &Path) -> Option<Self> {
        let maintainer = site.maintainer.clone()?;
        let inside = site.networks().into_iter().map(|(_, network)| network).collect();
        let port = site.interface(maintainer.uplink.zone()).unwrap_or_default().to_owned();
        let (folder, state) = (folder.join("maintenance"), state.to_owned());
        Some(Self { maintainer, inside, port, kernel, folder, door: door.to_owned(), state, running: None })
    }

    /// Starts charon and begins to call, again and again, until [`Self::hang_up`].
    ///
    /// # Errors
    /// One sentence: what charon could not be given, or that it could not be started.
    pub async fn call(&mut self, person: &Person) -> Result<(), String> {
        self.hang_up().await?;
        let own = identity::own(&self.state, Timestamp::now())?;
        let connections = called::connections(&self.maintainer, &self.inside, person, &own.certificate);
        let charon = self.start().await?;
        let vici = Vici::at(PURPOSE.socket(&self.folder));
        let told = Told::default();
        let work = Work {
            vici: vici.clone(),
            told: Arc::clone(&told),
            connections,
            secret: Secret::Key(own.key),
            port: self.port.clone(),
            kernel: self.kernel,
            address: self.maintainer.address,
        };
        let work = tokio::spawn(work.go());
        self.running = Some(Running { charon, work, told, vici });
        Ok(())
    }

    async fn start(&self) -> Result<Hold, String> {
        let failed = |error: std::io::Error| format!("charon: {error}");
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let socket = PURPOSE.socket(&self.folder);
        let _ = std::fs::remove_file(&socket);
        let _ = std::fs::remove_file(NOTE);
        let charon = Charon {
            purpose: PURPOSE,
            kernel: self.kernel,
            folder: &self.folder,
            user: None,
            patience_s: called::PATIENCE_S,
        };
        let config = self.folder.join("strongswan.conf");
        std::fs::write(&config, charon.config()).map_err(failed)?;
        if self.kernel == Kernel::Xfrm {
            return UnixStream::connect(&self.door).await.map(Hold::Unit).map_err(failed);
        }
        self.child(&config).map(Hold::Child).map_err(failed)
    }

    fn child(&self, config: &Path) -> std::io::Result<Child> {
        let log = std::fs::File::create(self.folder.join("charon.log"))?;
        let mut command = Command::new(CHARON);
        command.env("STRONGSWAN_CONF", config).env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        die_with_us(&mut command);
        command.spawn()
    }

    /// Ends it: no charon, no interface, and with it no address and no route.
    ///
    /// # Errors
    /// If there still is an interface of that name.
    pub async fn hang_up(&mut self) -> Result<(), String> {
        if let Some(Running { charon, work, vici, .. }) = self.running.take() {
            work.abort();
            let gateways = self.maintainer.gateways.len();
            let _ = timeout(FAREWELL, vici.end(PURPOSE, gateways)).await;
            if self.kernel == Kernel::Xfrm && is_there() {
                // Before charon: what is gone reaches nothing, however long that takes.
                let _ = kernel::batch(&way::gone()).await;
            }
            charon.end().await?;
        }
        if is_there() {
            // Without charon a TUN goes by itself, perhaps in between.
            let _ = kernel::batch(&way::gone()).await;
        }
        self.clear_shadow().await;
        if is_there() { Err(format!("{} is still there", PURPOSE.interface())) } else { Ok(()) }
    }

    /// The link of the TUN's first name, where charon encrypts.
    async fn clear_shadow(&self) {
        let note = self.folder.join(SHADOW);
        if let Ok(made) = std::fs::read_to_string(&note) {
            let _ = kernel::batch(&way::without(&made)).await;
            let _ = std::fs::remove_file(note);
        }
    }

    /// Looks.
    pub async fn look(&mut self) -> Seen {
        let Some(running) = &mut self.running else { return Seen::default() };
        let ended = running.charon.has_ended();
        let standing = timeout(ANSWER, running.vici.look(PURPOSE)).await;
        let up = !ended && is_there() && matches!(standing, Ok(Ok(Some(_))));
        let said = *running.told.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = if ended { Some(Trouble::Other) } else { said };
        Seen { up, bytes: bytes(), trouble: trouble.filter(|_| !up) }
    }
}

fn is_there() -> bool {
    if_nametoindex(PURPOSE.interface()).is_ok()
}

fn bytes() -> Option<(u64, u64)> {
    let count = |way: &str| {
        let path = format!("/sys/class/net/{}/statistics/{way}_bytes", PURPOSE.interface());
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    Some((count("rx")?, count("tx")?))
}

/// The kernel ends it when the thread that started it ends, and so when the process does, however that ends.
fn die_with_us(command: &mut Command) {
    let parent = nix::unistd::getpid();
    #[expect(
        unsafe_code,
        reason = "runs between fork and exec, where it makes two system calls and no allocation"
    )]
    // SAFETY: both calls are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            // It may have ended before that was said.
            if nix::unistd::getppid() == parent { Ok(()) } else { Err(std::io::Error::from_raw_os_error(3)) }
        });
    }
}

/// Tells charon everything and calls; ends only when it is aborted.
struct Work {
    vici: Vici,
    told: Told,
    connections: Vec<crate::connection::Connection>,
    secret: Secret,
    port: String,
    kernel: Kernel,
    address: Prefix,
}

impl Work {
    async fn go(self) {
        let until = Instant::now() + TO_START;
        while let Err(why) = self.prepare().await {
            if Instant::now() > until {
                tracing::warn!(%why, "charon does not serve the maintenance tunnel");
                say(&self.told, Some(Trouble::Other));
            }
            sleep(SOON).await;
        }
        // Neither this charon nor another keeps the other from starting.
        let _ = std::fs::remove_file(NOTE);
        loop {
            for nth in 0..self.connections.len() {
                self.stand(nth).await;
            }
            sleep(AGAIN).await;
        }
    }

    async fn prepare(&self) -> Result<(), String> {
        self.vici.load(PURPOSE, &self.secret, &self.connections).await.map_err(|error| error.to_string())?;
        if is_there() {
            return Ok(());
        }
        let text = match self.kernel {
            Kernel::Xfrm => way::of_xfrm(&self.port, &self.address),
            Kernel::Userspace => {
                let made = self.tun()?;
                std::fs::write(self.folder().join(SHADOW), &made).map_err(|error| error.to_string())?;
                way::of_tun(&made, &self.address)
            }
        };
        kernel::batch(&text).await.map_err(|error| error.to_string())
    }

    fn folder(&self) -> &Path {
        self.vici.socket().parent().unwrap_or_else(|| Path::new("."))
    }

    /// The TUN that this charon made, by its own word.
    fn tun(&self) -> Result<String, String> {
        let log =
            std::fs::read_to_string(self.folder().join("charon.log")).map_err(|error| error.to_string())?;
        let made = log.lines().find_map(|line| line.split_once("created TUN device: ")).map(|(_, name)| name);
        made.map(|name| name.trim().to_owned()).ok_or_else(|| "charon has made no interface".to_owned())
    }

    /// Calls a gateway, and stays while its tunnel stands.
    async fn stand(&self, nth: usize) {
        match self.vici.call(PURPOSE, nth).await {
            Ok(()) => say(&self.told, None),
            Err(trouble) => return say(&self.told, Some(trouble)),
        }
        tracing::info!("the maintenance tunnel stands");
        while let Ok(Some(_)) = self.vici.look(PURPOSE).await {
            sleep(AGAIN).await;
        }
        tracing::info!("the maintenance tunnel is gone");
    }
}
