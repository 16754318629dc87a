//! How the newer faults are felt from outside: packets on the wire, names, and what an SMB client is told.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, SocketAddrV6, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clinic::Clinic;
use clinic::faux::forms::{Form, is_whole};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use crate::scene::{PATIENCE, connect, on_the_box, resolve};

pub const CENTRE: &str = "2001:db8:0:cc::10";
pub const DISTRIBUTION: &str = "2001:db8:0:cc::30";
const RECEIPT: &str = "198.51.100.10";

/// The line's routers, as the box's kernel has them.
pub fn routers(clinic: &Clinic) -> Vec<String> {
    let routes = on_the_box(clinic, &["ip", "-6", "route", "show", "default"]);
    let words = routes.split_whitespace();
    let mut via: Vec<String> = words
        .clone()
        .zip(words.skip(1))
        .filter(|(word, _)| *word == "via")
        .map(|(_, to)| to.into())
        .collect();
    via.sort();
    via
}

/// Whether the box has an address on the line that it may use.
pub fn has_an_address(clinic: &Clinic) -> bool {
    let list = on_the_box(clinic, &["ip", "-6", "-o", "address", "show", "dev", "wan0", "scope", "global"]);
    list.lines().any(|line| !line.contains("tentative"))
}

/// Whether the address on the line is not renewed any more: the router advertises every four seconds, and with its prefix every
/// time a life of 40 seconds.
pub fn runs_out(clinic: &Clinic) -> bool {
    let deadline = Instant::now() + Duration::from_secs(12);
    let left = || {
        let list =
            on_the_box(clinic, &["ip", "-6", "-o", "address", "show", "dev", "wan0", "scope", "global"]);
        let left =
            list.split("preferred_lft ").nth(1).and_then(|rest| rest.split("sec").next()?.parse().ok());
        left.unwrap_or(0)
    };
    while Instant::now() < deadline {
        if left() < 32_u32 {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(200));
    }
    false
}

/// Whether the line's cable goes out and comes in again.
pub fn flaps(clinic: &Clinic) -> bool {
    let changes = || {
        let count = on_the_box(clinic, &["cat", "/sys/class/net/wan0/carrier_changes"]);
        count.trim().parse::<u32>().unwrap()
    };
    let (before, end) = (changes(), Instant::now() + Duration::from_secs(6));
    while Instant::now() < end {
        if changes() >= before + 2 {
            return true;
        }
    }
    false
}

/// Whether the line's router answers neighbour solicitations: asked for three times by a kernel that does not know it. An
/// advertisement that comes in between tells the kernel as well, but not three times.
pub fn answers_solicitation(clinic: &Clinic) -> bool {
    let index = on_the_box(clinic, &["cat", "/sys/class/net/wan0/ifindex"]).trim().parse().unwrap();
    let router = SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 0, index).into();
    (0..3).all(|_| {
        on_the_box(clinic, &["ip", "-6", "neigh", "flush", "dev", "wan0"]);
        answers(clinic, router, 8)
    })
}

/// Whether a packet with so many bytes in it passes to the centre, whose kernel refuses it.
pub fn passes(clinic: &Clinic, bytes: usize) -> bool {
    pass(clinic, CENTRE, bytes)
}

/// The same to any host.
pub fn pass(clinic: &Clinic, to: &str, bytes: usize) -> bool {
    answers(clinic, SocketAddr::new(to.parse().unwrap(), 9), bytes)
}

