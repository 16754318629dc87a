//! The key of the data partition, and how it is kept: sealed to the TPM (PCR 7, the state of Secure Boot) where
//! there is one; otherwise 32 random bytes in a variable of the machine's own firmware. So the disk alone, in another
//! machine, cannot be read; whoever has the whole box without a TPM can (docs/known-issues.md).
//!
//! Which of the two it is stands in the LUKS header as a token, so that a TPM that comes or goes is not guessed at.

use std::io::Write as _;
use std::path::Path;

use super::data::Trouble;

/// How the key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Sealed to the TPM by systemd-cryptenroll.
    Tpm,
    /// In a variable of the firmware.
    Firmware,
}

/// Our token, as `cryptsetup token import` takes it; the type is ours to choose.
pub const TOKEN: &str = r#"{"type":"sekisho-firmware-variable","keyslots":["0"]}"#;

/// What the header's tokens say. LUKS2 on-disk format 1.1.0, chapter 3: the metadata is JSON, its types are texts.
pub fn kept(header: &[u8]) -> Option<Kept> {
    let has = |wanted: &[u8]| header.windows(wanted.len()).any(|window| window == wanted);
    match () {
        () if has(b"\"systemd-tpm2\"") => Some(Kept::Tpm),
        () if has(b"\"sekisho-firmware-variable\"") => Some(Kept::Firmware),
        () => None,
    }
}

/// A key as LUKS is given it: 32 bytes, as letters, so that no tool stops at a line end.
pub fn random() -> Result<String, Trouble> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The variable's name and our own vendor's GUID, as efivarfs shows them.
const VARIABLE: &str = "SekishoData-6c1f0b1e-4f0a-4f43-9d0c-5d0f6f3b7a21";
/// Where the kernel shows the firmware's variables.
pub const VARIABLES: &str = "/sys/firmware/efi/efivars";
/// UEFI 2.10 section 8.2: non-volatile, boot service and runtime access.
const ATTRIBUTES: [u8; 4] = [7, 0, 0, 0];
const LETTERS: usize = 64;

/// The key in the firmware.
///
/// # Errors
/// A line that says what is not there.
pub fn read(variables: &Path) -> Result<String, Trouble> {
    let path = variables.join(VARIABLE);
    let bytes = std::fs::read(&path).map_err(|error| format!("the firmware's variable: {error}"))?;
    let text = bytes.get(ATTRIBUTES.len()..).and_then(|text| std::str::from_utf8(text).ok());
    let key = text.filter(|text| text.len() == LETTERS).map(str::to_owned);
    key.ok_or_else(|| "the firmware's variable is no key".into())
}

/// The key in the firmware; made there unless there is one. It is never replaced: an older disk may need it.
///
/// # Errors
/// As [`read`].
pub fn make(variables: &Path) -> Result<String, Trouble> {
    let path = variables.join(VARIABLE);
    if path.exists() {
        return read(variables);
    }
    let key = random()?;
    let write = || -> std::io::Result<()> {
        // One write a variable, attributes first (Documentation/filesystems/efivarfs.rst).
        let bytes = [&ATTRIBUTES[..], key.as_bytes()].concat();
        std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(&bytes)
    };
    write().map_err(|error| format!("the firmware keeps no variable: {error}"))?;
    // What the firmware says it kept is what counts at the next boot.
    match read(variables)? {
        kept if kept == key => Ok(key),
        _ => Err("the firmware kept something else".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_how_the_key_is_kept() {
        let header = |tokens: &str| format!("LUKS\u{1}{{\"tokens\":{tokens}}}\0\0").into_bytes();
        assert_eq!(kept(&header(r#"{"0":{"type":"systemd-tpm2"}}"#)), Some(Kept::Tpm));
        assert_eq!(kept(&header(TOKEN)), Some(Kept::Firmware));
        assert_eq!(kept(&header("{}")), None);
        assert_eq!(kept(&[]), None);
    }

    #[test]
    fn the_firmwares_key_is_made_once_and_never_replaced() {
        let variables = tempfile::tempdir().unwrap();
        assert!(read(variables.path()).is_err());
        let key = make(variables.path()).unwrap();
        assert_eq!(key.len(), LETTERS);
        assert_eq!(make(variables.path()).unwrap(), key);
        assert_eq!(read(variables.path()).unwrap(), key);
        std::fs::write(variables.path().join(VARIABLE), [7, 0, 0, 0, b'x']).unwrap();
        assert!(make(variables.path()).is_err(), "a broken one is told, not replaced");
    }

    #[test]
    fn no_two_keys_are_the_same() {
        assert_ne!(random().unwrap(), random().unwrap());
    }
}
