//! What the cases look with.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use clinic::Clinic;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

/// Long enough for everything that answers, short enough to wait for what does not.
pub const PATIENCE: Duration = Duration::from_millis(700);

/// A clinic without anything running on the box.
pub fn bare(name: &str) -> Clinic {
    Clinic::up_with(name, &["--box", "bare"]).unwrap()
}

/// The `clinic` program, called as a person would.
pub fn clinic(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clinic")).args(arguments).output().unwrap()
}

/// What a command that failed said: one line, and its exit code.
pub fn sentence(output: &Output) -> (String, i32) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "not one sentence: {said}");
    (said.trim().to_owned(), output.status.code().unwrap())
}

/// What is left of a clinic on this host, by kind; empty if nothing is.
pub fn left(name: &str) -> Vec<String> {
    let folder = format!("/run/clinic-{name}");
    let mut found = Vec::new();
    if Path::new(&folder).exists() {
        found.push(folder.clone());
    }
    for host in ["ngn", "centre", "box", "terminal", "clinic", "home"] {
        let namespace = format!("/run/netns/{name}-{host}");
        if Path::new(&namespace).exists() {
            found.push(namespace);
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    found.extend(mounts.lines().filter(|line| line.contains(&format!("/{name}-"))).map(str::to_owned));
    found.extend(processes().into_iter().filter(|(_, line)| line.contains(&folder)).map(|(_, line)| line));
    found
}

/// Every process with its command line.
pub fn processes() -> Vec<(i32, String)> {
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter_map(|pid: i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (!line.is_empty()).then_some((pid, line))
    })
    .collect()
}

/// Connects from a host.
pub fn connect(clinic: &Clinic, host: &str, to: &str) -> io::Result<TcpStream> {
    let to: SocketAddr = to.parse().unwrap();
    clinic.inside(host, || TcpStream::connect_timeout(&to, PATIENCE)).unwrap()
}

/// Asks a resolver from the box for a name's IPv6 address: its answer's code, and the address if it has one.
pub fn resolve(clinic: &Clinic, resolver: &str, name: &str) -> io::Result<(ResponseCode, Option<Ipv6Addr>)> {
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::AAAA));
    let answer = ask(clinic, (resolver.parse().unwrap(), 53), &query.to_vec().unwrap())?;
    let answer = Message::from_vec(&answer).unwrap();
    let address = answer.answers.iter().find_map(|record| match record.data {
        RData::AAAA(address) => Some(address.0),
        _ => None,
    });
    Ok((answer.metadata.response_code, address))
}

/// Sends a datagram from the box and waits for the answer.
pub fn ask(clinic: &Clinic, to: (Ipv6Addr, u16), question: &[u8]) -> io::Result<Vec<u8>> {
    let visit = clinic.inside("box", || {
        let socket = UdpSocket::bind("[::]:0")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send_to(question, to)?;
        let mut answer = vec![0_u8; 1500];
        let length = socket.recv(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    });
    visit.unwrap()
}

/// Runs a command on the box and gives what it printed.
pub fn on_the_box(clinic: &Clinic, argv: &[&str]) -> String {
    String::from_utf8(clinic.exec("box", argv).unwrap().stdout).unwrap()
}
