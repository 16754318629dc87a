//! A case: the faults that are made, and the one verdict that is right for them.

use std::fmt;
use std::time::Duration;

use model::part::LinePart;
use model::{Certainty, Fault, FaultCode, Outcome, Party, Usability, Verdict};

use crate::layout::{Layout, Line, Uplink};

/// An alarm that must be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its code.
    pub code: &'static str,
    /// Who has to act.
    pub owner: Party,
    /// How sure that may be.
    pub certainty: &'static [Certainty],
}

/// What passes between receipt computer and terminal meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Nothing.
    None,
    /// Once the fault stands, requests are put. When it is undone, the answers are collected.
    Asking,
    /// Before the fault is made a request is put, and its answer is left where it lies until the fault is undone.
    Answered,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called: a fault of the lab, or one with a word on how it is made.
    pub name: String,
    /// The faults of the lab.
    pub makes: Vec<&'static str>,
    /// Whether the clinic is born with them, so that what they break was never good.
    pub born: bool,
    /// Whether each role of the box has to be a process.
    pub split: bool,
    /// How long it is looked at: what is judged must be judged for so long.
    pub lasts: Duration,
    /// Whether nobody asks for a sweep while the fault stands: then the box has to find it by itself.
    pub passive: bool,
    /// What passes meanwhile.
    pub traffic: Traffic,
    /// What is true for a moment while the fault stands, and may be said then.
    pub passing: Vec<(&'static str, Party)>,
    /// The alarms, the foremost first. Without any, nobody may be accused at all.
    pub alarms: Vec<Alarm>,
    /// What is recorded and no alarm.
    pub recorded: Vec<&'static str>,
    /// Whether the service is away though nobody is to be told.
    pub away: bool,
    /// Whether what elsewhere is a warning takes some of the service away here.
    pub felt: bool,
}

/// A case that makes one fault on a clinic where everything was good; nothing is expected of it yet.
pub fn made(fault: &'static str) -> Case {
    Case {
        name: fault.into(),
        makes: vec![fault],
        born: false,
        split: false,
        passive: false,
        lasts: Duration::ZERO,
        traffic: Traffic::None,
        passing: Vec::new(),
        alarms: Vec::new(),
        recorded: Vec::new(),
        away: false,
        felt: false,
    }
}

impl Case {
    /// The same under the fault's name and this word.
    pub fn named(mut self, word: &str) -> Self {
        self.name = format!("{}/{word}", self.name);
        self
    }

    /// With another fault beside it.
    pub fn and(mut self, fault: &'static str) -> Self {
        self.makes.push(fault);
        self
    }

    /// On a clinic that has it from its first moment.
    pub fn born(mut self) -> Self {
        self.born = true;
        self.named("born")
    }

    /// For longer than the box has patience with a request, so that what would be said by then is seen.
    pub fn lasting(mut self) -> Self {
        self.lasts = Duration::from_secs(45);
        self
    }

    /// On a box whose roles are processes of their own.
    pub fn split(mut self) -> Self {
        self.split = true;
        self
    }

    /// This may be said on the way: it is true then.
    pub fn passing(mut self, code: &'static str, owner: Party) -> Self {
        self.passing.push((code, owner));
        self
    }

    /// While it stands, requests are put.
    pub fn asking(mut self) -> Self {
        self.traffic = Traffic::Asking;
        self
    }

    /// An answer lies there before it is made, and nobody collects it.
    pub fn answered(mut self) -> Self {
        self.traffic = Traffic::Answered;
        self
    }

    /// It must come to this alarm, after those it must come to already.
    pub fn alarm(mut self, code: &'static str, owner: Party, certainty: &'static [Certainty]) -> Self {
        self.alarms.push(Alarm { code, owner, certainty });
        self
    }

    /// The service is away, as is expected at this hour: nobody is told.
    pub fn away(mut self) -> Self {
        self.away = true;
        self
    }

    /// What elsewhere is a warning is felt here: somebody waits.
    pub fn felt(mut self) -> Self {
        self.felt = true;
        self
    }

    /// This must be recorded.
    pub fn recorded(mut self, code: &'static str) -> Self {
        self.recorded.push(code);
        self
    }

    /// Whether a clinic that played it is not as it was: requests that nobody will answer any more, days in the wrong year.
    pub fn leaves_marks(&self) -> bool {
        self.traffic != Traffic::None || self.makes.iter().any(|fault| fault.starts_with("TIME-01"))
    }

    /// What is made, in words.
    pub fn made(&self) -> String {
        let faults = self.makes.join(" and ");
        let how = if self.passive { ", unasked" } else { "" };
        if self.born { format!("{faults} from birth{how}") } else { faults + how }
    }

