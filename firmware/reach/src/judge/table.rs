//! The table: evidence, fault, owner, certainty. Rows that name different parties ask for what cannot be seen together.

use model::{Certainty, FaultCode, Party, Rung, Symptom};

/// Something a row asks of the evidence.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// The rung was seen to hold.
    Good(Rung),
    /// The rung was seen to fail in one of these ways.
    Seen(Rung, &'static [Symptom]),
    /// Link, address and gateway were seen to hold, and session and tunnel where the site has one, and a resolver answers: hosts can
    /// be asked for by name.
    Names,
    /// The line was seen to give the terminals a prefix, the usual one or another, or this site has none of it.
    Given,
    /// A router advertises itself: there is an address, or it was seen to give none.
    Routed,
    /// The rung was good at least once on this site.
    Ever(Rung),
    /// The rung was never good on this site.
    Never(Rung),
    /// The rung is silent for longer than the tunnel below it could have gone unnoticed.
    Outlasts(Rung),
    /// The rung was seen to hold, or never did on this site: there it is no measure.
    GoodOrNever(Rung),
    /// The rung was seen to hold, or this site does not have it.
    GoodOrLacking(Rung),
    /// This site does not have the rung.
    Lacks(Rung),
    /// The rung was seen, and lost again and again of late.
    Flaps(Rung),
    /// All of them were seen to hold; the gateway, where the line has one.
    All(&'static [Rung]),
    /// Our own firewall was seen to hold this site's rules, put right or not.
    Passes,
    /// A maintenance of the centre that was announced is going on.
    Announced,
    /// The terminal may be restarting by itself: it is the hour for that.
    Quiet,
    /// Our own clock may accuse a certificate.
    Clock,
    /// And a time server has confirmed it since the start.
    ClockConfirmed,
    /// Our own clock cannot be trusted.
    ClockDoubted,
}

/// One line of the table: if every need holds, this is what is broken and whose it is.
pub struct Row {
    /// What is broken.
    pub code: FaultCode,
    /// What must hold for that.
    pub needs: &'static [Need],
    /// Who has to act.
    pub owner: Party,
    /// How sure that is.
    pub certainty: Certainty,
}

const fn row(code: FaultCode, needs: &'static [Need], owner: Party, certainty: Certainty) -> Row {
    Row { code, needs, owner, certainty }
}

use Certainty::{Likely, Open, Sure};
use Need::{
    Announced, Clock, ClockConfirmed, ClockDoubted, Ever, Flaps, Given, Good, GoodOrLacking, GoodOrNever,
    Lacks, Names, Never, Outlasts, Passes, Quiet, Routed, Seen,
};
use Rung::{
    Address, AnswersSay, Area, CentreTcp, CentreTls, ClinicAddress, ClinicLink, CloudIke, CloudTcp, CloudTls,
    CloudTunnel, Collection, Discovery, Distribution, Gateway, Hardware, Ike, IkeNat, InternetAddress,
    InternetBeyond, InternetGateway, InternetLink, Journal, Kinds, LargePackets, LineAuth, Link, Maintainer,
    MaintainerByInternet, Memory, Prefix, Quality, ReceiptComputer, ResolverOne, ResolverTwo, Roles, Router,
    Ruleset, Secrets, Separation, Session, Storage, TerminalAnswers, TerminalCertificate, TerminalFlows,
    TerminalLink, TerminalNeighbour, TerminalShare, TerminalSmb, Time, Tunnel, Version,
};
use Symptom::{
    AnswersFailed, AnswersMixed, AnswersRefused, AsksElsewhere, Busy, CertificateExpired, CertificateIssuer,
    CertificateName, ClockOff, Crashing, Damaged, Denied, DiskFull, Drifted, Dropping, Duplicate, Elsewhere,
    Ended, Ends, EndsSoon, FellBack, Hot, IdentityRefused, IdentityRefusedNow, Joined, LargeLost,
    LoginRefused, Lossy, Malformed, NameMissing, NoAddress, NoCarrier, NoLogin, NoProposal, NoRouter,
    NoService, NotAdvertised, NotCollected, NotDelegated, OtherArea, Refused, Renumbered, RouterGoodbye,
    SecondRouter, ShareMissing, Silent, Slow, Stranger, Unanswered, UnknownKinds, Unreachable, Untaken, Worn,
};

/// The host gave no answer at all, or the net in between said that it cannot be had.
const GONE: &[Symptom] = &[Silent, Unreachable];
/// A resolver gives no answer: also when its host lives and nobody listens on port 53.
const NO_ANSWER: &[Symptom] = &[Silent, Unreachable, Refused];
/// The terminals' own connections are not answered, or refused.
const FAILS: &[Symptom] = &[Silent, Refused];
/// Too much is lost or late.
const POOR: &[Symptom] = &[Lossy, Slow];

/// The line, from the wall to the centre. Rows that name different parties ask for what cannot be seen together.
pub const LINE: &[Row] = &[
    // One story, also in the moments in between: the cable, or the ONU's power.
    row(FaultCode::Wan10, &[Flaps(Link)], Party::Clinic, Likely),
    row(FaultCode::Wan01, &[Seen(Link, &[NoCarrier])], Party::Clinic, Likely),
    // Never an address here: the port or the contract's v6 option is checked first. Once good: the line changed.
    row(
        FaultCode::Wan02,
        &[Good(Link), BARE, Seen(Address, &[NoRouter]), Never(Address)],
        Party::Clinic,
        Open,
    ),
    row(
        FaultCode::Wan02,
        &[Good(Link), BARE, Seen(Address, &[NoRouter]), Ever(Address)],
        Party::Line,
        Likely,
    ),
    // Nobody lends an address: the home gateway stands in the clinic, and its plugs are looked at first.
    row(
        FaultCode::Wan02,
        &[Good(Link), BARE, BEHIND, Seen(Address, &[NoAddress]), Never(Address)],
        Party::Clinic,
        Open,
    ),
    row(
        FaultCode::Wan02,
        &[Good(Link), BARE, BEHIND, Seen(Address, &[NoAddress]), Ever(Address)],
        Party::Clinic,
        Likely,
    ),
    row(FaultCode::Wan03, &[Good(Link), BARE, Seen(Address, &[RouterGoodbye])], Party::Line, Sure),
    row(FaultCode::Wan07, &[Good(Link), BARE, Seen(Address, &[Duplicate])], Party::Clinic, Likely),
    // A second router that takes the traffic away; one that does no harm is recorded only.
    row(
        FaultCode::Wan06,
        &[Good(Link), Good(Address), Seen(Router, &[SecondRouter]), Seen(Gateway, GONE)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Wan06,
        &[
            Good(Link),
            Good(Address),
            Seen(Router, &[SecondRouter]),
            Good(Gateway),
            Lacks(Tunnel),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Wan08,
        &[Good(Link), Good(Address), Good(Router), Seen(Gateway, GONE)],
        Party::Line,
        Likely,
    ),
    // It lent an address and hangs.
    row(FaultCode::Wan08, &[Good(Link), Good(Address), BEHIND, Seen(Gateway, GONE)], Party::Clinic, Likely),
    // On a line by PPPoE: nobody answers the question for a session, whose port has carrier. Where somebody always did, the
    // line is away; where nobody ever did, it may be another sort of line too.
    row(FaultCode::Ppp01, &[Good(Link), Seen(Discovery, &[Silent]), Ever(Discovery)], Party::Line, Likely),
    row(FaultCode::Ppp01, &[Good(Link), Seen(Discovery, &[Silent]), Never(Discovery)], Party::Line, Open),
    // Somebody answers, and does not take us: the contract's words, which once were right or never were. Without them nobody
    // was asked.
    row(
        FaultCode::Ppp02,
        &[Good(Link), Good(Discovery), Seen(Session, &[IdentityRefused]), Never(Session)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Ppp02,
        &[Good(Link), Good(Discovery), Seen(Session, &[IdentityRefused]), Ever(Session)],
        Party::Clinic,
        Open,
    ),
    row(FaultCode::Ppp02, &[Good(Link), Seen(Discovery, &[NoLogin])], Party::Box, Sure),
    // The service that the site file names is none of theirs: a slip of whoever typed it in, unless it was served here before.
    row(
        FaultCode::Ppp02,
        &[Good(Link), Good(Discovery), Seen(Session, &[NoService]), Never(Session)],
        Party::Box,
        Likely,
    ),
    row(
        FaultCode::Ppp02,
        &[Good(Link), Good(Discovery), Seen(Session, &[NoService]), Ever(Session)],
        Party::Unknown,
        Open,
    ),
    // It has no room for us. Where this box never had the session, the device from before has it still; where it had, only the
    // line can tell who has it now, and that may be its own memory of us.
    row(
        FaultCode::Ppp03,
        &[Good(Link), Good(Discovery), Seen(Session, &[Busy]), Never(Session)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Ppp03,
        &[Good(Link), Good(Discovery), Seen(Session, &[Busy]), Ever(Session)],
        Party::Line,
        Open,
    ),
    // On a line by IPsec: the gateway refused us in so many words, or our own secret is no good. What stands between us and
    // it comes first: with a line that is broken too, that is the root.
    row(FaultCode::Ike04, &[TO_GATEWAY, Seen(Tunnel, &[NoProposal])], Party::Box, Likely),
    row(FaultCode::Ike05, &[TO_GATEWAY, Seen(Tunnel, &[IdentityRefused])], Party::Box, Likely),
    row(FaultCode::Ike05, &[TO_GATEWAY, Seen(Tunnel, &[IdentityRefusedNow])], Party::IpsecProvider, Likely),
    row(FaultCode::Ike05, &[TO_GATEWAY, Seen(Tunnel, &[NoLogin])], Party::Box, Sure),
    row(FaultCode::Ike06, &[TO_GATEWAY, Seen(Tunnel, &[Ended]), ClockConfirmed], Party::Box, Sure),
    row(
        FaultCode::Ike06,
        &[TO_GATEWAY, Seen(Tunnel, &[CertificateExpired]), ClockConfirmed],
        Party::IpsecProvider,
        Sure,
    ),
    row(FaultCode::Ike06, &[Seen(Tunnel, &[Ended, CertificateExpired])], Party::Unknown, Open),
    // or it does not stand, and one of its gateway's two ports is silent while the other answers: somebody on the way takes
    // that away. While it stands nobody feels it,
    row(
        FaultCode::Ike01,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, &[Silent]), Good(IkeNat), Ever(Ike)],
        Party::Isp,
        Likely,
    ),
    // and where it never passed, a home gateway in front of the box is looked at first,
    row(
        FaultCode::Ike01,
        &[TO_GATEWAY, BEHIND, Seen(Tunnel, &[Silent]), Seen(Ike, &[Silent]), Good(IkeNat), Never(Ike)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Ike01,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, &[Silent]), Good(IkeNat)],
        Party::Unknown,
        Open,
    ),
    row(
        FaultCode::Ike02,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Good(Ike), Seen(IkeNat, &[Silent]), Ever(IkeNat)],
        Party::Isp,
        Likely,
    ),
    row(
        FaultCode::Ike02,
        &[TO_GATEWAY, BEHIND, Seen(Tunnel, &[Silent]), Good(Ike), Seen(IkeNat, &[Silent]), Never(IkeNat)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Ike02,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Good(Ike), Seen(IkeNat, &[Silent])],
        Party::Unknown,
        Open,
    ),
    // or its host says that nobody listens there. One that says nothing at all may be cut off by anybody.
    row(
        FaultCode::Ike03,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, &[Refused]), Seen(IkeNat, &[Refused])],
        Party::IpsecProvider,
        Likely,
    ),
    // Hosts say so seldom (RFC 1812 section 4.3.2.8): one port is enough, where the other says nothing.
    row(
        FaultCode::Ike03,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, &[Refused]), Seen(IkeNat, GONE)],
        Party::IpsecProvider,
        Likely,
    ),
    row(
        FaultCode::Ike03,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, GONE), Seen(IkeNat, &[Refused])],
        Party::IpsecProvider,
        Likely,
    ),
    row(
        FaultCode::Ike03,
        &[TO_GATEWAY, Seen(Tunnel, &[Silent]), Seen(Ike, GONE), Seen(IkeNat, GONE)],
        Party::Unknown,
        Open,
    ),
    // It stands, its gateway is well, and nobody behind it answers.
    row(
        FaultCode::Ike07,
        &[TO_GATEWAY, Good(Ike), Good(Tunnel), Seen(ResolverOne, NO_ANSWER), Seen(ResolverTwo, NO_ANSWER)],
        Party::IpsecProvider,
        Likely,
    ),
    row(
        FaultCode::Dns01,
        &[
            Good(Link),
            Good(Address),
            Good(Router),
            Good(Gateway),
            Lacks(Tunnel),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Line,
        Sure,
    ),
    // The same in a session, whose other end is no neighbour to be asked.
    row(
        FaultCode::Dns01,
        &[
            Good(Link),
            Good(Discovery),
            Good(Session),
            Good(Address),
            Lacks(Gateway),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Line,
        Likely,
    ),
    // Both tell of hosts that are not the closed network's: somebody else answers, a router or a public resolver.
    row(
        FaultCode::Dns05,
        &[
            Good(Link),
            Good(Address),
            Good(Gateway),
            Lacks(Tunnel),
            Seen(ResolverOne, &[Stranger]),
            Seen(ResolverTwo, &[Stranger]),
        ],
        Party::Clinic,
        Likely,
    ),
    // Both doors refuse us while names resolve: we are not let in. Never sure: maintenance of both looks alike.
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Refused]), Seen(CentreTcp, &[Refused]), Never(LineAuth)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Refused]), Seen(CentreTcp, &[Refused]), Ever(LineAuth)],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Silent]), Seen(CentreTcp, &[Refused]), Never(LineAuth)],
        Party::Clinic,
        Open,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Silent]), Seen(CentreTcp, &[Refused]), Ever(LineAuth)],
        Party::Line,
        Open,
    ),
    // What the centre announced, where it is seen that the line carries: otherwise it is nobody's, as ever.
    row(
        FaultCode::Ctr06,
        &[Names, Announced, GoodOrLacking(LineAuth), Seen(CentreTcp, &[Refused])],
        Party::Centre,
        Sure,
    ),
    row(
        FaultCode::Ctr06,
        &[Names, Announced, Good(Quality), GoodOrLacking(LineAuth), Seen(CentreTcp, GONE)],
        Party::Centre,
        Sure,
    ),
    row(
        FaultCode::Ctr06,
        &[Names, Announced, GoodOrLacking(LineAuth), Good(CentreTcp), Seen(CentreTls, &[Refused])],
        Party::Centre,
        Sure,
    ),
    // The neighbours on the closed network decide: both fine, it is the centre's own door.
    // What the terminals' own connections meet there stands beside it, if it is seen.
    row(
        FaultCode::Ctr01,
        &[
            Names,
            GoodOrLacking(LineAuth),
            Good(Distribution),
            Seen(CentreTcp, &[Refused]),
            Seen(TerminalFlows, FAILS),
        ],
        Party::Centre,
        Sure,
    ),
    row(
        FaultCode::Ctr01,
        &[Names, GoodOrLacking(LineAuth), Good(Distribution), Seen(CentreTcp, &[Refused])],
        Party::Centre,
        Sure,
    ),
    row(FaultCode::Ctr01, &[Names, Seen(CentreTcp, &[Refused])], Party::Unknown, Open),
    // On a line that loses much a host that does not answer proves nothing against it.
    row(
        FaultCode::Wan11,
        &[Names, Lacks(Tunnel), Seen(Quality, POOR), Seen(CentreTcp, GONE)],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Ctr02,
        &[
            Names,
            Good(Quality),
            GoodOrLacking(LineAuth),
            Good(Distribution),
            Seen(CentreTcp, &[Silent]),
            Seen(TerminalFlows, FAILS),
        ],
        Party::Centre,
        Likely,
    ),
    row(
        FaultCode::Ctr02,
        &[Names, Good(Quality), GoodOrLacking(LineAuth), Good(Distribution), Seen(CentreTcp, &[Silent])],
        Party::Centre,
        Likely,
    ),
    row(
        FaultCode::Ctr02,
        &[Names, Seen(LineAuth, GONE), Seen(Distribution, GONE), Seen(CentreTcp, GONE)],
        Party::Line,
        Likely,
    ),
    row(FaultCode::Ctr02, &[Names, Seen(CentreTcp, GONE)], Party::Unknown, Open),
    // The name: unknown to everybody, or only to the resolvers of the other area.
    row(
        FaultCode::Dns03,
        &[
            Names,
            Seen(CentreTcp, &[NameMissing]),
            Seen(Distribution, &[NameMissing]),
            Seen(Area, &[OtherArea]),
        ],
        Party::Box,
        Likely,
    ),
    row(
        FaultCode::Dns04,
        &[Names, Seen(CentreTcp, &[NameMissing]), GoodOrLacking(LineAuth), Good(Distribution)],
        Party::Centre,
        Likely,
    ),
    row(FaultCode::Dns04, &[Names, Seen(CentreTcp, &[NameMissing])], Party::Unknown, Open),
    // The door opens and is slammed during the handshake, without an alert.
    row(
        FaultCode::Ctr01,
        &[Names, GoodOrLacking(LineAuth), Good(Distribution), Good(CentreTcp), Seen(CentreTls, &[Refused])],
        Party::Centre,
        Likely,
    ),
    row(FaultCode::Ctr01, &[Names, Good(CentreTcp), Seen(CentreTls, &[Refused])], Party::Unknown, Open),
    // Only the certificate itself accuses, and only against a clock we trust.
    row(
        FaultCode::Ctr03,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[CertificateExpired]), ClockConfirmed],
        Party::Centre,
        Sure,
    ),
    // A clock that runs ahead makes every certificate old.
    row(
        FaultCode::Ctr03,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[CertificateExpired]), Clock],
        Party::Unknown,
        Open,
    ),
    // Somebody stands in between, or the centre has changed: not for us to say, but nobody should go on.
    row(
        FaultCode::Ctr04,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[CertificateName, CertificateIssuer])],
        Party::Unknown,
        Open,
    ),
    // The door opens by small packets; the handshake's large ones never come, nor do answers to ours.
    row(
        FaultCode::Wan12,
        &[
            Names,
            Good(CentreTcp),
            Seen(CentreTls, &[Silent]),
            Seen(LargePackets, &[LargeLost]),
            Ever(LargePackets),
        ],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Wan12,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[Silent]), Seen(LargePackets, &[LargeLost])],
        Party::Unknown,
        Open,
    ),
    row(FaultCode::Ctr02, &[Names, Good(CentreTcp), Seen(CentreTls, &[Silent])], Party::Unknown, Open),
    // All is there, and suffers.
    row(
        FaultCode::Wan11,
        &[Names, Lacks(Tunnel), Good(CentreTcp), Good(CentreTls), Seen(Quality, POOR)],
        Party::Line,
        Likely,
    ),
    // Inside a tunnel it may be either's.
    row(
        FaultCode::Wan11,
        &[Names, Good(Tunnel), Good(CentreTcp), Good(CentreTls), Seen(Quality, POOR)],
        Party::Unknown,
        Open,
    ),
    // The handshake fits into small packets; what is sent through it may not.
    row(
        FaultCode::Wan12,
        &[
            Names,
            Good(CentreTcp),
            Good(CentreTls),
            Good(Quality),
            Seen(LargePackets, &[LargeLost]),
            Ever(LargePackets),
        ],
        Party::Line,
        Likely,
    ),
];

