//! Every sentence of the page that is not a fault's, in both languages. The faults' words are the catalogue's.

use model::Text;

/// The language's own code, for attributes and addresses.
pub const CODE: Text = Text::new("ja", "en");
/// What the page is about.
pub const SUBJECT: Text = Text::new("オンライン資格確認", "Online qualification");
/// Name of the page, behind the state in the title.
pub const TITLE: Text = Text::new("資格確認の状態", "Qualification status");
/// First link of the page, for keyboards.
pub const SKIP: Text = Text::new("いまの状態へ進む", "Skip to the status");
/// Name of the choice of languages.
pub const LANGUAGE: Text = Text::new("言語", "Language");

/// Name of the choice of views.
pub const VIEWS: Text = Text::new("表示", "Views");
/// Name of the first view.
pub const OVERVIEW: Text = Text::new("いまの状態", "Status");
/// Name of the line's view.
pub const LINE_VIEW: Text = Text::new("回線の確認", "Line");
/// Name of the relay's view.
pub const RELAY: Text = Text::new("ファイル中継", "Relay");

/// Label of what happened.
pub const HAPPENED: Text = Text::new("状況", "What happened");
/// Label of what it means at reception.
pub const MEANING: Text = Text::new("受付への影響", "At reception");
/// Label of the next step.
pub const NEXT: Text = Text::new("次にすること", "Next step");
/// Label of the owner.
pub const OWNER: Text = Text::new("対応する先", "Who acts");
/// Label of the telephone numbers.
pub const CALL: Text = Text::new("連絡先", "Call");
/// Instead of a number the site file does not have.
pub const NO_NUMBER: Text = Text::new("電話番号は登録されていません。", "No number is on file.");
/// Heading of the independent faults.
pub const OTHERS: Text = Text::new("ほかの異常", "Also broken");

/// All is well.
pub const WELL: [Text; 3] = [
    Text::new("回線、センター、端末はいずれも正常です。", "Line, centre and terminal are all well."),
    Text::new("受付はいつもどおりにできます。", "Reception works as usual."),
    Text::new("操作は不要です。", "There is nothing to do."),
];
/// The first looks are not finished.
pub const CHECKING: [Text; 3] = [
    Text::new("回線と端末の状態を確認しています。", "Line and terminal are being checked."),
    Text::new("使えるかどうかは、まだ分かりません。", "Whether it can be used is not known yet."),
    Text::new(
        "1分ほどお待ちください。続くときは連絡してください。",
        "Wait about a minute; if it goes on, call.",
    ),
];
/// Reach says nothing, or nothing new.
pub const NOT_SEEN: [Text; 3] = [
    Text::new("本機の最新の確認結果がありません。", "The box has no recent result."),
    Text::new("使えるかどうかは分かりません。", "Whether it can be used is not known."),
    Text::new("1分待っても変わらなければ、連絡してください。", "If this stays for a minute, call."),
];
/// The line is well, but the relay says nothing.
pub const NO_RELAY: [Text; 3] = [
    Text::new(
        "回線は正常ですが、ファイル中継の状態が分かりません。",
        "The line is well; the relay's state is not known.",
    ),
    Text::new(
        "レセコンからの資格確認が届かないことがあります。",
        "Requests of the receipt computer may not arrive.",
    ),
    NOT_SEEN[2],
];
/// The line is well, but the firewall drops everything.
pub const ALL_DROPPED: [Text; 3] = [
    Text::new("本機が安全のため通信を全て止めています。", "For safety the box stops all traffic."),
    Text::new("資格確認が届かないことがあります。", "Qualification may not get through."),
    NOT_SEEN[2],
];

/// Heading of the path picture.
pub const PATH: Text = Text::new("つながり", "The path");
/// The border of responsibility.
pub const BORDER: Text =
    Text::new("点線は責任の分かれ目です。", "Dashed frames are borders of responsibility.");
