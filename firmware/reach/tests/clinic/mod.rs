//! A line, a centre and a terminal in namespaces of one test, with doubles that can be told to fail. Needs root.
//!
//! A socket stays in the namespace it was opened in, so one runtime serves both ends.

mod doubles;

pub use doubles::{Certificate, DEAD, Resolver, Shares};

use std::fs::File;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::part::LinePart;
use model::profile::Target;
use model::{Outcome, Timestamp, Verdict};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::MsgFlags;
use reach::{ClinicSide, ConsumerTarget, Plan, Sockets, TerminalTarget};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub const CENTRE: &str = "2001:db8:0:cc::10";
pub const LINE_AUTH: &str = "2001:db8:0:cc::20";
pub const DISTRIBUTION: &str = "2001:db8:0:cc::30";
pub const TIME: &str = "2001:db8:0:cc::40";
pub const RESOLVERS: [&str; 2] = ["2001:db8:0:53::1", "2001:db8:0:53::2"];

/// One double, listening.
struct Server {
    name: &'static str,
    at: SocketAddr,
    kind: Type,
    task: JoinHandle<()>,
}

/// The far end of the box's two cables, and everything on it.
pub struct World {
    namespace: File,
    servers: Vec<Server>,
    resolvers: Arc<Mutex<[Resolver; 2]>>,
    pub share: Arc<Mutex<Option<Outcome>>>,
    pub authorities: String,
    /// Connections the centre has taken.
    pub visits: Arc<AtomicUsize>,
    pub state: tempfile::TempDir,
}

/// Runs a case on a thread of its own, in a namespace of its own: that is the box.
pub fn in_a_clinic<F: Future<Output = ()>>(case: impl FnOnce(World) -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a namespace of our own: these tests need root");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::build(Certificate::Fine).await;
            case(world).await;
        });
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

impl World {
    async fn build(certificate: Certificate) -> Self {
        let namespace = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let mut world = Self {
            namespace: namespace.join().unwrap(),
            servers: Vec::new(),
            resolvers: Arc::new(Mutex::new([Resolver::Fine; 2])),
            share: Arc::new(Mutex::new(Some(Outcome::Good))),
            authorities: String::new(),
            visits: Arc::default(),
            state: tempfile::tempdir().unwrap(),
        };
        world.lay_cables();
        world.serve_names();
        for name in ["line-auth", "distribution", "terminal"] {
            world.open(name);
        }
        world.serve_time();
        world.serve_centre(certificate, &[&rustls::version::TLS13]);
        world.has_address().await;
        world
    }

    fn lay_cables(&self) {
        std::fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").unwrap();
        self.inside(|| std::fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").unwrap());
        ip("link set dev lo up");
        for (near, far) in [("wan0", "w0"), ("term0", "e0"), ("lan0", "l0")] {
            self.lay(near, far);
        }
        ip("address add 192.0.2.1/24 dev term0");
        ip("address add 198.51.100.1/24 dev lan0");
        self.ip("link set dev lo up");
        self.ip("link set dev w0 up");
        self.ip("link set dev e0 up");
        self.ip("link set dev l0 up");
        // The receipt computer and the terminal are two machines, also where one kernel plays both.
        self.answers_for_both(false);
        // A router says so in its neighbour advertisements, else the box's kernel drops it from its routers. What is
        // not there is then silent, not unreachable.
        self.inside(|| std::fs::write("/proc/sys/net/ipv6/conf/w0/forwarding", "1").unwrap());
        self.ip("-6 route add blackhole 2001:db8::/32");
        self.ip("address add fe80::1/64 dev w0 nodad");
        self.ip("address add 2001:db8:0:1::1/64 dev w0 nodad");
        self.ip("address add 192.0.2.2/24 dev e0");
        self.ip("address add 198.51.100.10/24 dev l0");
        for host in [CENTRE, LINE_AUTH, DISTRIBUTION, TIME, RESOLVERS[0], RESOLVERS[1]] {
            self.ip(&format!("address add {host}/128 dev lo nodad"));
        }
    }

    /// Lays a cable; its far end is down yet.
    pub fn lay(&self, near: &str, far: &str) {
        let there = format!("/proc/{}/fd/{}", std::process::id(), self.namespace.as_raw_fd());
        ip(&format!("link add dev {near} type veth peer name {far}"));
        ip(&format!("link set dev {far} netns {there}"));
        ip(&format!("link set dev {near} up"));
    }

    /// Does something out there.
    pub fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        in_namespace(self.namespace.try_clone().unwrap(), work)
    }