/// What the line gives for the terminals, which the box itself may do without: its own address comes by advertisement
/// also where nothing is delegated. Only where a router is there, so that none of this is said of a line that is dead.
pub const SEGMENT: &[Row] = &[
    // What came before and comes no more: the contract was changed, or who hands it on was.
    row(
        FaultCode::Wan04,
        &[Good(Link), Routed, Seen(Prefix, &[NotDelegated, NotAdvertised]), Ever(Prefix)],
        Party::Line,
        Likely,
    ),
    // What never came: the gateway in front keeps it to itself, or the site file is wrong.
    row(
        FaultCode::Wan09,
        &[Good(Link), Routed, Seen(Prefix, &[NotDelegated]), Never(Prefix)],
        Party::Clinic,
        Likely,
    ),
    row(FaultCode::Wan04, &[Good(Link), Routed, Seen(Prefix, &[NotAdvertised])], Party::Unknown, Open),
];

/// The box itself, where staff may feel it. Its rungs know nothing of each other: every row that holds is a finding.
pub const BOX: &[Row] = &[
    row(
        FaultCode::Time01,
        &[ClockDoubted, Seen(Time, &[ClockOff, Silent, Unreachable, Refused, NameMissing, Malformed])],
        Party::Box,
        Likely,
    ),
    row(FaultCode::Box01, &[Seen(Storage, &[DiskFull])], Party::Box, Sure),
    row(FaultCode::Box02, DROPPING, Party::Box, Sure),
    row(FaultCode::Box05, &[Seen(Roles, &[Crashing])], Party::Box, Sure),
];

