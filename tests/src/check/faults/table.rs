//! The table: what the lab makes, and what must be judged. A row of the catalogue that has two owners stands here with
//! the evidence that decides for each, and without it.

use model::Certainty::{self, Likely, Open, Sure};
use model::Party::{
    Box, Centre, Clinic, Cloud, IpsecProvider, Isp, Line, ReceiptComputer, Terminal, Unknown,
};

use super::case::{Case, made};

const NEVER_SURE: &[Certainty] = &[Likely, Open];
const ANY: &[Certainty] = &[Sure, Likely, Open];

/// Every single case, in the catalogue's order.
pub fn cases() -> Vec<Case> {
    [line(), names(), tunnel(), centre(), terminal(), clinic(), internet(), cloud()]
        .into_iter()
        .flatten()
        .collect()
}

fn line() -> Vec<Case> {
    vec![
        made("WAN-01").alarm("WAN-01", Clinic, NEVER_SURE),
        made("WAN-01").born().alarm("WAN-01", Clinic, NEVER_SURE),
        made("WAN-02").alarm("WAN-02", Line, &[Likely]),
        // Never good: the port and the contract's v6 option are looked at first.
        made("WAN-02").born().alarm("WAN-02", Clinic, &[Open]),
        // The home gateway that lends no address stands in the clinic.
        made("WAN-02:dhcp").alarm("WAN-02", Clinic, &[Likely]),
        made("WAN-02:dhcp").born().alarm("WAN-02", Clinic, &[Open]),
        made("WAN-03").alarm("WAN-03", Line, &[Sure]),
        made("WAN-04").alarm("WAN-04", Line, &[Likely]),
        // The box follows it; nobody has to do anything.
        made("WAN-05").recorded("WAN-05"),
        // It does no harm where the line's own router answers all the same.
        made("WAN-06").recorded("WAN-06"),
        made("WAN-06:thief").alarm("WAN-06", Clinic, ANY),
        made("WAN-07").alarm("WAN-07", Clinic, ANY),
        made("WAN-08").alarm("WAN-08", Line, ANY),
        made("WAN-08:arp").alarm("WAN-08", Clinic, &[Likely]),
        made("WAN-09").born().alarm("WAN-09", Clinic, &[Likely]),
        // What came before and comes no more is the line's, whoever handed it on.
        made("WAN-09").alarm("WAN-04", Line, &[Likely]),
        made("WAN-10").alarm("WAN-10", Clinic, ANY).passing("WAN-01", Clinic),
        // What a third of the packets is lost of looks like more than one thing, and all of it is the line's.
        made("WAN-11")
            .alarm("WAN-11", Line, ANY)
            .passing("WAN-08", Line)
            .passing("DNS-01", Line)
            .passing("CTR-02", Line),
        made("WAN-11:delay").alarm("WAN-11", Line, ANY),
        made("WAN-12").alarm("WAN-12", Line, ANY),
    ]
}

fn names() -> Vec<Case> {
    vec![
        made("DNS-01").alarm("DNS-01", Line, &[Sure]),
        made("DNS-02").recorded("DNS-02"),
        made("DNS-02:second").recorded("DNS-02"),
        // The centre is found all the same: it is recorded only.
        made("DNS-03").recorded("DNS-03"),
        // The centre is not.
        made("DNS-03:centre").alarm("DNS-03", Box, ANY),
        made("DNS-04").alarm("DNS-04", Centre, ANY),
        made("DNS-04").and("CTR-07").named("one-neighbour").alarm("DNS-04", Unknown, ANY),
        made("DNS-05").alarm("DNS-05", Clinic, ANY),
    ]
}

/// Those of a line by IPsec. On the way to a verdict the other end's silence may be seen first, which is nobody's.
fn tunnel() -> Vec<Case> {
    vec![
        made("IKE-01").alarm("IKE-01", Isp, &[Likely]).passing("IKE-07", IpsecProvider),
        // What never answered here may be the router in front of the box.
        made("IKE-01").born().alarm("IKE-01", Unknown, &[Open]),
        made("IKE-02").alarm("IKE-02", Isp, &[Likely]).passing("IKE-07", IpsecProvider),
        made("IKE-02").born().alarm("IKE-02", Unknown, &[Open]),
        // With a home gateway in the way what never passed is the clinic's to look at; what did pass, the provider's.
        made("IKE-01:home").alarm("IKE-01", Isp, &[Likely]).passing("IKE-07", IpsecProvider),
        made("IKE-01:home").born().alarm("IKE-01", Clinic, &[Likely]),
        made("IKE-02:home").alarm("IKE-02", Isp, &[Likely]).passing("IKE-07", IpsecProvider),
        made("IKE-02:home").born().alarm("IKE-02", Clinic, &[Likely]),
        made("IKE-03").alarm("IKE-03", IpsecProvider, &[Likely]).passing("IKE-07", IpsecProvider),
        made("IKE-04").alarm("IKE-04", Box, &[Likely]).passing("IKE-07", IpsecProvider),
        // The same key was good before: then it is the provider's.
        made("IKE-05").alarm("IKE-05", IpsecProvider, &[Likely]).passing("IKE-07", IpsecProvider),
        made("IKE-05").born().alarm("IKE-05", Box, &[Likely]),
        made("IKE-06").alarm("IKE-06", Box, &[Sure]),
        made("IKE-07").alarm("IKE-07", IpsecProvider, &[Likely]),
        made("WAN-11").named("tunnel").alarm("WAN-11", Unknown, &[Open]),
        made("WAN-11:delay").named("tunnel").alarm("WAN-11", Unknown, &[Open]),
    ]
}

