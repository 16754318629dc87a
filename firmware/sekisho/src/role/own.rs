//! What `reachd` finds out about the box: from the other roles' sockets, and from the kernel.

pub mod aside;
mod follow;
mod hardware;
mod version;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::flows::FlowsPart;
use model::maintenance::MaintenancePart;
use model::part::{FirewallPart, Role, RulesetState, Snapshot};
use model::segment::SegmentPart;
use model::tunnel::TunnelPart;
use model::{Observation, Rung, Timestamp};
use nix::sys::statvfs::statvfs;
use reach::own::{self, Facts, Lives, Room, Version};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{flows, webd};
use crate::socket::{self, client, part};
use crate::{files, snapshot};

/// How often the page is asked until when its certificates are good.
const UNTIL_EVERY: Duration = Duration::from_secs(60);

/// How long one of the others is waited for.
const ANSWER: Duration = Duration::from_millis(300);

/// `reachd`'s own folder in the state.
pub const MEMORY: &str = "reach";

/// What a site has, of which `netd` tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Has {
    /// A tunnel on its line.
    pub tunnel: bool,
    /// A tunnel to the receipt computer's cloud.
    pub cloud: bool,
    /// Terminals that have IPv6 from the line.
    pub segment: bool,
    /// Remote maintenance: the rung of the maintainer's gateway.
    pub maintainer: Option<Rung>,
    /// So many terminals.
    pub terminals: usize,
}

/// The box, as `reachd` sees it.
pub struct Own {
    sockets: PathBuf,
    state: PathBuf,
    parts: watch::Receiver<Arc<Snapshot>>,
    /// What the firewall said at the last look.
    told: Mutex<Option<Told>>,
    lives: Mutex<Lives>,
    /// A newer version that ran here before.
    left: Option<String>,
    /// How the tunnel stands, on a line that has one.
    tunnel: watch::Receiver<Option<TunnelPart>>,
    /// What was said of it at the last look.
    tunnel_told: Mutex<Option<TunnelPart>>,
    /// How the tunnel to the cloud stands, where the site has one.
    cloud: watch::Receiver<Option<TunnelPart>>,
    /// What was said of that at the last look.
    cloud_told: Mutex<Option<TunnelPart>>,
    /// What the line gives for the terminals, where it gives them anything.
    segment: watch::Receiver<Option<SegmentPart>>,
    /// What was said of that at the last look.
    segment_told: Mutex<Option<SegmentPart>>,
    /// Remote maintenance, where the site has it.
    maintenance: watch::Receiver<Option<MaintenancePart>>,
    /// What was said of that at the last look.
    maintenance_told: Mutex<Option<MaintenancePart>>,
    /// The rung of the maintainer's gateway.
    maintainer: Option<Rung>,
    /// What the terminals' own requests meet; nothing inside while it cannot be heard.
    flows: watch::Receiver<Option<Option<FlowsPart>>>,
    /// What was said of that at the last look.
    flows_told: Mutex<Option<Option<FlowsPart>>>,
    /// Whether there is one terminal only.
    alone: bool,
    /// Until when the page's certificates are good, and when that was asked.
    until: Mutex<Option<(Instant, Timestamp)>>,
}

impl Own {
    /// Begins to listen to the others, and notes this start.
    pub fn watch(sockets: &Path, state: &Path, has: Has) -> Self {
        let starts = note_start(&starts(sockets), Timestamp::now());
        Self {
            sockets: sockets.to_owned(),
            state: state.to_owned(),
            parts: snapshot::follow(sockets, &[Role::Netd]),
            told: Mutex::new(None),
            tunnel: follow::follow(sockets, "/tunnel/part", has.tunnel),
            tunnel_told: Mutex::new(None),
            cloud: follow::follow(sockets, "/cloud/part", has.cloud),
            cloud_told: Mutex::new(None),
            segment: follow::follow(sockets, "/segment/part", has.segment),
            segment_told: Mutex::new(None),
            maintenance: follow::follow(sockets, part::MAINTENANCE, has.maintainer.is_some()),
            maintenance_told: Mutex::new(None),
            maintainer: has.maintainer,
            flows: follow::follow(sockets, flows::PART, has.terminals > 0),
            flows_told: Mutex::new(None),
            alone: has.terminals == 1,
            lives: Mutex::new(Lives::of_own(Role::Reachd, &starts)),
            left: version::note(&state.join(MEMORY), version::OWN),
            until: Mutex::new(None),
        }
    }

