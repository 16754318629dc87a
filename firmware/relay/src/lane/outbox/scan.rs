//! What comes into the clinic's folders: hints at single files at once, whole folders now and then and beside everything
//! else.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use super::Outbox;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::table::Outlet;
use crate::watch::Hints;

/// How many pieces of a listing are taken in at a turn.
const PIECES: usize = 2;
/// How often the folders are looked at as a whole without any event: events of this machine do not lie, and a queue of them
/// that overflows says so.
pub(super) const RESCAN: Duration = Duration::from_secs(5);
/// A look at a whole folder may take this part of the time: a hundred thousand files take a while to list.
const RESCAN_SHARE: u32 = 20;

/// A piece of a listing: what lies in an outlet, or that this was all of it.
pub(super) enum Piece {
    Files(u16, Vec<(OsString, Facts)>),
    All(u16),
}

/// Looking at whole folders, beside everything else.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) running: Option<Receiver<Piece>>,
    pub(super) begun: Instant,
    pub(super) next: Instant,
    /// Which listing it is.
    pub(super) listing: u32,
}

impl Outbox {
    /// Takes in what may have come: hints at single files at once, whole folders when their turn comes. The looks at
    /// whole folders run beside everything else.
    pub async fn hear(&mut self, desk: &Desk, hints: &Arc<Hints>) {
        let now = Instant::now();
        self.pace.tick(now);
        if hints.take_everywhere() {
            self.scan.next = now;
        }
        let named = hints.take();
        if !named.is_empty() {
            let outlets = self.outlets.clone();
            let seen = desk.quickly(named.len(), move |desk| Ok(facts_of(desk, &outlets, named)));
            let seen = seen.await.unwrap_or_default();
            for (at, name, facts) in seen {
                match facts {
                    Some(facts) => self.see(desk, at, &name, facts, now),
                    None => {
                        if let Some(number) = self.lying.number_of(at, &name) {
                            self.lying.forget(number);
                        }
                    }
                }
            }
        }
        self.take_scan(desk);
        if self.scan.running.is_none() && now >= self.scan.next {
            let (outlets, desk, hints) = (self.outlets.clone(), desk.clone(), hints.clone());
            self.scan.begun = now;
            self.scan.listing = self.lying.listing();
            // The lister waits for us: what it found must not pile up.
            let (tell, told) = sync_channel(PIECES);
            self.scan.running = Some(told);
            tokio::task::spawn_blocking(move || {
                list_all(&desk, &outlets, &tell, &hints);
                drop(tell);
                hints.wake();
            });
        }
        self.lying.wake(now);
    }

    fn see(&mut self, desk: &Desk, at: u16, name: &OsStr, facts: Facts, now: Instant) {
        let Some(outlet) = self.outlets.get(usize::from(at)) else { return };
        let number = || {
            let number = desk.ledger.number();
            number.inspect_err(|error| tracing::error!(%error, "no journal number")).ok()
        };
        self.lying.see((at, outlet), name, facts, now, number);
    }

    fn take_scan(&mut self, desk: &Desk) {
        let Some(running) = self.scan.running.take() else { return };
        let now = Instant::now();
        for _ in 0..PIECES {
            match running.try_recv() {
                Ok(Piece::Files(at, files)) => {
                    for (name, facts) in files {
                        self.see(desk, at, &name, facts, now);
                    }
                }
                Ok(Piece::All(at)) => self.lying.forget_unseen(at, self.scan.listing),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    let took = now.saturating_duration_since(self.scan.begun);
                    self.scan.next = now + RESCAN.max(took * RESCAN_SHARE);
                    return;
                }
            }
        }
        self.scan.running = Some(running);
    }
}

fn facts_of(
    desk: &Desk,
    outlets: &[Outlet],
    named: Vec<(u16, OsString)>,
) -> Vec<(u16, OsString, Option<Facts>)> {
    let fact = |(at, name): (u16, OsString)| {
        let facts = outlets
            .get(usize::from(at))
            .and_then(|outlet| desk.clinic.seat(outlet.seat)?.facts(&outlet.path, &name));
        (at, name, facts)
    };
    named.into_iter().map(fact).collect()
}

/// Lists every outlet, piece by piece. Ends early if the lane has ended.
fn list_all(desk: &Desk, outlets: &[Outlet], tell: &SyncSender<Piece>, hints: &Hints) {
    for (place, outlet) in outlets.iter().enumerate() {
        let (Ok(at), Some(seat)) = (u16::try_from(place), desk.clinic.seat(outlet.seat)) else { continue };
        let say = |piece| {
            let heard = tell.send(piece).is_ok();
            hints.wake();
            heard
        };
        match seat.list(&outlet.path, |files| say(Piece::Files(at, files))) {
            Ok(()) => drop(say(Piece::All(at))),
            Err(error) => tracing::warn!(%error, "cannot look at a folder"),
        }
    }
}