/// A stop: the receipt computer.
pub const RECEIPT: Text = Text::new("レセコン", "Receipt computer");
/// Below the receipt computer: when its newest answered request came.
pub const NEWEST: Text = Text::new("最後の要求", "newest request");
/// A stop: this box.
pub const BOX: Text = Text::new("本機", "This box");
/// A stop: the terminal.
pub const TERMINAL: Text = Text::new("資格確認端末", "Terminal");
/// A stop: the line.
pub const LINE: Text = Text::new("回線", "Line");
/// A stop beside the path: the internet line.
pub const INTERNET: Text = Text::new("インターネット", "Internet");
/// A stop: line authentication.
pub const LINE_AUTH: Text = Text::new("認証", "Authentication");
/// A stop: the centre.
pub const CENTRE: Text = Text::new("センター", "Centre");
/// The clinic's side of the border.
pub const SIDE_CLINIC: Text = Text::new("院内", "In the clinic");
/// The carrier's side of the border.
pub const SIDE_LINE: Text = Text::new("回線事業者", "The carrier");
/// The centre's side of the border.
pub const SIDE_CENTRE: Text = Text::new("資格確認センター", "The centre");
/// Below a stop behind the broken place.
pub const BEHIND: Text = Text::new("手前で停止", "behind the break");
/// Below a stop nobody looked at yet.
pub const NEVER_SEEN: Text = Text::new("まだ確認していません", "not looked at yet");

/// Heading of today's pairs.
pub const TODAY: Text = Text::new("今日のやり取り", "Today's pairs");
/// Label of the number of pairs.
pub const PAIRS_LABEL: Text = Text::new("要求と回答", "Answered requests");
/// Unit of pairs.
pub const PAIRS: Text = Text::new("組", "pairs");
/// The median.
pub const P50: Text = Text::new("ふつう（中央値）", "p50");
/// The 95th percentile.
pub const P95: Text = Text::new("遅いとき（95%）", "p95");
/// No pair yet.
pub const NO_PAIRS: Text = Text::new("今日のやり取りはまだありません。", "No pair yet today.");
/// Label of the plot's time axis.
pub const PLOT: Text = Text::new("要求から回答までの秒数", "seconds from request to answer");

/// Below the plot.
pub const PLOT_LEGEND: Text = Text::new(
    "縦は要求から回答までの秒数、横は時刻です。実線はふつう、破線は遅いときです。",
    "Seconds from request to answer, by hour. Solid line: p50; dashed line: p95.",
);
/// Heading of what waits.
pub const WAITING: Text = Text::new("送信・回答待ち", "Waiting");
/// Nothing waits.
pub const NOTHING_WAITS: Text = Text::new("待っているファイルはありません。", "No file waits.");
/// Heading of what is held.
pub const HELD: Text = Text::new("送らずに残したファイル", "Held files");
/// Nothing is held.
pub const NOTHING_HELD: Text = Text::new("残したファイルはありません。", "No file is held.");
/// Opens the list of held files.
pub const SHOW_HELD: Text = Text::new("理由を見る", "Show the reasons");
/// Before a parcel's journal number.
pub const NUMBER: Text = Text::new("記録番号", "No.");

