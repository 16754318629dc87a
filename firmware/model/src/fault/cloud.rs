//! The receipt computer's cloud, behind its own tunnel over the internet line. Qualification does not need it.

use super::Words;
use crate::words::Text;

const NO_CLOUD: Text = Text::new(
    "レセコンのクラウドが使えません。資格確認には影響しません。",
    "The receipt computer's cloud cannot be used. Qualification is not affected.",
);
const CALL_CLOUD: Text = Text::new(
    "しばらく待ち、戻らなければレセコンのクラウドの窓口へ連絡してください。",
    "Wait a little; if it does not return, call whoever runs the receipt computer's cloud.",
);
const ASK_INSTALLER: Text = Text::new(
    "設置業者に、クラウドの契約書の接続条件と設定を照らし合わせてもらってください。",
    "Have the installer compare the settings with the cloud's contract sheet.",
);
const WAIT_FIRST: Text = Text::new(
    "しばらく待ち、戻らなければ設置業者へ連絡してください。",
    "Wait a little; if it does not return, call the installer.",
);

pub const CLD_01: Words = Words {
    title: Text::new("クラウドに届かない", "the cloud cannot be reached"),
    happened: Text::new(
        "クラウドへの接続はできていますが、その先が応答していません。",
        "The connection to the cloud stands, but its service does not answer.",
    ),
    meaning: NO_CLOUD,
    next: CALL_CLOUD,
};

/// Nobody on the internet line answers, and the tunnel has not noticed yet.
pub const CLD_01_ISP: Words = Words {
    happened: Text::new(
        "インターネット回線の先が応答せず、クラウドにも届いていません。",
        "Nobody answers beyond the internet line's gateway, and so the cloud does not.",
    ),
    next: Text::new(
        "しばらく待ち、戻らなければプロバイダーへ連絡してください。",
        "Wait a little; if it does not return, call the internet provider.",
    ),
    ..CLD_01
};

/// Nothing tells who keeps it away.
pub const CLD_01_UNKNOWN: Words = Words {
    happened: Text::new(
        "クラウドから、正しい応答がありません。",
        "The cloud's service gives no proper answer.",
    ),
    next: WAIT_FIRST,
    ..CLD_01
};

pub const CLD_02: Words = Words {
    title: Text::new("クラウドとの接続が切れている", "the tunnel to the cloud is down"),
    happened: Text::new(
        "クラウドの装置との接続が成り立ちません。",
        "There is no connection with the cloud's gateway.",
    ),
    meaning: NO_CLOUD,
    next: CALL_CLOUD,
};

/// The gateway does not take what the box says of itself, or offers.
pub const CLD_02_BOX: Words = Words {
    happened: Text::new(
        "クラウドの装置が、本機の設定を受け入れませんでした。",
        "The cloud's gateway does not take this box's settings.",
    ),
    next: ASK_INSTALLER,
    ..CLD_02
};

/// Nobody answers, or half of it passes.
pub const CLD_02_UNKNOWN: Words = Words {
    happened: Text::new(
        "クラウドの装置から応答がなく、接続が成り立ちません。",
        "There is no connection with the cloud's gateway, and no answer that tells why.",
    ),
    next: WAIT_FIRST,
    ..CLD_02
};

pub const CLD_03: Words = Words {
    title: Text::new("クラウド用の証明書の期限切れ", "a certificate of the cloud has expired"),
    happened: Text::new(
        "クラウドとの接続に使う、本機の証明書の期限が過ぎています。",
        "This box's certificate for the cloud has expired.",
    ),
    meaning: NO_CLOUD,
    next: Text::new(
        "設置業者に、新しい証明書を入れてもらってください。",
        "Have the installer put in a new certificate.",
    ),
};

/// Theirs.
pub const CLD_03_CLOUD: Words = Words {
    happened: Text::new(
        "クラウドの側の証明書の期限が過ぎています。",
        "The cloud's own certificate has expired.",
    ),
    next: Text::new(
        "レセコンのクラウドの窓口へ連絡してください。",
        "Call whoever runs the receipt computer's cloud.",
    ),
    ..CLD_03
};

/// Our clock was confirmed by nobody.
pub const CLD_03_UNKNOWN: Words = Words {
    happened: Text::new(
        "クラウド用の証明書の期限が、本機の時計では過ぎています。",
        "By this box's clock a certificate for the cloud has expired.",
    ),
    next: Text::new(
        "本機の日付と時刻を確かめ、合っていれば設置業者へ連絡してください。",
        "Check this box's date and time; if they are right, call the installer.",
    ),
    ..CLD_03
};
