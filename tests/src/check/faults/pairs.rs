//! Two faults at once. On one branch the nearer one is the root and hides the other; two branches are judged apart, and
//! both stay in view.

use super::case::{Case, Traffic};
use super::table;

/// The nearer fault and one behind it on the same branch.
const ROOTS: [(&str, &str); 19] = [
    ("WAN-01", "DNS-01"),
    ("WAN-01", "DNS-02"),
    ("WAN-01", "AUTH-01"),
    ("WAN-01", "CTR-02"),
    ("WAN-02", "CTR-01"),
    ("WAN-03", "DNS-01"),
    ("WAN-07", "CTR-01"),
    ("WAN-08", "CTR-02"),
    ("DNS-05", "CTR-03"),
    ("WAN-03", "CTR-03"),
    ("DNS-01", "AUTH-01"),
    ("DNS-01", "CTR-01"),
    ("DNS-01", "CTR-03"),
    ("AUTH-01", "CTR-03"),
    ("AUTH-01", "CTR-07"),
    ("CTR-02", "CTR-03"),
    ("TERM-01:cable", "TERM-02"),
    ("TERM-01", "TERM-03"),
    ("TERM-02", "TERM-03"),
];

/// One of the line and one of the terminal or the clinic, or one that is only recorded beside an alarm.
const BOTH: [(&str, &str); 26] = [
    ("WAN-01", "TERM-01"),
    ("WAN-01", "TERM-01:cable"),
    ("WAN-02", "TERM-02"),
    ("WAN-03", "TERM-03"),
    ("DNS-01", "TERM-01"),
    ("DNS-01", "TERM-02"),
    ("AUTH-01", "TERM-01:cable"),
    ("AUTH-01", "TERM-03"),
    ("CTR-01", "TERM-02"),
    ("CTR-02", "TERM-01"),
    ("CTR-02", "TERM-03"),
    ("CTR-03", "TERM-02"),
    ("CTR-02:all", "TERM-02:silent"),
    ("WAN-08", "TERM-02"),
    ("DNS-04", "TERM-04"),
    ("CTR-04", "TERM-06"),
    ("CTR-02", "TIME-01"),
    ("CTR-01", "DNS-02"),
    ("CTR-03", "DNS-02:second"),
    ("DNS-02", "TERM-01"),
    ("CTR-02", "CLIN-02"),
    ("TERM-01", "CLIN-04"),
    ("TERM-02", "CLIN-02:cable"),
    ("CLIN-02", "CLIN-05"),
    ("WAN-03", "ISP-02"),
    ("TERM-02", "ISP-01"),
];

/// The pairs.
pub fn cases() -> Vec<Case> {
    let singles = table::cases();
    let single = |name: &str| singles.iter().find(|case| case.name == name).cloned();
    let roots = ROOTS.iter().filter_map(|(root, other)| Some(behind(single(root)?, &single(other)?)));
    let both = BOTH.iter().filter_map(|(one, other)| Some(beside(single(one)?, single(other)?)));
    // One pair after the other pulls the same cable: for a minute that is a line that comes and goes.
    let flaps = |case: Case| {
        if case.makes.contains(&"WAN-01") { case.passing("WAN-10", model::Party::Clinic) } else { case }
    };
    roots.chain(both).map(flaps).collect()
}

fn behind(root: Case, other: &Case) -> Case {
    // What lies behind is made first: there is no moment at which it stands alone and is judged.
    let makes = other.makes.iter().chain(&root.makes).copied().collect();
    Case { name: format!("{}+{}", root.name, other.name), makes, ..root }
}

fn beside(one: Case, other: Case) -> Case {
    Case {
        name: format!("{}+{}", one.name, other.name),
        makes: [one.makes, other.makes].concat(),
        born: false,
        split: one.split || other.split,
        passive: false,
        lasts: one.lasts.max(other.lasts),
        passing: [one.passing, other.passing].concat(),
        traffic: if one.traffic == Traffic::None { other.traffic } else { one.traffic },
        alarms: [one.alarms, other.alarms].concat(),
        recorded: [one.recorded, other.recorded].concat(),
        away: false,
        felt: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_25_pairs_and_each_is_of_two_cases_of_the_table() {
        assert_eq!(cases().len(), ROOTS.len() + BOTH.len());
        assert!(cases().len() >= 25);
        assert!(cases().iter().all(|case| case.makes.len() == 2));
    }

    #[test]
    fn a_root_hides_what_is_behind_it_and_two_branches_are_both_in_view() {
        let cases = cases();
        let find = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
        assert_eq!(find("WAN-01+DNS-02").recorded, [""; 0]);
        assert_eq!(find("WAN-01+DNS-02").alarms.len(), 1);
        let both = find("DNS-01+TERM-02");
        assert_eq!(both.alarms.iter().map(|alarm| alarm.code).collect::<Vec<_>>(), ["DNS-01", "TERM-02"]);
    }
}
