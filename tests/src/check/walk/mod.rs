//! `walk`: everything the first slice promises, tried on a fresh clinic from outside.

mod clean;
mod faults;
mod kill;
mod packets;
mod page;
mod refused;
mod relayed;

use super::Case;

/// The committed list, in the order of play: what leaves marks comes last.
pub fn cases() -> Vec<Case> {
    [
        clean::cases(),
        by_share(relayed::cases()),
        page::cases(),
        packets::cases(),
        faults::cases(),
        by_share(relayed::after_an_absence()),
        by_share(refused::cases()),
        kill::cases(),
        packets::last(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn by_share(cases: Vec<Case>) -> Vec<Case> {
    cases.into_iter().map(|case| Case { share: true, ..case }).collect()
}

/// Those of the list that judge from outside only, for a board.
pub fn from_outside() -> Vec<Case> {
    cases().into_iter().filter(|case| case.outside).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::sabotage;

    #[test]
    fn the_list_has_at_least_thirty_cases_and_no_name_twice() {
        let cases = cases();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        assert!(cases.len() >= 30, "{}", cases.len());
        assert_eq!(names.len(), cases.len());
    }

    #[test]
    fn every_defect_is_looked_for_by_cases_of_the_list() {
        let cases = cases();
        for defect in sabotage::DEFECTS {
            for name in defect.cases {
                assert!(cases.iter().any(|case| case.name == *name), "{}: {name}", defect.name);
            }
        }
    }
}
