//! What one rung of the ladder saw. Observations are evidence; they accuse nobody.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A rung of the ladder. Rungs form a tree: a broken rung silences only what stands on it ([`Rung::stands_on`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Carrier on the line's port.
    Link,
    /// A concentrator offers a session (RFC 2516), on a line by PPPoE.
    Discovery,
    /// The session stands: user and password were taken.
    Session,
    /// One router speaks for the line, or one that followed another.
    Router,
    /// A router advertisement and an address from it (RFC 4861, RFC 4862); behind a home gateway an address by DHCP, in a
    /// session the one it was given.
    Address,
    /// The router answers neighbour discovery, a home gateway ARP.
    Gateway,
    /// The line gives the terminals a prefix, in the way the site file says, and the one it always gave.
    Prefix,
    /// The provider's gateway answers IKE on UDP 500, on a line by IPsec.
    Ike,
    /// And on UDP 4500, by which everything else goes (RFC 3948).
    IkeNat,
    /// The tunnel to the provider stands.
    Tunnel,
    /// The first resolver answers.
    ResolverOne,
    /// The second resolver answers.
    ResolverTwo,
    /// The line-authentication host accepts a connection.
    LineAuth,
    /// The distribution host accepts a connection.
    Distribution,
    /// The centre's service accepts a TCP connection.
    CentreTcp,
    /// The centre's service speaks TLS with a valid certificate; wanting a client's certificate is reach (CTR-05).
    CentreTls,
    /// The distribution host's name is known in this area.
    Area,
    /// A short train of questions comes back whole and soon.
    Quality,
    /// A packet as large as the line's MTU gets an answer.
    LargePackets,
    /// The time server answers and the offset is known.
    Time,
    /// Carrier on the terminal's port.
    TerminalLink,
    /// The terminal answers ARP or ND.
    TerminalNeighbour,
    /// The terminal accepts TCP 445.
    TerminalSmb,
    /// Share login, share and folders; reported by the relay, which alone holds the terminal's password.
    TerminalShare,
    /// The terminal takes requests and answers them; reported by the relay.
    TerminalAnswers,
    /// The terminal's client certificate is still good, by the date somebody typed in.
    TerminalCertificate,
    /// What answers say about themselves, where that is counted; reported by the relay.
    AnswersSay,
    /// Consumers collect their answers; reported by the relay.
    Collection,
    /// Carrier on the clinic's port.
    ClinicLink,
    /// The consumers' machines answer ARP, where the site file says their addresses.
    ReceiptComputer,
    /// Nobody else in the clinic has our address there (RFC 5227).
    ClinicAddress,
    /// Who belongs to one zone is not seen in another, nor are our own ports on one network.
    Separation,
    /// The terminals' own requests are not seen to fail, nor their questions for names to go elsewhere.
    TerminalFlows,
    /// Carrier on the internet line's port, where the box has one.
    InternetLink,
    /// The internet line lends an address and names a way out (RFC 2131).
    InternetAddress,
    /// Its gateway answers ARP.
    InternetGateway,
    /// Somebody far on it answers whom the box asks there anyway: one of the line's resolvers.
    InternetBeyond,
    /// A gateway of the receipt computer's cloud answers IKE, by the internet line.
    CloudIke,
    /// The tunnel to the cloud stands.
    CloudTunnel,
    /// A service of the cloud accepts a TCP connection.
    CloudTcp,
    /// It speaks TLS with a valid certificate, where the site file names it.
    CloudTls,
    /// The maintainer's gateway, called by the line, answers; known only while a consent is open.
    Maintainer,
    /// The same, called by the internet line.
    MaintainerByInternet,
    /// The kernel holds the ruleset that was proved.
    Ruleset,
    /// There is room where the box keeps its state and the share.
    Storage,
    /// Each role of the box stays alive.
    Roles,
    /// What is remembered of the line is whole.
    Memory,
    /// The relay's own records are whole; reported by the relay.
    Journal,
    /// No older version runs than has run here before.
    Version,
    /// Board and storage are within what they bear.
    Hardware,
    /// The box's own certificates and secrets are good for a while.
    Secrets,
    /// Every file that lies on a terminal is of a known kind; reported by the relay.
    Kinds,
}

