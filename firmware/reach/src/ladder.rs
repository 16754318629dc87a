//! The newest observation of every rung, and what may be concluded from it. Pure: looks go in, evidence comes out.

use std::collections::{BTreeMap, VecDeque};

use model::observation::{Branch, Evidence};
use model::{Calendar, Date, Observation, Outcome, Rung, Symptom, Timestamp};

use crate::climb::cloud::Known;
use crate::finding;
use crate::finding::Finding;
use crate::history::History;
use crate::own::dates;
use crate::plan::Plan;

/// The rungs beyond the gateway: other people's hosts, looked at seldom.
const FAR: [Rung; 12] = [
    Rung::Ike,
    Rung::IkeNat,
    Rung::ResolverOne,
    Rung::ResolverTwo,
    Rung::LineAuth,
    Rung::Distribution,
    Rung::CentreTcp,
    Rung::CentreTls,
    Rung::Area,
    Rung::Quality,
    Rung::LargePackets,
    Rung::Time,
];

/// A carrier that is lost so often flaps,
const FLAPS: usize = 3;
/// within so many seconds.
const FLAPS_WITHIN_S: i64 = 60;

/// The days before the end of a terminal's certificate at which it is told.
const CERTIFICATE_STEPS: [i32; 5] = [90, 60, 30, 15, 7];

/// A terminal that restarts by itself is back within so many seconds.
const RESTART_S: i64 = 600;

/// A rung, and the terminal for a terminal's rungs.
type Place = (Rung, Option<String>);

/// The ladder of one site.
#[derive(Debug)]
pub struct Ladder {
    terminals: Vec<String>,
    /// The rungs this site does not have.
    lacking: Vec<Rung>,
    /// The last days of terminals' certificates.
    certificates: Vec<(String, Date)>,
    calendar: Calendar,
    /// Whether the clinic's computers leave by the internet line.
    clinic_leaves: bool,
    /// Since when a terminal is away.
    away: BTreeMap<String, Timestamp>,
    /// So long a tunnel to the cloud that has gone may go unnoticed, seconds.
    cloud_notices_s: i64,
    /// Since when its services are silent behind a tunnel that is said to stand.
    cloud_silent: Option<Timestamp>,
    /// When the line's carrier was lost of late.
    lost: VecDeque<Timestamp>,
    seen: BTreeMap<Place, Observation>,
    history: History,
}

impl Ladder {
    /// A ladder nobody has looked at yet.
    pub fn new(plan: &Plan, history: History) -> Self {
        let terminals = plan.terminals.iter().map(|terminal| terminal.name.clone()).collect();
        let lacks = |rung: &Rung| match rung {
            Rung::Area => plan.other_area.is_none(),
            Rung::ReceiptComputer => plan.clinic.consumers.is_empty(),
            Rung::Ike | Rung::IkeNat | Rung::Tunnel => plan.gateways.is_empty(),
            Rung::Discovery | Rung::Session => plan.session.is_none(),
            // What the line gives the terminals is not said where it gives them nothing.
            Rung::Prefix => !plan.gateways.is_empty() || plan.session.is_some(),
            // No line authentication on a line by IPsec or PPPoE; and inside a tunnel or a session no packet is as large as
            // the line's.
            Rung::LineAuth | Rung::LargePackets => !plan.gateways.is_empty() || plan.session.is_some(),
            // Behind a home gateway no router advertises itself, and the other end of a session is no neighbour.
            Rung::Router => !plan.is_advertised(),
            Rung::Gateway => plan.session.is_some(),
            Rung::ResolverTwo => plan.one_resolver,
            Rung::InternetBeyond => plan.internet.as_ref().is_none_or(|one| one.resolvers.is_empty()),
            rung if rung.branch() == Branch::Internet => plan.internet.is_none(),
            Rung::CloudTcp => plan.cloud.as_ref().is_none_or(|cloud| cloud.endpoints.is_empty()),
            Rung::CloudTls => {
                plan.cloud.as_ref().is_none_or(|cloud| cloud.endpoints.iter().all(|one| one.name.is_none()))
            }
            rung if rung.branch() == Branch::Cloud => plan.cloud.is_none(),
            rung if rung.branch() == Branch::Maintenance => plan.maintainer != Some(*rung),
            _ => false,
        };
        let lacking = Rung::ALL.into_iter().filter(lacks).collect();
        let dated =
            |terminal: &crate::TerminalTarget| Some((terminal.name.clone(), terminal.certificate_until?));
        let certificates = plan.terminals.iter().filter_map(dated).collect();
        Self {
            terminals,
            lacking,
            certificates,
            calendar: plan.calendar.clone(),
            clinic_leaves: plan.internet.as_ref().is_some_and(|one| one.serves),
            cloud_notices_s: plan.cloud.as_ref().map_or(0, |cloud| i64::from(cloud.notices_s)),
            cloud_silent: None,
            away: BTreeMap::new(),
            lost: VecDeque::new(),
            seen: BTreeMap::new(),
            history,
        }
    }

