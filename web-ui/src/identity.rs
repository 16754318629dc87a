//! The page's certificate, made on the box. The box is its own authority (ECDSA P-256): an installer adds that
//! to the clinic's computers once, and nobody learns to click a warning away.
//!
//! The authority can vouch for nothing but the page's address (RFC 5280 section 4.2.1.10), so a stolen box cannot
//! impersonate anybody else. Both files are PEM with key and certificate together: one rename makes each whole.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, SanType,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use serde::Serialize;

use crate::Error;

/// What a person compares: SHA-256 of the certificates, as browsers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fingerprints {
    /// The page's own.
    pub page: String,
    /// The box's authority, which an installer puts into the clinic's computers.
    pub authority: String,
}

/// Who the page is: what it does TLS with, and what a person compares.
pub struct Identity {
    /// TLS 1.2 and 1.3.
    pub tls: Arc<ServerConfig>,
    /// What a person compares.
    pub fingerprints: Fingerprints,
    /// Until when all of it is good.
    pub until: Timestamp,
}

/// The identity for this address, kept in `dir`; made there if absent.
pub fn identity(dir: &Path, address: IpAddr) -> Result<Identity, Error> {
    std::fs::create_dir_all(dir).map_err(|source| Error::Identity { path: dir.to_owned(), source })?;
    // Named after the address: a box that moves needs a new authority, because the old one vouches for the old one.
    let authority = keep(&dir.join(format!("authority-{address}.pem")), || authority(address))?;
    let page = keep(&dir.join(format!("page-{address}.pem")), || leaf(&authority, address))?;
    let key = PrivateKeyDer::from_pem_slice(page.as_bytes()).map_err(|_| unreadable(dir))?;
    let mut chain = certificates(&page, dir)?;
    chain.extend(certificates(&authority, dir)?);
    let (Some(page), Some(authority)) = (chain.first(), chain.last()) else { return Err(unreadable(dir)) };
    let fingerprints = Fingerprints { page: fingerprint(page), authority: fingerprint(authority) };
    let until = chain.iter().filter_map(until).min().ok_or_else(|| unreadable(dir))?;
    let config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Identity { tls: Arc::new(config), fingerprints, until })
}

/// The end of a certificate; none if it is no certificate.
fn until(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = digest(&SHA256, certificate);
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

fn certificates(pem: &str, dir: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(|_| unreadable(dir))
}

fn unreadable(dir: &Path) -> Error {
    let source = std::io::Error::new(ErrorKind::InvalidData, "the identity is not PEM");
    Error::Identity { path: dir.to_owned(), source }
}

/// What the file holds, or what `make` makes for it.
fn keep(path: &Path, make: impl FnOnce() -> Result<String, rcgen::Error>) -> Result<String, Error> {
    let failed = |source| Error::Identity { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = make()?;
            write_whole(path, &text).map_err(failed)?;
            Ok(text)
        }
        Err(source) => Err(failed(source)),
    }
}

/// Only its owner may read it, and a power cut leaves it whole or absent.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Dates do not come from the box's clock, which nothing has set yet when this runs first.
fn params(common_name: String) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2046, 1, 1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// Made again for every start from the same key, the authority's name and limits are always the same.
fn authority_params(key: &KeyPair, address: IpAddr) -> CertificateParams {
    let number = key.der_bytes().iter().rev().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let mut params = params(format!("Sekisho {address} {number:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let bits = if address.is_ipv4() { 32 } else { 128 };
    // Without a name of its own kind in the list, every DNS name would still be permitted.
    let nowhere = GeneralSubtree::DnsName("sekisho.invalid".into());
    let here = GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits));
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: vec![here, nowhere], excluded_subtrees: Vec::new() });
    params
}

fn authority(address: IpAddr) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = authority_params(&key, address).self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

fn leaf(authority: &str, address: IpAddr) -> Result<String, rcgen::Error> {
    let authority_key = KeyPair::from_pem(authority)?;
    let issuer = Issuer::new(authority_params(&authority_key, address), authority_key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = params(format!("Sekisho page {address}"));
    params.subject_alt_names = vec![SanType::IpAddress(address)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(key.serialize_pem() + &certificate.pem())
}
