//! Which libraries an ELF file (64 bits, little-endian: what a box runs) asks for.

const DYNAMIC: u32 = 2;
const NEEDED: u64 = 1;
const STRTAB: u64 = 5;
const LOAD: u32 = 1;

/// The names of its `DT_NEEDED` entries; none if it is no such file, or is damaged.
pub fn needed(bytes: &[u8]) -> Vec<String> {
    read(bytes).unwrap_or_default()
}

fn read(bytes: &[u8]) -> Option<Vec<String>> {
    if bytes.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (u64_at(bytes, 32)?, u16_at(bytes, 54)?, u16_at(bytes, 56)?);
    let headers: Vec<&[u8]> = (0..u64::from(count))
        .map(|index| bytes.get(usize::try_from(table + index * u64::from(size)).ok()?..))
        .collect::<Option<_>>()?;
    let dynamic = headers.iter().find(|header| u32_at(header, 0) == Some(DYNAMIC))?;
    let begin = usize::try_from(u64_at(dynamic, 8)?).ok()?;
    let length = usize::try_from(u64_at(dynamic, 32)?).ok()?;
    let entries: Vec<(u64, u64)> = bytes
        .get(begin..begin.checked_add(length)?)?
        .chunks_exact(16)
        .map(|entry| Some((u64_at(entry, 0)?, u64_at(entry, 8)?)))
        .collect::<Option<_>>()?;
    let strings = entries.iter().find(|(tag, _)| *tag == STRTAB)?.1;
    let strings = headers.iter().find_map(|header| offset(header, strings))?;
    entries
        .iter()
        .filter(|(tag, _)| *tag == NEEDED)
        .map(|(_, name)| word(bytes, strings.checked_add(*name)?))
        .collect()
}

/// Where in the file an address is.
fn offset(header: &[u8], address: u64) -> Option<u64> {
    let (at, start, length) = (u64_at(header, 8)?, u64_at(header, 16)?, u64_at(header, 32)?);
    let inside = u32_at(header, 0)? == LOAD && (start..start.checked_add(length)?).contains(&address);
    inside.then(|| address - start + at)
}

fn word(bytes: &[u8], at: u64) -> Option<String> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_needs_libc_and_a_text_needs_nothing() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(needed(&this).contains(&"libc.so.6".to_owned()));
        assert!(needed(b"#!/bin/sh\n").is_empty());
        assert!(needed(&this[..4096]).is_empty(), "cut short");
    }
}