/// Before a parcel's kind.
pub const KIND: Text = Text::new("種類", "Kind");
/// Before the short hash of a parcel's name.
pub const HASH: Text = Text::new("照合記号", "Hash");
/// Heading of the folders, and of their column.
pub const FOLDERS: Text = Text::new("フォルダー", "Folders");
/// Which way requests go.
pub const TO_TERMINAL: Text = Text::new("レセコンから端末へ", "to the terminal");
/// Which way answers go.
pub const TO_CLINIC: Text = Text::new("端末からレセコンへ", "to the receipt computer");
/// Instead of a folder, for what belongs to no kind of the table.
pub const NO_FOLDER: Text = Text::new("登録のない種類", "Kinds not listed");
/// Before the age of the oldest of several.
pub const OLDEST: Text = Text::new("古いもので", "oldest");
/// Heading of what terminals and consumers have had for long.
pub const LATE: Text = Text::new("相手の動きを待つもの", "Left by the other side");
/// Unit of files.
pub const FILES: Text = Text::new("件", "files");
/// Label of the requests that were published today.
pub const REQUESTS: Text = Text::new("今日の要求", "Requests today");
/// Label of the answers that were delivered today.
pub const ANSWERS: Text = Text::new("今日の回答", "Answers today");
/// Label of answers that ended well.
pub const SAID_NORMAL: Text = Text::new("正常終了の回答", "ended well");
/// Label of answers that are not ready.
pub const SAID_PENDING: Text = Text::new("処理中の回答", "pending");
/// Label of answers that ended badly.
pub const SAID_FAILED: Text = Text::new("異常終了の回答", "failed");
/// Label of answers that refuse.
pub const SAID_REFUSED: Text = Text::new("拒否の回答", "refused");
/// Label of answers that were not understood.
pub const SAID_NOTHING: Text = Text::new("読めない回答", "unread");
/// Only the newest pairs are kept.
pub const PAIRS_CUT: Text =
    Text::new("今日の新しいやり取りだけを数えています。", "Only the newest of today's pairs are counted.");
/// Opens the pairs as a table.
pub const SHOW_TABLE: Text = Text::new("時間ごとの表を見る", "Show a table by the hour");
/// Heading of the hours.
pub const HOUR: Text = Text::new("時刻", "Hour");

/// Asks for a look at every rung.
pub const CHECK_NOW: Text = Text::new("今すぐ確認する", "Check now");
/// A look is under way; behind it, how far it has come.
pub const LOOKING: Text = Text::new("確認しています", "Being looked at");
/// Heading of the rungs.
pub const LADDER: Text = Text::new("確認の段階と72時間", "The ladder and its 72 hours");
/// Below the rungs.
pub const STRIP_LEGEND: Text = Text::new(
    "帯は左が72時間前、右が今です。高い帯は異常、中は確認中、低い帯は正常、線は未確認です。",
    "Left is 72 hours ago. High: broken; middle: open; low: good; a thin line: not looked at.",
);
/// Before the days whose midnights are drawn.
pub const MIDNIGHTS: Text = Text::new("縦線は次の日の0時です:", "The vertical lines are the midnights of");
/// Nothing is remembered.
pub const NO_PAST: Text = Text::new("72時間の記録はまだありません。", "Nothing is remembered yet.");
/// Before the last good look.
pub const LAST_GOOD: Text = Text::new("最後の正常", "last good");
/// Before the first bad look.
pub const FIRST_BAD: Text = Text::new("最初の異常", "first bad");
/// Before the first bad look of a time that is over.
pub const LAST_BROKEN: Text = Text::new("前回の異常", "last broken from");
/// A share of the 72 hours.
pub const HOURS: Text = Text::new("時間", "h");
/// Heading of the stories.
pub const STORIES: Text = Text::new("これまでの異常", "Faults so far");
/// No story.
pub const NO_STORIES: Text = Text::new("記録された異常はありません。", "No fault is remembered.");
/// A fault that stands.
pub const STANDS: Text = Text::new("継続中", "still there");
/// An end that nobody saw.
pub const END_UNSEEN: Text = Text::new("終わりは未確認", "end not seen");
/// Behind how often a fault came.
pub const TIMES: Text = Text::new("回", "times");

/// Heading of the box.
pub const LAMPS: Text = Text::new("本機のランプ", "The box's lamps");
/// Heading of the firewall's line.
pub const FIREWALL: Text = Text::new("院内の守り", "Protection");
/// The proved ruleset stands.
pub const PROTECTED: Text = Text::new("守られています。", "Protected.");
/// Everything is dropped.
pub const DROPPED: Text = Text::new("全て遮断しています。", "Everything is blocked.");
/// The kernel holds something else.
pub const DRIFTED: Text =
    Text::new("設定が確認済みのものと違います。", "The rules differ from the proved ones.");
/// Nothing is known about a part.
pub const NO_PART: Text =
    Text::new("本機のこの部分から知らせがありません。", "This part of the box says nothing.");

