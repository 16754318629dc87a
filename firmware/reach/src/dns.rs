//! One question of DNS for a host's addresses of one family, as bytes. Pure; reads anything without panic.

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{Name, RData, RecordType};

/// The number of the padding option (RFC 7830 section 3).
const PADDING: u16 = 12;
/// What an OPT record with one option has beside that option's bytes (RFC 6891 sections 6.1.2 and 6.1.3).
const EDNS: usize = 11 + 4;
/// The answer may be small.
const LARGEST_ANSWER: u16 = 1232;

/// A question, asked once or again with the same number.
#[derive(Clone, Debug)]
pub struct Question {
    id: u16,
    query: Query,
    /// The datagram.
    pub bytes: Vec<u8>,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The addresses, at least one.
    Addresses(Vec<IpAddr>),
    /// The name does not exist, or has no address of that family.
    Missing,
    /// The resolver could not or would not: its response code in words.
    Failed(String),
    /// Not an answer to our question: another's number.
    Foreign,
    /// An answer to our question that breaks the protocol.
    Malformed(String),
}

impl Question {
    /// Asks for the AAAA records of `host`, or for its A records.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn new(host: &str, ipv4: bool) -> Result<Self, String> {
        let mut name = Name::from_ascii(host).map_err(|error| error.to_string())?;
        name.set_fqdn(true);
        let query = Query::query(name, if ipv4 { RecordType::A } else { RecordType::AAAA });
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let bytes = message.to_vec().map_err(|error| error.to_string())?;
        Ok(Self { id: message.metadata.id, query, bytes })
    }

    /// The same, made as long as `length` bytes by padding (RFC 7830).
    ///
    /// # Errors
    /// What is wrong with the name, or that it is longer than that without padding.
    pub fn padded(host: &str, ipv4: bool, length: usize) -> Result<Self, String> {
        let bare = Self::new(host, ipv4)?;
        let padding = length.checked_sub(bare.bytes.len() + EDNS).ok_or("the name is too long")?;
        let mut message = Message::from_vec(&bare.bytes).map_err(|error| error.to_string())?;
        let mut edns = Edns::new();
        edns.set_max_payload(LARGEST_ANSWER).set_version(0);
        edns.options_mut().insert(EdnsOption::Unknown(PADDING, vec![0; padding]));
        message.set_edns(edns);
        let bytes = message.to_vec().map_err(|error| error.to_string())?;
        Ok(Self { bytes, ..bare })
    }

    /// Reads a datagram that came back.
    pub fn answer(&self, bytes: &[u8]) -> Answer {
        if bytes.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)) != Some(self.id) {
            return Answer::Foreign;
        }
        let message = match Message::from_vec(bytes) {
            Ok(message) => message,
            Err(error) => return Answer::Malformed(error.to_string()),
        };
        if message.metadata.message_type != MessageType::Response {
            return Answer::Malformed("a question came back".to_owned());
        }
        if message.queries.iter().ne([&self.query]) {
            return Answer::Malformed("the answer is to another question".to_owned());
        }
        match message.metadata.response_code {
            ResponseCode::NoError => self.addresses(&message),
            ResponseCode::NXDomain => Answer::Missing,
            code => Answer::Failed(code.to_string()),
        }
    }

    /// The addresses at the end of the chain of aliases that begins at our name.
    fn addresses(&self, message: &Message) -> Answer {
        let ipv4 = self.query.query_type == RecordType::A;
        let mut names = vec![&self.query.name];
        let mut found = Vec::new();
        for record in message.answers.iter().filter(|record| record.dns_class == self.query.query_class) {
            match &record.data {
                RData::CNAME(alias) if names.contains(&&record.name) => names.push(&alias.0),
                RData::AAAA(address) if names.contains(&&record.name) && !ipv4 => {
                    found.push(address.0.into())
                }
                RData::A(address) if names.contains(&&record.name) && ipv4 => found.push(address.0.into()),
                _ => {}
            }
        }
        match (found.is_empty(), message.metadata.truncation) {
            (false, _) => Answer::Addresses(found),
            (true, false) => Answer::Missing,
            (true, true) => Answer::Malformed("cut off before the first address".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::str::FromStr as _;

    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{AAAA, CNAME};
    use proptest::prelude::*;

    use super::*;

    const HOST: &str = "hweb.onshikaku.test";
    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0xcc, 0, 0, 0, 0x10);

    fn name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    /// A resolver's answer with these records.
    fn reply(question: &Question, code: ResponseCode, records: Vec<Record>) -> Vec<u8> {
        let mut message = Message::from_vec(&question.bytes).unwrap().into_response();
        message.metadata.response_code = code;
        message.add_answers(records);
        message.to_vec().unwrap()
    }

    fn aaaa(owner: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::AAAA(AAAA(ADDRESS)))
    }

    #[test]
    fn addresses_are_found_directly_and_behind_an_alias() {
        let question = Question::new(HOST, false).unwrap();
        let direct = reply(&question, ResponseCode::NoError, vec![aaaa("HWEB.onshikaku.test.")]);
        assert_eq!(question.answer(&direct), Answer::Addresses(vec![ADDRESS.into()]));
        let alias =
            Record::from_rdata(name("hweb.onshikaku.test."), 60, RData::CNAME(CNAME(name("a.test."))));
        let behind = reply(&question, ResponseCode::NoError, vec![alias, aaaa("a.test.")]);
        assert_eq!(question.answer(&behind), Answer::Addresses(vec![ADDRESS.into()]));
    }

    #[test]
    fn who_asks_for_one_family_is_not_given_the_other() {
        let question = Question::new(HOST, true).unwrap();
        let other = reply(&question, ResponseCode::NoError, vec![aaaa("hweb.onshikaku.test.")]);
        assert_eq!(question.answer(&other), Answer::Missing);
        let address = RData::A(hickory_proto::rr::rdata::A::new(203, 0, 113, 16));
        let record = Record::from_rdata(name("hweb.onshikaku.test."), 60, address);
        let own = reply(&question, ResponseCode::NoError, vec![record]);
        assert_eq!(question.answer(&own), Answer::Addresses(vec![[203, 0, 113, 16].into()]));
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_is_anothers_is_not_taken() {
        let question = Question::new(HOST, false).unwrap();
        assert_eq!(question.answer(&reply(&question, ResponseCode::NXDomain, vec![])), Answer::Missing);
        assert_eq!(question.answer(&reply(&question, ResponseCode::NoError, vec![])), Answer::Missing);
        let other = reply(&question, ResponseCode::NoError, vec![aaaa("other.test.")]);
        assert_eq!(question.answer(&other), Answer::Missing);
        let failed = reply(&question, ResponseCode::ServFail, vec![]);
        assert!(matches!(question.answer(&failed), Answer::Failed(_)));
    }

    #[test]
    fn our_own_question_back_another_question_and_another_number_are_no_answers() {
        let question = Question::new(HOST, false).unwrap();
        assert!(matches!(question.answer(&question.bytes), Answer::Malformed(_)));
        let mut other = Question::new("other.test", false).unwrap();
        other.id = question.id;
        let reply = reply(&question, ResponseCode::NoError, vec![aaaa("hweb.onshikaku.test.")]);
        assert!(matches!(other.answer(&reply), Answer::Malformed(_)));
        other.id = question.id.wrapping_add(1);
        assert_eq!(other.answer(&reply), Answer::Foreign);
    }

    #[test]
    fn a_padded_question_is_as_long_as_asked_and_the_same_question() {
        let question = Question::padded(HOST, false, 1452).unwrap();
        assert_eq!(question.bytes.len(), 1452);
        let read = Message::from_vec(&question.bytes).unwrap();
        assert_eq!((read.metadata.id, &read.queries[..]), (question.id, &[question.query.clone()][..]));
        let answer = reply(&question, ResponseCode::NoError, vec![aaaa("hweb.onshikaku.test.")]);
        assert_eq!(question.answer(&answer), Answer::Addresses(vec![ADDRESS.into()]));
        Question::padded(HOST, false, 30).unwrap_err();
    }

    #[test]
    fn a_name_that_cannot_be_asked_for_is_an_error() {
        assert!(Question::new(&"a".repeat(64), false).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
            let question = Question::new(HOST, false).unwrap();
            let mut bytes = question.id.to_be_bytes().to_vec();
            bytes.extend(tail);
            let _ = question.answer(&bytes);
        }

        #[test]
        fn no_damage_to_a_real_answer_makes_it_panic(
            at in 2_usize..80, value in any::<u8>(), length in 0_usize..100,
        ) {
            let question = Question::new(HOST, false).unwrap();
            let records = vec![aaaa("hweb.onshikaku.test."), aaaa("hweb.onshikaku.test.")];
            let mut bytes = reply(&question, ResponseCode::NoError, records);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(length);
            let _ = question.answer(&bytes);
        }
    }
}