/// A part of the way that is judged apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Branch {
    /// From the wall to the centre.
    Line,
    /// From the box's port to the terminal's answers; each terminal has its own.
    Terminal,
    /// The consumers of answers.
    Consumers,
    /// The clinic's network, as far as it can be seen from the box.
    Clinic,
    /// The internet line, which is another way than the one to the centre.
    Internet,
    /// The receipt computer's cloud, behind its own tunnel over the internet line.
    Cloud,
    /// The way to a maintainer, while a consent is open.
    Maintenance,
    /// The box itself. Its rungs stand on nothing, and nothing stands on them.
    Box,
}

impl Rung {
    /// Every rung, in the order a person climbs.
    pub const ALL: [Self; 52] = [
        Self::Link,
        Self::Discovery,
        Self::Session,
        Self::Router,
        Self::Address,
        Self::Gateway,
        Self::Prefix,
        Self::Ike,
        Self::IkeNat,
        Self::Tunnel,
        Self::ResolverOne,
        Self::ResolverTwo,
        Self::LineAuth,
        Self::Distribution,
        Self::CentreTcp,
        Self::CentreTls,
        Self::Area,
        Self::Quality,
        Self::LargePackets,
        Self::Time,
        Self::TerminalLink,
        Self::TerminalNeighbour,
        Self::TerminalSmb,
        Self::TerminalShare,
        Self::TerminalAnswers,
        Self::TerminalCertificate,
        Self::AnswersSay,
        Self::Collection,
        Self::ClinicLink,
        Self::ReceiptComputer,
        Self::ClinicAddress,
        Self::Separation,
        Self::TerminalFlows,
        Self::InternetLink,
        Self::InternetAddress,
        Self::InternetGateway,
        Self::InternetBeyond,
        Self::CloudIke,
        Self::CloudTunnel,
        Self::CloudTcp,
        Self::CloudTls,
        Self::Maintainer,
        Self::MaintainerByInternet,
        Self::Ruleset,
        Self::Storage,
        Self::Roles,
        Self::Memory,
        Self::Journal,
        Self::Version,
        Self::Hardware,
        Self::Secrets,
        Self::Kinds,
    ];

    /// To which part of the way it belongs.
    pub const fn branch(self) -> Branch {
        match self {
            Self::TerminalLink
            | Self::TerminalNeighbour
            | Self::TerminalSmb
            | Self::TerminalShare
            | Self::TerminalAnswers
            | Self::TerminalCertificate => Branch::Terminal,
            Self::AnswersSay | Self::Collection => Branch::Consumers,
            Self::ClinicLink
            | Self::ReceiptComputer
            | Self::ClinicAddress
            | Self::Separation
            | Self::TerminalFlows => Branch::Clinic,
            Self::InternetLink | Self::InternetAddress | Self::InternetGateway | Self::InternetBeyond => {
                Branch::Internet
            }
            Self::CloudIke | Self::CloudTunnel | Self::CloudTcp | Self::CloudTls => Branch::Cloud,
            Self::Maintainer | Self::MaintainerByInternet => Branch::Maintenance,
            Self::Ruleset
            | Self::Storage
            | Self::Roles
            | Self::Memory
            | Self::Journal
            | Self::Version
            | Self::Hardware
            | Self::Secrets
            | Self::Kinds => Branch::Box,
            _ => Branch::Line,
        }
    }

    /// Whether the relay reports it, which alone holds the terminals' passwords and sees the files.
    pub const fn is_relays(self) -> bool {
        matches!(
            self,
            Self::TerminalShare
                | Self::TerminalAnswers
                | Self::AnswersSay
                | Self::Collection
                | Self::Journal
                | Self::Kinds
        )
    }

