//! What is told otherwise, by whom a fault is given to: what was not seen is not said, and nobody is sent to the wrong
//! door. The first owner's words stand beside the other faults; these are the exceptions.

use super::{FaultCode, Words, centre, clinic, cloud, inside, internet, line, session, tunnel};
use crate::party::Party;
use crate::words::Text;

const CALL_CARRIER: Text = Text::new(
    "院内での操作は不要です。回線事業者へ連絡してください。",
    "There is nothing to do in the clinic. Call the carrier.",
);
const ASK_INSTALLER: Text = Text::new(
    "しばらく待ち、続くようなら本機の設置事業者へ連絡してください。",
    "Wait a little; if it goes on, call whoever installed this box.",
);

/// The words for this owner; none where they are the first owner's.
pub(super) const fn words(code: FaultCode, owner: Party) -> Option<Words> {
    Some(match (code, owner) {
        (FaultCode::Wan02, Party::Line) => WAN_02_LINE,
        (FaultCode::Wan04, Party::Unknown) => WAN_04_UNKNOWN,
        (FaultCode::Wan08, Party::Clinic) => WAN_08_CLINIC,
        (FaultCode::Wan12, Party::Unknown) => Words { next: ASK_INSTALLER, ..line::WAN_12 },
        (FaultCode::Dns04, Party::Unknown) => DNS_04_UNKNOWN,
        (FaultCode::Ike05, Party::IpsecProvider) => tunnel::IKE_05_PROVIDER,
        (FaultCode::Ike06, Party::IpsecProvider) => tunnel::IKE_06_PROVIDER,
        (FaultCode::Ppp02, Party::Box) => session::PPP_02_BOX,
        (FaultCode::Ppp02, Party::Unknown) => session::PPP_02_UNKNOWN,
        (FaultCode::Ppp03, Party::Line) => session::PPP_03_LINE,
        (FaultCode::Auth01, Party::Line) => AUTH_01_LINE,
        (FaultCode::Ctr01, Party::Unknown) => CTR_01_UNKNOWN,
        (FaultCode::Ctr02, Party::Line) => CTR_02_LINE,
        (FaultCode::Ctr02, Party::Unknown) => CTR_02_UNKNOWN,
        (FaultCode::Ctr03, Party::Unknown) => CTR_03_UNKNOWN,
        (FaultCode::Term01, Party::Clinic) => TERM_01_CLINIC,
        (FaultCode::Term02, Party::Unknown) => TERM_02_UNKNOWN,
        (FaultCode::Term03, Party::Box) => TERM_03_BOX,
        (FaultCode::Term07, Party::Unknown) => TERM_07_UNKNOWN,
        (FaultCode::Term08, Party::Unknown) => TERM_08_UNKNOWN,
        (FaultCode::Term09, Party::Centre) => TERM_09_CENTRE,
        (FaultCode::Term09, Party::ReceiptComputer) => TERM_09_RECEIPT_COMPUTER,
        (FaultCode::Clin02, Party::Clinic) => clinic::CLIN_02_CLINIC,
        (FaultCode::Clin02, Party::Unknown) => clinic::CLIN_02_UNKNOWN,
        (FaultCode::Isp01, Party::Clinic) => internet::ISP_01_CLINIC,
        (FaultCode::Isp01, Party::Unknown) => internet::ISP_01_UNKNOWN,
        (FaultCode::Isp02, Party::Unknown) => internet::ISP_02_UNKNOWN,
        (FaultCode::Cld01, Party::Isp) => cloud::CLD_01_ISP,
        (FaultCode::Cld01, Party::Unknown) => cloud::CLD_01_UNKNOWN,
        (FaultCode::Cld02, Party::Box) => cloud::CLD_02_BOX,
        (FaultCode::Cld02, Party::Unknown) => cloud::CLD_02_UNKNOWN,
        (FaultCode::Cld03, Party::Cloud) => cloud::CLD_03_CLOUD,
        (FaultCode::Cld03, Party::Unknown) => cloud::CLD_03_UNKNOWN,
        _ => return None,
    })
}

const WAN_02_LINE: Words = Words {
    happened: Text::new(
        "回線から案内（RA）が届かなくなりました。",
        "Router advertisements no longer arrive from the line.",
    ),
    next: Text::new(
        "ONUの電源を入れ直し、戻らなければ回線事業者へ連絡してください。",
        "Restart the ONU; if it does not return, call the carrier.",
    ),
    ..line::WAN_02
};

