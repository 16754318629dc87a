//! The fault catalogue: every fault a person can be shown, with its words, written once.
//! Page, lamps, report, docs and tests all read this table; a fault without its words does not compile.
//!
//! Each sentence has at most 60 characters, no English but what is printed on devices, and blames nobody.

mod centre;
mod clinic;
mod cloud;
mod dates;
mod inside;
mod internet;
mod line;
mod otherwise;
mod own;
mod session;
mod tunnel;

use serde::{Deserialize, Serialize};

use crate::party::Party;
use crate::verdict::Usability;
use crate::words::Text;

/// Makes the catalogue of one line a fault: its name, its key, where it is felt, its words.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $code:ident $key:literal $place:ident $file:ident::$words:ident,)*) => {
        /// A stable code. Codes are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum FaultCode {
            $($(#[$doc])* #[serde(rename = $key)] $code,)*
        }

        impl FaultCode {
            /// The whole catalogue, in its order.
            pub const ALL: [Self; [$(Self::$code,)*].len()] = [$(Self::$code,)*];

            /// The code as printed, said and searched for.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$code => $key,)* }
            }

            /// Where it is felt.
            pub const fn place(self) -> Place {
                match self { $(Self::$code => Place::$place,)* }
            }

            /// The words for the first owner the judge's tables name.
            const fn usual(self) -> Words {
                match self { $(Self::$code => $file::$words,)* }
            }
        }
    };
}

