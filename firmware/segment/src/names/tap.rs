//! A dnstap message (dnstap.info, protobuf) and the resolver's answer in it. Pure; reads anything without panic.

use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::RData;
use serde::{Deserialize, Serialize};

/// What the resolver told a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The name that was asked for.
    pub name: String,
    /// Where it lies, itself or as another name.
    pub addresses: Vec<IpAddr>,
    /// For how long, seconds.
    pub ttl: u32,
}

/// Fields of `Dnstap` and of its `Message`, and the type of a message that says what a client was told.
const MESSAGE: u64 = 14;
const TYPE: u64 = 1;
const RESPONSE: u64 = 14;
const CLIENT_RESPONSE: u64 = 6;

/// The answer in a frame: one to a client, with at least one address.
pub fn read(frame: &[u8]) -> Option<Answer> {
    let message = fields(frame)?.into_iter().find_map(|field| field.bytes(MESSAGE))?;
    let fields = fields(message)?;
    let is_answer = fields.iter().any(|field| field.number(TYPE) == Some(CLIENT_RESPONSE));
    answer(fields.iter().find_map(|field| field.bytes(RESPONSE)).filter(|_| is_answer)?)
}

fn answer(bytes: &[u8]) -> Option<Answer> {
    let message = Message::from_vec(bytes).ok()?;
    let good = message.metadata.message_type == MessageType::Response
        && message.metadata.response_code == ResponseCode::NoError;
    let name = message.queries.first().filter(|_| good)?.name().to_ascii();
    let mut ttl = u32::MAX;
    let mut addresses = Vec::new();
    for record in &message.answers {
        // An alias that ends sooner ends the answer.
        ttl = ttl.min(record.ttl);
        match &record.data {
            RData::A(address) => addresses.push(IpAddr::V4(address.0)),
            RData::AAAA(address) => addresses.push(IpAddr::V6(address.0)),
            _ => {}
        }
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    (!addresses.is_empty()).then_some(Answer { name, addresses, ttl })
}

/// A field of a protobuf message.
#[derive(Clone, Copy)]
enum Field<'b> {
    Number(u64, u64),
    Bytes(u64, &'b [u8]),
    Other,
}

impl<'b> Field<'b> {
    fn bytes(&self, tag: u64) -> Option<&'b [u8]> {
        match self {
            Self::Bytes(own, bytes) if *own == tag => Some(bytes),
            _ => None,
        }
    }

    fn number(&self, tag: u64) -> Option<u64> {
        match self {
            Self::Number(own, number) if *own == tag => Some(*number),
            _ => None,
        }
    }
}

/// All fields, if the message is whole.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = varint(bytes)?;
        let tag = key >> 3;
        let (field, rest) = match key & 7 {
            0 => varint(rest).map(|(number, rest)| (Field::Number(tag, number), rest))?,
            1 => (Field::Other, rest.get(8..)?),
            2 => {
                let (length, rest) = varint(rest)?;
                let (inner, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Field::Bytes(tag, inner), rest)
            }
            5 => (Field::Other, rest.get(4..)?),
            _ => return None,
        };
        all.push(field);
        bytes = rest;
    }
    Some(all)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (nth, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f).checked_shl(u32::try_from(7 * nth).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((number, &bytes[nth + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use hickory_proto::op::Query;
    use hickory_proto::rr::rdata::{AAAA, CNAME};
    use hickory_proto::rr::{Name, Record, RecordType};
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0xcc, 0, 0, 0, 0x10);

    fn wire(kind: MessageType) -> Vec<u8> {
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let mut message = Message::query();
        message.metadata.message_type = kind;
        message.add_query(Query::query(name("HWeb.onshikaku.test."), RecordType::AAAA));
        message.add_answer(Record::from_rdata(
            name("hweb.onshikaku.test."),
            60,
            RData::CNAME(CNAME(name("a.test."))),
        ));
        message.add_answer(Record::from_rdata(name("a.test."), 600, RData::AAAA(AAAA(ADDRESS))));
        message.to_vec().unwrap()
    }

    fn framed(kind: u8, answer: &[u8]) -> Vec<u8> {
        let field = |tag: u8, bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).unwrap();
            let length = [(length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
            [&[tag << 3 | 2][..], &length, bytes].concat()
        };
        // Its type, a time (fixed, 4 bytes), the answer.
        let message = [&[TYPE as u8 * 8, kind][..], &[13 << 3 | 5, 1, 2, 3, 4], &field(14, answer)].concat();
        [field(2, b"unbound"), field(14, &message), vec![15 << 3, 1]].concat()
    }

    #[test]
    fn what_a_client_was_told_is_read_with_the_shortest_time_on_the_way() {
        let frame = framed(6, &wire(MessageType::Response));
        let expected =
            Answer { name: "hweb.onshikaku.test".into(), addresses: vec![IpAddr::V6(ADDRESS)], ttl: 60 };
        assert_eq!(read(&frame), Some(expected));
        assert_eq!(read(&framed(5, &wire(MessageType::Query))), None, "a question");
        assert_eq!(read(&framed(4, &wire(MessageType::Response))), None, "what the resolver itself was told");
        assert_eq!(read(&frame[..frame.len() - 3]), None, "half a frame");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = read(&framed(6, &bytes));
        }
    }
}
