//! Requests a terminal has had for long without an answer: since when, of which kind, and whether anybody took them
//! from the folder they were put in. Facts for a verdict; nothing is done about them here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::parcel::{Direction, Unanswered};
use model::part::RelayPart;

use super::{Open, Outbox};
use crate::lane::Desk;
use crate::name::KindId;
use crate::request::State;
use crate::share::{Share, Trouble};

/// How often it is looked which of them still lie there.
const LOOK: Duration = Duration::from_secs(10);
/// A folder that takes long to list is looked at this part of the time.
const LOOK_SHARE: u32 = 20;

/// What is known of them beside the entries in `attempted`.
#[derive(Debug, Default)]
pub struct Late {
    /// When to look again.
    next: Option<Instant>,
    /// Which still lay there at the last look, by number; none if there was no look.
    untaken: Option<BTreeSet<u64>>,
    /// When a request of a kind was last answered.
    answered: HashMap<KindId, Timestamp>,
    /// Whether it was said that there are any.
    said: bool,
}

impl Late {
    /// A request of this kind was answered.
    pub fn answered(&mut self, kind: Option<KindId>, now: Timestamp) {
        self.answered.extend(kind.map(|kind| (kind, now)));
    }
}

impl Outbox {
    /// What the terminal leaves without an answer, by kind.
    pub fn unanswered(&self, desk: &Desk, now: Timestamp) -> Vec<Unanswered> {
        let mut found: BTreeMap<KindId, Unanswered> = BTreeMap::new();
        for (number, open, kind) in self.late(desk, now) {
            let untaken = self.late.untaken.as_ref();
            let fact = found.entry(kind).or_insert_with(|| Unanswered {
                terminal: desk.lane.clone(),
                kind: desk.table.key(Some(kind)).to_owned(),
                count: 0,
                since: open.since,
                patience_s: desk.table.kind(kind).map_or(0, |kind| kind.answered_within_s),
                untaken: untaken.map(|_| 0),
                answered_at: self.late.answered.get(&kind).copied(),
                since_answer: None,
            });
            fact.count += 1;
            fact.since = fact.since.min(open.since);
            if fact.answered_at.is_none_or(|answered| open.since > answered) {
                fact.since_answer = Some(fact.since_answer.unwrap_or(open.since).min(open.since));
            }
            if untaken.is_some_and(|untaken| untaken.contains(&number)) {
                fact.untaken = fact.untaken.map(|count| count + 1);
            }
        }
        found.into_values().collect()
    }