/// Whether a host says that nobody listens on a port of UDP.
fn answers(clinic: &Clinic, to: SocketAddr, bytes: usize) -> bool {
    let visit = clinic.inside("box", || {
        let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(to)?;
        socket.send(&vec![0; bytes])?;
        socket.recv(&mut [0; 8])
    });
    visit.unwrap().is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// The addresses of the centre, of this area's distribution host and of the other's, as both resolvers have them.
pub fn addresses(clinic: &Clinic) -> [Option<String>; 3] {
    ["hweb.onshikaku.test.", "assv.east.test.", "assv.west.test."].map(|name| {
        let [one, two] = ["2001:db8:0:53::1", "2001:db8:0:53::2"]
            .map(|resolver| resolve(clinic, resolver, name).unwrap().1.map(|address| address.to_string()));
        assert_eq!(one, two, "{name}");
        one
    })
}

/// What the terminal's share says to an order.
pub fn share(clinic: &Clinic, order: &str) -> String {
    let share = clinic.status().unwrap().shares.terminal;
    let output = clinic.smbclient_at("box", &share, order).unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// What it says to a file in the folder for requests; nothing if it takes it.
pub fn put(clinic: &Clinic) -> String {
    let file = clinic.place("felt.txt");
    fs::write(&file, vec![b'x'; 4096]).unwrap();
    let said = share(clinic, &format!("put {} req/felt.txt; del req/felt.txt", file.display()));
    said.lines().filter(|line| line.contains("NT_STATUS")).collect()
}

/// What becomes of a request: whether it still lies there, and the answer, of which only the one that is asked for in
/// these faults is told. A moment is given to the link application, and a longer one to what never comes.
pub fn request_is(clinic: &Clinic) -> (bool, Option<String>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("{:09}", NEXT.fetch_add(1, Ordering::Relaxed));
    let name = format!("OQSsiquc01req_{}{id}.xml", std::process::id());
    let folder = clinic.terminal_folder();
    let (request, hidden) = (folder.join("req").join(&name), folder.join("req").join(format!(".{name}")));
    let mut file = fs::File::create(&hidden).unwrap();
    file.write_all(&Form::Xml.request(&id, 0)).unwrap();
    fs::rename(&hidden, &request).unwrap();
    let answer = folder.join("res").join(name.replace("req_", "res_"));
    let end = Instant::now() + Duration::from_secs(2);
    let whole = || fs::read(&answer).ok().filter(|bytes| is_whole("answer.xml", bytes));
    let mut found = whole();
    while Instant::now() < end && found.is_none() {
        std::thread::yield_now();
        found = whole();
    }
    let lies = request.exists();
    let _ = (fs::remove_file(&request), fs::remove_file(&answer));
    (lies, found.map(|bytes| class(&String::from_utf8_lossy(&bytes))))
}

fn class(text: &str) -> String {
    let known = ["<SegmentOfResult>9<", "<ProcessingResultStatus>2<"];
    known.into_iter().find(|word| text.contains(word)).unwrap_or("none").into()
}

/// Whether the receipt computer is there at all, as the box sees it.
pub fn receipt_is_there(clinic: &Clinic) -> bool {
    answers(clinic, SocketAddr::new(RECEIPT.parse().unwrap(), 9), 8)
}

/// Whether the receipt computer's connection to the box's share arrives: on a box without one it is refused.
pub fn receipt_comes(clinic: &Clinic) -> bool {
    let came = connect(clinic, "clinic", "198.51.100.1:445");
    came.is_ok() || came.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Whether somebody on the wire of the box's clinic port answers for an address: an ARP probe of it (RFC 5227).
pub fn hears_of(clinic: &Clinic, address: [u8; 4]) -> bool {
    let of_port = |what: &str| on_the_box(clinic, &["cat", &format!("/sys/class/net/lan0/{what}")]);
    let own: Vec<u8> =
        of_port("address").trim().split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    let index = of_port("ifindex").trim().parse().unwrap();
    let question = [&[0, 1, 8, 0, 6, 4, 0, 1], &own[..], &[0; 10], &address[..]].concat();
    clinic.inside("box", move || asked(&question, index, address)).unwrap().unwrap()
}

fn asked(question: &[u8], index: i32, address: [u8; 4]) -> std::io::Result<bool> {
    let arp = u16::try_from(libc::ETH_P_ARP).unwrap().to_be();
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(i32::from(arp))))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut storage = SockAddrStorage::zeroed();
    #[expect(unsafe_code, reason = "the storage is large enough for every kind of address, and all zeroes")]
    let everybody = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    everybody.sll_family = libc::AF_PACKET as u16;
    everybody.sll_protocol = arp;
    everybody.sll_ifindex = index;
    everybody.sll_halen = 6;
    everybody.sll_addr = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0];
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap();
    #[expect(unsafe_code, reason = "what lies in the storage is a sockaddr_ll")]
    let everybody = unsafe { SockAddr::new(storage, length) };
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        socket.send_to(question, &everybody)?;
        let mut answer = [0_u8; 64];
        // The kernel asks for others meanwhile, and is answered too.
        while let Ok(length) = (&socket).read(&mut answer) {
            if length >= 28 && answer[7] == 2 && answer[14..18] == address {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