    /// Whether it is a fact about the box that the box itself collects. Its own ends of the tunnels are, what it was
    /// given for the terminals, and what it sees of their requests.
    pub const fn is_own(self) -> bool {
        matches!(
            self,
            Self::Tunnel
                | Self::CloudTunnel
                | Self::Prefix
                | Self::TerminalFlows
                | Self::Maintainer
                | Self::MaintainerByInternet
        ) || matches!(self.branch(), Branch::Box) && !self.is_relays()
    }

    /// The rungs that must hold for this one to say anything. For names either resolver is enough. One that a site does not
    /// have stands for what it stands on.
    pub const fn stands_on(self) -> &'static [Self] {
        match self {
            Self::Link | Self::TerminalLink | Self::AnswersSay | Self::Collection => &[],
            Self::TerminalCertificate => &[],
            Self::Ruleset
            | Self::Storage
            | Self::Roles
            | Self::Memory
            | Self::Journal
            | Self::Version
            | Self::Hardware
            | Self::Secrets
            | Self::Kinds => &[],
            Self::Discovery | Self::Prefix => &[Self::Link],
            Self::Session => &[Self::Discovery],
            Self::Address => &[Self::Session],
            Self::Router => &[Self::Address],
            Self::Gateway => &[Self::Address],
            Self::Ike | Self::IkeNat | Self::Tunnel | Self::Maintainer => &[Self::Gateway],
            Self::ResolverOne | Self::ResolverTwo => &[Self::Tunnel],
            Self::LineAuth
            | Self::Distribution
            | Self::CentreTcp
            | Self::Area
            | Self::Quality
            | Self::LargePackets
            | Self::Time => &[Self::ResolverOne, Self::ResolverTwo],
            Self::CentreTls => &[Self::CentreTcp],
            Self::TerminalNeighbour => &[Self::TerminalLink],
            Self::TerminalSmb => &[Self::TerminalNeighbour],
            Self::TerminalShare => &[Self::TerminalSmb],
            Self::TerminalAnswers => &[Self::TerminalShare],
            Self::ClinicLink | Self::TerminalFlows => &[],
            Self::ReceiptComputer | Self::ClinicAddress | Self::Separation => &[Self::ClinicLink],
            Self::InternetLink => &[],
            Self::InternetAddress => &[Self::InternetLink],
            Self::InternetGateway => &[Self::InternetAddress],
            Self::InternetBeyond | Self::CloudIke | Self::CloudTunnel | Self::MaintainerByInternet => {
                &[Self::InternetGateway]
            }
            // Of several services one may refuse, and another show its certificate all the same.
            Self::CloudTcp | Self::CloudTls => &[Self::CloudTunnel],
        }
    }

    /// What the ladder calls this rung.
    pub const fn name(self) -> Text {
        match self {
            Self::Link => Text::new("回線ポートの信号", "line port carrier"),
            Self::Discovery => Text::new("接続の受け付け", "PPPoE discovery"),
            Self::Session => Text::new("接続の認証", "PPPoE session"),
            Self::Router => Text::new("回線側ルーターの数", "one router on the line"),
            Self::Address => Text::new("アドレスの受け取り", "address"),
            Self::Gateway => Text::new("回線側ルーターの応答", "gateway"),
            Self::Prefix => Text::new("端末用アドレスの受け取り", "prefix for the terminals"),
            Self::Ike => Text::new("接続先の応答（500番）", "IKE, port 500"),
            Self::IkeNat => Text::new("接続先の応答（4500番）", "IKE, port 4500"),
            Self::Tunnel => Text::new("接続先とのトンネル", "tunnel to the provider"),
            Self::ResolverOne => Text::new("名前の問い合わせ先 1", "resolver 1"),
            Self::ResolverTwo => Text::new("名前の問い合わせ先 2", "resolver 2"),
            Self::LineAuth => Text::new("回線認証", "line authentication"),
            Self::Distribution => Text::new("配信サーバー", "distribution host"),
            Self::CentreTcp => Text::new("センターへの接続", "centre, TCP"),
            Self::CentreTls => Text::new("センターの証明書", "centre, TLS"),
            Self::Area => Text::new("地域（東・西）", "area, East or West"),
            Self::Quality => Text::new("回線の品質", "loss and delay"),
            Self::LargePackets => Text::new("大きなデータ", "large packets"),
            Self::Time => Text::new("時刻", "time"),
            Self::TerminalLink => Text::new("端末ポートの信号", "terminal port carrier"),
            Self::TerminalNeighbour => Text::new("端末の応答", "terminal"),
            Self::TerminalSmb => Text::new("端末のファイル共有", "terminal file sharing"),
            Self::TerminalShare => Text::new("端末の共有フォルダー", "terminal share"),
            Self::TerminalAnswers => Text::new("端末の回答", "terminal's answers"),
            Self::TerminalCertificate => Text::new("端末の証明書の期限", "terminal's certificate, its date"),
            Self::AnswersSay => Text::new("回答の内容", "what answers say"),
            Self::Collection => Text::new("結果の取り込み", "collection of answers"),
            Self::ClinicLink => Text::new("院内LANポートの信号", "clinic port carrier"),
            Self::ReceiptComputer => Text::new("レセコンの応答", "receipt computer"),
            Self::ClinicAddress => Text::new("院内LANでの本機のアドレス", "this box's address in the clinic"),
            Self::Separation => Text::new("端末側と院内LANの分離", "zones kept apart"),
            Self::TerminalFlows => Text::new("端末からの通信", "terminals' own requests"),
            Self::InternetLink => Text::new("インターネット回線の信号", "internet port carrier"),
            Self::InternetAddress => {
                Text::new("インターネット回線のアドレス", "address on the internet line")
            }
            Self::InternetGateway => Text::new("インターネット回線の入口の応答", "internet line's gateway"),
            Self::InternetBeyond => Text::new("インターネット回線の先の応答", "internet beyond its gateway"),
            Self::CloudIke => Text::new("クラウドの装置の応答", "cloud's gateway, IKE"),
            Self::CloudTunnel => Text::new("クラウドとのトンネル", "tunnel to the cloud"),
            Self::CloudTcp => Text::new("クラウドへの接続", "cloud, TCP"),
            Self::CloudTls => Text::new("クラウドの証明書", "cloud, TLS"),
            Self::Maintainer | Self::MaintainerByInternet => {
                Text::new("保守会社の装置の応答", "maintainer's gateway")
            }
            Self::Ruleset => Text::new("通信の規則", "ruleset in the kernel"),
            Self::Storage => Text::new("本機の空き容量", "room on this box"),
            Self::Roles => Text::new("本機のプログラム", "programs of this box"),
            Self::Memory => Text::new("回線の記録", "what is remembered of the line"),
            Self::Journal => Text::new("中継の記録", "the relay's records"),
            Self::Version => Text::new("本機の版", "version of this box"),
            Self::Hardware => Text::new("本機の部品", "board and storage"),
            Self::Secrets => Text::new("本機の証明書の期限", "this box's certificates, their date"),
            Self::Kinds => Text::new("端末のファイルの種類", "kinds of files on the terminal"),
        }
    }
}