/// What somebody has to act on while the service goes on. Every row that holds is a finding.
pub const WARNINGS: &[Row] = &[
    row(FaultCode::Clin05, &[Seen(Separation, &[Joined])], Party::Clinic, Likely),
    // Private addresses repeat: it may be another machine of the same number.
    row(FaultCode::Clin04, &[Seen(Separation, &[Elsewhere])], Party::Clinic, Open),
    // Nobody waits for the terminal, which is well otherwise: it may have the centre's name from elsewhere.
    row(
        FaultCode::Term12,
        &[TO_SHARE, Good(TerminalShare), Good(TerminalAnswers), Names, Seen(TerminalFlows, &[AsksElsewhere])],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Box02, &[Seen(Ruleset, &[Drifted])], Party::Box, Sure),
    row(FaultCode::Box03, &[Seen(Memory, &[Damaged])], Party::Box, Sure),
    row(FaultCode::Box03, &[Seen(Journal, &[Damaged])], Party::Box, Sure),
    row(FaultCode::Box06, &[Seen(Secrets, &[EndsSoon, Ended])], Party::Box, Sure),
    row(FaultCode::Box07, &[Seen(Version, &[FellBack])], Party::Box, Sure),
    row(FaultCode::Box08, &[Seen(Hardware, &[Worn, Hot])], Party::Box, Sure),
    row(FaultCode::Cal01, &[Seen(TerminalCertificate, &[EndsSoon])], Party::Terminal, Sure),
    // It answers all the same: either was not told of the other's new one.
    row(
        FaultCode::Cal01,
        &[Seen(TerminalCertificate, &[Ended]), Good(TerminalAnswers)],
        Party::Terminal,
        Likely,
    ),
];

