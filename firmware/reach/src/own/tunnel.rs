//! A tunnel, to the provider of the line or to the cloud, as who drives it says, made an observation.

use model::tunnel::{Trouble, TunnelPart, TunnelState};
use model::{Observation, Rung, Symptom, Timestamp};
use tokio::time::Instant;

use crate::finding::Finding;

/// What is said at this rung of a tunnel now. Nothing, while it is called for the first time.
pub fn observation(part: &TunnelPart, rung: Rung) -> Observation {
    let at = Timestamp::now();
    Observation { at, ..finding(part).at(rung, None, Instant::now()) }
}

fn finding(part: &TunnelPart) -> Finding {
    let detail = match (part.gateway, part.inner) {
        (Some(gateway), Some(inner)) => format!("{gateway}, inner address {inner}"),
        (Some(gateway), None) => gateway.to_string(),
        _ => format!("{:?} after {} calls", part.state, part.failed),
    };
    let symptom = match (part.state, part.trouble) {
        (TunnelState::Up, _) => return Finding::good(detail),
        (_, None) => return Finding::open(detail),
        (_, Some(trouble)) => symptom(trouble, part.ever_stood),
    };
    match symptom {
        Some(symptom) => {
            Finding::bad(symptom, format!("{detail}: {:?}", part.trouble.unwrap_or(Trouble::Other)))
        }
        None => Finding::open(detail),
    }
}

/// `stood`: it stood with this same secret.
const fn symptom(trouble: Trouble, stood: bool) -> Option<Symptom> {
    Some(match trouble {
        Trouble::Silent | Trouble::SilentNat => Symptom::Silent,
        Trouble::NoProposal | Trouble::NotAgreed => Symptom::NoProposal,
        Trouble::AuthenticationRefused | Trouble::GatewayNotBelieved if stood => Symptom::IdentityRefusedNow,
        Trouble::AuthenticationRefused | Trouble::GatewayNotBelieved => Symptom::IdentityRefused,
        Trouble::GatewayExpired => Symptom::CertificateExpired,
        Trouble::OwnExpired => Symptom::Ended,
        Trouble::OwnSecret => Symptom::NoLogin,
        Trouble::Ended | Trouble::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    fn outcome(state: TunnelState, trouble: Option<Trouble>, ever_stood: bool) -> Outcome {
        let away = TunnelPart::away(Timestamp::UNIX_EPOCH);
        observation(&TunnelPart { state, trouble, ever_stood, ..away }, Rung::Tunnel).outcome
    }

    #[test]
    fn a_tunnel_is_good_while_it_stands_open_while_it_is_called_and_bad_with_a_reason() {
        assert_eq!(outcome(TunnelState::Up, None, true), Outcome::Good);
        assert_eq!(outcome(TunnelState::Calling, None, true), Outcome::Open);
        assert_eq!(outcome(TunnelState::Waiting, Some(Trouble::Other), true), Outcome::Open);
        let refused = Some(Trouble::AuthenticationRefused);
        let bad = |stood| outcome(TunnelState::Waiting, refused, stood);
        assert_eq!(bad(false), Outcome::Bad(Symptom::IdentityRefused));
        assert_eq!(bad(true), Outcome::Bad(Symptom::IdentityRefusedNow));
    }
}
