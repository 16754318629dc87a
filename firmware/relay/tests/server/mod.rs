//! smbd in a network namespace of this test's own, and the relay beside it.

use std::fs;
use std::future::Future;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use model::part::RelayPart;
use model::selftest::{Ask, SelfTest};
use model::{Observation, Outcome, Profile};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use relay::share::remote::RemoteTerminal;
use relay::{Config, ConsumerConfig, TerminalConfig};
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, oneshot, watch};

/// The share's password.
pub const PASSWORD: &str = "lab-password-1";
const DEADLINE: Duration = Duration::from_secs(20);

/// A terminal served by smbd, and the relay that is its client.
pub struct Lab {
    folder: tempfile::TempDir,
    small: Option<PathBuf>,
    server: Option<Child>,
    part: watch::Receiver<RelayPart>,
    commands: mpsc::Sender<relay::Command>,
}

/// Runs a case on a thread that lives in a network namespace of its own.
pub fn in_namespace(case: impl Future<Output = ()> + Send + 'static) {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test needs root: it makes a network namespace and runs smbd"
    );
    assert!(Path::new("/usr/sbin/smbd").exists(), "this test needs Debian's package samba");
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        run("ip", &["link", "set", "lo", "up"]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(case);
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

impl Lab {
    /// Starts both.
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    /// Starts both, the terminal on a disk of 256 KB.
    pub async fn start_on_a_small_disk() -> Self {
        Self::start_with_a_small_disk_at("terminal", 256).await
    }

    /// Starts both, with a disk of so many KB at this place in the folder that holds everything.
    pub async fn start_with_a_small_disk_at(place: &str, kilobytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let small = folder.path().join(place);
        fs::create_dir_all(&small).unwrap();
        let size = format!("size={kilobytes}k");
        mount(Some("small"), &small, Some("tmpfs"), MsFlags::empty(), Some(size.as_str())).unwrap();
        let mut lab = Self::start_in(folder).await;
        lab.small = Some(small);
        lab
    }

    /// Fills the small disk but for so many bytes; gives the file that does.
    pub fn fill(&self, but: u64) -> PathBuf {
        let small = self.small.as_ref().unwrap();
        let disk = nix::sys::statvfs::statvfs(small).unwrap();
        let free = disk.blocks_available() * disk.fragment_size();
        let filler = small.join("filler");
        fs::write(&filler, vec![0; usize::try_from(free - but).unwrap()]).unwrap();
        filler
    }

    /// Makes the small disk read-only, or writable again.
    pub fn remount(&self, read_only: bool) {
        let flags = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
        let terminal = self.folder.path().join("terminal");
        mount(None::<&str>, &terminal, None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>).unwrap();
    }

    /// Opens an answer as another client of the share, without sharing its deletion, and keeps it open.
    pub async fn hold(&self, name: &str) -> Holder {
        self.hold_at(&format!("res\\{name}")).await
    }

    /// As [`hold`](Self::hold), any file of the share.
    pub async fn hold_at(&self, place: &str) -> Holder {
        let pipe = self.folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Open for writing too, so that a client that goes without a byte is no end of file.
        let mut reading =
            tokio::net::unix::pipe::OpenOptions::new().read_write(true).open_receiver(&pipe).unwrap();
        let held = async {
            loop {
                let mut client = self.get(place, &pipe);
                tokio::select! {
                    // The first byte shows that the file is open; the rest waits in the pipe.
                    byte = reading.read_u8() => {
                        byte.unwrap();
                        return client;
                    }
                    // While the relay itself looks into the file, the client is refused and tries again.
                    ended = client.wait() => drop(ended.unwrap()),
                }
            }
        };
        let client = tokio::time::timeout(DEADLINE, held).await.unwrap();
        Holder { client, _reading: reading }
    }

    fn get(&self, place: &str, into: &Path) -> tokio::process::Child {
        let get = format!("get {place} {}", into.display());
        let mut command = tokio::process::Command::new("smbclient");
        command.args(["//127.0.0.1/OQS", "-m", "SMB3", "-s"]).arg(self.smb_conf());
        command.args(["-U", &format!("root%{PASSWORD}"), "-c", &get]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap()
    }

    /// Starts both, and beside the consumer on the box's own share one whose share is its own machine's.
    pub async fn start_with_a_consumer_elsewhere() -> Self {
        let lab = Self::make(tempfile::tempdir().unwrap());
        let mut config = lab.config();
        config.consumers.push(ConsumerConfig { name: "far".into(), share: None, takes: Vec::new() });
        let ends = vec![lab.end("OQS"), lab.end("FAR")];
        lab.begin(config, ends).await
    }

    async fn start_in(folder: tempfile::TempDir) -> Self {
        let lab = Self::make(folder);
        let (config, ends) = (lab.config(), vec![lab.end("OQS")]);
        lab.begin(config, ends).await
    }

    fn make(folder: tempfile::TempDir) -> Self {
        for name in ["req", "res", "face"] {
            fs::create_dir_all(folder.path().join("terminal").join(name)).unwrap();
            fs::create_dir_all(folder.path().join("state/share/OQS").join(name)).unwrap();
        }
        for name in ["smb", "far"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let (commands, _) = mpsc::channel(1);
        let (_, part) = watch::channel(RelayPart::default());
        Self { folder, small: None, server: None, part, commands }
    }

    async fn begin(mut self, config: Config, ends: Vec<RemoteTerminal>) -> Self {
        let (commands, receiver) = mpsc::channel(1);
        let (sender, part) = watch::channel(RelayPart::default());
        (self.commands, self.part) = (commands, part);
        self.configure();
        self.start_server().await;
        tokio::spawn(async move { relay::run(&config, ends, sender, receiver).await.unwrap() });
        self
    }

    /// A path in the folder of the consumer elsewhere.
    pub fn far(&self, name: &str) -> PathBuf {
        self.folder.path().join("far").join(name)
    }

    /// A path in the clinic's share.
    pub fn clinic(&self, name: &str) -> PathBuf {
        self.folder.path().join("state/share/OQS").join(name)
    }

    /// A path in the folder smbd serves.
    pub fn terminal(&self, name: &str) -> PathBuf {
        self.folder.path().join("terminal").join(name)
    }

    /// Waits until what the relay says fulfils `wanted`.
    pub async fn says(&mut self, wanted: impl Fn(&RelayPart) -> bool) -> RelayPart {
        let heard = tokio::time::timeout(DEADLINE, self.part.wait_for(|part| wanted(part))).await;
        if let Ok(part) = heard.map(|part| part.unwrap().clone()) {
            return part;
        }
        panic!("within {DEADLINE:?} it only said {:?}", *self.part.borrow())
    }

    /// Asks for a fresh look that a person asked for, or not.
    pub async fn look(&self, asked: bool) -> Outcome {
        let (reply, seen) = oneshot::channel::<Vec<Observation>>();
        self.commands.send(relay::Command::Look { asked, reply }).await.unwrap();
        seen.await.unwrap()[0].outcome
    }

    /// Tries the terminal's share.
    pub async fn selftest(&self, ask: Ask) -> Vec<SelfTest> {
        let (reply, seen) = oneshot::channel();
        self.commands.send(relay::Command::SelfTest { ask, reply }).await.unwrap();
        seen.await.unwrap()
    }

    /// Starts smbd anew with more settings, for the whole of it and for the terminal's share.
    pub async fn serve_with(&mut self, global: &str, share: &str) {
        let text = fs::read_to_string(self.smb_conf()).unwrap();
        let text = text.replace("[OQS]", &format!("{global}\n[OQS]"));
        fs::write(self.smb_conf(), text.replace("[FAR]", &format!("{share}\n[FAR]"))).unwrap();
        self.stop_server();
        self.start_server().await;
    }

    /// Changes the password the relay uses.
    pub fn password(&self, password: &str) {
        let secrets = self.folder.path().join("state/secrets");
        fs::create_dir_all(&secrets).unwrap();
        fs::write(secrets.join("t1"), format!("root\n{password}\n")).unwrap();
        fs::set_permissions(secrets.join("t1"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Lets the server count refused logins and lock the account at the tenth, as Windows does.
    pub fn locks_accounts(&self) {
        for (policy, value) in
            [("bad lockout attempt", "10"), ("reset count minutes", "10"), ("lockout duration", "10")]
        {
            run("pdbedit", &["-s", &self.smb_conf().display().to_string(), "-P", policy, "-C", value]);
        }
    }

    /// How many refused logins the server has counted since the last that it accepted.
    pub fn refused_logins(&self) -> u32 {
        let mut command = Command::new("pdbedit");
        let told = command.arg("-s").arg(self.smb_conf()).args(["-v", "-u", "root"]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let count = told.lines().find_map(|line| line.strip_prefix("Bad password count  :"));
        count.unwrap_or_else(|| panic!("{told}")).trim().parse().unwrap()
    }

    /// Starts smbd anew, and lets strace write down what it flushes and renames.
    pub async fn serve_traced(&mut self) {
        self.stop_server();
        let trace = self.trace().display().to_string();
        let calls = "trace=fsync,fdatasync,rename,renameat,renameat2";
        self.start_server_by(&["strace", "-f", "-y", "-s", "4096", "-o", &trace, "-e", calls]).await;
    }

    /// Stops a traced smbd. Returns what it flushed and renamed.
    pub fn traced(&mut self) -> String {
        self.stop_server();
        fs::read_to_string(self.trace()).unwrap()
    }

    fn trace(&self) -> PathBuf {
        self.folder.path().join("smb/trace")
    }

    /// Starts smbd and waits until it listens.
    pub async fn start_server(&mut self) {
        self.start_server_by(&[]).await;
    }

    async fn start_server_by(&mut self, by: &[&str]) {
        let log = fs::File::create(self.folder.path().join("smb/out")).unwrap();
        // A session of its own: smbd's exit ends its whole process group.
        let mut command = Command::new("setsid");
        command.args(by).args(["/usr/sbin/smbd", "-F", "--no-process-group", "-s"]).arg(self.smb_conf());
        let server =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.server = Some(server);
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let listening = async {
            while tokio::net::TcpStream::connect(address()).await.is_err() {
                tick.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, listening).await.unwrap();
    }

    /// Stops smbd, with its children.
    pub fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            let group = nix::unistd::Pid::from_raw(i32::try_from(server.id()).unwrap());
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGTERM);
            let _ = server.wait();
        }
    }

    fn config(&self) -> Config {
        let text = include_str!("../../../model/tests/data/profile.toml");
        let profile = Profile::parse("profile.toml", text).unwrap();
        Config {
            state: self.folder.path().join("state"),
            kinds: Arc::from(profile.kinds),
            opening: model::Opening::default(),
            count_outcomes: false,
            history: relay::HistoryBy::Itself,
            terminals: vec![TerminalConfig { name: "t1".into(), requests_below: None }],
            consumers: vec![ConsumerConfig {
                name: "receipt".into(),
                share: Some("OQS".into()),
                takes: Vec::new(),
            }],
        }
    }

    /// A share of the server, as the relay reaches it.
    pub fn end(&self, share: &str) -> RemoteTerminal {
        let secret = self.folder.path().join("state/secrets/t1");
        RemoteTerminal::new(address(), share.into(), secret)
    }

    fn smb_conf(&self) -> PathBuf {
        self.folder.path().join("smb/smb.conf")
    }

    fn configure(&self) {
        let smb = self.folder.path().join("smb");
        let own = |name: &str| smb.join(name).display().to_string();
        let folders: Vec<String> = ["private dir", "lock directory", "state directory", "cache directory"]
            .iter()
            .chain(&["pid directory", "ncalrpc dir"])
            .map(|key| format!("{key} = {}", own(&key.replace(' ', "-"))))
            .collect();
        for key in [
            "private-dir",
            "lock-directory",
            "state-directory",
            "cache-directory",
            "pid-directory",
            "ncalrpc-dir",
        ] {
            fs::create_dir_all(smb.join(key)).unwrap();
        }
        // Less than the fewest credits that Windows gives (512): who loses some is without any soon.
        let text = format!(
            "[global]\n{}\nlog file = {}\npassdb backend = tdbsam:{}\ninterfaces = lo\nbind interfaces only = yes\n\
             smb ports = 445\ndisable netbios = yes\nserver min protocol = SMB3\nserver signing = mandatory\n\
             server smb encrypt = required\ndisable spoolss = yes\nunix extensions = no\n\
             store dos attributes = no\nmap readonly = yes\nsmb2 max credits = 384\n\
             [OQS]\npath = {}\nread only = no\n[FAR]\npath = {}\nread only = no\n",
            folders.join("\n"),
            own("log"),
            own("passdb.tdb"),
            self.folder.path().join("terminal").display(),
            self.folder.path().join("far").display(),
        );
        fs::write(self.smb_conf(), text).unwrap();
        let mut command = Command::new("smbpasswd");
        command.arg("-c").arg(self.smb_conf()).args(["-s", "-a", "root"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "smbpasswd");
        self.password(PASSWORD);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop_server();
        if let Some(small) = &self.small {
            let _ = nix::mount::umount2(small, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}

/// Another client that holds a file open.
pub struct Holder {
    client: tokio::process::Child,
    _reading: tokio::net::unix::pipe::Receiver,
}

impl Holder {
    /// Lets the file go.
    pub async fn let_go(mut self) {
        self.client.kill().await.unwrap();
    }
}

fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 445).into()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

/// Waits until a file is there.
pub async fn appears(path: &Path) -> Vec<u8> {
    watched(path, |path| fs::read(path).ok()).await
}

/// Waits until a file is gone.
pub async fn vanishes(path: &Path) {
    watched(path, |path| (!path.exists()).then_some(())).await;
}

async fn watched<V>(path: &Path, look: impl Fn(&Path) -> Option<V>) -> V {
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    let events = Arc::new(Inotify::init(InitFlags::empty()).unwrap());
    events.add_watch(path.parent().unwrap(), AddWatchFlags::IN_ALL_EVENTS).unwrap();
    let waiting = async {
        loop {
            if let Some(found) = look(path) {
                return found;
            }
            let events = events.clone();
            tokio::task::spawn_blocking(move || wait(&events)).await.unwrap();
        }
    };
    let waited = tokio::time::timeout(DEADLINE, waiting).await;
    waited.unwrap_or_else(|_| panic!("{DEADLINE:?} passed for a file in {:?}", path.parent()))
}

/// Waits for a change. Comes back now and then without one, so that a case that failed can end.
fn wait(events: &nix::sys::inotify::Inotify) {
    use nix::poll::{PollFd, PollFlags, poll};
    use std::os::fd::AsFd;
    if poll(&mut [PollFd::new(events.as_fd(), PollFlags::POLLIN)], 500_u16).unwrap() > 0 {
        events.read_events().unwrap();
    }
}
