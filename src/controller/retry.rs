//! When a failing object may be tried again: exponential, with jitter, and not earlier because something else woke it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Class, Error};

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_mins(5);

/// The failures of all objects, by uid.
#[derive(Default)]
pub struct Retries {
    failing: Mutex<HashMap<String, Failing>>,
}

struct Failing {
    /// A spec edit is a new start.
    generation: Option<i64>,
    failures: u32,
    not_before: Instant,
}

impl Retries {
    /// How long this object must still wait, if it must.
    pub fn too_soon(&self, uid: &str, generation: Option<i64>) -> Option<Duration> {
        let failing = self.failing();
        let entry = failing.get(uid).filter(|entry| entry.generation == generation)?;
        Some(entry.not_before.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }

    /// The object is well, or gone.
    pub fn forget(&self, uid: &str) {
        self.failing().remove(uid);
    }

    /// Everything may be tried at once: what stood in the way of many objects is gone.
    pub fn forget_all(&self) {
        self.failing().clear();
    }

    /// Records a failure and says when to try again.
    pub fn failed(&self, uid: &str, generation: Option<i64>, error: &Error) -> Duration {
        let wait_asked = asked(error);
        match error.class() {
            Class::Race => jittered(Duration::from_millis(50)),
            // A change wakes us; this is the net below the watch.
            Class::Dependency => jittered(LAST * 2),
            Class::Person => self.count(uid, generation, LAST, wait_asked),
            Class::Time | Class::Bug => self.count(uid, generation, FIRST, wait_asked),
        }
    }

    fn count(&self, uid: &str, generation: Option<i64>, first: Duration, asked: Option<Duration>) -> Duration {
        let mut failing = self.failing();
        let failures = match failing.get(uid) {
            Some(entry) if entry.generation == generation => entry.failures.saturating_add(1),
            _ => 0,
        };
        let backoff = first.saturating_mul(1 << failures.min(10)).min(LAST);
        let wait = jittered(asked.unwrap_or(backoff));
        // What waits for a person is not held back when something wakes it: that may be the person's repair.
        let held = if first == LAST { Duration::ZERO } else { wait };
        failing.insert(uid.to_owned(), Failing { generation, failures, not_before: Instant::now() + held });
        wait
    }

    fn failing(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the platform asked us to wait, if it did.
fn asked(error: &Error) -> Option<Duration> {
    match error {
        Error::Platform(platform) => platform.wait(),
        Error::Deletion(inner) | Error::Unserved(inner) => asked(inner),
        _ => None,
    }
}

/// Up to a quarter more, so that what failed together is not tried together.
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random_range(0.0..0.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_an_edit_starts_anew() {
        let retries = Retries::default();
        let first = retries.failed("a", Some(1), &Error::Timeout);
        let second = retries.failed("a", Some(1), &Error::Timeout);
        assert!(second > first);
        assert!(retries.too_soon("a", Some(1)).is_some());
        assert_eq!(retries.too_soon("a", Some(2)), None);
        retries.forget("a");
        assert_eq!(retries.too_soon("a", Some(1)), None);
    }

    #[test]
    fn what_waits_for_a_person_is_tried_as_soon_as_something_wakes_it() {
        let retries = Retries::default();
        let wait = retries.failed("a", Some(1), &Error::Unsupported(String::new()));
        assert!(wait >= LAST);
        assert_eq!(retries.too_soon("a", Some(1)), None);
    }
}