/// Our own firewall lets nothing pass.
pub const DROPPING: &[Need] = &[Seen(Ruleset, &[Dropping])];

/// The terminal, from the box's port to its share.
pub const TERMINAL: &[Row] = &[
    // At the hour of its nightly restart it is expected to be away for some minutes.
    row(FaultCode::Term10, &[Quiet, Seen(TerminalLink, &[NoCarrier])], Party::Terminal, Likely),
    row(FaultCode::Term10, &[Quiet, Seen(TerminalNeighbour, GONE)], Party::Terminal, Likely),
    row(FaultCode::Term10, &[Quiet, Seen(TerminalSmb, NO_ANSWER)], Party::Terminal, Likely),
    row(FaultCode::Term01, &[Seen(TerminalLink, &[NoCarrier])], Party::Clinic, Likely),
    row(FaultCode::Term01, &[Good(TerminalLink), Seen(TerminalNeighbour, GONE)], Party::Terminal, Likely),
    // Carrier tells the terminal from its cable; without that it is neither's.
    row(FaultCode::Term01, &[Seen(TerminalNeighbour, GONE)], Party::Unknown, Open),
    row(
        FaultCode::Term02,
        &[Good(TerminalLink), Good(TerminalNeighbour), Seen(TerminalSmb, &[Refused])],
        Party::Terminal,
        Sure,
    ),
    // A firewall that drops 445 without a word: the terminal's, set to the wrong profile, or ours.
    row(
        FaultCode::Term02,
        &[Good(TerminalLink), Good(TerminalNeighbour), Seen(TerminalSmb, &[Silent])],
        Party::Unknown,
        Open,
    ),
    row(FaultCode::Term03, &[TO_SHARE, Seen(TerminalShare, &[NoLogin])], Party::Box, Sure),
    // What worked here before was changed over there; what never did may be a slip on our side.
    row(
        FaultCode::Term03,
        &[TO_SHARE, Seen(TerminalShare, &[LoginRefused]), Ever(TerminalShare)],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term03,
        &[TO_SHARE, Seen(TerminalShare, &[LoginRefused]), Never(TerminalShare)],
        Party::Terminal,
        Likely,
    ),
    row(
        FaultCode::Term04,
        &[TO_SHARE, Seen(TerminalShare, &[ShareMissing]), Ever(TerminalShare)],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term04,
        &[TO_SHARE, Seen(TerminalShare, &[ShareMissing]), Never(TerminalShare)],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Term05, &[TO_SHARE, Seen(TerminalShare, &[Denied])], Party::Terminal, Likely),
    row(FaultCode::Term06, &[TO_SHARE, Seen(TerminalShare, &[DiskFull])], Party::Terminal, Sure),
];

