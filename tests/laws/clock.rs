//! The clock of a case: the paused time of its runtime, told as a time of day.

use std::cell::Cell;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When every case begins.
const EPOCH: i64 = 1_800_000_000;

/// A case begins.
pub fn start() {
    START.set(Some(Instant::now()));
}

/// The time of day.
pub fn now() -> Timestamp {
    let passed = START.get().map_or(0, |start| start.elapsed().as_secs());
    Timestamp::from_second(EPOCH + i64::try_from(passed).unwrap()).unwrap()
}
