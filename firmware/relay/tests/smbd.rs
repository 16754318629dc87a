//! The relay against a real SMB server: Samba's smbd, in a network namespace of its own, as root.
//!
//! `cargo test -p relay --test smbd -- --nocapture` also prints the delay from the close of a request in the
//! clinic's share to its final name in the folder that smbd serves.

#[cfg(test)]
mod selftest;
#[cfg(test)]
mod server;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use model::parcel::{HeldReason, WaitReason};
    use model::part::RelayPart;
    use model::selftest::{Ask, Seen};
    use model::{Outcome, Symptom};

    use relay::share::{Occasion, Share as _, Terminal as _, Wanted};

    use crate::server::{Lab, appears, in_namespace, vanishes};

    const WHOLE: &[u8] = b"<XmlMsg>\x8a\xb3\x8e\xd2</XmlMsg>\r\n";

    /// How long a hint is waited for.
    const HINT: std::time::Duration = std::time::Duration::from_millis(250);

    fn request(n: u32) -> String {
        format!("OQSsiquc01req_20250203{n:04}.xml")
    }

    fn answer(n: u32) -> String {
        format!("OQSsiquc01res_20250203{n:04}.xml")
    }

    #[test]
    fn a_request_is_answered_over_smb_with_the_same_bytes_and_the_terminal_keeps_nothing() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            let encrypted = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
            for (n, bytes) in [(1, WHOLE.to_vec()), (2, [vec![b' '; 300_000], WHOLE.to_vec()].concat())] {
                fs::write(lab.clinic("req").join(request(n)), &bytes).unwrap();
                assert_eq!(appears(&lab.terminal("req").join(request(n))).await, bytes);
                fs::remove_file(lab.terminal("req").join(request(n))).unwrap();
                let name = answer(n).replace(".xml", ".zip");
                fs::write(lab.terminal("res").join(&name), &encrypted).unwrap();
                assert_eq!(appears(&lab.clinic("res").join(&name)).await, encrypted);
                vanishes(&lab.terminal("res").join(&name)).await;
            }
            let part = lab.says(|part| part.pairs.len() == 2).await;
            assert_eq!((part.requests_today, part.answers_today), (2, 2));
            assert!(fs::read_dir(lab.terminal("sekisho-staging")).unwrap().next().is_none());
        });
    }

    /// The server's disk is not ours; what smbd asks of it is seen from outside.
    #[test]
    fn a_request_lies_on_the_servers_disk_before_it_has_its_name() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            lab.serve_traced().await;
            fs::write(lab.clinic("req").join(request(1)), WHOLE).unwrap();
            appears(&lab.terminal("req").join(request(1))).await;
            let trace = lab.traced();
            let at = |calls: [&str; 2], name: &str| {
                let is_it = |line: &str| calls.iter().any(|call| line.contains(call)) && line.contains(name);
                trace.lines().position(is_it)
            };
            let named = at(["rename(", "renameat"], &request(1)).expect("it has its name by a rename");
            let flushed = at(["fsync(", "fdatasync("], ".part>");
            assert!(
                flushed.is_some_and(|flushed| flushed < named),
                "not flushed before its rename:\n{trace}"
            );
        });
    }

    /// A relay that leaves the flush out is found out by the test above.
    #[cfg(feature = "sabotage")]
    #[test]
    fn a_request_that_is_not_flushed_there_is_seen() {
        let mut above = std::process::Command::new(std::env::current_exe().unwrap());
        above.args(["--exact", "tests::a_request_lies_on_the_servers_disk_before_it_has_its_name"]);
        let ended = above.env("SEKISHO_SABOTAGE", "flush-remote").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!ended.status.success() && said.contains("not flushed before its rename"), "{said}");
    }

    #[test]
    fn a_consumer_whose_share_is_elsewhere_sends_and_gets_over_smb_on_both_sides() {
        in_namespace(async {
            let mut lab = Lab::start_with_a_consumer_elsewhere().await;
            let (req, res) = (lab.far("req"), lab.far("res"));
            lab.says(|_| req.is_dir() && res.is_dir()).await;
            let large = [vec![b' '; 300_000], WHOLE.to_vec()].concat();
            for (n, bytes) in [(1, WHOLE.to_vec()), (2, large)] {
                fs::write(req.join(request(n)), &bytes).unwrap();
                assert_eq!(appears(&lab.terminal("req").join(request(n))).await, bytes);
                vanishes(&req.join(request(n))).await;
                fs::write(lab.terminal("res").join(answer(n)), &bytes).unwrap();
                assert_eq!(appears(&res.join(answer(n))).await, bytes);
                assert_eq!(appears(&lab.clinic("res").join(answer(n))).await, bytes);
                vanishes(&lab.terminal("res").join(answer(n))).await;
            }
            let part = lab.says(|part| part.pairs.len() == 2).await;
            assert_eq!((part.requests_today, part.answers_today, part.held_count), (2, 2, 0));
        });
    }

    #[test]
    fn a_share_that_tells_of_changes_is_looked_at_less_often_than_one_that_does_not() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            let watched = vec!["res".to_owned()];
            let wanted = Wanted { folders: vec![("res".into(), false)], watched, make: false };
            let share = lab.end("OQS").connect(&wanted, Occasion::Routine).await.unwrap();
            tokio::time::timeout(HINT, share.changed()).await.expect("it is watched");
            let beside_events = share.poll();
            lab.serve_with("change notify = no", "").await;
            let silent = lab.end("OQS").connect(&wanted, Occasion::Routine).await.unwrap();
            tokio::time::timeout(HINT, silent.changed()).await.expect("nothing is said of its watch");
            // The first word may be that it is tried, the last is that it is not.
            while silent.poll() >= beside_events {
                tokio::time::timeout(HINT, silent.changed()).await.expect("it is still taken for watched");
            }
        });
    }

    #[test]
    fn a_share_that_has_told_of_fifteen_hundred_changes_still_answers_and_still_tells() {
        in_namespace(async {
            let lab = Lab::start().await;
            let watched = vec!["res".to_owned()];
            let wanted = Wanted { folders: vec![("res".into(), false)], watched, make: false };
            let share = lab.end("OQS").connect(&wanted, Occasion::Routine).await.unwrap();
            let foreign = lab.terminal("res").join("foreign");
            let mut told = 0;
            for n in 0..1500_usize {
                // A file that comes and goes: of one that is written to, smbd tells nothing.
                let there = n % 2 == 0;
                if there { fs::write(&foreign, b"x") } else { fs::remove_file(&foreign) }.unwrap();
                // A hint may be missing now and then: the lane looks by itself, too.
                told += u32::from(tokio::time::timeout(HINT, share.changed()).await.is_ok());
                let listed = share.list("res").await.map(|entries| entries.len());
                assert_eq!(listed.unwrap(), usize::from(there), "after {n} changes");
            }
            assert!(told > 1400, "{told}");
        });
    }

    #[test]
    fn a_name_taken_on_the_terminal_is_never_overwritten_over_smb() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            fs::write(lab.terminal("req").join(request(1)), b"another").unwrap();
            fs::write(lab.clinic("req").join(request(1)), WHOLE).unwrap();
            lab.says(|part| part.held.iter().any(|held| held.reason == HeldReason::NameTaken)).await;
            assert_eq!(fs::read(lab.terminal("req").join(request(1))).unwrap(), b"another");
        });
    }

    #[test]
    fn a_share_that_is_not_right_is_told_by_its_symptom_and_taken_up_again() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            lab.says(|part| part.shares.iter().any(|seen| seen.outcome == Outcome::Good)).await;
            assert_eq!(lab.look(true).await, Outcome::Good);
            lab.password("another-password-0");
            assert_eq!(lab.look(true).await, Outcome::Bad(Symptom::LoginRefused));
            lab.password(server_password());
            fs::rename(lab.terminal("face"), lab.terminal("elsewhere")).unwrap();
            assert_eq!(lab.look(true).await, Outcome::Bad(Symptom::ShareMissing));
            fs::rename(lab.terminal("elsewhere"), lab.terminal("face")).unwrap();
            lab.stop_server();
            assert_eq!(lab.look(true).await, Outcome::Bad(Symptom::Refused));
            lab.says(|part| part.shares[0].outcome != Outcome::Good).await;
            fs::write(lab.clinic("req").join(request(1)), WHOLE).unwrap();
            lab.start_server().await;
            assert_eq!(appears(&lab.terminal("req").join(request(1))).await, WHOLE);
            lab.says(|part| part.shares[0].outcome == Outcome::Good).await;
        });
    }

    #[test]
    fn a_refused_login_is_not_tried_again_at_every_look() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            lab.locks_accounts();
            lab.says(|part| part.shares.iter().any(|seen| seen.outcome == Outcome::Good)).await;
            lab.password("another-password-0");
            for _ in 0..20 {
                assert_eq!(lab.look(false).await, Outcome::Bad(Symptom::LoginRefused));
            }
            assert_eq!(lab.refused_logins(), 1);
            assert_eq!(lab.selftest(Ask::default()).await[0].checks[0].seen, Seen::Not);
            assert_eq!(lab.refused_logins(), 2, "a test goes at once, and counts");
            lab.password(server_password());
            assert_eq!(lab.look(true).await, Outcome::Good, "another password is tried at once");
            assert_eq!(lab.refused_logins(), 0);
        });
    }

    #[test]
    fn a_full_disk_shows_nothing_half_written_and_is_told() {
        in_namespace(async {
            let mut lab = Lab::start_on_a_small_disk().await;
            lab.says(|part| part.shares.iter().any(|seen| seen.outcome == Outcome::Good)).await;
            let filler = lab.terminal("filler");
            fs::write(&filler, vec![0; 200 * 1024]).unwrap();
            let bytes = [vec![b' '; 100 * 1024], WHOLE.to_vec()].concat();
            fs::write(lab.clinic("req").join(request(1)), &bytes).unwrap();
            let full = Some(Symptom::DiskFull);
            let part =
                lab.says(|part| part.shares[0].outcome.symptom() == full && !part.waiting.is_empty()).await;
            assert_eq!(part.requests_today, 0);
            assert!(fs::read_dir(lab.terminal("req")).unwrap().next().is_none());
            fs::remove_file(filler).unwrap();
            assert_eq!(appears(&lab.terminal("req").join(request(1))).await, bytes);
            lab.says(|part| part.shares[0].outcome == Outcome::Good).await;
            assert!(fs::read_dir(lab.terminal("sekisho-staging")).unwrap().next().is_none(), "swept");
        });
    }

    /// Neither an answer nor a request is lost while this disk of the box's is full, and a request passes.
    fn a_full_disk_at(place: &'static str, kilobytes: u32, but: u64) {
        in_namespace(async move {
            let mut lab = Lab::start_with_a_small_disk_at(place, kilobytes).await;
            lab.says(|part| part.shares.iter().any(|seen| seen.outcome == Outcome::Good)).await;
            let filler = lab.fill(but);
            let bytes = [vec![b' '; 100 * 1024], WHOLE.to_vec()].concat();
            fs::write(lab.terminal("res").join(answer(1)), &bytes).unwrap();
            let blocked =
                |part: &RelayPart| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked);
            lab.says(blocked).await;
            fs::write(lab.clinic("req").join(request(2)), WHOLE).unwrap();
            assert_eq!(appears(&lab.terminal("req").join(request(2))).await, WHOLE);
            assert_eq!(fs::read(lab.terminal("res").join(answer(1))).unwrap(), bytes);
            assert!(!lab.clinic("res").join(answer(1)).exists());
            fs::remove_file(filler).unwrap();
            assert_eq!(appears(&lab.clinic("res").join(answer(1))).await, bytes);
            vanishes(&lab.terminal("res").join(answer(1))).await;
            let part = lab.says(|part| part.answers_today == 1).await;
            assert_eq!(part.held_count, 0);
        });
    }

    #[test]
    fn a_full_disk_of_the_boxs_keeps_answers_on_the_terminal_until_there_is_room() {
        a_full_disk_at("state", 1024, 32 * 1024);
    }

    #[test]
    fn a_log_that_cannot_be_written_keeps_answers_on_the_terminal_until_it_can() {
        a_full_disk_at("state/relay/log", 64, 0);
    }

    #[test]
    fn a_share_that_became_read_only_is_told_and_the_request_waits() {
        in_namespace(async {
            let mut lab = Lab::start_on_a_small_disk().await;
            lab.says(|part| part.shares.iter().any(|seen| seen.outcome == Outcome::Good)).await;
            lab.remount(true);
            fs::write(lab.clinic("req").join(request(1)), WHOLE).unwrap();
            lab.says(|part| part.shares[0].outcome.symptom() == Some(Symptom::Denied)).await;
            lab.remount(false);
            assert_eq!(appears(&lab.terminal("req").join(request(1))).await, WHOLE);
        });
    }

    #[test]
    fn an_answer_another_client_holds_without_sharing_deletion_waits_until_it_is_let_go() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            let file = lab.terminal("res").join(answer(1));
            let half = vec![b' '; 2_000_000];
            fs::write(&file, &half).unwrap();
            let holder = lab.hold(&answer(1)).await;
            fs::write(&file, [half.clone(), WHOLE.to_vec()].concat()).unwrap();
            // Two face results, one after the other: between them the relay has looked at `res` as well.
            for n in 0..2 {
                let face = format!("OQSsiquc01res_face_{n}.xml");
                fs::write(lab.terminal("face").join(&face), WHOLE).unwrap();
                appears(&lab.clinic("face").join(&face)).await;
            }
            lab.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::BeingWritten)).await;
            assert!(file.exists() && !lab.clinic("res").join(answer(1)).exists());
            holder.let_go().await;
            assert_eq!(appears(&lab.clinic("res").join(answer(1))).await, [half, WHOLE.to_vec()].concat());
            vanishes(&file).await;
        });
    }

    #[test]
    fn an_answer_that_may_not_be_removed_keeps_no_other_back_and_is_told() {
        in_namespace(async {
            let mut lab = Lab::start().await;
            let protected = lab.terminal("res").join(answer(1));
            fs::write(&protected, WHOLE).unwrap();
            // Samba's read-only attribute; root itself is refused nothing else.
            fs::set_permissions(&protected, fs::Permissions::from_mode(0o444)).unwrap();
            let said = |wanted| {
                move |part: &RelayPart| part.shares.iter().any(|seen| seen.outcome.symptom() == wanted)
            };
            lab.says(said(Some(Symptom::Denied))).await;
            // The relay tries to remove it once a second; in between it is no better.
            let end = std::time::Instant::now() + std::time::Duration::from_millis(1500);
            while std::time::Instant::now() < end {
                let seen = lab.look(true).await;
                assert_eq!(seen, Outcome::Bad(Symptom::Denied), "a share that opens well is not well");
            }
            for n in 2..10 {
                fs::write(lab.terminal("res").join(answer(n)), WHOLE).unwrap();
            }
            for n in 2..10 {
                assert_eq!(appears(&lab.clinic("res").join(answer(n))).await, WHOLE);
            }
            fs::set_permissions(&protected, fs::Permissions::from_mode(0o666)).unwrap();
            vanishes(&protected).await;
            lab.says(said(None)).await;
            assert_eq!(lab.look(true).await, Outcome::Good);
        });
    }

    fn server_password() -> &'static str {
        crate::server::PASSWORD
    }
}
