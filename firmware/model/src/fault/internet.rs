//! The internet line beside the line, and the maintainer, who is reached by either. Qualification needs neither.

use super::{Words, inside};
use crate::words::Text;

const NO_INTERNET: Text =
    Text::new("院内からインターネットが使えません。", "The clinic's computers have no internet.");
const RESTART_AND_CALL: Text = Text::new(
    "ルーターやONUの電源を入れ直し、戻らなければプロバイダーへ連絡してください。",
    "Restart the router or ONU; if it does not return, call the internet provider.",
);
const ASK_INSTALLER: Text = Text::new(
    "設置業者に、インターネット回線の配線と設定を確かめてもらってください。",
    "Have the installer check the internet line's wiring and settings.",
);

pub const ISP_01: Words = Words {
    title: Text::new("インターネット回線のアドレスなし", "no address on the internet line"),
    happened: Text::new(
        "インターネット回線からアドレスを受け取れなくなりました。",
        "The internet line gives this box no address any more.",
    ),
    meaning: NO_INTERNET,
    next: RESTART_AND_CALL,
};

/// The cable is out, or what is at its other end has no power.
pub const ISP_01_CLINIC: Words = Words {
    happened: Text::new(
        "インターネット回線のポートに信号がありません。",
        "There is no signal on the internet line's port.",
    ),
    next: Text::new(
        "本機とルーターやONUの間のケーブルと、その電源を確かめてください。",
        "Check the cable from this box to the router or ONU, and the power of that.",
    ),
    ..ISP_01
};

/// It never gave one.
pub const ISP_01_UNKNOWN: Words = Words {
    happened: Text::new(
        "インターネット回線からアドレスが一度も届いていません。",
        "The internet line never gave this box an address.",
    ),
    next: ASK_INSTALLER,
    ..ISP_01
};

pub const ISP_02: Words = Words {
    title: Text::new("インターネット回線の先に届かない", "the internet line leads nowhere"),
    happened: Text::new(
        "インターネット回線の入口は応答し、その先が応答していません。",
        "The internet line's gateway answers, and nobody behind it does.",
    ),
    meaning: NO_INTERNET,
    next: Text::new(
        "しばらく待ち、戻らなければプロバイダーへ連絡してください。",
        "Wait a little; if it does not return, call the internet provider.",
    ),
};

/// Not even its gateway answers, or nobody behind it ever did.
pub const ISP_02_UNKNOWN: Words = Words {
    happened: Text::new(
        "インターネット回線の側から応答がありません。",
        "Nobody answers on the internet line.",
    ),
    next: Text::new(
        "ルーターやONUの電源を入れ直し、戻らなければ設置業者へ連絡してください。",
        "Restart the router or ONU; if it does not return, call the installer.",
    ),
    ..ISP_02
};

pub const MNT_01: Words = Words {
    title: Text::new("保守会社の装置に届かない", "the maintainer's gateway cannot be reached"),
    happened: Text::new(
        "同意のあいだに、保守会社の装置から応答がありません。",
        "While a consent is open, the maintainer's gateway does not answer.",
    ),
    meaning: inside::UNFELT,
    next: inside::ONLY_RECORDED,
};