    /// Whether the build has every code that is expected.
    pub fn is_judged(&self) -> bool {
        let mut codes = self.alarms.iter().map(|alarm| alarm.code).chain(self.recorded.iter().copied());
        codes.all(|code| FaultCode::from_key(code).is_some())
    }

    /// What of this line's clinics it is played on: one with an internet line where it is about that.
    pub fn layout(&self, line: Layout) -> Layout {
        let faults = self.makes.iter().filter_map(|code| crate::fault::Fault::from_code(code));
        let wants = faults.into_iter().any(crate::fault::Fault::is_of_the_internet);
        if wants { line.beside(Uplink::Isp) } else { line }
    }

    /// Whether all of it can be made on this line.
    pub fn is_on(&self, line: Layout) -> bool {
        let layout = self.layout(line);
        // The terminals have nothing of the line's prefix there, and who drives the tunnel follows it by itself.
        if self.recorded.contains(&"WAN-05") && layout.line == Line::Ipsec {
            return false;
        }
        // Whose it is that much is lost inside a tunnel, nothing tells: a case of its own.
        let is_loss = self.makes.iter().any(|fault| fault.starts_with("WAN-11"));
        if is_loss && self.name.ends_with("/tunnel") != (layout.line == Line::Ipsec) {
            return false;
        }
        // What never passed there is first of all a matter of the home gateway: the cases of that name.
        if self.born && layout.is_lent() && matches!(self.makes[..], ["IKE-01" | "IKE-02"]) {
            return false;
        }
        self.makes
            .iter()
            .filter_map(|code| crate::fault::Fault::from_code(code))
            .all(|fault| fault.is_on(layout))
    }

    /// Whether it is meant by this word: its name, its first fault, or that fault's code.
    pub fn is(&self, word: &str) -> bool {
        let fault = self.makes.first().copied().unwrap_or_default();
        [self.name.as_str(), fault, fault.split(':').next().unwrap_or_default()].contains(&word)
    }

    /// Whether the verdict is exactly the right one.
    pub fn is_right(&self, verdict: &Verdict) -> bool {
        let alarms: Vec<&Fault> = verdict.alarms().collect();
        let same = alarms.len() == self.alarms.len() && self.alarms.iter().zip(alarms).all(Alarm::is);
        let mut recorded: Vec<&str> = verdict.recorded.iter().map(|fault| fault.code.key()).collect();
        recorded.sort_unstable();
        let mut expected = self.recorded.clone();
        expected.sort_unstable();
        let expected_word = if self.away { Usability::Unknown } else { Usability::Usable };
        // A warning leaves the service what it is; no other alarm leaves it whole.
        let felt = |alarm: &Alarm| !FaultCode::from_key(alarm.code).is_some_and(FaultCode::is_warning);
        let usable = match self.felt || self.alarms.iter().any(felt) {
            true => verdict.usability != Usability::Usable,
            false => verdict.usability == expected_word,
        };
        same && usable && recorded == expected
    }

    /// Whoever is accused in this verdict and must not be. On the way to the right verdict nobody may be named but
    /// those who are right, and [`Party::Unknown`].
    pub fn wronged<'v>(&self, verdict: &'v Verdict) -> Option<&'v Fault> {
        verdict.alarms().find(|fault| {
            let right = |alarm: &Alarm| alarm.code == fault.code.key() && alarm.owner == fault.owner;
            let passing = self.passing.contains(&(fault.code.key(), fault.owner));
            fault.owner != Party::Unknown && !passing && !self.alarms.iter().any(right)
        })
    }
}

impl Alarm {
    fn is((expected, seen): (&Self, &Fault)) -> bool {
        let (code, owner) = (seen.code.key(), seen.owner);
        (expected.code, expected.owner) == (code, owner) && expected.certainty.contains(&seen.certainty)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alarms: Vec<String> =
            self.alarms.iter().map(|alarm| format!("{} {}", alarm.code, alarm.owner.key())).collect();
        let alarms = if alarms.is_empty() { "usable".to_owned() } else { alarms.join(" + ") };
        write!(f, "{:<24}{:<32}{alarms}", self.name, self.made())?;
        if self.recorded.is_empty() { Ok(()) } else { write!(f, ", recorded {}", self.recorded.join(" ")) }
    }
}

