//! `sekisho rehearse`: shows what the box would say of a fault, without any. Asks no role.

use std::process::ExitCode;

use model::maintenance::MaintenancePart;
use model::part::{FirewallPart, LinePart, RelayPart, RulesetState, Snapshot, Stamped};
use model::{Fault, FaultCode, Language, Timestamp, Usability, Verdict};

use super::words;
use crate::{cli, output};

/// Says it: the words of the page, the lamps, and everybody it may be given to.
///
pub fn run(args: &cli::Rehearse) -> ExitCode {
    output::print(&rehearsal(args.code, Timestamp::now(), words::language()));
    ExitCode::SUCCESS
}

fn rehearsal(code: FaultCode, now: Timestamp, language: Language) -> String {
    let owners = reach::owners(code);
    let mut lines = vec![match language {
        Language::Ja => format!("練習: {} の表示です。実際の障害ではありません。", code.key()),
        Language::En => format!("A rehearsal of {}: nothing is wrong.", code.key()),
    }];
    let verdict = verdict(code, &owners, now);
    lines.push(words::verdict(&verdict, now, language));
    let scene = board::scene(&snapshot(verdict, now), now);
    lines.extend(scene.0.iter().map(|light| {
        let meaning =
            model::scene::Sign::of(light.lamp, light.blink).map(|sign| sign.meaning().get(language));
        format!(
            "  {} {}: {}",
            light.lamp.label(),
            light.blink.word().get(language),
            meaning.unwrap_or_default()
        )
    }));
    if let [_, others @ ..] = &owners[..]
        && !others.is_empty()
    {
        let names: Vec<&str> = others.iter().map(|(owner, _)| owner.name().get(language)).collect();
        lines.push(match language {
            Language::Ja => format!("証拠によっては次の相手になります: {}", names.join("、")),
            Language::En => format!("By the evidence it may also be given to: {}", names.join(", ")),
        });
    }
    lines.join("\n")
}

/// The verdict with this fault alone, as the first row of the judge's tables gives it.
fn verdict(code: FaultCode, owners: &[(model::Party, model::Certainty)], now: Timestamp) -> Verdict {
    let mut verdict = Verdict { usability: Usability::Usable, ..Verdict::unknown(now) };
    let Some((owner, certainty)) = owners.first().copied() else { return verdict };
    let fault = Fault { code, owner, certainty, evidence: Vec::new(), terminal: None };
    if code.is_alarm() {
        use model::fault::Place::{Auth, Centre, Line};
        verdict.usability = match code.place() {
            _ if code.is_warning() => Usability::Usable,
            Line | Auth | Centre => Usability::Unusable,
            _ => Usability::Partly,
        };
        verdict.foremost = Some(fault);
    } else {
        verdict.recorded.push(fault);
    }
    verdict
}

/// A box that is well but for this.
fn snapshot(verdict: Verdict, at: Timestamp) -> Snapshot {
    let line = LinePart { swept_at: Some(at), ..LinePart::judged(verdict) };
    let wall = FirewallPart { state: RulesetState::Proved, ..FirewallPart::dropping(None) };
    Snapshot {
        line: Some(Stamped { generation: 1, at, part: line }),
        relay: Some(Stamped { generation: 1, at, part: RelayPart::default() }),
        firewall: Some(Stamped { generation: 1, at, part: wall }),
        maintenance: Some(Stamped { generation: 1, at, part: MaintenancePart::default() }),
        ..Snapshot::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_be_rehearsed_in_both_languages_with_its_own_words() {
        for code in FaultCode::ALL {
            for language in [Language::Ja, Language::En] {
                let said = rehearsal(code, Timestamp::UNIX_EPOCH, language);
                assert!(said.contains(code.key()), "{said}");
                let verdict = verdict(code, &reach::owners(code), Timestamp::UNIX_EPOCH);
                let happened = verdict.foremost.as_ref().map(|fault| verdict.words(fault).happened);
                let own = happened.unwrap_or(code.title());
                assert!(said.contains(own.get(language)), "{said}");
                assert!(said.contains("LINE") && said.contains("ALARM"), "{said}");
            }
        }
    }

    #[test]
    fn a_fault_with_two_owners_names_both() {
        let said = rehearsal(FaultCode::Wan02, Timestamp::UNIX_EPOCH, Language::En);
        insta::assert_snapshot!(said);
    }
}
