//! The receipt computer's cloud: whose it is that it is away, and that qualification never is for it.

use super::property::loses_only;
use super::*;
use Certainty::{Likely, Open, Sure};
use FaultCode::{Cld01, Cld02, Cld03, Isp02};
use Rung::{CloudIke, CloudTcp, CloudTls, CloudTunnel, InternetBeyond, InternetGateway};
use Symptom::{
    CertificateExpired, CertificateIssuer, Ended, IdentityRefused, IdentityRefusedNow, NoLogin, NoProposal,
    Refused, Silent, Unreachable,
};

#[test]
fn each_fault_of_the_cloud_is_given_to_whom_its_evidence_names_and_leaves_the_service_what_it_is() {
    let doubted = |evidence| Evidence { clock_confirmed: false, ..evidence };
    let just = |evidence| Evidence { outlasted: Vec::new(), ..evidence };
    let table = [
        (broken(&[(CloudTcp, Refused)]), Cld01, Party::Cloud, Likely),
        (broken(&[(CloudTcp, Silent)]), Cld01, Party::Cloud, Likely),
        // What never answered here may be a slip in the site file.
        (never(broken(&[(CloudTcp, Refused)]), CloudTcp), Cld01, Party::Unknown, Open),
        (never(broken(&[(CloudTcp, Silent)]), CloudTcp), Cld01, Party::Unknown, Open),
        (never(broken(&[(CloudTcp, Unreachable)]), CloudTcp), Cld01, Party::Unknown, Open),
        // The tunnel may have gone, and not know it yet.
        (just(broken(&[(CloudTcp, Silent)])), Cld01, Party::Unknown, Open),
        (just(broken(&[(CloudTcp, Refused)])), Cld01, Party::Cloud, Likely),
        (
            never(broken(&[(CloudTunnel, Silent), (CloudIke, Refused)]), CloudTunnel),
            Cld02,
            Party::Unknown,
            Open,
        ),
        // The way to its gateway is not seen to hold.
        (broken(&[(CloudTcp, Silent), (CloudIke, Silent)]), Cld01, Party::Unknown, Open),
        (broken(&[(CloudTls, Silent)]), Cld01, Party::Unknown, Open),
        (broken(&[(CloudTls, CertificateIssuer)]), Cld01, Party::Unknown, Open),
        (broken(&[(CloudTunnel, Silent), (CloudIke, Refused)]), Cld02, Party::Cloud, Likely),
        (broken(&[(CloudTunnel, Silent), (CloudIke, Silent)]), Cld02, Party::Unknown, Open),
        (broken(&[(CloudTunnel, Silent)]), Cld02, Party::Unknown, Open),
        (broken(&[(CloudTunnel, NoProposal)]), Cld02, Party::Box, Likely),
        (broken(&[(CloudTunnel, IdentityRefused)]), Cld02, Party::Box, Likely),
        (broken(&[(CloudTunnel, NoLogin)]), Cld02, Party::Box, Sure),
        (broken(&[(CloudTunnel, IdentityRefusedNow)]), Cld02, Party::Cloud, Likely),
        (broken(&[(CloudTunnel, Ended)]), Cld03, Party::Box, Sure),
        (broken(&[(CloudTunnel, CertificateExpired)]), Cld03, Party::Cloud, Sure),
        (broken(&[(CloudTls, CertificateExpired)]), Cld03, Party::Cloud, Sure),
        // One service refuses, or is silent, and another's certificate has expired: that one is said.
        (broken(&[(CloudTcp, Refused), (CloudTls, CertificateExpired)]), Cld03, Party::Cloud, Sure),
        (broken(&[(CloudTcp, Silent), (CloudTls, CertificateExpired)]), Cld03, Party::Cloud, Sure),
        (doubted(broken(&[(CloudTunnel, Ended)])), Cld03, Party::Unknown, Open),
        (doubted(broken(&[(CloudTls, CertificateExpired)])), Cld03, Party::Unknown, Open),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        let found = verdict(&evidence);
        assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 1), "{code:?}");
        assert!(code.is_warning(), "{code:?}");
        loses_only(&evidence);
    }
}

