//! What goes next: picked in order, looked into, judged, begun.

use std::collections::HashMap;
use std::time::Instant;

use model::Timestamp;
use model::parcel::{HeldReason, WaitReason};

use super::{AT_ONCE, BYTES_AT_ONCE, Open, Outbox, timestamp};
use crate::clinic::Taken;
use crate::entry::Attempt;
use crate::lane::Desk;
use crate::lane::table::{Finding, Lying};
use crate::lane::walk::Going;
use crate::name::extension;
use crate::request::{Event, Mark, State};
use crate::share::{Share, Trouble};
use crate::whole::{PATIENCE, Ripeness, ripen};

/// A file to be looked into.
struct Ask {
    seat: usize,
    path: String,
    name: String,
    largest: u64,
}

impl Outbox {
    pub(super) async fn pick<S: Share>(&mut self, share: &S) -> Result<(Vec<u64>, bool), Trouble> {
        let backlog = self.pace.backlog();
        let (picked, is_backlog) = self.lying.pick(AT_ONCE, Desk::now_ns(), backlog, &mut self.pace);
        let (mut bytes, mut kept, mut lacking) = (0, Vec::new(), HashMap::new());
        for number in picked {
            let Some(lying) = self.lying.get(number) else { continue };
            let Some(outlet) = self.outlets.get(usize::from(lying.outlet)) else { continue };
            let lacks = match lacking.get(&outlet.end) {
                Some(lacks) => *lacks,
                None => {
                    let lacks = share.lacks(&outlet.end).await?;
                    lacking.insert(outlet.end.clone(), lacks);
                    lacks
                }
            };
            if lacks {
                let finding = Finding::Wait(WaitReason::FolderLacks, Instant::now() + PATIENCE);
                self.lying.find(number, finding);
                continue;
            }
            bytes += lying.facts.size;
            if bytes > BYTES_AT_ONCE && !kept.is_empty() {
                break;
            }
            kept.push(number);
        }
        Ok((kept, is_backlog))
    }

    /// Looks into files; returns those that are whole, held open.
    pub(super) async fn look(&mut self, desk: &Desk, numbers: Vec<u64>) -> Vec<(u64, Taken)> {
        if numbers.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        let asked: Vec<(u64, Ask)> =
            numbers.into_iter().filter_map(|number| Some((number, self.ask(desk, number)?))).collect();
        let looked = desk.quickly(asked.len(), move |desk| {
            Ok(asked.into_iter().map(|(number, ask)| (number, ask.look(desk))).collect::<Vec<_>>())
        });
        let mut whole = Vec::new();
        for (number, taken) in looked.await.unwrap_or_default() {
            match taken {
                Ok(None) => self.lying.forget(number),
                Ok(Some(taken)) => {
                    let Some(taken) = self.judge(desk, number, taken, now) else { continue };
                    whole.push((number, taken));
                }
                Err(error) => {
                    tracing::warn!(%error, number, "cannot read a file of the clinic's");
                    self.lying.find(number, Finding::Wait(WaitReason::BeingWritten, now + PATIENCE));
                }
            }
        }
        whole
    }

    fn ask(&self, desk: &Desk, number: u64) -> Option<Ask> {
        let lying = self.lying.get(number)?;
        let outlet = self.outlets.get(usize::from(lying.outlet))?;
        let name = lying.name.to_str()?.to_owned();
        let largest = lying.kind.and_then(|kind| desk.table.kind(kind)).map_or(0, |kind| kind.max_bytes);
        Some(Ask { seat: outlet.seat, path: outlet.path.clone(), name, largest })
    }

    fn judge(&mut self, desk: &Desk, number: u64, taken: Taken, now: Instant) -> Option<Taken> {
        let lying = self.lying.get(number)?;
        let kind = lying.kind.and_then(|kind| desk.table.kind(kind))?;
        let since = self.since(desk, lying);
        let lives = i64::try_from(kind.time_to_live_s).unwrap_or(i64::MAX);
        if desk.opening.age_s(since, Timestamp::now()) > lives {
            self.lying.find(number, Finding::Held(HeldReason::TooOld));
            return None;
        }
        let (sight, ripeness) = ripen(lying.sight.as_deref().copied(), taken.look, kind.max_bytes, now);
        let ripe = ripeness == Ripeness::Ripe;
        self.lying.ripen(number, sight, ripeness);
        ripe.then_some(taken)
    }