    /// What must outlive a restart.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Takes in a look of our own: what stands on a broken rung is silenced. Says whether the memory has news.
    pub fn take(&mut self, mut looked: Vec<Observation>, now: Timestamp) -> bool {
        // The time server's word first: it decides whether the dates of a certificate count.
        let news = self.history.take(&looked);
        let trusted = self.history.clock_trusted(now);
        for observation in looked.iter_mut().filter(|_| !trusted) {
            let own_date = observation.rung == Rung::Secrets && observation.outcome.symptom().is_some();
            if own_date || observation.outcome == Outcome::Bad(Symptom::CertificateExpired) {
                observation.outcome = Outcome::Open;
                observation.detail.push_str(", but our own clock is not trusted");
            }
        }
        for observation in looked {
            self.note_loss(&observation);
            self.seen.insert((observation.rung, observation.terminal.clone()), observation);
        }
        self.note_dates(now);
        self.silence(now);
        self.note_away(now);
        self.note_cloud(now);
        news
    }

    /// Takes in what the relay says, in place of what it said before: no word from it is no evidence.
    pub fn take_shares(&mut self, said: Vec<Observation>, now: Timestamp) -> bool {
        self.seen.retain(|(rung, _), _| !rung.is_relays());
        let ours = |seen: &Observation| match (&seen.terminal, seen.rung.branch()) {
            (Some(name), Branch::Terminal) => self.terminals.contains(name),
            (None, Branch::Consumers | Branch::Box) => true,
            _ => false,
        };
        let mut said: Vec<Observation> =
            said.into_iter().filter(|seen| seen.rung.is_relays() && ours(seen)).collect();
        for seen in &mut said {
            seen.detail = finding::harmless(&seen.detail);
        }
        self.take(said, now)
    }

    /// Takes in what the box knows of itself, in place of what it knew before.
    pub fn take_own(&mut self, said: Vec<Observation>, now: Timestamp) -> bool {
        self.seen.retain(|(rung, _), _| !rung.is_own());
        self.take(said.into_iter().filter(|seen| seen.rung.is_own()).collect(), now)
    }

    /// Whether a far rung should be looked at now: it never was, or what it stands on holds again.
    pub fn wants_far(&self) -> bool {
        FAR.into_iter().filter(|rung| !self.lacking.contains(rung)).any(|rung| {
            let seen = self.seen.get(&(rung, None));
            let unseen = seen.is_none_or(|seen| seen.outcome == Outcome::Skipped);
            unseen && self.stands(rung, None)
        })
    }

    /// What is known of the cloud, for whoever asks it.
    pub fn of_the_cloud(&self) -> Known {
        let outcome = |rung| self.seen.get(&(rung, None)).map(|seen| seen.outcome);
        let gone = |outcome| matches!(outcome, Outcome::Bad(Symptom::Silent | Symptom::Unreachable));
        let stands = outcome(Rung::CloudTunnel).is_some_and(Outcome::is_good);
        Known { stands, silent: outcome(Rung::CloudTcp).is_some_and(gone) }
    }

    /// Whether the cloud should be asked now: what it stands on holds again, or is there for the first time.
    pub fn wants_cloud(&self) -> bool {
        [Rung::CloudIke, Rung::CloudTcp].into_iter().filter(|rung| !self.lacking.contains(rung)).any(|rung| {
            let seen = self.seen.get(&(rung, None));
            seen.is_none_or(|seen| seen.outcome == Outcome::Skipped) && self.stands(rung, None)
        })
    }

    /// Whether the relay should be asked now: a terminal's file sharing holds again.
    pub fn wants_shares(&self) -> bool {
        self.seen.values().any(|seen| {
            seen.rung == Rung::TerminalShare
                && seen.outcome == Outcome::Skipped
                && self.stands(seen.rung, seen.terminal.as_deref())
        })
    }

    /// Whether something is not as it should be on the line or at a terminal: then looks come faster. A receipt computer
    /// that is off for the night is no reason.
    pub fn is_troubled(&self) -> bool {
        self.is_bad(&[Branch::Line, Branch::Terminal])
    }

