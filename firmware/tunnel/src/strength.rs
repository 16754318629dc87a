//! Which transforms are known, and which are too weak for a line that carries patients' data: RFC 8247 and RFC 8221
//! say MUST NOT or SHOULD NOT of them.

/// What a word of a proposal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// A cipher that needs an integrity transform beside it.
    Cipher,
    /// A cipher that authenticates itself.
    Aead,
    /// Integrity, and in IKE the pseudo-random function with it.
    Integrity,
    /// The pseudo-random function alone.
    Prf,
    /// The Diffie-Hellman group.
    Group,
}

/// The words, as strongSwan writes them; with the reason why one is too weak.
const KNOWN: &[(&str, Transform, Option<&str>)] = &[
    ("aes128", Transform::Cipher, None),
    ("aes192", Transform::Cipher, None),
    ("aes256", Transform::Cipher, None),
    ("3des", Transform::Cipher, Some("3DES")),
    ("aes128gcm16", Transform::Aead, None),
    ("aes256gcm16", Transform::Aead, None),
    ("chacha20poly1305", Transform::Aead, None),
    ("sha1", Transform::Integrity, None),
    ("sha256", Transform::Integrity, None),
    ("sha384", Transform::Integrity, None),
    ("sha512", Transform::Integrity, None),
    ("md5", Transform::Integrity, Some("MD5")),
    ("prfsha1", Transform::Prf, None),
    ("prfsha256", Transform::Prf, None),
    ("prfsha384", Transform::Prf, None),
    ("prfsha512", Transform::Prf, None),
    ("prfmd5", Transform::Prf, Some("MD5")),
    ("modp768", Transform::Group, Some("Diffie-Hellman group 1")),
    ("modp1024", Transform::Group, Some("Diffie-Hellman group 2")),
    ("modp1536", Transform::Group, Some("Diffie-Hellman group 5")),
    ("modp2048", Transform::Group, None),
    ("modp3072", Transform::Group, None),
    ("modp4096", Transform::Group, None),
    ("ecp256", Transform::Group, None),
    ("ecp384", Transform::Group, None),
    ("ecp521", Transform::Group, None),
    ("x25519", Transform::Group, None),
];

/// A proposal that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// As strongSwan wants it.
    pub text: String,
    /// What in it is too weak.
    pub weak: Vec<&'static str>,
}

/// Reads a proposal. `ike`: it is IKE's own, which always needs a group.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(text: &str, ike: bool) -> Result<Proposal, String> {
    let mut weak = Vec::new();
    let mut kinds = Vec::new();
    for word in text.split('-') {
        let known = KNOWN.iter().find(|(name, ..)| *name == word);
        let (_, kind, reason) = known.ok_or_else(|| format!("{word:?} is no transform that is known"))?;
        kinds.push(*kind);
        weak.extend(*reason);
    }
    let has = |kind| kinds.contains(&kind);
    if has(Transform::Cipher) == has(Transform::Aead) {
        return Err(format!("{text:?} needs one cipher"));
    }
    if has(Transform::Cipher) != has(Transform::Integrity) && !(ike && has(Transform::Aead)) {
        return Err(format!(
            "{text:?} needs an integrity transform beside a cipher that has none, and only then"
        ));
    }
    if ike && has(Transform::Aead) && !has(Transform::Prf) {
        return Err(format!("{text:?} needs a pseudo-random function, like prfsha256"));
    }
    if ike && !has(Transform::Group) {
        return Err(format!("{text:?} needs a Diffie-Hellman group"));
    }
    Ok(Proposal { text: text.to_owned(), weak })
}

/// The words a proposal may have.
pub fn words() -> String {
    KNOWN.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rfcs_forbid_is_called_weak_and_the_rest_is_not() {
        let weak = |text, ike| read(text, ike).unwrap().weak;
        assert!(weak("aes256-sha256-modp2048", true).is_empty());
        assert!(weak("aes256gcm16-prfsha384-ecp384", true).is_empty());
        assert!(weak("aes128gcm16", false).is_empty() && weak("aes128-sha1", false).is_empty());
        assert_eq!(weak("3des-md5-modp1024", true), ["3DES", "MD5", "Diffie-Hellman group 2"]);
        assert_eq!(weak("aes256-sha256-modp1536", false), ["Diffie-Hellman group 5"]);
    }

    #[test]
    fn a_proposal_that_cannot_work_is_refused_with_the_reason() {
        for (text, ike, said) in [
            ("aes256-sha256", true, "group"),
            ("sha256-modp2048", true, "cipher"),
            ("aes256-modp2048", true, "integrity"),
            ("aes256gcm16-modp2048", true, "pseudo-random"),
            ("aes256-aes256gcm16-sha256", false, "cipher"),
            ("rot13-sha256-modp2048", true, "rot13"),
            ("", false, "no transform"),
        ] {
            let error = read(text, ike).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