/// Before the time of the last look.
pub const LOOKED: Text = Text::new("最終確認", "Last look");
/// No look at all.
pub const NEVER: Text = Text::new("なし", "none");
/// The browser hears nothing from the box.
pub const STALE: Text = Text::new(
    "本機との接続が切れています。表示は古い内容です。",
    "The box cannot be reached. What you see is old.",
);

/// Name of the maintenance view.
pub const MAINTENANCE: Text = Text::new("遠隔保守", "Maintenance");
/// The site has none.
pub const MAINT_NONE: Text =
    Text::new("この施設では遠隔保守を使いません。", "This site has no remote maintenance.");
/// The normal state.
pub const MAINT_CLOSED: Text = Text::new("閉じています。外から入れません。", "Closed. Nobody can come in.");
/// Somebody may be in.
pub const MAINT_OPEN: Text =
    Text::new("許可した保守員が外から入れます。", "A maintainer who was let in can come in.");
/// How to end it.
pub const MAINT_CLOSE: Text = Text::new(
    "本機の前面ボタンを1回押すと、すぐに閉じます。",
    "One touch of the box's front button closes it at once.",
);
/// Nobody can consent yet.
pub const MAINT_NO_PIN: Text =
    Text::new("責任者の暗証番号がまだ設定されていません。", "The responsible person has not set a PIN yet.");
/// Sessions await their review.
pub const REVIEW_WAITS: Text = Text::new(
    "終わった作業の記録を、責任者が確認してください。",
    "The responsible person should review the past sessions.",
);
/// They have for too long.
pub const REVIEW_LATE: Text = Text::new(
    "確認されないまま3日を過ぎた記録があります。責任者が確認してください。",
    "A session was not reviewed for three days; the responsible person should do so.",
);
/// Heading of what is open.
pub const OPEN_NOW: Text = Text::new("いま開いています", "Open now");
/// Label of the maintainer.
pub const WHO: Text = Text::new("保守員", "Maintainer");
/// Label of the reason.
pub const WHAT_FOR: Text = Text::new("目的", "What for");
/// Label of who consented.
pub const CONSENTED: Text = Text::new("許可", "Consent");
/// By the number.
pub const BY_PIN: Text = Text::new("責任者の暗証番号", "PIN");
/// By the button.
pub const BY_BUTTON: Text = Text::new("前面ボタン", "front button");
/// Label of the end.
pub const UNTIL: Text = Text::new("終わる時刻", "Until");
/// Label of the tunnel.
pub const TUNNEL: Text = Text::new("接続", "Tunnel");
/// It stands.
pub const TUNNEL_UP: Text = Text::new("つながっています。", "It stands.");
/// It does not yet.
pub const TUNNEL_CALLING: Text = Text::new("呼び出しています。", "The gateway is being called.");
/// Label of what can be reached.
pub const REACHES: Text = Text::new("届く先", "Reaches");
/// What a maintainer always reaches.
pub const MANAGEMENT: Text = Text::new("本機の管理画面", "the box's management");
/// Heading of the past sessions.
pub const SESSIONS: Text = Text::new("これまでの作業", "Past sessions");
/// There are none.
pub const NO_SESSIONS: Text = Text::new("記録はありません。", "No session is on record.");
/// Column: the number.
pub const SESSION: Text = Text::new("記録番号", "No.");
/// Column: how long.
pub const LASTED: Text = Text::new("長さ", "Lasted");
/// Column: what was reached.
pub const REACHED: Text = Text::new("通信", "Traffic");
/// Nobody could count.
pub const NOT_COUNTED: Text = Text::new("数えられていません", "not counted");
/// Column: the review.
pub const REVIEW: Text = Text::new("責任者の確認", "Review");
/// Before the time of a review.
pub const REVIEWED: Text = Text::new("確認済み", "reviewed");
/// It was not reviewed yet.
pub const REVIEW_OPEN: Text = Text::new("確認待ち", "awaits it");
/// It was not for too long.
pub const REVIEW_OVERDUE: Text = Text::new("3日以上、確認待ち", "awaits it for more than three days");
/// Below the sessions, on paper.
pub const SIGN: Text =
    Text::new("確認日　　　　　　責任者　　　　　　　　　", "Date            Responsible person");