fn centre() -> Vec<Case> {
    vec![
        made("AUTH-01").alarm("AUTH-01", Line, NEVER_SURE),
        made("AUTH-01").born().alarm("AUTH-01", Clinic, NEVER_SURE),
        made("AUTH-01:silent").alarm("AUTH-01", Line, &[Open]),
        made("AUTH-01:silent").born().alarm("AUTH-01", Clinic, &[Open]),
        made("CTR-01").alarm("CTR-01", Centre, &[Sure]),
        // Of the two neighbours whose word decides one is silent.
        made("CTR-01").and("CTR-07").named("one-neighbour").alarm("CTR-01", Unknown, &[Open]),
        made("CTR-02").alarm("CTR-02", Centre, &[Likely]),
        made("CTR-02").and("CTR-07").named("one-neighbour").alarm("CTR-02", Unknown, &[Open]),
        made("CTR-02:all").alarm("CTR-02", Line, &[Likely]),
        made("CTR-03").alarm("CTR-03", Centre, &[Sure]),
        made("CTR-04").alarm("CTR-04", Unknown, ANY),
        made("CTR-04:issuer").alarm("CTR-04", Unknown, ANY),
        made("CTR-05:alert"),
        made("CTR-05:http400"),
        made("CTR-06").alarm("CTR-06", Centre, &[Sure]),
        // Nobody sees whether the line carries: that a maintenance was announced proves nothing.
        made("CTR-06").and("AUTH-01").named("no-line").alarm("AUTH-01", Line, NEVER_SURE),
        made("CTR-07").recorded("CTR-07"),
        made("TIME-01").alarm("TIME-01", Box, ANY),
        made("TIME-01:ahead").alarm("TIME-01", Box, ANY),
        // A certificate is not accused by a clock that is wrong.
        made("TIME-01:ahead").and("CTR-03").named("certificate").alarm("TIME-01", Box, ANY),
    ]
}

fn terminal() -> Vec<Case> {
    vec![
        made("TERM-01").alarm("TERM-01", Terminal, &[Likely]),
        made("TERM-01").born().alarm("TERM-01", Terminal, &[Likely]),
        made("TERM-01:cable").alarm("TERM-01", Clinic, &[Likely]),
        made("TERM-02").alarm("TERM-02", Terminal, &[Sure]),
        // Nothing says whether the terminal drops 445 or the way to it.
        made("TERM-02:silent").alarm("TERM-02", Unknown, &[Open]),
        made("TERM-03").alarm("TERM-03", Terminal, &[Sure]),
        // A login that never worked may be a slip on our side.
        made("TERM-03").born().alarm("TERM-03", Terminal, &[Likely]),
        made("TERM-04").alarm("TERM-04", Terminal, ANY),
        made("TERM-04:req").alarm("TERM-04", Terminal, ANY),
        made("TERM-05").alarm("TERM-05", Terminal, ANY),
        made("TERM-05:right").asking().alarm("TERM-05", Terminal, ANY),
        made("TERM-06").asking().alarm("TERM-06", Terminal, ANY),
        made("TERM-07").asking().alarm("TERM-07", Terminal, ANY),
        made("TERM-08").asking().alarm("TERM-08", Terminal, ANY),
        // The ladder is broken: what comes of that is nobody else's, however long it lasts.
        made("TERM-08").and("CTR-02").named("no-centre").asking().lasting().alarm(
            "CTR-02",
            Centre,
            &[Likely],
        ),
        made("TERM-07").and("AUTH-01").named("no-line").asking().lasting().alarm("AUTH-01", Line, NEVER_SURE),
        // The centre answers the box, and nothing that the terminal itself begins: it is not said whose that is.
        made("TERM-08:way").asking().alarm("TERM-08", Unknown, &[Open]),
        made("TERM-09").and("CTR-02").named("no-centre").asking().lasting().alarm(
            "CTR-02",
            Centre,
            &[Likely],
        ),
        made("TERM-09").asking().alarm("TERM-09", Centre, ANY),
        made("TERM-09:refused").asking().alarm("TERM-09", ReceiptComputer, ANY),
        made("TERM-10").away().recorded("TERM-10"),
        // Until a request has waited long enough it is only a date that has passed.
        made("TERM-11")
            .asking()
            .alarm("TERM-11", Terminal, ANY)
            .recorded("CAL-01")
            .passing("CAL-01", Terminal),
        // Nobody asks it for anything: it is seen all the same, and less surely.
        made("TERM-12").alarm("TERM-12", Terminal, &[Likely]),
        made("TERM-12").named("asked").asking().felt().alarm("TERM-12", Terminal, &[Sure]),
        // That nothing comes of requests may be the centre's doing. Until one has waited long enough, nobody waits.
        made("TERM-12")
            .and("CTR-02")
            .named("no-centre")
            .asking()
            .lasting()
            .alarm("CTR-02", Centre, &[Likely])
            .passing("TERM-12", Terminal),
        made("CAL-01").alarm("CAL-01", Terminal, &[Sure]),
        made("CAL-01:noted").recorded("CAL-01"),
    ]
}

