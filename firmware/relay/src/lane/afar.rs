//! What stands in the folders of a consumer whose folders are elsewhere, and has not been collected. It is looked at, and
//! said; nothing there is touched, and a person decides about it at the consumer's own machine.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::parcel::{Direction, Uncollected};

use super::collect::{Time, time};
use super::table::Outlet;
use super::{Desk, Plan};
use crate::share::{Share, Trouble};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A look may take this part of the time.
const LOOK_SHARE: u32 = 20;
/// So many are told apart in a folder; beyond that it makes no difference.
const MOST: usize = 10_000;

/// Answers that stand there, each since it was first seen: by the other side's clock nothing is accused.
#[derive(Debug, Default)]
pub struct Afar {
    consumer: String,
    outlets: Vec<Outlet>,
    found: HashMap<(usize, String), Timestamp>,
    next: Option<Instant>,
}

impl Afar {
    /// For a lane's end; there is nothing to see on a terminal, which collects no answers.
    pub fn of(plan: &Plan) -> Self {
        let outlets = if plan.way.out == Direction::Answer { plan.outlets.clone() } else { Vec::new() };
        let consumer = plan.name.trim_start_matches('@').to_owned();
        Self { consumer, outlets, ..Self::default() }
    }

    /// Looks, now and then.
    ///
    /// # Errors
    /// The end's trouble.
    pub async fn look<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<(), Trouble> {
        if self.outlets.is_empty() || self.next.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let (begun, now) = (Instant::now(), Timestamp::now());
        let mut found = HashMap::new();
        for (at, outlet) in self.outlets.iter().enumerate() {
            let admitted = |name: &str| desk.table.admit(name.as_bytes(), &outlet.folder, Direction::Answer);
            let entries = share.list(&outlet.end).await?;
            let names = entries.into_iter().map(|entry| entry.name).filter(|name| admitted(name).is_ok());
            for place in names.take(MOST).map(|name| (at, name)) {
                let since = self.found.get(&place).copied().unwrap_or(now);
                found.insert(place, since);
            }
        }
        self.found = found;
        self.next = Some(Instant::now() + LOOK.max(begun.elapsed() * LOOK_SHARE));
        Ok(())
    }

    /// What is left there, if anything is. What has only just come may be on its way out.
    pub fn say(&self, desk: &Desk, now: Timestamp) -> Option<Uncollected> {
        let time = |((at, name), since): (&(usize, String), &Timestamp)| {
            let folder = &self.outlets.get(*at)?.folder;
            let kind = desk.table.admit(name.as_bytes(), folder, Direction::Answer).ok();
            let time = time(desk, kind, *since, now);
            (time != Time::Young).then_some((*since, time))
        };
        let standing: Vec<(Timestamp, Time)> = self.found.iter().filter_map(time).collect();
        let since = standing.iter().map(|(since, _)| *since).min()?;
        let nearing = standing.iter().filter(|(_, time)| *time != Time::Enough).count() as u64;
        Some(Uncollected { consumer: self.consumer.clone(), count: standing.len() as u64, since, nearing })
    }

    /// When the next look is due; none if there is nothing to see here.
    pub fn due(&self) -> Option<Instant> {
        self.next.filter(|_| !self.outlets.is_empty())
    }
}