/// What the setup page is about.
pub const SETUP_SUBJECT: Text = Text::new("関所の設定", "Setting up this Sekisho");
/// The word of a box in the carton.
pub const CARTON_WORD: Text = Text::new("設定を待っています", "Waiting for its settings");
/// The word of a closed box.
pub const CLOSED_WORD: Text = Text::new("止まっています", "Closed");
/// The carton, in three sentences.
pub const CARTON: [Text; 3] = [
    Text::new("本機にはまだ設定がありません。", "This box has no settings yet."),
    Text::new("設定が済むまで、通信は全て止めています。", "Until it has, all traffic is stopped."),
    Text::new(
        "設定ファイルを入れたメモリーを、本機に差し込んでください。",
        "Plug the stick with the site file into the box.",
    ),
];
/// Closed: what it means. What happened and what to do next are the notice's.
pub const CLOSED_MEANING: Text =
    Text::new("安全のため、通信は全て止めています。", "For safety all traffic is stopped.");
/// Closed without a reason, or nothing is known.
pub const CLOSED_OPEN: [Text; 2] = [
    Text::new("本機の状態がまだ分かりません。", "How the box came up is not known yet."),
    Text::new("1分待っても変わらなければ、連絡してください。", "If this stays for a minute, call."),
];
/// Heading of the notices.
pub const NOTICES: Text = Text::new("お知らせ", "Notices");
/// A fact of the box.
pub const SITUATION: Text = Text::new("状態", "Situation");
/// A fact of the box.
pub const VERSION: Text = Text::new("版", "Version");
/// A fact of the box.
pub const BOARD: Text = Text::new("機種", "Board");
/// A fact of the box.
pub const SERIAL: Text = Text::new("製造番号", "Serial number");
/// A fact of the box.
pub const ADDRESS: Text = Text::new("このページの場所", "This page");
/// A fact of the box.
pub const FINGERPRINT: Text = Text::new("証明書の指紋（SHA-256）", "Certificate fingerprint (SHA-256)");
/// A fact of the box.
pub const AUTHORITY: Text = Text::new("認証局の指紋（SHA-256）", "Authority fingerprint (SHA-256)");
/// Below the fingerprint.
pub const FINGERPRINT_HELP: Text = Text::new(
    "ブラウザーが示す証明書の指紋と、本機のコンソールの表示が同じであることを確かめてください。",
    "Compare the fingerprint your browser shows with the one on the box's console.",
);

/// Name of the firewall's view.
pub const RULES: Text = Text::new("通信の規則", "Firewall");
/// Heading of the matrix.
pub const MATRIX: Text = Text::new("どこからどこへ通すか", "What may pass, from where to where");
/// Corner of the matrix.
pub const FROM_TO: Text = Text::new("から ↓ へ →", "from ↓ to →");
/// A cell through which nothing passes.
pub const CELL_NEVER: Text = Text::new("通さない", "never");
/// A cell through which answers pass and nothing is opened.
pub const CELL_ANSWERS: Text = Text::new("応答だけ", "answers only");
/// A cell through which what is listed is opened.
pub const CELL_LISTED: Text = Text::new("決めたものだけ", "listed only");
/// The pairs through which nothing passes, folded away.
pub const NEVER_PAIRS: Text = Text::new("何も通さない組み合わせ", "Pairs through which nothing passes");
/// Below the matrix.
pub const MATRIX_HELP: Text =
    Text::new("ます目を選ぶと、規則と数を見られます。", "Choose a cell to see its lines and counts.");
/// Heading of a cell's exact packets.
pub const MAY_OPEN: Text = Text::new("始められる通信", "May be opened");
/// Instead of them.
pub const OPENS_NOTHING: Text = Text::new("始められる通信はありません。", "Nothing may be opened.");
/// Answers pass, too.
pub const ANSWERS_PASS: Text =
    Text::new("始めてよい通信への応答は通ります。", "Answers to what was rightly opened pass.");
