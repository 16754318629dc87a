//! The ladder climbed for real: real sockets, real kernel, faults made at the far end. Needs root.

#[expect(clippy::unwrap_used, reason = "the ground of tests: there a panic is the report")]
mod clinic;

mod beside;

#[expect(clippy::unwrap_used, reason = "the ground of tests: there a panic is the report")]
mod session;

use std::sync::atomic::Ordering;
use std::time::Duration;

use clinic::{
    CENTRE, Certificate, DEAD, DISTRIBUTION, LINE_AUTH, RESOLVERS, Resolver, TIME, in_a_clinic, ip,
};
use model::observation::Branch;
use model::part::LinePart;
use model::past::Mark;
use model::{FaultCode, Outcome, Party, Rung, Symptom, Usability};

const TLS12: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
const TLS13: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn outcome(part: &LinePart, rung: Rung) -> Option<Outcome> {
    part.ladder.iter().find(|seen| seen.rung == rung).map(|seen| seen.outcome)
}

/// Code and owner of every alarm.
fn alarms(part: &LinePart) -> Vec<(FaultCode, Party)> {
    part.verdict.alarms().map(|fault| (fault.code, fault.owner)).collect()
}

/// All rungs but those of a tunnel, a session, an internet line, a cloud and a maintainer, which this clinic has not.
fn on_this_line() -> impl Iterator<Item = Rung> {
    let beside =
        |rung: &Rung| matches!(rung.branch(), Branch::Internet | Branch::Cloud | Branch::Maintenance);
    let of_a_tunnel = |rung: &Rung| {
        matches!(rung, Rung::Ike | Rung::IkeNat | Rung::Tunnel | Rung::Discovery | Rung::Session)
    };
    Rung::ALL.into_iter().filter(move |rung| !of_a_tunnel(rung) && !beside(rung))
}

#[test]
fn a_clean_clinic_is_usable_after_one_sweep_of_less_than_300_ms() {
    in_a_clinic(async |world| {
        let running = world.start();
        let part = running.sweep().await;
        for rung in on_this_line() {
            assert_eq!(outcome(&part, rung), Some(Outcome::Good), "{:#?}", part.ladder);
        }
        assert_eq!(part.verdict.usability, Usability::Usable);
        assert_eq!(part.verdict.recorded, []);
        let again = [running.sweep().await.sweep_ms, running.sweep().await.sweep_ms, part.sweep_ms];
        assert!(
            again.iter().any(|took| *took < 300.0),
            "{again:?} ms: the machine may be busy once, not thrice"
        );
        running.stop().await;
    });
}

#[test]
fn a_cable_pulled_from_the_line_is_seen_at_once_and_so_is_its_return() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        running.sweep().await;
        world.ip("link set dev w0 down");
        let at_once = Duration::from_secs(2);
        let part = running.until(at_once, |part| part.verdict.foremost.is_some()).await;
        assert_eq!(alarms(&part), [(FaultCode::Wan01, Party::Clinic)]);
        assert_eq!(outcome(&part, Rung::CentreTls), Some(Outcome::Skipped));
        assert_eq!(outcome(&part, Rung::TerminalSmb), Some(Outcome::Good), "the terminal is judged apart");
        world.ip("link set dev w0 up");
        world.ip("address add fe80::1/64 dev w0 nodad");
        world.ip("address add 2001:db8:0:1::1/64 dev w0 nodad");
        world.advertise(600);
        let back = running.until(Duration::from_secs(5), |part| part.verdict.usability == Usability::Usable);
        back.await;
        running.stop().await;
    });
}

#[test]
fn a_pulled_cable_is_a_story_with_its_evidence_that_outlives_the_daemon() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        running.sweep().await;
        world.ip("link set dev w0 down");
        running.until(Duration::from_secs(2), |part| part.verdict.foremost.is_some()).await;
        running.stop().await;
        let past = world.remembered();
        let [story] = &past.stories[..] else { panic!("{:#?}", past.stories) };
        assert_eq!((story.code.as_str(), story.end, story.count), ("WAN-01", None, 1));
        let [hop] = &story.evidence[..] else { panic!("{:#?}", story.evidence) };
        assert!(hop.rung == "link" && hop.last_good.is_some(), "{hop:#?}");
        assert_eq!(hop.first_bad.as_ref().map(|bad| bad.is.as_str()), Some("no-carrier"));
        assert_eq!(past.strips.len(), on_this_line().count());
        assert_eq!(past.marks(&past.strips[0]).last(), Some(Mark::Bad));
    });
}

