//! The clinic's side: the box, the terminal, the receipt computer.

use super::{MEANING_FILES, Words};
use crate::words::Text;

pub const UNFELT: Text = Text::new("受付への影響はありません。", "Reception is not affected.");
pub const ONLY_RECORDED: Text =
    Text::new("操作は不要です。記録だけしています。", "Nothing to do; it is only recorded.");

pub const TIME_01: Words = Words {
    title: Text::new("本機の時計が合っていない", "this box's clock cannot be trusted"),
    happened: Text::new(
        "本機の時計が合っているか確かめられません。",
        "Whether this box's clock is right cannot be confirmed.",
    ),
    meaning: Text::new(
        "証明書の期限の確認を止めています。",
        "Dates of certificates are not judged meanwhile.",
    ),
    next: Text::new(
        "回線が正常なのに続くようなら、設置事業者へ連絡してください。",
        "If it goes on while the line works, call whoever installed the box.",
    ),
};

pub const TERM_01: Words = Words {
    title: Text::new("資格確認端末の応答なし", "the terminal does not answer"),
    happened: Text::new("資格確認端末が応答しません。", "The qualification terminal does not answer."),
    meaning: MEANING_FILES,
    next: Text::new("端末の電源とLANケーブルを確かめてください。", "Check the terminal's power and cable."),
};

pub const TERM_02: Words = Words {
    title: Text::new("端末のファイル共有が停止", "file sharing stopped on the terminal"),
    happened: Text::new(
        "端末は動いていますが、ファイル共有が止まっています。",
        "The terminal runs, but its file sharing has stopped.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "端末を再起動し、戻らなければ端末の保守会社へ連絡してください。",
        "Restart the terminal; if it does not return, call its vendor.",
    ),
};

pub const TERM_03: Words = Words {
    title: Text::new("端末の共有に入れない", "no login to the terminal's share"),
    happened: Text::new(
        "端末の共有フォルダーが本機のログインを断りました。",
        "The terminal's share refused this box's login.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "共有のパスワードが変わっていないか端末の保守会社へ確かめてください。",
        "Ask the terminal's vendor whether the share's password has changed.",
    ),
};

pub const TERM_04: Words = Words {
    title: Text::new("端末の共有フォルダーがない", "the terminal's shared folder is missing"),
    happened: Text::new(
        "端末の共有フォルダー、またはその中のフォルダーが見つかりません。",
        "The terminal's share, or a folder in it, is not there.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "共有フォルダーの名前や場所が変わっていないか端末の保守会社へ確かめてください。",
        "Ask the terminal's vendor whether the shared folder was renamed or moved.",
    ),
};

pub const TERM_05: Words = Words {
    title: Text::new("端末の共有に書き込めない", "the terminal's share cannot be written"),
    happened: Text::new(
        "端末の共有フォルダーへの書き込みが断られました。",
        "The terminal's share refuses to be written.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "共有フォルダーの権限を端末の保守会社へ確かめてください。",
        "Ask the terminal's vendor about the share's permissions.",
    ),
};

pub const TERM_06: Words = Words {
    title: Text::new("端末のディスクがいっぱい", "the terminal's disk is full"),
    happened: Text::new("端末のディスクに空きがありません。", "There is no room on the terminal's disk."),
    meaning: MEANING_FILES,
    next: Text::new(
        "端末の保守会社へ連絡し、空きを作ってもらってください。",
        "Call the terminal's vendor to make room.",
    ),
};

pub const TERM_07: Words = Words {
    title: Text::new("連携アプリが動いていない", "the link application does not run"),
    happened: Text::new(
        "レセコンの要求が、端末の中で受け取られていません。",
        "Requests lie on the terminal and nobody takes them.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "端末の連携アプリを起動し、戻らなければ端末の保守会社へ連絡してください。",
        "Start the link application on the terminal; if that does not help, call its vendor.",
    ),
};

pub const TERM_08: Words = Words {
    title: Text::new("端末から回答がない", "the terminal gives no answer"),
    happened: Text::new(
        "端末が要求を受け取りましたが、回答がありません。",
        "The terminal takes requests and gives no answer.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "端末の画面にお知らせがないか確かめ、続くようなら端末の保守会社へ連絡してください。",
        "Look for a notice on the terminal's screen; if it goes on, call its vendor.",
    ),
};

pub const TERM_09: Words = Words {
    title: Text::new("回答の異常が続く", "answers are refused again and again"),
    happened: Text::new(
        "資格確認の回答が、続けて異常を示しています。",
        "One answer after the other says that something is wrong.",
    ),
    meaning: MEANING_FILES,
    next: Text::new(
        "レセコンの画面の内容を確かめ、下の連絡先へ伝えてください。",
        "Read what the receipt computer shows and tell the contact below.",
    ),
};

pub const TERM_12: Words = Words {
    title: Text::new("端末の名前の問い合わせ先が違う", "the terminal asks another resolver"),
    happened: Text::new(
        "端末が、本機ではないところへ名前を問い合わせています。",
        "The terminal asks for names elsewhere, and not of this box.",
    ),
    meaning: Text::new(
        "端末は、そこではセンターの名前を見つけられません。",
        "The terminal cannot find the centre's name there.",
    ),
    next: Text::new(
        "端末のDNSの設定を本機に戻すよう、端末の保守会社へ連絡してください。",
        "Call the terminal's vendor: its DNS setting has to name this box again.",
    ),
};

pub const CLIN_01: Words = Words {
    title: Text::new("レセコンが結果を取り込まない", "the receipt computer does not collect answers"),
    happened: Text::new(
        "資格確認の結果が、レセコンに取り込まれずに残っています。",
        "Answers stand in the shared folder and are not collected.",
    ),
    meaning: Text::new("レセコンに結果が表示されません。", "The receipt computer shows no results."),
    next: Text::new(
        "レセコンの電源と連携の設定を確かめ、続くようなら保守会社へ連絡してください。",
        "Check the receipt computer and its link settings; if it goes on, call its vendor.",
    ),
};
