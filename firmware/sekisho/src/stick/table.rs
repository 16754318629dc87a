//! Where on a stick a FAT file system may begin: at its very start (a super-floppy), or in a partition of an MBR or a
//! GPT. Only places are read here; whether a file system is there is for who opens it to say.

/// A sector, as everything on a stick counts.
pub const SECTOR: usize = 512;
/// How much of the stick's beginning is looked at: MBR, GPT header and its first 128 entries.
pub const LENGTH: usize = SECTOR * 34;
/// More partitions than these are nobody's stick.
const MOST: usize = 8;

/// FAT of any kind, as MBR types: 01 and 04 small, 06 and 0E large, 0B and 0C FAT32.
const FAT_TYPES: [u8; 6] = [0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e];
/// The MBR type that says: look at the GPT.
const PROTECTIVE: u8 = 0xee;
/// UEFI 2.10, table 5.6: types of an EFI system partition and of Microsoft's basic data, in their bytes on disk.
const GPT_TYPES: [[u8; 16]; 2] = [
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b],
    [0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44, 0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7],
];

/// First sectors of what may be a FAT file system, in order.
pub fn places(start: &[u8]) -> Vec<u32> {
    let Some(first) = start.get(..SECTOR) else { return Vec::new() };
    if first.get(510..512) != Some(&[0x55, 0xaa]) {
        return Vec::new();
    }
    if is_boot_sector(first) {
        return vec![0];
    }
    let entries = (0..4).filter_map(|entry| first.get(446 + entry * 16..462 + entry * 16));
    let mut found = Vec::new();
    for entry in entries {
        match entry.get(4) {
            Some(&PROTECTIVE) => return of_gpt(start),
            Some(kind) if FAT_TYPES.contains(kind) => found.extend(u32_at(entry, 8)),
            _ => {}
        }
    }
    found.retain(|place| *place > 0);
    found
}

/// A jump, sectors of 512 bytes, a cluster of a power of two: what an MBR's code is not.
fn is_boot_sector(sector: &[u8]) -> bool {
    let jumps = matches!(sector.first(), Some(0xeb | 0xe9));
    let cluster = sector.get(13).is_some_and(|sectors| sectors.is_power_of_two());
    jumps && sector.get(11..13) == Some(&[0x00, 0x02]) && cluster
}

fn of_gpt(start: &[u8]) -> Vec<u32> {
    let header = start.get(SECTOR..2 * SECTOR).unwrap_or_default();
    if header.get(..8) != Some(b"EFI PART") {
        return Vec::new();
    }
    // Entries of another size, or at another place, are nobody's stick.
    if u32_at(header, 72) != Some(2) || u32_at(header, 84) != Some(128) {
        return Vec::new();
    }
    let entries = start.get(2 * SECTOR..).unwrap_or_default().chunks_exact(128);
    let ours = entries.filter(|entry| GPT_TYPES.iter().any(|kind| entry.get(..16) == Some(kind)));
    ours.filter_map(|entry| (u32_at(entry, 36) == Some(0)).then(|| u32_at(entry, 32))?)
        .filter(|place| *place > 0)
        .take(MOST)
        .collect()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mbr(entries: &[(u8, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        for (number, (kind, start)) in entries.iter().enumerate() {
            bytes[446 + number * 16 + 4] = *kind;
            bytes[446 + number * 16 + 8..446 + number * 16 + 12].copy_from_slice(&start.to_le_bytes());
        }
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        bytes
    }

    #[test]
    fn a_file_system_is_found_at_the_start_or_in_a_partition() {
        let mut floppy = mbr(&[]);
        floppy[..3].copy_from_slice(&[0xeb, 0x58, 0x90]);
        floppy[11..14].copy_from_slice(&[0x00, 0x02, 8]);
        assert_eq!(places(&floppy), [0]);
        assert_eq!(places(&mbr(&[(0x83, 1), (0x0c, 2048), (0x06, 9000)])), [2048, 9000]);
        let mut gpt = mbr(&[(PROTECTIVE, 1)]);
        gpt[SECTOR..SECTOR + 8].copy_from_slice(b"EFI PART");
        gpt[SECTOR + 72] = 2;
        gpt[SECTOR + 84] = 128;
        gpt[2 * SECTOR..2 * SECTOR + 16].copy_from_slice(&GPT_TYPES[1]);
        gpt[2 * SECTOR + 32..2 * SECTOR + 34].copy_from_slice(&[0, 8]);
        assert_eq!(places(&gpt), [2048]);
    }

    #[test]
    fn what_is_no_table_has_no_places() {
        assert_eq!(places(&[]), [0_u32; 0]);
        assert_eq!(places(&vec![0; LENGTH]), [0_u32; 0]);
        assert_eq!(places(&mbr(&[(0x83, 2048), (0x0c, 0)])), [0_u32; 0]);
        assert_eq!(places(&mbr(&[(PROTECTIVE, 1)])), [0_u32; 0]);
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..LENGTH)) {
            prop_assert!(places(&bytes).len() <= 128);
        }
    }
}
