//! The line, from the wall to the resolvers.

use super::{MEANING_ALL, Words};
use crate::words::Text;

pub const WAN_01: Words = Words {
    title: Text::new("回線の信号なし", "no signal on the line"),
    happened: Text::new("回線ポートに信号がありません。", "There is no signal on the line port."),
    meaning: MEANING_ALL,
    next: Text::new(
        "ONUの電源とLANケーブルを確かめてください。光回線ランプが消灯なら回線事業者へ連絡してください。",
        "Check the ONU's power and the cable. If its 光回線 lamp is out, call the carrier.",
    ),
};

pub const WAN_02: Words = Words {
    title: Text::new("回線側ルーターの応答なし", "no router on the line"),
    happened: Text::new(
        "回線からアドレスの案内が届いていません。",
        "Nobody on the line offers an address (RA, DHCP).",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "差し込み口・手前のルーター・v6オプションの契約を確かめ、正しければ回線事業者へ連絡してください。",
        "Check the port, the router in front and the v6 option; if all are right, call the carrier.",
    ),
};

pub const WAN_03: Words = Words {
    title: Text::new("回線側ルーターの停止", "the line's router said goodbye"),
    happened: Text::new(
        "回線側のルーターが停止を知らせてきました。",
        "The line's router announced that it stops.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "しばらく待ち、戻らなければ回線事業者へ連絡してください。",
        "Wait a little; if it does not return, call the carrier.",
    ),
};

pub const WAN_04: Words = Words {
    title: Text::new("回線の方式が変わった", "the line changed its kind"),
    happened: Text::new(
        "回線から端末用のアドレスが届かなくなりました。契約の変更で起こります。",
        "The line no longer gives the terminals addresses, as after a change of the contract.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "ひかり電話などの契約の変更がなかったか、回線事業者へ確かめてください。",
        "Ask the carrier whether the contract was changed (ひかり電話 added or dropped).",
    ),
};

pub const WAN_05: Words = Words {
    title: Text::new("回線のアドレスの変更", "the line's prefix changed"),
    happened: Text::new(
        "回線のアドレスが変わり、本機と端末は新しいものを使っています。",
        "The line's prefix changed; box and terminals use the new one.",
    ),
    meaning: Text::new("受付への影響はありません。", "Nothing changes at reception."),
    next: Text::new(
        "操作は不要です。この後に回線認証で断られるときは、変更を届け出てください。",
        "Nothing to do. If line authentication refuses from now on, report the change.",
    ),
};

pub const WAN_06: Words = Words {
    title: Text::new("回線側に別のルーター", "another router on the line"),
    happened: Text::new(
        "回線側に、案内（RA）を出すルーターがもう1台あります。",
        "A second router advertises itself on the line's side.",
    ),
    meaning: Text::new(
        "オンライン資格確認が途切れることがあります。",
        "Online qualification may be interrupted.",
    ),
    next: Text::new(
        "回線側の集線装置に他の機器がつながっていないか確かめてください。",
        "Check that no other device is plugged in between the box and the line.",
    ),
};

pub const WAN_07: Words = Words {
    title: Text::new("アドレスの重複", "duplicate address"),
    happened: Text::new(
        "本機の回線側のアドレスが、他の機器と重なっています。",
        "Another device on the line's side has this box's address.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "回線側に他の機器がつながっていないか確かめ、外してください。",
        "Check for other devices on the line's side and unplug them.",
    ),
};

pub const WAN_08: Words = Words {
    title: Text::new("回線側ルーターが応答しない", "the line's router does not answer"),
    happened: Text::new(
        "回線側のルーターは見えますが、呼びかけに応答しません。",
        "The line's router is known, but does not answer.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "ONUの電源を入れ直し、戻らなければ回線事業者へ連絡してください。",
        "Restart the ONU; if it does not return, call the carrier.",
    ),
};

