//! The far end of a line by PPPoE: Debian's `pppoe-server` and `pppd` in a small machine of QEMU's of its own, because a kernel
//! without PPP is what most machines that play the stories have. It stands at the internet provider, where the box's cable
//! ends, and hands on to the centre; a second device of the clinic's is in it too, on the same line.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use clinic::check::Wrong;
use clinic::check::lab::Lab;

use crate::initrd::{self, Contents};
use crate::results::Results;
use crate::tools::{Tools, WORK};

/// Where it stands.
const HOST: &str = "isp";
/// The contract's user and password there, as its secret on the box has them.
pub const CONTRACT: &str = "12345678@claims.example\nmade up #1\n";
/// From its start until it obeys.
const STARTS: Duration = Duration::from_secs(120);
/// How long an order may take.
const ORDER: Duration = Duration::from_secs(60);
/// Its programs, taken from the tools tree.
const PROGRAMS: [&str; 12] = [
    "usr/bin/mount",
    "usr/bin/ip",
    "usr/bin/mkdir",
    "usr/bin/cat",
    "usr/bin/rm",
    "usr/bin/stty",
    "usr/bin/sleep",
    "usr/sbin/pppoe-server",
    "usr/sbin/pppoe",
    "usr/sbin/pppd",
    "usr/lib/pppd/2.5.2/pppoe.so",
    // Without it pppd does not begin, whatever it is asked for.
    "usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so",
];
/// The modules of its devices and of PPP.
const DRIVERS: [&str; 5] = ["virtio_net", "veth", "ppp_generic", "ppp_async", "pppoe"];
/// What it demands of who calls: the contract's words, by CHAP. One session is all that the contract has.
const OPTIONS: &str = "require-chap\nname line\nnoipv6\nnoccp\nlcp-echo-interval 5\nlcp-echo-failure 3\n";
const SERVE: &str = "pppoe-server -I eth0 -I v0 -C line -N 1 -L 203.0.113.193 -R 203.0.113.200 \
                     -m 1412 -X /run/server.pid >/dev/null 2>&1";
/// What the provider's host needs to hand on between it and the closed network.
const WAYS: [&str; 7] = [
    "ip link set dev p0 master w0",
    "ip link set dev p0 up",
    "ip address replace 198.18.0.1/30 dev p1",
    "ip link set dev p1 up",
    "ip address replace 203.0.113.185/29 dev g0",
    "ip route replace 203.0.113.192/28 via 198.18.0.2",
    "ip route replace 203.0.113.0/25 via 203.0.113.190",
];

/// The machine, with its power on; without it when dropped.
#[derive(Debug)]
pub struct Concentrator {
    machine: Child,
    results: Results,
}

