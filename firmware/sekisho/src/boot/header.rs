//! What the first bytes of the data partition say. LUKS2 on-disk format 1.1.0, section 2.1: magic, version, and a
//! label of 48 bytes at offset 24, which we use as the mark of completion.

/// The label while the partition is being made: a first boot that was cut begins anew.
pub const UNFINISHED: &str = "sekisho-new";
/// The label of a partition that was completed once; it is never made again.
pub const COMPLETE: &str = "sekisho-data";

/// How much is read: both copies of LUKS2's header with its usual size lie in it.
pub const LENGTH: usize = 1024 * 1024;

/// The keyslot token that systemd-cryptenroll writes for a TPM.
const TPM_TOKEN: &[u8] = b"\"systemd-tpm2\"";

/// What the partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Nothing but zeros, as the image leaves it.
    Blank,
    /// Ours, begun and not completed.
    Unfinished,
    /// Ours, completed.
    Complete {
        /// Its key is sealed to this machine's TPM.
        sealed: bool,
    },
    /// Something else, or ours and broken.
    Foreign,
}

/// Reads a header.
pub fn read(bytes: &[u8]) -> Header {
    if bytes.len() < LENGTH {
        return Header::Foreign;
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Header::Blank;
    }
    // Either copy of the header tells: cryptsetup repairs the first from the second. The second copy of an
    // unfinished partition is as unfinished as the first.
    let copies = [(0, b"LUKS\xba\xbe"), (0x4000, b"SKUL\xba\xbe")];
    let labels = copies.into_iter().filter_map(|(at, magic)| label(bytes.get(at..)?, magic));
    let labels: Vec<&str> = labels.collect();
    match () {
        () if labels.contains(&COMPLETE) => Header::Complete { sealed: has(bytes, TPM_TOKEN) },
        () if labels.contains(&UNFINISHED) => Header::Unfinished,
        () => Header::Foreign,
    }
}

fn label<'b>(copy: &'b [u8], magic: &[u8; 6]) -> Option<&'b str> {
    let version = copy.get(6..8)?;
    if copy.get(..6)? != magic || version != [0, 2] {
        return None;
    }
    let label = copy.get(24..72)?;
    let end = label.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(label.get(..end)?).ok()
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(at: usize, magic: &[u8], label: &str) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[at..at + 6].copy_from_slice(magic);
        bytes[at + 7] = 2;
        bytes[at + 24..at + 24 + label.len()].copy_from_slice(label.as_bytes());
        bytes
    }

    const FIRST: &[u8] = b"LUKS\xba\xbe";
    const SECOND: &[u8] = b"SKUL\xba\xbe";

    #[test]
    fn a_header_tells_how_far_the_first_boot_came() {
        assert_eq!(read(&vec![0; LENGTH]), Header::Blank);
        assert_eq!(read(&disk(0, FIRST, UNFINISHED)), Header::Unfinished);
        assert_eq!(read(&disk(0, FIRST, COMPLETE)), Header::Complete { sealed: false });
        let mut sealed = disk(0, FIRST, COMPLETE);
        sealed[0x1000..0x1000 + TPM_TOKEN.len()].copy_from_slice(TPM_TOKEN);
        assert_eq!(read(&sealed), Header::Complete { sealed: true });
    }

    #[test]
    fn what_was_completed_once_is_never_taken_for_new() {
        // The first copy is lost, the second says what it was.
        assert_eq!(read(&disk(0x4000, SECOND, COMPLETE)), Header::Complete { sealed: false });
        for other in [disk(0, FIRST, "somebody"), disk(0, b"EXFAT ", ""), disk(0, b"LUKS\xba\xbf", COMPLETE)]
        {
            assert_eq!(read(&other), Header::Foreign);
        }
        let mut one_bit = vec![0; LENGTH];
        one_bit[LENGTH - 1] = 1;
        assert_eq!(read(&one_bit), Header::Foreign);
        assert_eq!(read(&[]), Header::Foreign);
    }
}