/// What went wrong at a rung: a fact seen from here, without a culprit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Symptom {
    /// No carrier on the port.
    NoCarrier,
    /// The port named in the site file does not exist.
    NoPort,
    /// No router answered solicitations for longer than [`ROUTER_PATIENCE_S`].
    NoRouter,
    /// A router was there and said goodbye: an advertisement with lifetime 0.
    RouterGoodbye,
    /// A router is there, but no usable address came of it; or, where they come by DHCP, none was lent with a way out for longer
    /// than [`ROUTER_PATIENCE_S`].
    NoAddress,
    /// The line delegates nothing any more, or never did, for longer than it takes.
    NotDelegated,
    /// It advertises no prefix any more, or never did, for longer than it takes.
    NotAdvertised,
    /// It gives another prefix than before.
    Renumbered,
    /// Another device on the link has our address (RFC 4862 section 5.4).
    Duplicate,
    /// A second router speaks while the first one still answers.
    SecondRouter,
    /// Nothing came back in the rung's patience.
    Silent,
    /// Refused at once: TCP reset or an administrative ICMP error.
    Refused,
    /// No route, or an ICMP unreachable.
    Unreachable,
    /// The name does not exist, or has no address of the wanted family.
    NameMissing,
    /// The resolver answered with an error.
    ResolverError,
    /// An address outside the closed network was answered.
    Stranger,
    /// Our area's name is unknown and the other area's is known.
    OtherArea,
    /// Of a train of questions too many had no answer, at every host alike.
    Lossy,
    /// Half of a train's answers came too late, at every host alike.
    Slow,
    /// Small packets are answered and large ones are not, and nobody says that they are too big.
    LargeLost,
    /// The answer was not what the protocol allows.
    Malformed,
    /// The gateway takes nothing of what is offered.
    NoProposal,
    /// The gateway does not believe who we are, and never did with this secret; or we do not believe it.
    IdentityRefused,
    /// The same, and it did believe us with this same secret.
    IdentityRefusedNow,
    /// The certificate's dates exclude today; only said while our clock is trusted.
    CertificateExpired,
    /// The certificate is for another name.
    CertificateName,
    /// The certificate comes from an issuer that is not expected.
    CertificateIssuer,
    /// The share login was refused.
    LoginRefused,
    /// The login for it that this box keeps cannot be read.
    NoLogin,
    /// There is no room for another session.
    Busy,
    /// Nobody there knows the service that is asked for by its name.
    NoService,
    /// The share or a folder in it is not there.
    ShareMissing,
    /// Reading or writing is not permitted.
    Denied,
    /// The disk behind the share is full.
    DiskFull,
    /// Requests lie where they were put, and nobody takes them.
    Untaken,
    /// Requests were taken, and no answer came.
    Unanswered,
    /// Answers in a row ended badly as a whole.
    AnswersFailed,
    /// Answers in a row refused what was asked for.
    AnswersRefused,
    /// Answers in a row were errors of both sorts.
    AnswersMixed,
    /// Answers stand in a consumer's folders and are not collected.
    NotCollected,
    /// The clock differs by more than a second, or the server itself is not synchronised.
    ClockOff,
    /// Who belongs to one zone answers in another.
    Elsewhere,
    /// Names are asked for elsewhere, and not of this box.
    AsksElsewhere,
    /// What we send out of one port comes in at another.
    Joined,
    /// What the kernel holds, or held since the start, is not what was proved.
    Drifted,
    /// Our own firewall drops everything.
    Dropping,
    /// A role dies again and again.
    Crashing,
    /// Records were damaged, set aside and made anew.
    Damaged,
    /// An older version runs than before.
    FellBack,
    /// The storage is near the end of its life.
    Worn,
    /// The board is too hot.
    Hot,
    /// Files lie there that are of no known kind.
    UnknownKinds,
    /// A date is near, and this is a day to say so.
    EndsSoon,
    /// A date approaches.
    Ends,
    /// A date has passed.
    Ended,
}

