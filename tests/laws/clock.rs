//! The clock of a case: the paused time of its runtime, told as a time of day.

use std::cell::Cell;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

/// When every case begins.
const EPOCH: i64 = 1_800_000_000;

/// A case begins.
pub fn start() {
    START.set(Some(Instant::now()));
    AHEAD.set(0);
}

/// The clock of the operator is so many days ahead, or back.
pub fn set(days: i64) {
    AHEAD.set(days);
}

/// The time of day by the operator's clock.
pub fn now() -> Timestamp {
    true_now() + SignedDuration::from_hours(24 * AHEAD.get())
}

/// The time of day.
pub fn true_now() -> Timestamp {
    let passed = START.get().map_or(0, |start| start.elapsed().as_secs());
    Timestamp::from_second(EPOCH + i64::try_from(passed).unwrap()).unwrap()
}
