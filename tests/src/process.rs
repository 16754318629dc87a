//! Processes that are ours: known by pid and start time, so that a recycled pid is never hit.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// A process, beyond doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its pid on the host.
    pub pid: i32,
    /// When it started, in clock ticks since the host's boot (field 22 of proc_pid_stat(5)).
    pub started: u64,
}

impl Process {
    /// The process that has this pid now; `None` if there is none, or only its zombie.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so the fields are counted from its end; the state is field 3.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        (state != "Z" && state != "X").then_some(())?;
        Some(Self { pid, started: fields.nth(18)?.parse().ok()? })
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// A hold on it that no recycling of pids can move to another; `None` if it has ended.
    pub fn hold(self) -> Option<Hold> {
        // SAFETY: a plain system call without pointers.
        #[expect(unsafe_code, reason = "nix has no pidfd_open")]
        let number = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid, 0) };
        let number = i32::try_from(number).ok().filter(|number| *number >= 0)?;
        // SAFETY: the kernel just gave us this descriptor.
        #[expect(unsafe_code, reason = "the descriptor of a raw system call")]
        let hold = Hold(unsafe { OwnedFd::from_raw_fd(number) });
        self.is_alive().then_some(hold)
    }

    /// Its process group.
    fn group(self) -> Option<i32> {
        self.field(2)?.parse().ok()
    }

    /// The pid of who started it, or of who took it over.
    fn parent(self) -> Option<i32> {
        self.field(1)?.parse().ok()
    }

    /// Whether a signal has halted it: it starts nobody now.
    fn is_halted(self) -> bool {
        self.field(0).is_none_or(|state| state == "T")
    }

    /// A field of proc_pid_stat(5), counted from its state.
    fn field(self, index: usize) -> Option<String> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(index).map(str::to_owned)
    }
}

/// A hold on a process: a pidfd.
#[derive(Debug)]
pub struct Hold(OwnedFd);

impl Hold {
    /// Sends a signal; to a process that has ended it does nothing.
    pub fn signal(&self, signal: Signal) {
        let nothing = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a null siginfo is allowed and means what kill(2) would send.
        #[expect(unsafe_code, reason = "nix has no pidfd_send_signal")]
        unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as i32, nothing, 0);
        }
    }

    /// Waits until it has ended; false if the deadline came first.
    pub fn ended(&self, deadline: Instant) -> bool {
        readable(&[self.0.as_fd()], deadline).first() == Some(&true)
    }
}

impl AsFd for Hold {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of the descriptors can be read or has hung up; says which. All false: the deadline came first.
pub fn readable(descriptors: &[std::os::fd::BorrowedFd<'_>], deadline: Instant) -> Vec<bool> {
    let mut set: Vec<PollFd<'_>> = descriptors.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match nix::poll::poll(&mut set, timeout) {
            Err(nix::errno::Errno::EINTR) => {}
            _ => break,
        }
    }
    set.iter().map(|fd| fd.any().unwrap_or(false)).collect()
}

/// A namespace's identity: device and inode of its file.
pub type Namespace = (u64, u64);

/// The identity of the namespace a file stands for; `None` if it is an ordinary file or not there.
pub fn namespace(path: &Path) -> Option<Namespace> {
    use std::os::unix::fs::MetadataExt as _;
    let nsfs = nix::sys::statfs::statfs(path).ok()?.filesystem_type() == nix::sys::statfs::NSFS_MAGIC;
    let file = fs::metadata(path).ok()?;
    nsfs.then(|| (file.dev(), file.ino()))
}

/// Every process in a network namespace, but this one. The host's own namespace has none that are ours.
pub fn in_namespace(wanted: Namespace) -> Vec<Process> {
    if namespace(Path::new("/proc/self/ns/net")) == Some(wanted) {
        return Vec::new();
    }
    let Ok(list) = fs::read_dir("/proc") else { return Vec::new() };
    list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| namespace(Path::new(&format!("/proc/{pid}/ns/net"))) == Some(wanted))
        .filter_map(Process::of)
        .collect()
}

/// Who was started by this process and still runs.
fn children(parent: Process) -> Vec<Process> {
    let Ok(list) = fs::read_dir("/proc") else { return Vec::new() };
    let all = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(Process::of);
    all.filter(|process| process.parent() == Some(parent.pid)).collect()
}

/// Every process that was started with all of these words on its command line.
pub fn started_with(words: &[&str]) -> Vec<Process> {
    let Ok(list) = fs::read_dir("/proc") else { return Vec::new() };
    let has_all = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.iter().all(|word| line.split(|byte| *byte == 0).any(|own| own == word.as_bytes()))
    };
    let pids = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(has_all).filter_map(Process::of).collect()
}

/// Ends a daemon and what it has started: everything in its process group and its namespace. `signal` is what its
/// leader gets first; what is left after that is killed.
pub fn stop(leader: Process, signal: Signal, deadline: Instant) {
    let Some(hold) = leader.hold() else { return };
    let home = namespace(Path::new(&format!("/proc/{}/ns/net", leader.pid)));
    hold.signal(signal);
    hold.ended(deadline);
    kill_all(deadline, || {
        let all = home.map(in_namespace).unwrap_or_default();
        all.into_iter().filter(|process| process.group() == Some(leader.pid)).collect()
    });
}

/// Ends a process and its children, of whatever group. It is halted first and starts nobody meanwhile; a child that has
/// not yet become what it was started for is found by its parent, and by nothing else.
pub fn stop_with_children(parent: Process, deadline: Instant) {
    let Some(hold) = parent.hold() else { return };
    hold.signal(Signal::SIGSTOP);
    while !parent.is_halted() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    kill_all(deadline, || children(parent));
    stop(parent, Signal::SIGKILL, deadline);
}

/// Kills until the list is empty: what is just being started may join it meanwhile.
pub fn kill_all(deadline: Instant, list: impl Fn() -> Vec<Process>) {
    loop {
        let holds: Vec<Hold> = list().into_iter().filter_map(Process::hold).collect();
        if holds.is_empty() || Instant::now() >= deadline {
            return;
        }
        holds.iter().for_each(|hold| hold.signal(Signal::SIGKILL));
        holds.iter().for_each(|hold| {
            hold.ended(deadline);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_process_is_known_by_its_start_and_not_by_its_number() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        assert!(process.is_alive());
        let other = Process { started: process.started + 1, ..process };
        assert!(!other.is_alive());
        assert!(other.hold().is_none());
        let hold = process.hold().unwrap();
        hold.signal(Signal::SIGKILL);
        assert!(hold.ended(Instant::now() + Duration::from_secs(5)));
        assert!(!process.is_alive());
        child.wait().unwrap();
    }

    #[test]
    fn a_child_in_a_group_of_its_own_ends_with_its_parent() {
        let script = "while :; do setsid sleep 60 & wait $!; done";
        let mut parent = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let process = Process::of(parent.id().cast_signed()).unwrap();
        let end = Instant::now() + Duration::from_secs(5);
        let child = loop {
            assert!(Instant::now() < end, "no child");
            if let Some(child) = children(process).into_iter().find(|child| child.group() == Some(child.pid))
            {
                break child;
            }
        };
        stop_with_children(process, end);
        assert!(!child.is_alive() && !process.is_alive());
        assert_eq!(children(process), []);
        parent.wait().unwrap();
    }

    #[test]
    fn the_host_s_own_namespace_has_nobody_to_kill() {
        let own = namespace(Path::new("/proc/self/ns/net")).unwrap();
        assert_eq!(in_namespace(own), []);
    }
}
