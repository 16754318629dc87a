//! A cube in words, in both languages. Every field that is not whole is said, so that the words are true of each of its
//! packets and of no other.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::Text;
use model::policy::Said;

use super::super::cube::{Cube, Field};
use super::super::span::Span;
use crate::packet::State;

/// Whether the field is all it can be in its family.
fn is_whole(cube: &Cube, field: Field) -> bool {
    let version = if cube.span(Field::Family).has(4) { 4 } else { 6 };
    *cube.span(field) == *Cube::family(version).span(field)
}

/// `80, 443/TCP at 198.51.100.1 from 198.51.100.0/24`
pub(super) fn what(cube: &Cube) -> Said {
    let version = if cube.span(Field::Family).has(4) { 4 } else { 6 };
    let mut said = transport(cube, version);
    let mut add = |ja: String, en: String| {
        said.ja.push_str(&ja);
        said.en.push_str(&en);
    };
    let addresses = |field| (!is_whole(cube, field)).then(|| places(cube.span(field), version));
    let (to, from) = (addresses(Field::Destination), addresses(Field::Source));
    if to.is_none() && from.is_none() {
        add(format!("（IPv{version}）"), format!(" over IPv{version}"));
    }
    if let Some(to) = to {
        add(format!("、宛先 {}", to.ja), format!(" at {}", to.en));
    }
    if let Some(from) = from {
        add(format!("、送信元 {}", from.ja), format!(" from {}", from.en));
    }
    if !is_whole(cube, Field::SourceService) {
        let ports = numbers(cube.span(Field::SourceService));
        add(format!("、送信元ポート {}", ports.ja), format!(", source port {}", ports.en));
    }
    // A packet whose last hop is over is passed on by nobody.
    let hops = Span::range(2_u8, u8::MAX);
    if !is_whole(cube, Field::HopLimit) && *cube.span(Field::HopLimit) != hops {
        let hops = numbers(cube.span(Field::HopLimit));
        add(format!("、ホップリミット {}", hops.ja), format!(", hop limit {}", hops.en));
    }
    if !is_whole(cube, Field::Mac) {
        let cards = cards(cube.span(Field::Mac));
        add(format!("、送信元 MAC {}", cards.ja), format!(", link address {}", cards.en));
    }
    if !is_whole(cube, Field::Mark) && !is_unmarked(cube) {
        let marks = numbers(cube.span(Field::Mark));
        add(format!("、マーク {}", marks.ja), format!(", mark {}", marks.en));
    }
    if let Some(states) = states(cube.span(Field::State)) {
        add(format!("、{}", states.ja), format!(", {}", states.en));
    }
    said
}

fn transport(cube: &Cube, version: u8) -> Said {
    let protocols = protocols(cube);
    let mut said = match (is_whole(cube, Field::DestinationService), is_whole(cube, Field::IcmpType)) {
        (false, _) => {
            let ports = numbers(cube.span(Field::DestinationService));
            Said::new(format!("{}/{}", ports.ja, protocols.ja), format!("{}/{}", ports.en, protocols.en))
        }
        (true, false) => {
            let types = icmp_types(cube.span(Field::IcmpType), version);
            Said::new(format!("{} {}", protocols.ja, types.ja), format!("{} {}", protocols.en, types.en))
        }
        (true, true) => protocols,
    };
    if !is_whole(cube, Field::IcmpCode) {
        let codes = numbers(cube.span(Field::IcmpCode));
        said.ja.push_str(&format!("（コード {}）", codes.ja));
        said.en.push_str(&format!(" (code {})", codes.en));
    }
    // A port or a type is only there where the header is.
    let implied = !is_whole(cube, Field::DestinationService)
        || !is_whole(cube, Field::SourceService)
        || !is_whole(cube, Field::IcmpType)
        || !is_whole(cube, Field::IcmpCode);
    match (cube.span(Field::Readable).has(0), cube.span(Field::Readable).has(1)) {
        (true, false) => {
            said.ja.push_str("（ヘッダーの読めない断片）");
            said.en.push_str(" without a readable header (later fragments)");
        }
        (false, true) if !implied => {
            said.ja.push_str("（ヘッダーの読めるもの）");
            said.en.push_str(" with a readable header");
        }
        _ => {}
    }
    said
}