    /// Since when a file counts: since it was put, also if it was moved back for another try.
    fn since(&self, desk: &Desk, lying: &Lying) -> Timestamp {
        let put = timestamp(lying.facts.changed_ns);
        let Some(outlet) = self.outlets.get(usize::from(lying.outlet)) else { return put };
        let is_it = |attempt: &Attempt| {
            *lying.name == *attempt.name.as_str()
                && attempt.folder == outlet.folder
                && desk.clinic.seat(outlet.seat).is_some_and(|seat| seat.name == attempt.consumer)
        };
        let before =
            self.retried.iter().find(|one| one.moved_ns == lying.facts.changed_ns && is_it(&one.attempt));
        before.map_or(put, |one| put.min(one.since))
    }

    pub(super) fn begin(&mut self, desk: &Desk, number: u64, taken: Taken) -> Option<Going> {
        let lying = self.lying.get(number)?;
        let outlet = self.outlets.get(usize::from(lying.outlet))?;
        let mut stage = [0; 8];
        if let Err(error) = getrandom::fill(&mut stage) {
            tracing::error!(%error, "no random bytes");
            return None;
        }
        let attempt = Attempt {
            mark: Mark::Decided,
            number,
            stage: u64::from_le_bytes(stage),
            consumer: desk.clinic.seat(outlet.seat)?.name.clone(),
            folder: outlet.folder.clone(),
            name: lying.name.to_str()?.to_owned(),
        };
        let open = Open {
            attempt,
            state: State::Lying,
            kind: lying.kind,
            bytes: taken.look.size,
            since: self.since(desk, lying),
            published: None,
            again: None,
        };
        if let Some(kind) = lying.kind {
            self.pace.took(kind);
        }
        Some(Going { open, event: Event::Ripe, source: Some((taken, lying.outlet)) })
    }
}

impl Ask {
    fn look(self, desk: &Desk) -> Result<Option<Taken>, crate::Error> {
        let Some(seat) = desk.clinic.seat(self.seat) else { return Ok(None) };
        seat.take(&self.path, &self.name, &extension(&self.name), self.largest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Relay;
    use crate::lane::outbox::Retried;
    use crate::testing::Ends;
    use crate::watch::Hints;

    const NAME: &str = "OQSsiquc01req_1.xml";

    #[tokio::test]
    async fn a_move_back_makes_nothing_younger_and_nothing_else_older() {
        let ends = Ends::new();
        let config = ends.config();
        let (part, _) = tokio::sync::watch::channel(model::part::RelayPart::default());
        let relay = Relay::open(&config, part).unwrap();
        let plan = crate::lane::lanes(&config, &relay.table).remove(0);
        let desk = relay.desk(&plan.name, plan.way).unwrap();
        let mut outbox = Outbox::new(&desk, plan.outlets);
        for name in [NAME, "OQSsiquc01req_2.xml"] {
            std::fs::write(ends.clinic("req").join(name), "<XmlMsg></XmlMsg>").unwrap();
        }
        let entry = format!("u.7.0000000000000001.receipt.req~{NAME}");
        let attempt = Attempt::parse(entry.as_ref()).unwrap();
        let since = Timestamp::from_second(1_000_000_000).unwrap();
        let seat = desk.clinic.of("receipt").unwrap();
        let moved_ns = seat.facts("req", NAME.as_ref()).unwrap().changed_ns;
        let other = Attempt { name: "OQSsiquc01req_2.xml".into(), ..attempt.clone() };
        outbox.retried.push(Retried { attempt, since, moved_ns });
        outbox.retried.push(Retried { attempt: other, since, moved_ns: moved_ns - 1 });
        let hints = Arc::new(Hints::default());
        let all = async {
            while outbox.lying.queued() < 2 {
                outbox.hear(&desk, &hints).await;
                hints.changed().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), all).await.unwrap();
        outbox.look_only(&desk).await;
        let held: Vec<&str> = outbox.lying.held().map(|(_, lying)| lying.name.to_str().unwrap()).collect();
        assert_eq!(held, [NAME]);
        assert_eq!(outbox.lying.queued(), 1);
    }
}
