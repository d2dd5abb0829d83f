//! The limiter's promises, on a clock that the test owns.

use super::super::pace::Pace;
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const ANSWERED: Outcome = Outcome::Answered(None);

fn unlimited(max_in_flight: usize, now: Instant) -> Limiter {
    Limiter::new(&Limits::one(Limit::Unknown), max_in_flight, now)
}

fn ask(limiter: &mut Limiter, lane: Lane, now: Instant) -> Decision {
    limiter.ask(lane, Urgency::Normal, now)
}

/// How many calls of a lane may be under way at once.
fn room(limiter: &mut Limiter, lane: Lane, urgency: Urgency, now: Instant) -> usize {
    std::iter::repeat_with(|| limiter.ask(lane, urgency, now)).take_while(|said| *said == Decision::Go).count()
}

#[test]
fn calls_in_flight_are_bounded() {
    let now = Instant::now();
    let mut limiter = unlimited(2, now);
    assert_eq!(room(&mut limiter, Lane::Rest, Urgency::Normal, now), 2);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Full);
    limiter.finished(Lane::Rest, ANSWERED, now);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
}

#[test]
fn what_is_urgent_finds_room_however_much_new_work_hangs() {
    let now = Instant::now();
    let mut limiter = unlimited(64, now);
    assert_eq!(room(&mut limiter, Lane::Instances, Urgency::Normal, now), 32, "a broker hangs");
    assert_eq!(room(&mut limiter, Lane::Rest, Urgency::Normal, now), 16, "the others go on");
    assert_eq!(room(&mut limiter, Lane::Bindings, Urgency::First, now), 16, "and this is kept for the urgent");
}

#[test]
fn a_throttled_lane_leaves_the_others() {
    let now = Instant::now();
    let mut limiter = unlimited(64, now);
    assert_eq!(ask(&mut limiter, Lane::Instances, now), Decision::Go);
    limiter.finished(Lane::Instances, Outcome::Throttled(Some(SECOND * 40)), now);
    assert_eq!(ask(&mut limiter, Lane::Instances, now), Decision::Wait(SECOND * 40));
    for lane in [Lane::Changes, Lane::Bindings, Lane::Rest] {
        let said = [(); 10].map(|()| ask(&mut limiter, lane, now));
        assert_eq!(said, [Decision::Go; 10], "{lane:?} is neither cooled nor slowed down");
    }
    assert_eq!(ask(&mut limiter, Lane::Instances, now + SECOND * 40), Decision::Go);
}

#[test]
fn each_lane_has_its_own_limit() {
    let now = Instant::now();
    let two = Limit::Kept(Pace { per_second: 1.0, burst: 2.0 });
    let mut limiter = Limiter::new(&Limits { instances: two, ..Limits::one(Limit::Unknown) }, 64, now);
    let (wait, lane) = (Decision::Wait(SECOND), Lane::Instances);
    assert_eq!([(); 3].map(|()| ask(&mut limiter, lane, now)), [Decision::Go, Decision::Go, wait]);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
}

#[test]
fn an_exhausted_budget_cools_without_slowing_down() {
    let now = Instant::now();
    let mut limiter = unlimited(64, now);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
    limiter.finished(Lane::Rest, Outcome::Answered(Some(SECOND)), now);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Wait(SECOND));
    assert!(room(&mut limiter, Lane::Rest, Urgency::Normal, now + SECOND) > 40);
}

/// Lets an API fail five times, a second apart, and says when the last was.
fn fail(limiter: &mut Limiter, lane: Lane, outcome: Outcome, from: Instant) -> Instant {
    let mut now = from;
    for _ in 0..5 {
        now += SECOND;
        assert_eq!(ask(limiter, lane, now), Decision::Go);
        limiter.finished(lane, outcome, now);
    }
    now
}

#[test]
fn repeated_failure_stops_calls_of_all_lanes_and_a_probe_starts_them_again() {
    let mut limiter = unlimited(64, Instant::now());
    let now = fail(&mut limiter, Lane::Rest, Outcome::Unavailable(None), Instant::now());
    assert!(matches!(ask(&mut limiter, Lane::Bindings, now), Decision::Down(_)));
    let later = now + SECOND * 2;
    assert_eq!(ask(&mut limiter, Lane::Rest, later), Decision::Go);
    assert!(matches!(ask(&mut limiter, Lane::Rest, later), Decision::Down(_)), "one probe at a time");
    limiter.finished(Lane::Rest, ANSWERED, later);
    assert_eq!(ask(&mut limiter, Lane::Rest, later), Decision::Go);
}

#[test]
fn a_broker_that_does_not_answer_stops_nobody() {
    let mut limiter = unlimited(64, Instant::now());
    let now = fail(&mut limiter, Lane::Instances, Outcome::Abandoned, Instant::now());
    assert_eq!(ask(&mut limiter, Lane::Instances, now), Decision::Go);
}

#[test]
fn an_api_that_refuses_fresh_tokens_is_left_alone_for_longer_and_longer() {
    let (mut limiter, mut now) = (unlimited(64, Instant::now()), Instant::now());
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
        limiter.finished(Lane::Rest, Outcome::Unauthorized, now);
        assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Refused(SECOND * pause));
        now += SECOND * pause;
    }
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
    assert!(matches!(ask(&mut limiter, Lane::Rest, now), Decision::Refused(_)), "one tries");
    limiter.finished(Lane::Rest, ANSWERED, now);
    assert_eq!(ask(&mut limiter, Lane::Rest, now), Decision::Go);
}