/// Heading of a cell's lines.
pub const LINES: Text = Text::new("規則（上から順に）", "Lines, from the top");
/// Heading of what a line has counted.
pub const COUNT: Text = Text::new("パケット", "packets");
/// Heading of a cell's newest refusals.
pub const REFUSED_LATELY: Text = Text::new("最近止めたもの", "Refused lately");
/// Instead of them.
pub const NOTHING_REFUSED: Text = Text::new("最近止めたものはありません。", "Nothing was refused lately.");
/// Heading of the newest refusals of all.
pub const REFUSALS: Text = Text::new("最近止めた通信", "Newest refusals");
/// The record of refusals is not told.
pub const NO_DROPS: Text =
    Text::new("止めた通信の記録は、いま分かりません。", "The record of refusals is not known now.");
/// Refusals are not heard.
pub const DEAF: Text = Text::new(
    "止めた通信の記録を受け取れていません。通信は止まっています。",
    "Refusals are not heard; they are refused all the same.",
);
/// A line that lets pass.
pub const LINE_PASSES: Text = Text::new("通す", "passes");
/// A line that refuses.
pub const LINE_REFUSES: Text = Text::new("止める", "refuses");
/// A line that leads on.
pub const LINE_LEADS: Text = Text::new("進む", "leads on");
/// Heading of the promises.
pub const PROMISES: Text = Text::new("守っている約束と、その証明", "What is promised, and its proof");
/// A promise that is proved on what the kernel holds.
pub const PROVED: Text = Text::new("証明済み", "Proved");
/// A promise that is broken.
pub const BROKEN: Text = Text::new("破れています", "Broken");
/// A promise of which nothing is claimed.
pub const UNPROVED: Text = Text::new("証明できません", "Not proved");
/// No proof is known.
pub const NO_PROOF: Text = Text::new("証明の結果は、いま分かりません。", "No proof is known now.");
/// Somebody changed the rules.
pub const DRIFT: Text =
    Text::new("規則が本機の外から書き換えられました。", "The rules were changed behind the box's back.");
/// It was put right.
pub const DRIFT_DONE: Text = Text::new("元に戻しました。", "It was put right.");
/// It will be put right.
pub const DRIFT_WAITS: Text = Text::new("まもなく元に戻します。", "It will be put right in a moment.");
/// It could not be put right.
pub const DRIFT_FAILED: Text =
    Text::new("元に戻せないため、全て遮断しています。", "It could not be put right: everything is blocked.");
/// How often it was found.
pub const FOUND: Text = Text::new("見つけた回数", "Found");
/// A change waits for its confirmation.
pub const PENDING: Text =
    Text::new("規則の変更が確認を待っています。", "A change of the rules waits to be confirmed.");
/// Until when.
pub const TAKEN_BACK: Text = Text::new("確認がなければ元に戻す時刻", "Taken back, if nobody confirms, at");
/// Something in the rules is not understood.
pub const NOT_UNDERSTOOD: Text =
    Text::new("読み取れない規則があります。", "Something in the rules is not understood.");
/// Heading of the form.
pub const WOULD: Text = Text::new("この通信は通りますか", "Would this pass?");
/// What the form is.
pub const WOULD_HELP: Text = Text::new(
    "調べるだけで、何も送りません。いま本機が持つ規則で答えます。",
    "Nothing is sent. The answer is by the rules the box holds now.",
);
/// The button.
pub const ASK: Text = Text::new("調べる", "Ask");
/// It passes.
pub const PASSES: Text = Text::new("通ります。", "It passes.");
/// It is refused.
pub const REFUSED: Text = Text::new("通りません。", "It does not pass.");
/// The question has mistakes.
pub const MISTAKES: Text = Text::new("次のところを直してください。", "Please put these right.");
/// Nobody answers.
pub const NO_ANSWER: Text = Text::new(
    "いまは調べられません。少し待って、もう一度押してください。",
    "There is no answer now. Wait a moment and ask again.",
);
/// Something on its way is not understood.
pub const UNCLEAR: Text =
    Text::new("途中に読み取れない規則があります。", "Something on its way is not understood.");
