//! The tunnel of a line by IPsec.

use super::{MEANING_ALL, Words};
use crate::words::Text;

pub const IKE_01: Words = Words {
    title: Text::new("接続の開始が届かない", "UDP 500 blocked"),
    happened: Text::new(
        "接続先が、接続の開始（500番）に応答しません。",
        "The provider does not answer the beginning of a connection (UDP 500).",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "前段のルーターの設定を確かめ、変えていなければインターネット事業者へ連絡してください。",
        "Check the router in front of the box; if nothing was changed there, call the internet provider.",
    ),
};

pub const IKE_02: Words = Words {
    title: Text::new("暗号の通信が届かない", "UDP 4500 blocked"),
    happened: Text::new(
        "接続先への暗号の通信（4500番）が届いていません。",
        "Encrypted packets (UDP 4500) do not reach the provider.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "前段のルーターの設定を確かめ、変えていなければインターネット事業者へ連絡してください。",
        "Check the router in front of the box; if nothing was changed there, call the internet provider.",
    ),
};

pub const IKE_03: Words = Words {
    title: Text::new("接続先の応答なし", "the provider's gateway does not respond"),
    happened: Text::new(
        "接続サービスの装置が応答していません。",
        "The gateway of the connection service does not respond.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "しばらく待ち、戻らなければ接続サービスの事業者へ連絡してください。",
        "Wait a little; if it does not return, call the provider of the connection service.",
    ),
};

pub const IKE_04: Words = Words {
    title: Text::new("暗号の設定の不一致", "no proposal chosen"),
    happened: Text::new(
        "接続先が、本機の暗号の設定を受け入れませんでした。",
        "The provider does not take the transforms this box offers.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "設置業者に、契約書の接続条件と設定を照らし合わせてもらってください。",
        "Have the installer compare the settings with the contract sheet.",
    ),
};

pub const IKE_05: Words = Words {
    title: Text::new("接続先との認証の不成立", "authentication of the tunnel failed"),
    happened: Text::new(
        "接続先との間で、認証が成り立ちませんでした。",
        "This box and the provider do not accept each other's identity.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "設置業者に、接続用の鍵と識別名を確かめてもらってください。",
        "Have the installer check the key and the identities of the connection.",
    ),
};

/// The same of a key that was good before.
pub const IKE_05_PROVIDER: Words = Words {
    next: Text::new(
        "鍵は変わっていません。接続サービスの事業者へ連絡してください。",
        "The key is the same as before; call the provider of the connection service.",
    ),
    ..IKE_05
};

pub const IKE_06: Words = Words {
    title: Text::new("接続用の証明書の期限切れ", "a certificate of the tunnel has expired"),
    happened: Text::new(
        "接続に使う証明書の期限が過ぎています。",
        "A certificate used for the connection has expired.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "設置業者に、新しい証明書を入れてもらってください。",
        "Have the installer put in a new certificate.",
    ),
};

/// The gateway's.
pub const IKE_06_PROVIDER: Words = Words {
    next: Text::new(
        "期限が過ぎたのは接続先の証明書です。接続サービスの事業者へ連絡してください。",
        "It is the provider's certificate; call the provider of the connection service.",
    ),
    ..IKE_06
};

pub const IKE_07: Words = Words {
    title: Text::new("接続先の先に届かない", "the tunnel stands, nothing passes"),
    happened: Text::new(
        "接続はできていますが、その先から応答がありません。",
        "The connection stands, but nobody behind it answers.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "接続サービスの事業者へ連絡してください。",
        "Call the provider of the connection service.",
    ),
};
