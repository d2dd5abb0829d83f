//! The limiter's promises, on a clock that the test owns.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NEO: Pace = Pace { per_second: 1.5, burst: 20.0 };

/// How many calls go out within a time, each answered at once.
fn calls(limiter: &mut Limiter, from: Instant, span: Duration) -> usize {
    let (mut now, mut count) = (from, 0);
    while now <= from + span {
        match limiter.ask(now) {
            Decision::Go => {
                limiter.finished(Outcome::Answered(None), now);
                count += 1;
                now += Duration::from_millis(1);
            }
            Decision::Wait(wait) | Decision::Down(wait) => now += wait + Duration::from_nanos(10),
            Decision::Full => panic!("nothing is in flight"),
        }
    }
    count
}

#[test]
fn a_configured_pace_is_kept() {
    let now = Instant::now();
    let mut limiter = Limiter::new(Some(NEO), 64, now);
    let count = calls(&mut limiter, now, SECOND * 60);
    assert!((105..=111).contains(&count), "burst of 20 and 90 in a minute, not {count}");
}

#[test]
fn calls_in_flight_are_bounded() {
    let now = Instant::now();
    let mut limiter = Limiter::new(None, 2, now);
    assert_eq!(limiter.ask(now), Decision::Go);
    assert_eq!(limiter.ask(now), Decision::Go);
    assert_eq!(limiter.ask(now), Decision::Full);
    limiter.finished(Outcome::Answered(None), now);
    assert_eq!(limiter.ask(now), Decision::Go);
}

#[test]
fn nothing_goes_out_while_cooling() {
    let now = Instant::now();
    let mut limiter = Limiter::new(None, 64, now);
    assert_eq!(limiter.ask(now), Decision::Go);
    limiter.finished(Outcome::Throttled(Some(SECOND * 7)), now);
    assert_eq!(limiter.ask(now), Decision::Wait(SECOND * 7));
    assert_eq!(limiter.ask(now + SECOND * 7), Decision::Go);
}

#[test]
fn an_exhausted_budget_cools_without_slowing_down() {
    let now = Instant::now();
    let mut limiter = Limiter::new(None, 64, now);
    assert_eq!(limiter.ask(now), Decision::Go);
    limiter.finished(Outcome::Answered(Some(SECOND)), now);
    assert_eq!(limiter.ask(now), Decision::Wait(SECOND));
    assert!(calls(&mut limiter, now + SECOND, SECOND) > 500);
}

#[test]
fn throttling_halves_the_pace_once_for_each_burst_and_it_recovers() {
    let now = Instant::now();
    let mut limiter = Limiter::new(None, 1000, now);
    for _ in 0..100 {
        assert_eq!(limiter.ask(now), Decision::Go);
    }
    for _ in 0..100 {
        limiter.finished(Outcome::Throttled(Some(Duration::ZERO)), now);
    }
    let next = calls(&mut limiter, now, SECOND);
    assert!((45..=65).contains(&next), "half of 100, whatever the number of throttled answers, not {next}");
    let later = calls(&mut limiter, now + SECOND * 10, SECOND);
    assert!(later > next, "{later} after a while, {next} at first");
    assert!(calls(&mut limiter, now + SECOND * 120, SECOND) > 500, "no limit any more");
}

#[test]
fn recovery_ends_at_the_configured_pace() {
    let now = Instant::now();
    let mut limiter = Limiter::new(Some(Pace { per_second: 10.0, burst: 10.0 }), 64, now);
    for burst in 0..2 {
        let now = now + SECOND * burst;
        assert_eq!(limiter.ask(now), Decision::Go);
        limiter.finished(Outcome::Throttled(Some(Duration::ZERO)), now);
    }
    let now = now + SECOND;
    let slow = calls(&mut limiter, now, SECOND * 2);
    assert!(slow <= 8, "{slow} in two seconds");
    let count = calls(&mut limiter, now + SECOND * 60, SECOND * 10);
    assert!((100..=112).contains(&count), "{count} in ten seconds");
}

#[test]
fn repeated_failure_stops_calls_and_a_probe_starts_them_again() {
    let now = Instant::now();
    let mut limiter = Limiter::new(None, 64, now);
    for _ in 0..5 {
        assert_eq!(limiter.ask(now), Decision::Go);
        limiter.finished(Outcome::Unavailable(None), now);
    }
    assert!(matches!(limiter.ask(now), Decision::Down(_)));
    let later = now + SECOND * 2;
    assert_eq!(limiter.ask(later), Decision::Go);
    assert!(matches!(limiter.ask(later), Decision::Down(_)), "one probe at a time");
    limiter.finished(Outcome::Answered(None), later);
    assert_eq!(limiter.ask(later), Decision::Go);
}