/// What comes of requests. The terminal is accused only while line and centre are seen to hold: an application that
/// waits for the centre takes nothing and answers nothing either.
pub const ANSWERS: &[Row] = &[
    // It asks for names where nobody answers it, and nothing comes of its requests: the one explains the other.
    row(
        FaultCode::Term12,
        &[
            TO_SHARE,
            Good(TerminalShare),
            LINE_GOOD,
            Seen(TerminalFlows, &[AsksElsewhere]),
            Seen(TerminalAnswers, &[Unanswered]),
        ],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term07,
        &[TO_SHARE, Good(TerminalShare), LINE_GOOD, Seen(TerminalAnswers, &[Untaken])],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Term07, &[Seen(TerminalAnswers, &[Untaken])], Party::Unknown, Open),
    // Behind its front door the centre cannot be seen: a slow one looks the same, and the terminal's screen decides.
    row(
        FaultCode::Term11,
        &[
            TO_SHARE,
            Good(TerminalShare),
            LINE_GOOD,
            Seen(TerminalAnswers, &[Unanswered]),
            Seen(TerminalCertificate, &[Ended]),
        ],
        Party::Terminal,
        Likely,
    ),
    row(
        FaultCode::Term08,
        &[
            TO_SHARE,
            Good(TerminalShare),
            LINE_GOOD,
            Good(TerminalFlows),
            Seen(TerminalAnswers, &[Unanswered]),
        ],
        Party::Terminal,
        Open,
    ),
    // The centre answers us, and not the terminal: what lies between is the box as well as the line.
    row(
        FaultCode::Term08,
        &[LINE_GOOD, Seen(TerminalFlows, FAILS), Seen(TerminalAnswers, &[Unanswered])],
        Party::Unknown,
        Open,
    ),
    row(FaultCode::Term08, &[Seen(TerminalAnswers, &[Unanswered])], Party::Unknown, Open),
];

