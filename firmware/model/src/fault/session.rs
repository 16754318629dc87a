//! The session of a line by PPPoE.

use super::{MEANING_ALL, Words};
use crate::words::Text;

pub const PPP_01: Words = Words {
    title: Text::new("回線の接続装置の応答なし", "nobody offers a session"),
    happened: Text::new(
        "回線の信号はありますが、接続の受け付けに応答がありません。",
        "The line has carrier, but nobody on it offers a session (PPPoE).",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "ONUの電源を入れ直し、戻らなければ回線事業者へ連絡してください。",
        "Restart the ONU; if it does not return, call the carrier.",
    ),
};

pub const PPP_02: Words = Words {
    title: Text::new("契約の接続設定の不一致", "the contract's words are refused"),
    happened: Text::new(
        "回線が、契約の接続用IDまたはパスワードを受け付けませんでした。",
        "The line does not take the user or the password of the contract.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "契約書の接続用IDとパスワードを確かめ、設置業者へ連絡してください。",
        "Check user and password on the contract sheet, and call whoever installed this box.",
    ),
};

/// They cannot be read on this box, or the service that it asks for is none of the line's.
pub const PPP_02_BOX: Words = Words {
    happened: Text::new(
        "契約の接続用ID、パスワード、サービス名のいずれかが、本機に正しく入っていません。",
        "User, password or service name of the contract are not on this box, or not as its sheet has them.",
    ),
    next: Text::new(
        "設置業者に、契約書の接続用ID、パスワード、サービス名を入れ直してもらってください。",
        "Have the installer put in user, password and service name as the contract sheet has them.",
    ),
    ..PPP_02
};

/// The line knew the service before.
pub const PPP_02_UNKNOWN: Words = Words {
    happened: Text::new(
        "以前は使えた契約のサービス名を、回線が受け付けませんでした。",
        "The line does not know the contract's service, as it did before.",
    ),
    next: Text::new(
        "しばらく待ち、戻らなければ設置業者へ連絡してください。",
        "Wait a little; if it does not return, call whoever installed this box.",
    ),
    ..PPP_02
};

pub const PPP_03: Words = Words {
    title: Text::new("接続数の上限", "no room for another session"),
    happened: Text::new(
        "この契約で使える接続の数が、すでに使われています。",
        "The sessions that the contract allows are in use already.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "以前のルーターなど、同じ契約で接続している機器の電源を切ってください。",
        "Switch off what else is connected by this contract, such as the router from before.",
    ),
};

/// Of a session that this box had before: the line may still hold the one that was cut.
pub const PPP_03_LINE: Words = Words {
    next: Text::new(
        "他に接続している機器がなければ、回線事業者へ連絡してください。",
        "If nothing else is connected by this contract, call the carrier.",
    ),
    ..PPP_03
};