#[test]
fn a_router_that_says_goodbye_is_named_at_once() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        running.sweep().await;
        world.advertise(0);
        let part = running.until(Duration::from_secs(2), |part| part.verdict.foremost.is_some()).await;
        assert_eq!(alarms(&part), [(FaultCode::Wan03, Party::Line)]);
        running.stop().await;
    });
}

#[test]
fn behind_a_home_gateway_the_address_is_lent_and_the_gateway_is_asked_by_arp() {
    in_a_clinic(async |world| {
        ip("address add 203.0.113.226/28 dev wan0");
        world.ip("address add 203.0.113.225/28 dev w0");
        ip("route add default via 203.0.113.225");
        let mut running = world.start_with(reach::Plan { lent: true, ..world.plan() });
        let part = running.sweep().await;
        let seen = |rung| part.ladder.iter().find(|seen| seen.rung == rung).map(|seen| seen.detail.clone());
        assert_eq!(seen(Rung::Address).as_deref(), Some("203.0.113.226 by 203.0.113.225"));
        assert!(seen(Rung::Gateway).is_some_and(|said| said.starts_with("203.0.113.225 at ")), "{part:#?}");
        assert_eq!((outcome(&part, Rung::Router), part.verdict.usability), (None, Usability::Usable));
        // It hangs: a glance finds it.
        world.ip("link set dev w0 arp off");
        let silent = running.until(Duration::from_secs(15), |part| part.verdict.foremost.is_some()).await;
        assert_eq!(alarms(&silent), [(FaultCode::Wan08, Party::Clinic)]);
        world.ip("link set dev w0 arp on");
        let well = |part: &LinePart| outcome(part, Rung::Gateway) == Some(Outcome::Good);
        running.until(Duration::from_secs(15), well).await;
        // It takes the address back, and nobody is accused before another can have come.
        ip("address del 203.0.113.226/28 dev wan0");
        let without = |part: &LinePart| outcome(part, Rung::Address) == Some(Outcome::Open);
        let part = running.until(Duration::from_secs(5), without).await;
        assert_eq!(alarms(&part), []);
        running.stop().await;
    });
}

#[test]
fn a_router_that_comes_back_without_a_word_is_asked_for_until_it_is_found() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        running.sweep().await;
        world.advertise_when_asked(2);
        world.advertise(0);
        let gone = |part: &LinePart| alarms(part) == [(FaultCode::Wan03, Party::Line)];
        running.until(Duration::from_secs(2), gone).await;
        let back = |part: &LinePart| part.verdict.usability == Usability::Usable;
        running.until(Duration::from_secs(15), back).await;
        running.stop().await;
    });
}

#[test]
fn a_host_whose_first_address_is_dead_is_reached_by_its_second_and_both_are_named() {
    in_a_clinic(async |world| {
        world.set_resolvers([Resolver::DeadFirst; 2]);
        let running = world.start();
        let part = running.sweep().await;
        assert_eq!(
            (part.verdict.usability, alarms(&part)),
            (Usability::Usable, vec![]),
            "{:#?}",
            part.ladder
        );
        for (rung, live) in [(Rung::CentreTcp, CENTRE), (Rung::LineAuth, LINE_AUTH), (Rung::Time, TIME)] {
            let detail = &part.ladder.iter().find(|seen| seen.rung == rung).unwrap().detail;
            assert!(detail.contains(live) && detail.contains(DEAD), "{detail}");
        }
        running.stop().await;
    });
}