/// What answers say: the centre ended them badly as a whole, or it refused what was asked.
pub const CONTENTS: &[Row] = &[
    row(FaultCode::Term09, &[LINE_GOOD, Seen(AnswersSay, &[AnswersFailed])], Party::Centre, Likely),
    row(FaultCode::Term09, &[LINE_GOOD, Seen(AnswersSay, &[AnswersRefused])], Party::ReceiptComputer, Likely),
    row(
        FaultCode::Term09,
        &[Seen(AnswersSay, &[AnswersFailed, AnswersRefused, AnswersMixed])],
        Party::Unknown,
        Open,
    ),
];

/// The consumers of answers. One that is not there collects nothing: that is said of it already.
pub const CONSUMERS: &[Row] = &[
    row(
        FaultCode::Clin01,
        &[Good(ClinicLink), GoodOrLacking(ReceiptComputer), Seen(Collection, &[NotCollected])],
        Party::ReceiptComputer,
        Likely,
    ),
    row(FaultCode::Clin01, &[Seen(Collection, &[NotCollected])], Party::Unknown, Open),
];

/// The clinic's machines, from the box's port to who takes the answers.
pub const CLINIC: &[Row] = &[
    row(FaultCode::Clin02, &[Seen(ClinicLink, &[NoCarrier])], Party::Clinic, Likely),
    row(
        FaultCode::Clin02,
        &[Good(ClinicLink), Seen(ReceiptComputer, GONE), Ever(ReceiptComputer)],
        Party::ReceiptComputer,
        Likely,
    ),
    // Carrier tells the machine from its cable; without that it is neither's. Nor is an address that never answered: it
    // may be a slip in the site file.
    row(FaultCode::Clin02, &[Seen(ReceiptComputer, GONE)], Party::Unknown, Open),
];

/// The clinic's wiring, where files suffer from it.
pub const WIRING: &[Row] =
    &[row(FaultCode::Clin03, &[Good(Separation), Seen(ClinicAddress, &[Duplicate])], Party::Clinic, Likely)];

