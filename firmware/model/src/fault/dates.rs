//! What has a date or an hour: certificates, announced maintenance, the nightly restart.

use super::{MEANING_ALL, MEANING_FILES, Words, inside};
use crate::words::Text;

pub const CAL_01: Words = Words {
    title: Text::new("端末の証明書の期限が近い", "the terminal's certificate is about to expire"),
    happened: Text::new(
        "端末の証明書の、登録された期限が近いか過ぎています。",
        "The date noted for the terminal's certificate is near or has passed.",
    ),
    meaning: Text::new(
        "更新しないと、オンライン資格確認が使えなくなります。",
        "Unless it is renewed, online qualification will stop.",
    ),
    next: Text::new(
        "端末の保守会社へ証明書の更新を頼み、済んだら設置事業者へ新しい期限を伝えてください。",
        "Have the terminal's vendor renew it, then tell whoever installed the box the new date.",
    ),
};

pub const TERM_11: Words = Words {
    title: Text::new("端末の証明書の期限切れ", "the terminal's certificate has expired"),
    happened: Text::new(
        "端末から回答がなく、登録された証明書の期限が過ぎています。",
        "The terminal gives no answer, and the date noted for its certificate has passed.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "端末の保守会社へ証明書の更新を頼んでください。",
        "Have the terminal's vendor renew the certificate.",
    ),
};

pub const CTR_06: Words = Words {
    title: Text::new("センターの予告された保守", "the centre's announced maintenance"),
    happened: Text::new(
        "センターは予告どおり保守作業中です。",
        "The centre is in the maintenance it announced.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "操作は不要です。予告された終わりの時刻まで待ってください。",
        "There is nothing to do. Wait for the end that was announced.",
    ),
};

pub const TERM_10: Words = Words {
    title: Text::new("端末の夜間の再起動", "the terminal restarts by night"),
    happened: Text::new(
        "端末が、決められた夜間の時間に再起動しています。",
        "The terminal restarts in the hours that are set for it.",
    ),
    meaning: inside::UNFELT,
    next: inside::ONLY_RECORDED,
};
