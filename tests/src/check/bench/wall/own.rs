//! The product's own room, in the place of a box: each turn puts another site's rules in force, or takes them back.

use std::path::PathBuf;
use std::time::Instant;

use firewall::{Asker, Command, Memory};
use model::decision::Actor;
use model::part::FirewallPart;
use model::ruleset::{Applied, Apply, Candidate, Settled};
use tokio::sync::{mpsc, oneshot, watch};

use super::super::super::Wrong;
use super::paper;
use super::reload::Wall;
use super::room::Room;

/// The room at work on a thread of its own; it ends when its commands do.
pub(super) struct Own {
    room: Room,
    commands: mpsc::Sender<Command>,
    folder: PathBuf,
    is_changed: bool,
}

impl Own {
    pub fn begin() -> Result<Self, Wrong> {
        let room = Room::empty()?;
        let folder = std::env::temp_dir().join(format!("bench-firewall-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let memory = Memory::of(folder.clone(), &candidate(""));
        let (site, enter) = (paper::site()?, room.door()?);
        let (commands, mut asked) = mpsc::channel(1);
        let (part, mut published) = watch::channel(FirewallPart::dropping(None));
        std::thread::spawn(move || -> Result<(), Wrong> {
            enter()?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let ended = runtime.block_on(firewall::run_with_changes(&site, memory, part, &mut asked));
            ended.map_err(|error| Wrong(format!("the ruleset cannot be brought up: {error}")))
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let up = runtime.block_on(published.wait_for(FirewallPart::is_in_force));
        up.map_err(|_| Wrong::new("the room ended before its ruleset was proved"))?;
        Ok(Self { room, commands, folder, is_changed: false })
    }

    fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Wrong> {
        let (reply, answer) = oneshot::channel();
        let gone = || Wrong::new("the room ended");
        self.commands.blocking_send(command(reply)).map_err(|_| gone())?;
        answer.blocking_recv().map_err(|_| gone())
    }
}

impl Wall for Own {
    fn room(&self) -> &Room {
        &self.room
    }

    fn reload(&mut self) -> Result<(), Wrong> {
        self.is_changed = !self.is_changed;
        if !self.is_changed {
            return match self.ask(|reply| Command::Revert { reply })? {
                Settled::Done => Ok(()),
                other => Err(Wrong(format!("a change was not taken back: {other:?}"))),
            };
        }
        let ask = Apply { candidate: candidate("\n[page]\nhttp = 8081\n"), within_s: Apply::LONGEST_S };
        let by = Asker { actor: Actor { name: "bench".into(), uid: 0 }, since: Instant::now() };
        match self.ask(|reply| Command::Apply { ask, by, reply })? {
            Applied::Armed { .. } => Ok(()),
            other => Err(Wrong(format!("a change was not applied: {other:?}"))),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // What waited is nobody's any more.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The lab's site with something more.
fn candidate(more: &str) -> Candidate {
    Candidate {
        file: "site.toml".into(),
        site: include_str!("../../../../lab/site.toml").to_owned() + more,
        profile_name: "profile.toml".into(),
        profile: include_str!("../../../../lab/profile.toml").to_owned(),
    }
}
