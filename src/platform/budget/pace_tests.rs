//! The pace of a lane, on a clock that the test owns.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NEO: Pace = Pace { per_second: 1.5, burst: 20.0 };

/// How many calls go out within a time.
fn calls(pacer: &mut Pacer, from: Instant, span: Duration) -> usize {
    let (mut now, mut count) = (from, 0);
    while now <= from + span {
        match pacer.wait(now) {
            None => {
                pacer.start(now);
                count += 1;
                now += Duration::from_millis(1);
            }
            Some(wait) => now += wait + Duration::from_nanos(10),
        }
    }
    count
}

#[test]
fn a_kept_limit_is_kept_from_the_first_call_on() {
    let now = Instant::now();
    let count = calls(&mut Pacer::new(Limit::Kept(NEO), now), now, SECOND * 60);
    assert!((105..=111).contains(&count), "burst of 20 and 90 in a minute, not {count}");
}

#[test]
fn a_documented_limit_binds_once_it_was_shown_and_is_forgotten_after_a_while() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Limit::OnceShown(Pace::a_minute(60.0)), now);
    assert!(calls(&mut pacer, now, SECOND) > 500, "nothing has shown it");
    let now = now + SECOND * 2;
    pacer.throttled(Some(SECOND), now);
    let count = calls(&mut pacer, now, SECOND * 60);
    assert!((50..=60).contains(&count), "{count} in a minute");
    assert!(calls(&mut pacer, now + BELIEVED + SECOND * 60, SECOND) > 500, "it may have been raised since");
}

#[test]
fn throttling_halves_the_pace_once_for_each_burst_and_it_recovers() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Limit::Unknown, now);
    for _ in 0..100 {
        assert_eq!(pacer.wait(now), None);
        pacer.start(now);
    }
    (0..100).for_each(|_| pacer.throttled(Some(Duration::ZERO), now));
    let next = calls(&mut pacer, now, SECOND);
    assert!((45..=65).contains(&next), "half of 100, whatever the number of throttled answers, not {next}");
    let later = calls(&mut pacer, now + SECOND * 10, SECOND);
    assert!(later > next, "{later} after a while, {next} at first");
    assert!(calls(&mut pacer, now + SECOND * 120, SECOND) > 500, "no limit any more");
}

#[test]
fn recovery_ends_at_the_kept_limit() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Limit::Kept(Pace { per_second: 10.0, burst: 10.0 }), now);
    (0..2).for_each(|burst| pacer.throttled(Some(Duration::ZERO), now + SECOND * burst));
    let now = now + SECOND;
    let slow = calls(&mut pacer, now, SECOND * 2);
    assert!(slow <= 8, "{slow} in two seconds");
    let count = calls(&mut pacer, now + SECOND * 60, SECOND * 10);
    assert!((100..=112).contains(&count), "{count} in ten seconds");
}

#[test]
fn whoever_is_sent_away_is_promised_a_moment_of_his_own() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Limit::Kept(Pace { per_second: 2.0, burst: 1.0 }), now);
    let promises: Vec<_> = (0..3).map(|_| pacer.promise(now).as_millis()).collect();
    assert_eq!(promises, [500, 1000, 1500]);
    pacer.cool(Some(SECOND * 7), now);
    assert_eq!(pacer.promise(now).as_millis(), 7500, "not before it has cooled");
    assert_eq!(pacer.promise(now + SECOND * 60).as_millis(), 500, "what was promised long ago is past");
}
