//! A line by PPPoE whose cable comes and goes, judged by the kernel's own count of that. No session stands: what pppd said is a note.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use model::part::LinePart;
use model::{FaultCode, Outcome, Rung, Symptom};
use reach::session::{Said, Wire};
use reach::{Plan, SessionTarget};

use crate::clinic::in_a_clinic;
use crate::outcome;

/// The line's port now, as the kernel counts: the namespace's own `/sys` is not mounted here.
fn wire() -> Wire {
    let said = Command::new("ip").args(["-j", "-s", "-s", "link", "show", "wan0"]).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    Wire { index: number(&said[0]["ifindex"]), changes: number(&said[0]["stats64"]["tx"]["carrier_changes"]) }
}

/// A run that began on this wire has ended: nobody offered it a session.
fn nobody_offered(note: &Path, wire: Wire) {
    let said = Said::of(Some(10), "Timeout waiting for PADO packets\n", Some(wire));
    std::fs::write(note, serde_json::to_vec(&said).unwrap()).unwrap();
}

fn accused(part: &LinePart) -> bool {
    part.verdict.alarms().any(|fault| fault.code == FaultCode::Ppp01)
}

#[test]
fn what_a_session_said_while_its_cable_was_out_accuses_nobody_once_it_is_back() {
    in_a_clinic(async |world| {
        let said = world.state.path().join("line.json");
        let session = SessionTarget { interface: "ppp-line".to_owned(), said: said.clone() };
        let mut running = world.start_with(Plan { session: Some(session), ..world.plan() });
        nobody_offered(&said, wire());
        assert!(accused(&running.sweep().await), "a run with its cable in counts");
        world.ip("link set dev w0 down");
        let soon = Duration::from_secs(10);
        let out = Some(Outcome::Bad(Symptom::NoCarrier));
        running.until(soon, |part| outcome(part, Rung::Link) == out).await;
        nobody_offered(&said, wire());
        world.ip("link set dev w0 up");
        let back = running.until(soon, |part| outcome(part, Rung::Link) == Some(Outcome::Good)).await;
        for part in [back, running.sweep().await] {
            assert!(!accused(&part), "{part:#?}");
            assert_eq!(outcome(&part, Rung::Discovery), Some(Outcome::Open));
        }
        nobody_offered(&said, wire());
        assert!(accused(&running.sweep().await), "the next run counts again");
        running.stop().await;
    });
}
