//! One end: a TAP, in the network of the thread that opens it. It is gone when it is closed.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;

/// A TAP.
#[derive(Debug)]
pub struct Tap(File);

/// `struct ifreq`: a name of 16 bytes, and what is asked for.
type Request = [u8; 40];

impl Tap {
    /// Makes a port of this name.
    ///
    /// # Errors
    /// The name is too long, or taken, or the kernel has no TAPs.
    pub fn open(name: &str) -> io::Result<Self> {
        let mut request: Request = [0; 40];
        let place = request.get_mut(..15).and_then(|place| place.get_mut(..name.len()));
        place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.copy_from_slice(name.as_bytes());
        let flags = (libc::IFF_TAP | libc::IFF_NO_PI).to_ne_bytes();
        request[16..18].copy_from_slice(&flags[..2]);
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open("/dev/net/tun")?;
        // SAFETY: TUNSETIFF reads and writes one `struct ifreq` of 40 bytes.
        #[expect(unsafe_code, reason = "nix has no TUNSETIFF")]
        let set = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
        if set == 0 { Ok(Self(file)) } else { Err(io::Error::last_os_error()) }
    }

    /// Takes the cable out of the port, or puts it in.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn set_carrier(&self, on: bool) -> io::Result<()> {
        let on = libc::c_int::from(on);
        // SAFETY: TUNSETCARRIER reads one `int`.
        #[expect(unsafe_code, reason = "nix has no TUNSETCARRIER")]
        let set = unsafe { libc::ioctl(self.0.as_raw_fd(), TUNSETCARRIER, std::ptr::from_ref(&on)) };
        if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The next frame that the host has sent out by this port, and its length; none if there is none now.
    ///
    /// # Errors
    /// The port is gone.
    pub fn receive(&self, frame: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.0).read(frame) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // A port that is down has nothing.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hands the host a frame that came in by this port.
    ///
    /// # Errors
    /// The port is down.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        (&self.0).write(frame).map(drop)
    }
}

/// `_IOW('T', 226, int)` of linux/if_tun.h, which the libc crate does not have.
const TUNSETCARRIER: libc::c_ulong = 0x4004_54e2;

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
