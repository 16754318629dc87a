//! The box itself.

use super::{MEANING_FILES, Words};
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

pub const BOX_05: Words = Words {
    title: Text::new("本機のプログラムが止まる", "a program of this box keeps dying"),
    happened: Text::new(
        "本機のプログラムの一つが、何度も止まっています。",
        "One of this box's programs dies again and again.",
    ),
    meaning: MEANING_FILES,
    next: CALL,
};