impl Symptom {
    /// Every symptom.
    pub const ALL: [Self; 55] = [
        Self::NoCarrier,
        Self::NoPort,
        Self::NoRouter,
        Self::RouterGoodbye,
        Self::NoAddress,
        Self::NotDelegated,
        Self::NotAdvertised,
        Self::Renumbered,
        Self::Duplicate,
        Self::SecondRouter,
        Self::Silent,
        Self::Refused,
        Self::Unreachable,
        Self::NameMissing,
        Self::ResolverError,
        Self::Stranger,
        Self::OtherArea,
        Self::Lossy,
        Self::Slow,
        Self::LargeLost,
        Self::Malformed,
        Self::NoProposal,
        Self::IdentityRefused,
        Self::IdentityRefusedNow,
        Self::CertificateExpired,
        Self::CertificateName,
        Self::CertificateIssuer,
        Self::LoginRefused,
        Self::NoLogin,
        Self::Busy,
        Self::NoService,
        Self::ShareMissing,
        Self::Denied,
        Self::DiskFull,
        Self::Untaken,
        Self::Unanswered,
        Self::AnswersFailed,
        Self::AnswersRefused,
        Self::AnswersMixed,
        Self::NotCollected,
        Self::ClockOff,
        Self::Elsewhere,
        Self::AsksElsewhere,
        Self::Joined,
        Self::Drifted,
        Self::Dropping,
        Self::Crashing,
        Self::Damaged,
        Self::FellBack,
        Self::Worn,
        Self::Hot,
        Self::UnknownKinds,
        Self::EndsSoon,
        Self::Ends,
        Self::Ended,
    ];
}

