//! The internet line, and the maintainer's gateway while a consent is open.

use super::property::loses_only;
use super::*;
use Certainty::{Likely, Open};
use FaultCode::{Isp01, Isp02, Mnt01, Wan01};
use Rung::{
    InternetAddress, InternetBeyond, InternetGateway, InternetLink, Maintainer, MaintainerByInternet,
};
use Symptom::{NoAddress, NoCarrier, Refused, Silent, Unreachable};

/// What is recorded, with its owner.
fn recorded(evidence: &Evidence) -> Vec<(FaultCode, Party)> {
    verdict(evidence).recorded.iter().map(|fault| (fault.code, fault.owner)).collect()
}

#[test]
fn each_fault_of_the_internet_line_is_given_to_whom_its_evidence_names() {
    let unlent = broken(&[(InternetAddress, NoAddress)]);
    let dead = broken(&[(InternetBeyond, Silent)]);
    let table = [
        (unlent.clone(), Isp01, Party::Isp, Likely),
        (never(unlent.clone(), InternetAddress), Isp01, Party::Unknown, Open),
        (broken(&[(InternetLink, NoCarrier)]), Isp01, Party::Clinic, Likely),
        (dead.clone(), Isp02, Party::Isp, Likely),
        (broken(&[(InternetBeyond, Unreachable)]), Isp02, Party::Isp, Likely),
        (never(dead.clone(), InternetBeyond), Isp02, Party::Unknown, Open),
        (broken(&[(InternetGateway, Silent)]), Isp02, Party::Unknown, Open),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        let found = verdict(&evidence);
        assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 1), "{code:?}");
        loses_only(&evidence);
    }
    for rung in [InternetLink, InternetAddress, InternetGateway, InternetBeyond] {
        assert_eq!(foremost(&without(dead.clone(), rung)), None, "without {rung:?}");
    }
    for rung in [InternetLink, InternetAddress] {
        assert_eq!(foremost(&without(unlent.clone(), rung)), None, "without {rung:?}");
    }
    // Who refuses is there: the line is not dead.
    assert_eq!(foremost(&broken(&[(InternetBeyond, Refused)])), None);
}

#[test]
fn where_no_computer_leaves_by_it_a_dead_internet_line_is_recorded_and_no_alarm() {
    for (bad, code) in [((InternetAddress, NoAddress), Isp01), ((InternetBeyond, Silent), Isp02)] {
        let unfelt = Evidence { clinic_leaves: false, ..broken(&[bad]) };
        assert_eq!((foremost(&unfelt), verdict(&unfelt).usability), (None, Usability::Usable));
        assert_eq!(recorded(&unfelt), [(code, Party::Isp)]);
    }
}

#[test]
fn neither_line_says_anything_of_the_other() {
    let internet = [(InternetLink, NoCarrier), (InternetAddress, NoAddress), (InternetBeyond, Silent)];
    for first in Rung::ALL.into_iter().filter(|rung| !BESIDE.contains(rung)) {
        for symptom in apt(first) {
            let alone = verdict(&broken(&[(first, *symptom)]));
            for bad in internet {
                let both = verdict(&broken(&[(first, *symptom), bad]));
                assert_eq!(both.usability, alone.usability, "{first:?} {bad:?}");
                let others: Vec<_> =
                    both.alarms().filter(|fault| ![Isp01, Isp02].contains(&fault.code)).collect();
                assert_eq!(others, alone.alarms().collect::<Vec<_>>(), "{first:?} {bad:?}");
                assert_eq!(both.alarms().count(), alone.alarms().count() + 1, "{first:?} {bad:?}");
            }
        }
    }
    let both = verdict(&broken(&[(Rung::Link, NoCarrier), (InternetLink, NoCarrier)]));
    assert_eq!(both.alarms().map(|fault| fault.code).collect::<Vec<_>>(), [Wan01, Isp01]);
}

#[test]
fn a_maintainer_s_silent_gateway_is_his_only_where_the_way_to_him_holds() {
    for (rung, far) in [(Maintainer, Rung::ResolverOne), (MaintainerByInternet, InternetBeyond)] {
        let silent = broken(&[(rung, Silent)]);
        let found = verdict(&silent);
        assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 0));
        assert_eq!(recorded(&silent), [(Mnt01, Party::Maintainer)]);
        loses_only(&silent);
        assert_eq!(recorded(&without(silent.clone(), rung)), []);
        let mut lost = without(silent, far);
        if rung == Maintainer {
            lost = without(lost, Rung::ResolverTwo);
        }
        assert_eq!(recorded(&lost), [(Mnt01, Party::Unknown)], "nobody far off was seen");
    }
    let by_tunnel = by_ipsec(&[(Maintainer, Silent)]);
    assert_eq!(recorded(&by_tunnel), [(Mnt01, Party::Maintainer)]);
    assert_eq!(recorded(&without(by_tunnel, Rung::Tunnel)), [(Mnt01, Party::Unknown)]);
    // A line that is dead is what is wrong, and hides what lies behind it.
    assert_eq!(recorded(&broken(&[(Maintainer, Silent), (Rung::Gateway, Silent)])), []);
    assert_eq!(recorded(&broken(&[(MaintainerByInternet, Silent), (InternetGateway, Silent)])), []);
}
