//! The box itself.

use super::{MEANING_FILES, Words, inside};
use crate::words::Text;

const CALL: Text = Text::new("設置事業者へ連絡してください。", "Call whoever installed the box.");
const GOES_ON: Text =
    Text::new("オンライン資格確認は、そのまま使えます。", "Online qualification can be used as before.");

pub const BOX_01: Words = Words {
    title: Text::new("本機の空き容量がない", "this box has no room left"),
    happened: Text::new("本機の保存領域に空きがありません。", "There is no room left on this box."),
    meaning: MEANING_FILES,
    next: Text::new(
        "共有フォルダーの不要なファイルを消し、続くようなら設置事業者へ連絡してください。",
        "Remove from the shared folder what nobody needs; if it goes on, call whoever installed the box.",
    ),
};

pub const BOX_02: Words = Words {
    title: Text::new("本機の通信の規則が変えられた", "this box's firewall is not the proved one"),
    happened: Text::new(
        "本機の通信の規則が、確かめたものと違っていました。",
        "This box's firewall rules were not the ones that were proved.",
    ),
    meaning: GOES_ON,
    next: Text::new(
        "操作は不要です。早めに設置事業者へ連絡してください。",
        "There is nothing to do in the clinic. Call whoever installed the box soon.",
    ),
};

pub const BOX_03: Words = Words {
    title: Text::new("本機の記録の破損", "records of this box were damaged"),
    happened: Text::new(
        "本機の記録の一部が壊れていたため、取り分けて作り直しました。",
        "Part of this box's records was damaged; it was set aside and made anew.",
    ),
    meaning: GOES_ON,
    next: Text::new(
        "残っているファイルがないか確かめ、設置事業者へ連絡してください。",
        "Look whether files are held, and call whoever installed the box.",
    ),
};

pub const BOX_05: Words = Words {
    title: Text::new("本機のプログラムが止まる", "a program of this box keeps dying"),
    happened: Text::new(
        "本機のプログラムの一つが、何度も止まっています。",
        "One of this box's programs dies again and again.",
    ),
    meaning: Text::new(
        "本機の機能の一部が使えないことがあります。",
        "Some of what this box does may not work.",
    ),
    next: CALL,
};

pub const BOX_06: Words = Words {
    title: Text::new("本機の証明書の期限が近い", "a certificate of this box is about to expire"),
    happened: Text::new(
        "本機の証明書の期限が近いか、過ぎています。",
        "The date of one of this box's own certificates is near or has passed.",
    ),
    meaning: Text::new(
        "期限を過ぎると、本機のページを開くときに警告が出ます。",
        "After that date browsers warn of this box's page.",
    ),
    next: CALL,
};

pub const BOX_07: Words = Words {
    title: Text::new("本機が以前の版に戻った", "this box went back to an older version"),
    happened: Text::new(
        "本機は、前に動いていたものより古い版で動いています。",
        "An older version runs than ran here before.",
    ),
    meaning: GOES_ON,
    next: CALL,
};

pub const BOX_08: Words = Words {
    title: Text::new("本機の寿命または高温", "this box is worn or too hot"),
    happened: Text::new(
        "本機の記憶装置が寿命に近いか、本機が熱くなりすぎています。",
        "This box's storage is near the end of its life, or the box is too hot.",
    ),
    meaning: Text::new("本機が止まるおそれがあります。", "The box may stop."),
    next: Text::new(
        "本機のまわりの風通しを確かめ、設置事業者へ連絡してください。",
        "See that air can pass around the box, and call whoever installed it.",
    ),
};

pub const RLY_01: Words = Words {
    title: Text::new("端末に知らない種類のファイル", "unknown kinds of files on the terminal"),
    happened: Text::new(
        "端末の結果のフォルダーに、本機の知らない種類のファイルがあります。",
        "Files of a kind this box does not know lie where answers are.",
    ),
    meaning: inside::UNFELT,
    next: inside::ONLY_RECORDED,
};