pub const WAN_09: Words = Words {
    title: Text::new("端末用アドレスが配られない", "no delegation arrives"),
    happened: Text::new(
        "ルーターの案内は届きますが、端末用のアドレスが一度も配られていません。",
        "A router advertises itself, but no prefix was ever delegated for the terminals.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "手前のルーターの設定（アドレスの配布）と、本機の回線の設定を確かめてください。",
        "Check that the router in front hands prefixes on, and the line in the box's settings.",
    ),
};

pub const WAN_10: Words = Words {
    title: Text::new("回線の信号が途切れる", "the line comes and goes"),
    happened: Text::new(
        "回線ポートの信号が、切れたり戻ったりしています。",
        "The signal on the line port is lost and comes back again and again.",
    ),
    meaning: Text::new("オンライン資格確認が途切れます。", "Online qualification is interrupted."),
    next: Text::new(
        "ONUの電源とLANケーブルの差し込みを確かめてください。",
        "Check the ONU's power and that the cable sits tight.",
    ),
};

pub const WAN_11: Words = Words {
    title: Text::new("回線の品質低下", "loss or delay on the line"),
    happened: Text::new("回線でデータの欠落や遅れが多くなっています。", "Much is lost or late on the line."),
    meaning: Text::new("オンライン資格確認が遅くなることがあります。", "Online qualification may be slow."),
    next: Text::new(
        "しばらく待ち、続くようなら回線事業者へ連絡してください。",
        "Wait a little; if it goes on, call the carrier.",
    ),
};

pub const WAN_12: Words = Words {
    title: Text::new("大きなデータだけが届かない", "large packets vanish on the line"),
    happened: Text::new(
        "小さなデータは届きますが、大きなデータが途中で失われます。",
        "Small packets pass, large ones vanish on the way without a word.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "院内での操作は不要です。回線事業者へ連絡してください。",
        "There is nothing to do in the clinic. Call the carrier.",
    ),
};

pub const DNS_01: Words = Words {
    title: Text::new("名前の問い合わせ先の応答なし", "no resolver answers"),
    happened: Text::new(
        "回線内の名前の問い合わせ先が2つとも応答しません。",
        "Neither resolver of the line answers.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "院内での操作は不要です。回線事業者へ連絡してください。",
        "There is nothing to do in the clinic. Call the carrier.",
    ),
};

pub const DNS_02: Words = Words {
    title: Text::new("名前の問い合わせ先の片方が停止", "one resolver of two is down"),
    happened: Text::new(
        "名前の問い合わせ先の片方が応答しません。",
        "One of the two resolvers does not answer.",
    ),
    meaning: Text::new("受付への影響はありません。", "Reception is not affected."),
    next: Text::new("操作は不要です。記録だけしています。", "Nothing to do; it is only recorded."),
};

pub const DNS_03: Words = Words {
    title: Text::new("問い合わせ先の地域違い", "resolvers of the other area"),
    happened: Text::new(
        "名前の問い合わせ先が、別の地域（東・西）の設定になっています。",
        "The resolvers are those of the other area (East or West).",
    ),
    meaning: Text::new(
        "オンライン資格確認の一部が使えないことがあります。",
        "Parts of online qualification may not work.",
    ),
    next: Text::new(
        "本機の設定の確認が必要です。設置事業者へ連絡してください。",
        "The box's settings have to be checked. Call whoever installed it.",
    ),
};

pub const DNS_04: Words = Words {
    title: Text::new("センターの名前が見つからない", "the centre's name does not exist"),
    happened: Text::new(
        "センターの名前が見つかりません。他の名前は見つかります。",
        "The centre's name is not found; other names are.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "センターのお知らせを確かめ、続くようなら連絡してください。",
        "Look at the centre's notices; if it goes on, call.",
    ),
};

pub const DNS_05: Words = Words {
    title: Text::new("問い合わせ先が別物", "a stranger answers for names"),
    happened: Text::new(
        "名前の問い合わせに、回線の外の宛先が返ってきます。",
        "Names are answered with addresses outside the closed network.",
    ),
    meaning: MEANING_ALL,
    next: Text::new(
        "回線側の配線とルーターの設定を確かめてください。",
        "Check the wiring and the router's settings on the line's side.",
    ),
};