/// The internet line. Qualification does not go by it: where the clinic's computers leave by it this is said, else recorded.
pub const INTERNET: &[Row] = &[
    row(
        FaultCode::Isp01,
        &[Good(InternetLink), Seen(InternetAddress, &[NoAddress]), Ever(InternetAddress)],
        Party::Isp,
        Likely,
    ),
    // What never lent anything here may be the wrong socket.
    row(
        FaultCode::Isp01,
        &[Good(InternetLink), Seen(InternetAddress, &[NoAddress]), Never(InternetAddress)],
        Party::Unknown,
        Open,
    ),
    row(FaultCode::Isp01, &[Seen(InternetLink, &[NoCarrier])], Party::Clinic, Likely),
    row(
        FaultCode::Isp02,
        &[INTERNET_GATEWAY, Seen(InternetBeyond, GONE), Ever(InternetBeyond)],
        Party::Isp,
        Likely,
    ),
    // A resolver that never answered here may be a slip in the site file.
    row(
        FaultCode::Isp02,
        &[INTERNET_GATEWAY, Seen(InternetBeyond, GONE), Never(InternetBeyond)],
        Party::Unknown,
        Open,
    ),
    // The gateway may be the clinic's own router or the provider's.
    row(
        FaultCode::Isp02,
        &[Good(InternetLink), Good(InternetAddress), Seen(InternetGateway, GONE)],
        Party::Unknown,
        Open,
    ),
];

/// The receipt computer's cloud, which the clinic reaches by a tunnel of its own over the internet line. Qualification does not
/// go by it, so that no row of these ever says anything of the service. An internet line that leads nowhere is said by
/// [`INTERNET`]; what of these is nobody's is then not said beside it.
pub const CLOUD: &[Row] = &[
    // A certificate accuses by itself, against a clock that is confirmed: ours, or theirs, whatever another service says.
    row(FaultCode::Cld03, &[INTERNET_GATEWAY, Seen(CloudTunnel, &[Ended]), ClockConfirmed], Party::Box, Sure),
    row(
        FaultCode::Cld03,
        &[INTERNET_GATEWAY, Seen(CloudTunnel, &[CertificateExpired]), ClockConfirmed],
        Party::Cloud,
        Sure,
    ),
    row(
        FaultCode::Cld03,
        &[Good(CloudTunnel), Seen(CloudTls, &[CertificateExpired]), ClockConfirmed],
        Party::Cloud,
        Sure,
    ),
    row(FaultCode::Cld03, &[Seen(CloudTunnel, &[Ended, CertificateExpired])], Party::Unknown, Open),
    row(FaultCode::Cld03, &[Good(CloudTunnel), Seen(CloudTls, &[CertificateExpired])], Party::Unknown, Open),
    // The gateway refused us in so many words, or our own secret is no good.
    row(FaultCode::Cld02, &[INTERNET_GATEWAY, Seen(CloudTunnel, &[NoLogin])], Party::Box, Sure),
    // What is offered is the form's, as with IKE-04: also where it was taken before.
    row(
        FaultCode::Cld02,
        &[INTERNET_GATEWAY, Seen(CloudTunnel, &[NoProposal, IdentityRefused])],
        Party::Box,
        Likely,
    ),
    row(
        FaultCode::Cld02,
        &[INTERNET_GATEWAY, Seen(CloudTunnel, &[IdentityRefusedNow])],
        Party::Cloud,
        Likely,
    ),
    // Its host says that nobody listens there, where its tunnel once stood: an address that never led to one may be a slip. One
    // that says nothing may be cut off by anybody, and so may one of whose two ports one answers.
    row(
        FaultCode::Cld02,
        &[INTERNET_GATEWAY, Seen(CloudTunnel, &[Silent]), Seen(CloudIke, &[Refused]), Ever(CloudTunnel)],
        Party::Cloud,
        Likely,
    ),
    row(FaultCode::Cld02, &[INTERNET_GATEWAY, Seen(CloudTunnel, &[Silent])], Party::Unknown, Open),
    // It stands. Who says no behind it is the cloud, where he once said yes; so is who says nothing, where the way to its gateway
    // is seen to hold, and where the tunnel has outlasted the time in which it would have noticed that it is gone. A service
    // that never answered here may be a slip in the site file.
    row(
        FaultCode::Cld01,
        &[Good(CloudTunnel), Seen(CloudTcp, &[Refused]), Ever(CloudTcp)],
        Party::Cloud,
        Likely,
    ),
    row(
        FaultCode::Cld01,
        &[
            INTERNET_GATEWAY,
            Good(InternetBeyond),
            Good(CloudIke),
            Good(CloudTunnel),
            Seen(CloudTcp, GONE),
            Ever(CloudTcp),
            Outlasts(CloudTcp),
        ],
        Party::Cloud,
        Likely,
    ),
    // Nobody far away answers, and the tunnel has not noticed yet.
    row(
        FaultCode::Cld01,
        &[
            INTERNET_GATEWAY,
            Seen(InternetBeyond, GONE),
            Ever(InternetBeyond),
            Seen(CloudIke, GONE),
            Good(CloudTunnel),
            Seen(CloudTcp, GONE),
        ],
        Party::Isp,
        Likely,
    ),
    row(FaultCode::Cld01, &[Good(CloudTunnel), Seen(CloudTcp, NO_ANSWER)], Party::Unknown, Open),
    // The door opens and no handshake comes of it, or somebody else's.
    row(
        FaultCode::Cld01,
        &[
            Good(CloudTunnel),
            Good(CloudTcp),
            Seen(CloudTls, &[Refused, Silent, Malformed, CertificateName, CertificateIssuer]),
        ],
        Party::Unknown,
        Open,
    ),
];

