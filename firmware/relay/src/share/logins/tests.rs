use proptest::prelude::*;

use super::*;

const S: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn login(text: &str) -> Login {
    blake3::hash(text.as_bytes())
}

fn refusal() -> Trouble {
    Trouble { symptom: Symptom::LoginRefused, action: "log in", detail: "Logon Failure".into() }
}

/// What became of a login that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Refused,
    /// It was counted, and the answer never came.
    Unheard,
    /// The server judged nothing, and said so.
    Unjudged,
}

/// A terminal that counts refused logins as Windows does, and one memory of them.
struct World {
    memory: Memory,
    begun: Instant,
    now: Instant,
    /// When the refused ones were.
    tried: Vec<Duration>,
    count: u32,
    largest: u32,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self { memory: Memory::default(), begun: now, now, tried: Vec::new(), count: 0, largest: 0 }
    }

    /// Tries a login with a password that is wrong; says whether one was tried.
    fn tries(&mut self, occasion: Occasion, login: Login, end: End) -> bool {
        if self.memory.may(occasion, login, self.now).is_err() {
            return false;
        }
        if end == End::Unjudged {
            let before = self.memory.clone();
            self.memory.tried(login, self.now);
            self.memory = before;
            return true;
        }
        let at = self.now - self.begun;
        let goes_on = self.tried.last().is_some_and(|before| at - *before < 10 * MINUTE);
        self.count = if goes_on { self.count + 1 } else { 1 };
        self.largest = self.largest.max(self.count);
        self.tried.push(at);
        self.memory.tried(login, self.now);
        if end == End::Refused {
            self.memory.refused(&refusal(), Timestamp::UNIX_EPOCH);
        }
        true
    }

    /// Everything that may be in its way within a second asks once; then a second is over.
    fn second(&mut self, occasions: &[Occasion]) {
        for occasion in occasions {
            self.tries(*occasion, login("wrong"), End::Refused);
        }
        self.now += S;
    }

    fn seconds(&self) -> Vec<u64> {
        self.tried.iter().map(Duration::as_secs).collect()
    }

    /// The most in any ten minutes.
    fn densest(&self) -> usize {
        let within = |from: &Duration| {
            self.tried.iter().filter(|at| *at >= from && **at - *from <= 10 * MINUTE).count()
        };
        self.tried.iter().map(within).max().unwrap_or(0)
    }
}

#[test]
fn the_relay_by_itself_tries_four_times_in_a_quarter_of_an_hour_and_then_once_in_one() {
    let mut world = World::new();
    (0..4000).for_each(|_| world.second(&[Occasion::Routine; 3]));
    assert_eq!(world.seconds(), [0, 120, 360, 840, 1740, 2640, 3540]);
    assert_eq!((world.densest(), world.largest), (3, 4));
}

#[test]
fn a_person_who_asks_without_end_gets_seven_tries_at_most() {
    let mut world = World::new();
    (0..4000).for_each(|_| world.second(&[Occasion::Routine, Occasion::Asked]));
    assert_eq!(world.seconds()[..8], [0, 10, 30, 70, 150, 310, 630, 1270]);
    assert_eq!((world.densest(), world.largest), (6, 7));
}

#[test]
fn a_test_goes_at_once_and_nine_are_the_most_that_are_counted_together() {
    let mut world = World::new();
    (0..4000).for_each(|_| world.second(&[Occasion::Routine, Occasion::Asked, Occasion::Test]));
    assert_eq!(world.seconds()[..10], [0, 0, 1, 2, 3, 4, 5, 6, 7, 667]);
    assert_eq!((world.densest(), world.largest), (9, 9));
}

#[test]
fn while_a_refusal_stands_its_word_is_repeated_and_says_when_the_next_try_is_due() {
    let mut world = World::new();
    world.second(&[Occasion::Routine]);
    let word = world.memory.may(Occasion::Routine, login("wrong"), world.now).unwrap_err();
    assert_eq!(word.symptom, Symptom::LoginRefused);
    assert_eq!(word.to_string(), "log in: Logon Failure; by itself again not before 1970-01-01T00:02:00Z");
}

#[test]
fn another_password_is_tried_at_once_and_what_is_accepted_ends_the_count() {
    let mut world = World::new();
    world.second(&[Occasion::Routine]);
    assert!(!world.tries(Occasion::Routine, login("wrong"), End::Refused));
    assert!(world.tries(Occasion::Routine, login("another"), End::Refused));
    assert!(!world.tries(Occasion::Routine, login("another"), End::Refused));
    world.memory.accepted();
    assert!(world.tries(Occasion::Routine, login("wrong"), End::Refused));
}