    /// Whether something on the line is: then other people's hosts are looked at more often.
    pub fn is_line_troubled(&self) -> bool {
        self.is_bad(&[Branch::Line])
    }

    fn is_bad(&self, branches: &[Branch]) -> bool {
        let of = |seen: &&Observation| branches.contains(&seen.rung.branch()) && !is_no_look(seen.rung);
        let followed = |seen: &Observation| seen.outcome == Outcome::Bad(Symptom::Renumbered);
        self.seen.values().filter(of).any(|seen| !seen.outcome.is_good() && !followed(seen))
    }

    /// The newest observation of every rung, in climbing order.
    pub fn list(&self) -> Vec<Observation> {
        self.seen.values().cloned().collect()
    }

    /// Everything the judge may use; of several terminals the one most in want of help.
    pub fn evidence(&self, now: Timestamp) -> Evidence {
        let trusted = self.history.clock_trusted(now);
        // A clock that runs ahead would come to every date too early.
        let sure = trusted && self.history.clock_confirmed();
        let line = self.seen.values().filter(|seen| seen.terminal.is_none());
        let worst = self.terminals.iter().min_by_key(|name| (self.terminal_rank(name), !self.is_dated(name)));
        let terminal =
            self.seen.values().filter(|seen| seen.terminal.is_some() && seen.terminal.as_ref() == worst);
        // What our own firewall keeps back is no evidence against anybody out there.
        let dropping = self.seen.get(&(Rung::Ruleset, None)).and_then(|seen| seen.outcome.symptom())
            == Some(Symptom::Dropping);
        let counts = |seen: &&Observation| !dropping || seen.rung.branch() == Branch::Box;
        Evidence {
            observations: line.chain(terminal).filter(counts).map(|seen| (seen.rung, seen.clone())).collect(),
            ever_good: self.history.ever_good(worst.map(String::as_str)),
            flapping: if self.flaps(now) { vec![Rung::Link] } else { Vec::new() },
            outlasted: if self.outlasts(now) { vec![Rung::CloudTcp] } else { Vec::new() },
            lacking: self.lacking.clone(),
            clinic_leaves: self.clinic_leaves,
            clock_trusted: trusted,
            clock_confirmed: self.history.clock_confirmed(),
            announced: sure && self.calendar.is_maintenance(now),
            quiet: sure
                && self.calendar.is_quiet(now)
                && worst.is_some_and(|name| self.is_just_away(name, now)),
        }
    }

    fn note_loss(&mut self, seen: &Observation) {
        let before = self.seen.get(&(seen.rung, None)).map(|before| before.outcome);
        if seen.rung == Rung::Link && before == Some(Outcome::Good) && seen.outcome.symptom().is_some() {
            self.lost.push_back(seen.at);
            self.lost.drain(..self.lost.len().saturating_sub(FLAPS));
        }
    }

    /// Whether the carrier was lost so often within so short a time that it will be again.
    fn flaps(&self, now: Timestamp) -> bool {
        let of_late = |at: &&Timestamp| (0..=FLAPS_WITHIN_S).contains(&(now.as_second() - at.as_second()));
        self.lost.iter().filter(of_late).count() >= FLAPS
    }

    /// 0 for a terminal with a bad rung, 1 for one not wholly known, 2 for a good one.
    fn terminal_rank(&self, name: &str) -> u8 {
        let of_it = |seen: &&Observation| seen.terminal.as_deref() == Some(name) && !is_no_look(seen.rung);
        let rungs = self.seen.values().filter(of_it);
        let wanted = Rung::ALL.into_iter().filter(|rung| of_terminal(*rung) && !is_no_look(*rung)).count();
        if rungs.clone().any(|seen| seen.outcome.symptom().is_some()) {
            0
        } else if rungs.filter(|seen| seen.outcome.is_good()).count() == wanted {
            2
        } else {
            1
        }
    }

    /// Whether the terminal's certificate has a date to speak of.
    fn is_dated(&self, name: &str) -> bool {
        let place = (Rung::TerminalCertificate, Some(name.to_owned()));
        self.seen.get(&place).is_some_and(|seen| seen.outcome.symptom().is_some())
    }

