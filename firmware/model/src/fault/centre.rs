//! Line authentication and the centre behind it.

use super::{MEANING_ALL, Words};
use crate::words::Text;

pub const AUTH_01: Words = Words {
    title: Text::new("回線認証が通らない", "line authentication refused"),
    happened: Text::new(
        "回線は届いていますが、回線認証が受け付けられません。",
        "The line works, but line authentication is refused.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "お客さまID（CAFまたはCOP）とポータル申請の内容を見比べてください。",
        "Compare the customer ID (CAF or COP) with the one in the portal application.",
    ),
};

pub const CTR_01: Words = Words {
    title: Text::new("センターが接続を断る", "the centre refuses"),
    happened: Text::new(
        "回線は正常ですが、センターが接続を受け付けません。",
        "The line works; the centre refuses the connection.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "センターのお知らせを確かめ、復旧を待ってください。",
        "Look at the centre's notices and wait for its recovery.",
    ),
};

pub const CTR_02: Words = Words {
    title: Text::new("センターの応答なし", "the centre is silent"),
    happened: Text::new(
        "回線は正常ですが、センターから応答がありません。",
        "The line works; the centre does not answer.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "センターのお知らせを確かめ、続くようなら連絡してください。",
        "Look at the centre's notices; if it goes on, call.",
    ),
};

pub const CTR_03: Words = Words {
    title: Text::new("センターの証明書の期限切れ", "the centre's certificate has expired"),
    happened: Text::new(
        "センター側の証明書が有効期限を過ぎています。",
        "The centre's certificate is past its date.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "院内での操作は不要です。センターへ連絡してください。",
        "There is nothing to do in the clinic. Call the centre.",
    ),
};

pub const CTR_04: Words = Words {
    title: Text::new("センターの証明書が想定と異なる", "the centre's certificate is not the expected one"),
    happened: Text::new(
        "センターの証明書が、想定と異なる名前または発行元です。",
        "The centre's certificate has another name or issuer than expected.",
    ),
    meaning: Text::new(
        "通信が横取りされているおそれがあるため、使わないでください。",
        "Somebody may be in between; do not use it.",
    ),
    next: Text::new(
        "使うのをやめ、本機の設置事業者へ連絡してください。",
        "Stop using it and call whoever installed this box.",
    ),
};

pub const CTR_07: Words = Words {
    title: Text::new("配信サーバーの停止", "the distribution host is down"),
    happened: Text::new(
        "配信サーバーに接続できません。センターには接続できます。",
        "The distribution host cannot be reached; the centre can.",
    ),
    meaning: Text::new("受付への影響はありません。", "Reception is not affected."),
    next: Text::new("操作は不要です。記録だけしています。", "Nothing to do; it is only recorded."),
};