#[test]
fn a_line_without_a_router_stays_open_and_a_sweep_does_not_wait_for_one() {
    in_a_clinic(async |world| {
        world.advertise(0);
        let running = world.start();
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::Address), Some(Outcome::Open));
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Unknown, vec![]));
        assert!(part.sweep_ms < 3000.0, "{} ms", part.sweep_ms);
        running.stop().await;
    });
}

#[test]
fn a_port_that_does_not_exist_is_no_pulled_cable() {
    in_a_clinic(async |world| {
        let plan =
            reach::Plan { line_port: "wan9".to_owned(), terminal_port: "term9".to_owned(), ..world.plan() };
        let running = world.start_with(plan);
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::Link), Some(Outcome::Bad(Symptom::NoPort)));
        assert_eq!(outcome(&part, Rung::TerminalLink), Some(Outcome::Bad(Symptom::NoPort)));
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Unknown, vec![]));
        running.stop().await;
    });
}

#[test]
fn two_silent_or_closed_resolvers_are_the_line_s_and_one_is_only_recorded() {
    in_a_clinic(async |mut world| {
        let running = world.start();
        world.take_away(RESOLVERS[0]);
        let part = running.sweep().await;
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Usable, vec![]));
        assert_eq!(part.verdict.recorded[0].code, FaultCode::Dns02);
        world.close("resolver-two").await;
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::ResolverOne), Some(Outcome::Bad(Symptom::Silent)));
        assert_eq!(outcome(&part, Rung::ResolverTwo), Some(Outcome::Bad(Symptom::Refused)));
        let two = part.ladder.iter().find(|seen| seen.rung == Rung::ResolverTwo);
        assert!(two.is_some_and(|seen| seen.detail.contains("TCP: connection refused")), "{two:?}");
        assert_eq!(alarms(&part), [(FaultCode::Dns01, Party::Line)]);
        running.stop().await;
    });
}

#[test]
fn garbage_strangers_and_missing_names_are_told_apart() {
    in_a_clinic(async |world| {
        let running = world.start();
        world.set_resolvers([Resolver::Garbage; 2]);
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::ResolverOne), Some(Outcome::Bad(Symptom::Malformed)));
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Unknown, vec![]));
        world.set_resolvers([Resolver::Stranger; 2]);
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Dns05, Party::Clinic)]);
        world.set_resolvers([Resolver::OtherArea; 2]);
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::Area), Some(Outcome::Bad(Symptom::OtherArea)));
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Usable, vec![]));
        assert_eq!(part.verdict.recorded[0].code, FaultCode::Dns03);
        world.set_resolvers([Resolver::Empty; 2]);
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::ResolverOne), Some(Outcome::Good));
        assert_eq!(outcome(&part, Rung::CentreTcp), Some(Outcome::Bad(Symptom::NameMissing)));
        assert_eq!(alarms(&part), [(FaultCode::Dns04, Party::Unknown)]);
        running.stop().await;
    });
}

#[test]
fn line_authentication_is_the_clinic_s_until_it_was_good_once_also_across_a_restart() {
    in_a_clinic(async |mut world| {
        world.close("line-auth").await;
        world.close("centre").await;
        let running = world.start();
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Auth01, Party::Clinic)]);
        world.open("line-auth");
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Ctr01, Party::Centre)]);
        running.stop().await;
        world.close("line-auth").await;
        let restarted = world.start();
        assert_eq!(alarms(&restarted.sweep().await), [(FaultCode::Auth01, Party::Line)]);
        restarted.stop().await;
    });
}

#[test]
fn a_silent_centre_is_its_own_fault_only_while_its_neighbours_answer() {
    in_a_clinic(async |world| {
        let running = world.start();
        world.take_away(CENTRE);
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Ctr02, Party::Centre)]);
        world.take_away(LINE_AUTH);
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Ctr02, Party::Unknown)]);
        world.take_away(DISTRIBUTION);
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Ctr02, Party::Line)]);
        running.stop().await;
    });
}