    /// Looks, now and then, which of them still lie where they were put.
    ///
    /// # Errors
    /// The end's trouble.
    pub async fn see_untaken<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let late: Vec<(u64, String, String)> = self
            .late(desk, now)
            .map(|(number, open, _)| (number, self.end_of(open), open.attempt.name.to_ascii_lowercase()))
            .collect();
        self.tell(late.len());
        if late.is_empty() {
            (self.late.untaken, self.late.next) = (None, None);
            return Ok(());
        }
        if self.late.next.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let begun = Instant::now();
        let mut there = BTreeSet::new();
        for folder in late.iter().map(|(_, folder, _)| folder).collect::<BTreeSet<_>>() {
            let entries = share.list(folder).await?;
            there.extend(entries.into_iter().map(|entry| (folder.clone(), entry.name.to_ascii_lowercase())));
        }
        let lies = |(number, folder, name)| there.contains(&(folder, name)).then_some(number);
        self.late.untaken = Some(late.into_iter().filter_map(lies).collect());
        self.late.next = Some(Instant::now() + LOOK.max(begun.elapsed() * LOOK_SHARE));
        Ok(())
    }

    /// The event: said once when it begins, and once when it is over.
    fn tell(&mut self, count: usize) {
        match (self.late.said, count) {
            (false, 1..) => {
                tracing::warn!(count, seconds = RelayPart::NO_ANSWER_S, "requests have no answer")
            }
            (true, 0) => tracing::info!("every request is answered again"),
            _ => {}
        }
        self.late.said = count > 0;
    }

    /// The submitted requests whose kind is answered and that are late.
    fn late<'a>(
        &'a self,
        desk: &'a Desk,
        now: Timestamp,
    ) -> impl Iterator<Item = (u64, &'a Open, KindId)> + 'a {
        let is_late = move |open: &Open| {
            open.state == State::Submitted
                && now.as_second() - open.since.as_second() >= RelayPart::NO_ANSWER_S
        };
        let is_asked = desk.way.out == Direction::Request;
        self.open.iter().filter(move |(_, open)| is_asked && is_late(open)).filter_map(|(number, open)| {
            let kind = open.kind?;
            let is_answered = desk.table.kind(kind).is_some_and(|kind| !kind.answered_by.is_empty());
            is_answered.then_some((*number, open, kind))
        })
    }

    /// The folder on the end it was put in.
    fn end_of(&self, open: &Open) -> String {
        let folder = &open.attempt.folder;
        let outlet = self.outlets.iter().find(|outlet| outlet.folder == *folder);
        outlet.map_or(folder, |outlet| &outlet.end).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Relay;
    use crate::share::local::LocalTerminal;
    use crate::share::{Occasion, Terminal, Wanted};
    use crate::testing::Ends;

    const NAMES: [&str; 2] = ["OQSsiquc01req_1.xml", "OQSsiquc01req_2.xml"];

    /// An outbox that took up two submitted requests.
    async fn submitted(ends: &Ends) -> (Desk, Outbox) {
        fs::create_dir_all(ends.own("attempted/t1")).unwrap();
        for (number, name) in (7..).zip(NAMES) {
            let entry = format!("s.{number}.0000000000000001.receipt.req~{name}");
            fs::write(ends.own("attempted/t1").join(entry), b"x").unwrap();
        }
        let config = ends.config();
        let (part, _) = tokio::sync::watch::channel(RelayPart::default());
        let relay = Relay::open(&config, part).unwrap();
        let plan = crate::lane::lanes(&config, &relay.table).remove(0);
        let desk = relay.desk(&plan.name, plan.way).unwrap();
        let mut outbox = Outbox::new(&desk, plan.outlets);
        outbox.recover(&desk).await;
        (desk, outbox)
    }

    #[tokio::test]
    async fn after_thirty_seconds_it_is_said_what_has_no_answer_and_whether_anybody_took_it() {
        let ends = Ends::new();
        let (desk, mut outbox) = submitted(&ends).await;
        let terminal = LocalTerminal { root: ends.folder.path().join("terminal") };
        let share = terminal.connect(&Wanted::default(), Occasion::Routine).await.unwrap();
        fs::write(ends.terminal("req").join(NAMES[1].to_uppercase()), b"x").unwrap();
        let since = outbox.open[&7].since.min(outbox.open[&8].since);
        let after = |s| Timestamp::from_second(since.as_second() + s).unwrap();
        assert_eq!(outbox.unanswered(&desk, after(29)), []);
        let later = after(90);
        let fact = Unanswered {
            terminal: "t1".into(),
            kind: "OQSsiquc01req".into(),
            count: 2,
            since,
            patience_s: 60,
            untaken: None,
            answered_at: None,
            since_answer: Some(since),
        };
        assert_eq!(outbox.unanswered(&desk, later), std::slice::from_ref(&fact), "nobody has looked yet");
        outbox.see_untaken(&desk, &share, later).await.unwrap();
        assert_eq!(outbox.unanswered(&desk, later), [Unanswered { untaken: Some(1), ..fact }]);
        let (_, attempt) = outbox.answered(&desk, 1, "OQSsiquc01res_2.xml", later).unwrap();
        assert_eq!(attempt.number, 8);
        let [left] = &outbox.unanswered(&desk, later)[..] else { panic!("one is left") };
        assert_eq!((left.count, left.untaken, left.answered_at), (1, Some(0), Some(later)));
        assert_eq!(left.since_answer, None, "a later one was answered");
        outbox.answered(&desk, 1, "OQSsiquc01res_1.xml", later).unwrap();
        assert_eq!(outbox.unanswered(&desk, later), []);
    }
}