/// Whether the clinic is clean: usable, nobody accused, nothing recorded, and no rung that is bad or hides.
pub fn is_clean(line: &LinePart) -> bool {
    let verdict = &line.verdict;
    let rungs = line.ladder.iter().all(|seen| matches!(seen.outcome, Outcome::Good | Outcome::Open));
    verdict.usability == Usability::Usable
        && verdict.alarms().next().is_none()
        && verdict.recorded.is_empty()
        && rungs
}

/// A verdict in a few words.
pub fn said(verdict: &Verdict) -> String {
    let word = |fault: &Fault| {
        let certainty = match fault.certainty {
            Certainty::Sure => "sure",
            Certainty::Likely => "likely",
            Certainty::Open => "open",
        };
        format!("{} {} {certainty}", fault.code.key(), fault.owner.key())
    };
    let alarms: Vec<String> = verdict.alarms().map(word).collect();
    let mut text = match (alarms.is_empty(), verdict.usability) {
        (false, _) => alarms.join(" + "),
        (true, Usability::Usable) => "usable".into(),
        (true, usability) => format!("nothing ({})", usability.word().en.to_lowercase()),
    };
    if !verdict.recorded.is_empty() {
        let recorded: Vec<&str> = verdict.recorded.iter().map(|fault| fault.code.key()).collect();
        text += &format!(", recorded {}", recorded.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    fn fault(code: FaultCode, owner: Party, certainty: Certainty) -> Fault {
        Fault { code, owner, certainty, evidence: Vec::new(), terminal: None }
    }

    fn verdict(alarms: &[Fault], recorded: &[Fault]) -> Verdict {
        let mut alarms = alarms.iter().cloned();
        Verdict {
            foremost: alarms.next(),
            others: alarms.collect(),
            recorded: recorded.to_vec(),
            usability: Usability::Unusable,
            ..Verdict::unknown(Timestamp::UNIX_EPOCH)
        }
    }

    fn case() -> Case {
        made("CTR-02").and("DNS-02").alarm("CTR-02", Party::Centre, &[Certainty::Likely]).recorded("DNS-02")
    }

    #[test]
    fn only_the_very_verdict_is_right() {
        let centre = fault(FaultCode::Ctr02, Party::Centre, Certainty::Likely);
        let resolver = fault(FaultCode::Dns02, Party::Line, Certainty::Sure);
        let terminal = fault(FaultCode::Term01, Party::Terminal, Certainty::Likely);
        let recorded = [resolver];
        assert!(case().is_right(&verdict(std::slice::from_ref(&centre), &recorded)));
        let line = fault(FaultCode::Ctr02, Party::Line, Certainty::Likely);
        let sure = fault(FaultCode::Ctr02, Party::Centre, Certainty::Sure);
        let other = fault(FaultCode::Ctr01, Party::Centre, Certainty::Likely);
        for wrong in [vec![line], vec![sure], vec![other], vec![], vec![centre.clone(), terminal]] {
            assert!(!case().is_right(&verdict(&wrong, &recorded)), "{wrong:?}");
        }
        assert!(!case().is_right(&verdict(&[centre], &[])), "nothing is recorded");
    }

    #[test]
    fn on_the_way_only_those_who_are_right_and_nobody_known_may_be_named() {
        let centre = fault(FaultCode::Ctr02, Party::Centre, Certainty::Open);
        let unknown = fault(FaultCode::Ctr01, Party::Unknown, Certainty::Open);
        let line = fault(FaultCode::Ctr02, Party::Line, Certainty::Likely);
        let other = fault(FaultCode::Ctr01, Party::Centre, Certainty::Likely);
        assert_eq!(case().wronged(&verdict(&[centre, unknown], &[])), None);
        let passing = case().passing("CTR-01", Party::Centre);
        assert_eq!(passing.wronged(&verdict(std::slice::from_ref(&other), &[])), None);
        for wrong in [line, other] {
            assert_eq!(case().wronged(&verdict(std::slice::from_ref(&wrong), &[])), Some(&wrong));
        }
    }

    #[test]
    fn a_case_of_no_fault_wants_a_service_that_can_be_used() {
        let nothing = Verdict::unknown(Timestamp::UNIX_EPOCH);
        assert!(!made("CTR-05:alert").is_right(&nothing));
        let usable = Verdict { usability: Usability::Usable, ..nothing };
        assert!(made("CTR-05:alert").is_right(&usable));
    }

    #[test]
    fn a_word_means_a_name_a_fault_or_a_code() {
        let cable = made("TERM-01:cable").named("x");
        assert!(["TERM-01:cable/x", "TERM-01:cable", "TERM-01"].iter().all(|word| cable.is(word)));
        assert!(!cable.is("TERM-0") && !cable.is("TERM-01:off"));
    }
}