/// What staff cannot feel: kept for the engineer, never an alarm. One row a fault.
pub const RECORDED: &[Row] = &[
    // The box has followed, and nobody has to act.
    row(FaultCode::Wan05, &[Good(Link), Seen(Prefix, &[Renumbered])], Party::Line, Sure),
    row(
        FaultCode::Dns02,
        &[
            Good(Link),
            Good(Address),
            Good(Gateway),
            Lacks(Tunnel),
            Seen(ResolverOne, NO_ANSWER),
            Good(ResolverTwo),
        ],
        Party::Line,
        Sure,
    ),
    row(
        FaultCode::Dns02,
        &[
            Good(Link),
            Good(Address),
            Good(Gateway),
            Lacks(Tunnel),
            Good(ResolverOne),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Line,
        Sure,
    ),
    row(
        FaultCode::Dns02,
        &[Good(Tunnel), Seen(ResolverOne, NO_ANSWER), Good(ResolverTwo)],
        Party::IpsecProvider,
        Likely,
    ),
    row(
        FaultCode::Dns02,
        &[Good(Tunnel), Good(ResolverOne), Seen(ResolverTwo, NO_ANSWER)],
        Party::IpsecProvider,
        Likely,
    ),
    row(
        FaultCode::Ctr07,
        &[Names, Good(CentreTcp), GoodOrLacking(LineAuth), Seen(Distribution, NO_ANSWER)],
        Party::Centre,
        Likely,
    ),
    // The centre is found all the same; what is distributed is not.
    row(
        FaultCode::Dns03,
        &[Names, Good(CentreTcp), Seen(Distribution, &[NameMissing]), Seen(Area, &[OtherArea])],
        Party::Box,
        Likely,
    ),
    // It does no harm: everything behind it answers.
    row(
        FaultCode::Wan06,
        &[Good(Link), Seen(Router, &[SecondRouter]), Names, Good(CentreTcp)],
        Party::Clinic,
        Likely,
    ),
    // The way to the maintainer is seen to hold as far as somebody else's host, and his own says nothing.
    row(FaultCode::Mnt01, &[Lacks(Tunnel), Names, Seen(Maintainer, &[Silent])], Party::Maintainer, Likely),
    row(
        FaultCode::Mnt01,
        &[TO_GATEWAY, Good(Tunnel), Seen(Maintainer, &[Silent])],
        Party::Maintainer,
        Likely,
    ),
    row(
        FaultCode::Mnt01,
        &[INTERNET_GATEWAY, Good(InternetBeyond), Seen(MaintainerByInternet, &[Silent])],
        Party::Maintainer,
        Likely,
    ),
    row(FaultCode::Mnt01, &[Seen(Maintainer, &[Silent])], Party::Unknown, Open),
    row(FaultCode::Mnt01, &[Seen(MaintainerByInternet, &[Silent])], Party::Unknown, Open),
    // The table of kinds is the profile's; somebody else's files may lie there all the same.
    row(FaultCode::Rly01, &[Seen(Kinds, &[UnknownKinds])], Party::Box, Likely),
    // Dates between the days on which they are told.
    row(FaultCode::Box06, &[Seen(Secrets, &[Ends])], Party::Box, Sure),
    row(FaultCode::Cal01, &[Seen(TerminalCertificate, &[Ends, Ended])], Party::Terminal, Sure),
];

/// The line has no session: what its port is told itself is what counts.
const BARE: Need = Lacks(Session);
/// The line's port is lent its address by a home gateway: there no router advertises itself.
const BEHIND: Need = Lacks(Router);
/// The way to the provider's gateway, as far as the line's own router.
const TO_GATEWAY: Need = Need::All(&[Link, Address, Gateway]);
/// The internet line as far as its gateway.
const INTERNET_GATEWAY: Need = Need::All(&[InternetLink, InternetAddress, InternetGateway]);
/// The way to the terminal's share, for rows about the share.
const TO_SHARE: Need = Need::All(&[TerminalLink, TerminalNeighbour, TerminalSmb]);
/// The line and the centre, for rows about answers.
const LINE_GOOD: Need = Need::All(&[Link, Address, Gateway, CentreTcp, CentreTls, Quality]);

/// The service can be used when each branch holds to its end.
pub const LINE_HOLDS: &[Need] = &[Names, Good(CentreTcp), Good(CentreTls)];
/// And nobody is seen to suffer.
pub const ALL_HOLDS: &[Need] = &[
    Names,
    Good(CentreTcp),
    Good(CentreTls),
    Good(Quality),
    GoodOrNever(LargePackets),
    Given,
    Clock,
    TO_SHARE,
    Good(TerminalShare),
    Good(TerminalAnswers),
    Good(AnswersSay),
    Good(Collection),
    Good(ClinicLink),
    GoodOrLacking(ReceiptComputer),
    Good(ClinicAddress),
    Passes,
    Good(Storage),
    Good(Roles),
];
