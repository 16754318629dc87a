//! The clinic's own network: who should be there and is not, and who should not be there and is.

use super::{MEANING_FILES, Words};
use crate::words::Text;

pub const CLIN_02: Words = Words {
    title: Text::new("レセコンの応答なし", "the receipt computer does not answer"),
    happened: Text::new("レセコンが応答しません。", "The receipt computer does not answer."),
    meaning: MEANING_FILES,
    next: Text::new(
        "レセコンの電源とLANケーブルを確かめてください。",
        "Check the receipt computer's power and cable.",
    ),
};

pub const CLIN_02_CLINIC: Words = Words {
    happened: Text::new("院内LANのポートに信号がありません。", "There is no signal on the clinic's port."),
    next: Text::new("LANケーブルとハブの電源を確かめてください。", "Check the cable and the hub's power."),
    ..CLIN_02
};

pub const CLIN_02_UNKNOWN: Words = Words {
    next: Text::new(
        "レセコンの電源とLANケーブルを確かめ、続くようなら本機の設置事業者へ連絡してください。",
        "Check the receipt computer's power and cable; if it goes on, call whoever installed this box.",
    ),
    ..CLIN_02
};

pub const CLIN_03: Words = Words {
    title: Text::new("院内LANに本機と同じアドレス", "another device has this box's address"),
    happened: Text::new(
        "院内LANの別の機器が、本機と同じアドレスを使っています。",
        "Another device in the clinic uses this box's address.",
    ),
    meaning: Text::new(
        "レセコンからの資格確認ができないことがあります。",
        "Qualification from the receipt computer may fail now and then.",
    ),
    next: Text::new(
        "最近つないだ機器を外し、戻らなければ本機の設置事業者へ連絡してください。",
        "Unplug what was connected of late; if that does not help, call whoever installed this box.",
    ),
};

const UNPROTECTED: Text = Text::new(
    "本機を通らない通信は、本機では守れません。",
    "What goes past this box is not protected by it.",
);

pub const CLIN_04: Words = Words {
    title: Text::new("本機を通らない経路", "a way past this box"),
    happened: Text::new(
        "資格確認端末の側と院内LANが、本機を通らずにつながっているようです。",
        "The terminal's side and the clinic's network seem to be connected past this box.",
    ),
    meaning: UNPROTECTED,
    next: Text::new(
        "端末のLANケーブルを本機だけにつなぎ、本機の設置事業者へ連絡してください。",
        "Connect the terminal to this box only, and call whoever installed it.",
    ),
};

pub const CLIN_05: Words = Words {
    title: Text::new("本機の二つのポートが同じ配線", "two ports of this box on one network"),
    happened: Text::new(
        "本機の二つのポートが、同じハブや配線につながっています。",
        "Two ports of this box are connected to the same hub or wiring.",
    ),
    meaning: UNPROTECTED,
    next: Text::new(
        "本機のLANケーブルの差し先を確かめ、本機の設置事業者へ連絡してください。",
        "Check where this box's cables go, and call whoever installed it.",
    ),
};
