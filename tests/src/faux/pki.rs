//! The authorities and certificates around the double of the centre, made once in a folder:
//! for the centre a valid one, an expired one, one for another name and one of another authority, a valid and an expired one for the terminal.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::{Error, at};

/// A folder with the whole set. Files: `ca.pem`, `leaf.pem`, `expired.pem`, `other-name.pem`, `other-issuer.pem`,
/// `client-ca.pem`, `client.pem`, `client-expired.pem`, each certificate with its `.key`.
#[derive(Clone, Debug)]
pub struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// The set in `dir`, made now if it is not there. `name` is the centre's.
    ///
    /// # Errors
    /// The folder cannot be written, or `name` is no DNS name.
    pub fn open(dir: &Path, name: &str) -> Result<Self, Error> {
        let pki = Self { dir: dir.to_owned() };
        if !pki.path("ca.pem").exists() {
            fs::create_dir_all(dir).map_err(at(dir))?;
            pki.make(name)?;
        }
        Ok(pki)
    }

    /// A file of the set.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// The centre's authority is written last: a set that was cut short is made again from the start.
    fn make(&self, name: &str) -> Result<(), Error> {
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let valid = (today - 1.day(), today + 1.year());
        let over = (today - 2.years(), today - 1.day());
        let centre = authority("Lab Centre CA", valid)?;
        let clients = authority("Lab Client CA", valid)?;
        let server = ExtendedKeyUsagePurpose::ServerAuth;
        let client = ExtendedKeyUsagePurpose::ClientAuth;
        self.issue("leaf", name, server.clone(), valid, &centre)?;
        self.issue("expired", name, server.clone(), over, &centre)?;
        self.issue("other-name", "elsewhere.test", server.clone(), valid, &centre)?;
        self.issue("other-issuer", name, server, valid, &authority("Lab Stranger CA", valid)?)?;
        self.issue("client", "terminal.clinic.test", client.clone(), valid, &clients)?;
        self.issue("client-expired", "terminal.clinic.test", client, over, &clients)?;
        self.write("client-ca.pem", &clients.pem(), 0o644)?;
        self.write("ca.pem", &centre.pem(), 0o644)
    }

    fn issue(
        &self,
        file: &str,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        dates: (Date, Date),
        issuer: &CertifiedIssuer<'_, KeyPair>,
    ) -> Result<(), Error> {
        let failed = |source| Error::Certificate { name: name.to_owned(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new([name.to_owned()]).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        date(&mut params, dates);
        let certificate = params.signed_by(&key, issuer).map_err(failed)?;
        self.write(&format!("{file}.key"), &key.serialize_pem(), 0o600)?;
        self.write(&format!("{file}.pem"), &certificate.pem(), 0o644)
    }

    fn write(&self, file: &str, text: &str, mode: u32) -> Result<(), Error> {
        let path = self.path(file);
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(mode).open(&path);
        opened.and_then(|mut out| std::io::Write::write_all(&mut out, text.as_bytes())).map_err(at(&path))
    }
}

fn authority(name: &str, dates: (Date, Date)) -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let failed = |source| Error::Certificate { name: name.to_owned(), source };
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    date(&mut params, dates);
    CertifiedIssuer::self_signed(params, key).map_err(failed)
}

fn date(params: &mut CertificateParams, (from, to): (Date, Date)) {
    let day = |date: Date| date_time_ymd(date.year().into(), part(date.month()), part(date.day()));
    (params.not_before, params.not_after) = (day(from), day(to));
}

fn part(number: i8) -> u8 {
    u8::try_from(number).expect("invariant: a month and a day are positive")
}
