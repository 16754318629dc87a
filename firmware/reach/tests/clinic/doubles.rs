//! What the far end answers with: names, certificates good and bad, the relay's word.

use std::future::Future;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::AAAA;
use hickory_proto::rr::{RData, Record};
use model::{Observation, Outcome, Rung, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reach::Witness;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::{CENTRE, DISTRIBUTION, LINE_AUTH, TIME};

/// How a resolver behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// Knows every host of the lab.
    Fine,
    /// Answers our question with garbage.
    Garbage,
    /// Knows no name.
    Empty,
    /// Answers with an address outside the closed network.
    Stranger,
    /// Knows the distribution host of the other area and not ours.
    OtherArea,
    /// Gives two addresses for every host; nobody is at the first.
    DeadFirst,
}

/// An address of the closed network that nobody has.
pub const DEAD: &str = "2001:db8:0:cc::99";

/// What the centre's certificate is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    Fine,
    Expired,
    OtherName,
    OtherIssuer,
    ExpiredOfOtherIssuer,
}

/// A resolver's answer to any question for an address.
pub fn answer(question: &[u8], how: Resolver) -> Vec<u8> {
    if how == Resolver::Garbage {
        return [&question[..2], &[0xff; 30]].concat();
    }
    let mut message = Message::from_vec(question).unwrap().into_response();
    let name = message.queries[0].name.clone();
    let (ours, others) = ("assv.east.test.", "assv.west.test.");
    let text = name.to_ascii().to_ascii_lowercase();
    let unknown = if how == Resolver::OtherArea { ours } else { others };
    let host = match text.as_str() {
        "hweb.onshikaku.test." => CENTRE,
        "www.lineauth.test." => LINE_AUTH,
        name if name == ours || name == others => DISTRIBUTION,
        _ => TIME,
    };
    let host = if how == Resolver::Stranger { "2001:4860::8888" } else { host };
    if how == Resolver::Empty || text == unknown {
        message.metadata.response_code = ResponseCode::NXDomain;
    } else {
        if how == Resolver::DeadFirst {
            message.add_answer(Record::from_rdata(
                name.clone(),
                60,
                RData::AAAA(AAAA(DEAD.parse().unwrap())),
            ));
        }
        message.add_answer(Record::from_rdata(name, 60, RData::AAAA(AAAA(host.parse().unwrap()))));
    }
    message.to_vec().unwrap()
}

/// A certificate authority.
pub fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that wants a client's certificate.
pub fn server(
    certificate: Certificate,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    let name = if certificate == Certificate::OtherName { "other.test" } else { "hweb.onshikaku.test" };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if matches!(certificate, Certificate::Expired | Certificate::ExpiredOfOtherIssuer) {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let stranger = self::issuer("a stranger's authority");
    let other = matches!(certificate, Certificate::OtherIssuer | Certificate::ExpiredOfOtherIssuer);
    let leaf = params.signed_by(&key, if other { &stranger } else { issuer }).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(issuer.der().to_vec())).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap()
}

/// The relay's word on the share.
pub struct Shares(pub Arc<Mutex<Option<Outcome>>>);

impl Witness for Shares {
    fn shares(&self, _asked: bool) -> impl Future<Output = Vec<Observation>> + Send {
        let seen = *self.0.lock().unwrap();
        let at = |rung, terminal: Option<&str>, outcome| Observation {
            rung,
            terminal: terminal.map(str::to_owned),
            outcome,
            at: Timestamp::now(),
            took_ms: 1.0,
            detail: String::new(),
        };
        let said = seen.map(|outcome| {
            vec![
                at(Rung::TerminalShare, Some("t1"), outcome),
                at(Rung::TerminalAnswers, Some("t1"), Outcome::Good),
                at(Rung::AnswersSay, None, Outcome::Good),
                at(Rung::Collection, None, Outcome::Good),
                at(Rung::Journal, None, Outcome::Good),
                at(Rung::Kinds, None, Outcome::Good),
            ]
        });
        std::future::ready(said.unwrap_or_default())
    }

    /// A box that is well.
    fn stirred(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    fn own(&self) -> impl Future<Output = Vec<Observation>> + Send {
        let lives = reach::own::Lives::default();
        let room = Some(reach::own::Room { free: 1 << 30, total: 1 << 30 });
        let ruleset = Some(model::part::RulesetState::Proved);
        let facts = reach::own::Facts {
            drift: None,
            ruleset,
            room,
            lives: Some(&lives),
            set_aside: Some(0),
            version: Some(reach::own::Version { own: "0.1.0", left: None }),
            hardware: reach::own::Hardware {
                heat: vec![reach::own::Heat { degrees: 40, critical: None }],
                wear: Vec::new(),
            },
            secrets_until: Some("2046-01-01T00:00:00Z".parse().unwrap()),
        };
        let mut said = reach::own::observations(&facts, Timestamp::now());
        let given = vec!["2001:db8:0:1::/64".parse().unwrap()];
        let part =
            model::segment::SegmentPart { delegated: false, given, before: Vec::new(), missing: false };
        said.push(reach::own::segment(&part));
        said.push(reach::own::flows(&model::flows::FlowsPart::default(), true));
        std::future::ready(said)
    }
}
