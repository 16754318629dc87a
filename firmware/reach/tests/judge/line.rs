//! The line by IPsec, and what a line gives the terminals.

use super::property::loses_only;
use super::*;

#[test]
fn each_fault_of_a_tunnel_is_given_to_whom_its_evidence_names() {
    use FaultCode::{Ike01, Ike02, Ike03, Ike04, Ike05, Ike06, Ike07};
    use Rung::{Ike, IkeNat, ResolverOne, ResolverTwo, Tunnel};
    use Symptom::{
        CertificateExpired, Ended, IdentityRefused, IdentityRefusedNow, NoLogin, NoProposal, Refused, Silent,
    };
    assert_eq!(verdict(&by_ipsec(&[])).usability, Usability::Usable);
    type Case<'c> = (&'c [(Rung, Symptom)], FaultCode, Party);
    let table: [Case<'_>; 11] = [
        (&[(Ike, Silent), (Tunnel, Silent)], Ike01, Party::Isp),
        (&[(IkeNat, Silent), (Tunnel, Silent)], Ike02, Party::Isp),
        (&[(Ike, Refused), (IkeNat, Refused), (Tunnel, Silent)], Ike03, Party::IpsecProvider),
        (&[(Ike, Silent), (IkeNat, Silent), (Tunnel, Silent)], Ike03, Party::Unknown),
        (&[(Tunnel, NoProposal)], Ike04, Party::Box),
        (&[(Tunnel, IdentityRefused)], Ike05, Party::Box),
        (&[(Tunnel, IdentityRefusedNow)], Ike05, Party::IpsecProvider),
        (&[(Tunnel, NoLogin)], Ike05, Party::Box),
        (&[(Tunnel, Ended)], Ike06, Party::Box),
        (&[(Tunnel, CertificateExpired)], Ike06, Party::IpsecProvider),
        (&[(ResolverOne, Silent), (ResolverTwo, Silent)], Ike07, Party::IpsecProvider),
    ];
    for (bad, code, owner) in table {
        let evidence = by_ipsec(bad);
        let found = verdict(&evidence).foremost.unwrap_or_else(|| panic!("{bad:?}: nothing"));
        assert_eq!((found.code, found.owner), (code, owner), "{bad:?}");
        loses_only(&evidence);
    }
    // A tunnel that stands carries, whatever its gateway says to new callers.
    let stands = by_ipsec(&[(Ike, Silent), (IkeNat, Silent)]);
    assert_eq!(verdict(&stands).usability, Usability::Usable);
    // What never answered here is not the internet provider's: a router in front may be set so.
    let blocked = never(by_ipsec(&[(Ike, Silent), (Tunnel, Silent)]), Ike);
    assert_eq!(verdict(&blocked).foremost.unwrap().owner, Party::Unknown);
}

#[test]
fn behind_a_home_gateway_it_is_looked_at_first_but_for_what_passed_it_before() {
    use Certainty::{Likely, Open};
    use FaultCode::{Ike01, Ike02, Ike03, Wan01, Wan02, Wan08};
    use Rung::{Address, Gateway, Ike, IkeNat, Link, Tunnel};
    use Symptom::{NoAddress, NoCarrier, Refused, Silent};
    let clean = verdict(&behind(&[]));
    assert_eq!((clean.usability, clean.recorded.len()), (Usability::Usable, 0));
    let (lent, first, second) = (
        behind(&[(Address, NoAddress)]),
        behind(&[(Ike, Silent), (Tunnel, Silent)]),
        behind(&[(IkeNat, Silent), (Tunnel, Silent)]),
    );
    let table = [
        (behind(&[(Link, NoCarrier)]), Wan01, Party::Clinic, Likely),
        (never(lent.clone(), Address), Wan02, Party::Clinic, Open),
        (lent, Wan02, Party::Clinic, Likely),
        (behind(&[(Gateway, Silent)]), Wan08, Party::Clinic, Likely),
        (never(first.clone(), Ike), Ike01, Party::Clinic, Likely),
        (first, Ike01, Party::Isp, Likely),
        (never(second.clone(), IkeNat), Ike02, Party::Clinic, Likely),
        (second, Ike02, Party::Isp, Likely),
        // Nothing at all comes back from there: who on the way keeps it is not seen.
        (behind(&[(Ike, Silent), (IkeNat, Silent), (Tunnel, Silent)]), Ike03, Party::Unknown, Open),
        (behind(&[(Ike, Refused), (IkeNat, Refused), (Tunnel, Silent)]), Ike03, Party::IpsecProvider, Likely),
        (behind(&[(Ike, Refused), (IkeNat, Silent), (Tunnel, Silent)]), Ike03, Party::IpsecProvider, Likely),
        (behind(&[(Ike, Silent), (IkeNat, Refused), (Tunnel, Silent)]), Ike03, Party::IpsecProvider, Likely),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        loses_only(&evidence);
    }
}

#[test]
fn a_prefix_that_comes_no_more_is_the_line_s_and_one_that_never_came_the_clinic_s() {
    use Certainty::{Likely, Open};
    use FaultCode::{Wan04, Wan09};
    use Rung::{Address, Link, Prefix};
    use Symptom::{NoAddress, NoRouter, NotAdvertised, NotDelegated};
    for bad in [vec![(Prefix, NotDelegated)], vec![(Prefix, NotDelegated), (Address, NoAddress)]] {
        let lost = broken(&bad);
        assert_eq!(foremost(&lost), Some((Wan04, Party::Line, Likely)));
        assert_eq!(verdict(&lost).usability, Usability::Unusable, "the terminals have no address");
        assert_eq!(foremost(&never(lost.clone(), Prefix)), Some((Wan09, Party::Clinic, Likely)));
        for rung in [Link, Address, Prefix] {
            let found = verdict(&without(lost.clone(), rung));
            assert!(found.alarms().all(|fault| fault.code != Wan04), "without {rung:?}");
        }
        loses_only(&lost);
    }
    let never = never(broken(&[(Prefix, NotAdvertised)]), Prefix);
    assert_eq!(foremost(&never), Some((Wan04, Party::Unknown, Open)));
    let dead = broken_with(&[(Address, NoRouter), (Prefix, NotDelegated)]);
    assert_eq!(verdict(&dead).alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Wan02]);
}

#[test]
fn a_renumbering_is_recorded_and_no_alarm() {
    let renumbered = broken(&[(Rung::Prefix, Symptom::Renumbered)]);
    let found = verdict(&renumbered);
    assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 0));
    assert_eq!(found.recorded[0].code, FaultCode::Wan05);
    assert!(verdict(&without(renumbered, Rung::Prefix)).recorded.is_empty());
}