/// Every row that accuses the cloud falls away with what decides it, and then accuses nobody.
#[test]
fn without_what_decides_the_cloud_is_not_accused() {
    let silent = [INTERNET.as_slice(), &[InternetBeyond, CloudIke, CloudTunnel, CloudTcp]].concat();
    let down = [INTERNET.as_slice(), &[CloudTunnel, CloudIke]].concat();
    for (bad, deciding) in [
        (&[(CloudTcp, Refused)][..], &[CloudTunnel, CloudTcp][..]),
        (&[(CloudTcp, Silent)], &silent),
        (&[(CloudTunnel, Silent), (CloudIke, Refused)], &down),
        (&[(CloudTunnel, IdentityRefusedNow)], &[INTERNET.as_slice(), &[CloudTunnel]].concat()),
        (&[(CloudTunnel, CertificateExpired)], &[INTERNET.as_slice(), &[CloudTunnel]].concat()),
        (&[(CloudTls, CertificateExpired)], &[CloudTunnel, CloudTls]),
    ] {
        assert!(accuses_the_cloud(&broken(bad)), "{bad:?}");
        for rung in deciding {
            assert!(!accuses_the_cloud(&without(broken(bad), *rung)), "{bad:?} without {rung:?}");
        }
    }
}

const INTERNET: [Rung; 3] = [Rung::InternetLink, Rung::InternetAddress, InternetGateway];

fn accuses_the_cloud(evidence: &Evidence) -> bool {
    verdict(evidence).alarms().any(|fault| fault.owner == Party::Cloud)
}

#[test]
fn neighbours_tell_the_cloud_from_the_internet_s_provider() {
    let away = broken(&[(CloudTcp, Silent), (CloudIke, Silent), (InternetBeyond, Silent)]);
    let named: Vec<_> = verdict(&away).alarms().map(|fault| (fault.code, fault.owner)).collect();
    assert_eq!(named, [(Isp02, Party::Isp), (Cld01, Party::Isp)]);
    loses_only(&away);
    // Once its tunnel has noticed, nothing tells the cloud's silence from the line's, which is named.
    let down = broken(&[(CloudTunnel, Silent), (CloudIke, Silent), (InternetBeyond, Unreachable)]);
    let named: Vec<_> = verdict(&down).alarms().map(|fault| fault.code).collect();
    assert_eq!(named, [Isp02]);
    // Without whoever else is far away nobody is accused.
    let alone = without(broken(&[(CloudTcp, Silent)]), InternetBeyond);
    assert_eq!(foremost(&alone), Some((Cld01, Party::Unknown, Open)));
    let alone = without(broken(&[(CloudTunnel, Silent), (CloudIke, Refused)]), InternetGateway);
    assert_eq!(foremost(&alone), None, "without the line's own gateway nothing is concluded");
}

#[test]
fn whatever_is_wrong_with_the_cloud_says_nothing_of_the_qualification_and_hides_nothing_of_it() {
    for first in Rung::ALL.into_iter().filter(|rung| !BESIDE.contains(rung)) {
        for symptom in apt(first) {
            let alone = verdict(&broken(&[(first, *symptom)]));
            for rung in [CloudIke, CloudTunnel, CloudTcp, CloudTls] {
                for cloudy in apt(rung) {
                    let both = verdict(&broken(&[(first, *symptom), (rung, *cloudy)]));
                    assert_eq!(both.usability, alone.usability, "{first:?} {rung:?} {cloudy:?}");
                    let others: Vec<_> =
                        both.alarms().filter(|fault| ![Cld01, Cld02, Cld03].contains(&fault.code)).collect();
                    assert_eq!(others, alone.alarms().collect::<Vec<_>>(), "{first:?} {rung:?} {cloudy:?}");
                }
            }
        }
    }
}
