//! IKE_SA_INIT without credentials, built and read purely (RFC 7296). What it offers nobody may take, a group that RFC 8247
//! forbids, so that a gateway answers without keeping anything of us; whatever it answers proves the way.

/// A header, section 3.1.
const HEADER: usize = 28;
const IKE_SA_INIT: u8 = 34;
const INITIATOR: u8 = 0x08;
const RESPONSE: u8 = 0x20;
/// Payloads, section 3.2.
const SA: u8 = 33;
const KE: u8 = 34;
const NONCE: u8 = 40;
const NOTIFY: u8 = 41;
/// MODP-768.
const GROUP: u16 = 1;

/// Before IKE on port 4500 (RFC 3948 section 2.2).
pub const NON_ESP: [u8; 4] = [0; 4];

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer to us, and what it says.
    Heard(Says),
    /// Nothing of ours.
    Foreign,
    /// Addressed to us, and not what the protocol allows.
    Malformed(&'static str),
}

/// What a gateway says to who offers nothing it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It takes the offer all the same.
    Accepts,
    /// A notification, by its number (section 3.10.1).
    Notifies(u16),
    /// It speaks another version.
    Version(u8),
    /// Something else that is well-formed.
    Other,
}

impl std::fmt::Display for Says {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepts => f.write_str("takes the offer"),
            Self::Notifies(14) => f.write_str("NO_PROPOSAL_CHOSEN"),
            Self::Notifies(17) => f.write_str("INVALID_KE_PAYLOAD"),
            Self::Notifies(5) => f.write_str("INVALID_MAJOR_VERSION"),
            Self::Notifies(16390) => f.write_str("COOKIE"),
            Self::Notifies(number) => write!(f, "notification {number}"),
            Self::Version(version) => write!(f, "IKE {}.{}", version >> 4, version & 15),
            Self::Other => f.write_str("answers"),
        }
    }
}

/// The first message, with this number of ours and 32 random bytes.
pub fn question(spi: [u8; 8], random: [u8; 32]) -> Vec<u8> {
    let mut body = payload(KE, &proposal());
    let mut key = GROUP.to_be_bytes().to_vec();
    key.extend([0, 0]);
    key.extend(random.iter().cycle().take(96));
    body.extend(payload(NONCE, &key));
    body.extend(payload(0, &random));
    let length = u32::try_from(HEADER + body.len()).unwrap_or(0);
    let mut message = spi.to_vec();
    message.extend([0; 8]);
    message.extend([SA, 0x20, IKE_SA_INIT, INITIATOR, 0, 0, 0, 0]);
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}

/// A payload, and which comes after it.
fn payload(next: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap_or(0).to_be_bytes();
    [&[next, 0], &length[..], body].concat()
}

/// One proposal of four transforms: AES-CBC-256, PRF and integrity by SHA-256, and the group.
fn proposal() -> Vec<u8> {
    let transforms: [&[u8]; 4] = [
        &[3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 1, 0],
        &[3, 0, 0, 8, 2, 0, 0, 5],
        &[3, 0, 0, 8, 3, 0, 0, 12],
        &[0, 0, 0, 8, 4, 0, 0, 1],
    ];
    let all = transforms.concat();
    let length = u16::try_from(all.len() + 8).unwrap_or(0).to_be_bytes();
    [&[0, 0], &length[..], &[1, 1, 0, 4], &all].concat()
}

/// Reads what came back to the question with this number. On port 4500 the marker is already taken off.
pub fn answer(bytes: &[u8], spi: [u8; 8]) -> Answer {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else { return Answer::Foreign };
    if header[..8] != spi {
        return Answer::Foreign;
    }
    let [.., a, b, c, d] = *header;
    if usize::try_from(u32::from_be_bytes([a, b, c, d])) != Ok(bytes.len()) {
        return Answer::Malformed("its length is another");
    }
    let (next, version, exchange, flags) = (header[16], header[17], header[18], header[19]);
    if version >> 4 != 2 {
        return Answer::Heard(Says::Version(version));
    }
    if exchange != IKE_SA_INIT || flags & RESPONSE == 0 {
        return Answer::Malformed("it is no answer to IKE_SA_INIT");
    }
    payloads(next, body)
}

/// Walks the payloads; the first that says something counts.
fn payloads(mut next: u8, mut rest: &[u8]) -> Answer {
    let mut says = Says::Other;
    while next != 0 {
        let [after, _, high, low, ..] = *rest else { return Answer::Malformed("a payload is cut off") };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(body) = rest.get(4..length) else { return Answer::Malformed("a payload is cut off") };
        says = match (says, next, body) {
            (Says::Other, SA, _) => Says::Accepts,
            (Says::Other, NOTIFY, [_, _, high, low, ..]) => Says::Notifies(u16::from_be_bytes([*high, *low])),
            (Says::Other, NOTIFY, _) => return Answer::Malformed("a notification without a number"),
            (says, ..) => says,
        };
        rest = rest.get(length..).unwrap_or_default();
        next = after;
    }
    if rest.is_empty() {
        Answer::Heard(says)
    } else {
        Answer::Malformed("something follows the last payload")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPI: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    /// A gateway's answer with these payloads.
    fn reply(next: u8, body: &[u8]) -> Vec<u8> {
        let mut message = SPI.to_vec();
        message.extend([9; 8]);
        message.extend([next, 0x20, IKE_SA_INIT, RESPONSE, 0, 0, 0, 0]);
        message.extend(u32::try_from(HEADER + body.len()).unwrap().to_be_bytes());
        message.extend(body);
        message
    }

    fn notify(number: u16) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        payload(0, &[0, 0, high, low])
    }

    #[test]
    fn the_question_is_a_well_formed_ike_sa_init() {
        let message = question(SPI, [7; 32]);
        assert_eq!(u32::from_be_bytes(message[24..28].try_into().unwrap()) as usize, message.len());
        let mut back = message;
        back[19] = RESPONSE;
        assert_eq!(answer(&back, SPI), Answer::Heard(Says::Accepts), "its payloads can be walked to the end");
    }

    #[test]
    fn any_well_formed_answer_is_heard() {
        assert_eq!(answer(&reply(NOTIFY, &notify(14)), SPI), Answer::Heard(Says::Notifies(14)));
        assert_eq!(Says::Notifies(14).to_string(), "NO_PROPOSAL_CHOSEN");
        let mut old = reply(NOTIFY, &notify(5));
        old[17] = 0x10;
        assert_eq!(answer(&old, SPI), Answer::Heard(Says::Version(0x10)));
    }

    #[test]
    fn what_is_cut_off_or_another_s_is_not_taken() {
        assert_eq!(answer(&reply(NOTIFY, &notify(14)), [0; 8]), Answer::Foreign);
        assert_eq!(answer(&[0; 20], SPI), Answer::Foreign);
        let whole = reply(NOTIFY, &notify(14));
        assert!(matches!(answer(&whole[..whole.len() - 1], SPI), Answer::Malformed(_)));
        assert!(matches!(answer(&reply(NOTIFY, &payload(0, &[0])), SPI), Answer::Malformed(_)));
        assert!(matches!(answer(&reply(NOTIFY, &[0, 0, 0, 2]), SPI), Answer::Malformed(_)));
        assert!(
            matches!(answer(&question(SPI, [0; 32]), SPI), Answer::Malformed(_)),
            "our own question back"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_loop(next in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = answer(&reply(next, &body), SPI);
            let _ = answer(&body, SPI);
        }
    }
}
