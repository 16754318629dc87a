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
    title: Text::new("接続用IDまたはパスワードの不一致", "user or password refused"),
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

/// They cannot be read on this box.
pub const PPP_02_BOX: Words = Words {
    happened: Text::new(
        "契約の接続用IDとパスワードが、本機に入っていません。",
        "The user and the password of the contract are not on this box.",
    ),
    next: Text::new(
        "設置業者に、契約書の接続用IDとパスワードを入れてもらってください。",
        "Have the installer put in user and password of the contract sheet.",
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
