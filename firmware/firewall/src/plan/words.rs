//! The Japanese of every policy line, by its English words: lines that say the same share one entry. The kernel's comment
//! holds the English alone, because it is short.

/// A policy line in Japanese; none for words that no plan of ours has.
pub fn japanese(says: &str) -> Option<&'static str> {
    TABLE.iter().find(|(english, _)| *english == says).map(|(_, japanese)| *japanese)
}

const TABLE: &[(&str, &str)] = &[
    // What several zones share.
    ("answers, and errors about open flows", "続いている接続の応答と通知"),
    ("belongs to no flow and opens none (2)", "どの接続にも合わない (2)"),
    ("each port has its zone's rules", "ポートごとにゾーンの規則へ進む"),
    ("what IPv6 needs (8)", "IPv6 に必要な通信へ進む (8)"),
    ("IPv6 needs neighbour discovery (8)", "IPv6 に必要な近隣探索 (8)"),
    ("IPv6 needs its errors, packet-too-big first (8)", "IPv6 に必要なエラー通知（Packet Too Big など） (8)"),
    ("IPv6 needs multicast listener discovery (8)", "IPv6 に必要なマルチキャスト受信者探索 (8)"),
    ("the box's own loopback (11)", "本機の内部の通信 (11)"),
    // To the box.
    ("a port nobody planned is closed (2)", "計画にないポートは閉じる (2)"),
    ("the line carries IPv6 only (4)", "回線は IPv6 だけを運ぶ (4)"),
    ("a terminal's address does not come from the line (9)", "端末のアドレスが回線から来ることはない (9)"),
    ("IPv6 needs the line's router advertisements (8)", "IPv6 に必要な回線のルーター広告 (8)"),
    ("the line's desk may ping the box (2)", "回線の窓口からの ping への応答 (2)"),
    ("DHCPv6 answers from the link only (2)", "同じリンクからの DHCPv6 の応答だけ (2)"),
    ("nothing opens a connection from the line (2)", "回線の側から接続を始めることはできない (2)"),
    ("a terminal without an address asks for one (5)", "アドレスのない端末がアドレスを求める (5)"),
    ("only a terminal's own address (9)", "端末自身のアドレスだけ (9)"),
    ("a terminal may ping the box (5)", "端末から本機への ping (5)"),
    ("names, time and addresses for the terminals (5)", "端末向けの名前解決・時刻・アドレス (5)"),
    ("a terminal reaches nothing else of the box (5)", "端末は本機のほかのものに届かない (5)"),
    ("only the clinic's own addresses (9)", "院内のアドレスだけ (9)"),
    ("the clinic reaches the box's clinic address only (6)", "院内からは本機の院内アドレスにだけ届く (6)"),
    ("the page and the shares (6)", "画面と共有フォルダー (6)"),
    ("the clinic reaches nothing else of the box (6)", "院内からは本機のほかのものに届かない (6)"),
    // Through the box.
    ("no other zones are joined (1, 3)", "ほかのゾーンどうしはつながない (1, 3)"),
    ("the profile's destinations (4)", "決められた宛先 (4)"),
    ("a terminal leaves to listed destinations only (4)", "端末は決められた宛先にだけ出る (4)"),
    // From the box.
    ("a port nobody planned is closed (10)", "計画にないポートは閉じる (10)"),
    ("the box asks for the line's router (8)", "本機が回線のルーターを探す (8)"),
    ("the box asks by DHCPv6 (10)", "本機が DHCPv6 でたずねる (10)"),
    ("the box pings its gateway and its peers (10)", "本機からゲートウェイと登録先への ping (10)"),
    ("the box's listed peers (10)", "本機の登録先 (10)"),
    ("the box speaks to listed peers only (10)", "本機は登録された相手とだけ通信する (10)"),
    ("answers to a terminal without an address (5)", "アドレスのない端末への応答 (5)"),
    ("the box pings its terminals (10)", "本機から端末への ping (10)"),
    ("the relay writes to the terminals' shares (10)", "中継が端末の共有フォルダーに書く (10)"),
    ("the relay opens the consumers' own shares (10)", "中継がレセコン側の共有フォルダーを開く (10)"),
    ("the box opens nothing to the clinic (10)", "本機から院内へ接続を始めない (10)"),
    // The lines and ways out that only some sites have.
    ("DHCP answers on the internet line (2)", "インターネット回線の DHCP の応答 (2)"),
    ("ESP with the configured gateways (2)", "登録されたゲートウェイとの ESP (2)"),
    ("IKE with the configured gateways (2)", "登録されたゲートウェイとの IKE (2)"),
    ("a terminal is connected beside the box (9)", "端末が本機を通らずにつながっている (9)"),
    (
        "a terminal's share is asked for beside the box (1)",
        "端末の共有フォルダーに本機を通らずに届こうとしている (1)",
    ),
    ("a terminal's own PPPoE session", "端末自身の PPPoE 接続"),
    ("an address from inside does not come from outside (9)", "院内側のアドレスが外から来ることはない (9)"),
    ("it asks the box for the line's prefix (8)", "回線のプレフィックスを本機にたずねる (8)"),
    ("leaves with the address of the box there", "そこでは本機のアドレスで出る"),
    ("nothing else is bridged (1)", "ほかのものは橋渡ししない (1)"),
    ("nothing opens a connection from the cloud (2)", "クラウドの側から接続を始めることはできない (2)"),
    (
        "nothing opens a connection from the internet (2)",
        "インターネットの側から接続を始めることはできない (2)",
    ),
    ("nothing opens a connection from the tunnel (2)", "IPsec の側から接続を始めることはできない (2)"),
    ("one sender may not fill the table of flows", "1 台で接続の表を埋めることはできない"),
    ("only between that port and the line", "そのポートと回線のあいだだけ"),
    ("a way there is from zone to zone (1, 3)", "ゾーンからゾーンへの決められた経路 (1, 3)"),
    ("segments no longer than the way carries", "経路が運べる長さに区切る"),
    ("the box asks by DHCP (10)", "本機が DHCP でたずねる (10)"),
    ("the box tells the line's prefix (8)", "本機が回線のプレフィックスを知らせる (8)"),
    ("the internet line carries IPv4 only (2)", "インターネット回線は IPv4 だけを運ぶ (2)"),
    ("the line carries IPv4 only (4)", "回線は IPv4 だけを運ぶ (4)"),
    ("the tunnel carries IPv4 only (4)", "IPsec は IPv4 だけを運ぶ (4)"),
    ("this tunnel carries IPv4 only (2)", "この IPsec は IPv4 だけを運ぶ (2)"),
    ("this sender has too many flows open", "この送信元は接続を開きすぎている"),
    ("where the profile's names lie, as the resolver said (4)", "名前解決で分かった、決められた宛先 (4)"),
    // The clinic's own ways out.
    ("a computer without an address asks for one (6)", "アドレスのないパソコンがアドレスを求める (6)"),
    ("a computer asks for its address again (6)", "パソコンがアドレスを求め直す (6)"),
    ("answers to a computer without an address (6)", "アドレスのないパソコンへの応答 (6)"),
    ("names and addresses, as the site asks for them (6)", "設定された名前解決とアドレス (6)"),
    ("only the cloud's networks lie there (3)", "そこにあるのはクラウドのネットワークだけ (3)"),
    ("only the cloud's own addresses (9)", "クラウドのアドレスだけ (9)"),
    ("the clinic leaves by the internet line (3)", "院内はインターネット回線から出る (3)"),
    ("the clinic leaves over IPv4 only (3)", "院内は IPv4 でだけ出る (3)"),
    ("the clinic opens nothing else there (3)", "院内はそこへほかの接続を始めない (3)"),
    ("the clinic reaches its cloud (3)", "院内からクラウドに届く (3)"),
    // Claims terminals and printers.
    ("a claims terminal has the clinic's shares (5)", "請求端末は院内の共有フォルダーを使える (5)"),
    ("a claims terminal leaves to listed destinations only (4)", "請求端末は決められた宛先にだけ出る (4)"),
    ("a claims terminal may ping the box (5)", "請求端末から本機への ping (5)"),
    ("a claims terminal reaches nothing else of the box (5)", "請求端末は本機のほかのものに届かない (5)"),
    ("a claims terminal without an address asks for one (5)", "アドレスのない請求端末がアドレスを求める (5)"),
    (
        "a claims terminal's address does not come from the line (9)",
        "請求端末のアドレスが回線から来ることはない (9)",
    ),
    ("answers to a claims terminal without an address (5)", "アドレスのない請求端末への応答 (5)"),
    ("names, time and addresses for the claims terminals (5)", "請求端末向けの名前解決・時刻・アドレス (5)"),
    ("only a claims terminal's own address (9)", "請求端末自身のアドレスだけ (9)"),
    ("a printer is asked to print only (1)", "プリンターには印刷だけを頼む (1)"),
    ("a printer opens nothing (1)", "プリンターは接続を始めない (1)"),
    ("only a printer's own address (9)", "プリンター自身のアドレスだけ (9)"),
    ("printers are reached over IPv4 only (1)", "プリンターには IPv4 でだけ届く (1)"),
    ("the box opens nothing to a printer (10)", "本機からプリンターへ接続を始めない (10)"),
    ("the printers' printing ports (1)", "プリンターの印刷用ポート (1)"),
    // Remote maintenance, while consent is open.
    ("a maintainer reaches nothing else of the box (7)", "保守員は本機のほかのものに届かない (7)"),
    ("a maintainer reaches one port of one host (7)", "保守員は 1 台の 1 つのポートにだけ届く (7)"),
    ("a maintainer reaches the management address only (7)", "保守員は管理用アドレスにだけ届く (7)"),
    ("nothing opens a connection to a maintainer (7)", "保守員へ接続を始めることはできない (7)"),
    ("only a maintainer's own address (9)", "保守員自身のアドレスだけ (9)"),
    ("only the host of the second consent answers (7)", "2 つ目の同意の相手だけが応答する (7)"),
    ("the box opens nothing to a maintainer (10)", "本機から保守員へ接続を始めない (10)"),
    ("the box's management, while consent is open (7)", "同意があるあいだの本機の管理 (7)"),
    ("the maintainer's tunnel carries IPv4 only (7)", "保守用の接続は IPv4 だけを運ぶ (7)"),
    ("the one host and port of the second consent (7)", "2 つ目の同意の 1 台と 1 つのポート (7)"),
    // Before a site is in force.
    ("the setup port has its rules", "設置用ポートの規則へ進む"),
    ("a computer without an address asks for one (14)", "アドレスのないパソコンがアドレスを求める (14)"),
    ("a computer asks for its address again (14)", "パソコンがアドレスを求め直す (14)"),
    ("a computer keeps its address (14)", "パソコンがアドレスを使い続ける (14)"),
    ("only addresses of the setup port's own network (14)", "設置用ポートのネットワークのアドレスだけ (14)"),
    ("only the box's setup address is reached (14)", "届くのは本機の設置用アドレスだけ (14)"),
    ("the setup page, over HTTPS only (14)", "設置画面（HTTPS だけ） (14)"),
    ("before a site is in force nothing else is reached (14)", "設置の前は、ほかのものに届かない (14)"),
    ("every other port is closed (14)", "ほかのポートは閉じる (14)"),
    ("before a site is in force nothing is forwarded (13)", "設置の前は何も中継しない (13)"),
    ("answers to a computer without an address (15)", "アドレスのないパソコンへの応答 (15)"),
    ("before a site is in force the box asks nobody (15)", "設置の前は本機から通信を始めない (15)"),
    ("every other port is closed (15)", "ほかのポートは閉じる (15)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_there_once_and_names_the_same_promises_in_both_languages() {
        let promises = |text: &str| {
            let numbers = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
            numbers.map(|(_, numbers)| numbers.to_owned())
        };
        for (place, (english, japanese)) in TABLE.iter().enumerate() {
            assert_eq!(promises(english), promises(japanese), "{english}");
            assert!(TABLE[..place].iter().all(|(other, _)| other != english), "{english} is there twice");
        }
    }
}
