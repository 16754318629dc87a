//! The box's own key and certificate for maintenance: made on the box, and only the certificate ever leaves it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use model::Timestamp;

use crate::certificate::{self, Identity};

/// The name in the box's certificate, which is its IKE identity too.
pub const NAME: &str = "sekisho-maintenance";

/// Years: longer than a box is used. Whoever gets a new box gets a new certificate.
const YEARS: i32 = 15;

/// Where it lies: key and certificate, readable by their owner only.
pub fn path(state: &Path) -> PathBuf {
    state.join("maintenance").join("identity.pem")
}

/// The box's identity, made if there is none.
///
/// # Errors
/// One sentence: what could not be made, kept or read.
pub fn own(state: &Path, now: Timestamp) -> Result<Identity, String> {
    let path = path(state);
    let kept = journal::read(&path).map_err(|error| error.to_string())?;
    let text = match kept {
        Some(bytes) => String::from_utf8(bytes).map_err(|_| "the box's identity is no text".to_owned())?,
        None => make(&path, now)?,
    };
    certificate::read(&text, now).map_err(|wrong| wrong.to_string())
}

fn make(path: &Path, now: Timestamp) -> Result<String, String> {
    let failed = |error: rcgen::Error| error.to_string();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(failed)?;
    let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).map_err(failed)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, NAME);
    let year = i32::from(now.to_zoned(TimeZone::UTC).year());
    // A clock that was wrong when it was made must not make it bad later.
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + YEARS, 1, 1);
    let made = params.self_signed(&key).map_err(failed)?;
    let text = format!("{}{}", key.serialize_pem(), made.pem());
    if let Some(folder) = path.parent() {
        journal::make_folder(folder).map_err(|error| error.to_string())?;
    }
    journal::replace(path, text.as_bytes()).map_err(|error| error.to_string())?;
    // Whoever is root may have asked for it first; it is his whose folder it is.
    let folder = path.parent().and_then(|folder| std::fs::metadata(folder).ok());
    if let Some(folder) = folder {
        let (user, group) = (folder.uid(), folder.gid());
        std::os::unix::fs::chown(path, Some(user), Some(group)).map_err(|error| error.to_string())?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let state = tempfile::tempdir().unwrap();
        let now = "2026-11-30T00:00:00Z".parse().unwrap();
        let made = own(state.path(), now).unwrap();
        assert_eq!(own(state.path(), now).unwrap(), made);
        let mode = std::fs::metadata(path(state.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(made.until > "2040-01-01T00:00:00Z".parse().unwrap());
    }
}
