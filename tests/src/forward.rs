//! The page, reached from the host: connections to free ports of its loopback go on from the clinic's own network, as
//! the reception's browser would make them.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{Error, at, doing};
use crate::ground::Ground;
use crate::plan::{Host, PAGE};
use crate::process::Process;
use crate::status::Page;

/// How long the page may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The two listening sockets, opened on the host's loopback before anything else is made.
#[derive(Debug)]
pub struct Ports {
    http: TcpListener,
    https: TcpListener,
}

impl Ports {
    /// Listens; port 0 is any free one.
    ///
    /// # Errors
    /// [`Error::Port`] if somebody else has it.
    pub fn open(http: u16, https: u16) -> Result<Self, Error> {
        let listen = |port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| Error::Port { port, source })
        };
        Ok(Self { http: listen(http)?, https: listen(https)? })
    }

    /// The addresses to type into a browser.
    pub fn page(&self) -> Result<Page, Error> {
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let url = |scheme: &str, listener: &TcpListener| {
            port(listener).map(|port| format!("{scheme}://127.0.0.1:{port}/")).map_err(doing("read a port"))
        };
        Ok(Page { http: url("http", &self.http)?, https: url("https", &self.https)? })
    }

    /// Starts the forwarder in the clinic's host; the sockets go with it as its standard input and output, because a
    /// socket stays in the namespace it was made in.
    pub fn start(self, ground: &Ground) -> Result<Process, Error> {
        let path = ground.place.log("forwarder");
        let log = std::fs::File::create(&path).map_err(at(&path))?;
        let failed = || doing("start the page's forwarder");
        let program = std::env::current_exe().map_err(failed())?;
        let child = ground.door(Host::Clinic).inside(|| {
            Command::new(program)
                .arg("forward")
                .stdin(Stdio::from(OwnedFd::from(self.http)))
                .stdout(Stdio::from(OwnedFd::from(self.https)))
                .stderr(log)
                .process_group(0)
                .spawn()
                .map_err(failed())
        })?;
        Process::of(child.id().cast_signed())
            .ok_or_else(|| failed()(io::Error::from(io::ErrorKind::BrokenPipe)))
    }
}

/// The forwarder's whole life.
pub fn forward() -> Result<(), Error> {
    let taken = |what| doing(format!("take the {what} socket"));
    let http = io::stdin().as_fd().try_clone_to_owned().map_err(taken("http"))?;
    let https = io::stdout().as_fd().try_clone_to_owned().map_err(taken("https"))?;
    let mut serving = Vec::new();
    for (socket, to) in [http, https].into_iter().zip(PAGE) {
        let to: SocketAddr = to.parse().expect("invariant: the page's addresses are addresses");
        serving.push(std::thread::spawn(move || serve(&TcpListener::from(socket), to)));
    }
    serving.into_iter().for_each(|thread| {
        let _ = thread.join();
    });
    Ok(())
}

fn serve(listener: &TcpListener, to: SocketAddr) {
    for browser in listener.incoming().filter_map(Result::ok) {
        std::thread::spawn(move || {
            // Nobody to tell: the browser sees its connection end.
            let _ = TcpStream::connect_timeout(&to, PATIENCE).and_then(|page| join(&browser, &page));
        });
    }
}

fn join(browser: &TcpStream, page: &TcpStream) -> io::Result<()> {
    let (to_page, from_page) = (page.try_clone()?, page.try_clone()?);
    let (from_browser, to_browser) = (browser.try_clone()?, browser.try_clone()?);
    let there = std::thread::spawn(move || pass(from_browser, to_page));
    pass(from_page, to_browser)?;
    there.join().unwrap_or(Ok(()))
}

fn pass(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let result = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    result.map(drop)
}