#[test]
fn only_an_expired_certificate_of_the_right_name_and_issuer_accuses_the_centre() {
    for versions in [TLS12, TLS13] {
        in_a_clinic(async |mut world| {
            for (certificate, symptom) in [
                (Certificate::Expired, Symptom::CertificateExpired),
                (Certificate::OtherName, Symptom::CertificateName),
                (Certificate::OtherIssuer, Symptom::CertificateIssuer),
                (Certificate::ExpiredOfOtherIssuer, Symptom::CertificateIssuer),
            ] {
                world.close("centre").await;
                world.serve_centre(certificate, versions);
                let running = world.start();
                let part = running.sweep().await;
                assert_eq!(outcome(&part, Rung::CentreTls), Some(Outcome::Bad(symptom)));
                let expected = match certificate {
                    Certificate::Expired => (FaultCode::Ctr03, Party::Centre),
                    _ => (FaultCode::Ctr04, Party::Unknown),
                };
                assert_eq!(alarms(&part), [expected]);
                running.stop().await;
            }
        });
    }
}

#[test]
fn a_centre_that_wants_our_certificate_is_reached_in_either_version_of_tls() {
    in_a_clinic(async |mut world| {
        for versions in [TLS12, TLS13] {
            world.close("centre").await;
            world.serve_centre(Certificate::Fine, versions);
            let running = world.start();
            assert_eq!(running.sweep().await.verdict.usability, Usability::Usable);
            running.stop().await;
        }
    });
}

#[test]
fn any_alert_is_reach_and_nonsense_is_not() {
    const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    in_a_clinic(async |mut world| {
        let running = world.start();
        for (words, expected) in [
            (HANDSHAKE_FAILURE, Outcome::Good),
            (b"HTTP/1.0 400 Bad Request\r\n\r\n", Outcome::Bad(Symptom::Malformed)),
            (b"", Outcome::Bad(Symptom::Refused)),
        ] {
            world.close("centre").await;
            world.serve_nonsense(words);
            assert_eq!(outcome(&running.sweep().await, Rung::CentreTls), Some(expected), "{words:?}");
        }
        running.stop().await;
    });
}

#[test]
fn a_terminal_that_is_off_unplugged_or_without_sharing_is_told_apart() {
    in_a_clinic(async |mut world| {
        let mut running = world.start();
        world.close("terminal").await;
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Term02, Party::Terminal)]);
        world.open("terminal");
        let back = running.until(Duration::from_secs(5), |part| part.verdict.usability == Usability::Usable);
        back.await;
        world.close("terminal").await;
        world.ip("address del 192.0.2.2/24 dev e0");
        let part = running.sweep().await;
        assert_eq!(alarms(&part), [(FaultCode::Term01, Party::Terminal)]);
        assert_eq!(part.verdict.usability, Usability::Partly);
        world.ip("link set dev e0 down");
        let pulled = |part: &LinePart| alarms(part) == [(FaultCode::Term01, Party::Clinic)];
        running.until(Duration::from_secs(2), pulled).await;
        running.stop().await;
    });
}

#[test]
fn a_terminal_that_falls_silent_or_shuts_its_share_is_judged_within_seconds_though_nobody_asks() {
    in_a_clinic(async |mut world| {
        // Far less than the ten seconds between two looks, with something over for a busy machine.
        let soon = Duration::from_secs(6);
        let mut running = world.start();
        running.sweep().await;
        world.close("terminal").await;
        let shut = |part: &LinePart| alarms(part) == [(FaultCode::Term02, Party::Terminal)];
        running.until(soon, shut).await;
        world.open("terminal");
        running.until(soon, |part| part.verdict.usability == Usability::Usable).await;
        world.ip("link set dev e0 arp off");
        let silent = |part: &LinePart| alarms(part) == [(FaultCode::Term01, Party::Terminal)];
        running.until(soon, silent).await;
        running.stop().await;
    });
}

#[test]
fn a_receipt_computer_that_is_off_or_unplugged_is_told_apart() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        running.sweep().await;
        // Nobody asks: a glance tells.
        world.ip("address del 198.51.100.10/24 dev l0");
        let off = |part: &LinePart| alarms(part) == [(FaultCode::Clin02, Party::ReceiptComputer)];
        let part = running.until(Duration::from_secs(6), off).await;
        assert_eq!(part.verdict.usability, Usability::Partly);
        world.ip("link set dev l0 down");
        let pulled = |part: &LinePart| alarms(part) == [(FaultCode::Clin02, Party::Clinic)];
        running.until(Duration::from_secs(2), pulled).await;
        running.stop().await;
    });
}

