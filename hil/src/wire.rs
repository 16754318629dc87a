//! What a board says on its wires, heard from the far side: frames by their sender, and a DHCP server's offer.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use clinic::Clinic;
use clinic::check::Wrong;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// An ear on a host's network; what comes after [`Ear::on`] is not lost.
#[derive(Debug)]
pub struct Ear(OwnedFd);

/// A frame that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Who sent it.
    pub from: [u8; 6],
    /// Its EtherType.
    pub kind: u16,
    /// Its beginning, for the sentence that tells of it.
    pub head: Vec<u8>,
}

impl Ear {
    /// Listens to every frame of a host.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn on(clinic: &Clinic, host: &str) -> Result<Self, Wrong> {
        let every = libc::ETH_P_ALL.cast_unsigned();
        let every = u16::try_from(every).unwrap_or_default().to_be();
        let opened = clinic.inside(host, || {
            // SAFETY: a plain system call without pointers.
            #[expect(unsafe_code, reason = "nix opens packet sockets for known protocols only")]
            let socket = unsafe {
                libc::socket(
                    libc::AF_PACKET,
                    libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
                    i32::from(every),
                )
            };
            if socket < 0 {
                return Err(std::io::Error::last_os_error());
            }
            // SAFETY: the kernel just gave us this descriptor.
            #[expect(unsafe_code, reason = "the descriptor of a raw system call")]
            Ok(unsafe { OwnedFd::from_raw_fd(socket) })
        })?;
        Ok(Self(opened?))
    }

    /// The frames that came since the last time.
    pub fn heard(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut bytes = [0_u8; 2048];
        while let Ok(length) = nix::unistd::read(self.0.as_fd(), &mut bytes) {
            let frame = &bytes[..length];
            if let (Some(from), Some(kind)) = (frame.get(6..12), frame.get(12..14)) {
                let from = from.try_into().unwrap_or_default();
                let kind = u16::from_be_bytes([kind[0], kind[1]]);
                frames.push(Frame { from, kind, head: frame.iter().take(64).copied().collect() });
            }
        }
        frames
    }
}

/// Asks for an address by DHCP on a host's port, and gives what is offered first; nothing if nothing is.
///
/// # Errors
/// It cannot even be asked.
pub fn offer(clinic: &Clinic, host: &str, port: &str, patience: Duration) -> Result<Option<Ipv4Addr>, Wrong> {
    let socket = clinic.inside(host, || -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind("0.0.0.0:68")?;
        socket.set_broadcast(true)?;
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::BindToDevice, &port.into())?;
        Ok(socket)
    })??;
    let number: [u8; 4] = *b"hil1";
    let end = Instant::now() + patience;
    let mut answer = [0_u8; 1500];
    while Instant::now() < end {
        socket.send_to(&discover(number), "255.255.255.255:67")?;
        let mut wait = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        while poll(&mut wait, PollTimeout::from(2000_u16)).is_ok_and(|ready| ready > 0) {
            let length = socket.recv(&mut answer)?;
            if let Some(address) = offered(&answer[..length], number) {
                return Ok(Some(address));
            }
        }
    }
    Ok(None)
}

/// DHCPDISCOVER (RFC 2131, 3.1; options of RFC 2132), answered by broadcast.
fn discover(number: [u8; 4]) -> Vec<u8> {
    let mut message = vec![0_u8; 240];
    message[..4].copy_from_slice(&[1, 1, 6, 0]);
    message[4..8].copy_from_slice(&number);
    message[10] = 0x80;
    message[28..34].copy_from_slice(&[0x02, 0, 0, 0, 0x5e, 0x99]);
    message[236..240].copy_from_slice(&[99, 130, 83, 99]);
    message.extend([53, 1, 1, 55, 2, 1, 3, 255]);
    message.resize(300, 0);
    message
}

/// The address of a DHCPOFFER to this question.
fn offered(message: &[u8], number: [u8; 4]) -> Option<Ipv4Addr> {
    let (&2, true) = (message.first()?, message.get(4..8)? == number) else { return None };
    let address: [u8; 4] = message.get(16..20)?.try_into().ok()?;
    Some(address.into())
}

/// What a frame's bytes are called in a sentence.
pub fn text(frame: &Frame) -> String {
    let bytes: String = frame.head.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:#06x} {bytes}", frame.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_one_only_to_its_own_question() {
        let mut answer = discover(*b"hil1");
        assert_eq!(offered(&answer, *b"hil1"), None, "a question is no offer");
        answer[0] = 2;
        answer[16..20].copy_from_slice(&[198, 51, 100, 77]);
        assert_eq!(offered(&answer, *b"hil1"), Some(Ipv4Addr::new(198, 51, 100, 77)));
        assert_eq!(offered(&answer, *b"hil2"), None);
        assert_eq!(offered(&answer[..10], *b"hil1"), None);
    }
}