const WAN_04_UNKNOWN: Words = Words {
    happened: Text::new(
        "回線から端末用のアドレスが一度も届いていません。",
        "The line never gave the terminals addresses.",
    ),
    next: ASK_INSTALLER,
    ..line::WAN_04
};

/// A home gateway in front of the box, which lent it an address.
const WAN_08_CLINIC: Words = Words {
    happened: Text::new(
        "手前のルーター（ホームゲートウェイ）が応答しません。",
        "The router in front of this box (home gateway) does not answer.",
    ),
    next: Text::new(
        "手前のルーターの電源を入れ直し、戻らなければその提供元へ連絡してください。",
        "Restart the router in front; if it does not return, call whoever provides it.",
    ),
    ..line::WAN_08
};

const DNS_04_UNKNOWN: Words = Words {
    happened: Text::new("センターの名前が見つかりません。", "The centre's name is not found."),
    next: ASK_INSTALLER,
    ..line::DNS_04
};

const AUTH_01_LINE: Words = Words {
    happened: Text::new(
        "通っていた回線認証が、受け付けられなくなりました。",
        "Line authentication worked here and is now refused.",
    ),
    next: CALL_CARRIER,
    ..centre::AUTH_01
};

const CTR_01_UNKNOWN: Words = Words {
    happened: Text::new(
        "センターへの接続が断られます。どこで断られたかは分かりません。",
        "The connection to the centre is refused; by whom on the way cannot be seen.",
    ),
    next: ASK_INSTALLER,
    ..centre::CTR_01
};

const CTR_02_LINE: Words = Words {
    happened: Text::new(
        "センターにも、その手前の設備にも届きません。",
        "Neither the centre nor what stands before it can be reached.",
    ),
    next: CALL_CARRIER,
    ..centre::CTR_02
};

const CTR_02_UNKNOWN: Words = Words {
    happened: Text::new(
        "センターから応答がありません。どこで止まるかは分かりません。",
        "The centre does not answer; where on the way it ends cannot be seen.",
    ),
    next: ASK_INSTALLER,
    ..centre::CTR_02
};

const CTR_03_UNKNOWN: Words = Words {
    happened: Text::new(
        "センターの証明書が期限切れに見えますが、本機の時計も未確認です。",
        "The centre's certificate looks expired, but nobody has confirmed this box's clock.",
    ),
    next: ASK_INSTALLER,
    ..centre::CTR_03
};

const TERM_01_CLINIC: Words = Words {
    happened: Text::new("端末ポートに信号がありません。", "There is no signal on the terminal port."),
    ..inside::TERM_01
};

const TERM_02_UNKNOWN: Words = Words {
    happened: Text::new(
        "端末は動いていますが、ファイル共有が応答しません。",
        "The terminal runs, but its file sharing does not answer.",
    ),
    next: Text::new(
        "端末を再起動し、戻らなければ端末のファイアウォールを保守会社へ確かめてください。",
        "Restart the terminal; if it does not return, ask its vendor about its firewall.",
    ),
    ..inside::TERM_02
};

const TERM_03_BOX: Words = Words {
    happened: Text::new(
        "端末の共有に入るための設定が、本機で読めません。",
        "The login for the terminal's share cannot be read on this box.",
    ),
    next: Text::new(
        "本機の設定の確認が必要です。設置事業者へ連絡してください。",
        "The box's settings have to be checked. Call whoever installed it.",
    ),
    ..inside::TERM_03
};

const TERM_07_UNKNOWN: Words = Words {
    next: Text::new(
        "連携アプリを起動し直し、続くようなら本機の設置事業者へ連絡してください。",
        "Start the link application anew; if it goes on, call whoever installed this box.",
    ),
    ..inside::TERM_07
};

const TERM_08_UNKNOWN: Words = Words {
    next: Text::new(
        "端末の画面のお知らせを確かめ、続くようなら本機の設置事業者へ連絡してください。",
        "Look for a notice on the terminal's screen; if it goes on, call whoever installed this box.",
    ),
    ..inside::TERM_08
};

const TERM_09_CENTRE: Words = Words {
    next: Text::new(
        "センターのお知らせを確かめ、続くようなら連絡してください。",
        "Look at the centre's notices; if it goes on, call.",
    ),
    ..inside::TERM_09
};

const TERM_09_RECEIPT_COMPUTER: Words = Words {
    happened: Text::new(
        "資格確認の要求が、内容のために続けて断られています。",
        "One request after the other is refused for what it asks.",
    ),
    next: Text::new(
        "レセコンの画面の内容を確かめ、続くようなら保守会社へ連絡してください。",
        "Read what the receipt computer shows; if it goes on, call its vendor.",
    ),
    ..inside::TERM_09
};