    /// Whether each wire out there is answered for the other's addresses too, as one machine on both does.
    pub fn answers_for_both(&self, yes: bool) {
        let value = if yes { "0" } else { "1" };
        self.inside(move || std::fs::write("/proc/sys/net/ipv4/conf/all/arp_ignore", value).unwrap());
    }

    /// Puts the terminal's and the clinic's wire into one hub.
    pub fn join(&self) {
        for order in [
            "link add dev hub type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            "link set dev hub up",
            "link set dev e0 master hub",
            "link set dev l0 master hub",
            "address add 192.0.2.2/24 dev hub",
            "address add 198.51.100.10/24 dev hub",
        ] {
            self.ip(order);
        }
    }

    /// Runs `ip` out there.
    pub fn ip(&self, arguments: &str) {
        let arguments = arguments.to_owned();
        self.inside(move || ip(&arguments));
    }

    /// A router that says nothing by itself, and something only when it is asked so many times.
    pub fn advertise_when_asked(&self, times: usize) {
        const ROUTER_SOLICITATION: u8 = 133;
        let socket = self.inside(|| Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let namespace = self.namespace.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut asked = 0;
            while asked < times {
                let mut bytes = [0; 64];
                if nix::sys::socket::recv(socket.as_raw_fd(), &mut bytes, MsgFlags::empty()).is_err() {
                    return;
                }
                asked += usize::from(bytes[0] == ROUTER_SOLICITATION);
            }
            in_namespace(namespace, || advertise(600));
        });
    }

    /// Sends a router advertisement with a prefix.
    pub fn advertise(&self, lifetime_s: u16) {
        self.inside(move || advertise(lifetime_s));
    }

    /// Advertises until the kernel has made an address of it: the first may be lost on a busy machine, where a cable
    /// carries only a moment after it was laid.
    async fn has_address(&self) {
        let probe: SocketAddr = (CENTRE.parse::<Ipv6Addr>().unwrap(), 9).into();
        let ready = async {
            let mut again = Instant::now();
            loop {
                if Instant::now() >= again {
                    self.advertise(600);
                    again += Duration::from_millis(200);
                }
                let socket = UdpSocket::bind("[::]:0").await.unwrap();
                if socket.connect(probe).await.is_ok()
                    && matches!(socket.local_addr().unwrap().ip(), IpAddr::V6(own) if !own.is_unicast_link_local())
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), ready).await.expect("an address by autoconfiguration");
    }

    /// Opens the door of a host that only has to open its door.
    pub fn open(&mut self, name: &'static str) {
        let at = match name {
            "line-auth" => at(LINE_AUTH, 443),
            "distribution" => at(DISTRIBUTION, 80),
            _ => at("192.0.2.2", 445),
        };
        let listener = self.listener(at);
        let serve = async move { while listener.accept().await.is_ok() {} };
        self.keep(name, at, Type::STREAM, serve);
    }

    /// Closes the door of a host: it refuses from now on. A child of another test may hold the socket until it has
    /// become another program, so this waits until the door is really shut.
    pub async fn close(&mut self, name: &str) {
        for server in self.servers.extract_if(.., |server| server.name == name) {
            server.task.abort();
            let _ = server.task.await;
            let end = Instant::now() + Duration::from_secs(5);
            let namespace = self.namespace.try_clone().unwrap();
            in_namespace(namespace, move || {
                while bind(server.at, server.kind).is_err() {
                    assert!(Instant::now() < end, "{} is shut in time", server.at);
                    std::thread::yield_now();
                }
            });
        }
    }

    /// Takes a host away: from now on it is silent.
    pub fn take_away(&self, host: &str) {
        self.ip(&format!("address del {host}/128 dev lo"));
    }

    pub fn set_resolvers(&self, how: [Resolver; 2]) {
        *self.resolvers.lock().unwrap() = how;
    }

    fn listener(&self, at: SocketAddr) -> TcpListener {
        let socket = self.inside(move || bind(at, Type::STREAM).unwrap());
        socket.listen(64).unwrap();
        TcpListener::from_std(socket.into()).unwrap()
    }

    /// A socket out there.
    pub fn datagrams(&self, at: SocketAddr) -> UdpSocket {
        let socket = self.inside(move || bind(at, Type::DGRAM).unwrap());
        UdpSocket::from_std(socket.into()).unwrap()
    }

    fn keep(
        &mut self,
        name: &'static str,
        at: SocketAddr,
        kind: Type,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.servers.push(Server { name, at, kind, task: tokio::spawn(task) });
    }

    fn serve_names(&mut self) {
        for (index, name) in ["resolver-one", "resolver-two"].into_iter().enumerate() {
            let at = at(RESOLVERS[index], 53);
            let socket = self.datagrams(at);
            let how = self.resolvers.clone();
            let serve = async move {
                let mut bytes = [0; 2048];
                while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                    let how = how.lock().unwrap()[index];
                    let _ = socket.send_to(&doubles::answer(&bytes[..length], how), from).await;
                }
            };
            self.keep(name, at, Type::DGRAM, serve);
        }
    }

    fn serve_time(&mut self) {
        let at = at(TIME, 123);
        let socket = self.datagrams(at);
        let serve = async move {
            let mut bytes = [0; 48];
            while let Ok((48, from)) = socket.recv_from(&mut bytes).await {
                let now = Timestamp::now();
                let seconds = u32::try_from(now.as_second() + 2_208_988_800).unwrap();
                let cookie: [u8; 8] = bytes[40..48].try_into().unwrap();
                bytes[0] = 0b00_100_100;
                bytes[1] = 1;
                bytes[24..32].copy_from_slice(&cookie);
                for at in [32, 40] {
                    bytes[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
                    bytes[at + 4..at + 8].copy_from_slice(&[0x80, 0, 0, 0]);
                }
                let _ = socket.send_to(&bytes, from).await;
            }
        };
        self.keep("time", at, Type::DGRAM, serve);
    }

    /// A service that wants a client's certificate: in TLS 1.2 the handshake ends in an alert, in 1.3 the alert
    /// follows it.
    pub fn serve_centre(
        &mut self,
        certificate: Certificate,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) {
        let issuer = doubles::issuer("the lab's authority");
        self.authorities = issuer.pem();
        let config = doubles::server(certificate, &issuer, versions);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let at = at(CENTRE, 443);
        let listener = self.listener(at);
        let visits = self.visits.clone();
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                visits.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
            }
        };
        self.keep("centre", at, Type::STREAM, serve);
    }

    /// Something that opens its door and says these bytes, or hangs up at once.
    pub fn serve_nonsense(&mut self, words: &'static [u8]) {
        let at = at(CENTRE, 443);
        let listener = self.listener(at);
        let serve = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let _ = stream.read(&mut [0; 2048]).await;
                let _ = stream.write_all(words).await;
            }
        };
        self.keep("centre", at, Type::STREAM, serve);
    }

    pub fn plan(&self) -> Plan {
        let target = |name: &str, port| Target { name: name.to_owned(), port };
        Plan {
            contract: "ra".to_owned(),
            line_port: "wan0".to_owned(),
            terminal_port: "term0".to_owned(),
            own: [192, 0, 2, 1].into(),
            resolvers: RESOLVERS.map(|address| address.parse().unwrap()),
            one_resolver: false,
            gateways: Vec::new(),
            ipv4: false,
            lent: false,
            session: None,
            expected: vec![model::site::prefix::Prefix {
                address: "2001:db8::".parse().unwrap(),
                length: 32,
            }],
            line_auth: target("www.lineauth.test", 443),
            distribution: target("assv.east.test", 80),
            other_area: Some("assv.west.test".to_owned()),
            centre: target("hweb.onshikaku.test", 443),
            time: "ntp.base.test".to_owned(),
            terminals: vec![TerminalTarget {
                name: "t1".to_owned(),
                address: [192, 0, 2, 2].into(),
                share: String::new(),
                certificate_until: Some(model::Date::constant(2099, 12, 31)),
            }],
            clinic: ClinicSide {
                port: "lan0".to_owned(),
                own: [198, 51, 100, 1].into(),
                consumers: vec![ConsumerTarget {
                    name: "receipt".to_owned(),
                    address: [198, 51, 100, 10].into(),
                }],
                nobody: Some([198, 51, 100, 254].into()),
                nobody_terminal: Some([192, 0, 2, 254].into()),
            },
            internet: None,
            cloud: None,
            maintainer: None,
            calendar: model::Calendar::default(),
            authorities_pem: Some(self.authorities.clone().into_bytes()),
        }
    }

    /// What a ladder that has ended left behind.
    pub fn remembered(&self) -> model::past::Past {
        reach::Past::load(self.state.path()).tell(10)
    }

    /// Starts the ladder.
    pub fn start(&self) -> Running {
        self.start_with(self.plan())
    }

    /// Starts a ladder with another plan.
    pub fn start_with(&self, plan: Plan) -> Running {
        let (part, parts) = watch::channel(LinePart::judged(Verdict::unknown(Timestamp::now())));
        let (sweeps, asked) = mpsc::channel(8);
        let shares = Shares(self.share.clone());
        let sockets = Sockets::open().unwrap();
        let state = self.state.path().to_owned();
        let past = reach::Past::load(&state);
        let task =
            tokio::spawn(async move { reach::run(plan, sockets, &state, part, past, shares, asked).await });
        Running { parts, sweeps, task }
    }
}