catalogue! {
    /// Cable out, or ONU off.
    Wan01 "WAN-01" Line line::WAN_01,
    /// No router advertisement.
    Wan02 "WAN-02" Line line::WAN_02,
    /// The router said goodbye.
    Wan03 "WAN-03" Line line::WAN_03,
    /// The line changed its kind: it delegates no more, or it advertises no more.
    Wan04 "WAN-04" Line line::WAN_04,
    /// The line gives another prefix than before, and the box has followed.
    Wan05 "WAN-05" Line line::WAN_05,
    /// A second router on the line's side.
    Wan06 "WAN-06" Line line::WAN_06,
    /// Another device has our address.
    Wan07 "WAN-07" Line line::WAN_07,
    /// The router does not answer neighbour discovery.
    Wan08 "WAN-08" Line line::WAN_08,
    /// The site file expects a delegation, and none ever came.
    Wan09 "WAN-09" Line line::WAN_09,
    /// The line comes and goes.
    Wan10 "WAN-10" Line line::WAN_10,
    /// Loss or delay beyond the threshold.
    Wan11 "WAN-11" Line line::WAN_11,
    /// A black hole of the path MTU.
    Wan12 "WAN-12" Line line::WAN_12,
    /// No resolver answers.
    Dns01 "DNS-01" Line line::DNS_01,
    /// One resolver of two is down.
    Dns02 "DNS-02" Line line::DNS_02,
    /// The resolvers are the other area's.
    Dns03 "DNS-03" Line line::DNS_03,
    /// The centre's name does not exist.
    Dns04 "DNS-04" Line line::DNS_04,
    /// A stranger answers for names.
    Dns05 "DNS-05" Line line::DNS_05,
    /// UDP 500 is blocked on the way to the provider.
    Ike01 "IKE-01" Line tunnel::IKE_01,
    /// UDP 4500 is.
    Ike02 "IKE-02" Line tunnel::IKE_02,
    /// Nobody responds to IKE.
    Ike03 "IKE-03" Line tunnel::IKE_03,
    /// The gateway takes none of our proposals.
    Ike04 "IKE-04" Line tunnel::IKE_04,
    /// Authentication of the tunnel failed.
    Ike05 "IKE-05" Line tunnel::IKE_05,
    /// A certificate of the tunnel has expired.
    Ike06 "IKE-06" Line tunnel::IKE_06,
    /// The tunnel stands and nothing passes.
    Ike07 "IKE-07" Line tunnel::IKE_07,
    /// Nobody offers a PPPoE session.
    Ppp01 "PPP-01" Line session::PPP_01,
    /// User or password of the session are refused.
    Ppp02 "PPP-02" Line session::PPP_02,
    /// There is no room for another session.
    Ppp03 "PPP-03" Line session::PPP_03,
    /// Line authentication lost or never registered.
    Auth01 "AUTH-01" Auth centre::AUTH_01,
    /// The centre refuses.
    Ctr01 "CTR-01" Centre centre::CTR_01,
    /// The centre is silent.
    Ctr02 "CTR-02" Centre centre::CTR_02,
    /// The centre's certificate has expired.
    Ctr03 "CTR-03" Centre centre::CTR_03,
    /// The centre's certificate is of another name or issuer.
    Ctr04 "CTR-04" Centre centre::CTR_04,
    /// The distribution host alone is down.
    Ctr07 "CTR-07" Centre centre::CTR_07,
    /// Our own clock is not trustworthy.
    Time01 "TIME-01" Box inside::TIME_01,
    /// The terminal is off, or its cable is out.
    Term01 "TERM-01" Terminal inside::TERM_01,
    /// File sharing stopped on the terminal.
    Term02 "TERM-02" Terminal inside::TERM_02,
    /// The terminal refuses the share login.
    Term03 "TERM-03" Terminal inside::TERM_03,
    /// The share or a folder in it is missing.
    Term04 "TERM-04" Terminal inside::TERM_04,
    /// The share cannot be written.
    Term05 "TERM-05" Terminal inside::TERM_05,
    /// The terminal's disk is full.
    Term06 "TERM-06" Terminal inside::TERM_06,
    /// The link application does not run.
    Term07 "TERM-07" Terminal inside::TERM_07,
    /// Requests are taken and not answered.
    Term08 "TERM-08" Terminal inside::TERM_08,
    /// Answers are errors.
    Term09 "TERM-09" Terminal inside::TERM_09,
    /// The receipt computer does not collect answers.
    Clin01 "CLIN-01" ReceiptComputer inside::CLIN_01,
    /// The receipt computer is not seen at all.
    Clin02 "CLIN-02" ReceiptComputer clinic::CLIN_02,
    /// Another device of the clinic has our address.
    Clin03 "CLIN-03" Box clinic::CLIN_03,
    /// A way past the box: who belongs to one zone is seen in another.
    Clin04 "CLIN-04" Box clinic::CLIN_04,
    /// Two of our ports on one network.
    Clin05 "CLIN-05" Box clinic::CLIN_05,
    /// The box's disk is full.
    Box01 "BOX-01" Box own::BOX_01,
    /// The ruleset in the kernel is not the one that was proved.
    Box02 "BOX-02" Box own::BOX_02,
    /// Records of the box were damaged, set aside and made anew.
    Box03 "BOX-03" Box own::BOX_03,
    /// A role of the box keeps crashing.
    Box05 "BOX-05" Box own::BOX_05,
    /// An own certificate or secret is about to expire.
    Box06 "BOX-06" Box own::BOX_06,
    /// The box went back to an older version.
    Box07 "BOX-07" Box own::BOX_07,
    /// The storage is worn, or the board too hot.
    Box08 "BOX-08" Box own::BOX_08,
    /// Files of no known kind lie on the terminal.
    Rly01 "RLY-01" Box own::RLY_01,
    /// The terminal's certificate is about to expire.
    Cal01 "CAL-01" Terminal dates::CAL_01,
    /// The terminal gives no answer, and the date of its certificate has passed.
    Term11 "TERM-11" Terminal dates::TERM_11,
    /// The terminal uses another resolver.
    Term12 "TERM-12" Terminal inside::TERM_12,
    /// The centre is in a maintenance that was announced.
    Ctr06 "CTR-06" Centre dates::CTR_06,
    /// The terminal restarts by night.
    Term10 "TERM-10" Terminal dates::TERM_10,
    /// The internet line has no address for the box.
    Isp01 "ISP-01" Internet internet::ISP_01,
    /// Nobody answers on the internet line beyond its gateway.
    Isp02 "ISP-02" Internet internet::ISP_02,
    /// Nobody of the cloud answers behind its tunnel, which stands.
    Cld01 "CLD-01" Internet cloud::CLD_01,
    /// The tunnel to the cloud is down.
    Cld02 "CLD-02" Internet cloud::CLD_02,
    /// A certificate of the cloud, or ours for it, has expired.
    Cld03 "CLD-03" Internet cloud::CLD_03,
    /// The maintainer's gateway cannot be reached.
    Mnt01 "MNT-01" Internet internet::MNT_01,
}

/// Everything a person is told about a fault, beside the phone number, which comes from the site file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// A short name for lists.
    pub title: Text,
    /// What happened.
    pub happened: Text,
    /// What it means at reception.
    pub meaning: Text,
    /// The next step.
    pub next: Text,
}

/// Where on the way from the receipt computer to the centre a fault is felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The receipt computer.
    ReceiptComputer,
    /// The qualification terminal.
    Terminal,
    /// This box.
    Box,
    /// The line, up to its resolvers.
    Line,
    /// Line authentication.
    Auth,
    /// The centre.
    Centre,
    /// The internet, or who is behind it: none of the way to the centre.
    Internet,
}