impl Concentrator {
    /// Switches it on in a clinic whose line is the internet; nobody is served yet.
    ///
    /// # Errors
    /// It does not start, or its host does not hand on.
    pub fn on(tools: &Tools, lab: &Lab) -> Result<Self, Wrong> {
        let (kernel, initrd) = make(tools)?;
        let run = lab.clinic().place("concentrator");
        fs::create_dir_all(&run)?;
        let socket = run.join("orders");
        let _ = fs::remove_file(&socket);
        let log = |what: &str| tools.artifacts.join(format!("hil-concentrator-{what}.log"));
        let mut command = tools.command_in(lab.clinic(), HOST, &run, &arguments(&kernel, &initrd));
        let out = fs::File::create(log("qemu"))?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let mut machine = command.spawn()?;
        let listening = connect(&socket).and_then(|line| Results::listen(line, &log("orders")));
        let results = match listening {
            Ok(results) => results,
            Err(wrong) => {
                let _ = machine.kill();
                let _ = machine.wait();
                return Err(wrong);
            }
        };
        let mut this = Self { machine, results };
        this.results.ready(0, STARTS)?;
        for way in WAYS {
            lab.exec(HOST, &way.split(' ').collect::<Vec<_>>())?;
        }
        lab.exec(HOST, &["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])?;
        this.order(&format!("printf '{OPTIONS}' >/etc/ppp/pppoe-server-options; : >/etc/ppp/options"))?;
        Ok(this)
    }

    /// Gives it an order that must do well.
    ///
    /// # Errors
    /// It does not.
    pub fn order(&mut self, order: &str) -> Result<String, Wrong> {
        self.results.must(&order.replace('\n', "\\n"), ORDER)
    }

    /// It serves from now on whoever says the contract's words, or others.
    ///
    /// # Errors
    /// It does not start.
    pub fn serve(&mut self, is_ours: bool) -> Result<(), Wrong> {
        let mut lines = CONTRACT.lines();
        let (user, password) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let password = if is_ours { password } else { "another" };
        let known = format!("'\"{user}\" * \"{password}\" *' '\"other\" * \"other\" *'");
        self.order(&format!("printf '%s\\n' {known} >/etc/ppp/chap-secrets; {SERVE}")).map(drop)
    }

    /// It serves nobody from now on, and whoever had a session has none; neither says goodbye.
    ///
    /// # Errors
    /// It goes on.
    pub fn stop(&mut self) -> Result<(), Wrong> {
        let all = "for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in pppoe-server|pppoe|pppd) kill -9 ${p#/proc/};; esac; done; rm -f /run/server.pid; true";
        self.order(all).map(drop)
    }

    /// Another device of the clinic's calls on the same line and keeps the session, until [`Self::stop`].
    ///
    /// # Errors
    /// It gets none.
    pub fn call_from_another_device(&mut self) -> Result<(), Wrong> {
        // It comes back when the session stands.
        let call = "pppd plugin pppoe.so nic-v1 ifname other user other noauth noipdefault \
                    nodefaultroute noipv6 noccp updetach \
                    >/run/other.log 2>&1 || { cat /run/other.log; false; }";
        self.order(call).map(drop)
    }
}

impl Drop for Concentrator {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}

/// Kernel and initrd, in the work folder.
fn make(tools: &Tools) -> Result<(String, String), Wrong> {
    let base = tools.tree.with_file_name("base");
    let version = image::step::kernel(&base).map_err(|error| Wrong(format!("failed to {error}")))?;
    let (kernel, initrd) = ("concentrator-vmlinuz", "concentrator-initrd");
    fs::copy(base.join("boot").join(format!("vmlinuz-{version}")), tools.work.join(kernel))?;
    let mut programs: Vec<(PathBuf, String)> =
        PROGRAMS.map(|name| (tools.tree.join(name), name.to_owned())).into();
    programs.push((tools.tree.join("usr/bin/dash"), "bin/sh".into()));
    programs.push((tools.tree.join("usr/bin/kmod"), "bin/insmod".into()));
    let texts = [
        ("init", include_str!("../guest/concentrator.sh")),
        ("answer.sh", include_str!("../guest/answer.sh")),
        // Its part of each session becomes nobody.
        ("etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ];
    let folders = [
        "bin",
        "etc",
        "etc/ppp",
        "tmp",
        "usr",
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "usr/lib/pppd",
        "usr/lib/pppd/2.5.2",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu/ossl-modules",
        "var",
        "var/run",
        "var/log",
    ];
    let contents = Contents {
        root: &tools.tree,
        programs: &programs,
        texts: &texts,
        folders: &folders,
        drivers: &DRIVERS,
        modules: "/modules.list",
    };
    initrd::write(&tools.work.join(initrd), &contents, &base.join("usr/lib/modules").join(&version))?;
    Ok((format!("{WORK}/{kernel}"), format!("{WORK}/{initrd}")))
}

fn arguments(kernel: &str, initrd: &str) -> Vec<String> {
    let mut list: Vec<String> = format!(
        "qemu-system-x86_64 -nodefaults -no-user-config -display none -vga none \
         -machine q35 -accel tcg,thread=multi -cpu max -smp 1 -m 256 -no-reboot \
         -kernel {kernel} -initrd {initrd} \
         -device virtio-rng-pci \
         -netdev tap,id=line,ifname=p0,script=no,downscript=no \
         -device virtio-net-pci,netdev=line,addr=0x10,mac=02:00:00:00:00:20,romfile= \
         -netdev tap,id=centre,ifname=p1,script=no,downscript=no \
         -device virtio-net-pci,netdev=centre,addr=0x11,mac=02:00:00:00:00:21,romfile= \
         -serial file:{WORK}/concentrator-console.log \
         -chardev socket,id=orders,path=/run/orders,server=on,wait=on -serial chardev:orders"
    )
    .split_whitespace()
    .map(str::to_owned)
    .collect();
    list.extend(["-append".into(), "console=ttyS0 panic=-1".into()]);
    list
}

/// QEMU waits for whoever listens before it lets the machine run.
fn connect(socket: &Path) -> Result<UnixStream, Wrong> {
    let end = Instant::now() + STARTS;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            // A socket in a folder can only be tried.
            Err(_) if Instant::now() < end => std::thread::park_timeout(Duration::from_millis(20)),
            Err(error) => return Err(Wrong(format!("the concentrator's orders: {error}"))),
        }
    }
}