fn clinic() -> Vec<Case> {
    vec![
        made("CLIN-01").answered().alarm("CLIN-01", ReceiptComputer, ANY),
        made("CLIN-02").alarm("CLIN-02", ReceiptComputer, ANY),
        // An address that never answered may be a slip in the site file.
        made("CLIN-02").born().alarm("CLIN-02", Unknown, &[Open]),
        made("CLIN-02:cable").alarm("CLIN-02", Clinic, ANY),
        made("CLIN-03").alarm("CLIN-03", Clinic, ANY),
        made("CLIN-04").alarm("CLIN-04", Clinic, ANY),
        made("CLIN-05").alarm("CLIN-05", Clinic, ANY),
        made("BOX-01").alarm("BOX-01", Box, &[Sure]),
        made("BOX-02").alarm("BOX-02", Box, ANY),
        made("BOX-03").alarm("BOX-03", Box, &[Sure]),
        made("BOX-06").alarm("BOX-06", Box, &[Sure]),
        made("BOX-07").alarm("BOX-07", Box, &[Sure]),
        made("BOX-08").alarm("BOX-08", Box, &[Sure]),
        made("BOX-08:worn").alarm("BOX-08", Box, &[Sure]),
        made("RLY-01").recorded("RLY-01"),
        made("BOX-05").split().alarm("BOX-05", Box, ANY),
    ]
}

/// On a clinic with an internet line by which its computers leave.
fn internet() -> Vec<Case> {
    vec![
        made("ISP-01").alarm("ISP-01", Isp, &[Likely]),
        // What never lent anything may be the wrong socket.
        made("ISP-01").born().alarm("ISP-01", Unknown, &[Open]),
        made("ISP-01:cable").alarm("ISP-01", Clinic, NEVER_SURE),
        // Until the tunnel to the cloud has noticed, that one is said to be away by the same provider's doing.
        made("ISP-02").alarm("ISP-02", Isp, &[Likely]).passing("CLD-01", Isp),
        made("ISP-02").born().alarm("ISP-02", Unknown, &[Open]),
        made("MNT-01").recorded("MNT-01"),
        made("MNT-01:internet").recorded("MNT-01"),
    ]
}

/// On such a clinic, which has a cloud there.
fn cloud() -> Vec<Case> {
    vec![
        made("CLD-01").alarm("CLD-01", Cloud, &[Likely]),
        // What never answered here may be typed wrongly.
        made("CLD-01").born().alarm("CLD-01", Unknown, &[Open]),
        made("CLD-01:refused").alarm("CLD-01", Cloud, &[Likely]),
        made("CLD-01:refused").born().alarm("CLD-01", Unknown, &[Open]),
        // The way to its gateway is not seen to hold: the tunnel is named, and not what lies behind it.
        made("CLD-01").and("CLD-02").named("no-gateway").alarm("CLD-02", Cloud, &[Likely]),
        made("CLD-02").alarm("CLD-02", Cloud, &[Likely]),
        made("CLD-02").born().alarm("CLD-02", Unknown, &[Open]),
        // One that says nothing may be cut off by anybody.
        made("CLD-02:silent").alarm("CLD-02", Unknown, &[Open]),
        // The same key was good before: then it is theirs.
        made("CLD-02:secret").alarm("CLD-02", Cloud, &[Likely]),
        made("CLD-02:secret").born().alarm("CLD-02", Box, &[Likely]),
        made("CLD-03").alarm("CLD-03", Cloud, &[Sure]),
        made("CLD-03:own").alarm("CLD-03", Box, &[Sure]),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fault::{CATALOGUE, Fault, IN_THE_IMAGE};

    #[test]
    fn every_fault_the_lab_can_make_has_a_case_and_every_case_a_fault() {
        let made: Vec<&str> = cases().iter().flat_map(|case| case.makes.clone()).collect();
        for fault in CATALOGUE {
            assert!(made.contains(&fault.code), "{}", fault.code);
        }
        for fault in made {
            assert!(Fault::from_code(fault).is_some(), "{fault}");
        }
    }

    #[test]
    fn every_fault_the_product_judges_is_expected_by_a_case() {
        let cases = cases();
        let alarms = cases.iter().flat_map(|case| case.alarms.iter().map(|alarm| alarm.code));
        let expected: BTreeSet<&str> =
            alarms.chain(cases.iter().flat_map(|case| case.recorded.iter().copied())).collect();
        for code in model::FaultCode::ALL.into_iter().filter(|code| !IN_THE_IMAGE.contains(&code.key())) {
            assert!(expected.contains(code.key()), "{}", code.key());
        }
    }

    #[test]
    fn no_two_cases_have_one_name() {
        let cases = cases();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
    }
}