    /// Looks at the dates that were typed in: a clock nobody has confirmed says nothing of them.
    fn note_dates(&mut self, now: Timestamp) {
        let trusted = self.history.clock_trusted(now) && self.history.clock_confirmed();
        for (name, until) in &self.certificates {
            let found = if trusted {
                dates::finding(*until, &CERTIFICATE_STEPS, now)
            } else {
                Finding::open(format!("until {until}, but nobody has confirmed our own clock"))
            };
            let (rung, terminal) = (Rung::TerminalCertificate, Some(name.clone()));
            let Finding { outcome, detail } = found;
            let seen =
                Observation { rung, terminal: terminal.clone(), outcome, at: now, took_ms: 0.0, detail };
            self.seen.insert((rung, terminal), seen);
        }
    }

    /// Notes since when each terminal is away.
    fn note_away(&mut self, now: Timestamp) {
        for name in &self.terminals {
            let outcome = |rung| self.seen.get(&(rung, Some(name.clone()))).map(|seen| seen.outcome);
            let way = [Rung::TerminalLink, Rung::TerminalNeighbour, Rung::TerminalSmb].map(outcome);
            if way.iter().flatten().any(|outcome| outcome.symptom().is_some()) {
                self.away.entry(name.clone()).or_insert(now);
            } else if way.iter().all(|outcome| outcome.is_some_and(Outcome::is_good)) {
                self.away.remove(name);
            }
        }
    }

    /// Notes since when nobody answers behind the tunnel to the cloud, while that is said to stand.
    fn note_cloud(&mut self, now: Timestamp) {
        let outcome = |rung| self.seen.get(&(rung, None)).map(|seen| seen.outcome);
        match (outcome(Rung::CloudTunnel), outcome(Rung::CloudTcp)) {
            (Some(Outcome::Good), Some(Outcome::Bad(Symptom::Silent | Symptom::Unreachable))) => {
                self.cloud_silent.get_or_insert(now);
            }
            // What the box knows of itself is forgotten for a moment, between two looks.
            (None, _) => {}
            _ => self.cloud_silent = None,
        }
    }

    /// Whether that tunnel would have been noticed if it had gone when its services fell silent.
    fn outlasts(&self, now: Timestamp) -> bool {
        self.cloud_silent.is_some_and(|since| now.as_second() - since.as_second() > self.cloud_notices_s)
    }

    fn is_just_away(&self, name: &str, now: Timestamp) -> bool {
        let age = self.away.get(name).map(|since| now.as_second() - since.as_second());
        age.is_some_and(|age| (0..RESTART_S).contains(&age))
    }

    /// Whether what this rung stands on holds. For names either resolver is enough; one that this site does not have
    /// stands for what it stands on.
    fn stands(&self, rung: Rung, terminal: Option<&str>) -> bool {
        let below = rung.stands_on();
        let holds = |under: &Rung| {
            let through = matches!(under, Rung::Tunnel | Rung::Gateway | Rung::Session | Rung::Discovery);
            if through && self.lacking.contains(under) {
                return self.stands(*under, terminal);
            }
            let place = (*under, terminal.map(str::to_owned));
            self.seen.get(&place).is_some_and(|seen| seen.outcome.is_good())
        };
        below.is_empty() || below.iter().any(holds)
    }

    /// Marks what stands on a broken rung as not looked at, from the ground up. Independent rungs keep their word.
    fn silence(&mut self, now: Timestamp) {
        let has = |rung: &Rung| !of_terminal(*rung) && !self.lacking.contains(rung);
        let line = Rung::ALL.into_iter().filter(has).map(|rung| (rung, None));
        let of_terminals = self.terminals.iter().flat_map(|name| {
            Rung::ALL.into_iter().filter(|rung| of_terminal(*rung)).map(|rung| (rung, Some(name.clone())))
        });
        let places: Vec<Place> = line.chain(of_terminals).collect();
        for (rung, terminal) in places {
            if self.stands(rung, terminal.as_deref()) {
                continue;
            }
            let place = (rung, terminal.clone());
            if self.seen.get(&place).is_some_and(|seen| seen.outcome == Outcome::Skipped) {
                continue;
            }
            let outcome = Outcome::Skipped;
            let skipped =
                Observation { rung, terminal, outcome, at: now, took_ms: 0.0, detail: String::new() };
            self.seen.insert(place, skipped);
        }
    }
}

/// What is known without a look at anybody: to look sooner would tell nothing.
fn is_no_look(rung: Rung) -> bool {
    rung.branch() == Branch::Box || rung == Rung::TerminalCertificate
}

fn of_terminal(rung: Rung) -> bool {
    rung.branch() == Branch::Terminal
}

#[cfg(test)]
mod tests;