/// How long the line may be without a router before that is a fault, seconds. RFC 7559 sends four solicitations in
/// that time; the rest is patience with a router that reboots.
pub const ROUTER_PATIENCE_S: u64 = 30;

/// The outcome of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is", content = "symptom")]
pub enum Outcome {
    /// As it should be.
    Good,
    /// Not as it should be; the symptom is the fact.
    Bad(Symptom),
    /// Not looked at, because what it stands on is broken.
    Skipped,
    /// Looked at, and nothing can be said yet (for instance within the patience for a router).
    Open,
}

impl Outcome {
    /// Whether the rung holds.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good)
    }

    /// The symptom of a bad rung.
    pub const fn symptom(self) -> Option<Symptom> {
        match self {
            Self::Bad(symptom) => Some(symptom),
            Self::Good | Self::Skipped | Self::Open => None,
        }
    }
}

/// One look at one rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Observation {
    /// Which rung.
    pub rung: Rung,
    /// Which terminal, for the terminal's rungs (its name in the site file).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// When the look ended.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub took_ms: f64,
    /// Facts for an engineer: addresses, names, error texts. Never a patient's; escaped where it is shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Everything the judge may use, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The newest observation of each rung. With several terminals: of the first one that is not good.
    pub observations: BTreeMap<Rung, Observation>,
    /// Rungs that were good at least once on this site, kept across restarts.
    pub ever_good: Vec<Rung>,
    /// Rungs that were lost again and again of late.
    #[serde(default)]
    pub flapping: Vec<Rung>,
    /// Rungs that have been silent for so long that a tunnel below them which had gone would have been noticed.
    #[serde(default)]
    pub outlasted: Vec<Rung>,
    /// Rungs this site does not have: nobody looks at them, and nothing is missing.
    #[serde(default)]
    pub lacking: Vec<Rung>,
    /// Whether the clinic's computers leave by the internet line: only then does anybody feel that it is away.
    #[serde(default)]
    pub clinic_leaves: bool,
    /// Whether our own clock may accuse a certificate (faults.md: withheld otherwise).
    pub clock_trusted: bool,
    /// Whether a time server has confirmed our clock since the start.
    #[serde(default)]
    pub clock_confirmed: bool,
    /// A maintenance of the centre that was announced is going on, by a clock that is trusted.
    #[serde(default)]
    pub announced: bool,
    /// The terminal may be restarting by itself: it is the hour for that, by a clock that is trusted, and it has not been
    /// away for long.
    #[serde(default)]
    pub quiet: bool,
}

impl Evidence {
    /// The outcome at a rung; a rung without an observation was not looked at.
    pub fn outcome(&self, rung: Rung) -> Outcome {
        self.observations.get(&rung).map_or(Outcome::Skipped, |seen| seen.outcome)
    }

    /// Whether this site does not have the rung.
    pub fn lacks(&self, rung: Rung) -> bool {
        self.lacking.contains(&rung)
    }

    /// Whether the rung was ever good on this site.
    pub fn was_good(&self, rung: Rung) -> bool {
        self.ever_good.contains(&rung)
    }
}
