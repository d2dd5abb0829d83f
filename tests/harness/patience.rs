//! Waiting for what a distributed system does in its own time, with a limit and a word about what was missed.

use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Returns what `look` finds as soon as it finds something; fails the test when it has not within `limit`.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        thread::sleep(INTERVAL);
    }
}

/// Fails the test when `look` finds something within `span`. For effects that must not happen.
pub(crate) fn never<T: std::fmt::Debug>(what: &str, span: Duration, mut look: impl FnMut() -> Option<T>) {
    let deadline = Instant::now() + span;
    while Instant::now() < deadline {
        if let Some(found) = look() {
            panic!("{what}: must not happen, but {found:?}");
        }
        thread::sleep(INTERVAL);
    }
}