    /// What is so now.
    pub async fn look(&self) -> Vec<Observation> {
        let others = self.processes().await;
        let until = self.until().await;
        let now = Timestamp::now();
        let seen = self.parts.borrow().as_ref().clone();
        let last = seen.firewall.as_ref().map(|part| told(&part.part));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = last;
        let seen = seen.fresh(now);
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        others.into_iter().for_each(|(role, process)| lives.see(role, process, now));
        let memory = self.state.join(MEMORY);
        let wall = seen.firewall.map(|part| part.part);
        let facts = Facts {
            ruleset: wall.as_ref().map(|wall| wall.state),
            drift: wall.and_then(|wall| wall.drift).map(|drift| drift.to_string()),
            room: room(&self.state),
            lives: Some(&lives),
            set_aside: Some(aside::set_aside([memory.as_path(), &memory.join("past")], now)),
            version: Some(Version { own: version::OWN, left: self.left.as_deref() }),
            hardware: hardware::read(Path::new(hardware::SYS)),
            secrets_until: until,
        };
        let mut seen = own::observations(&facts, now);
        let tunnel = self.tunnel.borrow().clone();
        seen.extend(tunnel.as_ref().map(|part| own::tunnel(part, Rung::Tunnel)));
        *self.tunnel_told.lock().unwrap_or_else(PoisonError::into_inner) = tunnel;
        let cloud = self.cloud.borrow().clone();
        seen.extend(cloud.as_ref().map(|part| own::tunnel(part, Rung::CloudTunnel)));
        *self.cloud_told.lock().unwrap_or_else(PoisonError::into_inner) = cloud;
        let segment = self.segment.borrow().clone();
        seen.extend(segment.as_ref().map(own::segment));
        *self.segment_told.lock().unwrap_or_else(PoisonError::into_inner) = segment;
        let maintenance = self.maintenance.borrow().clone();
        let both = maintenance.as_ref().zip(self.maintainer);
        seen.extend(both.and_then(|(part, rung)| own::maintainer(part, rung)));
        *self.maintenance_told.lock().unwrap_or_else(PoisonError::into_inner) = maintenance;
        let flows = self.flows.borrow().clone();
        seen.extend(flows.iter().flatten().map(|part| own::flows(part, self.alone)));
        *self.flows_told.lock().unwrap_or_else(PoisonError::into_inner) = flows;
        seen
    }

    /// Ends when the firewall says something else of the ruleset, or `netd` of a tunnel, the terminals' prefix or requests, or
    /// maintenance, than at the last look.
    pub async fn stirred(&self) {
        tokio::select! {
            () = self.firewall_stirred() => {}
            () = news(&self.tunnel, &self.tunnel_told) => {}
            () = news(&self.cloud, &self.cloud_told) => {}
            () = news(&self.segment, &self.segment_told) => {}
            () = news(&self.maintenance, &self.maintenance_told) => {}
            () = news(&self.flows, &self.flows_told) => {}
        }
    }

    async fn firewall_stirred(&self) {
        let mut parts = self.parts.clone();
        let is_news = |seen: &Arc<Snapshot>| {
            let last = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
            seen.firewall.as_ref().map(|part| told(&part.part)) != last
        };
        if parts.wait_for(is_news).await.is_err() {
            std::future::pending().await
        }
    }

    /// Until when what the page shows is good. It changes with a start only, so it is seldom asked for.
    async fn until(&self) -> Option<Timestamp> {
        let known = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, until)) = known.filter(|(asked, _)| asked.elapsed() < UNTIL_EVERY) {
            return Some(until);
        }
        let asked = client::ask(&self.sockets, Role::Webd, webd::UNTIL);
        // A page that hangs must not take away all that is known of the box.
        let until: Timestamp = timeout(ANSWER, asked).await.ok()?.ok()?;
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), until));
        Some(until)
    }

    /// The processes of the other roles that are there. Where all of them are this one, only its own starts tell.
    async fn processes(&self) -> Vec<(Role, i32)> {
        let mut found = Vec::new();
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Reachd) {
            let process = timeout(ANSWER, client::process(&self.sockets, role)).await;
            found.extend(process.ok().flatten().map(|process| (role, process)));
        }
        found
    }
}

