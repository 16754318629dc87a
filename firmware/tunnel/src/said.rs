//! What charon's log says about a call that failed, as a [`Trouble`]. vici itself says only that it failed. The
//! sentences are strongSwan 5.9's and 6.0's; one that is not known is [`Trouble::Other`].

use model::tunnel::Trouble;

/// Listens to the lines of one call.
#[derive(Debug, Default)]
pub struct Said {
    /// What was last sent went to port 4500.
    nat: bool,
    trouble: Option<Trouble>,
}

/// What a line must hold, and what it then means. Of several the first that is said counts: what follows follows from it.
const SENTENCES: &[(&[&str], Trouble)] = &[
    (&["received ", "NO_PROPOSAL_CHOSEN"], Trouble::NoProposal),
    (&["received ", "INVALID_KE_PAYLOAD notify error"], Trouble::NoProposal),
    (&["subject certificate invalid"], Trouble::GatewayExpired),
    (&["MAC mismatched"], Trouble::GatewayNotBelieved),
    (&["no trusted ", "public key found"], Trouble::GatewayNotBelieved),
    (&["constraint check failed"], Trouble::GatewayNotBelieved),
    // Another key under the name of the certificate that was expected.
    (&["signature validation failed"], Trouble::GatewayNotBelieved),
    (&["no shared key found"], Trouble::OwnSecret),
    (&["no private key found"], Trouble::OwnSecret),
    (&["received ", "AUTHENTICATION_FAILED"], Trouble::AuthenticationRefused),
    (&["received ", "TS_UNACCEPTABLE"], Trouble::NotAgreed),
    (&["received ", "INTERNAL_ADDRESS_FAILURE"], Trouble::NotAgreed),
    (&["received ", "FAILED_CP_REQUIRED"], Trouble::NotAgreed),
];

impl Said {
    /// One line of the log.
    pub fn hear(&mut self, line: &str) {
        if line.starts_with("sending packet:") {
            self.nat = line.contains("[4500] (");
        }
        if self.trouble.is_some() {
            return;
        }
        let holds = |words: &&(&[&str], Trouble)| words.0.iter().all(|word| line.contains(word));
        self.trouble = SENTENCES.iter().find(holds).map(|(_, trouble)| *trouble);
        if line.starts_with("giving up after") {
            self.trouble = Some(if self.nat { Trouble::SilentNat } else { Trouble::Silent });
        }
    }

    /// What it was.
    pub fn trouble(&self) -> Trouble {
        self.trouble.unwrap_or(Trouble::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Trouble {
        let mut said = Said::default();
        lines.iter().for_each(|line| said.hear(line));
        said.trouble()
    }

    #[test]
    fn each_sentence_of_charon_is_its_trouble() {
        let sent = "sending packet: from 2001:db8::7[41000] to 2001:db8:0:9::1[500] (464 bytes)";
        let nat = "sending packet: from 2001:db8::7[41001] to 2001:db8:0:9::1[4500] (256 bytes)";
        let over = "giving up after 4 retransmits";
        assert_eq!(heard(&[sent, over]), Trouble::Silent);
        assert_eq!(heard(&[sent, nat, over]), Trouble::SilentNat);
        assert_eq!(heard(&[sent, "received NO_PROPOSAL_CHOSEN notify error"]), Trouble::NoProposal);
        assert_eq!(
            heard(&[nat, "received AUTHENTICATION_FAILED notify error"]),
            Trouble::AuthenticationRefused
        );
        let expired = "subject certificate invalid (valid from Jan 01 00:00:00 2020 to Jan 01 00:00:00 2021)";
        let then = "no trusted RSA public key found for 'gateway.provider.test'";
        assert_eq!(heard(&[nat, expired, then]), Trouble::GatewayExpired);
        assert_eq!(heard(&[nat, then]), Trouble::GatewayNotBelieved);
        assert_eq!(
            heard(&[nat, "tried 1 shared key for 'a' - 'b', but MAC mismatched"]),
            Trouble::GatewayNotBelieved
        );
        let other_key = "signature validation failed, looking for another key";
        assert_eq!(heard(&[nat, other_key]), Trouble::GatewayNotBelieved);
        assert_eq!(heard(&[nat, "received TS_UNACCEPTABLE notify, no CHILD_SA built"]), Trouble::NotAgreed);
        assert_eq!(heard(&["something new"]), Trouble::Other);
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(lines in proptest::collection::vec(".{0,80}", 0..5)) {
            let _ = heard(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
