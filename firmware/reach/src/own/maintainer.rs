//! The maintainer's gateway, as who calls it says while a consent is open, made an observation.
//!
//! While none is open nobody asks: a question would need a rule that admits it, and closed means no rule (promise 7 of the
//! firewall). What charon sends is the very question that a probe would: an IKE_SA_INIT.

use model::maintenance::{MaintenancePart, Tunnel};
use model::tunnel::Trouble;
use model::{Observation, Rung, Symptom, Timestamp};
use tokio::time::Instant;

use crate::finding::Finding;

/// What is said of it now at this rung; nothing while no consent is open.
pub fn observation(part: &MaintenancePart, rung: Rung) -> Option<Observation> {
    let open = part.open.as_ref()?;
    let at = Timestamp::now();
    Some(Observation { at, ..finding(open.tunnel, part.trouble).at(rung, None, Instant::now()) })
}

fn finding(tunnel: Tunnel, trouble: Option<Trouble>) -> Finding {
    match (tunnel, trouble) {
        (Tunnel::Up, _) => Finding::good("the tunnel stands"),
        (Tunnel::Down { .. }, Some(Trouble::Silent | Trouble::SilentNat)) => {
            Finding::bad(Symptom::Silent, "no answer to IKE")
        }
        // It answers, and there is no tunnel all the same: that is said by the view of maintenance.
        (
            Tunnel::Down { .. },
            Some(
                trouble @ (Trouble::NoProposal
                | Trouble::NotAgreed
                | Trouble::AuthenticationRefused
                | Trouble::GatewayNotBelieved
                | Trouble::GatewayExpired),
            ),
        ) => Finding::good(format!("answers: {trouble:?}")),
        (Tunnel::Down { .. }, trouble) => Finding::open(format!("no tunnel yet: {trouble:?}")),
    }
}

#[cfg(test)]
mod tests {
    use model::Outcome;
    use model::maintenance::Open;

    use super::*;

    fn outcome(tunnel: Option<Tunnel>, trouble: Option<Trouble>) -> Option<Outcome> {
        let open = tunnel.map(|tunnel| Open { session: 1, tunnel });
        let part = MaintenancePart { planned: true, open, trouble, ..MaintenancePart::default() };
        observation(&part, Rung::Maintainer).map(|seen| seen.outcome)
    }

    #[test]
    fn only_while_a_consent_is_open_something_is_said_and_only_silence_is_bad() {
        let down = Some(Tunnel::Down { since: Timestamp::UNIX_EPOCH });
        assert_eq!(outcome(None, Some(Trouble::Silent)), None);
        assert_eq!(outcome(Some(Tunnel::Up), None), Some(Outcome::Good));
        assert_eq!(outcome(down, None), Some(Outcome::Open), "it is called for the first time");
        assert_eq!(outcome(down, Some(Trouble::Silent)), Some(Outcome::Bad(Symptom::Silent)));
        assert_eq!(outcome(down, Some(Trouble::GatewayNotBelieved)), Some(Outcome::Good), "it answers");
        assert_eq!(outcome(down, Some(Trouble::OwnExpired)), Some(Outcome::Open), "that is ours");
    }
}
