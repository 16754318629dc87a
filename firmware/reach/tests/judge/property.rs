//! The property: no loss of evidence ever moves a fault to another party, on any line.

use proptest::prelude::*;

use super::*;

fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Good)),
        3 => prop::sample::select(Symptom::ALL.to_vec()).prop_map(|symptom| Some(Outcome::Bad(symptom))),
        1 => prop_oneof![Just(Symptom::Silent), Just(Symptom::Refused), Just(Symptom::Unreachable)]
            .prop_map(|symptom| Some(Outcome::Bad(symptom))),
        1 => Just(Some(Outcome::Skipped)),
        1 => Just(Some(Outcome::Open)),
        1 => Just(None),
    ]
}

prop_compose! {
    fn evidences()(
        outcomes in prop::collection::vec(outcomes(), Rung::ALL.len()),
        ever in prop::collection::vec(any::<bool>(), Rung::ALL.len()),
        clock_trusted in any::<bool>(),
        clock_confirmed in any::<bool>(),
        without_addresses in any::<bool>(),
        (by_ipsec, by_pppoe, is_behind, flapping, announced, quiet, clinic_leaves, outlasts)
            in any::<(bool, bool, bool, bool, bool, bool, bool, bool)>(),
    ) -> Evidence {
        let observations =
            Rung::ALL.iter().zip(outcomes).filter_map(|(rung, is)| Some((*rung, seen(*rung, is?)))).collect();
        let ever_good = Rung::ALL.iter().zip(ever).filter_map(|(rung, good)| good.then_some(*rung)).collect();
        let flapping = flapping.then_some(Rung::Link).into_iter().collect();
        let outlasted = outlasts.then_some(Rung::CloudTcp).into_iter().collect();
        let of_neither = [&OF_A_TUNNEL[..], &OF_A_SESSION].concat();
        let lacking: &[Rung] = match (by_ipsec, by_pppoe) {
            (true, _) => &LACKED_BY_IPSEC,
            (false, true) => &LACKED_BY_PPPOE,
            (false, false) => &of_neither,
        };
        let router = (by_ipsec && is_behind).then_some(Rung::Router);
        let none = without_addresses.then_some(Rung::ReceiptComputer);
        let lacking = none.into_iter().chain(router).chain(lacking.iter().copied()).collect();
        Evidence { observations, ever_good, flapping, outlasted, lacking, clinic_leaves, clock_trusted, clock_confirmed, announced, quiet }
    }
}

/// The accusations of each branch: of the line, what it gives the terminals, the terminal, what answers say, their consumers, the box's clock, the
/// clinic's machines, its wiring, the box, dates, the internet line, and of the cloud.
fn accused(verdict: &Verdict) -> [Option<Party>; 12] {
    let branch = |code: FaultCode| match (code, code.key().split('-').next()) {
        (FaultCode::Wan04 | FaultCode::Wan09, _) => 9,
        (FaultCode::Term09, _) => 2,
        (FaultCode::Clin02, _) => 5,
        (FaultCode::Clin03 | FaultCode::Clin04 | FaultCode::Clin05, _) => 6,
        (_, Some("TERM")) => 1,
        (_, Some("CLIN")) => 3,
        (_, Some("TIME")) => 4,
        (_, Some("BOX")) => 7,
        (_, Some("CAL")) => 8,
        (_, Some("ISP")) => 10,
        (_, Some("CLD")) => 11,
        _ => 0,
    };
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(|wanted| {
        let mut found = verdict.alarms().filter(|fault| branch(fault.code) == wanted);
        found.next().map(|fault| fault.owner).filter(|owner| *owner != Party::Unknown)
    })
}

/// Removing any one observation may take an accusation away and never makes or moves one; nor does it make the
/// service usable.
pub fn loses_only(evidence: &Evidence) {
    let whole = verdict(evidence);
    for rung in evidence.observations.keys() {
        let part = verdict(&without(evidence.clone(), *rung));
        for (before, after) in accused(&whole).into_iter().zip(accused(&part)) {
            assert!(after.is_none() || after == before, "without {rung:?}: {before:?} became {after:?}");
        }
        assert!(part.usability != Usability::Usable || whole.usability == Usability::Usable, "{rung:?}");
    }
}

#[test]
fn on_a_clinic_with_two_faults_the_loss_of_an_observation_never_moves_the_blame() {
    for first in Rung::ALL {
        for second in Rung::ALL {
            for (one, two) in
                apt(first).iter().flat_map(|one| apt(second).iter().map(move |two| (*one, *two)))
            {
                let evidence = broken(&[(first, one), (second, two)]);
                loses_only(&evidence);
                if !LACKED_BY_PPPOE.contains(&first) && !LACKED_BY_PPPOE.contains(&second) {
                    loses_only(&by_pppoe(&[(first, one), (second, two)]));
                }
                if OF_A_SESSION.contains(&first) || OF_A_SESSION.contains(&second) {
                    continue;
                }
                if OF_A_TUNNEL.contains(&first) {
                    loses_only(&by_ipsec(&[(first, one), (second, two)]));
                    loses_only(&behind(&[(first, one), (second, two)]));
                }
                loses_only(&Evidence { announced: true, quiet: true, ..evidence });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_loss_of_an_observation_never_moves_the_blame(evidence in evidences()) {
        loses_only(&evidence);
    }

    #[test]
    fn every_alarm_can_be_shown(evidence in evidences()) {
        let verdict = verdict(&evidence);
        prop_assert!(verdict.alarms().all(|fault| fault.code.is_alarm() && !fault.evidence.is_empty()));
        let alarmed_too = |fault: &model::Fault| verdict.alarms().any(|alarm| alarm.code == fault.code);
        prop_assert!(!verdict.recorded.iter().any(alarmed_too));
        let alarmed = matches!(verdict.usability, Usability::Unusable | Usability::Partly);
        let felt = verdict.alarms().any(|fault| !fault.code.is_warning());
        prop_assert!(alarmed || !felt, "{:?}", verdict);
        prop_assert!(!alarmed || verdict.foremost.is_some(), "{:?}", verdict);
    }
}