/// A ladder that is being climbed.
pub struct Running {
    pub parts: watch::Receiver<LinePart>,
    pub sweeps: mpsc::Sender<reach::Ask>,
    task: JoinHandle<Result<(), reach::Error>>,
}

impl Running {
    /// Asks for a sweep and waits for what it led to.
    pub async fn sweep(&self) -> LinePart {
        let (answer, answered) = oneshot::channel();
        self.sweeps.send(reach::Ask { reply: answer, known: true }).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), answered).await.expect("in time").unwrap()
    }

    /// Waits for a part that is as wanted, without asking for anything.
    pub async fn until(&mut self, within: Duration, wanted: impl FnMut(&LinePart) -> bool) -> LinePart {
        let seen = tokio::time::timeout(within, self.parts.wait_for(wanted)).await;
        seen.expect("in time").unwrap().clone()
    }

    /// Ends it, as the end of its caller does.
    pub async fn stop(self) {
        drop(self.sweeps);
        self.task.await.unwrap().unwrap();
    }
}

/// Sends a router advertisement with a prefix from here.
fn advertise(lifetime_s: u16) {
    let mut bytes = vec![134, 0, 0, 0, 64, 0];
    bytes.extend(lifetime_s.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend([3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0, 0]);
    bytes.extend("2001:db8:0:1::".parse::<Ipv6Addr>().unwrap().octets());
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)).unwrap();
    let port = nix::net::if_::if_nametoindex("w0").unwrap();
    socket.set_multicast_hops_v6(255).unwrap();
    socket.set_multicast_if_v6(port).unwrap();
    let everybody = SocketAddrV6::new("ff02::1".parse().unwrap(), 0, 0, port);
    socket.send_to(&bytes, &everybody.into()).unwrap();
}

fn in_namespace<T: Send + 'static>(namespace: File, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
        work()
    });
    thread.join().unwrap()
}

fn at(host: &str, port: u16) -> SocketAddr {
    SocketAddr::from((host.parse::<IpAddr>().unwrap(), port))
}

fn bind(at: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), kind, None)?;
    socket.set_reuse_address(kind == Type::STREAM)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    Ok(socket)
}

pub fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}