/// The packet of an answer.
pub const PACKET: Text = Text::new("通信", "Packet");
/// The line of an answer.
pub const DECIDED_BY: Text = Text::new("決めた規則", "Decided by");
/// Its way.
pub const WAY: Text = Text::new("通った道", "Way");
/// The rule in nft's words.
pub const NFT_RULE: Text = Text::new("規則の中身", "Rule");
/// Field: zone it comes from.
pub const Q_FROM: Text = Text::new("どこから", "From zone");
/// Field: zone it goes to.
pub const Q_TO: Text = Text::new("どこへ", "To zone");
/// What the field says when nothing is chosen.
pub const Q_BY_DESTINATION: Text = Text::new("宛先から決める", "by the destination");
/// Field: port of the box.
pub const Q_IN: Text = Text::new("本機のポート（任意）", "Port of the box (optional)");
/// Field: source address.
pub const Q_SRC: Text = Text::new("送信元アドレス", "Source address");
/// Field: destination address.
pub const Q_DST: Text = Text::new("宛先アドレス", "Destination address");
/// Field: protocol.
pub const Q_PROTO: Text = Text::new("プロトコル", "Protocol");
/// Field: destination port.
pub const Q_DPORT: Text = Text::new("宛先ポート番号", "Destination port");
/// Field: source port.
pub const Q_SPORT: Text = Text::new("送信元ポート番号（任意）", "Source port (optional)");
/// Field: ICMP type.
pub const Q_ICMP: Text = Text::new("種類の番号（ICMP のとき）", "Type (ICMP only)");
/// Field: state.
pub const Q_STATE: Text = Text::new("接続の状態", "State");
/// The state of what opens something.
pub const Q_FIRST: Text = Text::new("新しい接続", "new");
/// The state of what belongs to a flow.
pub const Q_OPEN: Text = Text::new("続いている接続", "established");

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole catalogue, for the lint.
    fn sentences() -> Vec<Text> {
        let blocks = [WELL, CHECKING, NOT_SEEN, NO_RELAY, ALL_DROPPED, CARTON].concat();
        let single = [
            NO_NUMBER,
            BORDER,
            NO_PAIRS,
            PLOT_LEGEND,
            PAIRS_CUT,
            NOTHING_WAITS,
            NOTHING_HELD,
            PROTECTED,
            DROPPED,
            DRIFTED,
            STRIP_LEGEND,
            NO_PAST,
            NO_STORIES,
            MATRIX_HELP,
            OPENS_NOTHING,
            ANSWERS_PASS,
            NOTHING_REFUSED,
            NO_DROPS,
            DEAF,
            NO_PROOF,
            DRIFT,
            DRIFT_DONE,
            DRIFT_WAITS,
            DRIFT_FAILED,
            PENDING,
            NOT_UNDERSTOOD,
            WOULD_HELP,
            PASSES,
            REFUSED,
            MISTAKES,
            NO_ANSWER,
            UNCLEAR,
        ];
        blocks
            .into_iter()
            .chain(single)
            .chain([NO_PART, STALE, CLOSED_MEANING, FINGERPRINT_HELP])
            .chain(CLOSED_OPEN)
            .collect()
    }

    #[test]
    fn sentences_are_short_polite_and_without_english_or_blame() {
        for sentence in sentences().iter().map(|text| text.ja) {
            assert!(sentence.chars().count() <= 60, "{sentence}");
            assert!(sentence.ends_with('。'), "{sentence}");
            assert!(!sentence.chars().any(|c| c.is_ascii_alphabetic()), "{sentence}");
            for blame in ["ミス", "怠", "せいで", "エラー", "不正"] {
                assert!(!sentence.contains(blame), "{sentence}");
            }
        }
    }
}
