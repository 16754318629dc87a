use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn standing(last: u8) -> Standing {
    let gateway = IpAddr::from([203, 0, 113, last]);
    Standing { gateway, own: IpAddr::from([198, 51, 100, 7]), inner: Some(Ipv4Addr::new(10, 0, 0, 2)) }
}

/// A machine whose tunnel stands since `now`.
fn up(now: Instant) -> Keep {
    let mut keep = Keep::new(2);
    assert_eq!(keep.step(Event::Came, now), [Effect::Load]);
    assert_eq!(keep.step(Event::Loaded, now), [Effect::Look]);
    assert_eq!(keep.step(Event::Seen(None), now), [Effect::Close, Effect::Call(0)]);
    assert_eq!(keep.step(Event::Changed, now), [Effect::Look]);
    assert_eq!(keep.step(Event::Seen(Some(standing(1))), now), [Effect::Open(standing(1))]);
    keep
}

const LATER: Duration = Duration::from_secs(60);

#[test]
fn a_tunnel_that_ends_is_called_again_at_once() {
    let now = Instant::now();
    let mut keep = up(now);
    let ended = keep.step(Event::Seen(None), now + LATER);
    assert_eq!(ended, [Effect::Close, Effect::Call(0)]);
}

#[test]
fn one_that_ends_as_soon_as_it_stands_is_left_alone_for_a_while_and_ever_longer() {
    let now = Instant::now();
    let mut keep = up(now);
    let mut pauses = Vec::new();
    let mut at = now;
    for _ in 0..6 {
        assert_eq!(keep.step(Event::Seen(None), at), [Effect::Close]);
        let due = keep.due().unwrap();
        pauses.push((due - at).as_secs());
        at = due;
        assert_eq!(keep.step(Event::Due, at), [Effect::Call(0)]);
        assert_eq!(keep.step(Event::Seen(Some(standing(1))), at), [Effect::Open(standing(1))]);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
}

#[test]
fn gateways_that_do_not_answer_take_turns_and_one_that_refuses_is_not_hammered() {
    let now = Instant::now();
    let mut keep = up(now);
    keep.step(Event::Seen(None), now + LATER);
    assert_eq!(keep.step(Event::Failed(Trouble::Silent), now + LATER), [Effect::End]);
    let due = keep.due().unwrap();
    assert_eq!(keep.step(Event::Due, due), [Effect::Call(1)]);
    assert_eq!(keep.step(Event::Failed(Trouble::AuthenticationRefused), due), []);
    assert!(keep.due().unwrap() - due >= REFUSED[0]);
    assert_eq!(keep.trouble(), Some(Trouble::AuthenticationRefused));
    let due = keep.due().unwrap();
    assert_eq!(keep.step(Event::Due, due), [Effect::Call(1)]);
}

#[test]
fn a_charon_that_went_closes_the_way_and_one_that_came_back_is_told_anew() {
    let now = Instant::now();
    let mut keep = up(now);
    assert_eq!(keep.step(Event::Gone, now), [Effect::Close]);
    assert_eq!(keep.step(Event::Changed, now), []);
    assert_eq!(keep.step(Event::Came, now), [Effect::Load]);
    assert_eq!(keep.step(Event::NotLoaded, now), [Effect::Close]);
    let due = keep.due().unwrap();
    assert_eq!(keep.step(Event::Due, due), [Effect::Load]);
}

#[test]
fn a_tunnel_that_outlived_us_is_taken_over_without_a_call() {
    let now = Instant::now();
    let mut keep = Keep::new(1);
    keep.step(Event::Came, now);
    keep.step(Event::Loaded, now);
    assert_eq!(keep.step(Event::Seen(Some(standing(1))), now), [Effect::Open(standing(1))]);
}

#[test]
fn an_address_that_is_lost_makes_it_anew_and_a_line_that_came_back_ends_the_waiting() {
    let now = Instant::now();
    let mut keep = up(now);
    assert_eq!(keep.step(Event::Moved { lost: false }, now), []);
    assert_eq!(keep.step(Event::Moved { lost: true }, now), [Effect::Close, Effect::End, Effect::Call(0)]);
    keep.step(Event::Failed(Trouble::Silent), now);
    assert_eq!(keep.step(Event::Moved { lost: false }, now), [Effect::Call(1)]);
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Came),
        Just(Event::Gone),
        Just(Event::Loaded),
        Just(Event::NotLoaded),
        Just(Event::Changed),
        Just(Event::Seen(None)),
        (1..3_u8).prop_map(|last| Event::Seen(Some(standing(last)))),
        Just(Event::Failed(Trouble::Silent)),
        Just(Event::Failed(Trouble::AuthenticationRefused)),
        any::<bool>().prop_map(|lost| Event::Moved { lost }),
        Just(Event::Due),
    ]
}

proptest! {
    /// Whatever comes in whatever order: the way is open exactly while a tunnel stands, and it never rests without one
    /// unless something is under way or a time is set.
    #[test]
    fn the_way_is_open_exactly_while_a_tunnel_stands(
        events in proptest::collection::vec((events(), 0..90_u64), 0..60),
    ) {
        let mut keep = Keep::new(2);
        let (mut now, mut open) = (Instant::now(), None);
        for (event, seconds) in events {
            now += Duration::from_secs(seconds);
            for effect in keep.step(event, now) {
                match effect {
                    Effect::Open(standing) => open = Some(standing),
                    Effect::Close => open = None,
                    Effect::Call(nth) => prop_assert!(nth < 2),
                    Effect::Load | Effect::Look | Effect::End => {}
                }
            }
            match keep.state() {
                State::Up { standing, .. } => prop_assert_eq!(open.as_ref(), Some(standing)),
                State::Waiting { until, .. } => {
                    prop_assert!(open.is_none());
                    prop_assert_eq!(keep.due(), Some(*until));
                }
                // charon that comes twice, without going in between, was told nothing of what stands yet.
                State::Loading | State::Looking => {}
                State::Away | State::Calling => prop_assert!(open.is_none()),
            }
        }
    }
}
