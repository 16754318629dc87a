//! A wire between two ports of one host, each a TAP: frames come out at the other end late, in another order, twice or not
//! at all, as it is told. The kernel's own program for that, netem, is not everywhere.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

pub use queue::{Habits, Queue};
pub use tap::Tap;

mod queue;
mod tap;

/// The longest frame: an Ethernet header and a large packet.
const LONGEST: usize = 65_550;

/// The wire.
#[derive(Debug)]
pub struct Wire {
    ends: [Tap; 2],
    /// What is on its way from each end to the other.
    ways: [Queue; 2],
    pull: SignalFd,
    plugged: bool,
}

impl Wire {
    /// A wire between two new ports of these names. `seed` decides what is lost, so that it can be told again.
    ///
    /// # Errors
    /// The ports cannot be made.
    pub fn open(names: [&str; 2], habits: Habits, seed: u64) -> io::Result<Self> {
        let [one, other] = names.map(Tap::open);
        let ways = [Queue::new(habits, seed), Queue::new(habits, !seed)];
        let signals = SigSet::from(Signal::SIGUSR1);
        signals.thread_block()?;
        let pull = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { ends: [one?, other?], ways, pull, plugged: true })
    }

    /// Carries frames for ever. SIGUSR1 takes the cable out and puts it in again: both ends lose their carrier.
    ///
    /// # Errors
    /// A port is gone.
    pub fn carry(mut self) -> io::Result<()> {
        let mut frame = vec![0; LONGEST];
        loop {
            self.wait()?;
            while self.pull.read_signal()?.is_some() {
                self.toggle()?;
            }
            for (end, way) in self.ends.iter().zip(&mut self.ways) {
                while let Some(length) = end.receive(&mut frame)? {
                    way.put(frame.get(..length).unwrap_or_default().to_vec(), Instant::now());
                }
            }
            self.deliver();
        }
    }

    /// Until a frame came in, one is due, or somebody pulls.
    fn wait(&self) -> io::Result<()> {
        let due = self.ways.iter().filter_map(Queue::due).min();
        let left = due.map(|due| due.saturating_duration_since(Instant::now()) + Duration::from_micros(999));
        let left = left.map(|left| u16::try_from(left.as_millis()).unwrap_or(u16::MAX));
        let all = [self.ends[0].as_fd(), self.ends[1].as_fd(), self.pull.as_fd()];
        let mut all = all.map(|end| PollFd::new(end, PollFlags::POLLIN));
        poll(&mut all, left.map_or(PollTimeout::NONE, PollTimeout::from))?;
        Ok(())
    }

    /// What has come to the far end by now.
    fn deliver(&mut self) {
        let now = Instant::now();
        for (way, end) in self.ways.iter_mut().zip(self.ends.iter().rev()) {
            while let Some(frame) = way.take(now) {
                // A port that is down or full takes nothing: a wire loses it then, like any other.
                let _ = end.send(&frame);
            }
        }
    }

    fn toggle(&mut self) -> io::Result<()> {
        self.plugged = !self.plugged;
        self.ways.iter_mut().for_each(Queue::clear);
        self.ends.iter().try_for_each(|end| end.set_carrier(self.plugged))
    }
}