#[test]
fn a_site_that_says_no_address_of_a_consumer_misses_none() {
    in_a_clinic(async |world| {
        let mut plan = world.plan();
        plan.clinic.consumers.clear();
        world.ip("address del 198.51.100.10/24 dev l0");
        let running = world.start_with(plan);
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::ReceiptComputer), None);
        assert_eq!(part.verdict.usability, Usability::Usable);
        running.stop().await;
    });
}

#[test]
fn a_bypass_a_twin_of_ours_and_joined_wires_are_told_apart() {
    in_a_clinic(async |world| {
        // One kernel plays them all: while it has our address it does not answer us as the receipt computer.
        let mut plan = world.plan();
        plan.clinic.consumers.clear();
        let running = world.start_with(plan);
        let clinic = |code| vec![(code, Party::Clinic)];
        world.answers_for_both(true);
        let part = running.sweep().await;
        assert_eq!(alarms(&part), clinic(FaultCode::Clin04), "{:#?}", part.ladder);
        world.answers_for_both(false);
        assert_eq!(alarms(&running.sweep().await), []);
        world.ip("address add 198.51.100.1/32 dev l0");
        assert_eq!(alarms(&running.sweep().await), clinic(FaultCode::Clin03));
        world.ip("address del 198.51.100.1/32 dev l0");
        world.join();
        let part = running.sweep().await;
        assert_eq!(alarms(&part), clinic(FaultCode::Clin05), "{:#?}", part.ladder);
        running.stop().await;
    });
}

#[test]
fn a_refused_share_login_is_the_terminal_s_and_a_silent_relay_says_nothing() {
    in_a_clinic(async |world| {
        let running = world.start();
        running.sweep().await;
        *world.share.lock().unwrap() = Some(Outcome::Bad(Symptom::LoginRefused));
        assert_eq!(alarms(&running.sweep().await), [(FaultCode::Term03, Party::Terminal)]);
        *world.share.lock().unwrap() = None;
        let part = running.sweep().await;
        assert_eq!((part.verdict.usability, alarms(&part)), (Usability::Unknown, vec![]));
        running.stop().await;
    });
}

#[test]
fn a_sweep_that_is_asked_for_tells_what_it_has_seen_while_it_is_under_way() {
    in_a_clinic(async |world| {
        let mut running = world.start();
        let whole = running.sweep().await;
        let mut parts = running.parts.clone();
        let under_way = async {
            let is_link = |seen: &model::Observation| seen.rung == Rung::Link;
            let told =
                |part: &LinePart| part.sweep.as_ref().is_some_and(|sweep| sweep.seen.iter().any(is_link));
            parts.wait_for(told).await.unwrap().sweep.clone().unwrap()
        };
        let (seen, after) = tokio::join!(under_way, running.sweep());
        assert_eq!((seen.of, after.sweep), (whole.ladder.len(), None));
        assert!(!seen.seen.is_empty() && seen.seen.len() <= seen.of);
        // A look that nobody waits for tells nobody.
        world.advertise(600);
        running.until(Duration::from_secs(20), |part| part.ladder != after.ladder).await;
        assert_eq!(running.parts.borrow().sweep, None);
        running.stop().await;
    });
}

#[test]
fn those_who_ask_together_share_one_sweep() {
    in_a_clinic(async |world| {
        let running = world.start();
        running.sweep().await;
        let before = world.visits.load(Ordering::Relaxed);
        let asked = (0..6).map(|_| running.sweep());
        let parts = futures_util::future::join_all(asked).await;
        assert!(parts.iter().all(|part| part.swept_at == parts[0].swept_at));
        let visits = world.visits.load(Ordering::Relaxed) - before;
        assert_eq!(visits, 1);
        running.stop().await;
    });
}