impl FaultCode {
    /// The code with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.key() == key)
    }

    /// Whether staff can feel it. What they cannot feel is recorded and never an alarm.
    pub const fn is_alarm(self) -> bool {
        !matches!(self, Self::Wan05 | Self::Dns02 | Self::Ctr07 | Self::Term10 | Self::Rly01 | Self::Mnt01)
    }

    /// Whether it may stand while the service goes on: somebody has to act, and qualification feels nothing of it, or nothing
    /// yet.
    pub const fn is_warning(self) -> bool {
        matches!(
            self,
            Self::Box02
                | Self::Box03
                | Self::Box06
                | Self::Box07
                | Self::Box08
                | Self::Cal01
                | Self::Term12
                | Self::Clin04
                | Self::Clin05
                | Self::Isp01
                | Self::Isp02
                | Self::Cld01
                | Self::Cld02
                | Self::Cld03
        )
    }

    /// A short name for lists, whoever it is given to.
    pub const fn title(self) -> Text {
        self.usual().title
    }

    /// The words of this fault for whoever has to act, beside the word of how much of the service is left.
    pub fn words(self, owner: Party, left: Usability) -> Words {
        let words = otherwise::words(self, owner).unwrap_or_else(|| self.usual());
        let meaning = match left {
            Usability::Unusable if self.may_be_mild() => MEANING_ALL,
            Usability::Partly | Usability::Usable if words.meaning == MEANING_ALL => MEANING_SOME,
            _ => words.meaning,
        };
        Words { meaning, ..words }
    }

    /// Whether its own words leave some of the service.
    const fn may_be_mild(self) -> bool {
        matches!(self, Self::Wan06 | Self::Wan10 | Self::Wan11 | Self::Dns03 | Self::Box02)
    }
}

const MEANING_ALL: Text =
    Text::new("オンライン資格確認は使えません。", "Online qualification cannot be used.");
const MEANING_SOME: Text =
    Text::new("オンライン資格確認の一部が使えません。", "Parts of online qualification cannot be used.");
const MEANING_FILES: Text = Text::new(
    "レセコンからの資格確認は使えません。",
    "Qualification from the receipt computer cannot be used.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_key_and_serialises_as_it() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::from_key(code.key()), Some(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.key());
        }
    }

    /// Every set of words that can be shown.
    fn every() -> impl Iterator<Item = (FaultCode, Words)> {
        let left = [Usability::Usable, Usability::Partly, Usability::Unusable];
        FaultCode::ALL.into_iter().flat_map(move |code| {
            Party::ALL.into_iter().flat_map(move |owner| left.map(|left| (code, code.words(owner, left))))
        })
    }

    #[test]
    fn every_sentence_is_short_polite_and_ends() {
        for (code, words) in every() {
            assert_eq!(words.title, code.title(), "a list says the same of it, whoever it is given to");
            for sentence in [words.happened.ja, words.meaning.ja, words.next.ja] {
                assert!(sentence.chars().count() <= 60, "{}: {sentence}", code.key());
                assert!(sentence.ends_with('。'), "{}: {sentence}", code.key());
                for blame in ["ミス", "怠", "せいで", "エラー", "不正"] {
                    assert!(!sentence.contains(blame), "{}: {sentence}", code.key());
                }
            }
        }
    }

    #[test]
    fn what_it_means_does_not_contradict_how_much_of_the_service_is_left() {
        for (owner, left, meaning) in [
            (Party::Line, Usability::Unusable, MEANING_ALL),
            (Party::Line, Usability::Partly, line::WAN_11.meaning),
        ] {
            assert_eq!(FaultCode::Wan11.words(owner, left).meaning, meaning);
        }
        assert_eq!(FaultCode::Wan12.words(Party::Line, Usability::Partly).meaning, MEANING_SOME);
        for code in FaultCode::ALL {
            let all = code.words(Party::Unknown, Usability::Partly).meaning == MEANING_ALL;
            assert!(!all, "{}: partly is not all", code.key());
        }
    }

    #[test]
    fn what_was_not_seen_is_not_said() {
        let happened = |code: FaultCode, owner| code.words(owner, Usability::Unusable).happened.ja;
        for (code, owner) in [
            (FaultCode::Ctr01, Party::Unknown),
            (FaultCode::Ctr02, Party::Unknown),
            (FaultCode::Ctr02, Party::Line),
        ] {
            assert!(happened(code, Party::Centre).contains("回線は正常"));
            assert!(!happened(code, owner).contains("正常"), "{}: {owner:?}", code.key());
        }
    }

    #[test]
    fn japanese_sentences_use_no_english_but_what_is_printed_on_devices() {
        const PRINTED: [&str; 8] = ["DNS", "ONU", "LAN", "RA", "CAF", "COP", "ID", "v6"];
        for (code, words) in every() {
            for sentence in [words.title.ja, words.happened.ja, words.meaning.ja, words.next.ja] {
                let rest = PRINTED.iter().fold(sentence.to_owned(), |text, word| text.replace(word, ""));
                assert!(!rest.chars().any(|c| c.is_ascii_alphabetic()), "{}: {sentence}", code.key());
            }
        }
    }
}