const NAMED: [(u8, &str); 9] = [
    (1, "ICMP"),
    (2, "IGMP"),
    (6, "TCP"),
    (17, "UDP"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (58, "ICMPv6"),
    (132, "SCTP"),
];

fn protocols(cube: &Cube) -> Said {
    let span = cube.span(Field::Protocol);
    if is_whole(cube, Field::Protocol) {
        let text = if is_whole(cube, Field::DestinationService) { "everything" } else { "any protocol" };
        return Said::new("すべてのプロトコル", text);
    }
    let name = |number: u128| {
        let known = NAMED.iter().find(|(own, _)| u128::from(*own) == number);
        known.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
    };
    let bytes = Span::range(0_u8, u8::MAX);
    let list = |span: &Span| {
        let ends = |(first, last): &(u128, u128)| {
            if first == last { name(*first) } else { format!("{first}-{last}") }
        };
        span.ranges().iter().map(ends).collect::<Vec<_>>()
    };
    let gaps = span.not().and(&bytes);
    if gaps.ranges().len() < span.ranges().len() {
        let but = list(&gaps);
        return Said::new(
            format!("{} 以外", but.join("・")),
            format!("every protocol but {}", but.join(", ")),
        );
    }
    let named = |number: &str| number.starts_with(|c: char| c.is_ascii_digit());
    let list = list(span);
    let en: Vec<String> =
        list.iter().map(|one| if named(one) { format!("protocol {one}") } else { one.clone() }).collect();
    let ja: Vec<String> =
        list.iter().map(|one| if named(one) { format!("プロトコル {one}") } else { one.clone() }).collect();
    Said::new(ja.join("・"), en.join(" and "))
}

const ICMP_NAMES: [(u8, Text); 6] = [
    (0, Text::new("エコー応答", "echo reply")),
    (3, Text::new("宛先到達不能", "destination unreachable")),
    (5, Text::new("リダイレクト", "redirect")),
    (8, Text::new("エコー要求", "echo request")),
    (11, Text::new("時間超過", "time exceeded")),
    (12, Text::new("パラメーター異常", "parameter problem")),
];

const ICMP6_NAMES: [(u8, Text); 14] = [
    (1, Text::new("宛先到達不能", "destination unreachable")),
    (2, Text::new("パケット過大", "packet too big")),
    (3, Text::new("時間超過", "time exceeded")),
    (4, Text::new("パラメーター異常", "parameter problem")),
    (128, Text::new("エコー要求", "echo request")),
    (129, Text::new("エコー応答", "echo reply")),
    (130, Text::new("受信者照会", "listener query")),
    (131, Text::new("受信者報告", "listener report")),
    (132, Text::new("受信者離脱", "listener done")),
    (133, Text::new("ルーター要請", "router solicitation")),
    (134, Text::new("ルーター広告", "router advertisement")),
    (135, Text::new("近隣要請", "neighbour solicitation")),
    (136, Text::new("近隣広告", "neighbour advertisement")),
    (143, Text::new("受信者報告 v2", "listener report v2")),
];

fn icmp_types(span: &Span, version: u8) -> Said {
    let table: &[(u8, Text)] = if version == 4 { &ICMP_NAMES } else { &ICMP6_NAMES };
    let few = span.ranges().iter().all(|(first, last)| last - first < 4);
    if !few {
        let types = numbers(span);
        return Said::new(format!("種類 {}", types.ja), format!("type {}", types.en));
    }
    let each = span.ranges().iter().flat_map(|(first, last)| *first..=*last);
    let name = |number: u128| {
        let known = table.iter().find(|(own, _)| u128::from(*own) == number);
        let plain = || Said::new(number.to_string(), number.to_string());
        known.map_or_else(plain, |(_, name)| {
            Said::new(format!("{number}（{}）", name.ja), format!("{number} ({})", name.en))
        })
    };
    let (ja, en): (Vec<String>, Vec<String>) = each.map(name).map(|said| (said.ja, said.en)).unzip();
    Said::new(format!("種類 {}", ja.join("・")), format!("type {}", en.join(", ")))
}

/// Ranges of numbers; what is shorter said by its gaps is said so.
fn numbers(span: &Span) -> Said {
    let text = |ranges: &[(u128, u128)]| {
        let one = |(first, last): &(u128, u128)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        ranges.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let (Some((0, _)), Some((_, most @ (255 | 65_535)))) = (span.ranges().first(), span.ranges().last())
    else {
        return Said::new(text(span.ranges()), text(span.ranges()));
    };
    let gaps = span.not().and(&Span::range(0_u8, *most));
    let gaps = text(gaps.ranges());
    Said::new(format!("{gaps} 以外"), format!("any but {gaps}"))
}

/// What comes from outside bears no mark yet, and that is not worth a word.
fn is_unmarked(cube: &Cube) -> bool {
    *cube.span(Field::Mark) == Span::one(0_u8)
}

/// Link addresses.
fn cards(span: &Span) -> Said {
    let card = |number: u128| {
        let bytes = (0..6).rev().map(|place| format!("{:02x}", (number >> (8 * place)) & 0xff));
        bytes.collect::<Vec<_>>().join(":")
    };
    let list = |span: &Span| {
        let ends = |(first, last): &(u128, u128)| {
            if first == last { card(*first) } else { format!("{}-{}", card(*first), card(*last)) }
        };
        span.ranges().iter().map(ends).collect::<Vec<_>>().join(", ")
    };
    let gaps = span.not().and(&Span::range(0_u8, (1_u64 << 48) - 1));
    if gaps.ranges().len() < span.ranges().len() {
        let but = list(&gaps);
        return Said::new(format!("{but} 以外"), format!("any but {but}"));
    }
    Said::new(list(span), list(span))
}

/// So many prefixes one range is said by at the most; a longer list is said by its ends.
const PREFIXES: usize = 4;

fn places(span: &Span, version: u8) -> Said {
    let all = if version == 4 { Span::range(0_u8, u32::MAX) } else { Span::all() };
    let gaps = span.not().and(&all);
    if gaps.ranges().len() < span.ranges().len() {
        let but = listed(&gaps, version);
        return Said::new(format!("{but} 以外"), format!("anything but {but}"));
    }
    let list = listed(span, version);
    Said::new(list.clone(), list)
}

fn listed(span: &Span, version: u8) -> String {
    span.ranges().iter().map(|(first, last)| range(*first, *last, version)).collect::<Vec<_>>().join(", ")
}

fn range(first: u128, last: u128, version: u8) -> String {
    let prefixes = prefixes(first, last, version);
    match prefixes.as_slice() {
        few if few.len() <= PREFIXES => few
            .iter()
            .map(|(network, length)| prefix(*network, *length, version))
            .collect::<Vec<_>>()
            .join(", "),
        _ => format!("{}-{}", address(first, version), address(last, version)),
    }
}

/// The range as prefixes, the largest first that fit; one more than are said at the most is enough.
fn prefixes(first: u128, last: u128, version: u8) -> Vec<(u128, u32)> {
    let bits = if version == 4 { 32 } else { 128 };
    let (mut list, mut next) = (Vec::new(), Some(first));
    while let Some(from) = next.filter(|from| *from <= last) {
        if list.len() > PREFIXES {
            break;
        }
        let mut host = from.trailing_zeros().min(bits);
        while host > 0 && end_of(from, host).is_none_or(|end| end > last) {
            host -= 1;
        }
        list.push((from, bits - host));
        next = end_of(from, host).and_then(|end| end.checked_add(1));
    }
    list
}

/// The last address of a prefix with so many host bits.
fn end_of(network: u128, host: u32) -> Option<u128> {
    let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
    network.checked_add(mask)
}

fn prefix(network: u128, length: u32, version: u8) -> String {
    let whole = if version == 4 { 32 } else { 128 };
    let address = address(network, version);
    if length == whole { address } else { format!("{address}/{length}") }
}

fn address(number: u128, version: u8) -> String {
    match (version, u32::try_from(number)) {
        (4, Ok(number)) => Ipv4Addr::from(number).to_string(),
        _ => Ipv6Addr::from(number).to_string(),
    }
}

/// The states, where they are not just those that open something.
fn states(span: &Span) -> Option<Said> {
    let has = |state: State| span.has(state as u128);
    let list = |wanted: &[State]| State::ALL.into_iter().all(|state| wanted.contains(&state) == has(state));
    if list(&[State::New, State::Untracked]) {
        return None;
    }
    Some(if list(&[State::Established, State::Related]) {
        Said::new("続いている接続のものだけ", "of open flows only")
    } else if list(&State::ALL) {
        Said::new("接続の状態によらず", "in any state")
    } else {
        let words: Vec<&str> = State::ALL.into_iter().filter(|state| has(*state)).map(State::word).collect();
        Said::new(format!("状態 {}", words.join("・")), format!("state {}", words.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_said_by_prefixes_where_they_are_few() {
        let four = |first: [u8; 4], last: [u8; 4]| {
            range(u32::from(Ipv4Addr::from(first)).into(), u32::from(Ipv4Addr::from(last)).into(), 4)
        };
        assert_eq!(four([192, 0, 2, 0], [192, 0, 2, 255]), "192.0.2.0/24");
        assert_eq!(four([192, 0, 2, 2], [192, 0, 2, 2]), "192.0.2.2");
        assert_eq!(four([192, 0, 2, 1], [192, 0, 2, 3]), "192.0.2.1, 192.0.2.2/31");
        assert_eq!(four([192, 0, 2, 1], [192, 0, 2, 254]), "192.0.2.1-192.0.2.254");
        assert_eq!(four([0; 4], [255; 4]), "0.0.0.0/0");
        assert_eq!(range(0, u128::MAX, 6), "::/0");
        assert_eq!(range(u128::MAX, u128::MAX, 6), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn numbers_are_said_by_their_gaps_where_that_is_all() {
        assert_eq!(
            numbers(&Span::any_of([Span::one(80_u8), Span::range(443_u16, 445_u16)])).en,
            "80, 443-445"
        );
        let ports = Span::range(0_u8, u16::MAX);
        assert_eq!(numbers(&Span::one(22_u8).not().and(&ports)).en, "any but 22");
    }
}
