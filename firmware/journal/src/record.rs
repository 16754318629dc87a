//! One record of the log: `len u32 | crc32c u32 | seq u64 | payload`, little-endian. The checksum covers length,
//! sequence number and payload, so that a record moved or resized by damage is not a record.

/// The largest payload, bytes. A length beyond it is damage, whatever follows.
pub const MAX_PAYLOAD: usize = 64 * 1024;

const HEADER: usize = 16;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number: grows with every record of a log; a gap is where damage was set aside.
    pub seq: u64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// What a segment's bytes say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Every record whose checksum holds, in order.
    pub records: Vec<Record>,
    /// Where the unbroken run of records from the start ends.
    pub whole: usize,
    /// Whether a good record follows a bad place: damage, as a torn tail has nothing good behind it.
    pub damaged: bool,
}

/// Appends one record to `out`. The caller has checked the payload's size.
pub(crate) fn encode(out: &mut Vec<u8>, seq: u64, payload: &[u8]) {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let seq = seq.to_le_bytes();
    out.extend_from_slice(&len);
    out.extend_from_slice(&checksum(len, seq, payload).to_le_bytes());
    out.extend_from_slice(&seq);
    out.extend_from_slice(payload);
}

/// Reads a segment whose first record has the number `first`. Never fails: what is not a record is passed over.
pub(crate) fn scan(bytes: &[u8], first: u64) -> Scan {
    let mut found = Scan::default();
    let mut next = first;
    let mut at = 0;
    let mut broken = false;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match decode(rest).filter(|(record, _)| record.seq >= next) {
            Some((record, used)) => {
                found.damaged |= broken;
                next = record.seq.saturating_add(1);
                found.records.push(record);
                at += used;
                if !broken {
                    found.whole = at;
                }
            }
            None => {
                broken = true;
                at += 1;
            }
        }
    }
    found
}

/// Every record whose checksum holds, in the order of the bytes whatever its number; none for a run of other bytes.
pub(crate) fn places(bytes: &[u8]) -> Vec<Option<Record>> {
    let mut found: Vec<Option<Record>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match decode(rest) {
            Some((record, used)) => {
                found.push(Some(record));
                at += used;
            }
            None => {
                if !matches!(found.last(), Some(None)) {
                    found.push(None);
                }
                at += 1;
            }
        }
    }
    found
}

fn decode(bytes: &[u8]) -> Option<(Record, usize)> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (seq, rest) = rest.split_first_chunk::<8>()?;
    let size = usize::try_from(u32::from_le_bytes(*len)).ok().filter(|size| *size <= MAX_PAYLOAD)?;
    let payload = rest.get(..size)?;
    if checksum(*len, *seq, payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((Record { seq: u64::from_le_bytes(*seq), payload: payload.to_vec() }, HEADER + size))
}

fn checksum(len: [u8; 4], seq: [u8; 8], payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&len), &seq);
    crc32c::crc32c_append(crc, payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_record_is_fixed() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 1, b"abc");
        let crc = crc32c::crc32c(&[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c']).to_le_bytes();
        assert_eq!(bytes[..4], [3, 0, 0, 0]);
        assert_eq!(bytes[4..8], crc);
        assert_eq!(bytes[8..], [1, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c']);
    }

    #[test]
    fn zeroes_are_no_records() {
        assert_eq!(scan(&[0; 64], 0).records, []);
        assert_eq!(scan(&[0; 64], 1), Scan::default());
    }
}