#[test]
fn a_second_of_noise_while_a_terminal_starts_costs_twenty_seconds() {
    let mut world = World::new();
    for quarters in [0, 1, 2, 4, 8, 16, 16, 16, 16] {
        world.now += quarters * S / 4;
        world.tries(Occasion::Routine, login("right"), End::Unheard);
    }
    world.now += S;
    assert!(world.tries(Occasion::Routine, login("right"), End::Unheard));
    assert_eq!(world.seconds(), [0, 20]);
}

#[test]
fn a_terminal_that_gives_no_answer_is_tried_three_times_before_it_is_spared() {
    let mut world = World::new();
    for _ in 0..300 {
        world.tries(Occasion::Routine, login("right"), End::Unheard);
        world.now += S;
    }
    assert_eq!(world.seconds(), [0, 20, 40, 160]);
    let word = world.memory.may(Occasion::Routine, login("right"), world.now).unwrap_err();
    assert_eq!(word.symptom, Symptom::Silent);
}

#[test]
fn a_refusal_is_remembered_through_a_try_that_got_no_answer() {
    let mut world = World::new();
    world.second(&[Occasion::Routine]);
    assert!(world.tries(Occasion::Test, login("wrong"), End::Unheard));
    let word = world.memory.may(Occasion::Routine, login("wrong"), world.now).unwrap_err();
    assert_eq!(word.symptom, Symptom::LoginRefused);
}

fn step() -> impl Strategy<Value = (u64, Occasion, bool, End)> {
    let occasion = prop_oneof![Just(Occasion::Routine), Just(Occasion::Asked), Just(Occasion::Test)];
    let end = prop_oneof![3 => Just(End::Refused), 1 => Just(End::Unheard), 1 => Just(End::Unjudged)];
    (0..200_u64, occasion, any::<bool>(), end)
}

proptest! {
    #[test]
    fn no_order_of_events_brings_ten_refusals_together(steps in prop::collection::vec(step(), 1..400)) {
        let mut world = World::new();
        for (pause, occasion, one, end) in steps {
            world.now += Duration::from_secs(pause);
            world.tries(occasion, login(if one { "one" } else { "other" }), end);
        }
        prop_assert!(world.densest() < 10 && world.largest < 10, "{:?}", world.seconds());
    }
}

#[tokio::test]
async fn whoever_comes_while_a_login_is_under_way_waits_for_its_word() {
    let (logins, tries) = (Logins::default(), std::sync::atomic::AtomicU32::new(0));
    let one = || {
        logins.log_in(Occasion::Routine, login("wrong"), async {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err::<(), NotIn>(NotIn::Counted(refusal()))
        })
    };
    let said = futures_util::future::join_all((0..5).map(|_| one())).await;
    assert!(said.iter().all(|said| said.as_ref().unwrap_err().symptom == Symptom::LoginRefused));
    assert_eq!(tries.into_inner(), 1);
}

/// One that the relay tries by itself, and what is said.
async fn ends(logins: &Logins, end: NotIn) -> Trouble {
    let answer = std::future::ready(Err::<(), _>(end));
    logins.log_in(Occasion::Routine, login("right"), answer).await.unwrap_err()
}

fn no_room() -> Trouble {
    Trouble { symptom: Symptom::Malformed, action: "log in", detail: "no room".into() }
}

#[tokio::test]
async fn what_is_neither_yes_nor_no_is_repeated_as_it_was_said() {
    let logins = Logins::default();
    assert_eq!(ends(&logins, NotIn::Counted(no_room())).await, no_room());
    assert_eq!(logins.may(Occasion::Routine, login("right")).await, Err(no_room()));
}

#[tokio::test]
async fn a_server_that_judged_nothing_is_asked_again_and_clears_nothing() {
    let logins = Logins::default();
    for _ in 0..20 {
        assert_eq!(ends(&logins, NotIn::Unjudged(no_room())).await, no_room());
    }
    assert_eq!(logins.may(Occasion::Routine, login("right")).await, Ok(()));
    ends(&logins, NotIn::Counted(refusal())).await;
    let unjudged = std::future::ready(Err::<(), _>(NotIn::Unjudged(no_room())));
    logins.log_in(Occasion::Test, login("right"), unjudged).await.unwrap_err();
    let word = logins.may(Occasion::Routine, login("right")).await.unwrap_err();
    assert_eq!(word.symptom, Symptom::LoginRefused);
}

#[tokio::test]
async fn a_login_that_is_not_waited_for_counts() {
    let logins = Logins::default();
    let mut slow = Box::pin(logins.log_in(
        Occasion::Routine,
        login("slow"),
        std::future::pending::<Result<(), NotIn>>(),
    ));
    assert!(futures_util::poll!(&mut slow).is_pending());
    drop(slow);
    assert_eq!(logins.may(Occasion::Routine, login("slow")).await.unwrap_err().symptom, Symptom::Silent);
}
