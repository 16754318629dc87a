//! The box's own certificate for a tunnel: key and chain in one PEM text, and its dates.

use model::Timestamp;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a secret of key and certificate holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The private key, PEM.
    pub key: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// The last second it is good for.
    pub until: Timestamp,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Reads it and holds its dates against `now`.
///
/// # Errors
/// One sentence: what is missing, or that it is not good now.
pub fn read(text: &str, now: Timestamp) -> Result<Identity, String> {
    let part = |is: fn(&str) -> bool| {
        Pem::iter_from_buffer(text.as_bytes()).filter_map(Result::ok).find(|pem| is(&pem.label))
    };
    let key = part(|label| label.ends_with("PRIVATE KEY")).ok_or("it has no private key in PEM")?;
    let certificate = part(|label| label == "CERTIFICATE").ok_or("it has no certificate in PEM")?;
    let (_, read) = X509Certificate::from_der(&certificate.contents)
        .map_err(|_| "its certificate cannot be read".to_owned())?;
    let at = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| "its dates cannot be read".to_owned())
    };
    let (from, until) = (at(read.validity().not_before)?, at(read.validity().not_after)?);
    if now > until {
        return Err(format!("its certificate expired on {}", day(until)));
    }
    if now < from {
        return Err(format!("its certificate is good from {} only", day(from)));
    }
    Ok(Identity {
        key: whole(text, &key.label).ok_or("it has no private key in PEM")?,
        certificate: whole(text, "CERTIFICATE").ok_or("it has no certificate in PEM")?,
        until,
    })
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The text of the first part with this label, as it stands.
fn whole(text: &str, label: &str) -> Option<String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let from = text.find(&begin)?;
    let to = from + text.get(from..)?.find(&end)? + end.len();
    Some(format!("{}\n", text.get(from..to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(from: i32, until: i32) -> String {
        let mut params = rcgen::CertificateParams::new(vec!["clinic-1.provider.test".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        format!("{}{}", certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_that_is_good_is_read_and_one_that_is_not_is_one_sentence() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let good = read(&made(2026, 2028), now).unwrap();
        assert!(good.key.contains("PRIVATE KEY") && good.certificate.contains("BEGIN CERTIFICATE"));
        assert!(!format!("{good:?}").contains("PRIVATE"));
        assert_eq!(read(&made(2020, 2025), now).unwrap_err(), "its certificate expired on 2025-01-01");
        assert_eq!(read(&made(2027, 2028), now).unwrap_err(), "its certificate is good from 2027-01-01 only");
        assert!(read("nothing", now).unwrap_err().contains("private key"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----|[A-Za-z/+=\\n]{0,20}){0,9}") {
            let _ = read(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