/// Ends when something else is said than at the last look.
async fn news<T: PartialEq>(said: &watch::Receiver<Option<T>>, told: &Mutex<Option<T>>) {
    let is_news = |seen: &Option<T>| *seen != *told.lock().unwrap_or_else(PoisonError::into_inner);
    if said.clone().wait_for(is_news).await.is_err() {
        std::future::pending().await
    }
}

/// What is news of the ruleset: its state, and how often it was changed behind our back.
type Told = (RulesetState, u64);

fn told(wall: &FirewallPart) -> Told {
    (wall.state, wall.drift.as_ref().map_or(0, |drift| drift.times))
}

/// When `reachd` was started since the box came up: a cut of the power is no crash, so it lies in memory.
fn starts(sockets: &Path) -> PathBuf {
    socket::own_folder(sockets, Role::Reachd).join("starts")
}

/// Forgets them: whoever was asked to end has not crashed.
pub fn forget_starts(sockets: &Path) {
    // What is not there needs no forgetting.
    let _ = std::fs::remove_file(starts(sockets));
}

/// So many starts are kept: one more than are told.
const KEPT: usize = 4;

/// Notes a start, and gives the newest ones with it. What cannot be read was none, and nobody waits for the note.
fn note_start(file: &Path, now: Timestamp) -> Vec<Timestamp> {
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let mut starts: Vec<Timestamp> = before.lines().filter_map(|line| line.parse().ok()).collect();
    starts.push(now);
    starts.drain(..starts.len().saturating_sub(KEPT));
    let text: String = starts.iter().map(|start| format!("{start}\n")).collect();
    if let Err(error) = files::replace(file, text, 0o644) {
        tracing::warn!(%error, "this start was not noted");
    }
    starts
}

/// The room where state and share lie.
fn room(folder: &Path) -> Option<Room> {
    let disk = statvfs(folder).ok()?;
    let size = disk.fragment_size();
    Some(Room { free: disk.blocks_available() * size, total: disk.blocks() * size })
}

#[cfg(test)]
mod tests {
    use model::{Outcome, Rung};

    use super::*;
    use crate::socket::server;

    fn outcome(seen: &[Observation], rung: Rung) -> Option<Outcome> {
        seen.iter().find(|seen| seen.rung == rung).map(|seen| seen.outcome)
    }

    #[tokio::test]
    async fn a_role_that_is_not_there_is_no_evidence_and_one_that_is_has_its_process() {
        let (sockets, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let door = server::open(sockets.path(), Role::Webd).await.unwrap();
        tokio::spawn(server::serve(door, axum::Router::new()));
        let own = Own::watch(sockets.path(), state.path(), Has::default());
        let process = i32::try_from(std::process::id()).unwrap();
        assert_eq!(own.processes().await, [(Role::Webd, process)]);
        let seen = own.look().await;
        assert_eq!(outcome(&seen, Rung::Ruleset), None, "nobody said how it is");
        assert_eq!(outcome(&seen, Rung::Roles), Some(Outcome::Good));
        assert!(outcome(&seen, Rung::Storage).is_some());
    }

    #[tokio::test]
    async fn what_the_firewall_says_anew_is_looked_at_at_once_and_nothing_else_is() {
        const MOMENT: Duration = Duration::from_secs(10);
        let (sockets, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (part, seen) = watch::channel(FirewallPart::dropping(None));
        let (routes, _) = socket::part::routes(seen, 60);
        let door = server::open(sockets.path(), Role::Netd).await.unwrap();
        tokio::spawn(server::serve(door, routes));
        let own = Own::watch(sockets.path(), state.path(), Has::default());
        let say = |state| part.send_replace(FirewallPart { state, ..FirewallPart::dropping(None) });
        for state in [RulesetState::Proved, RulesetState::Drifted, RulesetState::DropAll] {
            say(state);
            timeout(MOMENT, own.stirred()).await.unwrap();
            own.look().await;
            assert!(timeout(Duration::ZERO, own.stirred()).await.is_err(), "{state:?} was looked at");
        }
    }

    #[test]
    fn the_newest_starts_are_remembered_and_a_damaged_note_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts");
        let at = |second| Timestamp::from_second(second).unwrap();
        std::fs::write(&file, "half a ti").unwrap();
        let noted: Vec<usize> = (1..=5).map(|second| note_start(&file, at(second)).len()).collect();
        assert_eq!(noted, [1, 2, 3, 4, 4]);
        assert_eq!(note_start(&file, at(6)), [3, 4, 5, 6].map(at));
    }
}
